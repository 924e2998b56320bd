"""Reads and writes the files of a project, and never leaves its folder."""
