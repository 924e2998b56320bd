"""The channel through the extension's relay: a real server, a real runner, real programs."""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.channel import INPUT, Client
from support.lab import Lab, elapse, wait_for
from support.processes import pids, repl_processes
from websocket import WebSocketConnectionClosedException


def test_loaded_comes_first(client: Client) -> None:
    loaded = client.loaded
    assert (loaded["replId"], loaded["language"], loaded["main"]) == ("abc", "python", "main.py")
    assert {"type": "file", "name": "main.py", "path": "main.py"} in loaded["rootContent"]


def test_an_idle_channel_stays_open(client: Client, repl: Lab) -> None:
    """Jupyter's pings come every 30 s; ours, and a word for those who can't see pings, every 10. To answer them is no
    activity: an open tab alone keeps no server from being culled."""
    before = wait_for(lambda: stays_the_same(repl) and repl.last_activity, 10)
    until = time.monotonic() + 33
    while time.monotonic() < until:
        client.pump(1)
    assert sum(message["event"] == "alive" for message in client.events) == 3
    assert repl.last_activity == before
    assert client.request("fetchDir", path="")["content"]


def stays_the_same(lab: Lab) -> bool:
    before = lab.last_activity
    elapse(1.5)  # activity is noted once a second
    return lab.last_activity == before


def test_the_seven_events_of_the_predecessor(client: Client) -> None:
    saved = client.request("updateContent", path="seven/x.txt", content="one\n")
    assert client.request("fetchContent", path="seven/x.txt") == {"content": "one\n", "etag": saved["etag"]}
    (row,) = client.request("fetchDir", path="seven")["content"]
    assert (row["type"], row["name"], row["path"], row["size"]) == ("file", "x.txt", "seven/x.txt", 4)
    assert row["mtime"] > 1e9
    number = client.request("requestTerminal", rows=24, cols=80, text=True)["terminal"]
    client.request("terminalData", terminal=number, data="cat seven/x.txt; echo ü😀\n")
    seen = ""
    while "\nü😀" not in seen or "one" not in seen:
        seen += client.wait_event("terminal", terminal=number)["data"]
    client.request("closeTerminal", terminal=number)


def test_a_stale_etag_is_a_conflict_and_nothing_is_lost(client: Client) -> None:
    first = client.request("updateContent", path="c.txt", content="1")["etag"]
    second = client.request("updateContent", path="c.txt", content="2", etag=first)["etag"]
    assert client.error("updateContent", path="c.txt", content="3", etag=first)["code"] == "Conflict"
    assert client.request("fetchContent", path="c.txt") == {"content": "2", "etag": second}


def test_file_operations(client: Client, repl: Lab) -> None:
    client.request("create", path="ops", type="dir")
    client.request("create", path="ops/a.txt", type="file")
    assert client.error("create", path="ops/a.txt", type="file")["code"] == "FileExists"
    assert client.request("rename", path="ops/a.txt", name="b.txt")["path"] == "ops/b.txt"
    client.request("copy", path="ops", to="ops2")
    client.request("move", path="ops/b.txt", to="ops2/c.txt")
    assert client.error("move", path="ops2/b.txt", to="ops2/c.txt")["code"] == "FileExists"
    assert client.error("move", path="ops2", to="ops2/inside")["code"] == "InvalidRequest"
    client.request("delete", path="ops")
    assert sorted(p.name for p in (repl.project("abc") / "ops2").iterdir()) == ["b.txt", "c.txt"]
    assert client.error("delete", path="ops")["code"] == "FileNotFound"


def test_changes_of_the_shell_are_told(client: Client) -> None:
    terminal = client.terminal()
    client.type(terminal, b"mkdir -p new/deep && echo hi > new/deep/file.txt\n")
    seen: set[str] = set()
    while not {"", "new/deep/file.txt"} <= seen:
        changed = client.wait_event("changed", 5)
        seen |= {*changed.get("dirs", []), *(file["path"] for file in changed.get("files", []))}
    client.type(terminal, b"rm -r new\n")
    while not any(file == {"path": "new/deep/file.txt", "etag": None} for file in changed.get("files", [])):
        changed = client.wait_event("changed", 5)


def test_a_storm_of_changes_is_told_in_few_messages(client: Client) -> None:
    terminal = client.terminal()
    # `mv` out of a folder that is not watched: all files come at once, however slow the machine is. A loop on a slow
    # machine creates so few files in a tenth of a second that each may be named.
    client.type(terminal, b"mkdir -p .git/storm; (cd .git/storm; seq 3000 | xargs touch); mv .git/storm storm\n")
    client.type(terminal, b'for i in $(seq 3000); do : > storm/$i; done; echo sto"rm done"\n')
    client.read_until(terminal, b"storm done", 20)
    client.wait_event("changed", all=True)
    client.request("fetchDir", path="")
    messages = [event for event in client.events if event["event"] == "changed"]
    assert sum(len(json.dumps(message)) for message in messages) < 300_000
    assert len(client.request("fetchDir", path="storm", offset=2999)["content"]) == 1
    client.type(terminal, b"rm -r storm\n")


