"""REPLs in pods through the lives that clusters lead: nothing of a person's files is lost, whatever goes."""

import json
import os
import re
import signal
import time
from pathlib import Path

import psutil
import pytest
from support.channel import Client
from support.kubernetes import Space
from support.lab import stays, wait_for
from support.pod_lab import PodLab


def generation(lab: PodLab) -> int:
    return int(json.loads(lab.objects("meta/abc.generation")[""])["generation"])


def saved(lab: PodLab, path: str) -> bytes | None:
    return lab.objects("code/abc/").get(path)


def test_a_stop_saves_everything_and_leaves_nothing(lab: PodLab) -> None:
    lab.make("abc")
    client = Client(lab, "abc")
    client.request("updateContent", path="main.py", content="print('last words')\n")
    terminal = client.terminal()
    client.type(terminal, b"mkdir -p deep; for i in $(seq 200); do echo $i > deep/$i.txt; done; echo do''ne\n")
    client.read_until(terminal, b"done\r\n", 15)
    lab.stop_repl("abc")
    assert saved(lab, "main.py") == b"print('last words')\n"
    assert {f"deep/{n}.txt" for n in range(1, 201)} <= lab.names("code/abc/")
    wait_for(lambda: not lab.space.left(), 30)


def test_a_deleted_pod_saves_what_it_has_and_another_takes_its_place(lab: PodLab) -> None:
    lab.make("abc")
    client = Client(lab, "abc")
    before, first = generation(lab), lab.pod("abc")["metadata"]["name"]
    terminal = client.terminal()
    client.type(terminal, b"echo precious > precious.txt; echo do''ne\n")
    client.read_until(terminal, b"done\r\n", 15)
    lab.space.kubectl("delete", "pod", first, "--wait=false")

    wait_for(lambda: lab.phase("abc")["name"] == "running" and lab.live("abc") not in ([], [first]), 60)
    assert saved(lab, "precious.txt") == b"precious\n"
    assert generation(lab) > before
    again = Client(lab, "abc")
    assert again.request("fetchContent", path="precious.txt")["content"] == "precious\n"


def test_a_container_that_is_killed_keeps_volume_and_sync(lab: PodLab) -> None:
    lab.make("abc")
    client = Client(lab, "abc")
    terminal = client.terminal()
    client.type(terminal, b"echo unsaved > node_modules; mkdir -p .venv; echo here > .venv/x; echo do''ne\n")
    client.read_until(terminal, b"done\r\n", 15)
    before, pod = generation(lab), lab.pod("abc")["metadata"]["uid"]
    first = lab.pids("abc")[0]
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(first))

    def answers() -> bool:
        try:
            return Client(lab, "abc", timeout=5).request("fetchDir", path=".venv")["content"][0]["name"] == "x"
        except Exception:
            return False

    wait_for(answers, 30)
    assert lab.pod("abc")["metadata"]["uid"] == pod
    assert generation(lab) == before
    client = Client(lab, "abc")
    client.request("updateContent", path="after.txt", content="still synced\n")
    wait_for(lambda: saved(lab, "after.txt") == b"still synced\n", 10)


def test_an_administrator_puts_a_file_back_while_the_pod_runs(lab: PodLab) -> None:
    lab.make("abc")
    client = Client(lab, "abc")
    client.request("updateContent", path="precious.txt", content="precious\n")
    wait_for(lambda: saved(lab, "precious.txt") == b"precious\n", 10)
    terminal = client.terminal()
    client.type(terminal, b"rm precious.txt\n")
    wait_for(lambda: saved(lab, "precious.txt") is None, 10)
    (line,) = lab.command("restore", "abc").splitlines()
    assert line.endswith("precious.txt")
    assert lab.command("restore", "abc", line.split()[0]) == "restored: precious.txt\n"
    assert client.request("fetchContent", path="precious.txt")["content"] == "precious\n"
    wait_for(lambda: saved(lab, "precious.txt") == b"precious\n", 10)


def test_sync_that_is_killed_goes_on_with_its_assignment(lab: PodLab) -> None:
    lab.make("abc")
    before = generation(lab)
    os.kill(lab.pids("abc", "sync")[0], signal.SIGKILL)
    Client(lab, "abc").request("updateContent", path="while.txt", content="it was away\n")
    wait_for(lambda: saved(lab, "while.txt") == b"it was away\n", 40)
    assert generation(lab) == before


