"""Flow control and fairness: whoever does not read, floods or pastes stops nobody else."""

import os
import statistics
import time

import psutil
import pytest
from support import disturbances
from support.channel import ACK, Client
from support.disturbances import Disturbance, echoes, going_on, quiet
from support.lab import Lab
from support.processes import pids

RING = 8 << 20
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
    time.sleep(STALL)  # nothing at all is read
    assert memory(repl) - before < RING + 5_000_000
    assert client.request("fetchContent", path="flow.txt")["content"] == "written meanwhile"
    client.silent.clear()
    client.interrupt(flood)
    client.send_frame(ACK, flood, client.next[flood])
    client.read_until(flood, b"^C", 20)
    assert client.gaps == 0


@pytest.mark.parametrize("action", disturbances.ALL)
def test_nothing_delays_another_terminals_echo(repl: Lab, client: Client, action: Disturbance) -> None:
    """Half of the keys here, since the machine may be busy; `make bench` tells of the slowest."""
    terminal = quiet(client)
    alone = statistics.median(echoes(client, terminal))
    with going_on(action, repl):
        assert statistics.median(echoes(client, terminal)) - alone < 6
