"""Maps an authenticated user to the owner of projects."""

from jupyter_server.auth import User

from jupyter_repl_runner.contract.owners import SINGLE_USER, owner_of_name

AUTH_RESOURCE = "repl"
"""The resource in requests to an Authorizer, with the actions read, write and execute."""


def single_user(user: User) -> str:
    """The owner on a laptop: all projects are of one user, whatever the identity provider calls them."""
    return SINGLE_USER


def own_projects(user: User) -> str:
    """The owner where each user has projects of their own. Raises InvalidRequest for a user without a name."""
    return owner_of_name(user.username)
