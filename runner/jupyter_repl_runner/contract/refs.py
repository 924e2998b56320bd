"""ProjectRef, which identifies a project in every port, name, lock and log line; and the store keys made from it."""

from dataclasses import dataclass

from .ids import check_id
from .owners import check_owner


@dataclass(frozen=True, order=True)
class ProjectRef:
    """One project: `owner` follows the rule of `owners` and is empty on a laptop; `repl_id` follows the rule of
    `ids`."""

    owner: str
    repl_id: str

    def __post_init__(self) -> None:
        check_owner(self.owner)
        check_id(self.repl_id)

    def __str__(self) -> str:
        return f"{self.owner}/{self.repl_id}" if self.owner else self.repl_id

    def code(self, path: str = "") -> str:
        """The store key of a file of the project; without a path, the prefix of all its files (ends with a slash)."""
        return f"{owner_root(self.owner)}code/{self.repl_id}/{path}"

    @property
    def meta(self) -> str:
        """The store key of the project's record."""
        return f"{meta_prefix(self.owner)}{self.repl_id}.json"

    @property
    def generation(self) -> str:
        """The store key of the generation, which each start raises if files are synced."""
        return f"{meta_prefix(self.owner)}{self.repl_id}.generation"

    @property
    def manifest(self) -> str:
        """The store key of what objects can't hold: links, empty folders, modes of folders."""
        return f"{meta_prefix(self.owner)}{self.repl_id}/manifest.json"

    @property
    def bundle(self) -> str:
        """The store key of the bundle: a second copy of the small files, in one object."""
        return f"{meta_prefix(self.owner)}{self.repl_id}/bundle"

    @property
    def meta_folder(self) -> str:
        """The prefix of everything that belongs to the project except its record, its generation and its files."""
        return f"{meta_prefix(self.owner)}{self.repl_id}/"

    @property
    def trash(self) -> str:
        """The prefix of the trash: files that were deleted from the project and can still be restored."""
        return f"{meta_prefix(self.owner)}{self.repl_id}/trash/"


OWNERS = "owners/"
"""The prefix of all owners' roots."""


def owner_root(owner: str) -> str:
    """The prefix of everything that belongs to `owner`; empty for the one user of a laptop. The owners share a folder
    of their own, so no name of an owner is reserved."""
    return f"{OWNERS}{owner}/" if owner else ""


def owner_record(owner: str) -> str:
    """The key of the record with the owner's true name."""
    return f"{owner_root(owner)}owner.json"


def meta_prefix(owner: str) -> str:
    return f"{owner_root(owner)}meta/"


def template_prefix(language: str = "") -> str:
    """The prefix of a template's files; without a language, the prefix of all templates."""
    return f"base/{check_id(language, 'language')}/" if language else "base/"
