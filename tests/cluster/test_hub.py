"""A hub on the node: users' servers forward to the service, REPLs are pods, and outlive what they were opened from."""

import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
import requests
from support.channel import Client, Closed
from support.hub import PREFIX
from support.lab import elapse, wait_for
from support.node_hub import REPLS, NodeHub, NodeUser

pytestmark = [pytest.mark.cluster, pytest.mark.node, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def anna(node_hub: NodeHub) -> NodeUser:
    user = node_hub.user("anna")
    user.start_server()
    return user


def make(user: NodeUser, repl_id: str) -> None:
    """A REPL of the user's that runs."""
    assert user.call("POST", "project", {"replId": repl_id, "language": "python"})[0] == 201
    assert user.call("POST", "start", {"replId": repl_id})[0] == 202
    wait_for(lambda: phase(user, repl_id) == "running", 60)


def phase(user: NodeUser, repl_id: str) -> str:
    return str(user.call("GET", f"project/{repl_id}")[1]["phase"]["name"])


def test_a_forbidden_connection_is_refused(node_hub: NodeHub, anna: NodeUser) -> None:
    """Without this, all that follows could pass with nothing enforced."""
    pods = node_hub.node.kubectl("-n", REPLS, "get", "pods", "-o", "jsonpath={.items[*].status.podIP}").split()
    script = f"import socket; socket.create_connection(('{pods[0]}', 3001), 3)"
    assert "refused" in anna.execute(f'python3 -c "{script}" 2>&1')
    policy = node_hub.kubectl("get", "networkpolicy", "singleuser", "-o", "json")
    runners = node_hub.node.kubectl("-n", REPLS, "get", "networkpolicy", "runners", "-o", "json")
    node_hub.kubectl("delete", "networkpolicy", "singleuser")
    node_hub.node.kubectl("-n", REPLS, "delete", "networkpolicy", "runners")
    try:
        wait_for(lambda: "refused" not in anna.execute(f'python3 -c "{script}" 2>&1'), 20)
    finally:
        node_hub.node.kubectl("apply", "-f", "-", text=policy)
        node_hub.node.kubectl("apply", "-f", "-", text=runners)
    wait_for(lambda: "refused" in anna.execute(f'python3 -c "{script}" 2>&1'), 20)


def test_a_users_server_forwards_with_its_own_token(node_hub: NodeHub, anna: NodeUser) -> None:
    session = anna.browser.session
    base = f"{node_hub.url}/user/anna/"
    session.get(f"{base}lab", timeout=30).raise_for_status()  # OAuth with the server
    xsrf = {"X-XSRFToken": anna.browser.xsrf("/user/anna/")}
    made = session.post(f"{base}repl/project", json={"replId": "mine", "language": "python"}, headers=xsrf, timeout=30)
    assert made.status_code == 201, made.text
    assert [each["replId"] for each in anna.call("GET", "project")[1]] == ["mine"]
    assert session.post(f"{base}repl/start", json={"replId": "mine"}, timeout=30).status_code == 403, "no XSRF token"
    assert session.post(f"{base}repl/start", json={"replId": "mine"}, headers=xsrf, timeout=30).status_code == 202
    wait_for(lambda: phase(anna, "mine") == "running", 60)
    client = Client(anna.server, "mine", Authorization=f"token {anna.token}")
    terminal = client.terminal()
    client.type(terminal, b"whoami; echo en''d\n")
    assert b"repl" in client.read_until(terminal, b"end")
    client.close()
    anna.call("DELETE", "project/mine")


class Typist:
    """Types lines into a terminal of its own over a channel that comes back, and notes for how long it was away."""

    def __init__(self, user: NodeUser, repl_id: str, name: str) -> None:
        self._user, self._repl_id, self._file = user, repl_id, f"typed-{name}"
        self.gaps: list[float] = []
        self.codes: list[int] = []
        self.sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Typist":
        self._client = self._connect()
        self._terminal = self._client.terminal(viewer=self._file)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _connect(self) -> Client:
        return Client(self._user.service, self._repl_id, timeout=5, Authorization=f"token {self._user.token}")

    def _line(self, number: int) -> str:
        return f"echo {number} >> {self._file}\n"

    def _run(self) -> None:
        down = 0.0
        while not self._stop.is_set() or down:
            try:
                if down:
                    self._come_back()
                    self.gaps.append(time.monotonic() - down)
                    down = 0.0
                self.sent += 1
                self._client.type(self._terminal, self._line(self.sent).encode())
                self._client.request("keep")
                elapse(0.05)
            except Closed as error:
                self.codes.append(error.code)
                down = down or time.monotonic()
            except Exception as error:  # the connection was cut, or there is no route yet
                self.codes.append(getattr(error, "code", 1006))
                down = down or time.monotonic()
                elapse(0.1)

    def _come_back(self) -> None:
        typed = dict(self._client.typed)
        with suppress(OSError):
            self._client.drop()
        unacked = self._client
        self._client = self._connect()
        self._client.terminal(viewer=self._file, terminal=self._terminal, **{"from": unacked.next[self._terminal]})
        received = self._client.typed[self._terminal]
        missing = typed[self._terminal] - received
        if missing:  # lines are numbered, so the last ones can be made again
            text = "".join(self._line(number) for number in range(1, self.sent + 1)).encode()
            self._client.type(self._terminal, text[received:])

    def check(self) -> None:
        """All lines have arrived, once and in order."""
        wanted = "".join(f"{number}\n" for number in range(1, self.sent + 1)).encode()

        def found() -> bytes:
            return bytes(self._user.call("GET", f"project/{self._repl_id}/file/{self._file}")[1])

        wait_for(lambda: len(found()) >= len(wanted), 20)
        assert found() == wanted


@pytest.fixture
def repl(anna: NodeUser, request: pytest.FixtureRequest) -> Iterator[str]:
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:10]
    make(anna, f"r-{name}")
    yield f"r-{name}"
    anna.call("POST", "stop", {"replId": f"r-{name}", "discard": True})


