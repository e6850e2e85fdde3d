"""WebSocket fan-out: deliveries a second, age of prices on arrival, server CPU per delivery.

A headless program of its own with the whole simulated market ticking as fast as it can; clients in
this process only count bytes and read one frame in a hundred, because parsing every frame here
would measure Python's JSON, not the server. ``python -m bench.ws_fanout [--seconds 5]
[--clients 1,10,100] [--mode 1]``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.driver import Program

TICK_RATE = 20_000
_SAMPLE = 100


class Client:
    """A raw socket: frames are found by their length, some are read for their time."""

    def __init__(self, program: Program, mode: int, symbols: list[dict[str, str]]) -> None:
        self._program = program
        self._mode = mode
        self._symbols = symbols
        self.frames = 0
        self.ages: list[float] = []
        self._buffer = bytearray()

    async def open(self) -> None:
        parts = urlsplit(self._program.ws_url)
        self._reader, self._writer = await asyncio.open_connection(parts.hostname, parts.port)
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._writer.write(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await self._reader.readuntil(b"\r\n\r\n")
        self._send({"action": "authenticate", "api_key": self._program.api_key})
        self._send({"action": "subscribe", "symbols": self._symbols, "mode": self._mode})

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


async def measure(program: Program, count: int, mode: int, seconds: float) -> None:
    found = symbols(program)
    clients = [Client(program, mode, found) for _ in range(count)]
    for client in clients:
        await client.open()
    tasks = [asyncio.create_task(client.run()) for client in clients]
    await asyncio.sleep(1.0)
    for client in clients:
        client.frames, client.ages = 0, []
    cpu, began = cpu_seconds(program.pid), time.perf_counter()
    await asyncio.sleep(seconds)
    took, used = time.perf_counter() - began, cpu_seconds(program.pid) - cpu
    frames = sum(client.frames for client in clients)
    ages = sorted(age for client in clients for age in client.ages) or [float("nan")]
    print(
        f"{count:4d} clients  {frames / took:10.0f} deliveries/s  "
        f"{1e6 * used / max(1, frames):6.1f} us CPU each  server {100 * used / took:4.0f} % CPU  "
        f"age p50 {ages[len(ages) // 2]:6.1f} ms  p99 {ages[int(len(ages) * 0.99)]:6.1f} ms"
    )
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for client in clients:
        client.close()


def symbols(program: Program) -> list[dict[str, str]]:
    """Everything that the market search finds for a few common names."""
    rows = []
    for query in ("NIFTY", "BANKNIFTY", "RELIANCE", "SBIN"):
        answer = program.call("search", query=query, exchange="NFO")
        rows += [{"symbol": r["symbol"], "exchange": r["exchange"]} for r in answer["data"]]
    return rows[:400]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", default="1,10,100")
    parser.add_argument("--mode", type=int, default=1)
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Program(Path(folder) / "data", "--sim-rate", str(TICK_RATE)) as program,
    ):
        for count in map(int, args.clients.split(",")):
            asyncio.run(measure(program, count, args.mode, args.seconds))


if __name__ == "__main__":
    main()
