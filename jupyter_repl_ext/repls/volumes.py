"""Where a project's files are on this machine while its REPL runs: in the store's own folder, or in a copy that
sync keeps up to date."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from jupyter_repl_runner.contract.refs import ProjectRef, owner_root
from jupyter_repl_runner.store.port import Store
from jupyter_repl_spawner.port import Folders


def folders_of(store: Store, url: str, data_dir: str) -> Callable[[ProjectRef], Folders]:
    """Returns the function that returns the folders of a project. If the store is not on a disk, they are copies under
    Jupyter's `data_dir`, in a separate folder for each store."""
    volumes = Path(data_dir) / "repl-volumes" / hashlib.sha256(url.encode()).hexdigest()[:12]

    def folders(ref: ProjectRef) -> Folders:
        local, trash = store.local_path(ref.code()), store.local_path(ref.trash)
        if local is not None and trash is not None:
            return Folders(local, trash)
        volume = volumes / owner_root(ref.owner) / ref.repl_id
        return Folders(volume / "project", volume / "trash")

    return folders
