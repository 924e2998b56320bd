"""`jupyter-repl-hub`: the shared service of a JupyterHub for REPLs. A jupyter_server without pages, with our extension.

JupyterHub's environment for services says where the hub is; `main` names what is needed. The extension's settings come
from variables too (settings/environment). docs/hub.md describes the whole.
"""

import os
import re
import signal
import sys
from http import HTTPStatus
from typing import Any, ClassVar

import prometheus_client
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import APIHandler
from jupyter_server.serverapp import ServerApp
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler
from traitlets import Float, Integer
from traitlets.config import Config

from jupyter_repl_ext import __version__
from jupyter_repl_ext.handlers.base import VERSION_HEADER
from jupyter_repl_ext.services import SETTING

from . import link
from .discretion import make_discreet
from .drain import Drain
from .identity import HubAuthorizer, HubIdentityProvider
from .rights import CHECK_SECONDS, Rights

SIGNING_KEY = "JUPYTER_REPL_COOKIE_SECRET"
NEEDED = {
    "JUPYTERHUB_API_TOKEN": "the service's own token, from the hub's Secret",
    "JUPYTERHUB_API_URL": "such as http://hub:8081/hub/api",
    "JUPYTERHUB_SERVICE_NAME": "repl",
    "JUPYTERHUB_SERVICE_PREFIX": "such as /services/repl/",
    "JUPYTERHUB_CLIENT_ID": "service-repl",
    SIGNING_KEY: "32 bytes or more in hexadecimal digits, the same for all replicas",
}


class HubService(ServerApp):
    name = "jupyter-repl-hub"
    description = "The shared service for REPLs of a JupyterHub."
    default_services: ClassVar[tuple[str, ...]] = ()  # type: ignore[assignment, misc]
    """No contents, kernels, sessions, terminals, files: they would belong to nobody, and run in this pod."""

    _drain: Drain | None = None
    """None until it serves."""

    drain_seconds = Float(
        3.0, min=0, config=True, help="For how long a replica that was asked to end serves on. A slow network wants 10."
    )
    check_seconds = Float(
        CHECK_SECONDS, min=1, max=CHECK_SECONDS, config=True, help="Between two checks of all rights."
    )
    metrics_port = Integer(9090, config=True, help="The port of `/metrics`, which no route of the hub's proxy reaches.")

    def find_server_extensions(self) -> None:
        """What happens to be installed (JupyterLab, terminals) is not loaded."""

    def init_webapp(self) -> None:
        super().init_webapp()
        prefix = re.escape(self.base_url)
        self.web_app.add_handlers(  # type: ignore[no-untyped-call]
            ".*$",
            [
                (prefix + link.ROUTE, link.LinkHandler),
                (prefix + "ready", ReadyHandler, {"service": self}),
                # Whatever jupyter_server serves besides, such as /metrics to each user, is not there.
                (rf"(?!{prefix}(repl/|oauth_callback$|logout$)).*", NothingHandler),
            ],
        )

    def init_signal(self) -> None:
        super().init_signal()
        signal.signal(signal.SIGTERM, self._drain_and_stop)

    def start_app(self) -> None:
        super().start_app()
        services = self.web_app.settings[SETTING]
        self._drain = Drain(self.web_app, services, self.drain_seconds)
        identity = self.identity_provider
        assert isinstance(identity, HubIdentityProvider)
        self._rights = Rights(services, identity, self.check_seconds)
        self.io_loop.add_callback(self._rights.start)
        self._metrics = HTTPServer(Application([("/metrics", MetricsHandler)]))
        self._metrics.listen(self.metrics_port)
        make_discreet(self.log)

    @property
    def is_draining(self) -> bool:
        return self._drain is not None and self._drain.has_begun

    def _drain_and_stop(self, *_: Any) -> None:
        if self._drain is None:
            sys.exit(0)
        if not self.is_draining:
            self.io_loop.add_callback_from_signal(self._end, self._drain)

    async def _end(self, drain: Drain) -> None:
        await drain.run()
        await self._rights.stop()
        self._metrics.stop()
        self.stop()


class ReadyHandler(APIHandler):
    """For Kubernetes' readiness probe."""

    def initialize(self, service: HubService) -> None:
        self._service = service

    @allow_unauthenticated
    def get(self) -> None:
        self.set_status(HTTPStatus.SERVICE_UNAVAILABLE if self._service.is_draining else HTTPStatus.OK)
        self.finish()


class NothingHandler(RequestHandler):
    def prepare(self) -> None:
        self.set_status(HTTPStatus.NOT_FOUND)
        for name, value in self.settings["headers"].items():  # in a frame the page would give away its cookies
            self.set_header(name, value)
        self.set_header("Content-Type", "text/plain")
        self.finish("There is nothing here.")


class MetricsHandler(RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Type", prometheus_client.CONTENT_TYPE_LATEST)
        self.write(prometheus_client.generate_latest())


def settings(environment: dict[str, str]) -> Config:
    """Returns the service's configuration. Raises ValueError if a variable is missing."""
    missing = [f"{name}: {what}" for name, what in NEEDED.items() if not environment.get(name)]
    if missing:
        raise ValueError("These variables are needed:\n  " + "\n  ".join(missing))
    try:
        secret = bytes.fromhex(environment[SIGNING_KEY])
    except ValueError:
        secret = b""
    if len(secret) < 32:
        raise ValueError(f"{SIGNING_KEY} is {NEEDED[SIGNING_KEY]}.")
    found = Config()
    server = found.ServerApp
    server.identity_provider_class, server.authorizer_class = HubIdentityProvider, HubAuthorizer
    server.base_url = environment["JUPYTERHUB_SERVICE_PREFIX"]
    server.cookie_secret = secret
    server.ip, server.port, server.port_retries = "", 8888, 0
    server.open_browser = False
    server.jpserver_extensions = {"jupyter_repl_ext": True}
    server.allow_remote_access = True  # the Host header is the hub's
    server.trust_xheaders = True  # a NetworkPolicy lets in nobody but the hub's proxy and users' servers
    server.allow_unauthenticated_access = False
    server.tornado_settings = {
        # Tornado checks before the token is known, and would answer 403 to each POST. jupyter_server's check remains.
        "xsrf_cookies": False,
        # jupyter_server's default is 'self', which is each user's server on a hub without a domain for each.
        "headers": {"Content-Security-Policy": "frame-ancestors 'none'", VERSION_HEADER: __version__},
    }
    found.ReplExtension.multi_user = True
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run the service until SIGTERM. Options are traits of jupyter_server, such as --HubService.drain_seconds=10."""
    try:
        config = settings(dict(os.environ))
    except ValueError as error:
        sys.exit(f"jupyter-repl-hub: {error}")
    app = HubService.instance(config=config)
    app.initialize(sys.argv[1:] if arguments is None else arguments)
    app.start()


if __name__ == "__main__":
    main()
