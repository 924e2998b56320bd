"""Where projects are stored: one port, and an adapter for each kind of storage."""
