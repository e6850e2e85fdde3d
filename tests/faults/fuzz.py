"""Fuzzing of the doors: REST bodies, webhooks, WebSocket frames, broker frames, master files.

    python -m tests.faults.fuzz --inputs 1000000 --seed 1

Seeded. Good input is changed and sent; what counts as a failure: an answer of 500 or above (501
"not supported" is an answer), a logged exception, a codec or reader that raises anything but the
program's own errors, a server that stops answering, memory that grows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import resource
import tempfile
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from openalgo_desktop.brokers.kit.feed.codec import Failure
from openalgo_desktop.brokers.kit.master.reading import read_file
from openalgo_desktop.brokers.openalgo.codec import OpenAlgoCodec
from openalgo_desktop.brokers.zerodha.spec import SPEC as ZERODHA
from openalgo_desktop.brokers.zerodha.ticker import KiteCodec
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.local_api.endpoints import TABLE
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from tests.faults.mutations import ODD_VALUES, damaged, encoded, fields

DATA = Path(__file__).parents[1] / "data"
MAX_GROWTH_MB = 250
UNLIMITED = "1000000 per second"
#: Shares of the doors in a run; frames and files are quick, requests are not.
SHARES = {"REST and webhooks": 10, "WebSocket frames": 15, "broker frames": 65, "master files": 10}
#: Answers of 500 and above that are no fault: "not supported", and what says a state of the
#: program whatever the input is.
NOT_SUPPORTED = 501
STATES = {("telegram/stop", 500)}


class Watch(logging.Handler):
    """Remembers exceptions that the program logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or record.levelno >= logging.ERROR:
            self.found.append(logging.Formatter().format(record)[-3000:])


