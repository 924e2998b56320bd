"""Flow control and fairness: a client that does not read, floods or pastes stops no other."""

import os
import statistics
import time

import psutil
import pytest
from support import disturbances
from support.channel import ACK, Client
from support.disturbances import Disturbance, echoes, going_on, quiet
from support.lab import Lab, elapse
from support.processes import pids

from jupyter_repl_runner.serve import http_file
from jupyter_repl_runner.terminal.session import REST_SECONDS

RING = 8 << 20
CHUNK = 1 << 16
"""Bytes of a body that tornado reads at once."""
STALL = float(os.environ.get("REPL_TEST_STALL", "61"))
"""Seconds: longer than the pings of any server or proxy."""


def memory(repl: Lab) -> int:
    (runner,) = pids("serve", repl, "abc")
    return sum(psutil.Process(pid).memory_info().rss for pid in (runner, repl.pid))


def test_who_stops_reading_costs_little_and_stops_nobody(repl: Lab, client: Client) -> None:
    """A screen that is stuck, then a whole tab that is frozen."""
    flood, other = client.terminal(), quiet(client)
    before = memory(repl)
    client.silent.add(flood)
    client.type(flood, b"yes $(head -c 200 /dev/zero | tr '\\0' y)\n")
    client.read_until(flood, b"yyyyy")
    assert statistics.median(echoes(client, other, 50)) < 50
    client.request("updateContent", path="flow.txt", content="written meanwhile")
    assert memory(repl) - before < RING + 5_000_000
    elapse(STALL if type(repl) is Lab else STALL / 3)  # nothing at all is read
    assert memory(repl) - before < RING + 5_000_000
    assert client.request("fetchContent", path="flow.txt")["content"] == "written meanwhile"
    client.silent.clear()
    client.interrupt(flood)
    client.send_frame(ACK, flood, client.next[flood])
    client.read_until(flood, b"^C", 20)
    assert client.gaps == 0


@pytest.mark.alone
@pytest.mark.parametrize("action", disturbances.ALL)
def test_nothing_delays_another_terminals_echo(repl: Lab, client: Client, action: Disturbance) -> None:
    """Half of the keys here, since the machine may be busy; `make bench` tells of the slowest."""
    terminal = quiet(client)
    alone = statistics.median(echoes(client, terminal))
    with going_on(action, repl):
        assert statistics.median(echoes(client, terminal)) - alone < 6


def test_a_flood_rests_while_people_type_elsewhere(client: Client) -> None:
    """However fast its reader acknowledges; and not for ever."""
    flood, terminal = client.terminal(), quiet(client)
    client.type(flood, b"yes\n")
    client.type(terminal, b"x")
    client.read_until(flood, b"y\r\ny\r\n")
    begun, before, frames = time.monotonic(), len(client.output[flood]), 0
    while (took := time.monotonic() - begun) < 2:
        client.type(terminal, b"x")
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            client.pump(0.2)
            frames += 1
    assert frames < 2 * took / REST_SECONDS
    assert len(client.output[flood]) - before > 100_000
    client.interrupt(flood)
    client.read_until(flood, b"^C")


def test_an_upload_rests_while_people_type(repl: Lab, client: Client) -> None:
    terminal = quiet(client)
    client.type(terminal, b"x")
    begun = time.monotonic()
    repl.call("PUT", "project/abc/file/upload.bin", bytes(100 * CHUNK), {"If-None-Match": "*"})
    assert time.monotonic() - begun > 90 * http_file.REST_SECONDS
