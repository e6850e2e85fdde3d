"""WebSocket fan-out: deliveries a second, age of prices on arrival, server CPU per delivery.

A headless program of its own whose simulated market ticks 20,000 times a second; clients in this
process only count frames and read one in a hundred, because parsing every frame here would measure
Python's JSON, not the server. The peer in the same run is the ``websockets`` library's own
``broadcast`` of as many frames of the same size.

    .venv/bin/python bench/ws_fanout.py [--seconds 4] [--clients 1,10,100] [--mode 1]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.e2e.driver import Program  # noqa: E402

#: The aim of the issue: deliveries a second to 10 clients.
AIM = 100_000
TICK_RATE = 20_000
_SAMPLE = 100
PEER = """
import asyncio, json, sys, time
from websockets.asyncio.server import broadcast, serve
RATE = int(sys.argv[1])
async def keep(connection):
    await connection.wait_closed()
async def main():
    async with serve(keep, "127.0.0.1", 0, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        sent, began = 0, time.perf_counter()
        while True:
            due = int((time.perf_counter() - began) * RATE)
            while sent < due:
                now = int(time.time() * 1000)
                data = {"symbol": "NIFTY29DEC2626000CE", "exchange": "NFO", "mode": "ltp",
                        "ltp": 396.25, "ltt": now, "timestamp": now}
                frame = {"type": "market_data", "symbol": data["symbol"], "exchange": "NFO",
                         "mode": 1, "broker": "simulator", "data": data}
                broadcast(server.connections, json.dumps(frame, separators=(",", ":")))
                sent += 1
                if sent % 50 == 0:
                    await asyncio.sleep(0)
            await asyncio.sleep(0.002)
try:
    import uvloop
    uvloop.run(main())
except ImportError:
    asyncio.run(main())
"""


class Client:
    """A raw socket: frames are found by their length, some are read for their time."""

    def __init__(self, url: str, *messages: object) -> None:
        self._url = url
        self._messages = messages
        self.frames = 0
        self.ages: list[float] = []
        self._buffer = bytearray()

    async def open(self) -> None:
        parts = urlsplit(self._url)
        self._reader, self._writer = await asyncio.open_connection(parts.hostname, parts.port)
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._writer.write(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await self._reader.readuntil(b"\r\n\r\n")
        for message in self._messages:
            self._send(message)

    def _send(self, message: object) -> None:
        payload = json.dumps(message).encode()
        size = len(payload)
        head = bytes((0x81, 0x80 | 126)) + size.to_bytes(2, "big")
        self._writer.write(head + bytes(4) + payload)  # a mask of zeros

    async def run(self) -> None:
        """Read until cancelled."""
        while chunk := await self._reader.read(1 << 20):
            self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        buffer = self._buffer
        buffer += chunk
        now = time.time() * 1000
        at, end = 0, len(buffer)
        while end - at >= 2:
            size, start = buffer[at + 1], at + 2
            if size == 126:
                if end - at < 4:
                    break
                size, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                if end - at < 10:
                    break
                size, start = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 10
            if start + size > end:
                break
            self.frames += 1
            if self.frames % _SAMPLE == 0:
                frame = json.loads(buffer[start : start + size])
                if frame.get("type") == "market_data":
                    self.ages.append(now - frame["data"]["timestamp"])
            at = start + size
        del buffer[:at]

    def close(self) -> None:
        self._writer.close()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))


async def measure(name: str, pid: int, clients: list[Client], seconds: float) -> float:
    """Print one row; returns the deliveries a second."""
    for client in clients:
        await client.open()
    tasks = [asyncio.create_task(client.run()) for client in clients]
    await asyncio.sleep(1.0)
    for client in clients:
        client.frames, client.ages = 0, []
    cpu, began = cpu_seconds(pid), time.perf_counter()
    await asyncio.sleep(seconds)
    took, used = time.perf_counter() - began, cpu_seconds(pid) - cpu
    frames = sum(client.frames for client in clients)
    ages = sorted(age for client in clients for age in client.ages) or [float("nan")]
    print(
        f"{name:20s} {len(clients):4d} clients  {frames / took:9.0f} deliveries/s  "
        f"{1e6 * used / max(1, frames):6.2f} us CPU each  server {100 * used / took:4.0f} % CPU  "
        f"age p50 {ages[len(ages) // 2]:6.1f} ms  p99 {ages[int(len(ages) * 0.99)]:6.1f} ms"
    )
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for client in clients:
        client.close()
    return frames / took


def market_clients(program: Program, count: int, mode: int) -> list[Client]:
    """Clients of the program that follow some hundred contracts."""
    log_in = {"action": "authenticate", "api_key": program.api_key}
    follow = {"action": "subscribe", "symbols": symbols(program), "mode": mode}
    return [Client(program.ws_url, log_in, follow) for _ in range(count)]


def symbols(program: Program) -> list[dict[str, str]]:
    """Everything that the market search finds for a few common names."""
    rows = []
    for query in ("NIFTY", "BANKNIFTY", "RELIANCE", "SBIN"):
        answer = program.call("search", query=query, exchange="NFO")
        rows += [{"symbol": r["symbol"], "exchange": r["exchange"]} for r in answer["data"]]
    return rows[:400]


def against_peer(count: int, seconds: float) -> None:
    """The row of the peer."""
    command = [sys.executable, "-c", PEER, str(TICK_RATE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as peer:
        try:
            assert peer.stdout is not None
            url = f"ws://127.0.0.1:{int(peer.stdout.readline())}"
            clients = [Client(url) for _ in range(count)]
            asyncio.run(measure("websockets broadcast", peer.pid, clients, seconds))
        finally:
            peer.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--clients", default="1,10,100")
    parser.add_argument("--mode", type=int, default=1)
    args = parser.parse_args()
    for count in map(int, args.clients.split(",")):
        with (
            tempfile.TemporaryDirectory() as folder,
            Program(Path(folder) / "data", "--sim-rate", str(TICK_RATE)) as program,
        ):
            clients = market_clients(program, count, args.mode)
            rate = asyncio.run(measure("this program", program.pid, clients, args.seconds))
        against_peer(count, args.seconds)
        if count == 10:
            print(f"{'':20s} aim {AIM}: {'reached' if rate >= AIM else 'NOT reached'}")


if __name__ == "__main__":
    main()
