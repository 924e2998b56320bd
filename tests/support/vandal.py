"""Changes a folder in all ways, quickly and at random: `python vandal.py FOLDER SEED`. Runs until it is killed."""

import os
import random
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path


class Vandal:
    def __init__(self, folder: Path, seed: int) -> None:
        self._root = folder
        self._chance = random.Random(seed)
        self._number = 0
        self._acts = (
            *[self.create] * 6, *[self.edit] * 6, self.append, self.rename, self.move_folder, self.chmod, self.link,
            self.delete, self.delete_folder, self.make_folder, self.replace, self.commit, self.file_and_folder,
        )  # fmt: skip

    def act(self) -> None:
        self._number += 1
        with suppress(OSError, subprocess.SubprocessError, shutil.Error):
            self._chance.choice(self._acts)()

    def create(self) -> None:
        path = self._folder() / f"f{self._chance.randrange(60)}"
        path.write_bytes(self._content())

    def edit(self) -> None:
        self._file().write_bytes(self._content())

    def append(self) -> None:
        with self._file().open("ab") as file:
            file.write(self._content())

    def rename(self) -> None:
        self._file().rename(self._folder() / f"r{self._number % 50}")

    def move_folder(self) -> None:
        """Move a folder, and renew the ctime of all that is in it: the checker takes the age of a path from that, and
        these paths are as new as the move."""
        folder = self._folder()
        if folder != self._root:
            for path in folder.rename(self._root / f"m{self._number % 9}").rglob("*"):
                status = path.lstat()
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)

    def chmod(self) -> None:
        self._file().chmod(self._chance.choice((0o600, 0o644, 0o700, 0o755)))

    def link(self) -> None:
        (self._folder() / f"l{self._chance.randrange(20)}").symlink_to(f"f{self._chance.randrange(60)}")

    def delete(self) -> None:
        self._file().unlink()

    def delete_folder(self) -> None:
        folder = self._folder()
        if folder != self._root:
            shutil.rmtree(folder)

    def make_folder(self) -> None:
        (self._folder() / f"d{self._chance.randrange(9)}").mkdir()

    def replace(self) -> None:
        """Replace a file as editors do."""
        path = self._file()
        temporary = path.with_name(f"{path.name}.new")
        temporary.write_bytes(self._content())
        os.replace(temporary, path)

    def file_and_folder(self) -> None:
        """Replace a file by a folder, or a folder by a file."""
        path = self._root / f"x{self._chance.randrange(4)}"
        if path.is_dir():
            shutil.rmtree(path)
            path.write_bytes(self._content())
        else:
            path.unlink(missing_ok=True)
            path.mkdir()
            (path / "inside").write_bytes(self._content())

    def commit(self) -> None:
        identity = ["-c", "user.name=v", "-c", "user.email=v@example.org", "-c", "gc.auto=0"]
        git = ["git", *identity, "-C", str(self._root)]
        if not (self._root / ".git").exists():
            subprocess.run([*git, "init", "-q"], check=True, capture_output=True, timeout=20)
        (self._root / ".git/index.lock").unlink(missing_ok=True)  # left by a commit that was killed
        subprocess.run([*git, "add", "-A"], check=True, capture_output=True, timeout=20)
        subprocess.run([*git, "commit", "-qm", str(self._number)], check=True, capture_output=True, timeout=20)

    def _content(self) -> bytes:
        return f"{self._number} ".encode() * self._chance.choice((1, 10, 1000, 20_000))

    def _folder(self) -> Path:
        folders = [self._root]
        folders += [path for path in self._root.glob("**/[dmx]*") if path.is_dir() and ".git" not in path.parts]
        return self._chance.choice(folders)

    def _file(self) -> Path:
        files = [path for path in self._folder().iterdir() if path.is_file() and not path.is_symlink()]
        return self._chance.choice(files) if files else self._root / "first"


if __name__ == "__main__":
    vandal = Vandal(Path(sys.argv[1]), int(sys.argv[2]))
    while True:
        vandal.act()
        time.sleep(0.01)
