"""Maps an authenticated user to the owner of projects."""

from jupyter_server.auth import User

from jupyter_repl_runner.contract.owners import SINGLE_USER, owner_of_name

AUTH_RESOURCE = "repl"
"""The resource in requests to an Authorizer, with the actions read, write and execute."""
ADMIN_SCOPE = "custom:jupyter-repl:admin"
"""The scope in a JupyterHub of those who may see and stop everybody's REPLs. JupyterHub's own `admin` does not count,
since it is also true for a token that carries hardly any scope."""


def single_user(user: User) -> str:
    """The owner on a laptop: all projects are of one user, whatever the identity provider calls them."""
    return SINGLE_USER


def own_projects(user: User) -> str:
    """The owner where each user has projects of their own. Raises InvalidRequest for a user without a name."""
    return owner_of_name(user.username)


def is_admin(user: User) -> bool:
    """Whether the token of a hub's user carries the scope for that."""
    return ADMIN_SCOPE in getattr(user, "hub_user", {}).get("scopes", ())
