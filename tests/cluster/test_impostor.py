"""A program holds sync's port: it is not believed, it gets no key, and saving goes on without the port."""

import json
import os
import signal
from typing import Any

import pytest
from support.channel import Client
from support.lab import stays, wait_for
from support.pod_lab import PodLab

IMPOSTOR = '''
import json, pathlib, socket, sys, time, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

heard = pathlib.Path("/repl/home/heard.jsonl")
answers = {}

class Handler(BaseHTTPRequestHandler):
    """Notes what it is asked, and answers with what it has got from the real one, else with what is wanted."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        with heard.open("a") as file:
            file.write(json.dumps([self.path, dict(self.headers), body]) + "\\n")
        said = json.dumps({"generation": 1, "open": True, "expires": 1, "saved": True, "reason": "", "hint": "",
                           "pending": 0, "marks": {"state": "saved", "reason": "", "hint": ""}})
        said = answers.get(self.path, "0" * 64 + " " + said + "\\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass

def replay():
    """Ask the real one what we were asked, and keep what it says."""
    for line in heard.read_text().splitlines() if heard.exists() else ():
        path, headers, body = json.loads(line)
        request = urllib.request.Request("http://127.0.0.1:3002" + path, body.encode(), headers, method="POST")
        try:
            answers[path] = urllib.request.urlopen(request, timeout=20).read().decode()
        except OSError as error:
            pass
    print("replayed", sorted(answers), flush=True)

replay()
print("waiting", flush=True)
while True:
    try:
        server = HTTPServer(("", 3002), Handler)
        break
    except OSError:
        time.sleep(0.005)
print("list" + "ening", flush=True)
server.serve_forever()
'''


def kill_sync(lab: PodLab) -> None:
    os.kill(lab.pids("abc", "sync")[0], signal.SIGKILL)


def heard(lab: PodLab) -> list[Any]:
    file = lab.volume("abc") / "home/heard.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.timeout(300)  # the kubelet waits longer with each restart of sync
def test_who_holds_syncs_port_is_not_believed(lab: PodLab) -> None:
    lab.make("abc")
    client = Client(lab, "abc")
    client.request("updateContent", path="impostor.py", content=IMPOSTOR)
    terminal = client.terminal()
    client.type(terminal, b"python3 impostor.py\n")
    client.read_until(terminal, b"waiting\r\n", 15)
    kill_sync(lab)
    client.read_until(terminal, b"listening\r\n", 20)
    client.request("updateContent", path="while.txt", content="without its port\n")
    wait_for(lambda: lab.objects("code/abc/").get("while.txt") == b"without its port\n", 60)
    phase = wait_for(lambda: lab.phase("abc").get("reason") and lab.phase("abc"), 60)
    assert "port 3002" in phase["reason"]
    assert phase["hint"]
    assert "port 3002" in refused_stop(lab)["reason"]
    asked = {path for path, _, _ in heard(lab)}
    assert asked == {"/status", "/flush"}, "nothing else is sent to somebody who has proved nothing"

    # Once more, with answers that the real one has given to the same questions.
    client.type(terminal, b"\x03")
    wait_for(lambda: "reason" not in lab.phase("abc"), 60)
    client.type(terminal, b"clear; python3 impostor.py\n")
    client.read_until(terminal, b"replayed ['/flush', '/status']\r\n", 30)
    client.read_until(terminal, b"waiting\r\n", 15)
    kill_sync(lab)
    client.read_until(terminal, b"listening\r\n", 60)
    assert "port 3002" in refused_stop(lab)["reason"]
    stays(lambda: lab.phase("abc")["name"] == "running", 1)

    client.type(terminal, b"\x03")
    client.request("updateContent", path="last.txt", content="last\n")
    wait_for(
        lambda: lab.call("POST", "stop", {"replId": "abc"})[0] == 202 and lab.phase("abc")["name"] != "running", 60
    )
    wait_for(lambda: lab.phase("abc")["name"] == "stopped", 60)
    assert lab.objects("code/abc/")["last.txt"] == b"last\n"


def refused_stop(lab: PodLab) -> Any:
    """What a stop is refused with."""
    assert lab.call("POST", "stop", {"replId": "abc"})[0] == 202
    return wait_for(lambda: (phase := lab.phase("abc"))["name"] == "running" and phase, 60)
