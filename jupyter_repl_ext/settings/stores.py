"""Makes the Store that `store_url` and the other settings describe."""

import logging
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from jupyter_repl_runner.contract.errors import InvalidRequest, ReplError, Unavailable
from jupyter_repl_runner.contract.grant import S3Settings
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.store.port import Blob, Entry, Head, Store

log = logging.getLogger(__name__)


def open_store(url: str, data_dir: str, **s3: Any) -> Store:
    """Returns the store at `url`; if that is empty, a directory under Jupyter's `data_dir`. `s3`: the fields of
    S3Settings other than bucket and prefix.

    If the store can't be opened, returns a BrokenStore, which raises the reason from every call: so the tab shows it.
    """
    try:
        return _open(url, data_dir, s3)
    except ReplError as error:
        log.error("store_url %s: %s %s", url, error.message, error.hint)
        return BrokenStore(error)


def _open(url: str, data_dir: str, s3: dict[str, Any]) -> Store:
    if not url:
        return DirectoryStore(Path(data_dir) / "repl")
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path:
        return DirectoryStore(Path(os.path.expanduser(unquote(parts.path))))
    if parts.scheme == "s3" and parts.netloc and not (parts.username or parts.port or parts.query):
        from jupyter_repl_runner.store.s3 import S3Store

        prefix = unquote(parts.path).strip("/")
        return S3Store(S3Settings(parts.netloc, f"{prefix}/" if prefix else "", **s3))
    raise InvalidRequest(
        f"store_url {url} is not understood.", hint="Use file:/path/of/a/folder or s3://bucket/prefix."
    )


def warn_if_passing(store: Store, root: Path = Path("/")) -> None:
    """Log a warning if the projects lie on the disk of a pod of a hub's: they go with the pod. `root`: of that disk."""
    is_in_pod = "KUBERNETES_SERVICE_HOST" in os.environ and "JUPYTERHUB_API_TOKEN" in os.environ
    if not (is_in_pod and isinstance(store, DirectoryStore)):
        return
    place = next(path for path in (store.root, *store.root.parents) if path.exists())
    if place.stat().st_dev == root.stat().st_dev:
        log.warning(
            "Projects lie in %s, which is on no volume: they are lost when the hub stops this server. Mount a volume "
            "there, set ReplExtension.store_url to a bucket, or use the hub's service for REPLs (docs/hub.md).",
            store.root,
        )


class BrokenStore(Store):
    """A store that could not be opened. Every call raises the reason."""

    def __init__(self, error: ReplError) -> None:
        hint = f"{error.hint} Then restart Jupyter; see ReplExtension.store_url.".strip()
        self._error = Unavailable(f"The store can't be opened: {error.message}", hint=hint)

    def _refuse(self) -> NoReturn:
        raise self._error

    def list(self, prefix: str, *, deep: bool = True) -> AsyncIterator[Entry]:
        self._refuse()

    async def children(self, prefix: str) -> Sequence[str]:
        self._refuse()

    async def head(self, key: str) -> Head | None:
        self._refuse()

    async def get(self, key: str) -> Blob:
        self._refuse()

    async def put(self, key: str, data: bytes | AsyncIterator[bytes], **_: Any) -> Head:
        self._refuse()

    async def copy(self, source: str, target: str) -> None:
        self._refuse()

    async def copy_prefix(self, source: str, target: str, *, leave_out: frozenset[str] = frozenset()) -> int:
        self._refuse()

    async def put_folder(self, folder: Path, target: str, manifest: str) -> int:
        self._refuse()

    async def delete(self, key: str, *, if_match: str | None = None) -> None:
        self._refuse()

    async def probe(self) -> NoReturn:
        self._refuse()
