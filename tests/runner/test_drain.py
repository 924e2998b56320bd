"""A runner ends its programs each time that it is asked: a stop that was refused lets the REPL go on."""

import asyncio
import os
from pathlib import Path

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.serve.app import Runner


def test_programs_that_were_started_after_a_refused_stop_are_ended_too(tmp_path: Path) -> None:
    before = Path.cwd()
    (tmp_path / "project").mkdir()
    record = {
        "token": "t",
        "workdir": str(tmp_path / "project"),
        "trash": str(tmp_path / "trash"),
        "assignment": Assignment(ProjectRef("", "abc")).to_json(),
    }

    async def body() -> None:
        runner = Runner(tmp_path, tmp_path / "uploads", record)
        runner.open({"PATH": os.environ["PATH"]})
        try:
            for _ in range(2):
                session = await runner._terminals.open((24, 80), ["sleep", "60"])
                await runner.end_programs()
                assert session.exit is not None
        finally:
            await runner.close()

    try:
        asyncio.run(body())
    finally:
        os.chdir(before)
