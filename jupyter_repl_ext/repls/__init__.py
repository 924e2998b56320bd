"""Projects that run: their start and stop, what counts as use, and what a runner is given for its work."""
