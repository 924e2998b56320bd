"""Terminals beside their peers: echo, Enter, a flood, ^C on a slow link, memory. All bytes are checked."""

import base64
import multiprocessing
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing import synchronize
from pathlib import Path

import psutil

from .ours import PlainRunner, Relayed, Runner
from .peer import PROMPT, Peer, Terminal
from .peers import ALL, Terminado, Ttyd
from .table import Row

REPEATS = 5
KEYS = 200
ENTERS = 1000
BULK = 50_000_000
SLOW = 1_000_000
"""Bytes a second that the slow client reads."""
GIVE_UP = 6.0
TERMINALS = 20

Results = dict[str, list[float]]
"""By what was measured."""
Measured = dict[type, tuple[str, Results]]
"""By the peer's class: its name with the version, and its results."""


def measure() -> list[Row]:
    """Peers that are not on this machine are left out, and named."""
    with tempfile.TemporaryDirectory() as name:
        return _rows(compare(Path(name)))


def compare(folder: Path, repeats: int = REPEATS, keys: int = KEYS, enters: int = ENTERS, bulk: int = BULK) -> Measured:
    """Measure every peer, in turns."""
    text = _text(bulk)
    file = folder / "bulk.txt"
    file.write_bytes(text)
    results: dict[type, Results] = defaultdict(lambda: defaultdict(list))
    # Of a process with nohup all but ours pass it on to their shells, whose floods would then outlive their terminals.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with _started(folder) as peers:
        for _ in range(repeats):
            for kind, peer in peers.items():
                for found in (
                    echo(peer, keys),
                    {f"{what}, flood": value for what, value in echo_under_flood(peer, keys).items()},
                    flood(peer, file, text),
                    interrupt(peer),
                ):
                    for what, value in found.items():
                        results[kind][what].append(value)
        for kind, peer in peers.items():
            results[kind]["enter"] = enter(peer, enters)
            results[kind]["stalls"] = [sum(38 <= took <= 52 for took in results[kind]["enter"])]
            results[kind]["memory"] = [memory(peer)]
        return {kind: (peer.name, results[kind]) for kind, peer in peers.items()}


@contextmanager
def _started(folder: Path) -> Iterator[dict[type, Peer]]:
    peers: dict[type, Peer] = {}
    try:
        for kind in ALL:
            try:
                peers[kind] = kind(folder)
            except FileNotFoundError as missing:
                print(f"LEFT OUT: {missing} is neither on PATH nor in REPL_TEST_BINARIES", file=sys.stderr)
        yield peers
    finally:
        for peer in peers.values():
            peer.stop()


# -- measurements of one peer


def echo(peer: Peer, keys: int) -> dict[str, float]:
    """Median milliseconds from a key to its echo, and the server's CPU for each, in µs."""
    with _opened(peer) as terminal:
        terminal.type(b"stty -icanon; cat > /dev/null\r")
        read_until(terminal, b"null\r\n")
        time.sleep(0.1)
        took = []
        before = _cpu(peer)
        for number in range(keys):
            key = b"abcdefgh"[number % 8 :][:1]
            begun = time.perf_counter()
            terminal.type(key)
            seen = terminal.read()
            took.append((time.perf_counter() - begun) * 1000)
            terminal.acknowledge()
            if seen != key:
                raise ValueError(f"{key!r} was echoed as {seen!r}")
            time.sleep(random.uniform(0.002, 0.012))
        return {"echo": statistics.median(took), "cpu per key": (_cpu(peer) - before) / keys * 1e6}


def echo_under_flood(peer: Peer, keys: int) -> dict[str, float]:
    """The same while another terminal floods and a client of its own reads all of it."""
    context = multiprocessing.get_context("fork")
    flooding, enough = context.Event(), context.Event()
    other = context.Process(target=_read_flood, args=(peer, flooding, enough), daemon=True)
    other.start()
    try:
        if not flooding.wait(20):
            raise TimeoutError("the flood did not begin")
        return echo(peer, keys)
    finally:
        enough.set()  # its terminal must end with it, or the next measurement has two floods beside it
        other.join()


def _read_flood(peer: Peer, flooding: synchronize.Event, enough: synchronize.Event) -> None:
    with _opened(peer) as terminal:
        terminal.type(b"yes\r")
        read_until(terminal, b"y\r\ny\r\n")
        flooding.set()
        while not enough.is_set():
            read(terminal)


def flood(peer: Peer, file: Path, text: bytes) -> dict[str, float]:
    """Seconds for `cat file`, the server's CPU seconds for it, and per cent of bytes on the wire beyond its own.

    Raises ValueError if one byte is not as it should be.
    """
    with _opened(peer) as terminal:
        terminal.type(b"stty -onlcr -echo; PS1=; echo be''gin\r")
        read_until(terminal, b"begin\n")
        before, wire, begun = _cpu(peer), terminal.received, time.perf_counter()
        terminal.type(b"cat %s; echo e''nd\r" % bytes(file))
        seen = bytearray()
        wanted = len(text) + len(b"end\n")
        while len(seen) < wanted:
            seen += read(terminal)
        took, used, sent = time.perf_counter() - begun, _cpu(peer) - before, terminal.received - wire
        check(bytes(seen), text + b"end\n")
        return {"flood": took, "cpu of a flood": used, "wire": (sent / len(seen) - 1) * 100}


