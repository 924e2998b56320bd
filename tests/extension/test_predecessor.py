"""Each weakness of the system that this one succeeds, under its name. Those of the tab are in tests/browser."""

from collections.abc import Iterator

import psutil
import pytest
from support.channel import Client
from support.lab import Lab, wait_for
from support.processes import pids


@pytest.fixture
def client(repl: Lab) -> Iterator[Client]:
    """Connected, and at the end the proof that the same runner still answers on the same channel."""
    before = pids("serve", repl, "abc")
    client = Client(repl, "abc")
    yield client
    assert client.request("fetchContent", path="main.py")["content"]
    assert pids("serve", repl, "abc") == before != []


# --- the runner's process dies


def test_dies_when_a_file_is_opened_that_was_deleted_in_the_terminal(client: Client, repl: Lab) -> None:
    (repl.project("abc") / "short-lived.txt").write_text("x")
    terminal = client.terminal()
    client.type(terminal, b"rm short-lived.txt; echo go''ne\n")
    client.read_until(terminal, b"gone")
    assert client.error("fetchContent", path="short-lived.txt")["code"] == "FileNotFound"


def test_dies_of_a_link_to_a_directory(client: Client, repl: Lab) -> None:
    project = repl.project("abc")
    (project / "real").mkdir()
    (project / "link").symlink_to("real")
    (project / "loop").symlink_to("loop")
    names = {row["name"] for row in client.request("fetchDir", path="")["content"]}
    assert {"real", "link", "loop"} <= names
    assert "error" in client.ask("fetchContent", path="link")
    assert "error" in client.ask("fetchContent", path="loop")


def test_dies_of_saving_into_a_missing_directory(client: Client, repl: Lab) -> None:
    client.request("updateContent", path="not/there/yet.txt", content="saved")
    assert (repl.project("abc") / "not/there/yet.txt").read_text() == "saved"


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"event": "fetchContent", "id": 1}', '{"event": 1, "id": 1}'])
def test_dies_of_a_malformed_message(client: Client, text: str) -> None:
    client.send(text)
    reply = client._until(lambda message: message["event"] == "reply", 5)
    assert reply["error"]["code"] == "InvalidRequest"


# --- data


def test_files_made_in_the_terminal_are_lost_and_deleted_ones_come_back(shared_lab: Lab) -> None:
    shared_lab.make("made")
    client = Client(shared_lab, "made")
    terminal = client.terminal()
    client.type(terminal, b"echo kept > made.txt; rm main.py; echo do''ne\n")
    client.read_until(terminal, b"done")
    shared_lab.stop_repl("made")
    shared_lab.start_repl("made")
    assert (shared_lab.project("made") / "made.txt").read_text() == "kept\n"
    assert not (shared_lab.project("made") / "main.py").exists()


def test_two_quick_saves_leave_the_older_one(client: Client) -> None:
    for round_ in range(10):
        for number in range(20):
            client.send({"event": "updateContent", "data": {"path": "q.txt", "content": f"{round_} {number}"}})
        client.request("updateContent", path="q.txt", content=f"{round_} last")
        assert client.request("fetchContent", path="q.txt")["content"] == f"{round_} last"


def test_a_save_over_1_mb_is_lost_silently(client: Client, repl: Lab) -> None:
    text = "ü" * 1_500_000
    assert repl.call("PUT", "project/abc/file/large.txt", text.encode())[0] in (200, 201)
    assert (repl.project("abc") / "large.txt").read_text() == text
    assert client.error("fetchContent", path="large.txt")["code"] == "FileTooLarge"


def test_a_message_that_is_too_large_is_refused_with_a_hint(client: Client, repl: Lab) -> None:
    error = client.error("updateContent", path="too-large.txt", content="ü" * 140_000)
    assert (error["code"], error["hint"]) == ("FileTooLarge", "Send it to file/.")
    assert not (repl.project("abc") / "too-large.txt").exists()


def test_binary_files_are_destroyed_by_an_edit(client: Client, repl: Lab) -> None:
    raw = bytes(range(256)) * 10
    (repl.project("abc") / "binary").write_bytes(raw)
    assert client.error("fetchContent", path="binary")["code"] == "InvalidRequest"
    assert repl.call("GET", "project/abc/file/binary")[1] == raw


def test_an_open_file_does_not_follow_the_disk(client: Client) -> None:
    etag = client.request("updateContent", path="followed.txt", content="one")["etag"]
    terminal = client.terminal()
    client.type(terminal, b"echo two > followed.txt\n")
    told = None
    while told in (None, etag):
        files = client.wait_event("changed", 5).get("files", [])
        told = next((file["etag"] for file in files if file["path"] == "followed.txt"), told)
    assert client.request("fetchContent", path="followed.txt") == {"content": "two\n", "etag": told}


def test_creating_a_taken_name_overwrites_the_project_there(shared_lab: Lab) -> None:
    shared_lab.make("mine", start=False)
    (shared_lab.project("mine") / "main.py").write_text("precious")
    assert shared_lab.call("POST", "project", {"replId": "mine", "language": "python"})[0] == 409
    assert (shared_lab.project("mine") / "main.py").read_text() == "precious"


# --- projects


