"""`runner sync`: restores a project from the store into the runner's volume, then carries every change back."""
