"""Parses `.repl.toml`, a project's settings, and `.template.toml`, a template's. Never reads from disk."""

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from .errors import InvalidRequest, ReplError

SETTINGS_FILE = ".repl.toml"
TEMPLATE_FILE = ".template.toml"


@dataclass(frozen=True)
class Settings:
    """`run`: the command of the Run button, for sh; `main`: the file that opens by itself. Empty: not set."""

    run: str = ""
    main: str = ""


@dataclass(frozen=True)
class Template:
    """What the launcher shows of a template. `requires`: names of programs; one must be on PATH to run it."""

    language: str
    label: str
    run: str = ""
    main: str = ""
    icon: str = ""
    hint: str = ""
    requires: tuple[str, ...] = ()


KEYS = {
    "run": "The command of the Run button, for sh.",
    "main": "The file that opens by itself.",
}
"""The keys of SETTINGS_FILE, with what they mean."""


@dataclass(frozen=True)
class Problem:
    """A mistake in SETTINGS_FILE. `line` and `column` count from 1."""

    line: int
    column: int
    message: str


def check_settings(text: str) -> list[Problem]:
    """Returns the mistakes in the content of SETTINGS_FILE; empty if there are none."""
    try:
        table = _parse(text)
    except tomllib.TOMLDecodeError as error:
        # "... (at line 1, column 5)", or "(at end of document)"
        message, _, place = str(error).partition(" (at ")
        numbers = [int(number) for number in re.findall(r"\d+", place)]
        last = text.count("\n") + 1
        line, column = numbers if len(numbers) == 2 else (last, len(text) - text.rfind("\n"))
        return [Problem(line, column, f"{message}.")]
    problems = []
    for key, value in table.items():
        found = re.search(rf"^[ \t]*\[*[ \t]*[\"']?{re.escape(key)}\b", text, re.MULTILINE)
        line = text.count("\n", 0, found.start()) + 1 if found else 1
        if key not in KEYS:
            message = f"There is no setting {key}. There are: {', '.join(KEYS)}."
        elif not isinstance(value, str):
            message = f"{key} is a text in quotes."
        else:
            continue
        problems.append(Problem(line, 1, message))
    return sorted(problems, key=lambda problem: problem.line)


def parse_settings(text: str) -> Settings:
    """Raises InvalidRequest with the line of the mistake."""
    table = _load(text, SETTINGS_FILE)
    return Settings(run=_text(table, "run", SETTINGS_FILE), main=_text(table, "main", SETTINGS_FILE))


def parse_template(language: str, text: str) -> Template:
    """Every key is optional, so a plain folder of files is a template, too. Raises InvalidRequest."""
    table = _load(text, TEMPLATE_FILE)
    requires = table.get("requires", [])
    if not isinstance(requires, list) or not all(isinstance(name, str) for name in requires):
        raise _wrong("requires", TEMPLATE_FILE, "a list of program names")
    return Template(
        language=language,
        label=_text(table, "label", TEMPLATE_FILE) or language.replace("-", " ").capitalize(),
        run=_text(table, "run", TEMPLATE_FILE),
        main=_text(table, "main", TEMPLATE_FILE),
        icon=_text(table, "icon", TEMPLATE_FILE),
        hint=_text(table, "hint", TEMPLATE_FILE),
        requires=tuple(requires),
    )


def _parse(text: str) -> dict[str, Any]:
    """Raises TOMLDecodeError for every mistake, also where `tomllib` raises something else."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise tomllib.TOMLDecodeError(
            "Brackets are nested too deeply, or a number is too long (at line 1, column 1)"
        ) from error


def _load(text: str, file: str) -> dict[str, Any]:
    try:
        return _parse(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequest(f"{file} can't be read: {error}.", hint='An example: run = "python3 main.py"') from error


def _text(table: dict[str, Any], key: str, file: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise _wrong(key, file, "a text in quotes")
    return value.strip()


def _wrong(key: str, file: str, expected: str) -> ReplError:
    return InvalidRequest(f"{key} in {file} is not {expected}.", hint='An example: run = "python3 main.py"')
