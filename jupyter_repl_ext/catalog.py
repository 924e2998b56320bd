"""The templates on offer: what lies under `base/` in the store, and whether it can run here."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jupyter_repl_runner.contract.errors import FileExists, FileNotFound, InvalidRequest, ReplError
from jupyter_repl_runner.contract.ids import check_id
from jupyter_repl_runner.contract.refs import template_prefix
from jupyter_repl_runner.contract.settings import TEMPLATE_FILE, Template, parse_template
from jupyter_repl_runner.store.port import Store, read_all

PACKAGED = Path(__file__).parent / "templates"

log = logging.getLogger(__name__)


class Catalog:
    """`can_run(program)` tells whether a program is there where REPLs run."""

    def __init__(self, store: Store, can_run: Callable[[str], bool], packaged: Path = PACKAGED) -> None:
        self._store = store
        self._can_run = can_run
        self._packaged = packaged

    async def publish(self) -> None:
        """Put our templates into the store where they are missing; what is there is never changed. Idempotent.

        A template's own file comes last: where it is, the rest was published, so a deleted file stays deleted.
        """
        for folder in sorted(self._packaged.iterdir()):
            if folder.is_dir() and await self._store.head(template_prefix(folder.name) + TEMPLATE_FILE) is None:
                files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
                for path in sorted(files, key=lambda path: path.name == TEMPLATE_FILE):
                    key = template_prefix(folder.name) + path.relative_to(folder).as_posix()
                    try:
                        await self._store.put(key, path.read_bytes(), if_none_match=True)
                    except FileExists:
                        continue

    async def list(self) -> Sequence[dict[str, Any]]:
        """What the launcher shows, sorted by label. A folder whose name is no id is passed over, with a warning."""
        rows = []
        for language in await self._store.children(template_prefix()):
            try:
                rows.append(self.describe(await self.get(language)))
            except ReplError as error:
                log.warning("The template %r is left out: %s %s", language, error.message, error.hint)
        return sorted(rows, key=lambda row: row["label"].casefold())

    async def get(self, language: str) -> Template:
        """Raises FileNotFound if there is no such template, InvalidRequest if its settings can't be read."""
        prefix = template_prefix(check_id(language, "language"))
        try:
            raw, _ = await read_all(self._store, prefix + TEMPLATE_FILE)
        except FileNotFound:
            if language not in await self._store.children(template_prefix()):
                known = ", ".join(await self._store.children(template_prefix()))
                raise FileNotFound(f"There is no template {language}.", hint=f"There are: {known}.") from None
            raw = b""
        try:
            return parse_template(language, raw.decode())
        except UnicodeDecodeError:
            raise InvalidRequest(f"{TEMPLATE_FILE} of {language} is not UTF-8.") from None

    def describe(self, template: Template) -> dict[str, Any]:
        """`{language, label, icon, run, main, available, hint}`; the hint says why it is not available."""
        available = not template.requires or any(self._can_run(name) for name in template.requires)
        missing = " or ".join(template.requires)
        return {
            "language": template.language,
            "label": template.label,
            "icon": template.icon,
            "run": template.run,
            "main": template.main,
            "available": available,
            "hint": "" if available else f"{missing} was not found here. {template.hint}".strip(),
        }
