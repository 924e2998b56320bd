"""Which connections are refused from inside: a table of attacks, and of the policies that stop each of them.

For each row the test sees the attack fail as things are, succeed when all its layers are deleted, and fail again with
each of the layers alone. So no layer is there for nothing, and no row passes because nothing listens.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.lab import elapse
from support.node_hub import API, NAMESPACE, REPLS, NodeHub, NodeUser

from .test_hub import make

pytestmark = [pytest.mark.cluster, pytest.mark.node, pytest.mark.timeout(300)]

SETTLE_SECONDS = 30.0
METADATA, LAN = "169.254.169.254", "192.168.77.7"
POLICIES = {
    "servers": (NAMESPACE, "singleuser"),
    "runners": (REPLS, "runners"),
    "service": (NAMESPACE, "repl"),
    "hub": (NAMESPACE, "hub"),
    "proxy": (NAMESPACE, "proxy"),
}
ATTEMPT = """
import json, socket, sys
def attempt(address):
    try:
        socket.create_connection(tuple(address), 3).close()
        return True
    except OSError:
        return False
print(json.dumps([attempt(each) for each in json.loads(sys.argv[1])]))
"""
SERVE = """
import socket, sys
server = socket.create_server(("", 80))
print("ready", flush=True)
while True: server.accept()[0].close()
"""


@dataclass(frozen=True)
class Row:
    """An attack of Anna's on something of Bert's, or of everybody's."""

    attacker: str
    """From her server, or from a shell in the pod of her REPL."""
    target: str
    layers: tuple[str, ...]


ROWS = [
    Row("server", "Bert's runner", ("servers", "runners")),
    Row("server", "Bert's sync", ("servers", "runners")),
    Row("server", "the port of Bert's app", ("servers", "runners")),
    Row("server", "the service's metrics", ("servers", "service")),
    Row("server", "Bert's server", ("servers",)),
    Row("server", "the proxy's API", ("servers", "proxy")),
    Row("server", "Kubernetes' API", ("servers",)),
    Row("server", "the metadata address", ("servers",)),
    Row("server", "the LAN", ("servers",)),
    Row("repl", "Bert's runner", ("runners",)),
    Row("repl", "Bert's sync", ("runners",)),
    Row("repl", "the port of Bert's app", ("runners",)),
    Row("repl", "the service", ("runners", "service")),
    Row("repl", "the service's metrics", ("runners", "service")),
    Row("repl", "Bert's server", ("runners", "servers")),
    Row("repl", "the hub", ("runners", "hub")),
    Row("repl", "the proxy's API", ("runners", "proxy")),
    Row("repl", "Kubernetes' API", ("runners",)),
    Row("repl", "the metadata address", ("runners",)),
    Row("repl", "the LAN", ("runners",)),
]


@dataclass
class Scene:
    """`open_with[kept]`: whether each row's attack succeeds while only the policies `kept` are there."""

    hub: NodeHub
    anna: NodeUser
    targets: dict[str, tuple[str, int]]
    repl_pod: str
    open_with: dict[tuple[str, ...], dict[Row, bool]] = field(default_factory=dict)

    def attempt(self) -> dict[Row, bool]:
        found = {}
        for attacker in ("server", "repl"):
            rows = [row for row in ROWS if row.attacker == attacker]
            addresses = json.dumps([self.targets[row.target] for row in rows])
            if attacker == "server":
                place = ("-n", NAMESPACE, "exec", self.anna.pod)
            else:
                place = ("-n", REPLS, "exec", self.repl_pod, "-c", "runner")
            said = self.hub.node.kubectl(*place, "--", "python3", "-c", ATTEMPT, addresses)
            found.update(zip(rows, json.loads(said), strict=True))
        return found

    def look(self, *kept: str) -> None:
        """Keep only these policies. A change takes effect within a second, on a busy machine later: so try until all is
        as the table says, and note what came last."""
        wanted = {row: not set(row.layers) & set(kept) for row in ROWS}
        with without(self.hub, *(name for name in POLICIES if name not in kept)):
            until = time.monotonic() + SETTLE_SECONDS
            while (found := self.attempt()) != wanted and time.monotonic() < until:
                elapse(0.2)
        self.open_with[tuple(sorted(kept))] = found


