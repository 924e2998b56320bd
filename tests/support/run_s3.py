"""`make run-s3`: JupyterLab with projects in a temporary MinIO."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from .s3 import SERVERS

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="jupyter-repl-s3-") as folder:
        server = SERVERS["minio"](Path(folder) / "data").start()
        print(f"MinIO listens at {server.endpoint}; its files are deleted when it stops.", file=sys.stderr)
        settings = [f"--ReplExtension.store_url=s3://{server.bucket}", f"--ReplExtension.s3_endpoint={server.endpoint}"]
        environment, root = {**os.environ, **server.environment}, Path(__file__).parent.parent.parent
        process = subprocess.Popen(["jupyter", "lab", *settings, *sys.argv[1:]], env=environment, cwd=root)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # JupyterLab gets it too, and asks whether it should stop
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: process.terminate())
        try:
            sys.exit(process.wait())
        finally:
            server.stop()
