"""What goes on when the hub changes its mind, or is away; and when a replica ends."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from support.channel import Client, Closed
from support.hub import Browser, Hub, Service
from support.lab import elapse, wait_for
from support.ports import free_port

QUICK = ("--HubService.check_seconds=1", "--StatelessHubOAuth.kept_seconds=1", "--HubService.drain_seconds=1")


@pytest.fixture(scope="module")
def quick(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Looks often."""
    service = Service(tmp_path_factory.mktemp("quick") / "home", hub, free_port(), *QUICK).start()
    yield service
    service.stop()


def person(hub: Hub, name: str) -> tuple[Browser, str]:
    browser = Browser(hub.url, name).login()
    return browser, browser.token()


def make(service: Service, repl_id: str, token: str) -> dict[str, str]:
    """A REPL that runs. Returns the headers for a channel to it."""
    assert service.call("POST", "project", {"replId": repl_id, "language": "python"}, token=token)[0] == 201
    assert service.call("POST", "start", {"replId": repl_id}, token=token)[0] == 202
    wait_for(lambda: service.call("GET", f"project/{repl_id}", token=token)[1]["phase"]["name"] == "running", 20)
    return {"Authorization": f"token {token}"}


def closed(client: Client, seconds: float = 15) -> int:
    """The code of the close frame."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            client.pump(1)
        except Closed as error:
            return error.code
    raise TimeoutError("the channel was not closed")


def test_a_channel_ends_with_the_token_and_others_go_on(quick: Service, hub: Hub) -> None:
    browser, token = person(hub, "revoked")
    headers = make(quick, "mine", token)
    other = browser.token()
    ends, stays = Client(quick, "mine", **headers), Client(quick, "mine", Authorization=f"token {other}")
    ids = [each["id"] for each in browser.hub("GET", "users/revoked/tokens").json()["api_tokens"]]
    newest_first = sorted(ids, key=lambda name: int(name[1:]), reverse=True)
    assert browser.hub("DELETE", f"users/revoked/tokens/{newest_first[1]}").status_code == 204
    assert closed(ends) == 4401
    assert quick.call("GET", "project", token=token)[0] == 403
    assert stays.request("fetchDir", path="")["content"]
    stays.close()


def test_a_stream_of_a_deleted_user_is_cut(quick: Service, hub: Hub) -> None:
    _, token = person(hub, "deleted")
    make(quick, "mine", token)
    admin = Browser(hub.url, "root-admin").login()
    request = (
        f"GET /services/repl/repl/project/mine/file/big HTTP/1.1\r\nHost: x\r\nAuthorization: token {token}\r\n\r\n"
    )
    assert quick.call("PUT", "project/mine/file/big", bytes(60_000_000), token=token)[0] == 200
    slow = socket.create_connection(("127.0.0.1", quick.port), timeout=20)
    slow.sendall(request.encode())
    assert slow.recv(100)
    assert admin.hub("DELETE", "users/deleted").status_code == 204
    wait_for(lambda: quick.call("GET", "project", token=token)[0] == 403, 20)
    wait_for(lambda: "The rights of deleted are gone" in quick.log.read_text(), 20)
    assert received(slow) < 60_000_000, "it was cut"
    slow.close()


def received(connection: socket.socket) -> int:
    """Bytes until the end."""
    count = 0
    with suppress(ConnectionError):
        while data := connection.recv(1 << 20):
            count += len(data)
    return count


def test_without_the_hub_open_channels_go_on_and_requests_are_answered(hub: Hub, tmp_path: Path) -> None:
    own = Hub(tmp_path / "hub").start()
    service = Service(tmp_path / "home", own, 0, *QUICK).start()
    try:
        _, token = person(own, "anna")
        client = Client(service, "mine", **make(service, "mine", token))
        own.freeze()
        took: list[tuple[int, float]] = []
        elapse(1.1)  # longer than the hub's word counts
        threads = [threading.Thread(target=timed, args=(service, token, took)) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {status for status, _ in took} == {503}
        assert max(seconds for _, seconds in took) < 10, "the limit is 3 s, and this machine is busy"
        terminal = client.terminal()
        client.type(terminal, b"echo still''here\n")
        client.read_until(terminal, b"stillhere")
        own.thaw()
        wait_for(lambda: service.call("GET", "project", token=token)[0] == 200, 20)
        assert client.request("fetchDir", path="")["content"]
    finally:
        own.thaw()
        service.stop()
        own.stop()


def timed(service: Service, token: str, took: list[tuple[int, float]]) -> None:
    begun = time.monotonic()
    status, _ = service.call("GET", "project", token=token)
    took.append((status, time.monotonic() - begun))


def test_a_replica_drains(hub: Hub, tmp_path: Path) -> None:
    service = Service(tmp_path / "home", hub, free_port(), *QUICK[:2], "--HubService.drain_seconds=4").start()
    _, token = person(hub, "drained")
    client = Client(service, "mine", **make(service, "mine", token))
    assert service.call("PUT", "project/mine/file/big", bytes(30_000_000), token=token)[0] == 200
    slow: dict[str, Any] = {}
    thread = threading.Thread(target=download, args=(service, token, slow))
    thread.start()
    wait_for(lambda: slow.get("begun"))
    ending = threading.Thread(target=service.stop)
    ending.start()
    wait_for(lambda: ready(service) == 503)
    status, _, headers = service.request("GET", "project", token=token)
    assert (status, headers["Connection"]) == (200, "close"), "it serves on, and sends its clients elsewhere"
    assert closed(client) == 1012
    thread.join(20)
    assert slow["bytes"] == 30_000_000, "a request that has begun ends well"
    ending.join(30)
    assert not ending.is_alive()


def ready(service: Service) -> int:
    return requests.get(f"{service.url}/ready", timeout=5).status_code


def download(service: Service, token: str, found: dict[str, Any]) -> None:
    answer = requests.get(
        f"{service.url}/repl/project/mine/file/big",
        headers={"Authorization": f"token {token}"},
        stream=True,
        timeout=20,
    )
    count = 0
    for chunk in answer.iter_content(1 << 20):
        count += len(chunk)
        found["begun"] = True
        elapse(0.1)
    found["bytes"] = count
