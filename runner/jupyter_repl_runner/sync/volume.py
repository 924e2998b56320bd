"""The runner's volume as sync knows it: the project's folder, whether it was restored whole, the trash, and the index.

Programs may rename the folder and the trash, so each is opened once (`Root`). What sync knows of them lies in a place
that programs don't reach: which folders they are, and whether all of the project was restored into that very folder.
Until it was, nothing that is absent counts as deleted: the volume was emptied, unmounted, or never filled. It is noted
when all that was restored is safe on the disk. A machine that went down before has perhaps left files empty that have
rows, so those rows are forgotten, or such a file would be taken for somebody's work.
"""

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path

from jupyter_repl_runner.contract.errors import NoPermissions, Unavailable, from_os_error
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.files.containment import Beneath, map_os_errors
from jupyter_repl_runner.files.root import ABSENT, Root
from jupyter_repl_runner.files.trash import Trash
from jupyter_repl_runner.files.writing import flush_disk

from .index import Index
from .rules import RULES_FILE, Rules
from .scan import Scan, Tree

FOLDERS_FILE = "folders.json"
"""In the place of our own: the identities of project and trash, what they are about, and the same as `restored` once
that is so."""

log = getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """`project` and `trash` are the runner's too, on one disk. `state` is sync's own; `private` as well: it lasts as
    long as the volume, or `is_lasting`: it outlives that, so that another folder is no surprise."""

    project: Path
    trash: Path
    state: Path
    private: Path
    is_lasting: bool = False


class Gone(Unavailable):
    """What lies in the project's place is not the project: it is neither saved nor filled, and nothing is missed."""

    def __init__(self) -> None:
        super().__init__(
            "The project's folder was moved away or replaced: nothing in its place is saved.",
            hint="Move it back, or stop the REPL and start it again: it begins with what was saved.",
        )


class Volume:
    """`about`: which project it is. The project's folder is made if it is missing. Raises Gone, and ReplError where
    the disk does not give or take what is needed. All calls block."""

    def __init__(self, place: Place, about: Mapping[str, str]) -> None:
        self._file = place.private / FOLDERS_FILE
        with map_os_errors("The project's folder"):
            known = _read(self._file)
            if place.is_lasting and _is_of_another(known, about):
                _set_aside(place)
            self.root, self.trash = _open(place, {} if place.is_lasting else known)
            self._about = {**about, "folder": self.root.identity}
            self._was_restored = known.get("restored") == self._about
            self._note()
        self.beneath = Beneath(self.root)
        self.tree = Tree(self.root)
        self._rules = Rules()
        self.index = Index(place.state / "index.db", self._about)
        if not self.is_whole:
            self.index.forget_earlier(_boot())

    @property
    def is_whole(self) -> bool:
        """Whether all of the project was here once, and this is still the same folder."""
        return self._was_restored and self.root.is_in_place

    def check(self) -> None:
        """Raise Gone unless the project is in its place."""
        if not self.root.is_in_place:
            raise Gone

    def declare_whole(self) -> None:
        try:
            flush_disk(self.root.descriptor)
            self._was_restored = True
            self._note()
        except OSError as error:
            self._was_restored = False
            raise from_os_error(error, "The volume") from error

    def _note(self) -> None:
        trash = self.trash.identity if self.trash else ""
        restored = self._about if self._was_restored else None
        known = {"project": self.root.identity, "trash": trash, "about": self._about, "restored": restored}
        temporary = self._file.with_suffix(".new")
        temporary.write_text(json.dumps(known))
        os.replace(temporary, self._file)

    def to_trash(self, path: str) -> None:
        """Raises NoPermissions if the trash was replaced, and what `Trash.delete` raises."""
        if self.trash is None:
            raise NoPermissions("The trash was replaced by something else.", hint="Start the REPL again.")
        Trash(self.trash).delete(self.beneath, path)

    def rules(self) -> Rules:
        """The rules as they are now; the last ones if the file can't be read."""
        try:
            with open(self.root.open(RULES_FILE), errors="surrogateescape") as file:
                self._rules = Rules(file.read(1 << 16).splitlines())
        except FileNotFoundError:
            self._rules = Rules()
        except OSError as error:
            if error.errno in ABSENT:
                self._rules = Rules()
        return self._rules

    def is_here(self, path: str) -> bool:
        """Whether anything lies at `path`."""
        try:
            self.root.lstat(path)
        except OSError:
            return False
        return True

    def look_at_all(self, rules: Rules) -> Scan:
        """Also deletes what a killed restore or save has left half-written."""
        scan = Scan()
        self.tree.look("", rules, scan, deep=True)
        for path in scan.halves:
            self.tree.remove(path)
        return scan

    def close(self) -> None:
        self.index.close()


def _is_of_another(known: Mapping[str, object], about: Mapping[str, str]) -> bool:
    """Whether the folders belong to an earlier project of the same name, which was deleted on another machine."""
    before = known.get("about") or known.get("restored")
    return isinstance(before, dict) and before.get("project", "") not in ("", about.get("project"))


def _set_aside(place: Place) -> None:
    """Keep the folders of an earlier project under another name: the new one gets none of its files. Raises OSError."""
    aside = place.project.parent / f"earlier-{secrets.token_hex(4)}"
    aside.mkdir()
    for folder in (place.project, place.trash):
        with suppress(FileNotFoundError):
            os.rename(folder, aside / folder.name)
    log.warning("The files of an earlier project of this name were moved to %s", aside)


def _open(place: Place, known: Mapping[str, object]) -> tuple[Root, Root | None]:
    """Project and trash; no trash if that is another one than is `known`. Raises Gone."""
    if not known:
        project = Root.made(place.project)
        if not place.is_lasting:
            # The volume's group would be handed down to every folder, and its bit would show up in their modes.
            os.fchmod(project.descriptor, 0o700)
        return project, Root.made(place.trash, 0o700)
    if (known_project := Root.known(place.project, known.get("project"))) is None:
        raise Gone
    return known_project, Root.known(place.trash, known.get("trash"))


def _read(file: Path) -> dict[str, object]:
    try:
        said = parse_json(file.read_text())
    except (FileNotFoundError, ValueError):  # any other error says nothing of what is known
        return {}
    return said if isinstance(said, dict) else {}


def _boot() -> str:
    """The id of this boot of the machine; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
