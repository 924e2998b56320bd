"""The routes, under `{base_url}repl/`. Handlers only translate between HTTP and the services."""

from .archive import ArchiveHandler
from .base import NoSuchHandler
from .channel import ChannelHandler
from .contents import DriveCheckpointHandler, DriveCheckpointsHandler, DriveHandler
from .events import EventsHandler
from .file import FileHandler
from .health import HealthHandler
from .lifecycle import StartHandler, StopHandler
from .openapi import OpenapiHandler
from .project import OwnersHandler, ProjectHandler, ProjectsHandler
from .template import TemplateHandler
from .trash import TrashHandler

OF_OWNER = r"/repl(?:/owner/[a-z0-9-]{1,48})?"
"""For the routes by which an administrator visits the REPLs of another owner; see `ReplMixin.owner`."""
PROJECT = OF_OWNER + r"/project/([^/]+)"
_CONTENTS = r"/repl/contents((?:/.+?)??/?)"

HANDLERS = [
    (r"/repl/template", TemplateHandler),
    (OF_OWNER + r"/project", ProjectsHandler),
    (r"/repl/owner", OwnersHandler),
    (PROJECT, ProjectHandler),
    (PROJECT + r"/events", EventsHandler),
    (PROJECT + r"/file/(.+)", FileHandler),
    (PROJECT + r"/archive", ArchiveHandler),
    (PROJECT + r"/channel", ChannelHandler),
    (PROJECT + r"/trash", TrashHandler),
    (r"/repl/health", HealthHandler),
    (_CONTENTS + r"/checkpoints", DriveCheckpointsHandler),
    (_CONTENTS + r"/checkpoints/([\w-]+)", DriveCheckpointHandler),
    (_CONTENTS, DriveHandler),
    (r"/repl/start", StartHandler),
    (OF_OWNER + r"/stop", StopHandler),
    (r"/repl/openapi.yaml", OpenapiHandler),
    (r"/repl/.*", NoSuchHandler),
]
