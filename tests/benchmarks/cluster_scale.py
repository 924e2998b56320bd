"""Ten thousand REPLs in a real API server: what a server reads when it begins, then keeps, and answers with."""

import asyncio
import importlib
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import psutil
from support.api_server import NAMESPACE, ApiServer
from support.s3 import S3Server
from support.s3_lab import S3Lab

from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes import names
from jupyter_repl_spawner.kubernetes.anchor import Leases
from jupyter_repl_spawner.kubernetes.client import Api
from jupyter_repl_spawner.kubernetes.watch import Watch

from .table import Row

COUNT = 10_000
PROJECTS = 20
"""Of the one person who asks."""
ASKS = 200


def measure(folder: Path, s3: S3Server) -> list[Row]:
    server = ApiServer(folder / "api").start()
    try:
        asyncio.run(_fill(str(server.kubeconfig)))
        # In a process that has loaded what a Jupyter server has, and nothing of what was measured before: the garbage
        # collector walks through all of it.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            took, held = process.submit(_list, str(server.kubeconfig)).result(120)
        asks, memory = _ask(folder, server, s3)
    finally:
        server.stop()
    return [
        Row("10,000 Leases: the first listing, paged", "s", [took], 10),
        Row(
            "the longest that it held the event loop of a process like a Jupyter server",
            "ms",
            [held],
            30,
        ),
        Row(f"`GET project` of {PROJECTS} projects meanwhile, 95 of 100 within", "ms", [asks], 50),
        Row("all the memory of that Jupyter server", "MB", [memory], 300),
    ]


async def _fill(kubeconfig: str) -> None:
    async with Api(NAMESPACE, kubeconfig) as api:
        leases = Leases(api, lambda _: None)
        turn = asyncio.Semaphore(16)

        async def one(number: int) -> None:
            async with turn:
                await leases.acquire(ProjectRef("", f"many-{number}"), "bench", {names.ASSIGNMENT: "{}" * 100})

        await asyncio.gather(*(one(number) for number in range(COUNT)))


def _list(kubeconfig: str) -> tuple[float, float]:
    """Seconds that it took, and milliseconds that nothing else was done meanwhile."""
    for name in ("jupyterlab.labapp", "jupyter_repl_ext.app", "jupyter_repl_ext.services"):
        importlib.import_module(name)
    return asyncio.run(_watch(kubeconfig))


async def _watch(kubeconfig: str) -> tuple[float, float]:
    held: list[float] = []

    async def look() -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            held.append((time.perf_counter() - begun - 0.001) * 1000)

    async with Api(NAMESPACE, kubeconfig) as api:
        watch = Watch(api, "leases", f"{names.MANAGED_BY}={names.DOMAIN}")
        looking = asyncio.create_task(look())
        begun = time.perf_counter()
        await watch.start(60)
        took = time.perf_counter() - begun
        looking.cancel()
        assert len(watch.objects) == COUNT
        await watch.stop()
    return took, max(held)


def _ask(folder: Path, server: ApiServer, s3: S3Server) -> tuple[float, float]:
    """The time of a list of projects, in milliseconds, and the server's memory in MB, once it knows all Leases."""
    lab = S3Lab(
        folder / "many",
        s3,
        "many",
        JUPYTER_REPL_SPAWNER="kubernetes",
        JUPYTER_REPL_KUBERNETES_NAMESPACE=NAMESPACE,
        JUPYTER_REPL_KUBERNETES_IMAGE="never-pulled",
        JUPYTER_REPL_KUBERNETES_KEY_FILE=str(folder / "many.key"),
        KUBECONFIG=str(server.kubeconfig),
    ).start()
    try:
        for number in range(PROJECTS):
            lab.make(f"many-{number}", start=False)
        # What the Leases say is known by now: no pod is there that they could mean.
        assert lab.phase("many-0")["name"] != "stopped"
        taken = []
        for _ in range(ASKS):
            begun = time.perf_counter()
            status, answer = lab.call("GET", "project")
            taken.append((time.perf_counter() - begun) * 1000)
            assert (status, len(answer)) == (200, PROJECTS)
        return sorted(taken)[int(ASKS * 0.95)], psutil.Process(lab.pid).memory_info().rss / 1e6
    finally:
        lab.stop()
