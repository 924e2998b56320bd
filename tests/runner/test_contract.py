"""The contract: pure, so every rule is tried with plain values."""

import errno
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_repl_runner.contract import frames, messages, paths
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import (
    CODES,
    Conflict,
    DiskFull,
    FileNotFound,
    InvalidRequest,
    NoPermissions,
    ReplError,
    Unavailable,
    from_json,
    from_os_error,
)
from jupyter_repl_runner.contract.ids import ID_RULE, check_id
from jupyter_repl_runner.contract.phases import RUNNING, Phase
from jupyter_repl_runner.contract.refs import ProjectRef, template_prefix
from jupyter_repl_runner.contract.settings import check_settings, parse_settings, parse_template


@pytest.mark.parametrize("good", ["a", "quiet-otter-42", "0", "a" * 48, "x-1-y"])
def test_ids_that_keep_the_rule(good: str) -> None:
    assert check_id(good) == good


BAD_IDS = ["", "-", "-a", "a-", "a--b", "A", "ä", "a_b", "a b", "a" * 49, "../x", "a/b", "a\n", "a\0", None, 7]


@pytest.mark.parametrize("bad", BAD_IDS)
def test_the_rule_is_told_with_every_bad_id(bad: object) -> None:
    with pytest.raises(InvalidRequest) as error:
        check_id(bad)
    assert ID_RULE in error.value.hint


@pytest.mark.parametrize("bad", ["", "a//b", "a/./b", "a\0b", "a" * 256, "a/" * 2500 + "b", None, 3, "\ud800"])
def test_bad_paths(bad: object) -> None:
    with pytest.raises(InvalidRequest):
        paths.check_path(bad)


@pytest.mark.parametrize("leaving", ["..", "../x", "a/../../b", "/etc/passwd", "a/.."])
def test_paths_that_leave(leaving: str) -> None:
    with pytest.raises(NoPermissions):
        paths.check_path(leaving)


def test_names_that_are_not_utf8_are_names() -> None:
    assert paths.check_path("caf\udce9") == "caf\udce9"
    assert paths.check_path("ünïcode/😀.py") == "ünïcode/😀.py"


def test_keys_end_with_a_slash_so_that_abc_never_matches_abc_pro() -> None:
    assert ProjectRef("", "abc").code() == "code/abc/"
    assert not ProjectRef("", "abc-pro").code().startswith(ProjectRef("", "abc").code())
    assert ProjectRef("ada", "abc").meta == "owners/ada/meta/abc.json"
    assert template_prefix("node-js") == "base/node-js/"


@given(st.integers(1, 4), st.integers(0, 2**32 - 1), st.integers(0, frames.MAX_OFFSET), st.binary(max_size=64))
def test_frames_round_trip(kind: int, terminal: int, offset: int, payload: bytes) -> None:
    frame = frames.Frame(kind, terminal, offset, payload)
    assert frames.unpack(frame.pack()) == frame


@pytest.mark.parametrize("bad", [b"", b"\x01" * 12, b"\x00" + b"\0" * 12, b"\x05" + b"\0" * 12])
def test_frames_that_are_none(bad: bytes) -> None:
    with pytest.raises(InvalidRequest):
        frames.unpack(bad)


BAD_MESSAGES = ["", "nope", "[]", "1", "null", '{"data": {}}', '{"event": 1}', '{"event": "x", "data": []}']
BAD_MESSAGES += ['{"event":"x","id":"1"}', "[" * 100_000]


@pytest.mark.parametrize("bad", BAD_MESSAGES)
def test_messages_that_are_none(bad: str) -> None:
    with pytest.raises(InvalidRequest):
        messages.parse_request(bad)


def test_the_id_of_a_malformed_message_is_told_where_it_can_be() -> None:
    assert messages.request_id('{"event": 3, "id": 7}') == 7
    assert messages.request_id('{"id": true}') is None
    assert messages.request_id("nope") is None


def test_fields_are_checked() -> None:
    assert messages.field({"a": "x"}, "a", str) == "x"
    assert messages.bounded({}, "rows", 1, 1000, 24) == 24
    for data in ({}, {"a": 1}, {"a": None}):
        with pytest.raises(InvalidRequest):
            messages.field(data, "a", str)
    with pytest.raises(InvalidRequest):
        messages.bounded({"rows": 0}, "rows", 1, 1000)
    with pytest.raises(InvalidRequest):
        messages.bounded({"rows": True}, "rows", 1, 1000)


def test_os_errors_become_errors_for_people() -> None:
    full = from_os_error(OSError(errno.ENOSPC, "No space left on device"), "a.txt")
    assert isinstance(full, DiskFull)
    assert "disk is full" in full.message
    assert full.hint
    assert isinstance(from_os_error(FileNotFoundError(errno.ENOENT, ""), "a"), FileNotFound)
    assert isinstance(from_os_error(OSError(errno.EIO, "Input/output error"), "a"), Unavailable)


@pytest.mark.parametrize("code", sorted(CODES))
def test_errors_survive_the_wire(code: str) -> None:
    error = CODES[code]("What happened.", "What to do.")
    again = from_json(error.to_json())
    assert (type(again), again.message, again.hint) == (CODES[code], "What happened.", "What to do.")
    assert isinstance(from_json({"code": "Strange"}), Unavailable)


def test_a_phase_leaves_out_what_is_empty() -> None:
    assert RUNNING.to_json() == {"name": "running"}
    assert Phase("starting", step="Pulling").to_json() == {"name": "starting", "step": "Pulling"}
    assert not Phase("starting").settled


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ('run = "x"\nmain = "y"\n', []),
        ("", []),
        ("run = \n", [(1, 7)]),
        ('main = "x"\nrun = "unclosed\n', [(2, 16)]),
        ('run = """no end', [(1, 16)]),
        ("run = 7\n", [(1, 1)]),
        ('\n# run\n  main = []\nruns = "x"\n', [(3, 1), (4, 1)]),
        ("[run]\nx = 1\n", [(1, 1)]),
    ],
)
def test_mistakes_in_settings_are_found_where_they_are(text: str, problems: list[tuple[int, int]]) -> None:
    assert [(problem.line, problem.column) for problem in check_settings(text)] == problems


def test_settings() -> None:
    assert parse_settings('run = " python3 x.py "').run == "python3 x.py"
    assert parse_settings("").run == ""
    for bad in ("run = 3", "run =", "= x"):
        with pytest.raises(InvalidRequest) as error:
            parse_settings(bad)
        assert ".repl.toml" in error.value.message


def test_a_plain_folder_is_a_template() -> None:
    template = parse_template("my-lang", "")
    assert (template.label, template.requires) == ("My lang", ())
    with pytest.raises(InvalidRequest):
        parse_template("x", 'requires = "node"')


def test_an_assignment_survives_its_file() -> None:
    assignment = Assignment(ProjectRef("ada", "abc"), "python", "python3 main.py", "main.py", 1 << 16)
    assert Assignment.from_json(assignment.to_json()) == assignment


def test_status_and_code_of_a_conflict() -> None:
    error: ReplError = Conflict("x")
    assert (error.status, error.code) == (412, "Conflict")


@pytest.mark.parametrize("text", ["x = " + "[" * 3000, "x = " + "9" * 5000, "a" + ".a" * 3000 + " = 1"])
def test_settings_that_are_too_much_are_a_mistake_in_the_file(text: str) -> None:
    with suppress(InvalidRequest):
        parse_settings(text)
    assert all(problem.line == 1 for problem in check_settings(text))
