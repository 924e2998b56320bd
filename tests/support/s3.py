"""Real S3 servers. Each is started by the tests that need it, with a folder and a port of its own."""

import os
import secrets
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_repl_runner.contract.grant import Credentials, S3Settings
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_runner.store.s3_client import make_client

from . import binaries
from .ports import free_port

KEY, SECRET = "tester", "a-secret-of-the-tests"
CREDENTIALS = Credentials(KEY, SECRET)
START_SECONDS = 20.0


class S3Server:
    """`name` is the name of the program. `start` creates the first bucket. After a kill and a new start the server has
    the same data."""

    name = ""
    healthy = "/"

    def __init__(self, folder: Path, port: int = 0, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self.port = port or free_port()
        self.host = host
        self.endpoint = f"http://{host}:{self.port}"
        self.bucket = "bucket"
        self._program = binaries.require(self.name)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> "S3Server":
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self._environment()}
        with open(self.folder.parent / f"{self.name}.log", "ab") as log:
            # A process group of its own, so that a Ctrl+C for a test or for make run-s3 does not stop the server.
            self._process = subprocess.Popen(self._command(), env=environment, stdout=log, stderr=log, process_group=0)
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError(f"{self.name} did not start: see {log.name}")
            time.sleep(0.02)
        client = self.client()
        if not client.list_buckets()["Buckets"]:
            client.create_bucket(Bucket=self.bucket)
        return self

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Idempotent."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(10)

    def settings(self, prefix: str = "", **more: object) -> S3Settings:
        return S3Settings(self.bucket, prefix, self.endpoint, path_style=True, **more)  # type: ignore[arg-type]

    def store(self, prefix: str = "") -> S3Store:
        """Returns a store below `prefix`, or below a new prefix if none is named."""
        return S3Store(self.settings(prefix or f"t-{secrets.token_hex(4)}/"), CREDENTIALS)

    def client(self) -> Any:
        """Returns a boto3 client, to check the bucket without the store."""
        return make_client("s3", self.settings(), CREDENTIALS)

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which boto3 finds the keys."""
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.endpoint + self.healthy, timeout=2).close()
        except urllib.error.HTTPError as answer:
            return answer.code < 500
        except OSError:
            return False
        return True

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _environment(self) -> Mapping[str, str]:
        return {}


class Minio(S3Server):
    """The reference: conditional writes, versions, STS."""

    name = "minio"
    healthy = "/minio/health/ready"

    def _command(self) -> list[str]:
        return [str(self._program), "server", str(self.folder), "--address", f"{self.host}:{self.port}", "--quiet"]

    def _environment(self) -> Mapping[str, str]:
        # No console, which would need a port of its own, and no check for updates.
        console = {"MINIO_BROWSER": "off", "MINIO_UPDATE": "off", "CI": "true"}
        return {"MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET, **console}


class Versitygw(S3Server):
    """A second opinion: S3 over a directory."""

    name = "versitygw"

    def _command(self) -> list[str]:
        for name in ("iam", "data"):
            (self.folder / name).mkdir(exist_ok=True)
        arguments = ["--port", f"{self.host}:{self.port}", "--iam-dir", str(self.folder / "iam")]
        return [str(self._program), *arguments, "posix", str(self.folder / "data")]

    def _environment(self) -> Mapping[str, str]:
        return {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}


class Rclone(S3Server):
    """A third opinion: it ignores conditions, so it is for a single server only."""

    name = "rclone"

    def _command(self) -> list[str]:
        (self.folder / "data").mkdir(exist_ok=True)
        address = ["--addr", f"{self.host}:{self.port}", "--auth-key", f"{KEY},{SECRET}"]
        return [str(self._program), "serve", "s3", *address, "--vfs-cache-mode", "off", str(self.folder / "data")]

    def settings(self, prefix: str = "", **more: object) -> S3Settings:
        return super().settings(prefix, **{"single_server": True, **more})


class Moto(S3Server):
    """A fourth: AWS's API as boto describes it, STS included. It stores nothing on disk and checks no key."""

    name = "moto_server"

    def _command(self) -> list[str]:
        return [str(self._program), "--host", self.host, "--port", str(self.port)]


SERVERS: dict[str, type[S3Server]] = {"minio": Minio, "versitygw": Versitygw, "rclone": Rclone, "moto": Moto}
