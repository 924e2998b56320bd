"""The routes, under `{base_url}repl/`. Handlers translate between HTTP and the parts; behaviour is elsewhere."""

from .archive import ArchiveHandler
from .channel import ChannelHandler
from .events import EventsHandler
from .file import FileHandler
from .lifecycle import StartHandler, StopHandler
from .openapi import OpenapiHandler
from .project import ProjectHandler, ProjectsHandler
from .template import TemplateHandler

_PROJECT = r"/repl/project/([^/]+)"

HANDLERS = [
    (r"/repl/template", TemplateHandler),
    (r"/repl/project", ProjectsHandler),
    (_PROJECT, ProjectHandler),
    (_PROJECT + r"/events", EventsHandler),
    (_PROJECT + r"/file/(.+)", FileHandler),
    (_PROJECT + r"/archive", ArchiveHandler),
    (_PROJECT + r"/channel", ChannelHandler),
    (r"/repl/start", StartHandler),
    (r"/repl/stop", StopHandler),
    (r"/repl/openapi.yaml", OpenapiHandler),
]
