"""Starts, stops and remembers runs of the project's program."""
