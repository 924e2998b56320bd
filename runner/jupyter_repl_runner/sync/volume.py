"""The runner's volume as sync knows it: the project's folder, what says that it was restored whole, and the index.

The marker lies beside the project's folder, not in it. Where it is missing, or the folder is another one than it says,
nothing that is absent counts as deleted: a volume was emptied, unmounted, or never filled. It is written when all that
was restored is safe on the disk. A machine that went down before has perhaps left files empty that have rows, so those
rows are forgotten, or such a file would be taken for somebody's work.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.files.content import flush_disk
from jupyter_repl_runner.files.trash import Trash

from .index import Index
from .rules import RULES_FILE, Rules
from .scan import Sight, Tree

MARKER_FILE = ".restored"


class Volume:
    """`project`: the folder of its files, made if it is missing. `about`: which project it is. All calls block."""

    def __init__(self, project: Path, state: Path, trash: Path, about: Mapping[str, str]) -> None:
        project.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.beneath = Beneath(project)
        self.tree = Tree(project)
        self.trash = Trash(trash)
        self._marker = project.parent / MARKER_FILE
        self._about = {**about, "folder": self.tree.identity()}
        self.index = Index(state / "index.db", self._about)
        if not self.is_whole:
            self.index.forget_earlier(_boot())

    @property
    def is_whole(self) -> bool:
        """Whether all of the project was here once, and this is still the same folder."""
        try:
            said = json.loads(self._marker.read_text())
        except (OSError, ValueError):
            return False
        return bool(said == self._about and self.tree.identity() == self._about["folder"])

    def declare_whole(self) -> None:
        flush_disk(self.tree.root)
        temporary = self._marker.with_suffix(".new")
        temporary.write_text(json.dumps(self._about))
        os.replace(temporary, self._marker)

    def rules(self) -> Rules:
        """As they are now."""
        try:
            descriptor = self.tree.open(RULES_FILE)
        except OSError:
            return Rules()
        with open(descriptor, errors="surrogateescape") as file:
            return Rules(file.read(1 << 16).splitlines())

    def look_at_all(self, rules: Rules) -> Sight:
        """Also ends what a killed restore or save has left half-written."""
        sight = Sight()
        self.tree.look("", rules, sight, deep=True)
        for path in sight.halves:
            self.tree.remove(path)
        return sight

    def close(self) -> None:
        self.index.close()


def _boot() -> str:
    """Tells this run of the machine from others; empty where it does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