class Fuzz:
    """A terminal on the frozen simulator, and the doors to it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.folder = folder
        self.counts: Counter[str] = Counter()
        self.watch = Watch()
        overrides: dict[str, Any] = {
            "api.rest_port": 0,
            "api.ws_port": 0,
            "log.level": "WARNING",
            "simulator.rate": 0.0,
            **{f"limits.{name}": UNLIMITED for name in ("api", "order", "smart", "greeks")},
            "limits.webhook": UNLIMITED,
        }
        self.terminal = Terminal(
            TerminalOptions(
                data_dir=folder / "data",
                overrides=overrides,
                sim_frozen=True,
                sim_universe=DATA / "fixture_symbols.json",
                sim_control=False,
            )
        )

    async def start(self) -> None:
        logging.getLogger("openalgo_desktop").addHandler(self.watch)
        await self.terminal.start()
        key = await self.terminal.keys.default()
        assert key is not None and self.terminal.api is not None
        self.key = key.reveal()
        self.rest = urlsplit(self.terminal.api.rest_url)
        self.ws = self.terminal.api.ws_url
        self.names = sorted({name for row in TABLE for name in row.example} | {"apikey", "symbol"})

    async def stop(self) -> None:
        await self.terminal.stop()
        logging.getLogger("openalgo_desktop").removeHandler(self.watch)

    def healthy(self) -> None:
        """No exception was logged."""
        assert self.watch.found == [], self.watch.found[0]

    # -- REST and webhooks ------------------------------------------------------------------
    async def requests(self, number: int) -> None:
        """So many requests over one keep-alive connection, opened again where it was closed."""
        line: _Line | None = None
        for _ in range(number):
            line = line or await _Line.open(self.rest.hostname or "", self.rest.port or 0)
            raw, what = self._request()
            try:
                status = await asyncio.wait_for(line.send(raw), 60)
            except (OSError, EOFError, asyncio.IncompleteReadError):
                status = 0  # the server closed: what was sent was no HTTP
            if status == 0 or line.closing:
                line.close()
                line = None
            self.counts[f"answer {status or 'closed'}"] += 1
            fault = status >= 500 and status != NOT_SUPPORTED and (what, status) not in STATES
            assert not fault, f"{status} for {what!r}: {raw[:2000]!r}"
            self.healthy()
        if line is not None:
            line.close()

    def _request(self) -> tuple[bytes, str]:
        rng = self.rng
        row = rng.choice(TABLE)
        path = row.route
        if path.endswith("*"):
            path = path[:-1] + quote(str(rng.choice(ODD_VALUES))[:100], safe="", errors="replace")
        good = {"apikey": self.key, **row.example}
        body = fields(rng, good, self.names) if rng.random() < 0.9 else rng.choice(ODD_VALUES)
        if isinstance(body, dict) and rng.random() < 0.8:
            body["apikey"] = self.key
        if row.method == "GET" and isinstance(body, dict):
            pairs = {str(k)[:50]: str(v)[:200] for k, v in body.items()}
            path += "?" + urlencode(pairs, errors="replace")
            content = b""
        else:
            content = encoded(rng, body)
        media = rng.choice(["application/json"] * 9 + ["text/plain", "text/xml", "", "a/b;c"])
        head = (
            f"{row.method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: {media}\r\nContent-Length: {len(content)}\r\n\r\n"
        ).encode("utf-8", "replace")
        if rng.random() < 0.01:
            head = damaged(rng, head)
        return head + content, row.name

    # -- WebSocket --------------------------------------------------------------------------
    async def frames(self, number: int) -> None:
        """So many frames in groups; after each group the server still answers a good one."""
        left = number
        while left > 0:
            try:
                async with connect(self.ws, open_timeout=60, compression=None) as socket:
                    if self.rng.random() < 0.9:
                        await socket.send(
                            json.dumps({"action": "authenticate", "api_key": self.key})
                        )
                        await asyncio.wait_for(socket.recv(), 60)
                    left -= await self._group(socket, min(left, 200))
            except (ConnectionClosed, InvalidHandshake):
                self.counts["socket closed by the server"] += 1
            self.healthy()

    async def _group(self, socket: ClientConnection, number: int) -> int:
        sent = 0
        try:
            for _ in range(number):
                await socket.send(self._frame())
                sent += 1
                while True:  # read what is there, so that the server can go on
                    try:
                        async with asyncio.timeout(0):
                            await socket.recv()
                    except TimeoutError:
                        break
            await socket.send(json.dumps({"action": "ping"}))
            await asyncio.wait_for(socket.recv(), 60)
        except ConnectionClosed:
            self.counts["socket closed by the server"] += 1
            sent += 1
        return sent

    def _frame(self) -> str | bytes:
        rng = self.rng
        good = rng.choice(
            [
                {"action": "authenticate", "api_key": self.key},
                {"action": "subscribe", "symbol": "SBIN", "exchange": "NSE", "mode": 1},
                {
                    "action": "subscribe",
                    "mode": "Quote",
                    "symbols": [{"symbol": "SBIN", "exchange": "NSE"}],
                    "depth": 5,
                },
                {"action": "unsubscribe", "symbol": "SBIN", "exchange": "NSE", "mode": 2},
                {"action": "unsubscribe_all"},
                {"action": "subscribe_orders"},
                {"action": "get_broker_info"},
                {"action": "get_supported_brokers"},
                {"action": "ping", "_pingTimestamp": 1},
            ]
        )
        names = ["action", "symbol", "symbols", "exchange", "mode", "depth", "api_key"]
        raw = encoded(rng, fields(rng, good, names))
        if rng.random() < 0.1:
            return raw
        return raw.decode("utf-8", "replace")

    # -- broker frames ----------------------------------------------------------------------
    async def broker_frames(self, number: int) -> None:
        """Frames of a Kite and an OpenAlgo feed, changed; decoders answer with events only."""
        instruments = InstrumentTable()
        rows = [Instrument(f"S{i}", "NSE", token=str(i * 256 + 1)) for i in range(1, 6)]
        instruments.load(rows)
        clock = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))
        kite = KiteCodec(instruments, clock)
        kite.subscribe({row.key: FeedMode.DEPTH for row in rows})
        other = OpenAlgoCodec(instruments, clock, {"api_key": "k"})
        other.subscribe({row.key: FeedMode.DEPTH for row in rows})
        for i in range(number):
            binary = self.rng.random() < 0.7
            codec: Any = kite if binary else other
            frame = self._kite_frame() if binary else self._openalgo_frame()
            try:
                for event in codec.decode(frame):
                    self.counts[_event_name(event)] += 1
            except Exception as error:
                raise AssertionError(f"{type(codec).__name__} raised on {frame!r}") from error
            if i % 500 == 0:
                await asyncio.sleep(0)

    def _kite_frame(self) -> bytes:
        rng = self.rng
        packets = []
        for _ in range(rng.randint(1, 4)):
            token = (rng.randint(1, 8) * 256 + 1).to_bytes(4, "big")
            body = token + rng.randbytes(rng.choice((4, 24, 28, 40, 180, rng.randint(0, 200))))
            packets.append(len(body).to_bytes(2, "big") + body)
        frame = len(packets).to_bytes(2, "big") + b"".join(packets)
        return damaged(rng, frame) if rng.random() < 0.5 else frame

    def _openalgo_frame(self) -> str:
        rng = self.rng
        good = {
            "type": rng.choice(["market_data", "order_update", "auth", "subscribe", ""]),
            "symbol": "S1",
            "exchange": "NSE",
            "mode": rng.randint(0, 4),
            "status": rng.choice(["success", "error", ""]),
            "data": {"ltp": 800.0, "timestamp": 1, "depth": {"buy": [], "sell": []}},
            "subscriptions": [],
        }
        target = good["data"] if rng.random() < 0.5 else good
        changed = fields(rng, target, ["ltp", "volume", "depth", "type", "symbol", "exchange"])  # type: ignore[arg-type]
        whole = {**good, "data": changed} if target is good["data"] else changed
        return encoded(rng, whole).decode("utf-8", "replace")

    # -- master files -----------------------------------------------------------------------
    async def masters(self, number: int) -> None:
        """Short symbol masters, damaged; the reader gives rows or says what is wrong."""
        assert ZERODHA.master is not None
        file = ZERODHA.master.files[0]
        lines = (DATA / "masters" / "zerodha_instruments.csv").read_bytes().splitlines(True)
        path = self.folder / "master.csv"
        for i in range(number):
            rows = [lines[0], *self.rng.choices(lines[1:], k=self.rng.randint(0, 5))]
            raw = b"".join(rows)
            path.write_bytes(damaged(self.rng, raw))
            try:
                read_file(ZERODHA.master, file, path)
                self.counts["master read"] += 1
            except AppError:
                self.counts["master refused"] += 1
            except Exception as error:
                raise AssertionError(f"reader raised on {path.read_bytes()!r}") from error
            if i % 200 == 0:
                await asyncio.sleep(0)

    async def run(self, inputs: int) -> None:
        """All doors by their shares."""
        doors = {
            "REST and webhooks": self.requests,
            "WebSocket frames": self.frames,
            "broker frames": self.broker_frames,
            "master files": self.masters,
        }
        whole = sum(SHARES.values())
        for name, share in SHARES.items():
            number = inputs * share // whole
            await doors[name](number)
            self.counts[name] += number


def _event_name(event: object) -> str:
    if isinstance(event, Tick):
        return "decoded tick"
    return "frame refused" if isinstance(event, Failure) else "other event"


class _Line:
    """A keep-alive HTTP connection that sends raw bytes and reads one answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.closing = False

    @classmethod
    async def open(cls, host: str, port: int) -> _Line:
        return cls(*await asyncio.open_connection(host, port))

    async def send(self, raw: bytes) -> int:
        self._writer.write(raw)
        # A damaged head may announce more than was sent: the server then waits, rightly.
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 5)
        lines = head.decode("latin-1").split("\r\n")
        fields_ = {k.lower(): v.strip() for k, _, v in (x.partition(":") for x in lines[1:])}
        await self._reader.readexactly(int(fields_.get("content-length", 0)))
        self.closing = fields_.get("connection", "").lower() == "close"
        return int(lines[0].split()[1])

    def close(self) -> None:
        self._writer.close()


def memory_mb() -> float:
    """Highest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def fuzz(folder: Path, seed: int, inputs: int) -> Counter[str]:
    """``inputs`` inputs over all doors; returns the counts. Raises AssertionError."""
    work = Fuzz(folder, seed)
    await work.start()
    try:
        await work.run(min(inputs, 2000))  # everything is imported and warm
        before = memory_mb()
        await work.run(inputs - min(inputs, 2000))
        growth = memory_mb() - before
        work.counts["memory growth, MB"] = round(growth)
        assert growth < MAX_GROWTH_MB, f"memory grew by {growth:.0f} MB"
        await work.requests(1)  # the door is still open
    except BaseException as error:
        error.add_note(f"seed {seed}, counts {dict(work.counts)}")
        raise
    finally:
        await work.stop()
    return work.counts


def main() -> None:
    """The long run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    logging.getLogger("openalgo_desktop.local_api.gate").setLevel(logging.ERROR)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        counts = asyncio.run(fuzz(Path(folder), args.seed, args.inputs))
    print(f"seed {args.seed}, {time.perf_counter() - started:.0f} s")
    for name, count in sorted(counts.items()):
        print(f"| {name} | {count} |")


if __name__ == "__main__":
    main()
