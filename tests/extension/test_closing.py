"""A server that stops says so to each channel, after a whole frame."""

import asyncio
import socket
import threading

import pytest
from support.channel import Client
from support.lab import Lab
from tornado.iostream import IOStream

from jupyter_repl_ext.runners.relay import END_SECONDS, Relay

from .test_boundaries import frame


@pytest.mark.parametrize("is_busy", [False, True], ids=["idle", "in the middle of a flood"])
def test_a_server_that_stops_closes_each_channel_with_a_code(lab: Lab, is_busy: bool) -> None:
    for name in ("abc", "def"):
        lab.make(name)
    clients = [Client(lab, name) for name in ("abc", "def", "def")]
    for client in clients if is_busy else ():
        terminal = client.terminal()
        client.type(terminal, b"yes $(head -c 3000 /dev/zero | tr '\\0' y)\n")
        client.read_until(terminal, b"yyyy")
    stopping = threading.Thread(target=lab.stop)
    stopping.start()
    try:
        assert [client.wait_close() for client in clients] == [1012] * 3
    finally:
        stopping.join()


def test_a_runner_that_stops_within_a_frame_keeps_no_server_from_stopping(lab: Lab) -> None:
    lab.make("abc")
    client = Client(lab, "abc")
    terminal = client.terminal()
    client.silent.add(terminal)
    client.type(terminal, b"yes $(head -c 3000 /dev/zero | tr '\\0' y)\n")
    client.read_until(terminal, b"yyyy")
    lab.stop(30)


@pytest.mark.parametrize("stuck", ["the browser", "the runner"])
def test_a_relay_ends_whoever_is_stuck(stuck: str) -> None:
    async def check() -> None:
        (ours, browser), (theirs, runner) = socket.socketpair(), socket.socketpair()
        relay = Relay(IOStream(ours), IOStream(theirs), lambda: None)
        running = asyncio.ensure_future(relay.run())
        runner.setblocking(False)
        sending = asyncio.ensure_future(
            asyncio.get_running_loop().sock_sendall(runner, frame(10_000_000 if stuck == "the browser" else 10)[:-1])
        )
        await asyncio.wait({sending}, timeout=0.5)  # a browser that reads nothing fills all buffers
        relay.end(1012, "")
        async with asyncio.timeout(END_SECONDS + 2):
            await running
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        browser.close()
        runner.close()

    asyncio.run(check())