@pytest.mark.outage
def test_a_pod_that_comes_back_from_the_dead_is_fenced(lab: PodLab) -> None:
    """Its object is gone while its node says nothing; the node then has both for a while."""
    lab.make("abc")
    client = Client(lab, "abc")
    client.request("updateContent", path="a.txt", content="first\n")
    wait_for(lambda: saved(lab, "a.txt") == b"first\n")
    work, name, before = lab.volume("abc"), lab.pod("abc")["metadata"]["name"], generation(lab)
    lab.space.world.node.kill("kubelet")
    try:
        lab.space.kubectl("delete", "pod", name, "--force", "--grace-period=0")
        wait_for(lambda: lab.phase("abc")["name"] == "starting")
    finally:
        lab.space.world.node.start("kubelet")
    wait_for(lambda: generation(lab) > before, 60)
    if (work / "project").is_dir():
        (work / "project/a.txt").write_text("of the dead\n")
    wait_for(lambda: lab.phase("abc")["name"] == "running", 60)
    again = Client(lab, "abc")
    assert again.request("fetchContent", path="a.txt")["content"] == "first\n"
    again.request("updateContent", path="a.txt", content="second\n")
    wait_for(lambda: saved(lab, "a.txt") == b"second\n", 10)
    stays(lambda: saved(lab, "a.txt") == b"second\n", 3)


def test_a_server_that_is_killed_over_a_start_is_replaced(lab: PodLab, space: Space, tmp_path: Path) -> None:
    lab.make("abc", start=False)
    other = PodLab(tmp_path / "other", space).start()
    try:
        assert lab.call("POST", "start", {"replId": "abc"})[0] == 202
        wait_for(lambda: space.get("leases"))
        lab.kill()
        other.wait_phase("abc", "running", 60)
        assert [row["replId"] for row in other.call("GET", "project")[1]] == ["abc"]
        Client(other, "abc").request("fetchContent", path="main.py")
        other.stop_repl("abc")
    finally:
        other.stop()


def test_a_restarted_server_with_a_live_terminal_loses_no_byte(lab: PodLab) -> None:
    lab.make("abc")
    client = Client(lab, "abc")
    terminal = client.terminal()
    lines = b"import time; [(print(f'line-{n}', flush=True), time.sleep(0.002)) for n in range(1, 4001)]"
    client.type(terminal, b'python3 -c "%s"; echo do""ne\n' % lines)
    client.read_until(terminal, b"line-100\r\n", 15)
    lab.kill()
    seen = bytes(client.output[terminal])
    lab.start()
    lab.wait_phase("abc", "running")
    again = Client(lab, "abc")
    again.output[terminal] = bytearray(seen)
    assert again.terminal(terminal=terminal, **{"from": len(seen)}) == terminal
    text = again.read_until(terminal, b"done\r\n", 40)
    assert [line for line in re.split(rb"[\r\n]+", text) if line.startswith(b"line-")] == [
        b"line-%d" % n for n in range(1, 4001)
    ]


def test_the_programs_see_no_credentials_and_no_cluster(lab: PodLab) -> None:
    """And none of the signals that the image starts the runner with are blocked for them."""
    lab.make("abc")
    client = Client(lab, "abc")
    terminal = client.terminal()
    client.type(
        terminal,
        b"env | grep -ciE 'aws|kube|secret|public_key|pip_|proxy'; "
        b"ls -a /private /index /var/run/secrets 2>&1 | grep -c 'No such'; "
        b"cat /proc/*/environ 2>/dev/null | grep -ac AWS_; touch /root-is-read-only; touch /run/repl/x; id -u; "
        b'python3 -c \'import urllib.request as u; u.urlopen(u.Request("http://127.0.0.1:3002/assign", b"{}"))\'; '
        b"grep ^SigBlk /proc/self/status; echo do''ne\n",
    )
    text = client.read_until(terminal, b"done\r\n", 15).decode()
    assert "SigBlk:\t0000000000000000" in text
    assert [line for line in re.split(r"[\r\n]+", text) if line.isdigit()] == ["0", "3", "0", "1000"]
    assert text.count("Read-only file system") == 2
    assert "HTTP Error 403" in text


@pytest.mark.alone
def test_a_program_that_takes_all_memory_is_ended_and_nothing_else(lab: PodLab) -> None:
    """The pod has 512 MiB. A large file is no reason: it is only the page cache that grows."""
    lab.make("abc")
    client = Client(lab, "abc")
    terminal = client.terminal()
    client.type(terminal, b"head -c 700000000 /dev/zero > big; sync big; rm big; echo writ''ten\n")
    text = client.read_until(terminal, b"written\r\n", 60)
    assert b"out of memory" not in text
    client.type(terminal, b"for n in $(seq 5); do python3 -c 'bytearray(10**9)'; done; echo sta''tus $?\n")
    text = client.read_until(terminal, b"status 137\r\n", 60)
    assert text.count(b"python3 was ended: the REPL ran out of memory (512 MiB).") == 5
    assert text.count(b"out of memory") == 5
    other = client.terminal()
    client.type(other, b"echo ali''ve\n")
    client.read_until(other, b"alive\r\n")
    (runner,) = lab.pod("abc")["status"]["containerStatuses"]
    assert runner["restartCount"] == 0


