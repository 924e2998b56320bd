"""What LocalSpawner and the guard agree on about a REPL's private directory. Names only.

The directory's own lock (flock on it) is held by the guard. It contains the runner's socket, the record (who started
it, the token, what to serve), the log of guard and runner, and after an end that nobody asked for, why.
"""

RECORD_FILE = "record.json"
EXIT_FILE = "exit.json"
SOCKET_FILE = "socket"
LOG_FILE = "log"

MARK = "JUPYTER_REPL_MARK"
"""The environment variable that every process of the REPL inherits: `{directory}:{random}`."""

ASKED, SERVER_GONE, CRASHED, START_FAILED = "asked", "server-gone", "crashed", "start-failed"
UNSAVED = "unsaved"
"""It was asked to end and S3 has not everything: the rest lies in the volume and is saved with the next start."""

FENCED_CODE = 4
"""The exit code of a sync that another start has ended."""
