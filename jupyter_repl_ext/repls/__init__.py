"""Running projects: their start and stop, what counts as use, the grants for sync, and restoring deleted files."""
