"""Maps an authenticated user to the owner of projects, and the id in a request to a ProjectRef."""

from jupyter_server.auth import User

from jupyter_repl_runner.contract.refs import ProjectRef

AUTH_RESOURCE = "repl"
"""The resource in requests to an Authorizer, with the actions read, write and execute."""


def owner_of(user: User) -> str:
    """Returns an empty owner: a Jupyter server on a laptop has one user, whatever its identity provider calls them."""
    return ""


def ref_of(user: User, repl_id: str) -> ProjectRef:
    """Raises InvalidRequest, with the rule for ids, if the id is not valid."""
    return ProjectRef(owner_of(user), repl_id)
