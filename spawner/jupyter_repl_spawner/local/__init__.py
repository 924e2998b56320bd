"""LocalSpawner: runners as child processes of this machine."""
