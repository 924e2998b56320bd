"""docs/protocol.md suffices to write a client: here is one, in thirty lines, that makes, starts, edits and runs."""

import json
import urllib.request

import websocket
from support.lab import TOKEN, Lab


def test_a_client_in_thirty_lines(shared_lab: Lab) -> None:
    # --- thirty lines
    base, auth = f"127.0.0.1:{shared_lab.port}/repl", {"Authorization": f"token {TOKEN}"}

    def call(method: str, path: str, body: object = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{base}/{path}", data, auth, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return bytes(response.read())

    call("POST", "project", {"replId": "quiet-otter", "language": "python"})
    call("POST", "start", {"replId": "quiet-otter"})
    assert b'"running"' in call("GET", "project/quiet-otter/events")
    channel = websocket.create_connection(
        f"ws://{base}/project/quiet-otter/channel", subprotocols=["jupyter-repl.v1"], header=auth, timeout=20
    )
    seen, sent = [json.loads(channel.recv())], 0

    def wait(event: str, **fields: object) -> dict[str, object]:
        while True:
            for message in seen:
                if message["event"] == event and fields.items() <= {**message.get("data", {}), **message}.items():
                    return dict(message["data"])
            seen.append(json.loads(channel.recv()))

    def ask(event: str, **data: object) -> dict[str, object]:
        nonlocal sent
        sent += 1
        channel.send(json.dumps({"event": event, "data": data, "id": sent}))
        return wait("reply", id=sent)

    # --- and what it does
    try:
        assert wait("loaded")["main"] == "main.py"
        etag = ask("fetchContent", path="main.py")["etag"]
        assert ask("updateContent", path="main.py", content="print(input())\n", etag=etag)["etag"] != etag
        run = ask("run", rows=24, cols=80)
        ask("requestTerminal", rows=24, cols=80, terminal=run["terminal"], text=True)
        ask("terminalData", terminal=run["terminal"], data="hello from thirty lines\n")
        assert wait("runExit", run=run["run"])["code"] == 0
        output = "".join(m["data"]["data"] for m in seen if m["event"] == "terminal")
        assert output.count("hello from thirty lines") == 2, "echoed once, printed once"
    finally:
        channel.close()
        channel.shutdown()
