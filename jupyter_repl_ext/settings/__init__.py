"""What an administrator sets, and the store and the spawner that follow from it."""
