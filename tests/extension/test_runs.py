"""Runs of a program: its input, how it ended, and how it is ended."""

import time
from contextlib import suppress

import psutil
from support.channel import Client
from support.lab import Lab, wait_for
from support.processes import repl_processes


def test_run_with_input_exit_code_and_duration(client: Client) -> None:
    started = client.request("run", rows=24, cols=80)
    assert started["command"] == "python3 main.py"
    terminal = client.terminal(terminal=started["terminal"])
    client.read_until(terminal, b"name?")
    assert client.error("run", rows=24, cols=80)["code"] == "Unavailable"
    client.type(terminal, b"Ada\n")
    client.read_until(terminal, b"Hello, Ada!")
    ended = client.wait_event("runExit", run=started["run"])
    assert (ended["code"], ended["signal"]) == (0, None)
    assert ended["duration"] > 0


def test_run_uses_the_projects_own_settings(client: Client, repl: Lab) -> None:
    settings_file = repl.project("abc") / ".repl.toml"
    settings_file.write_text('run = "echo mine; exit 3"\n')
    started = client.request("run", rows=24, cols=80)
    assert client.wait_event("runExit", run=started["run"])["code"] == 3
    settings_file.write_text("run = \n")
    assert ".repl.toml" in client.error("run", rows=24, cols=80)["message"]
    settings_file.write_text('run = "no-such-interpreter main.py"\n')
    started = client.request("run", rows=24, cols=80)
    ended = client.wait_event("runExit", run=started["run"])
    assert (ended["code"], bool(ended["hint"])) == (127, True)
    settings_file.write_text("run = " + "[" * 50_000)
    assert Client(repl, "abc").loaded, "whatever is in it, the tab opens"
    settings_file.unlink()


def test_stop_ends_a_run_with_all_its_children(client: Client, repl: Lab) -> None:
    stubborn = (
        "import os, signal, subprocess, time\n"
        "subprocess.Popen(['setsid', 'sleep', '43210'])\n"
        "for n in (signal.SIGINT, signal.SIGTERM): signal.signal(n, lambda *_: print('no', _[0], flush=True))\n"
        "print('up', flush=True)\n"
        "while True: time.sleep(0.1)\n"
    )
    (repl.project("abc") / "stubborn.py").write_text(stubborn)
    started = client.request("run", rows=24, cols=80, path="stubborn.py")
    terminal = client.terminal(terminal=started["terminal"])
    client.read_until(terminal, b"up")
    begun = time.monotonic()
    client.request("stopRun", run=started["run"])
    ended = client.wait_event("runExit", 30, run=started["run"])
    took = time.monotonic() - begun
    assert ended["signal"] == "SIGKILL" or ended["code"] == 137
    assert took > 3.5, "SIGTERM and SIGKILL wait 2 s each"
    seen = client.read_until(terminal, b"no 15")
    assert seen.index(b"no 2") < seen.index(b"no 15")
    wait_for(lambda: not [c for c in repl_processes(repl) if "43210" in c or "stubborn" in c], 5)


def test_sigint_alone_ends_an_ordinary_run_at_once(client: Client, repl: Lab) -> None:
    (repl.project("abc") / "loop.py").write_text("import time\nprint('up', flush=True)\nwhile True: time.sleep(1)\n")
    started = client.request("run", rows=24, cols=80, path="loop.py")
    terminal = client.terminal(terminal=started["terminal"])
    client.read_until(terminal, b"up")
    begun = time.monotonic()
    client.request("stopRun", run=started["run"])
    client.wait_event("runExit", run=started["run"])
    assert time.monotonic() - begun < 1.9, "nothing waits for the next signal"
    client.read_until(terminal, b"KeyboardInterrupt")


def test_stop_ends_what_has_neither_mark_nor_parent_any_more(client: Client, repl: Lab) -> None:
    """Children that ignore signals, put off the environment and the session, and lose their parent at the first one."""
    script = (
        "import subprocess, time\n"
        "for _ in range(12):\n"
        "    program = \"trap '' INT TERM HUP; sleep 43215; sleep 43215\"\n"
        "    subprocess.Popen(['env', '-i', 'setsid', 'sh', '-c', program])\n"
        "print('up', flush=True)\n"
        "time.sleep(600)\n"
    )
    (repl.project("abc") / "children.py").write_text(script)
    started = client.request("run", rows=24, cols=80, path="children.py")
    client.read_until(client.terminal(terminal=started["terminal"]), b"up")
    client.request("stopRun", run=started["run"])
    client.wait_event("runExit", 15, run=started["run"])
    again = client.request("run", rows=24, cols=80)["run"]
    client.request("stopRun", run=again)
    client.wait_event("runExit", 15, run=again)

    def left() -> bool:
        return any("43215" in " ".join(line) for line in command_lines())

    wait_for(lambda: not left(), 15)


def command_lines() -> list[list[str]]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            found.append(process.cmdline())
    return found


def test_the_end_of_the_shell_is_the_end(client: Client, repl: Lab) -> None:
    """Though a program in the background holds the terminal; what was printed before is all there."""
    started = client.request("run", rows=24, cols=80, path=script(repl, "seq 20000; sleep 43216 & exit 3"))
    terminal = client.terminal(terminal=started["terminal"])
    ended = client.wait_event("runExit", 15, run=started["run"])
    assert ended["code"] == 3
    client.read_until(terminal, b"20000\r\n")
    shell = client.terminal()
    client.type(shell, b"sleep 43216 &\n")
    client.read_until(shell, b"43216 &")
    client.type(shell, b"exit\n")
    client.wait_event("terminalExit", 15, terminal=shell)


def script(repl: Lab, text: str) -> str:
    (repl.project("abc") / "script.sh").write_text(text + "\n")
    return "script.sh"
