"""First light: what a trader and a script feel on the running program.

Starts the real window (offscreen unless DISPLAY is set) with 500 watchlist rows fed at 30 frames a
second and measures, from another process: cold start to usable window, REST round trip of a
sandbox placeorder, memory. The peer in the same run is the same engine headless (no paint load),
and `ping` on the same connection is the floor of HTTP on this machine.

    .venv/bin/python bench/first_light.py [--orders 500]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

ROWS = 500


def memory_mib(pid: int) -> float:
    """Resident memory of a process, MiB (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def start(command: str, folder: Path, *extra: str) -> tuple[subprocess.Popen[bytes], dict, float]:
    """Start a command of the program; returns process, ready file and seconds to ready."""
    ready = folder / f"{command}.ready"
    ready.unlink(missing_ok=True)
    environment = dict(os.environ)
    if command == "gui" and not environment.get("DISPLAY"):
        environment["QT_QPA_PLATFORM"] = "offscreen"
    arguments = [sys.executable, "-m", "openalgo_desktop", command]
    arguments += ["--data-dir", str(folder / "data"), "--rest-port", "0", "--ws-port", "0"]
    arguments += ["--ready-file", str(ready), "--set", "limits.order=100000 per second"]
    arguments += ["--set", "limits.api=100000 per second", *extra]
    began = time.perf_counter()
    process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL)
    while not ready.exists():
        if process.poll() is not None or time.perf_counter() - began > 60:
            raise SystemExit(f"{command} did not become ready")
        time.sleep(0.01)
    return process, json.loads(ready.read_text()), time.perf_counter() - began


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop and wait."""
    process.send_signal(signal.SIGTERM)
    process.wait(20)


async def seed_watchlist(folder: Path) -> None:
    """Put ROWS instruments into the stored watchlist, as a user would have them."""
    from openalgo_desktop.runtime.options import TerminalOptions
    from openalgo_desktop.runtime.terminal import Terminal
    from openalgo_desktop.ui.shell import workspace

    overrides: dict[str, Any] = {"api.rest_port": 0, "api.ws_port": 0}
    terminal = Terminal(TerminalOptions(data_dir=folder / "data", overrides=overrides))
    await terminal.start()
    keys = [list(row.key) for row in terminal.instruments.rows()][:ROWS]
    saved = {"docks": {"watchlist": {"symbols": keys}}}
    await terminal.state.put(workspace.SCOPE, "last", saved)
    await terminal.stop()


def timed(client: httpx.Client, path: str, body: dict[str, Any], count: int) -> list[float]:
    """Round trips in milliseconds, sorted."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        answer = client.post(path, json=body)
        times.append((time.perf_counter() - began) * 1e3)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text}")
    return sorted(times)


def report(name: str, times: list[float]) -> None:
    """One line of the table."""
    p99 = times[int(len(times) * 0.99) - 1]
    print(f"{name:34} p50 {statistics.median(times):7.2f} ms   p99 {p99:7.2f} ms")


def measure(title: str, ready: dict[str, Any], orders: int) -> None:
    """Ping and placeorder round trips on one keep-alive connection."""
    order = {
        "apikey": ready["api_key"],
        "strategy": "bench",
        "symbol": "SBIN",
        "exchange": "NSE",
        "action": "BUY",
        "quantity": 1,
        "product": "MIS",
        "pricetype": "MARKET",
    }
    with httpx.Client(base_url=ready["rest_url"] + "/api/v1", timeout=30) as client:
        ping = {"apikey": ready["api_key"]}
        timed(client, "/ping", ping, 20)
        timed(client, "/placeorder", order, 20)
        report(f"{title} ping", timed(client, "/ping", ping, orders))
        report(f"{title} placeorder", timed(client, "/placeorder", order, orders))


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--rate", default="2000", help="simulator ticks per second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(seed_watchlist(folder))
        for command in ("headless", "gui"):
            process, ready, seconds = start(command, folder, "--sim-rate", options.rate)
            try:
                print(f"{command}: ready after {seconds:.2f} s")
                time.sleep(5)
                print(f"{command}: memory after start {memory_mib(process.pid):.0f} MiB")
                measure(command, ready, options.orders)
            finally:
                stop(process)


if __name__ == "__main__":
    main()
