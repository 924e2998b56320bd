"""What a user of the hub tries on the service: a table of attacks, and of the layers that stop each of them.

For each row the test sees the attack fail as things are, succeed when all its layers are left out, and fail again with
each of the layers alone. The layers are left out by a subclass in the tests; the product has no setting for that. The
table of connections is in cluster/test_hub_network.py.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import websocket
from support.channel import Client, Closed
from support.hub import Browser, Hub, Service
from support.ports import free_port

TIMEOUT = 15


class Cast:
    """Anna attacks; Bert has a project. `service` is the one under attack."""

    def __init__(self, hub: Hub, service: Service) -> None:
        self.hub = hub
        self.service = service
        self.anna, self.bert = Browser(hub.url, "anna").login(), Browser(hub.url, "bert").login()
        self.mine, self.his = self.anna.token(), self.bert.token()
        if service.call("GET", "project/his", token=self.his)[0] == 404:
            body = {"replId": "his", "language": "python"}
            assert service.call("POST", "project", body, token=self.his)[0] == 201

    def get(self, path: str, token: str = "", **options: Any) -> int:
        return self.ask("GET", path, token, **options)

    def ask(self, method: str, path: str, token: str = "", **options: Any) -> int:
        headers = {**({"Authorization": f"token {token}"} if token else {}), **options.pop("headers", {})}
        url = f"{self.service.url}/{path}"
        answer = requests.request(method, url, headers=headers, timeout=TIMEOUT, allow_redirects=False, **options)
        return answer.status_code

    def with_cookie(self) -> requests.Session:
        """Anna's browser after she has opened a link."""
        session = self.anna.session
        answer = session.get(f"{self.service.url}/open/x", allow_redirects=False, timeout=TIMEOUT)
        while "user-redirect" not in answer.headers["Location"]:
            location = answer.headers["Location"]
            base = self.service.url.partition("/services/")[0]
            location = location if "://" in location else base + location
            location = location.replace(f":{self.hub.service_port}/", f":{self.service.port}/")
            answer = session.get(location, allow_redirects=False, timeout=TIMEOUT)
        return session


def cookie_reads(cast: Cast) -> bool:
    return cast.with_cookie().get(f"{cast.service.url}/repl/project", timeout=TIMEOUT).status_code == 200


def cookie_writes(cast: Cast) -> bool:
    session = cast.with_cookie()
    xsrf = cast.anna.xsrf("/services/repl/")
    body = json.dumps({"replId": "by-cookie", "language": "python"})
    headers = {"X-XSRFToken": xsrf}
    done = session.post(f"{cast.service.url}/repl/project", data=body, headers=headers, timeout=TIMEOUT)
    return done.status_code in (201, 409)


def cookie_opens_a_channel(cast: Cast) -> bool:
    session = cast.with_cookie()
    cookies = "; ".join(f"{each.name}={each.value}" for each in session.cookies if each.path == "/services/repl/")
    url = cast.service.url.replace("http", "ws", 1) + "/repl/project/none/channel"
    origin = cast.service.url.partition("/services/")[0]
    try:
        websocket.create_connection(
            url, subprotocols=["jupyter-repl.v1"], cookie=cookies, origin=origin, timeout=TIMEOUT
        ).close()
    except websocket.WebSocketBadStatusException:
        return False
    return True


def channel_of_another(cast: Cast) -> bool:
    try:
        Client(cast.service, "his", owner="bert", Authorization=f"token {cast.mine}")
    except websocket.WebSocketBadStatusException:
        return False
    except Closed as error:
        return error.code == 4404  # it is let in, and the REPL does not run
    return True


def frame(cast: Cast) -> bool:
    answer = requests.get(f"{cast.service.url}/open/x", allow_redirects=False, timeout=TIMEOUT)
    return "frame-ancestors 'none'" not in answer.headers.get("Content-Security-Policy", "")


def link_leads_elsewhere(cast: Cast) -> bool:
    answer = cast.with_cookie().get(
        f"{cast.service.url}/open/x?server=../../../evil", allow_redirects=False, timeout=TIMEOUT
    )
    return ".." in answer.headers.get("Location", "")


def writes_of(owner: str, token: Callable[[Cast], str]) -> Callable[[Cast], bool]:
    return lambda cast: cast.ask("PUT", f"repl/owner/{owner}/project/his/file/planted", token(cast), data=b"x") == 200


@dataclass(frozen=True)
class Row:
    name: str
    attack: Callable[[Cast], bool]
    layers: tuple[str, ...]


