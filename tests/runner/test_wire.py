"""The golden messages of tests/fixtures/wire, which jest reads too, against the code and against a live runner."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.channel import Client
from support.lab import Lab

from jupyter_repl_runner.contract import frames, messages
from jupyter_repl_runner.contract.errors import CODES, InvalidRequest
from jupyter_repl_runner.serve.families import families_of
from jupyter_repl_runner.serve.streams import Streams

WIRE = Path(__file__).parent.parent / "fixtures" / "wire"
MESSAGES = json.loads((WIRE / "messages.json").read_text())
FRAMES = json.loads((WIRE / "frames.json").read_text())
ANYTHING = "?"


def by_name(rows: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("golden", rows, ids=[row["name"] for row in rows])


@by_name(FRAMES["frames"])
def test_frames(golden: dict[str, Any]) -> None:
    frame = frames.Frame(golden["kind"], golden["terminal"], golden["offset"], golden["payload"].encode())
    assert frame.pack().hex() == golden["hex"]
    assert frames.unpack(bytes.fromhex(golden["hex"])) == frame


@pytest.mark.parametrize("raw", FRAMES["malformed"])
def test_malformed_frames(raw: str) -> None:
    with pytest.raises(InvalidRequest):
        frames.unpack(bytes.fromhex(raw))


def test_every_event_of_the_table_has_a_golden_request() -> None:
    golden = {exchange["request"]["event"] for exchange in MESSAGES["exchanges"]}
    families = families_of(None, Streams(), None)  # type: ignore[arg-type]  # nothing of them is called
    assert {name for family in families for name in family.events} <= golden


@by_name(MESSAGES["exchanges"])
def test_requests_are_parsed_and_replies_built(golden: dict[str, Any]) -> None:
    request, reply = golden["request"], golden["reply"]
    parsed = messages.parse_request(json.dumps(request))
    assert (parsed.event, parsed.data, parsed.id) == (request["event"], request["data"], request["id"])
    if "error" in reply:
        error = CODES[reply["error"]["code"]](reply["error"]["message"], reply["error"]["hint"])
        assert json.loads(messages.build_error(reply["id"], error)) == reply
    else:
        assert json.loads(messages.build_reply(reply["id"], reply["data"])) == reply


@pytest.mark.parametrize("golden", MESSAGES["events"], ids=lambda golden: golden["event"])
def test_events_are_built(golden: dict[str, Any]) -> None:
    assert json.loads(messages.build_event(golden["event"], golden["data"])) == golden


def test_a_live_runner_answers_as_the_golden_exchanges_say(shared_lab: Lab) -> None:
    shared_lab.make("golden")
    client = Client(shared_lab, "golden")
    client.may_repeat = True  # one exchange asks for output from 0 again, which may have come already
    try:
        assert_same_shape(client.loaded, MESSAGES["events"][0]["data"], "loaded")
        for golden in MESSAGES["exchanges"]:
            request = golden["request"]
            answer = client.ask(request["event"], **request["data"])
            expected = {**golden["reply"], "id": answer["id"]}
            assert_matches(answer, expected, golden["name"])
        ended = client.wait_event("runExit")
        assert set(ended) == set(MESSAGES["events"][-1]["data"])
        assert set(client.wait_event("runStarted")) == set(MESSAGES["events"][-2]["data"])
    finally:
        client.close()


def assert_matches(found: Any, golden: Any, where: str) -> None:
    """Equal, but for numbers that are not whole (times) and for `?`, which stands for any text."""
    if isinstance(golden, dict):
        assert isinstance(found, dict), where
        assert set(found) == set(golden), where
        for key in golden:
            assert_matches(found[key], golden[key], f"{where}: {key}")
    elif isinstance(golden, list):
        assert len(found) == len(golden), where
        for one, other in zip(found, golden, strict=True):
            assert_matches(one, other, where)
    elif isinstance(golden, float):
        assert isinstance(found, float), where
    elif golden == ANYTHING:
        assert isinstance(found, str), where
        assert found, where
    else:
        assert found == golden, where


def assert_same_shape(found: dict[str, Any], golden: dict[str, Any], where: str) -> None:
    assert {key: type(value) for key, value in found.items()} == {k: type(v) for k, v in golden.items()}, where
