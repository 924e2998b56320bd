"""REPLs inside JupyterLab: the Jupyter server extension. Importing it must stay cheap: nothing is imported here."""

from typing import Any

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-repl"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .app import ReplExtension

    return [{"module": "jupyter_repl_ext", "app": ReplExtension}]
