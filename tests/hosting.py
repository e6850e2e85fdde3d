"""Hosted programs of the tests: real scripts in real processes, below a folder of the test."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from openalgo_desktop.automation.host.keeper import tree
from openalgo_desktop.automation.host.logs import RunLogs
from openalgo_desktop.automation.host.ports import Grant, Limits, LogEntry, Program
from openalgo_desktop.automation.host.processes import HostProcesses
from openalgo_desktop.automation.host.running import KeptRun
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.redact import Redactor
from openalgo_desktop.core.secret import Secret
from tests.waiting import until, until_told

#: Of no shape that a redactor knows.
KEY = "quiet-walrus-of-this-run-0815-4711"
GRANT = Grant(api_key=Secret(KEY), host="http://127.0.0.1:5123", ws_url="ws://127.0.0.1:8123")


class Hosting:
    """An engine's side of hosted programs; another of it over the same folder is the engine's next
    start."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.folder = root / "programs"
        clock = SystemClock()
        self.redactor = Redactor()
        # The process of the tests stays open to debuggers and core dumps.
        options = {"hide": lambda: None, **options}
        self.processes = HostProcesses(root / "hosted", clock, self.redactor.clean, **options)
        self.logs = RunLogs(self.processes.places, self.redactor.clean, clock)
        self._count = 0

    def program(self, script: str, **fields: Any) -> Program:
        """A program of one file. The run before may not have read that yet: it sees all of the old
        text or all of the new one."""
        folder = self.folder / "one"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "main.new").write_text(textwrap.dedent(script))
        (folder / "main.new").replace(folder / "main.py")
        given: dict[str, Any] = {"strategy_id": "one", "name": "One", "folder": folder}
        return Program(**given | {"entry": Path("main.py")} | fields)

    async def start(self, script: str, **limits: Any) -> KeptRun:
        """Run a script; the first is ``run-1``."""
        program = self.program(script)
        ready = await self.processes.prepare(program, lambda _line: None)
        self._count += 1
        run_id = f"run-{self._count}"
        return await self.processes.start(program, ready, GRANT, Limits(**limits), run_id)

    async def lines(self, run: KeptRun) -> list[LogEntry]:
        """What its log has now."""
        return await self.logs.last("one", run.run_id, 5000)

    async def text(self, run: KeptRun) -> str:
        """The script's own output."""
        return "\n".join(one.text for one in await self.lines(run) if one.stream != "note")

    async def told(self, run: KeptRun, text: str) -> None:
        """Returns when the script has printed ``text``."""

        async def there() -> bool:
            return text in await self.text(run)

        await until_told(there, f"{text!r} in the log of {run.run_id}")


@asynccontextmanager
async def hosting(root: Path, **options: Any) -> AsyncIterator[Hosting]:
    """One that leaves no process behind, whatever the test did."""
    made = Hosting(root, **options)
    try:
        yield made
    finally:
        for marks in await made.processes.left():
            await made.processes.end(marks, "the test is over", 0.0)
        await made.processes.stop_all(0.0)
        await made.processes.close()


async def gone(run: KeptRun) -> None:
    """Returns when no process of the run is left."""
    await until(lambda: not tree.with_cookie(run.marks.cookie), "the end of the whole tree")
