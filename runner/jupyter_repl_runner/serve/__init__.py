"""`runner serve`: the process beside the project's files."""