def check(seen: bytes, wanted: bytes) -> None:
    """Raises ValueError that tells where they differ."""
    if seen != wanted:
        pairs = enumerate(zip(seen, wanted, strict=False))
        where = next((index for index, (one, other) in pairs if one != other), min(len(seen), len(wanted)))
        raise ValueError(f"{len(seen)} bytes for {len(wanted)}; the first wrong one is at {where}")


def interrupt(peer: Peer) -> dict[str, float]:
    """Seconds from ^C to the prompt, under `yes` and with a client that reads SLOW bytes a second."""
    with _opened(peer) as terminal:
        terminal.type(b"yes\r")
        pace = _Pace(terminal)
        while pace.seconds < 2:
            pace.read()
        begun = time.perf_counter()
        terminal.interrupt()
        tail = b""
        while not tail.endswith(PROMPT) and time.perf_counter() - begun < GIVE_UP:
            tail = (tail + pace.read())[-8:]
        return {"interrupt": time.perf_counter() - begun}


class _Pace:
    """Reads no faster than SLOW."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._begun = time.perf_counter()
        self._count = 0

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._begun

    def read(self) -> bytes:
        time.sleep(max(0.0, self._count / SLOW - self.seconds))
        data = read(self._terminal)
        self._count += len(data)
        return data


def enter(peer: Peer, enters: int) -> list[float]:
    """Milliseconds from Enter to the next prompt, each."""
    took = []
    with _opened(peer) as terminal:
        for _ in range(enters):
            begun = time.perf_counter()
            terminal.type(b"\r")
            read_until(terminal, b"\r\n" + PROMPT)
            took.append((time.perf_counter() - begun) * 1000)
    return took


def memory(peer: Peer) -> float:
    """kB that the server grows by with each further terminal."""
    terminals = [peer.open()]
    read_until(terminals[0], PROMPT)
    try:
        before = _resident(peer)
        for _ in range(TERMINALS):
            terminals.append(peer.open())
            read_until(terminals[-1], PROMPT)
        return (_resident(peer) - before) / TERMINALS / 1000
    finally:
        for terminal in terminals:
            terminal.close()


# -- tools


@contextmanager
def _opened(peer: Peer) -> Iterator[Terminal]:
    """A terminal at its first prompt."""
    with closing(peer.open()) as terminal:
        read_until(terminal, PROMPT)
        yield terminal


def read_until(terminal: Terminal, wanted: bytes) -> bytes:
    seen = b""
    while not (seen := seen + read(terminal)).endswith(wanted):
        pass
    return seen


def read(terminal: Terminal) -> bytes:
    data = terminal.read()
    terminal.acknowledge()
    return data


def _cpu(peer: Peer) -> float:
    """Seconds, user's and system's."""
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in peer.pids)


def _resident(peer: Peer) -> float:
    return sum(psutil.Process(pid).memory_info().rss for pid in peer.pids)


def _text(size: int) -> bytes:
    """Lines as of a log, none like another."""
    raw = base64.encodebytes(random.Random(1).randbytes(min(size, 1 << 20)))
    return (raw * (size // len(raw) + 1))[: size - 1] + b"\n"


# -- the table

MEASURES = {
    "echo": ("Key to echo, idle", "ms"),
    "echo, flood": ("Key to echo, while another terminal floods", "ms"),
    "enter": ("Enter to prompt", "ms"),
    "stalls": (f"Of {ENTERS} Enters, those that took 38 to 52 ms", ""),
    "cpu per key": ("Server's CPU for a key", "µs"),
    "flood": ("`cat` of 50 MB", "s"),
    "cpu of a flood": ("Server's CPU for it", "s"),
    "wire": ("Bytes on the wire beyond its own", "%"),
    "interrupt": ("^C to prompt, under `yes`, read at 1 MB/s", "s"),
    "memory": ("Memory for a further terminal", "kB"),
}

_LIMITS = {"stalls": 0.0, "wire": 0.1, "interrupt": 0.2, "memory": 50.0}
"""Of ours, in the measure's unit."""

_RATIOS = (
    (Runner, Ttyd, "echo", 0.8),
    (Relayed, Terminado, "echo", 1.0),
    (Runner, Ttyd, "echo, flood", 1.1),
    (Runner, Terminado, "cpu per key", 0.5),
    (Runner, Ttyd, "cpu of a flood", 0.85),
    (Runner, Terminado, "flood", 1 / 1.4),
    (Runner, Ttyd, "flood", 1.0),
    (PlainRunner, Ttyd, "echo", 0.8),
    (PlainRunner, Ttyd, "cpu of a flood", 0.85),
    (PlainRunner, Terminado, "flood", 1 / 1.4),
    (PlainRunner, Ttyd, "flood", 1.0),
)
"""Within each repeat, whose measurements lie close together: ours, the peer, what, and the most that it may be."""


def _rows(found: Measured) -> list[Row]:
    rows = []
    for what, (text, unit) in MEASURES.items():
        for kind, (name, results) in found.items():
            limit = _LIMITS.get(what) if kind in (Runner, PlainRunner, Relayed) else None
            rows.append(Row(f"{text}: {name}", unit, results[what], limit))
    for ours, peer, what, limit in _RATIOS:
        if peer in found:
            pairs = zip(found[ours][1][what], found[peer][1][what], strict=True)
            ratios = [one / other for one, other in pairs]
            rows.append(Row(f"{MEASURES[what][0]}: {found[ours][0]} / {found[peer][0]}", "x", ratios, limit))
    return rows