@contextmanager
def without(hub: NodeHub, *names: str) -> Iterator[None]:
    """Delete policies for a while."""
    kept = []
    for name in names:
        namespace, policy = POLICIES[name]
        model = json.loads(hub.node.kubectl("-n", namespace, "get", "networkpolicy", policy, "-o", "json"))
        model["metadata"] = {key: model["metadata"][key] for key in ("name", "namespace")}
        kept.append(json.dumps(model))
        hub.node.kubectl("-n", namespace, "delete", "networkpolicy", policy)
    try:
        yield
    finally:
        for text in kept:
            hub.node.kubectl("apply", "-f", "-", text=text)


@pytest.fixture(scope="module")
def scene(node_hub: NodeHub) -> Iterator[Scene]:
    anna, bert = node_hub.user("anna"), node_hub.user("bert")
    for user in (anna, bert):
        user.start_server()
        make(user, "isolated")
    kubectl = node_hub.node.kubectl
    pods = json.loads(kubectl("-n", REPLS, "get", "pods", "-l", "jupyter-repl/owner", "-o", "json"))["items"]
    by_owner: dict[str, Any] = {pod["metadata"]["labels"]["jupyter-repl/owner"]: pod for pod in pods}
    theirs = by_owner["bert"]["status"]["podIP"]
    serve = "import http.server as h; h.HTTPServer(('', 3000), h.SimpleHTTPRequestHandler).serve_forever()"
    app = f'setsid python3 -c "{serve}" > /dev/null 2>&1 &'
    kubectl("-n", REPLS, "exec", by_owner["bert"]["metadata"]["name"], "-c", "runner", "--", "bash", "-c", app)
    components = json.loads(node_hub.kubectl("get", "pods", "-o", "json"))["items"]
    ips = {pod["metadata"]["labels"].get("app.kubernetes.io/component", "service"): pod for pod in components}
    ip = {name: pod["status"]["podIP"] for name, pod in ips.items()}
    (server,) = [pod["status"]["podIP"] for pod in components if pod["metadata"]["name"] == bert.pod]
    targets = {
        "Bert's runner": (theirs, 3001),
        "Bert's sync": (theirs, 3002),
        "the port of Bert's app": (theirs, 3000),
        "the service": (ip["service"], 8888),
        "the service's metrics": (ip["service"], 9090),
        "Bert's server": (server, 8888),
        "the hub": (ip["hub"], 8081),
        "the proxy's API": (ip["proxy"], 8001),
        "Kubernetes' API": API,
        "the metadata address": (METADATA, 80),
        "the LAN": (LAN, 80),
    }
    inside = ["nsenter", "--net=/run/netns/repl-node"]
    for address in (METADATA, LAN):
        subprocess.run([*inside, "ip", "addr", "add", f"{address}/32", "dev", "lo"], check=False, capture_output=True)
    with subprocess.Popen([*inside, sys.executable, "-c", SERVE], stdout=subprocess.PIPE) as listener:
        assert listener.stdout is not None
        listener.stdout.readline()
        try:
            yield Scene(node_hub, anna, targets, by_owner["anna"]["metadata"]["name"])
        finally:
            listener.kill()
            for user in (anna, bert):
                user.call("POST", "stop", {"replId": "isolated", "discard": True})


@pytest.fixture(scope="module")
def looked(scene: Scene) -> Scene:
    """With the results of all rows in each state, since each state takes seconds to come."""
    scene.look(*POLICIES)
    scene.look()
    for name in POLICIES:
        scene.look(name)
    return scene


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.attacker} to {row.target}")
def test_each_layer_stops_it_alone(looked: Scene, row: Row) -> None:
    assert not looked.open_with[tuple(sorted(POLICIES))][row], "refused, as things are"
    assert looked.open_with[()][row], "without its layers the attack succeeds"
    for layer in row.layers:
        assert not looked.open_with[(layer,)][row], f"{layer} alone stops it"
    for other in set(POLICIES) - set(row.layers):
        assert looked.open_with[(other,)][row], f"the table misses a layer: {other}"
