"""From `store_url` to a Store."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jupyter_repl_runner.contract.errors import InvalidRequest
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.store.port import Store


def open_store(url: str, data_dir: str) -> Store:
    """The store of `url`; empty: a directory under Jupyter's `data_dir`. Raises InvalidRequest for other schemes."""
    if not url:
        return DirectoryStore(Path(data_dir) / "repl")
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path:
        return DirectoryStore(Path(os.path.expanduser(unquote(parts.path))))
    raise InvalidRequest(f"store_url {url} is not understood.", hint="Use file:/path/of/a/folder.")
