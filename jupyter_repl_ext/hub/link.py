"""`open/{replId}` and `open/{owner}/{replId}`: a link that leads to the REPL's tab in the visitor's own JupyterLab.

A visitor who is not logged in comes back here after the login. The hub starts the visitor's server if it does not run.
The page shows nothing and changes nothing, so it is of no use to a page that opens it with a visitor's cookie.
"""

import re
from urllib.parse import quote, urlencode

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated

from .identity import LINK_RESOURCE, HubIdentityProvider

ROUTE = r"open/(?:([a-z0-9-]{1,48})/)?([a-z0-9-]{1,64})"
_SERVER_NAME = re.compile(r"[\w~-][\w.~-]{0,254}")


class LinkHandler(JupyterHandler):
    auth_resource = LINK_RESOURCE

    @authenticated
    @authorized
    def get(self, owner: str | None, repl_id: str) -> None:
        """`owner` is missing in the address of one's own REPL. `?server=` names one of the visitor's servers."""
        query = urlencode({"repl": repl_id, **({"owner": owner} if owner else {})})
        identity = self.identity_provider
        assert isinstance(identity, HubIdentityProvider)
        hub = identity.hub_auth
        server = self.get_query_argument("server", "")
        if not server:
            path = url_path_join(hub.hub_prefix, f"user-redirect/lab?{query}")
        elif _SERVER_NAME.fullmatch(server):
            # user-redirect knows only the default server, and would start that
            name = quote(self.current_user.username, safe="@~")
            lab = url_path_join(hub.hub_prefix.removesuffix("hub/"), f"user/{name}/{server}/lab?{query}")
            path = url_path_join(hub.hub_prefix, f"spawn/{name}/{server}?{urlencode({'next': lab})}")
        else:
            raise HTTPError(404, "There is no server of such a name.")
        self.redirect(hub.hub_host + path)
