"""What the server and the browser say to a runner: requests, transfers and the channel."""