OTHERS = "repl/owner/bert/project"
ROWS = [
    Row("a cookie reads", cookie_reads, ("token_only",)),
    Row("a cookie and its _xsrf write", cookie_writes, ("token_only",)),
    Row("a cookie opens a channel", cookie_opens_a_channel, ("token_only",)),
    Row("a token in the address", lambda c: c.get(f"repl/project?token={c.mine}") == 200, ("header_only",)),
    Row("a token of another service", lambda c: c.get("repl/project", c.hub.other_token) == 200, ("person",)),
    Row("the service's own token", lambda c: c.get("repl/project", c.hub.token) == 200, ("scope", "person")),
    Row(
        "a token without the scope",
        lambda c: c.get("repl/project", c.anna.token("read:users!user")) == 200,
        ("scope",),
    ),
    Row("the list of owners", lambda c: c.get("repl/owner", c.mine) == 200, ("admin",)),
    Row("the list of another", lambda c: c.get(OTHERS, c.mine) == 200, ("admin",)),
    Row("the project of another", lambda c: c.get(f"{OTHERS}/his", c.mine) == 200, ("admin",)),
    Row("a file of another", lambda c: c.get(f"{OTHERS}/his/file/main.py", c.mine) == 200, ("admin",)),
    Row("an archive of another", lambda c: c.get(f"{OTHERS}/his/archive", c.mine) == 200, ("admin",)),
    Row("the events of another", lambda c: c.get(f"{OTHERS}/his/events", c.mine) == 200, ("admin",)),
    Row("a channel of another", channel_of_another, ("admin",)),
    Row(
        "stopping another's",
        lambda c: c.ask("POST", "repl/owner/bert/stop", c.mine, json={"replId": "his"}) == 202,
        ("admin",),
    ),
    Row("a write into another's", writes_of("bert", lambda c: c.mine), ("admin", "visits")),
    Row("the trash of another", lambda c: c.get(f"{OTHERS}/his/trash", c.mine) == 200, ("admin", "visits")),
    Row("the metrics", lambda c: c.get("metrics", c.mine) == 200, ("short_list",)),
    Row(
        "jupyter_server's contents",
        lambda c: c.get("api/contents", c.mine) == 200,
        ("short_list", "no_services", "authorizer"),
    ),
    Row(
        "jupyter_server's kernels",
        lambda c: c.get("api/kernels", c.mine) == 200,
        ("short_list", "no_services", "authorizer"),
    ),
    Row(
        "jupyter_server's terminals",
        lambda c: c.get("api/terminals", c.mine) == 200,
        ("short_list", "no_extensions", "authorizer"),
    ),
    Row("a link in a frame", frame, ("frames",)),
    Row("a link that leads elsewhere", link_leads_elsewhere, ("server_names",)),
]


def cases() -> Iterator[Any]:
    """For each row: what is left out, and whether the attack then succeeds."""
    for row in ROWS:
        yield pytest.param((), row, False, id=f"{row.name}")
        yield pytest.param(tuple(sorted(row.layers)), row, True, id=f"{row.name}, without all layers")
        for layer in row.layers if len(row.layers) > 1 else ():
            rest = tuple(sorted(set(row.layers) - {layer}))
            yield pytest.param(rest, row, False, id=f"{row.name}, with {layer} alone")


@pytest.fixture(scope="module")
def weakened(
    request: pytest.FixtureRequest, hub: Hub, service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cast]:
    """The cases are grouped by what is left out, so each service starts once."""
    if not request.param:
        yield Cast(hub, service)
        return
    weak = Service(tmp_path_factory.mktemp("weak") / "home", hub, free_port(), without=request.param).start()
    yield Cast(hub, weak)
    weak.stop()


@pytest.mark.parametrize(("weakened", "row", "succeeds"), list(cases()), indirect=["weakened"], scope="module")
def test_each_layer_stops_it_alone(weakened: Cast, row: Row, succeeds: bool) -> None:
    assert row.attack(weakened) == succeeds


@pytest.mark.parametrize(
    "path",
    [
        "repl/owner/bert%2Fproject",
        "repl/owner/anna/../bert/project",
        "repl/owner/anna%2F..%2Fbert/project",
        "repl//owner/bert/project",
        "repl/owner/bert/./project",
        "repl/owner/BERT/project",
        "repl/owner//project",
        "repl/owner/../owner/bert/project",
        "repl/project/..%2F..%2Fbert%2Fcode%2Fhis",
        "repl/project/%2e%2e/file/owner.json",
        "repl/contents/../bert/his",
        "repl/contents/%2e%2e/%2e%2e/bert/code/his/main.py",
        "repl/project/his",
        "repl/project/his/file/main.py",
        "repl/project/his/archive",
        "repl/project/his/trash",
        "repl/project/his/channel",
        "repl/contents/his",
        "repl/contents/his/main.py",
    ],
)
def test_no_address_leads_to_what_is_anothers(hub: Hub, service: Service, path: str) -> None:
    cast = Cast(hub, service)
    connection = requests.Session()
    prepared = requests.Request("GET", service.url, headers={"Authorization": f"token {cast.mine}"}).prepare()
    prepared.url = f"{service.url}/{path}"  # as it stands: requests would tidy it up
    forged = {
        "Host": "bert.example.org",
        "X-Forwarded-User": "bert",
        "X-Forwarded-For": "10.0.0.1",
        "Origin": "http://bert",
    }
    for headers in ({}, forged):
        prepared.headers.update(headers)
        answer = connection.send(prepared, timeout=TIMEOUT, allow_redirects=False)
        assert answer.status_code in (400, 403, 404), answer.text
        assert "print(" not in answer.text, "no file of another's"
