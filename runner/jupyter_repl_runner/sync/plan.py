"""From what lies in the volume, what the store has, and what both last agreed on: what is to be done. Pure.

A path that only one side has changed goes to the other. A side that deleted loses against one that changed: nobody's
work goes by a deletion that did not know of it. What both have changed is a conflict: both versions stay.
"""

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass, field

from jupyter_repl_runner.store.manifest import USUAL_MODE, Manifest

from .found import Found, Row


@dataclass
class Plan:
    """Paths, by what is to be done with them.

    `uploads`: files to the store; `trash`: files whose objects go to the trash; `downloads`: files to the volume, where
    nothing of them has changed; `removals`: what the store has no more; `conflicts`: files that both have changed.
    `agreed`: folders and links as they are in the volume now; `forgotten`: rows without anything on either side.
    """

    uploads: list[str] = field(default_factory=list)
    trash: list[str] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    agreed: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())


def has_changed(found: Found | None, row: Row | None) -> bool:
    """Whether the volume differs from what was agreed on."""
    return found != (row.found if row else None)


def plan_push(found: Mapping[str, Found], base: Mapping[str, Row]) -> Plan:
    """What has changed in the volume since the store was last heard of; `base` holds the rows of what was scanned."""
    plan = Plan()
    for path in sorted({*found, *base}):
        now, row = found.get(path), base.get(path)
        if not has_changed(now, row):
            continue
        if any(one is not None and one.kind == "file" for one in (now, row.found if row else None)):
            _push_one(plan, path, now)
        elif now is not None:
            plan.agreed.append(path)
        else:
            plan.forgotten.append(path)
    return plan


def plan_meeting(
    found: Mapping[str, Found],
    base: Mapping[str, Row],
    remote: Mapping[str, str],
    manifest: Manifest,
    newer: Set[str] = frozenset(),
    *,
    is_ours: bool = False,
) -> Plan:
    """The same with a whole listing of the store, tags by path, at a start. `newer`: paths that both sides have agreed
    on after that listing; there is nothing to do with them. `is_ours`: later, when nobody else may write: what differs
    there is the last deed of an earlier runner that was frozen in the middle of it, and is put right."""
    plan = Plan()
    for path in sorted({*found, *base, *remote, *manifest.links, *manifest.folders} - newer):
        now, row, there = found.get(path), base.get(path), remote.get(path)
        if there is not None or (row is not None and row.found.kind == "file"):
            _meet_file(plan, path, now, row, there, is_ours)
        elif now is not None and now.kind == "file":
            plan.uploads.append(path)
        elif path in manifest.links or path in manifest.folders:
            _meet_in_manifest(plan, path, now, row, manifest)
        elif now is None:
            plan.forgotten.append(path)
        elif has_changed(now, row):
            plan.agreed.append(path)
        elif now.kind == "link" and not is_ours:
            plan.removals.append(path)
    return plan


def _meet_in_manifest(plan: Plan, path: str, now: Found | None, row: Row | None, manifest: Manifest) -> None:
    """A link or a folder of the manifest."""
    if now is None:
        (plan.downloads if row is None else plan.forgotten).append(path)
    elif has_changed(now, row):
        plan.agreed.append(path)
    elif now.kind == "link" and manifest.links.get(path, now.target) != now.target:
        plan.downloads.append(path)


def _meet_file(plan: Plan, path: str, now: Found | None, row: Row | None, there: str | None, is_ours: bool) -> None:
    """A path that is a file in the store, or was one."""
    changed_here = has_changed(now, row)
    changed_there = (there or "") != (row.tag if row else "")
    if not changed_there:
        if changed_here:
            _push_one(plan, path, now)
    elif not changed_here:
        is_ours_to_mend = is_ours and row is not None
        (plan.conflicts if is_ours_to_mend else plan.downloads if there is not None else plan.removals).append(path)
    elif there is not None:
        (plan.downloads if now is None else plan.conflicts).append(path)
    elif now is None:
        plan.forgotten.append(path)
    else:
        (plan.uploads if now.kind == "file" else plan.agreed).append(path)


def _push_one(plan: Plan, path: str, now: Found | None) -> None:
    """A file of the store that has changed in the volume, and there alone."""
    if now is not None and now.kind == "file":
        plan.uploads.append(path)
        return
    plan.trash.append(path)  # also where a link or a folder is now: a file's object would win over it
    if now is not None:
        plan.agreed.append(path)


def build_manifest(rows: Iterable[Row], parents: Collection[str], left_out: Iterable[str] = ()) -> Manifest:
    """What objects can't hold of a project. `rows`: of its links and folders, files don't count; `parents`: the folders
    that have something in them."""
    links: dict[str, str] = {}
    folders: dict[str, int] = {}
    for row in rows:
        found = row.found
        if found.kind == "link":
            links[found.path] = found.target
        elif found.kind == "folder":
            folders[found.path] = found.mode
    telling = {path: mode for path, mode in folders.items() if mode != USUAL_MODE or path not in parents}
    return Manifest(links, telling, tuple(sorted(left_out)))


def first_of(paths: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Those of `paths` that stand in the way of `taken`: a file where a folder is wanted, or below what is a file now.

    Their objects go before the new ones are written: no server of S3's kind is right with both `fd` and `fd/x`.
    """
    wanted = set(taken)
    above = {path[:end] for path in wanted for end in _slashes(path)}
    return [path for path in paths if path in above or any(path[:end] in wanted for end in _slashes(path))]


def conflict_name(path: str, taken: Iterable[str]) -> str:
    """Where the store's version of a file goes that both sides have changed: `main (other version).py`, or with a
    number."""
    folder, slash, name = path.rpartition("/")
    stem, dot, suffix = name.rpartition(".") if "." in name.lstrip(".") else (name, "", "")
    number, there = 1, set(taken)
    while True:
        mark = "other version" if number == 1 else f"other version {number}"
        candidate = f"{folder}{slash}{stem} ({mark}){dot}{suffix}"
        if candidate not in there:
            return candidate
        number += 1


def _slashes(path: str) -> list[int]:
    return [index for index, letter in enumerate(path) if letter == "/"]