def test_a_template_of_over_1000_objects_never_finishes(shared_lab: Lab) -> None:
    base = shared_lab.store / "base" / "many"
    for number in range(1100):
        (base / f"{number % 7}").mkdir(parents=True, exist_ok=True)
        (base / f"{number % 7}" / f"{number}.txt").write_text(str(number))
    shared_lab.make("from-many", "many", start=False)
    copied = {p.name: p.read_text() for p in shared_lab.project("from-many").rglob("*.txt")}
    assert copied == {f"{number}.txt": str(number) for number in range(1100)}


def test_the_prefix_abc_also_matches_abc_pro(shared_lab: Lab) -> None:
    for name in ("pre", "pre-pro"):
        shared_lab.make(name, start=False)
    assert shared_lab.call("DELETE", "project/pre")[0] == 204
    assert (shared_lab.project("pre-pro") / "main.py").exists()
    assert not shared_lab.project("pre").exists()


def test_an_unknown_language_answers_created(shared_lab: Lab) -> None:
    status, error = shared_lab.call("POST", "project", {"replId": "klingon", "language": "klingon"})
    assert (status, error["code"]) == (404, "FileNotFound")
    assert "python" in error["hint"]
    assert shared_lab.call("GET", "project/klingon")[0] == 404


# (a half-created project is stuck for good: tests/extension/test_projects.py kills a create at each call)

# --- security (the rest: tests/extension/test_security.py)


def test_no_authentication_and_cors_for_all(shared_lab: Lab) -> None:
    # with the person's token in hand a program may come from anywhere: that is Jupyter's rule
    status, _, headers = shared_lab.request("GET", "project", headers={"Origin": "http://evil.example"}, token="")
    assert status in (403, 404)
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("path", ["..%2f..%2fsecret.txt", "%2e%2e/%2e%2e/secret.txt", "a%2f..%2f..%2f..%2fsecret.txt"])
def test_path_traversal_for_reading_and_writing(client: Client, repl: Lab, path: str) -> None:
    secret = repl.store / "secret.txt"
    secret.write_text("secret")
    for verb, body in (("GET", None), ("PUT", b"stolen")):
        status, answer = repl.call(verb, f"project/abc/file/{path}", body)
        assert status in (400, 403, 404), (verb, answer)
        assert b"secret" not in (answer if isinstance(answer, bytes) else b"")
    assert client.error("fetchContent", path="../../secret.txt")["code"] in ("InvalidRequest", "NoPermissions")
    assert client.error("updateContent", path="../../secret.txt", content="x")["code"]
    assert secret.read_text() == "secret"


@pytest.mark.parametrize("name", ["$(touch pwned)", "a;touch pwned", "`id`", "a b", "../abc", "a\nb"])
def test_a_repl_id_runs_shell_code(shared_lab: Lab, name: str) -> None:
    status, error = shared_lab.call("POST", "project", {"replId": name, "language": "python"})
    assert (status, error["code"]) == (400, "InvalidRequest")
    assert not list(shared_lab.home.rglob("pwned"))


# --- terminals

UNICODE = "for i in $(seq 3000); do printf 'ü€😀'; done; echo; echo e''nd\n"


def test_broken_utf8(client: Client) -> None:
    number = client.request("requestTerminal", rows=24, cols=200, text=True)["terminal"]
    client.request("terminalData", terminal=number, data=UNICODE)
    seen = ""
    while "\nend" not in seen.replace("\r", ""):
        seen += client.wait_event("terminal", terminal=number)["data"]
    assert seen.count("ü€😀") >= 3000
    assert "\ufffd" not in seen


def test_ptys_are_never_killed(client: Client, repl: Lab) -> None:
    """A hundred page loads left a hundred shells."""
    (runner,) = pids("serve", repl, "abc")
    before = len(psutil.Process(runner).children(recursive=True))
    for _ in range(20):
        page = Client(repl, "abc")
        number = page.loaded["terminals"][0]["terminal"] if page.loaded["terminals"] else None
        terminal = page.terminal(**({"terminal": number} if number else {}))
        page.close()
    wait_for(lambda: len(psutil.Process(runner).children(recursive=True)) <= before + 1)
    client.request("closeTerminal", terminal=terminal)
    wait_for(lambda: len(psutil.Process(runner).children(recursive=True)) <= before)


def test_dead_after_a_reconnect_or_exit(repl: Lab) -> None:
    client = Client(repl, "abc")
    terminal = client.terminal()
    client.drop()
    again = Client(repl, "abc")
    again.terminal(terminal=terminal)
    again.type(terminal, b"echo ali''ve\n")
    again.read_until(terminal, b"alive")
    again.type(terminal, b"exit\n")
    again.wait_event("terminalExit", terminal=terminal)
    fresh = again.terminal()
    again.type(fresh, b"echo fre''sh\n")
    again.read_until(fresh, b"fresh")


def test_no_flow_control(client: Client, repl: Lab) -> None:
    (runner,) = pids("serve", repl, "abc")
    terminal = client.terminal()
    client.silent.add(terminal)
    client.type(terminal, b"yes flood\n")
    client.read_until(terminal, b"flood\r\nflood")
    before = psutil.Process(runner).memory_info().rss
    while client.pump(1.0) is not None or client.next[terminal] < 1 << 20:
        pass
    assert psutil.Process(runner).memory_info().rss - before < 40e6
    client.interrupt(terminal)
    client.silent.clear()
    client.send_frame(3, terminal, client.next[terminal])
    client.request("closeTerminal", terminal=terminal)
