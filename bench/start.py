"""What a start costs: CPU of commands and of the engine, and of the window that does nothing.

CPU of the processes (user and system), not wall time, so that other work on the machine matters
little; the least of some runs. Floors in the same run: the bare interpreter, and the interpreter
with the heaviest libraries that the engine cannot do without. The engine starts from byte code, as
the set-up leaves it (``PYTHONDONTWRITEBYTECODE`` of a developer would compile each module anew).

    .venv/bin/python bench/start.py [--runs 3] [--rows 1000000] [--idle 20]

``--rows 0`` leaves out the journal, ``--idle 0`` the window.
"""

from __future__ import annotations

import argparse
import asyncio
import compileall
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from openalgo_desktop.runtime.options import TerminalOptions  # noqa: E402
from openalgo_desktop.runtime.terminal import Terminal  # noqa: E402

PROGRAM = [sys.executable, "-m", "openalgo_desktop"]
LIBRARIES = "import asyncio, sqlalchemy, msgspec, numpy, aiohttp.web, websockets"


def children() -> float:
    """CPU seconds of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def of_process(pid: int) -> float:
    """CPU seconds of a running process (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def command(*arguments: str) -> float:
    """CPU seconds of a command that ends by itself."""
    before = children()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return children() - before


def engine(
    folder: Path, kind: str = "headless", *options: str
) -> tuple[subprocess.Popen[bytes], float, float]:
    """A started engine, the CPU seconds until it was ready, and the wall seconds."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    environment = dict(os.environ)
    if kind == "gui" and not environment.get("DISPLAY"):
        environment["QT_QPA_PLATFORM"] = "offscreen"
    began = time.perf_counter()
    process = subprocess.Popen(
        [*PROGRAM, kind, "--data-dir", str(folder / "data"), "--rest-port", "0", "--ws-port", "0",
         "--ready-file", str(ready), *options],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not ready.exists():
        if process.poll() is not None or time.perf_counter() - began > 120:
            raise SystemExit(f"{kind} did not become ready")
        time.sleep(0.02)
    return process, of_process(process.pid), time.perf_counter() - began


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop and wait."""
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def started(folder: Path, runs: int) -> tuple[float, float]:
    """The least CPU and wall seconds of some starts of the engine."""
    found = []
    for _ in range(runs):
        process, cpu, wall = engine(folder)
        stop(process)
        found.append((cpu, wall))
    return min(cpu for cpu, _ in found), min(wall for _, wall in found)


def called(folder: Path, runs: int) -> float:
    """The least CPU seconds of ``call ping`` against a running engine."""
    process, _, _ = engine(folder)
    try:
        return min(
            command(*PROGRAM, "call", "ping", "--data-dir", str(folder / "data"))
            for _ in range(runs)
        )
    finally:
        stop(process)


async def _prepared(folder: Path) -> None:
    overrides = {"api.rest_port": 0, "api.ws_port": 0}
    terminal = Terminal(TerminalOptions(data_dir=folder / "data", overrides=overrides))
    await terminal.start()
    await terminal.stop()


def fill_journal(folder: Path, rows: int) -> None:
    """Settled rows of years in the order journal."""
    database = next((folder / "data").rglob("*.db"))
    with sqlite3.connect(database) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(order_journal)")]
        values = {
            "kind": "place", "account_id": "sandbox:simulator", "mode": "sandbox",
            "source": "api:bench", "state": "acknowledged", "message": "",
            "request": '{"symbol":"SBIN","exchange":"NSE","action":"BUY","quantity":1}',
        }  # fmt: skip
        own = {"tag", "created_at", "updated_at", "order_id", *values}
        names = [name for name in columns if name in own]
        marks = ",".join("?" * len(names))
        now = int(time.time() * 1e6)
        connection.executemany(
            f"INSERT INTO order_journal ({','.join(names)}) VALUES ({marks})",
            (
                [
                    {"tag": f"B{n}", "created_at": now - n, "updated_at": now - n,
                     "order_id": f"OLD{n}"}.get(name, values.get(name))
                    for name in names
                ]
                for n in range(rows)
            ),
        )  # fmt: skip
    connection.close()


def idle(folder: Path, seconds: float, *options: str) -> float:
    """Percent of a core of a window that nobody touches."""
    process, _, _ = engine(folder, "gui", *options)
    try:
        time.sleep(6)
        before = of_process(process.pid)
        time.sleep(seconds)
        return 100 * (of_process(process.pid) - before) / seconds
    finally:
        stop(process)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--idle", type=float, default=20.0)
    options = parser.parse_args()
    runs = range(options.runs)
    compileall.compile_dir(ROOT / "openalgo_desktop", quiet=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(_prepared(folder))
        bare = min(command(sys.executable, "-c", "pass") for _ in runs)
        libraries = min(command(sys.executable, "-c", LIBRARIES) for _ in runs)
        print(f"interpreter {bare:.2f} s of CPU, with the libraries {libraries:.2f}", flush=True)
        print(f"--help      {min(command(*PROGRAM, '--help') for _ in runs):.2f}", flush=True)
        print(f"call ping   {called(folder, options.runs):.2f}", flush=True)
        cpu, wall = started(folder, options.runs)
        print(f"headless    {cpu:.2f} (ready after {wall:.2f} s)", flush=True)
        if options.rows:
            fill_journal(folder, options.rows)
            cpu, wall = started(folder, options.runs)
            print(
                f"headless    {cpu:.2f} with {options.rows:,} rows in the journal "
                f"(ready after {wall:.2f} s)",
                flush=True,
            )
        if options.idle:
            quiet = idle(folder, options.idle, "--sim-rate", "1")
            busy = idle(folder, options.idle)
            print(
                f"window      {quiet:.1f} % of a core when no prices come, "
                f"{busy:.1f} % on the simulator's usual market",
                flush=True,
            )


if __name__ == "__main__":
    main()
