"""Settings from environment variables: JUPYTER_REPL_ and the name of the setting in capitals; lists and objects as
JSON. Config files and the command line override them."""

import os
from collections.abc import Iterable
from typing import Any

from traitlets.config import Config
from traitlets.config.loader import DeferredConfigString

from jupyter_repl_runner.contract.json_text import parse_json

PREFIX = "JUPYTER_REPL_"
OTHERS = {
    "s3_endpoint": ("S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "s3_region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "s3_profile": ("AWS_PROFILE",),
    "s3_ca_bundle": ("AWS_CA_BUNDLE",),
}
"""Variables of other tools for the same settings. Our own variable comes first, then the first of these that is set."""


def from_environment(section: str, settings: Iterable[str]) -> Config:
    """Returns the values of those `settings` of the class `section` whose variables are set and not empty."""
    found = Config()
    for name in settings:
        for variable in (PREFIX + name.upper(), *OTHERS.get(name, ())):
            if text := os.environ.get(variable):
                found[section][name] = _read(text)
                break
    return found


def _read(text: str) -> Any:
    """Returns a JSON list or object parsed. The trait parses any other text, as on the command line."""
    try:
        value = parse_json(text)
    except ValueError:
        value = None
    return value if isinstance(value, list | dict) else DeferredConfigString(text)
