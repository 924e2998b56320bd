"""The routes, under `{base_url}repl/`. Handlers only translate between HTTP and the services."""

from .archive import ArchiveHandler
from .channel import ChannelHandler
from .contents import DriveCheckpointHandler, DriveCheckpointsHandler, DriveHandler
from .events import EventsHandler
from .file import FileHandler
from .health import HealthHandler
from .lifecycle import StartHandler, StopHandler
from .openapi import OpenapiHandler
from .project import ProjectHandler, ProjectsHandler
from .template import TemplateHandler
from .trash import TrashHandler

_PROJECT = r"/repl/project/([^/]+)"
_CONTENTS = r"/repl/contents((?:/.+?)??/?)"

HANDLERS = [
    (r"/repl/template", TemplateHandler),
    (r"/repl/project", ProjectsHandler),
    (_PROJECT, ProjectHandler),
    (_PROJECT + r"/events", EventsHandler),
    (_PROJECT + r"/file/(.+)", FileHandler),
    (_PROJECT + r"/archive", ArchiveHandler),
    (_PROJECT + r"/channel", ChannelHandler),
    (_PROJECT + r"/trash", TrashHandler),
    (r"/repl/health", HealthHandler),
    (_CONTENTS + r"/checkpoints", DriveCheckpointsHandler),
    (_CONTENTS + r"/checkpoints/([\w-]+)", DriveCheckpointHandler),
    (_CONTENTS, DriveHandler),
    (r"/repl/start", StartHandler),
    (r"/repl/stop", StopHandler),
    (r"/repl/openapi.yaml", OpenapiHandler),
]
