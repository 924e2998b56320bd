"""The command `jupyter repl`: administrators publish templates, and people restore deleted files without a tab. It uses
the settings of the Jupyter server on this machine."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_repl_ext.projects.adoption import Adoption
from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.owners import SINGLE_USER, owner_of_name
from jupyter_repl_runner.contract.refs import ProjectRef

from .services import Services

if TYPE_CHECKING:
    from .app import ReplExtension


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and return its exit code."""
    options = _parser().parse_args(arguments)
    extension = _extension()
    services = extension.make_services({})
    try:
        return int(asyncio.run(options.verb(extension, services, options)))
    except ReplError as error:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        return 1
    finally:
        services.client.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("jupyter repl", description="Publish templates for REPLs; restore deleted files.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    templates = verbs.add_parser("templates", help="the templates that new REPLs start from")
    push = templates.add_subparsers(required=True, metavar="VERB").add_parser(
        "push", help="publish folders as templates"
    )
    push.add_argument(
        "folders", nargs="*", type=Path, help="folders named like their languages; default: the packaged templates"
    )
    push.add_argument("--overwrite", action="store_true", help="also replace files that exist and differ")
    push.set_defaults(verb=_push)

    restore = verbs.add_parser("restore", help="list the deletions in a project, or restore one")
    restore.add_argument("name", help="the REPL's name")
    restore.add_argument("item", nargs="?", help="the deletion to restore; default: list all of them")
    restore.add_argument("--owner", default="", help="the name of the user whose project it is, in a hub")
    restore.set_defaults(verb=_restore)

    adopt = verbs.add_parser("adopt", help="copy the projects of one person's store to an owner of this store")
    adopt.add_argument("source", help="the store of a single user: file:/a/folder or s3://bucket/prefix")
    adopt.add_argument("--owner", required=True, help="the user's name in the hub")
    adopt.add_argument("--delete-source", action="store_true", help="delete each project there once it is whole here")
    adopt.set_defaults(verb=_adopt)
    return parser


def _extension() -> "ReplExtension":
    """Returns the extension with the settings of the Jupyter server."""
    from jupyter_server.serverapp import ServerApp

    from .app import ReplExtension

    server: Any = ServerApp()
    server.load_config_file(suppress_errors=False)
    extension = ReplExtension()
    extension.load_config_file()
    extension.update_config(server.config)
    return extension


async def _push(_: "ReplExtension", services: Services, options: argparse.Namespace) -> int:
    kept = []
    for folder in options.folders or services.catalog.packaged():
        pushed = await services.catalog.push(folder, overwrite=options.overwrite)
        print(f"{folder.name}: {len(pushed.written)} written, {pushed.same} unchanged, {len(pushed.kept)} kept")
        kept += [f"{folder.name}/{path}" for path in pushed.kept]
    for path in kept:
        print(f"kept, since it differs there: {path}")
    if kept:
        print("Add --overwrite to replace them.")
    return 0


async def _adopt(extension: "ReplExtension", services: Services, options: argparse.Namespace) -> int:
    source = extension.open_store(options.source)
    projects = Projects(source, services.catalog)
    adoption, failures = Adoption(source, projects, services.store, services.projects), 0
    await services.projects.owners.remember(options.owner)
    async for adopted in adoption.run(owner_of_name(options.owner), delete_source=options.delete_source):
        if adopted.error is None:
            print(f"copied: {adopted.repl_id}, {adopted.files} files")
        else:
            failures += 1
            print(f"not copied: {adopted.repl_id}. {adopted.error.message} {adopted.error.hint}".rstrip())
    return 1 if failures else 0


async def _restore(_: "ReplExtension", services: Services, options: argparse.Namespace) -> int:
    ref = ProjectRef(owner_of_name(options.owner) if options.owner else SINGLE_USER, options.name)
    await services.projects.get(ref)
    if options.item is None:
        for deleted in await services.recovery.deleted(ref):
            when = datetime.fromtimestamp(deleted.when).isoformat(" ", "seconds")
            more = f" and {deleted.count - len(deleted.paths)} more" if deleted.count > len(deleted.paths) else ""
            print(f"{deleted.item}  {when}  {', '.join(deleted.paths)}{more}")
        return 0
    async with services.spawner.looking():
        done = await services.recovery.restore(ref, options.item)
    for path in done["restored"]:
        print(f"restored: {path}")
    for path in done["kept"]:
        print(f"not restored, something else has its path: {path}")
    return 0 if done["restored"] or not done["kept"] else 1


if __name__ == "__main__":
    sys.exit(main())
