"""What a REPL uses, and whether anybody uses it."""
