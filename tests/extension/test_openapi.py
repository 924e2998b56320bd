"""The served description against the server: requests that it allows, requests that it forbids, and their sequences."""

import copy
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from support.lab import TOKEN, Lab

DESCRIPTION = Path(__file__).parent.parent.parent / "jupyter_repl_ext/openapi.yaml"
RAW = yaml.safe_load(DESCRIPTION.read_text())
ARCHIVE = "/project/{replId}/archive"
FILE = "/project/{replId}/file/{path}"
FEW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))

ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "429", "503"]
CONFIG = {
    "checks": {
        "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "503"]},  # 503: it is starting
        "positive_data_acceptance": {"expected-statuses": ACCEPTED},
        "missing_required_header": {"enabled": False},  # Jupyter answers 403, not 401; ignored_auth knows both
    },
    "operations": [
        {  # that a path is a path no pattern tells, nor that bytes of any kind are a file
            "include-path": FILE,
            "checks": {
                "positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "400", "412", "416"]},
                "negative_data_rejection": {"enabled": False},
            },
        },
        {
            "include-path": ARCHIVE,
            "checks": {  # as are unknown parameters of a query
                "positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "400"]},
                "negative_data_rejection": {"enabled": False},
            },
        },
    ],
}


@st.composite
def zips(draw: st.DrawFn) -> bytes:
    """Mostly archives."""
    if draw(st.booleans()):
        return draw(st.binary())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in draw(st.lists(st.sampled_from(["main.py", "a/b.txt", "../x", "/etc/x", "a", "a/"]), unique=True)):
            archive.writestr(name, "x")
    return out.getvalue()


schemathesis.openapi.media_type("application/zip", zips())


@schemathesis.serializer("application/zip")
def serialize_zip(ctx: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else getattr(value, "value", b"") or b""


def load(raw: dict[str, Any], **config: Any) -> schemathesis.BaseSchema:
    """All but the channel: a WebSocket is no request with an answer."""
    configured = schemathesis.Config.from_dict({**CONFIG, **config})
    return schemathesis.openapi.from_dict(raw, config=configured).exclude(path="/project/{replId}/channel")


def with_names_that_exist() -> dict[str, Any]:
    """Random names only ever meet 404. Of requests alone: other tests' projects may be in answers."""
    raw = copy.deepcopy(RAW)
    names = {"enum": ["one", "two", "three"]}
    raw["components"]["parameters"]["ReplId"]["schema"] = names
    paths = raw["paths"]
    bodies = [raw["components"]["requestBodies"]["ReplId"], paths["/project"]["post"]["requestBody"]]
    for body in bodies:
        body["content"]["application/json"]["schema"]["properties"]["replId"] = names
    raw["components"]["schemas"]["Language"] = {"enum": ["python", "node-js", "cobol"]}
    paths[FILE]["parameters"][1]["schema"] = {"enum": ["main.py", "a folder/ü.bin", "none"]}
    return raw


served = load(RAW)
# what is wrong by the narrowed description may be right by the served one
focused = load(with_names_that_exist(), generation={"mode": "positive"})


def send(case: schemathesis.Case, lab: Lab) -> None:
    case.call_and_validate(base_url=f"{lab.url}/repl", headers={"Authorization": f"token {TOKEN}"}, timeout=10)


@served.parametrize()
@FEW
def test_the_server_keeps_its_description(case: schemathesis.Case, shared_lab: Lab) -> None:
    send(case, shared_lab)


@pytest.fixture
def seeded(shared_lab: Lab) -> Lab:
    for name in ("one", "two"):
        if shared_lab.call("GET", f"project/{name}")[0] == 404:
            shared_lab.make(name, start=False)
    shared_lab.start_repl("two")
    return shared_lab


@focused.parametrize()
@FEW
def test_the_server_keeps_its_description_where_something_is(case: schemathesis.Case, seeded: Lab) -> None:
    send(case, seeded)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["project/one/file/main.py", "project/one/archive"])
def test_a_body_that_nobody_wants_is_no_trouble(seeded: Lab, method: str, path: str) -> None:
    status = seeded.request(method, path, b"x" * 100_000)[0]
    assert status == (200 if method == "GET" else 405)


def test_sequences_of_requests_keep_the_description(seeded: Lab) -> None:
    class Machine(focused.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            for project in seeded.call("GET", "project")[1]:
                seeded.call("DELETE", f"project/{project['replId']}")
            seeded.make("one", start=False)

        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {
                "base_url": f"{seeded.url}/repl",
                "headers": {"Authorization": f"token {TOKEN}"},
                "timeout": 10,
            }

    Machine.run(settings=settings(FEW, max_examples=10, stateful_step_count=10))


@pytest.fixture(autouse=True, scope="module")
def nothing_goes_wrong_unsaid(shared_lab: Lab) -> Iterator[None]:
    yield
    assert "Traceback" not in shared_lab.log.read_text()
