"""The true name of each owner: `owners/{owner}/owner.json`, written before the owner's first project."""

import json
import logging

from jupyter_repl_runner.contract.errors import FileExists, FileNotFound, ReplError
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.owners import owner_of_name
from jupyter_repl_runner.contract.refs import OWNERS, owner_record
from jupyter_repl_runner.store.port import Store, read_all

log = logging.getLogger(__name__)


class Owners:
    """The owner's form in keys and labels may be a digest of the name; people are shown the name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names: dict[str, str] = {}

    async def remember(self, name: str) -> None:
        """Write the record of the owner with this name, if there is none. Raises what the store raises."""
        owner = owner_of_name(name)
        if self._names.get(owner) == name:
            return
        try:
            await self._store.put(owner_record(owner), json.dumps({"name": name}).encode(), if_none_match=True)
        except FileExists:
            pass
        self._names[owner] = name

    async def all(self) -> list[tuple[str, str]]:
        """Returns each owner that has ever made a project, with the true name, in order of the names. Raises what the
        store raises."""
        owners = await self._store.children(OWNERS)
        return sorted([(owner, await self.name_of(owner)) for owner in owners], key=lambda each: (each[1], each[0]))

    async def name_of(self, owner: str) -> str:
        """Returns the true name; the owner itself if its record is missing, damaged or can't be read now."""
        if owner and owner not in self._names:
            try:
                raw, _ = await read_all(self._store, owner_record(owner))
                name = parse_json(raw)["name"]
                if owner_of_name(name) != owner:
                    raise ValueError("the name of another owner")
            except FileNotFound:
                return owner
            except (ReplError, ValueError, KeyError, TypeError) as error:
                log.warning("The record of the owner %s can't be read: %s", owner, error)
                return owner
            self._names[owner] = name
        return self._names.get(owner, owner)
