"""Whatever is killed, nothing of a REPL stays, and the tab says what happened."""

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from support.channel import Client
from support.lab import Lab, wait_for
from support.processes import pids, repl_processes

SECONDS = [str(100_000_000 + 2 * os.getpid()), str(100_000_001 + 2 * os.getpid())]
"""Tell our own from those of another worker."""
HIDDEN = (
    f'nohup setsid sleep {SECONDS[0]} > /dev/null 2>&1 & env -i setsid sleep {SECONDS[1]} & disown -a; echo hid"den"\n'
)


def hide(lab: Lab, repl_id: str) -> None:
    """Start programs in the REPL that leave its session, one of them with an empty environment."""
    client = Client(lab, repl_id)
    terminal = client.terminal()
    client.type(terminal, HIDDEN.encode())
    client.read_until(terminal, b"hidden")
    wait_for(lambda: len(hidden()) == 2)
    client.close()


def hidden() -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
        except psutil.Error:
            continue
        if command[:1] == ["sleep"] and command[1:2] and command[1] in SECONDS and process.status() != "zombie":
            found.append(process.pid)
    return found


def test_server_killed(lab: Lab) -> None:
    lab.make("abc")
    hide(lab, "abc")
    lab.kill()
    wait_for(lambda: not hidden() and not repl_processes(lab), 5)
    again = Lab(lab.home, port=lab.port).start()
    try:
        phase = again.phase("abc")
        assert (phase["name"], phase["cause"]) == ("stopped", "server-gone")
        again.start_repl("abc")
        again.stop_repl("abc")
        assert again.phase("abc") == {"name": "stopped"}
    finally:
        again.stop()


def test_runner_killed(lab: Lab) -> None:
    lab.make("abc")
    hide(lab, "abc")
    (runner,) = pids("serve", lab)
    os.kill(runner, signal.SIGKILL)
    phase = lab.wait_phase("abc", "failed", 5)
    assert phase["cause"] == "runner-gone"
    assert "SIGKILL" in phase["reason"]
    assert phase["hint"]
    wait_for(lambda: not hidden() and not repl_processes(lab), 5)
    lab.start_repl("abc")


def test_guard_killed(lab: Lab) -> None:
    lab.make("abc")
    hide(lab, "abc")
    (guard,) = pids("guard", lab)
    os.kill(guard, signal.SIGKILL)
    lab.wait_phase("abc", "failed", 5)
    wait_for(lambda: len(hidden()) <= 1, 5)  # the one with no environment is nobody's child any more, see below
    for pid in hidden():
        os.kill(pid, signal.SIGKILL)
    lab.start_repl("abc")
    wait_for(lambda: len(pids("serve", lab)) == 1)  # a program that is just being started is a copy of it


def test_all_killed_at_once_is_swept_by_the_next_server(lab: Lab) -> None:
    lab.make("abc")
    client = Client(lab, "abc")
    terminal = client.terminal()
    client.type(terminal, f'nohup setsid sleep {SECONDS[0]} > /dev/null 2>&1 & echo hid"den"\n'.encode())
    client.read_until(terminal, b"hidden")
    wait_for(hidden)  # it is a copy of the shell at first
    victims = [*pids("guard", lab), *pids("serve", lab), lab.pid]
    for pid in victims:
        os.kill(pid, signal.SIGSTOP)
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    lab.kill()
    assert hidden()
    again = Lab(lab.home, port=lab.port).start()
    try:
        wait_for(lambda: not hidden(), 5)
    finally:
        again.stop()


def test_a_normal_shutdown_stops_runners_and_keeps_files(lab: Lab) -> None:
    lab.make("abc")
    hide(lab, "abc")
    lab.stop()
    assert not repl_processes(lab)
    assert not hidden()
    assert list(lab.runtime_dir.iterdir()) == []
    assert (lab.project("abc") / "main.py").exists()


def test_a_shell_has_none_of_the_servers_secrets(home: Path) -> None:
    secrets = {
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "JUPYTERHUB_API_TOKEN": "hunter2",
        "HTTPS_PROXY": "http://u:hunter2@p",
    }
    lab = Lab(home, **secrets).start()
    try:
        lab.make("abc")
        client = Client(lab, "abc")
        terminal = client.terminal()
        client.type(terminal, b'env > env.txt; cat /proc/$PPID/environ >> env.txt; echo do"ne"\n')
        client.read_until(terminal, b"done")
        seen = (lab.project("abc") / "env.txt").read_text()
        assert "hunter2" not in seen
        assert "a-token-of-the-tests" not in seen
        assert "TERM=xterm-256color" in seen
        client.close()
    finally:
        lab.stop()


def test_a_runner_that_does_not_answer_is_stopped_all_the_same(lab: Lab) -> None:
    lab.make("abc")
    (runner,) = pids("serve", lab)
    os.kill(runner, signal.SIGSTOP)
    lab.call("POST", "stop", {"replId": "abc"})
    lab.wait_phase("abc", "stopped", 20)
    assert not repl_processes(lab)


def test_sigint_of_the_terminal_that_started_jupyter_reaches_no_repl(lab: Lab) -> None:
    lab.make("abc")
    (guard,) = pids("guard", lab)
    assert os.getsid(guard) != os.getsid(lab.pid)
    assert os.getpgid(guard) != os.getpgid(lab.pid)


@pytest.mark.parametrize("damage", ["", "{", '{"cause": 3}', "[]"])
def test_a_damaged_word_of_the_last_end_harms_nothing(lab: Lab, damage: str) -> None:
    lab.make("abc")
    (directory,) = lab.runtime_dir.iterdir()
    (runner,) = pids("serve", lab)
    os.kill(runner, signal.SIGKILL)
    lab.wait_phase("abc", "failed", 5)
    (directory / "exit.json").write_text(damage)
    assert lab.phase("abc")["name"] in ("stopped", "failed")
    lab.start_repl("abc")


def test_the_version_verb() -> None:
    import sys

    done = subprocess.run([sys.executable, "-m", "jupyter_repl_runner", "version"], capture_output=True, text=True)
    assert done.stdout.strip() == "0.1.0"


def test_crashes_leave_nothing_in_the_server(lab: Lab) -> None:
    lab.make("abc")
    server = psutil.Process(lab.pid)

    def crash() -> None:
        os.kill(pids("serve", lab)[0], signal.SIGKILL)
        lab.wait_phase("abc", "failed", 10)
        lab.start_repl("abc")

    def zombies() -> int:
        return sum(child.status() == psutil.STATUS_ZOMBIE for child in server.children())

    crash()
    before = server.num_fds()
    for _ in range(5):
        crash()
    wait_for(lambda: server.num_fds() <= before + 1 and zombies() == 0)
