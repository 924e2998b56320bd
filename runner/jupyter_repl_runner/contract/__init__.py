"""What server, spawner and runner agree on: pure values and checks. Uses the standard library only, and does no I/O."""
