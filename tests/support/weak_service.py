"""The shared service without some of its layers, for tests that see what each layer is for: `python -m ... LAYER,...`.

The product has no setting for any of this.
"""

import sys
from typing import Any

from jupyter_server.serverapp import ServerApp
from jupyterhub.services.auth import HubOAuth

from jupyter_repl_ext.handlers import HANDLERS
from jupyter_repl_ext.handlers.base import ReplMixin
from jupyter_repl_ext.hub import identity, link, oauth, rights, service
from jupyter_repl_ext.services import Services


def authorizer() -> None:
    """Everybody who is authenticated may do everything, as in jupyter_server."""
    identity.HubAuthorizer.is_authorized = lambda *_: True  # type: ignore[method-assign]


def token_only() -> None:
    """A cookie opens what a token opens."""
    kept = identity.HubAuthorizer.is_authorized

    def allowed(self: Any, handler: Any, user: Any, action: str, resource: str) -> bool:
        handler._token_authenticated = True
        return kept(self, handler, user, action, resource)

    identity.HubAuthorizer.is_authorized = allowed  # type: ignore[method-assign]
    ReplMixin.check_xsrf_cookie = lambda self: None  # type: ignore[method-assign]


def person() -> None:
    """Services of the hub own projects too."""
    identity.is_person = lambda model: True  # type: ignore[assignment]
    rights.is_person = lambda model: True  # type: ignore[assignment]


def scope() -> None:
    """Any token of the hub's will do."""
    oauth.StatelessHubOAuth.check_scopes = lambda self, scopes, user: {"any"}


def header_only() -> None:
    """A token in the address counts, as in JupyterHub."""
    oauth.StatelessHubOAuth.get_token = lambda self, handler, in_cookie=True: (  # type: ignore[method-assign]
        handler.get_query_argument("token", "") or HubOAuth.get_token(self, handler, in_cookie)
    )


def admin() -> None:
    """Everybody may visit everybody."""
    made = Services.__init__

    def init(self: Services, *values: Any, **named: Any) -> None:
        made(self, *values, **{**named, "is_admin": lambda _: True})

    Services.__init__ = init  # type: ignore[method-assign]


def visits() -> None:
    """A visitor may do everything that the owner may."""
    for _, handler in HANDLERS:
        handler.for_visitors = frozenset({"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"})  # type: ignore[attr-defined]


def short_list() -> None:
    """All addresses of jupyter_server's are there."""
    service.NothingHandler.prepare = lambda self: None  # type: ignore[method-assign]
    kept = service.HubService.init_webapp

    def init(self: Any) -> None:
        kept(self)
        rules = self.web_app.default_router.rules
        for rule in rules:
            inner = getattr(rule.target, "rules", [])
            inner[:] = [each for each in inner if each.target is not service.NothingHandler]

    service.HubService.init_webapp = init  # type: ignore[method-assign]


def no_services() -> None:
    """jupyter_server's own services: contents, kernels, shutdown."""
    service.HubService.default_services = ServerApp.default_services  # type: ignore[misc, assignment]


def no_extensions() -> None:
    """Whatever is installed is loaded: terminals, JupyterLab."""
    service.HubService.find_server_extensions = ServerApp.find_server_extensions  # type: ignore[method-assign]


def frames() -> None:
    """Other pages may show ours in a frame."""
    kept = service.settings

    def settings(environment: dict[str, str]) -> Any:
        found = kept(environment)
        del found.ServerApp.tornado_settings["headers"]["Content-Security-Policy"]
        return found

    service.settings = settings


def server_names() -> None:
    """`?server=` takes any text."""
    link._SERVER_NAME = link.re.compile(r".*")


if __name__ == "__main__":
    for name in filter(None, sys.argv.pop(1).split(",")):
        globals()[name]()
    service.main(sys.argv[1:])
