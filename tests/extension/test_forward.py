"""A user's server that forwards to a shared service: everything works through it, and nothing of the caller's leaks."""

import hashlib
import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from support.channel import Client, Closed
from support.lab import TOKEN, Lab
from support.ports import free_port

from .test_owners import User, configured

NAME = "Ä.b@c"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """With many users, whose tokens are their names."""
    server = configured(Lab(tmp_path_factory.mktemp("service") / "home"))
    yield server
    server.stop()


def forwarding(home: Path, url: str, **env: str) -> Lab:
    return Lab(home, JUPYTER_REPL_SERVICE_URL=url, **env)


@pytest.fixture(scope="module")
def mine(service: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The server of one user."""
    home = tmp_path_factory.mktemp("mine") / "home"
    server = forwarding(home, f"{service.url}/", JUPYTERHUB_API_TOKEN=quote(NAME, safe="")).start()
    yield server
    server.stop()


def test_a_project_is_made_used_and_deleted(mine: Lab, service: Lab) -> None:
    status, made, headers = mine.request("POST", "project", {"replId": "abc", "language": "python"})
    assert (status, made["replId"]) == (201, "abc")
    assert headers["Location"] == "/repl/project/abc"
    assert headers["X-Jupyter-Repl-Version"]
    assert User(service, NAME).projects() == ["abc"], "it is the user's, by the token of the server"
    mine.start_repl("abc")
    client = Client(mine, "abc")
    terminal = client.terminal()
    client.type(terminal, b"echo he''llo\n")
    client.read_until(terminal, b"hello\r\n")
    client.request("updateContent", path="a.txt", content="text")
    assert mine.call("GET", "contents/abc/a.txt")[1]["content"] == "text"
    assert b"event: end" in mine.call("GET", "project/abc/events")[1]
    mine.stop_repl("abc")
    assert mine.call("DELETE", "project/abc")[0] == 204
    assert mine.call("GET", "project")[1] == []


def test_files_ranges_conditions_and_archives_pass(mine: Lab) -> None:
    mine.make("files", start=False)
    data = bytes(range(256)) * 200_000
    status, _, headers = mine.request("PUT", "project/files/file/big.bin", data)
    assert status == 200
    etag = headers["Etag"]
    status, got, headers = mine.request("GET", "project/files/file/big.bin")
    assert (status, hashlib.sha256(got).digest()) == (200, hashlib.sha256(data).digest())
    assert headers["Etag"] == etag
    assert headers["X-Content-Type-Options"] == "nosniff"
    status, got, headers = mine.request("GET", "project/files/file/big.bin", headers={"Range": "bytes=10-19"})
    assert (status, got, headers["Content-Range"]) == (206, data[10:20], f"bytes 10-19/{len(data)}")
    assert mine.request("GET", "project/files/file/big.bin", headers={"If-None-Match": etag})[0] == 304
    assert mine.request("PUT", "project/files/file/big.bin", b"x", {"If-Match": '"other"'})[0] in (409, 412)
    status, zipped, _ = mine.request("GET", "project/files/archive")
    assert (status, zipped[:2]) == (200, b"PK")
    assert mine.call("PUT", "project/copy/archive?language=python", zipped)[0] == 201
    name = "ünï %2F?#.txt"
    assert mine.call("PUT", f"project/files/file/{quote(name)}", b"odd")[0] == 200
    assert mine.call("GET", f"project/files/file/{quote(name)}") == (200, b"odd")


def test_errors_are_the_services(mine: Lab) -> None:
    status, error = mine.call("GET", "project/none")
    assert (status, error["code"]) == (404, "FileNotFound")
    status, error = mine.call("POST", "project", {"replId": "Not an id", "language": "python"})
    assert (status, error["code"]) == (400, "InvalidRequest")
    status, _, headers = mine.request("PUT", "template")
    assert (status, "GET" in headers["Allow"]) == (405, True)
    with pytest.raises(Closed) as closed:
        Client(mine, "none")
    assert closed.value.code == 4404


def test_who_may_not_use_this_server_gets_nothing(mine: Lab) -> None:
    for method, path in (("GET", "project"), ("POST", "start"), ("PUT", "project/x/file/y"), ("DELETE", "project/x")):
        assert mine.call(method, path, b"{}" if method != "GET" else None, token="wrong")[0] in (401, 403)
        assert mine.call(method, path, b"{}" if method != "GET" else None, token="")[0] in (401, 403)


def test_a_path_leads_nowhere_else(mine: Lab) -> None:
    for trick in ("../api", "project/../../api/contents", "%2e%2e/api", "project/%2e%2e%2f%2e%2e%2fapi", "..%5capi"):
        connection = http.client.HTTPConnection("127.0.0.1", mine.port, timeout=10)
        connection.request("GET", f"/repl/{trick}", headers={"Authorization": f"token {TOKEN}"})
        assert connection.getresponse().status == 404, trick
        connection.close()


class Spy(BaseHTTPRequestHandler):
    """A service that notes what it gets, and answers as `answer` says."""

    seen: list[tuple[str, dict[str, str]]]
    answer: tuple[int, dict[str, str], bytes]

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        type(self).seen.append((self.path, dict(self.headers)))
        status, headers, body = type(self).answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_POST = do_DELETE = do_GET

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def spied(tmp_path: Path) -> Iterator[tuple[Lab, type[Spy]]]:
    Spy.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Spy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/services/repl/"
    lab = forwarding(tmp_path / "home", url, JUPYTERHUB_API_TOKEN="token-of-the-hub").start()
    yield lab, Spy
    lab.stop()
    server.shutdown()
    server.server_close()


def test_only_named_headers_pass_and_only_the_hubs_token(spied: tuple[Lab, type[Spy]]) -> None:
    lab, spy = spied
    version = {"X-Jupyter-Repl-Version": "1"}
    spy.answer = 200, {**version, "Set-Cookie": "stolen=1", "X-Odd": "1", "Content-Type": "application/json"}, b"[]"
    headers = {"Cookie": "secret=1", "X-Forwarded-Host": "evil", "X-XSRFToken": "x", "Range": "bytes=0-1"}
    status, _, answered = lab.request("GET", f"project?token={TOKEN}&owner=x", headers=headers)
    assert status == 200
    ((path, seen),) = spy.seen
    assert path == "/services/repl/repl/project?owner=x"
    assert seen["Authorization"] == "token token-of-the-hub"
    assert seen["Range"] == "bytes=0-1"
    assert TOKEN not in json.dumps(seen)
    assert not {"Cookie", "X-Forwarded-Host", "X-Xsrftoken", "X-XSRFToken"} & set(seen)
    assert "X-Odd" not in answered
    assert "stolen" not in answered.get("Set-Cookie", "")


READER = """
from jupyter_server.auth import Authorizer

class Reader(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return action == "read"

c.ServerApp.authorizer_class = Reader
"""


def test_who_may_only_read_here_sends_nothing_on(tmp_path: Path, spied: tuple[Lab, type[Spy]]) -> None:
    """A body is passed on while it arrives: rights come before its first byte."""
    spied_lab, spy = spied
    spy.answer = 200, {"X-Jupyter-Repl-Version": "1", "Content-Type": "application/json"}, b"{}"
    config = tmp_path / "reader/.jupyter"
    config.mkdir(parents=True)
    (config / "jupyter_server_config.py").write_text(READER)
    url = spied_lab.environment["JUPYTER_REPL_SERVICE_URL"]
    lab = forwarding(tmp_path / "reader", url, JUPYTERHUB_API_TOKEN="t").start()
    try:
        assert lab.call("GET", "project")[0] == 200
        seen = len(spy.seen)
        for method, path in (("POST", "start"), ("PUT", "project/x/file/y"), ("DELETE", "project/x")):
            assert lab.call(method, path, b"{}")[0] == 403
        assert len(spy.seen) == seen
    finally:
        lab.stop()


def test_a_page_of_another_origin_sends_nothing_on(spied: tuple[Lab, type[Spy]]) -> None:
    """With the cookie of somebody who is logged in here."""
    lab, spy = spied
    spy.answer = 200, {"X-Jupyter-Repl-Version": "1", "Content-Type": "application/json"}, b"[]"
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=10)
    connection.request("GET", f"/tree?token={TOKEN}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    cookie = "; ".join(each.split(";")[0] for each in answer.headers.get_all("Set-Cookie") or ())
    assert lab.request("GET", "project", headers={"Cookie": cookie}, token="")[0] == 200
    seen = len(spy.seen)
    foreign = {"Cookie": cookie, "Origin": "http://evil.example", "Referer": "http://evil.example/"}
    for method in ("GET", "POST", "PUT", "DELETE"):
        status, _, _ = lab.request(method, "project", None if method == "GET" else b"{}", foreign, token="")
        assert status in (403, 404), method
    assert len(spy.seen) == seen


def test_what_is_no_answer_of_the_service_is_said(spied: tuple[Lab, type[Spy]]) -> None:
    lab, spy = spied
    version = {"X-Jupyter-Repl-Version": "1"}
    spy.answer = 404, {"Content-Type": "text/html"}, b"<h1>the hub knows no such route</h1>"
    status, error, headers = lab.request("GET", "project")
    assert (status, headers["Retry-After"]) == (503, "1")
    assert "can't be reached now" in error["message"]
    spy.answer = 302, {**version, "Location": "http://127.0.0.1:1/elsewhere"}, b""
    status, error = lab.call("GET", "project")
    assert (status, len(spy.seen)) == (503, 2), "nobody follows it with the token"
    spy.answer = 200, {}, b"somebody else's page"
    status, error = lab.call("GET", "project")
    assert status == 503
    assert "JUPYTER_REPL_SERVICE_URL" in error["hint"]


def test_without_a_token_or_a_service_the_reason_is_said(tmp_path: Path) -> None:
    lab = forwarding(tmp_path / "home", f"http://127.0.0.1:{free_port()}/").start()
    try:
        status, error = lab.call("GET", "project")
        assert (status, "JUPYTERHUB_API_TOKEN" in error["hint"]) == (503, True)
    finally:
        lab.stop()
    lab = forwarding(tmp_path / "other", f"http://127.0.0.1:{free_port()}/", JUPYTERHUB_API_TOKEN="t").start()
    try:
        status, error = lab.call("GET", "project")
        assert (status, "can't be reached" in error["message"]) == (503, True)
    finally:
        lab.stop()


def test_a_service_that_stops_closes_the_channels_of_its_users(tmp_path: Path) -> None:
    other = configured(Lab(tmp_path / "service"))
    lab = forwarding(tmp_path / "home", f"{other.url}/", JUPYTERHUB_API_TOKEN="ann").start()
    try:
        lab.make("abc")
        client = Client(lab, "abc")
        stopping = threading.Thread(target=other.stop)
        stopping.start()
        assert client.wait_close() == 1012
        stopping.join()
    finally:
        other.stop()
        lab.stop()
