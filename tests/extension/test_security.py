"""Every route and the WebSocket: without a token, with a wrong one, without XSRF, from elsewhere. None is open."""

import http.client
import json
from collections.abc import Iterator

import pytest
from support.lab import TOKEN, Lab
from tornado.web import RequestHandler

from jupyter_repl_ext.handlers import HANDLERS, OF_OWNER

PATHS = {
    r"/repl/owner": "owner",
    r"/repl/.*": "no/such/address",
    r"/repl/template": "template",
    r"/repl/project": "project",
    r"/repl/project/([^/]+)": "project/walk",
    r"/repl/project/([^/]+)/events": "project/walk/events",
    r"/repl/project/([^/]+)/file/(.+)": "project/walk/file/main.py",
    r"/repl/project/([^/]+)/archive": "project/walk/archive",
    r"/repl/project/([^/]+)/channel": "project/walk/channel",
    r"/repl/project/([^/]+)/trash": "project/walk/trash",
    r"/repl/health": "health",
    r"/repl/contents((?:/.+?)??/?)/checkpoints": "contents/walk/main.py/checkpoints",
    r"/repl/contents((?:/.+?)??/?)/checkpoints/([\w-]+)": "contents/walk/main.py/checkpoints/checkpoint",
    r"/repl/contents((?:/.+?)??/?)": "contents/walk/main.py",
    r"/repl/start": "start",
    r"/repl/stop": "stop",
    r"/repl/openapi.yaml": "openapi.yaml",
}
UNAUTHENTICATED: set[str] = set()
"""Routes that are open on purpose. None."""

BODIES = {"post": b'{"replId": "walk", "language": "python"}', "patch": b'{"title": "x"}', "put": b"stolen"}


def verbs() -> Iterator[tuple[str, str]]:
    for route, handler in HANDLERS:
        path = PATHS.get(route.replace(OF_OWNER, "/repl"))
        assert path, f"{route} is new: add it here"
        for verb in ("get", "put", "post", "patch", "delete"):
            if getattr(handler, verb) is not RequestHandler._unimplemented_method:
                yield verb, path
                if OF_OWNER in route:
                    yield verb, f"owner/somebody/{path}"


VERBS = list(verbs())


@pytest.fixture(scope="module")
def walk(shared_lab: Lab) -> Lab:
    shared_lab.make("walk")
    return shared_lab


def answer(lab: Lab, verb: str, path: str, headers: dict[str, str], body: bytes | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=20)
    connection.request(verb.upper(), f"/repl/{path}", body or BODIES.get(verb), headers)
    with connection.getresponse() as response:
        status = response.status
    connection.close()
    return status


def untouched(lab: Lab) -> bool:
    return "input" in (lab.project("walk") / "main.py").read_text() and lab.phase("walk") == {"name": "running"}


@pytest.mark.parametrize(("verb", "path"), VERBS)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "token wrong"}, {"Cookie": "username-x=forged"}])
def test_no_token_or_a_wrong_one(walk: Lab, verb: str, path: str, headers: dict[str, str]) -> None:
    assert answer(walk, verb, path, headers) == 403
    assert untouched(walk)


def cookies(lab: Lab) -> str:
    """What a browser holds after it logged in."""
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=20)
    connection.request("GET", f"/tree?token={TOKEN}")
    with connection.getresponse() as response:
        found = [value.split(";")[0] for name, value in response.getheaders() if name.lower() == "set-cookie"]
    connection.close()
    assert any(cookie.startswith("_xsrf=") for cookie in found)
    return "; ".join(found)


@pytest.mark.parametrize(("verb", "path"), [(verb, path) for verb, path in VERBS if verb != "get"])
def test_a_cookie_without_xsrf_changes_nothing(walk: Lab, verb: str, path: str) -> None:
    assert answer(walk, verb, path, {"Cookie": cookies(walk)}) == 403
    assert untouched(walk)


@pytest.mark.parametrize(("verb", "path"), VERBS)
def test_another_origin_with_a_persons_cookies_gets_nothing(walk: Lab, verb: str, path: str) -> None:
    headers = {"Cookie": cookies(walk), "Origin": "http://evil.example", "Referer": "http://evil.example/"}
    if path.endswith("channel"):
        headers |= UPGRADE
    assert answer(walk, verb, path, headers) in (403, 404)
    assert untouched(walk)


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "jupyter-repl.v1",
}


@pytest.mark.parametrize("stranger", ["nobody", "wrong token", "another origin"])
def test_the_websocket_is_closed_to_strangers(walk: Lab, stranger: str) -> None:
    headers = {
        "nobody": {},
        "wrong token": {"Authorization": "token wrong"},
        # with a token of its own a program may name any origin: that is Jupyter's rule
        "another origin": {"Cookie": cookies(walk), "Origin": "http://evil.example"},
    }[stranger]
    assert answer(walk, "get", "project/walk/channel", {**UPGRADE, **headers}) == 403


def test_the_websocket_is_open_to_the_person(walk: Lab) -> None:
    headers = {**UPGRADE, "Cookie": cookies(walk), "Origin": walk.url}
    assert answer(walk, "get", "project/walk/channel", headers) == 101


def test_a_spoofed_host_reaches_no_other_project(walk: Lab) -> None:
    headers = {"Authorization": f"token {TOKEN}", "Host": "other.example"}
    assert answer(walk, "put", "project/walk/file/main.py", headers) == 403
    assert untouched(walk)


def test_the_socket_is_mine_alone_and_wants_its_token(walk: Lab) -> None:
    import socket

    (directory,) = [d for d in walk.runtime_dir.iterdir() if (d / "socket").exists()]
    assert walk.runtime_dir.stat().st_mode & 0o777 == 0o700
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "socket").stat().st_mode & 0o777 == 0o600
    assert (directory / "record.json").stat().st_mode & 0o777 == 0o600
    for token in ("", "wrong"):
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(5)
            plain.connect(str(directory / "socket"))
            plain.sendall(f"GET /file/main.py HTTP/1.0\r\nX-Jupyter-Repl-Token: {token}\r\n\r\n".encode())
            assert b" 403 " in plain.recv(1000)


def test_a_stranger_s_body_is_not_read_by_the_runner(walk: Lab) -> None:
    """It would be kept as a whole before its token is checked."""
    import socket

    (directory,) = [d for d in walk.runtime_dir.iterdir() if (d / "socket").exists()]
    for path in ("/call", "/drain", "/nothing"):
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(5)
            plain.connect(str(directory / "socket"))
            plain.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {50 << 20}\r\n\r\n".encode())
            assert not plain.recv(1000).startswith(b"HTTP/1.1 2"), "refused, or closed, before anything of it came"


def test_errors_hold_no_token_and_no_content(walk: Lab) -> None:
    status, error = walk.call("GET", "project/walk/file/none")
    assert status == 404
    assert TOKEN not in json.dumps(error)
    token = json.loads(next(walk.runtime_dir.glob("*/record.json")).read_text())["token"]
    assert token not in walk.log.read_text()
