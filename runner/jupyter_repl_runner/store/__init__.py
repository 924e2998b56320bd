"""Where projects live: one port, an adapter per kind of place."""
