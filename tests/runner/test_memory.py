"""What a container's memory is, by either version of cgroups; the guard itself is tested in a pod."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from jupyter_repl_runner.usage import memory
from jupyter_repl_runner.usage.memory import find_cgroup

STAT = "cache 5\ninactive_file 300\nactive_file 40\ntotal_inactive_file 200\n"
EVENTS = "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 0\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_version_two(tmp_path: Path) -> None:
    write(tmp_path, memory__current="1000\n", memory__max="2000\n", memory__stat=STAT, memory__events=EVENTS)
    cgroup = find_cgroup(tmp_path)
    assert cgroup is not None
    assert (cgroup.used(), cgroup.most(), cgroup.kills()) == (700, 2000, 2)


def test_version_one(tmp_path: Path) -> None:
    sizes = {"memory__usage_in_bytes": "1000\n", "memory__limit_in_bytes": "2000\n"}
    write(tmp_path / "memory", memory__stat=STAT, memory__oom_control=CONTROL, **sizes)
    cgroup = find_cgroup(tmp_path)
    assert cgroup is not None
    assert (cgroup.used(), cgroup.most(), cgroup.kills()) == (800, 2000, 4)


@pytest.mark.parametrize("limit", ["max\n", "9223372036854771712\n"])
def test_without_a_limit_there_is_nothing_to_guard(tmp_path: Path, limit: str) -> None:
    write(tmp_path, memory__current="1000\n", memory__max=limit, memory__stat=STAT, memory__events=EVENTS)
    assert find_cgroup(tmp_path) is None


def test_where_there_are_no_cgroups(tmp_path: Path) -> None:
    assert find_cgroup(tmp_path) is None


def test_a_number_that_could_not_be_read_once_ends_no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Once:
        """A cgroup whose file can't be read the first time."""

        def most(self) -> int:
            return 1000

        def kills(self) -> int:
            return 0

        def used(self) -> int:
            asked.append("used")
            if len(asked) == 1:
                raise OSError(12, "Cannot allocate memory")
            return 1

    monkeypatch.setattr(memory, "LONGEST_SECONDS", 0.01)

    async def body() -> None:
        running = asyncio.ensure_future(memory.MemoryGuard(cast(Any, Once()), lambda: []).run())
        async with asyncio.timeout(5):
            while len(asked) < 3:
                await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(body())