def test_any_bytes_pass_both_ways(client: Client) -> None:
    terminal = client.terminal()
    client.type(terminal, b'stty raw -echo; echo rea"dy"; head -c 300000 | sha256sum; stty sane\n')
    client.read_until(terminal, b"ready")
    data = bytes(random.Random(1).randbytes(300_000))
    sent = 0
    while sent < len(data):
        while client.typed[terminal] - client.acked.get(terminal, 0) > 48_000:
            client.pump(5)
        client.type(terminal, data[sent : sent + 10_000])
        sent += 10_000
    client.read_until(terminal, hashlib.sha256(data).hexdigest().encode(), 20)


def test_output_is_exact_also_when_utf8_is_split(client: Client) -> None:
    terminal = client.terminal()
    text = "ü€😀" * 40_000
    client.request("updateContent", path="u.txt", content=text[:40_000])
    client.type(terminal, b'stty -onlcr; cat u.txt u.txt u.txt u.txt; echo; echo e"nd"\n')
    seen = client.read_until(terminal, b"end", 20)
    assert (text[:40_000] * 4).encode() in seen


def test_resize_reaches_the_program(client: Client) -> None:
    terminal = client.terminal(rows=30, cols=100)
    client.type(terminal, b"trap 'echo wi''nched' WINCH; stty size; echo re''ady\n")
    client.read_until(terminal, b"30 100\r\nready")  # before, the signal may go to stty
    client.request("resizeTerminal", terminal=terminal, rows=41, cols=77)
    client.type(terminal, b"stty size\n")
    client.read_until(terminal, b"41 77")
    client.read_until(terminal, b"winched")
    assert client.error("resizeTerminal", terminal=terminal, rows=0, cols=1)["code"] == "InvalidRequest"


def test_exit_and_reopen(client: Client) -> None:
    terminal = client.terminal()
    client.type(terminal, b"exit 7\n")
    assert client.wait_event("terminalExit", terminal=terminal) == {"terminal": terminal, "code": 7, "signal": None}
    other = client.terminal()
    assert other != terminal
    client.type(other, b"kill -9 $$\n")
    assert client.wait_event("terminalExit", terminal=other)["signal"] == "SIGKILL"


def test_nothing_is_left_of_a_closed_terminal(client: Client, repl: Lab) -> None:
    terminal = client.terminal()
    client.type(terminal, b'nohup setsid sleep 54321 >/dev/null 2>&1 & sleep 54322 & echo star"ted"\n')
    client.read_until(terminal, b"started")
    client.request("closeTerminal", terminal=terminal)
    wait_for(lambda: not [command for command in repl_processes(repl) if "5432" in command], 5)
    assert client.error("requestTerminal", rows=24, cols=80, terminal=terminal)["code"] == "FileNotFound"


def test_resume_loses_and_repeats_nothing(client: Client, repl: Lab) -> None:
    name = "viewer-1"
    terminal = client.terminal(viewer=name)
    client.type(
        terminal, b'stty -echo; PS1=; for i in $(seq 20000); do echo line $i; done; echo e"nd"; cat > typed.txt\n'
    )
    while len(client.output[terminal]) < 40_000:
        client.pump(5)
    before = bytes(client.output[terminal])
    client.drop()
    again = Client(repl, "abc")
    again.output[terminal] = bytearray()
    again.next[terminal] = client.next[terminal]
    assert again.terminal(terminal=terminal, viewer=name, **{"from": client.next[terminal]}) == terminal
    assert again.typed[terminal] == client.typed[terminal], "the runner remembers what this viewer typed"
    rest = again.read_until(terminal, b"end", 20)
    numbers = [int(found) for found in re.findall(rb"line (\d+)\r\n", before + rest)]
    assert numbers == list(range(1, 20001))
    assert again.gaps == 0
    # input that was sent twice is written once
    again.send_frame(INPUT, terminal, again.typed[terminal], b"hello ")
    again.send_frame(INPUT, terminal, again.typed[terminal] + 3, b"lo world\n\x04")
    wait_for(lambda: (repl.project("abc") / "typed.txt").read_text() == "hello world\n")
    again.request("closeTerminal", terminal=terminal)
    again.close()


def test_a_gap_beyond_the_ring_is_marked(client: Client, repl: Lab) -> None:
    terminal = client.terminal(viewer="v")
    watcher = Client(repl, "abc")
    watcher.terminal(terminal=terminal)
    client.silent.add(terminal)
    watcher.type(terminal, b"head -c 12000000 /dev/zero | tr '\\0' x; echo e\"nd\"\n")
    watcher.read_until(terminal, b"end", 60)
    client.silent.clear()
    client.send_frame(3, terminal, client.next[terminal])
    client.read_until(terminal, b"end", 30)
    assert client.gaps > 0
    watcher.close()


