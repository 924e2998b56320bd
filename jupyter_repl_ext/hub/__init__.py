"""A JupyterHub: the shared service, and a user's server that forwards to it."""
