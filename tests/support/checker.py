"""Compares a project in a bucket with a folder. It uses rclone instead of our S3 client, and imports nothing of ours.

    python checker.py ENDPOINT BUCKET PREFIX NAME FOLDER [SECONDS]

Prints the differences and exits with 1 if there are any. Changes of the last SECONDS before the newest change in the
folder may be missing, as after a kill. Links and empty folders are read from the manifest as it is documented.
"""

import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

IGNORED = {"__pycache__", "node_modules", ".venv", "venv", ".mypy_cache", ".pytest_cache", ".ruff_cache"}


def rclone(endpoint: str, *arguments: str) -> str:
    """Returns what rclone prints. Its keys come from the usual variables of AWS. Raises RuntimeError if it fails."""
    settings = {
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_B_TYPE": "s3",
        "RCLONE_CONFIG_B_PROVIDER": "Minio",
        "RCLONE_CONFIG_B_ENV_AUTH": "true",
        "RCLONE_CONFIG_B_ENDPOINT": endpoint,
    }
    program = Path(sys.executable).parent / "rclone"
    command = [str(program if program.exists() else "rclone"), *arguments]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def local(folder: Path) -> tuple[dict[str, bytes], dict[str, str], dict[str, float]]:
    """Returns the files with their bytes, the links with their targets, and when each was last changed."""
    files: dict[str, bytes] = {}
    links: dict[str, str] = {}
    times: dict[str, float] = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in IGNORED]
        for name in (*folders, *names):
            path = Path(place) / name
            key, status = os.path.relpath(path, folder), path.lstat()
            if name.startswith(".jupyter-repl-tmp-") or (key.startswith(".git/") and name.endswith(".lock")):
                continue
            if stat.S_ISLNK(status.st_mode):
                links[key] = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                files[key] = path.read_bytes()
            times[key] = max(status.st_mtime, status.st_ctime)
    return files, links, times


def remote(endpoint: str, place: str, name: str) -> tuple[dict[str, bytes], dict[str, str]]:
    with tempfile.TemporaryDirectory() as target:
        rclone(endpoint, "copy", f"B:{place}code/{name}", target, "--transfers", "16", "--no-update-modtime")
        files = {os.path.relpath(path, target): path.read_bytes() for path in Path(target).rglob("*") if path.is_file()}
    try:
        manifest = json.loads(rclone(endpoint, "cat", f"B:{place}meta/{name}/manifest.json"))
    except (RuntimeError, ValueError):
        manifest = {"links": {}}
    links = {path: link for path, link in manifest["links"].items() if path not in files}
    return files, links


def compare(endpoint: str, bucket: str, prefix: str, name: str, folder: Path, seconds: float = 0.0) -> list[str]:
    """Returns one line for each difference."""
    files, links, times = local(folder)
    there, there_links = remote(endpoint, f"{bucket}/{prefix}", name)
    young = max(times.values(), default=0.0) - seconds

    def may_differ(path: str) -> bool:
        return seconds > 0 and (times.get(path, 0.0) > young or path not in times)

    said = []
    for path in sorted({*files, *there}):
        if files.get(path) != there.get(path) and not may_differ(path):
            state = "missing" if path not in there else "back again" if path not in files else "different"
            said.append(f"{path}: {state}")
    others = (path for path in sorted({*links, *there_links}) if links.get(path) != there_links.get(path))
    said += [
        f"link {path}: {links.get(path)} here, {there_links.get(path)} there" for path in others if not may_differ(path)
    ]
    return said


if __name__ == "__main__":
    endpoint, bucket, prefix, name, folder, *rest = sys.argv[1:]
    found = compare(endpoint, bucket, prefix, name, Path(folder), float(rest[0]) if rest else 0.0)
    print("\n".join(found))
    sys.exit(1 if found else 0)
