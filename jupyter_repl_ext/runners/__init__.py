"""Connections to runners, for the server and for browsers: requests, transfers and the channel."""
