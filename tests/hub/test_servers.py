"""Users' servers that a hub has started: with REPLs of their own, and with those of the shared service."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.channel import Client
from support.hub import Browser, Hub, Service, of_user
from support.lab import Lab, wait_for


@pytest.fixture(scope="module")
def own_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Without the service: each server has the REPLs of its user."""
    runtime = tmp_path_factory.mktemp("runtime")
    hub = Hub(tmp_path_factory.mktemp("hub"), JUPYTER_REPL_RUNTIME_DIR=str(runtime)).start()
    yield hub
    hub.stop()


class Own(Lab):
    """The server that the hub has started for a user."""

    def __init__(self, hub: Hub, browser: Browser) -> None:
        super().__init__(Path("/nowhere"), port=hub.server_port)
        self.url = f"http://127.0.0.1:{hub.server_port}/user/{browser.name}"
        self._browser = browser

    def run(self) -> "Own":
        self._browser.hub("POST", f"users/{self._browser.name}/server")
        wait_for(lambda: self._model().get("ready"), 60)
        return self

    def end(self) -> None:
        self._browser.hub("DELETE", f"users/{self._browser.name}/server")
        wait_for(lambda: not self._model(), 60)

    def _model(self) -> dict[str, object]:
        found: dict[str, object] = self._browser.hub("GET", f"users/{self._browser.name}").json()["servers"].get("", {})
        return found


def test_without_kubernetes_each_server_has_its_users_repls(own_hub: Hub) -> None:
    browser = Browser(own_hub.url, "anna").login()
    token = browser.token()
    server = Own(own_hub, browser).run()
    assert server.call("GET", "project", token=browser.token("read:users!user"))[0] == 403
    assert server.call("POST", "project", {"replId": "mine", "language": "python"}, token=token)[0] == 201
    assert server.call("POST", "start", {"replId": "mine"}, token=token)[0] == 202
    wait_for(lambda: server.call("GET", "project/mine", token=token)[1]["phase"]["name"] == "running", 20)
    client = Client(server, "mine", Authorization=f"token {token}")
    terminal = client.terminal()
    client.type(terminal, b"echo kept > file; echo en''d\n")
    client.read_until(terminal, b"end")
    client.close()
    server.end()
    server.run()
    token = browser.token()
    assert server.call("GET", "project/mine", token=token)[1]["phase"]["name"] == "stopped", "it ended with its server"
    assert server.call("GET", "project/mine/file/file", token=token) == (200, b"kept\n")
    server.end()


def test_all_servers_of_a_user_show_the_same_repls(hub: Hub, service: Service, tmp_path: Path) -> None:
    browser = Browser(hub.url, "hedy").login()
    servers = [of_user(browser.token(), service, tmp_path / name / "home").start() for name in ("one", "two")]
    servers[0].make("both")
    ends = [Client(server, "both") for server in servers]
    terminal = ends[0].terminal()
    ends[1].terminal(terminal=terminal)
    ends[0].type(terminal, b"echo to''gether\n")
    for end in ends:
        end.read_until(terminal, b"together")
        end.close()
    servers[1].stop_repl("both")
    assert servers[0].phase("both")["name"] == "stopped"
    for server in servers:
        server.stop()
        shutil.rmtree(server.runtime_dir, ignore_errors=True)


def test_a_server_that_the_service_does_not_know_says_so(service: Service, tmp_path: Path) -> None:
    server = of_user("a-token-of-nobody", service, tmp_path / "home").start()
    status, error = server.call("GET", "project")
    assert (status, error["code"]) == (403, "NoPermissions")
    server.stop()
    shutil.rmtree(server.runtime_dir, ignore_errors=True)
