"""An administrator looks at the REPLs of others, stops and deletes them, and changes nothing in them."""

import pytest
from support.channel import ACK, INPUT, INTERRUPT, Client
from support.hub import Browser, Hub, Service
from support.lab import wait_for

from .test_rights import make, person


@pytest.fixture(scope="module")
def admin(hub: Hub) -> str:
    return Browser(hub.url, "root-admin").login().token()


def test_only_an_administrator_sees_the_owners(service: Service, hub: Hub, admin: str) -> None:
    _, token = person(hub, "ä.b@c")
    assert service.call("POST", "project", {"replId": "first", "language": "python"}, token=token)[0] == 201
    owners = {each["name"]: each["owner"] for each in service.call("GET", "owner", token=admin)[1]}
    owner = owners["ä.b@c"]
    listed = service.call("GET", f"owner/{owner}/project", token=admin)[1]
    assert [each["replId"] for each in listed] == ["first"]
    assert service.call("GET", "owner", token=token)[0] == 403
    _, other = person(hub, "curious")
    assert service.call("GET", f"owner/{owner}/project", token=other)[0] == 403
    assert service.call("GET", f"owner/{owner}/project/first", token=other)[0] == 403
    assert service.call("GET", f"owner/{owner}/project/first", token=token)[0] == 200, "one's own may be named too"


def test_a_visitor_looks_and_changes_nothing(service: Service, hub: Hub, admin: str) -> None:
    _, token = person(hub, "student")
    mine = Client(service, "work", **make(service, "work", token))
    assert (mine.loaded["readOnly"], mine.loaded["visitors"]) == (False, [])
    terminal = mine.terminal(rows=30, cols=100)
    mine.type(terminal, b"echo first''line\n")
    mine.read_until(terminal, b"firstline")
    guest = Client(service, "work", owner="student", Authorization=f"token {admin}")
    assert guest.loaded["readOnly"]
    assert guest.loaded["visitors"] == ["root-admin"]
    assert mine.wait_event("visitors")["names"] == ["root-admin"]
    # looks
    assert guest.terminal(terminal=terminal, rows=5, cols=20) == terminal
    guest.read_until(terminal, b"firstline")
    assert guest.wait_event("terminalSize")["rows"] == 30
    assert guest.request("fetchDir", path="")["content"]
    assert "content" in guest.request("fetchContent", path=mine.loaded["main"])
    # changes nothing
    mine.request("updateContent", path="a.txt", content="a")
    for event, data in (
        ("requestTerminal", {"rows": 24, "cols": 80}),
        ("resizeTerminal", {"terminal": terminal, "rows": 10, "cols": 10}),
        ("terminalData", {"terminal": terminal, "data": "x"}),
        ("clearTerminal", {"terminal": terminal}),
        ("closeTerminal", {"terminal": terminal}),
        ("updateContent", {"path": "a.txt", "content": "b"}),
        ("create", {"path": "b.txt", "type": "file"}),
        ("rename", {"path": "a.txt", "name": "c.txt"}),
        ("move", {"path": "a.txt", "to": "c.txt"}),
        ("copy", {"path": "a.txt", "to": "c.txt"}),
        ("delete", {"path": "a.txt"}),
        ("restore", {"item": "x"}),
        ("run", {}),
        ("stopRun", {"run": 1}),
        ("keep", {}),
    ):
        assert guest.error(event, **data)["code"] == "NoPermissions", event
    for kind in (INPUT, INTERRUPT):
        guest.send_frame(kind, terminal, 0, b"x" if kind == INPUT else b"")
        wait_for(lambda: guest.pump(1) and any("may only look" in str(each) for each in guest.events))
        guest.events.clear()
    guest.send_frame(ACK, terminal, 1)
    mine.type(terminal, b"stty size; echo en''d\n")
    assert b"30 100" in mine.read_until(terminal, b"end")
    assert mine.request("fetchContent", path="a.txt")["content"] == "a"
    guest.close()
    assert mine.wait_event("visitors")["names"] == []


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_all_other_routes_refuse_a_visitor(service: Service, hub: Hub, admin: str, method: str) -> None:
    owner = "visited"
    _, token = person(hub, owner)
    if service.call("GET", "project/mine", token=token)[0] == 404:
        assert service.call("POST", "project", {"replId": "mine", "language": "python"}, token=token)[0] == 201
    for path in ("project", "start", "template", "contents", "project/mine/file/a", "project/mine/archive"):
        body = {"replId": "mine", "language": "python"}
        status = service.call(method, f"owner/{owner}/{path}", body, token=admin)[0]
        assert status in (403, 404, 405), path
    for path in ("project/mine/trash", "project/new/archive?language=python", "contents/mine/a"):
        assert service.call(method, f"owner/{owner}/{path}", b"{}", token=admin)[0] in (403, 404, 405), path
    assert service.call("GET", f"owner/{owner}/project/mine/trash", token=admin)[0] == 403
    assert [each["replId"] for each in service.call("GET", "project", token=token)[1]] == ["mine"]


def test_an_administrator_stops_and_deletes(service: Service, hub: Hub, admin: str) -> None:
    _, token = person(hub, "victim")
    make(service, "gone", token)
    assert service.call("POST", "owner/victim/stop", {"replId": "gone"}, token=admin)[0] == 202
    wait_for(lambda: service.call("GET", "project/gone", token=token)[1]["phase"]["name"] == "stopped", 20)
    assert service.call("GET", "owner/victim/project/gone/archive", token=admin)[1][:2] == b"PK"
    assert service.call("DELETE", "owner/victim/project/gone", token=admin)[0] == 204
    assert service.call("GET", "project", token=token) == (200, [])