def test_how_much_is_kept_is_a_setting(home: Path) -> None:
    lab = Lab(home, JUPYTER_REPL_TERMINAL_RING="65536").start()
    try:
        lab.make("small")
        client = Client(lab, "small")
        terminal = client.terminal()
        client.type(terminal, b"head -c 1000000 /dev/zero | tr '\\0' x; echo e''nd\n")
        end = len(client.read_until(terminal, b"end\r\n", 30))
        reply = client.request("requestTerminal", rows=24, cols=80, terminal=terminal, **{"from": 0})
        assert reply["offset"] == reply["start"]
        assert 65_536 <= end - reply["start"] <= 2 * 65_536
        client.close()
    finally:
        lab.stop()
        shutil.rmtree(lab.runtime_dir, ignore_errors=True)


def test_credit_stops_a_flood_that_nobody_acknowledges(client: Client, repl: Lab) -> None:
    terminal = client.terminal()
    client.silent.add(terminal)
    client.type(terminal, b"yes\n")
    until = time.monotonic() + 2
    while time.monotonic() < until:
        client.pump(0.2)
    stopped_at = client.next[terminal]
    assert stopped_at <= (4 << 20) + (64 << 10)
    other = Client(repl, "abc")
    number = other.terminal()
    started = time.monotonic()
    other.type(number, b'echo pi"ng"\n')
    other.read_until(number, b"ping")
    assert time.monotonic() - started < 5
    client.interrupt(terminal)
    client.silent.clear()
    client.send_frame(3, terminal, client.next[terminal])
    client.type(terminal, b'echo al"ive"\n')
    client.read_until(terminal, b"alive", 20)
    other.close()


def test_an_interrupt_overtakes_input_that_nobody_reads(client: Client) -> None:
    terminal = client.terminal()
    client.type(terminal, b"sh -c 'echo g\"o\"; exec sleep 1000'\n")  # which says so once the terminal is its own
    client.read_until(terminal, b"go")
    for _ in range(6):
        client.type(terminal, b"x" * 10_000)
    client.interrupt(terminal)
    client.type(terminal, b'\necho ba"ck"\n')
    client.read_until(terminal, b"back", 10)


BAD_PATHS = ["../x", "/etc/passwd", "a\0b", "n" * 5000, "", "a/../../x", None, 7, ["x"], "outside/x"]


@pytest.mark.parametrize("path", BAD_PATHS, ids=repr)
@pytest.mark.parametrize("event", ["fetchContent", "updateContent", "create", "delete", "rename", "move", "copy"])
def test_bad_paths_are_refused_and_nothing_is_touched(client: Client, repl: Lab, event: str, path: object) -> None:
    outside = repl.home / "outside-folder"
    outside.mkdir(exist_ok=True)
    (outside / "x").write_text("untouched")
    link = repl.project("abc") / "outside"
    if not link.is_symlink():
        link.symlink_to(outside)
    error = client.error(event, path=path, content="bad", to="main2.py", name="main2.py", type="file")
    assert error["code"] in ("NoPermissions", "InvalidRequest")
    assert error["message"]
    assert (outside / "x").read_text() == "untouched"
    assert not (repl.home / "x").exists()


MALFORMED = ["", "nope", "[]", "{}", '{"event": 7}', '{"event":"fetchDir","data":7}', '{"event":"loaded"}', "[" * 9999]


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: text[:12] or "empty")
def test_a_malformed_message_gets_an_error_and_changes_nothing(client: Client, text: str) -> None:
    client.send(text)
    reply = client._until(lambda m: m["event"] == "reply", 5)
    assert reply["error"]["code"] == "InvalidRequest"
    client.request("fetchDir", path="")


def close_code(client: Client) -> int:
    """Of the close frame that comes, after any other messages."""
    opcode, data = 0, b""
    while opcode != 8:
        opcode, data = client._ws.recv_data()
    return int.from_bytes(data[:2], "big")


def test_a_frame_beyond_all_measure_closes_the_channel_and_nothing_else(repl: Lab) -> None:
    client, other = Client(repl, "abc"), Client(repl, "abc")
    client.send("x" * ((1 << 20) + 1))
    assert close_code(client) == 1009
    other.request("fetchDir", path="")


def test_the_channel_of_a_server_with_tls(tmp_path: Path) -> None:
    certificate = tmp_path / "server.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*command.split(), "-keyout", certificate, "-out", tmp_path / "certificate"], check=True)
    with open(certificate, "ab") as both:
        both.write((tmp_path / "certificate").read_bytes())
    lab = Lab(tmp_path / "home", certificate=certificate).start()
    try:
        lab.make("safe")
        client = Client(lab, "safe")
        terminal = client.terminal()
        client.type(terminal, b"head -c 3000000 /dev/zero | tr '\\0' z; echo; echo do''ne\n")
        client.read_until(terminal, b"done", 30)
        assert client.output[terminal].count(b"z") >= 3_000_000
        client.close()
    finally:
        lab.stop()
        shutil.rmtree(lab.runtime_dir, ignore_errors=True)


def test_a_runner_that_was_killed_ends_the_channel(shared_lab: Lab) -> None:
    shared_lab.make("gone")
    client = Client(shared_lab, "gone")
    runner = min(pids("serve", shared_lab, "gone"))  # a child that is not a program of its own yet looks the same
    os.kill(runner, signal.SIGKILL)
    with pytest.raises(WebSocketConnectionClosedException):
        close_code(client)
    client.close()
