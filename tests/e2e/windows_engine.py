"""Run by the Python of Windows (under Wine, see ``test_windows_host``): the process side of hosted
programs as an engine uses it. Prints one JSON object of what came of each step."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from openalgo_desktop.automation.host.ports import Ended, Grant, Limits, Program
from openalgo_desktop.automation.host.processes import HostProcesses
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.secret import Secret

KEY = "0123456789abcdef-key"
GRANT = Grant(api_key=Secret(KEY), host="http://127.0.0.1:1", ws_url="ws://127.0.0.1:1")
SLEEPER = "[sys.executable, '-c', 'import time; time.sleep(99)']"
SCRIPTS = {
    "env": "import json, os\nprint(json.dumps(sorted(os.environ)))\nprint(os.environ"
    "['OPENALGO_API_KEY'])\nraise SystemExit(3)\n",
    "loop": f"import subprocess, sys, time\nsubprocess.Popen({SLEEPER})\nwhile True:\n"
    "    print('tick', flush=True)\n    time.sleep(0.2)\n",
    "leaves": f"import subprocess, sys\nsubprocess.Popen({SLEEPER})\nprint('left one')\n",
    "memory": "import time\nkept = []\nfor _ in range(80):\n    kept.append(bytearray(20_000_000))"
    "\n    time.sleep(0.1)\n",
    "forks": f"import subprocess, sys, time\nkept = [subprocess.Popen({SLEEPER}) for _ in range(9)]"
    "\ntime.sleep(99)\n",
    "flood": "for _ in range(200_000):\n    print('x' * 100)\n",
}


def short(ended: Ended) -> dict[str, Any]:
    """What is asked of an end."""
    return {
        "code": ended.code, "why": ended.why, "reason": ended.reason, "last": ended.last_lines,
    }  # fmt: skip


class Engine:
    """One engine after another on one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.processes = self.anew()

    def anew(self) -> HostProcesses:
        self.processes = HostProcesses(self.root, SystemClock(), str, orphan_seconds=4.0)
        return self.processes

    async def start(self, name: str, run_id: str, **limits: int) -> Any:
        folder = self.root / "mine" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "main.py").write_text(SCRIPTS[name], encoding="utf-8")
        program = Program(strategy_id=name, name=name, folder=folder, entry=Path("main.py"))
        ready = await self.processes.prepare(program, lambda line: None)
        return await self.processes.start(program, ready, GRANT, Limits(**limits), run_id)


async def steps(engine: Engine) -> dict[str, Any]:
    """All of them."""
    told: dict[str, Any] = {}
    told["env"] = short(await (await engine.start("env", "r1")).ended)
    run = await engine.start("loop", "r2")
    while run.usage().processes < 2 or run.usage().lines < 5:
        await asyncio.sleep(0.1)
    await engine.processes.close()
    marks = await engine.anew().left()
    told["left"] = [row.run_id for row in marks]
    adopted = await engine.processes.adopt(marks[0])
    assert adopted is not None
    told["stopped"] = short(await adopted.stop(1.0, "Stopped by a test."))
    for name, limits in (
        ("leaves", {}), ("memory", {"memory_mb": 300}), ("forks", {"processes": 4}), ("flood", {}),
    ):  # fmt: skip
        run = await engine.start(name, "r3", **limits)
        told[name] = short(await run.ended) | {"left_out": run.usage().left_out}
    run = await engine.start("loop", "r4")
    os.kill(run.marks.keeper_pid, signal.SIGTERM)  # the end of a process here
    told["killed"] = short(await run.ended)
    told["again"] = [row.run_id for row in await engine.anew().left()]
    SCRIPTS["bad"] = "def f(:\n"
    try:
        await engine.start("bad", "r5")
    except ConfigError as error:
        told["bad"] = error.message
    await engine.processes.close()
    return told


if __name__ == "__main__":
    print(json.dumps(asyncio.run(steps(Engine(Path(sys.argv[1]))))))
