"""10,000 messages of every shape: each request is answered, the channel stays open, and the runner lives."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.channel import Client
from support.lab import Lab

MESSAGES = 10_000
EXAMPLES = 400
PER_EXAMPLE = MESSAGES // EXAMPLES

EVENTS = [
    *("fetchDir", "fetchContent", "updateContent", "create", "rename", "move", "copy", "delete"),
    *("requestTerminal", "terminalData", "resizeTerminal", "clearTerminal", "closeTerminal"),
    *("run", "stopRun", "restore", "checkSettings"),
    *("loaded", "reply", "changed", "", "__init__"),
]
FIELDS = ["path", "content", "etag", "to", "name", "type", "terminal", "rows", "cols", "from", "viewer", "text", "data"]
FIELDS += ["beside", "folder", "offset", "limit", "item", "run"]

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(0, 5), st.floats(), st.text(max_size=40), st.just("file")
)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
requests = st.fixed_dictionaries(
    {"event": st.sampled_from(EVENTS) | st.text(max_size=10), "id": st.integers(1, 9) | json_values},
    optional={"data": st.dictionaries(st.sampled_from(FIELDS), scalars, max_size=5) | json_values},
)
texts = st.one_of(requests.map(json.dumps), json_values.map(json.dumps), st.text(st.characters(codec="utf-8")))
frames = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda kind, terminal, offset, payload: struct.pack(">BIQ", kind, terminal, offset) + payload,
        st.integers(0, 6),
        st.integers(0, 6) | st.integers(0, 2**32 - 1),
        st.integers(0, 200) | st.integers(0, 2**64 - 1),
        st.binary(max_size=40),
    ),
)


@pytest.fixture(scope="module")
def victim(shared_lab: Lab) -> Lab:
    shared_lab.make("victim")
    return shared_lab


@pytest.fixture
def fuzzer(victim: Lab) -> Client:
    client = Client(victim, "victim")
    client._id = 10**12  # far from the ids that are thrown
    return client


CORPUS = json.loads((Path(__file__).parent.parent / "fixtures" / "fuzz.json").read_text())


def throw(fuzzer: Client, victim: Lab, messages: list[str | bytes]) -> None:
    before = victim.call("GET", "project/victim")[1]["phase"]
    for message in messages:
        fuzzer._ws.send_binary(message) if isinstance(message, bytes) else fuzzer.send(message)
    # the answer to a well-formed request that came last: all before it were taken
    assert isinstance(fuzzer.request("fetchDir", path="")["content"], list)
    assert victim.call("GET", "project/victim")[1]["phase"] == before == {"name": "running"}
    fuzzer.events.clear()


@pytest.mark.parametrize("case", CORPUS, ids=[case["why"] for case in CORPUS])
def test_what_has_hurt_before(fuzzer: Client, victim: Lab, case: dict[str, Any]) -> None:
    throw(fuzzer, victim, [*case.get("texts", []), *map(bytes.fromhex, case.get("frames", []))])


@pytest.mark.timeout(300)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(batch=st.lists(texts | frames, min_size=PER_EXAMPLE, max_size=PER_EXAMPLE))
def test_no_message_ends_the_channel(fuzzer: Client, victim: Lab, batch: list[str | bytes]) -> None:
    throw(fuzzer, victim, batch)
