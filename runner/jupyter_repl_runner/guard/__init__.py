"""LocalSpawner's parent of a runner."""
