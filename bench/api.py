"""The local API, headless: round trips, throughput and CPU per request.

ping, quotes, orderbook with 60 orders, option chain with greeks, sandbox placeorder; each at 1 and
8 keep-alive clients. The peer in the same run is a bare aiohttp server that answers a fixed JSON
text: what HTTP costs on this machine at that moment. Ratios to it survive a noisy machine, wall
times do not. WebSocket fan-out is in ``bench/ws_fanout.py``; ``--stream`` runs it too.

    .venv/bin/python bench/api.py [--seconds 3] [--stream]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.e2e.driver import Program  # noqa: E402

#: Aims of the issue, headless: milliseconds for one client.
AIMS = {"ping": 1.5, "orderbook": 3.0, "placeorder": 4.0, "optionchain": 10.0}
ORDERS = 60
PEER = """
import asyncio, sys
from aiohttp import web
async def answer(request):
    await request.read()
    return web.Response(body=b'{"status":"success"}', content_type="application/json")
async def main():
    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
try:
    import uvloop
    uvloop.run(main())
except ImportError:
    asyncio.run(main())
"""


@dataclass
class Row:
    """One measurement."""

    name: str
    clients: int
    rate: float
    p50: float
    p99: float
    cpu: float  # server CPU, milliseconds per request


def cpu_seconds(pid: int) -> float:
    """User and system time of a process (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Client:
    """A keep-alive HTTP client that costs little."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)

    def close(self) -> None:
        self._writer.close()

    async def post(self, path: str, body: bytes) -> bytes:
        self._writer.write(
            f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        answer = await self._reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"{path}: {head[:20]!r} {answer[:300]!r}")
        return answer


async def measure(
    name: str, url: str, pid: int, path: str, body: dict[str, Any], clients: int, seconds: float
) -> Row:
    """Send as fast as ``clients`` can for some seconds."""
    raw = json.dumps(body).encode()
    times: list[float] = []
    stop_at = time.perf_counter() + seconds

    async def one() -> None:
        client = Client(url)
        await client.open()
        while time.perf_counter() < stop_at:
            began = time.perf_counter()
            await client.post(path, raw)
            times.append(time.perf_counter() - began)
        client.close()

    cpu, began = cpu_seconds(pid), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(clients)))
    spent = time.perf_counter() - began
    used = cpu_seconds(pid) - cpu
    times.sort()
    return Row(
        name,
        clients,
        len(times) / spent,
        times[len(times) // 2] * 1000,
        times[int(len(times) * 0.99)] * 1000,
        used * 1000 / len(times),
    )


def cases(key: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Path and body of each measurement."""
    with_key = {"apikey": key}
    order = {"strategy": "bench", "symbol": "SBIN", "exchange": "NSE", "action": "BUY"}
    return {
        "ping": ("ping", with_key),
        "quotes": ("quotes", {**with_key, "symbol": "SBIN", "exchange": "NSE"}),
        "orderbook": ("orderbook", with_key),
        "placeorder": ("placeorder", {**with_key, **order, "quantity": 1, "product": "MIS"}),
    }


async def chain_body(program: Program) -> dict[str, Any]:
    """A chain request for the nearest expiry with every strike."""
    answer = await asyncio.to_thread(
        program.call, "expiry", symbol="NIFTY", exchange="NFO", instrumenttype="options"
    )
    expiry = answer["data"][0].replace("-", "")
    return {
        "apikey": program.api_key,
        "underlying": "NIFTY",
        "exchange": "NSE_INDEX",
        "expiry_date": expiry,
        "with_greeks": True,
    }


async def run(program: Program, peer: subprocess.Popen[str], seconds: float) -> list[Row]:
    """All measurements; the peer is measured before each, so that noise hits both."""
    assert peer.stdout is not None
    peer_url = f"http://127.0.0.1:{peer.stdout.readline().strip()}"
    todo = cases(program.api_key)
    chain = await chain_body(program)
    todo["optionchain"] = ("optionchain", chain)
    pid = program.pid
    for _ in range(ORDERS):
        await asyncio.to_thread(
            program.call,
            "placeorder",
            **{k: v for k, v in todo["placeorder"][1].items() if k != "apikey"},
            pricetype="LIMIT",
            price=1.0,
        )
    rows: list[Row] = []
    # placeorder last: it fills the order book.
    for name in sorted(todo, key=lambda name: name == "placeorder"):
        path, body = todo[name]
        for clients in (1, 8):
            rows.append(
                await measure("(bare aiohttp)", peer_url, peer.pid, "/", body, clients, seconds / 3)
            )
            rows.append(
                await measure(
                    name, program.rest_url, pid, f"/api/v1/{path}", body, clients, seconds
                )
            )
    return rows


def report(rows: list[Row], show: Callable[[str], None] = print) -> None:
    """The table; ``x`` is the CPU per request in units of the bare server's."""
    show(f"{'':16}{'clients':>8}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'x':>7}  aim")
    for peer, row in zip(rows[::2], rows[1::2], strict=True):
        ratio = row.cpu / peer.cpu if peer.cpu else 0.0
        aim = f"{AIMS[row.name]:g} ms" if row.clients == 1 and row.name in AIMS else ""
        if row.name == "placeorder" and row.clients == 8:
            aim = "300 req/s"
        for each, factor in ((peer, 1.0), (row, ratio)):
            show(
                f"{each.name:16}{each.clients:8d}{each.rate:9.0f}{each.p50:9.2f}{each.p99:9.2f}"
                f"{each.cpu:9.3f}{factor:7.1f}  {aim if each is row else ''}"
            )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--stream", action="store_true", help="WebSocket fan-out too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        peer = subprocess.Popen([sys.executable, "-c", PEER], stdout=subprocess.PIPE, text=True)
        try:
            with Program(Path(folder) / "data") as program:
                rows = asyncio.run(run(program, peer, args.seconds))
        finally:
            peer.terminate()
            peer.wait()
    report(rows)
    if args.stream:
        subprocess.run([sys.executable, "-m", "bench.ws_fanout"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
