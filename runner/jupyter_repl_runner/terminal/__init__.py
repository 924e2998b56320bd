"""Terminals: bytes with offsets over terminado's PTY, kept in a ring and paced by credit."""