def replicas(hub: NodeHub) -> list[str]:
    return hub.kubectl("get", "pods", "-l", "app.kubernetes.io/name=jupyter-repl", "-o", "name").split()


def rolled(hub: NodeHub) -> None:
    """Returns when the old replicas are gone."""
    before = set(replicas(hub))
    hub.restart("repl")
    wait_for(lambda: not before & set(replicas(hub)), 60)


def killed(hub: NodeHub) -> None:
    """SIGKILL to the process of one replica."""
    name = replicas(hub)[0].removeprefix("pod/")
    (status,) = json.loads(hub.kubectl("get", "pod", name, "-o", "json"))["status"]["containerStatuses"]
    os.kill(hub.node.pids_of(status["containerID"])[0], signal.SIGKILL)
    wait_for(lambda: "false" in hub.kubectl("get", "pod", name, "-o", "jsonpath={.status.containerStatuses[0].ready}"))
    hub.kubectl("rollout", "status", "deployment/repl", "--timeout=120s")


def hub_restarted(hub: NodeHub) -> None:
    hub.restart("hub")


def proxy_restarted(hub: NodeHub) -> None:
    hub.restart("proxy")


@pytest.mark.parametrize(
    ("act", "code", "most"),
    [(rolled, 1012, 3.0), (killed, 1006, 3.0), (hub_restarted, None, 0.0), (proxy_restarted, 1006, 90.0)],
)
def test_terminals_lose_nothing(
    node_hub: NodeHub, anna: NodeUser, repl: str, act: Any, code: int | None, most: float
) -> None:
    """The times for which a channel is away are rows of the benchmark; here they have room for a busy machine."""
    with ExitStack() as stack:
        typists = [stack.enter_context(Typist(anna, repl, str(number))) for number in range(4)]
        for typist in typists:
            wait_for(lambda typist=typist: typist.sent > 10, 20)
        act(node_hub)
        for typist in typists:
            wait_for(lambda typist=typist, before=typist.sent: typist.sent > before + 10, 120)
    gaps = [gap for typist in typists for gap in typist.gaps]
    print(json.dumps({"act": act.__name__, "gaps": gaps, "codes": [typist.codes[:1] for typist in typists]}))
    for typist in typists:
        typist.check()
    first = {typist.codes[0] for typist in typists if typist.codes}
    assert first == ({code} if code else set())
    assert max(gaps, default=0) < most or not code


def test_no_request_is_lost_while_the_service_is_rolled(node_hub: NodeHub, anna: NodeUser) -> None:
    stop, statuses = threading.Event(), []

    def ask() -> None:
        headers = {"Authorization": f"token {anna.token}"}
        with requests.Session() as session:
            while not stop.is_set():
                answer = session.get(f"{node_hub.url}{PREFIX}repl/project", headers=headers, timeout=20)
                statuses.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    rolled(node_hub)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert set(statuses) == {200}
    assert len(statuses) > 50


def test_a_start_goes_on_at_another_replica(node_hub: NodeHub, anna: NodeUser) -> None:
    assert anna.call("POST", "project", {"replId": "handed", "language": "python"})[0] == 201
    for _ in range(4):  # the pool has one pod; the others start cold, which takes a second or two
        anna.call("POST", "start", {"replId": "handed"})
    rolled(node_hub)
    wait_for(lambda: phase(anna, "handed") == "running", 60)
    anna.call("DELETE", "project/handed")


def test_metrics_are_out_of_reach(node_hub: NodeHub, anna: NodeUser) -> None:
    headers = {"Authorization": f"token {anna.token}"}
    for path in ("metrics", "metrics/", "%2Fmetrics", "repl/../metrics"):
        assert requests.get(f"{node_hub.url}{PREFIX}{path}", headers=headers, timeout=10).status_code in (403, 404)
    address = node_hub.kubectl(
        "get", "pods", "-l", "app.kubernetes.io/name=jupyter-repl", "-o", "jsonpath={.items[0].status.podIP}"
    )
    said = anna.execute(f"curl -sm 3 http://{address}:9090/metrics | head -c 20; echo code $?")
    assert "HELP" not in said
