"""The project's program: run, stopped, and remembered."""
