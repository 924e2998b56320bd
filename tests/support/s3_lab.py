"""A Jupyter server whose projects live in a bucket of a real S3 server."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from .lab import Lab
from .s3 import S3Server


class S3Lab(Lab):
    """`endpoint`: the address of a proxy in front of the S3 server."""

    def __init__(
        self, home: Path, server: S3Server, prefix: str, endpoint: str = "", app: str = "jupyter_server", **env: str
    ) -> None:
        place = {"JUPYTER_REPL_STORE_URL": f"s3://{server.bucket}/{prefix}", "S3_ENDPOINT": endpoint or server.endpoint}
        super().__init__(home, app, **{**place, **server.environment, **env})
        self.prefix = prefix
        self._client, self._bucket, self._prefix = server.client(), server.bucket, f"{prefix}/"

    def names(self, prefix: str) -> set[str]:
        """Returns the names of the objects below a prefix, listed without our own code."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        return {item["Key"].removeprefix(self._prefix + prefix) for page in pages for item in page.get("Contents", ())}

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Returns the objects below a prefix, read without our own code."""
        found = {}
        for name in self.names(prefix):
            with suppress(self._client.exceptions.NoSuchKey):  # deleted since it was listed
                body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + prefix + name)["Body"]
                found[name] = body.read()
        return found

    def command(self, *arguments: str) -> str:
        """Run `jupyter repl ...` with the server's settings. Returns what it prints."""
        environment = {**os.environ, **self.environment}
        run = [sys.executable, "-m", "jupyter_repl_ext.cli", *arguments]
        done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def volume(self, repl_id: str) -> Path:
        """Returns the folder that holds this machine's copy of the project."""
        return next(self.home.rglob(f"repl-volumes/*/{repl_id}"))

    def project(self, repl_id: str) -> Path:
        return self.volume(repl_id) / "project"
