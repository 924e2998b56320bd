"""The server extension: its settings, and the wiring of everything. No behaviour lives here.

Each setting can also come from an environment variable, see settings/environment.py.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Dict, Float, Integer, List, Unicode, Union, default

from jupyter_repl_ext.settings.environment import from_environment
from jupyter_repl_ext.settings.kubernetes import KubernetesTraits
from jupyter_repl_ext.settings.s3 import S3Traits

from . import __version__

if TYPE_CHECKING:
    from jupyter_repl_ext.projects.projects import Projects
    from jupyter_repl_runner.store.port import Store
    from jupyter_repl_spawner.port import Granter, Spawner

    from .hub.forward import Forward
    from .services import Services


class ReplExtension(S3Traits, KubernetesTraits, ExtensionApp):
    """REPLs inside JupyterLab."""

    name = "jupyter_repl_ext"
    extension_url = "/repl"
    version = __version__
    description = "REPLs inside JupyterLab: Monaco beside a live shell, with files that are never lost."

    store_url = Unicode(
        config=True,
        help="""Where projects are stored: `file:/a/folder`, or `s3://bucket/prefix` (see the settings that begin with
        s3). Empty (the default): the folder `repl` under Jupyter's data directory, so that a laptop needs no setting.
        The environment variable S3_BUCKET sets a bucket without a prefix.""",
    )
    spawner = Unicode(
        "local",
        config=True,
        help="""What runs REPLs: `local` (the default: child processes, nothing to set up), `kubernetes` (a pod for
        each, with projects in S3; see the settings that begin with kubernetes), or the name of an entry point of the
        group `jupyter_repl.spawners`.""",
    )
    runtime_dir = Unicode(
        config=True,
        help="""The folder of the local REPLs' sockets, mode 700. Its path has at most 60 bytes, because a socket's path
        is limited. Empty (the default): /tmp/jupyter-repl-{uid}. All servers that use one store need the same folder,
        or each would run its own copy of a REPL.""",
    )
    start_timeout = Float(
        20.0,
        config=True,
        help="""Seconds that a local REPL may take to start before the start fails with a reason. A start usually takes
        0.3 s; the default leaves room for a slow disk. The limit can't be switched off: 0 fails at once.""",
    )
    terminal_ring = Integer(
        8 << 20,
        min=1 << 16,
        max=1 << 30,
        config=True,
        help="""Bytes of output that each terminal retains for a tab that reconnects: 64 KiB to 1 GiB. Memory is used
        only as output is printed. If more than this is printed while no tab is connected, the terminal shows a mark
        in place of the missing output. The default is 8 MiB.""",
    )
    keep_environment = List(
        Unicode(),
        config=True,
        help="""Names and patterns (`AWS_*`) of environment variables that REPLs inherit from the Jupyter server, in
        addition to the usual ones (PATH, HOME, LANG, ...). Empty by default, because the server's environment may hold
        secrets.""",
    )

    idle_timeout = Union(
        [Float(min=0), Dict(per_key_traits=None, value_trait=Float(min=0), key_trait=Unicode())],
        default_value=0.0,
        config=True,
        help="""Seconds without use after which a REPL is stopped; every file is retained. Use is a keystroke, output, a
        foreground program or a request. An open tab is not use. It shows a warning a minute before the stop, with a
        button that keeps the REPL running. One number, or one per language: `{"*": 3600, "python": 7200}`. 0 (the
        default): never.""",
    )

    unsaved_timeout = Float(
        24 * 3600.0,
        min=0,
        config=True,
        help="""Seconds by which files that can never be saved (larger than `s3_max_file_mb`, or unreadable) delay the
        stop of an unused REPL after `idle_timeout`. Then it is stopped without saving them, and its phase names them.
        The default is a day.""",
    )

    service_url = Unicode(
        config=True,
        help="""The address of a hub's service for REPLs, such as http://repl:8888/services/repl/. If set, this server
        is one user's on that hub: it passes all requests on to the service, with the token that JupyterHub gave it, and
        no other setting counts. Empty (the default): this server has its REPLs itself.""",
    )
    multi_user = Bool(
        False,
        config=True,
        help="""Whether each user that the server's identity provider knows has projects of their own, as in the service
        of a JupyterHub. False, the default: the server is one person's, and all of its projects are theirs, whatever
        the identity provider calls them. A store is used either way, never both ways.""",
    )

    @default("store_url")
    def _default_store_url(self) -> str:
        bucket = os.environ.get("S3_BUCKET", "")
        return f"s3://{bucket}" if bucket else ""

    _services: "Services | None" = None
    _forward: "Forward | None" = None

    def __init__(self, **options: object) -> None:
        """Apply the settings of the environment first, so that config files and the command line override them."""
        super().__init__(**options)
        own = [name for part in (ReplExtension, S3Traits, KubernetesTraits) for name in part.class_own_traits()]
        self.update_config(from_environment("ReplExtension", own))

    def initialize_settings(self) -> None:
        from .services import SETTING

        assert self.serverapp is not None
        if self.service_url:
            from .hub import forward

            self.settings[forward.SETTING] = self._forward = forward.Forward(self.service_url)
            return
        self._services = self.make_services(self.serverapp.web_app.settings)
        self.settings[SETTING] = self._services

    def initialize_handlers(self) -> None:
        if self._forward is not None:
            from .hub.forward import HANDLERS as FORWARDING

            self.handlers.extend(FORWARDING)
            return
        from .handlers import HANDLERS

        self.handlers.extend(HANDLERS)
        if self.serverapp is not None and self._services is not None:
            self.serverapp.io_loop.add_callback(self._services.started)

    async def stop_extension(self) -> None:
        """Called by the server when it shuts down, also if the extension could not be set up."""
        if self._forward is not None:
            self._forward.close()
        if self._services is not None:
            await self._services.stop()

    def make_services(self, activity: dict[str, object]) -> "Services":
        """Returns all services, not started. They store the time of the last use in `activity`."""
        from jupyter_repl_ext.drive.drives import Drives
        from jupyter_repl_ext.identity import is_admin, own_projects, single_user
        from jupyter_repl_ext.projects.archives import Archives
        from jupyter_repl_ext.projects.catalog import Catalog
        from jupyter_repl_ext.projects.projects import Projects
        from jupyter_repl_ext.repls.activity import Activity
        from jupyter_repl_ext.repls.idle import Idle
        from jupyter_repl_ext.repls.lifecycle import Lifecycle
        from jupyter_repl_ext.repls.recovery import Recovery
        from jupyter_repl_ext.runners.client import RunnerClient

        from .services import Services

        store = self.open_store(self.store_url)
        is_here = self.spawner != "kubernetes"  # if not, programs are in the pod's image
        catalog = Catalog(store, lambda program: not is_here or shutil.which(program) is not None)
        projects = Projects(store, catalog)
        spawner = self._make_spawner(store, self._make_granter(store, projects))
        client = RunnerClient()
        lifecycle = Lifecycle(spawner, projects, self.terminal_ring)
        return Services(
            store=store,
            spawner=spawner,
            catalog=catalog,
            projects=projects,
            archives=Archives(store, catalog, projects),
            lifecycle=lifecycle,
            recovery=Recovery(store, lifecycle, spawner, client),
            drives=Drives(store, projects, lifecycle, spawner, client),
            owner_of=own_projects if self.multi_user else single_user,
            is_admin=is_admin if self.multi_user else lambda _: False,
            is_shared=self.multi_user,
            client=client,
            activity=Activity(activity, spawner, client),
            idle=Idle(self._idle_timeouts(), self.unsaved_timeout, lifecycle, projects, spawner, client),
        )

    def open_store(self, url: str) -> "Store":
        """Returns the store at `url`, with the settings for S3. A store that can't be opened says so when used."""
        from jupyter_repl_ext.settings.stores import open_store

        return open_store(url, jupyter_data_dir(), **self.s3_settings())

    def _idle_timeouts(self) -> dict[str, float]:
        said = self.idle_timeout
        return dict(said) if isinstance(said, dict) else {"*": said}

    def _make_granter(self, store: "Store", projects: "Projects") -> "Granter | None":
        """Returns None if projects are folders on this machine."""
        if not self.store_url.startswith("s3:"):
            return None
        from jupyter_repl_ext.repls.grant_issuer import GrantIssuer
        from jupyter_repl_runner.store.s3 import S3Store

        if not isinstance(store, S3Store):  # a BrokenStore: every call of it raises the reason
            return None
        scoped_only = self.spawner == "kubernetes" and self.s3_runner_keys == "scoped"
        return GrantIssuer(store, projects, self.s3_role_arn, self.s3_max_file_mb << 20, scoped_only=scoped_only)

    def _make_spawner(self, store: "Store", granter: "Granter | None") -> "Spawner":
        """Returns the spawner that the trait names. Raises ValueError for a name that is not registered, so that the
        error appears when the server starts, not when the first REPL does."""
        from importlib.metadata import entry_points

        from jupyter_repl_ext.repls.unsupported import UnsupportedSpawner
        from jupyter_repl_ext.repls.volumes import folders_of
        from jupyter_repl_spawner.port import SpawnerContext

        if self.spawner == "local" and sys.platform == "win32":
            return UnsupportedSpawner()
        found = entry_points(group="jupyter_repl.spawners", name=self.spawner)
        if not found:
            raise ValueError(f"ReplExtension.spawner: nobody registered {self.spawner!r}")
        context = SpawnerContext(
            folders=folders_of(store, f"{self.s3_endpoint} {self.store_url}", jupyter_data_dir()),
            granter=granter,
            data_dir=Path(jupyter_data_dir()),
            settings={name: getattr(self, name) for name in self.trait_names(config=True)},
            config=self.config,
        )
        spawner: Spawner = next(iter(found)).load()(context)
        return spawner


main = ReplExtension.launch_instance
