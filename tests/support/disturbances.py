"""Disturbs a person who types, by other terminals or the same tab, and measures how long each key takes meanwhile."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from .channel import Client
from .lab import Lab


def echoes(client: Client, terminal: int, keys: int = 300) -> list[float]:
    """Type `keys` keys. Returns for each the milliseconds until its echo."""
    took = []
    for _ in range(keys):
        seen = len(client.output[terminal])
        begun = time.perf_counter()
        client.type(terminal, b"x")
        while len(client.output[terminal]) == seen:
            client.pump(5)
        took.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.003)
    client.type(terminal, b"\x15")
    return took


def quiet(client: Client) -> int:
    """Open a terminal that echoes keys and does nothing else. Returns its number."""
    terminal = client.terminal()
    client.type(terminal, b"stty -icanon; echo re'ady'; cat > /dev/null\n")
    client.read_until(terminal, b"ready\r\n")
    return terminal


Disturbance = Callable[[Lab, Client], Iterator[None]]
"""An endless generator. It prepares itself before its first `yield`; each further step disturbs a little more."""


def flood(repl: Lab, client: Client) -> Iterator[None]:
    client.type(client.terminal(), b"yes\n")
    while True:
        yield
        client.pump(1)


def deaf(repl: Lab, client: Client) -> Iterator[None]:
    """A program that does not read its input."""
    terminal = client.terminal()
    client.type(terminal, b"stty raw -echo; echo re'ady'; sleep 600\n")
    client.read_until(terminal, b"ready")
    client.type(terminal, bytes(60_000))
    while True:
        yield
        client.pump(1)


def exits(repl: Lab, client: Client) -> Iterator[None]:
    while True:
        yield
        terminal = client.terminal()
        client.type(terminal, b"exit\n")
        client.wait_event("terminalExit", terminal=terminal)


def paste(repl: Lab, client: Client) -> Iterator[None]:
    """Paste 2 MB, again and again."""
    terminal = client.terminal()
    client.type(terminal, b"stty -echo; cat > pasted\n")
    while True:
        yield
        for _ in range(25):
            client.type(terminal, (b"x" * 79 + b"\n") * 1000)
            while client.typed[terminal] - client.acked.get(terminal, 0) > 60_000:
                client.pump(1)


def upload(repl: Lab, client: Client) -> Iterator[None]:
    data = os.urandom(30_000_000)
    while True:
        yield
        repl.call("PUT", "project/abc/file/upload.bin", data, {"If-None-Match": "*"})
        repl.call("DELETE", "project/abc/file/upload.bin")


ALL: tuple[Disturbance, ...] = (flood, deaf, exits, paste, upload)


@contextmanager
def going_on(action: Disturbance, lab: Lab) -> Iterator[None]:
    """Run the disturbance in a process of its own, with its own connection: a delay is then the servers', not ours."""
    with closing(Client(lab, "abc")) as client:
        before = client.loaded["terminals"]
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    other = context.Process(target=_disturb, args=(action, lab, begun), daemon=True)
    other.start()
    try:
        if not begun.wait(20):
            raise TimeoutError(f"{action.__name__} did not begin")
        yield
    finally:
        other.terminate()
        other.join()
        client = Client(lab, "abc")
        for each in client.loaded["terminals"]:
            if each not in before:
                client.request("closeTerminal", **each)
        client.close()


def _disturb(action: Disturbance, lab: Lab, begun: Any) -> None:
    for _ in action(lab, Client(lab, "abc")):
        begun.set()
