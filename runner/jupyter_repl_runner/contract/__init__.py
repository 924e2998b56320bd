"""What server, spawner and runner agree on: pure values and checks, the standard library only, no I/O."""
