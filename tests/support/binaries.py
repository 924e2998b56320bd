"""Programs that tests need beside Python's: on PATH, else from the folder that `REPL_TEST_BINARIES` names.

That folder holds `{name}-{version}.zst`, or `.tar.zst` with `{name}-{version}/{name}` inside, and SHA256SUMS.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path


@cache
def find(name: str) -> Path | None:
    """The program, unpacked if need be, or None; raises ValueError if a packed one is not what SHA256SUMS says."""
    if found := shutil.which(name):
        return Path(found)
    folder = os.environ.get("REPL_TEST_BINARIES")
    packed = sorted(Path(folder).glob(f"{name}-*.zst")) if folder else []
    return _unpack(name, packed[-1]) if packed else None


def _unpack(name: str, packed: Path) -> Path:
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    if f"{digest}  {packed.name}" not in (packed.parent / "SHA256SUMS").read_text().splitlines():
        raise ValueError(f"{packed} is not what SHA256SUMS says")
    target = Path(tempfile.gettempdir()) / f"repl-binaries-{os.getuid()}" / digest[:16]
    target.mkdir(parents=True, exist_ok=True)
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
