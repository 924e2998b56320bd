"""Who may do what in the shared service: JupyterHub's users, each with their own REPLs, by token alone."""

import hashlib
from typing import Any

from jupyter_server.auth import Authorizer, User
from jupyterhub.singleuser.extension import JupyterHubIdentityProvider
from tornado.web import RequestHandler
from traitlets import default

from jupyter_repl_ext.identity import AUTH_RESOURCE

from .oauth import StatelessHubOAuth

LINK_RESOURCE = "link"
"""The page that a link opens; the only thing that a cookie gives access to."""


class HubIdentityProvider(JupyterHubIdentityProvider):  # type: ignore[misc] # JupyterHub has no types
    """JupyterHub's, without its `token`: that is the service's own, which jupyter_server writes into a file and into
    pages."""

    token = ""

    @default("hub_auth")
    def _default_hub_auth(self) -> StatelessHubOAuth:
        secret = hashlib.sha256(b"state of a login" + self.parent.cookie_secret).digest()
        return StatelessHubOAuth(parent=self, secret=secret)


class HubAuthorizer(Authorizer):
    """Allows the REPLs, and nothing else that jupyter_server serves. Only a token gives access to them: on a hub
    without a domain for each user, pages of all users' servers have the origin of this service, so that they can use a
    visitor's cookie. They can read its `_xsrf` by an iframe or a popup, and Chromium sends no Sec-Fetch-Mode with a
    WebSocket."""

    def is_authorized(self, handler: RequestHandler, user: User, action: str, resource: str) -> bool:
        if not is_person(getattr(user, "hub_user", {})):
            return False
        if resource == LINK_RESOURCE:
            return action == "read"
        return resource == AUTH_RESOURCE and bool(getattr(handler, "token_authenticated", False))


def is_person(model: dict[str, Any]) -> bool:
    """Returns False for the hub's services: an administrator's other services must not own projects."""
    return model.get("kind") == "user"
