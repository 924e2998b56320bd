"""The names in a REPL's private directory, on which LocalSpawner and the guard agree.

The guard holds the lock of the directory (flock on it). The directory contains the runner's socket, the record (which
server started the REPL, the token, what to serve), and the log of guard and runner. EXIT_FILE says why the REPL has
ended, unless it was stopped on request with everything saved.
"""

RECORD_FILE = "record.json"
EXIT_FILE = "exit.json"
SOCKET_FILE = "socket"
LOG_FILE = "log"

MARK = "JUPYTER_REPL_MARK"
"""The environment variable that every process of the REPL inherits: `{directory}:{random}`."""

ASKED, SERVER_GONE, CRASHED, START_FAILED = "asked", "server-gone", "crashed", "start-failed"
UNSAVED = "unsaved"
"""The REPL was asked to stop, but S3 does not have everything: the rest is in the volume, and the next start saves
it."""

FENCED_CODE = 4
"""The exit code of a sync that a later start has fenced off."""
