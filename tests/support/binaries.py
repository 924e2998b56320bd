"""Programs that tests need beside Python's: on PATH, else from the folder that `REPL_TEST_BINARIES` names.

That folder holds `{name}-{version}.zst` or `{name}.zst`, or `.tar.zst` with `{name}-{version}/{name}` inside, and
SHA256SUMS. A program that is in neither place is built, if it is a Go module.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

MODULES = {
    "kubenode": "cluster/kubenode",
    "pause": "cluster/pause",
    "coredns": "github.com/coredns/coredns@v1.14.7",
    "helm": "helm.sh/helm/v3/cmd/helm@v3.19.5",
    "kube-router": "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router@v2.1.0",
    "minio": "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c",
    "versitygw": "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
}
"""Public modules with their versions, or folders below tests/."""
FLAGS = (
    "-s -w -X k8s.io/component-base/version.gitVersion=v1.34.4 -X k8s.io/component-base/version.gitMajor=1 "
    "-X k8s.io/component-base/version.gitMinor=34"
)
BUILD_SECONDS = 1800


@cache
def find(name: str) -> Path | None:
    """Returns the program, unpacked if necessary, or None. Raises ValueError if a packed one does not match
    SHA256SUMS."""
    beside = Path(sys.executable).parent / name  # some come from PyPI
    if found := shutil.which(name) or (beside.exists() and beside):
        return Path(found)
    folder = os.environ.get("REPL_TEST_BINARIES")
    packed = sorted([*Path(folder).glob(f"{name}-*.zst"), *Path(folder).glob(f"{name}.zst")]) if folder else []
    return _unpack(name, packed[-1]) if packed else None


def require(name: str) -> Path:
    """Returns the program, found or built. If neither is possible, skips the test with a message; in CI it fails the
    test."""
    found = find(name) or build(name)
    if found is None:
        message = f"{name} is neither on PATH nor in REPL_TEST_BINARIES, and there is no Go to build it"
        if os.environ.get("CI"):
            pytest.fail(message)
        print(f"SKIPPED: {message}", file=sys.stderr)
        pytest.skip(message)
    return found


@cache
def build(name: str) -> Path | None:
    """Returns the program, built by Go and cached for the next run, or None if there is no Go or no such module."""
    go = shutil.which("go")
    if go is None or name not in MODULES:
        return None
    target = _place(hashlib.sha256(MODULES[name].encode()).hexdigest())
    with open(target / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / name).exists():
            print(f"Building {MODULES[name]}: this takes minutes, once.", file=sys.stderr)
            environment = {**os.environ, "GOBIN": str(target), "CGO_ENABLED": "0"}
            if "@" in MODULES[name]:
                command, folder = [go, "install", MODULES[name]], None
            else:
                command = [go, "build", "-trimpath", "-ldflags", FLAGS, "-o", str(target / name), "."]
                folder = Path(__file__).parents[1] / MODULES[name]
            subprocess.run(command, cwd=folder, env=environment, check=True, timeout=BUILD_SECONDS)
    return target / name


def _unpack(name: str, packed: Path) -> Path:
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    if f"{digest}  {packed.name}" not in (packed.parent / "SHA256SUMS").read_text().splitlines():
        raise ValueError(f"{packed} does not match SHA256SUMS")
    target = _place(digest)
    stem = packed.name.removesuffix(".zst")
    program = target / stem.removesuffix(".tar") / name if stem.endswith(".tar") else target / name
    with open(target / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / "done").exists():
            if stem.endswith(".tar"):
                subprocess.run(["tar", "-I", "zstd", "-xf", packed, "-C", target], check=True, timeout=120)
            else:
                subprocess.run(["zstd", "-qfd", packed, "-o", program], check=True, timeout=120)
                program.chmod(0o755)
            (target / "done").touch()
    return program


def _place(digest: str) -> Path:
    target = Path(tempfile.gettempdir()) / f"repl-binaries-{os.getuid()}" / digest[:16]
    target.mkdir(parents=True, exist_ok=True)
    return target