def test_a_program_that_the_kernel_ends_is_explained(lab: PodLab) -> None:
    """The guard is late: here, since it is held. Version 2 of cgroups ends the container, of which the tab tells."""
    lab.make("abc")
    client = Client(lab, "abc")
    terminal = client.terminal()
    client.type(terminal, b"sleep 1; python3 -c 'a = bytearray(10**9)'; touch ended; echo sta''tus\n")
    ended, runner = lab.project("abc") / "ended", lab.pids("abc")[1]
    os.kill(runner, signal.SIGSTOP)
    try:
        wait_for(ended.exists, 30)
    finally:
        os.kill(runner, signal.SIGCONT)
    client.read_until(terminal, b"status\r\n", 15)
    client.read_until(terminal, b"The kernel ended a program: the REPL ran out of memory (512 MiB).")


def test_a_full_disk_is_told_before_it_is_over_and_syncing_goes_on(space: Space, tmp_path: Path) -> None:
    space.template = {"disk": "100Mi"}
    lab = PodLab(tmp_path / "home", space).start()
    try:
        lab.make("abc")
        client = Client(lab, "abc")
        terminal = client.terminal()
        client.type(terminal, b"head -c 90000000 /dev/urandom > big\n")
        assert client.wait_event("disk", 40)["state"] == "low"
        client.request("updateContent", path="a.txt", content="it may still grow\n")
        client.type(terminal, b"head -c 11000000 /dev/urandom > more\n")
        assert client.wait_event("disk", 40)["state"] == "full"
        refused = client.error("updateContent", path="a.txt", content="no\n")
        assert refused["code"] == "DiskFull"
        assert "Delete files" in refused["hint"]
        assert client.error("delete", path="big")["code"] == "DiskFull"
        wait_for(lambda: len(saved(lab, "more") or b"") == 11_000_000, 40)
        client.request("delete", path="big", forever=True)
        client.type(terminal, b"rm more\n")
        assert client.wait_event("disk", 40)["state"] == "roomy"
        client.request("updateContent", path="a.txt", content="yes\n")
        wait_for(lambda: saved(lab, "a.txt") == b"yes\n", 10)
    finally:
        lab.stop()


def test_modes_survive_and_git_works(lab: PodLab) -> None:
    lab.make("abc")
    client = Client(lab, "abc")
    terminal = client.terminal()
    client.type(
        terminal,
        b"umask 077; echo s > secret; mkdir private; echo p > private/f; chmod 600 secret; chmod 700 private; "
        b"echo x > run.sh; chmod 755 run.sh; umask 022; git init -q . && git -c user.name=a -c user.email=a@b add . && "
        b"git -c user.name=a -c user.email=a@b commit -qm one; echo do''ne\n",
    )
    client.read_until(terminal, b"done\r\n", 15)
    lab.stop_repl("abc")
    lab.start_repl("abc")
    client = Client(lab, "abc")
    terminal = client.terminal()
    client.type(
        terminal,
        b"stat -c '%a %n' secret private private/f run.sh; git status --short; git log --oneline | wc -l; "
        b"chmod 644 secret && echo more >> secret && touch private/f && git add -A && git -c user.name=a "
        b"-c user.email=a@b commit -qm two && echo com''mitted; stat -c '%a' .; echo do''ne\n",
    )
    text = client.read_until(terminal, b"done\r\n", 15).decode()
    for line in ("600 secret", "700 private", "600 private/f", "755 run.sh", "committed"):
        assert f"{line}\r\n" in text, text


def test_it_falls_asleep_whatever_is_restarted_meanwhile(space: Space, tmp_path: Path) -> None:
    """Who looks at it from a tab does not keep it, and neither a new server nor a new pod does."""
    lab = PodLab(tmp_path / "home", space, JUPYTER_REPL_IDLE_TIMEOUT="15").start()
    try:
        lab.make("abc")
        Client(lab, "abc").request("updateContent", path="kept.txt", content="kept\n")
        first = lab.pod("abc")["metadata"]["name"]
        lab.kill()
        space.kubectl("delete", "pod", first, "--wait=false")
        lab.start()
        wait_for(lambda: lab.phase("abc")["name"] == "running" and lab.live("abc") not in ([], [first]), 60)
        began = time.monotonic()
        tab = Client(lab, "abc")
        assert tab.wait_event("idle", 20)["seconds"] > 0
        lab.kill()
        lab.start()
        lab.wait_phase("abc", "stopped", 60)
        assert time.monotonic() - began > 10
        wait_for(lambda: not space.pods("abc"), 30)
        lab.start_repl("abc", 60)
        assert Client(lab, "abc").request("fetchContent", path="kept.txt")["content"] == "kept\n"
    finally:
        lab.stop()
