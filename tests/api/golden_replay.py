"""Replays transcripts against a headless program: REST cases, sequences, WebSocket talks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.api.golden_case import TEXT_KEPT, Case, read_rows
from tests.api.golden_checks import answer
from tests.api.golden_compare import Comparison, Ids
from tests.api.golden_money import available
from tests.api.golden_rules import expectation
from tests.api.golden_setup import prepare, settings_of
from tests.api.golden_times import RECORDED_AT, RunClock
from tests.e2e.driver import Http, Program

#: The longest that our answer to a price step may take, whatever the reference needed; seconds.
#: It comes at once, as the frames do: only a test that fails, or a busy machine, waits for it.
SETTLE_SECONDS = 30.0
#: Wait for a frame that must come; seconds.
FRAME_SECONDS = 60.0


class Replay:
    """One transcript against one program. ``start`` gives a program with other settings, for
    the cases that were recorded under such."""

    def __init__(
        self,
        program: Program,
        base_prices: dict[str, float],
        start: Callable[[tuple[str, ...]], Program] | None = None,
    ) -> None:
        self._program = program
        self._prices = base_prices
        self._start = start
        self._http = program.http()
        self.ids = Ids()
        self._saved: dict[str, str] = {"APIKEY": program.api_key}
        self.problems: list[str] = []
        self.compared = 0
        self.clock = RunClock(program.control)

    # -- setting ------------------------------------------------------------------------------
    def reset(self) -> None:
        """Empty sandbox, recorded prices and clock, analyze mode."""
        self._program.call("analyzer/toggle", mode=True)
        self.clock.stand(RECORDED_AT, reset="sandbox", prices=dict(self._prices))

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    # -- REST -----------------------------------------------------------------------------------
    def run(self, path: Path) -> None:
        """All steps of a REST transcript."""
        self.reset()
        rows = list(read_rows(path))
        sequence = any(not isinstance(row, Case) for row in rows) or path.stem.startswith("seq_")
        for number, row in enumerate(rows):
            if isinstance(row, Case):
                if row.status == 429:
                    continue  # recorded at a limit: ``run_limit``
                other = settings_of(row)
                if other and self._start is not None:
                    self._elsewhere(row, self._start(other))
                    continue
                if not sequence:
                    prepare(self._program, row, self.ids)
                settled = number > 0 and not isinstance(rows[number - 1], Case)
                self._run_case(row, SETTLE_SECONDS if settled else 0.0)
            elif "ctl" in row:
                self._program.control(**row["ctl"])
            # ``wait``: the reference works every few seconds; the next case asks until it agrees.

    def _elsewhere(self, case: Case, program: Program) -> None:
        """A case under other settings."""
        replay = Replay(program, self._prices)
        replay.reset()
        replay._run_case(case, 0.0)
        replay.close()
        self.problems += replay.problems
        self.compared += replay.compared

    def _run_case(self, case: Case, patience: float) -> None:
        self._set_clock(case)
        deadline = time.monotonic() + patience
        while True:
            status, body, headers = self._exchange(case)
            known = dict(self.ids.ours)
            problems = self._judge(case, status, body, headers)
            if not problems or time.monotonic() > deadline:
                break
            self.ids.ours = known
            time.sleep(0.05)
        for name, where in case.save.items():
            self._saved[name] = str(_dig(body, where))
        self.compared += 1
        self.problems += [f"{case.name} ({case.method} {case.path}): {text}" for text in problems]

    def _set_clock(self, case: Case) -> None:
        """Numbers that move with time: stand at the second in which they were recorded."""
        self.clock.stand_where_recorded(case.body)

    def _exchange(self, case: Case) -> tuple[int, Any, dict[str, str]]:
        headers = {"Content-Type": "application/json", **case.headers}
        if case.raw_body is not None:
            content: bytes | None = self._fill(case.raw_body).encode()
        else:
            content = (
                None if case.request is None else self._fill(json.dumps(case.request)).encode()
            )
        sent = {name: value for name, value in headers.items() if value is not None}
        status, answer, got = self._http.request(case.method, self._fill(case.path), content, sent)
        try:
            return status, json.loads(answer), got
        except ValueError:
            return status, {"_text": answer[:TEXT_KEPT]}, got

    def _fill(self, text: str) -> str:
        return re.sub(r"\{\{(\w+)\}\}", lambda m: self._saved.get(m[1], m[0]), text)

    def _judge(self, case: Case, status: int, body: Any, headers: dict[str, str]) -> list[str]:
        expected = expectation(case)
        problems = []
        if status != expected.status:
            problems.append(f"status {status}, recorded {expected.status}; answer {body!r:.300}")
        comparison = Comparison(self.ids, expected.freedom, self.clock.window)
        comparison.compare(expected.body, body)
        if not problems and not comparison.differences:
            ask = answer(self._http, self._program.api_key)
            problems += [text for check in expected.checks for text in check(body, case, ask)]
            problems += available(body, ask)
        for name, value in case.answer_headers.items():
            if name.lower() == "content-type" or name in expected.dropped_headers:
                continue
            if headers.get(name.lower()) != value:
                problems.append(f"header {name}: {headers.get(name.lower())}, recorded {value}")
        return problems + comparison.differences

    def run_limit(self, case: Case) -> None:
        """A case recorded at a rate limit: repeated until the limit bites."""
        for _ in range(300):
            status, body, headers = self._exchange(case)
            if status == 429:
                break
        self.compared += 1
        self.problems += [
            f"{case.name}: {text}" for text in self._judge(case, status, body, headers)
        ]

    # -- WebSocket ----------------------------------------------------------------------------
    async def talk(self, row: dict[str, Any]) -> None:
        """One WebSocket conversation."""
        async with self._socket() as socket:
            talk = _Talk(self, self._program, socket, row["case"])
            try:
                await talk.run(row["frames"])
            finally:
                await talk.close()

    @contextlib.asynccontextmanager
    async def _socket(self) -> AsyncIterator[ClientConnection]:
        async with connect(self._program.ws_url, max_size=None) as socket:
            yield socket


class _Talk:
    """The state of one conversation."""

    def __init__(
        self, replay: Replay, program: Program, socket: ClientConnection, name: str
    ) -> None:
        self._replay = replay
        self._program = program
        self._socket = socket
        self._name = name
        self._sent: Any = None
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._ticks: dict[tuple[str, str, int], dict[str, Any]] = {}
        self._tick = asyncio.Event()
        self._orders: dict[str, dict[str, Any]] = {}
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for raw in self._socket:
            frame = json.loads(raw)
            if frame.get("type") == "market_data":
                self._ticks[frame["symbol"], frame["exchange"], frame["mode"]] = frame
                self._tick.set()
            else:
                self._answers.put_nowait(frame)

    async def close(self) -> None:
        """End reading."""
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def run(self, frames: list[dict[str, Any]]) -> None:
        for frame in frames:
            if "send" in frame:
                await self._send(frame["send"])
            elif "recv" in frame:
                await self._receive(frame["recv"])
            else:
                await self._closed(frame)

    async def _send(self, message: Any) -> None:
        self._sent = message
        if isinstance(message, str):
            if re.fullmatch(r"(?:[0-9a-f]{2}){2,}", message):  # a binary frame, as hex
                await self._socket.send(bytes.fromhex(message))
            else:
                await self._socket.send(self._replay._fill(message))
            return
        await self._socket.send(self._replay._fill(json.dumps(message)))

    async def _receive(self, recorded: dict[str, Any]) -> None:
        case = Case("ws", self._name, "WS", request=self._sent, body=recorded)
        expected = expectation(case)
        if recorded.get("type") == "market_data":
            frame = await self._market_frame(expected.body)
        else:
            if recorded.get("type") == "order_update":
                await self._cause(recorded)
            frame = await self._answer()
        self._replay.compared += 1
        comparison = Comparison(self._replay.ids, expected.freedom, self._replay.clock.window)
        if frame is None:
            comparison.differences.append(f"no frame came, recorded {recorded!r:.300}")
        else:
            comparison.compare(expected.body, frame)
            ask = answer(self._replay._http, self._program.api_key)
            comparison.differences += [
                text for check in expected.checks for text in check(frame, case, ask)
            ]
        self._replay.problems += [
            f"{self._name} (after {self._sent!r:.120}): {text}" for text in comparison.differences
        ]

    async def _answer(self) -> dict[str, Any] | None:
        try:
            return await asyncio.wait_for(self._answers.get(), FRAME_SECONDS)
        except TimeoutError:
            return None

    async def _market_frame(self, recorded: dict[str, Any]) -> dict[str, Any] | None:
        """The latest tick of that stream: prices stand still, so each must be like the other."""
        key = (recorded["symbol"], recorded["exchange"], recorded["mode"])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FRAME_SECONDS):
                while key not in self._ticks:
                    self._tick.clear()
                    await self._tick.wait()
        return self._ticks.get(key)

    async def _cause(self, recorded: dict[str, Any]) -> None:
        """Do by REST what made the reference send this frame: a new id is an order placed, other
        values of a working order a modification, ``cancelled`` a cancellation."""
        known = self._orders.get(recorded["orderid"])
        self._orders[recorded["orderid"]] = recorded
        if known is None:
            await self._place(recorded)
            return
        if recorded["order_status"] != "cancelled":
            return
        order_id = self._replay.ids.ours.get(recorded["orderid"], "")
        names = ("quantity", "price", "trigger_price", "pricetype")
        if any(known[name] != recorded[name] for name in names):
            fields = {name: recorded[name] for name in (*names, *_IDENTITY)}
            await self._post("modifyorder", orderid=order_id, disclosed_quantity=0, **fields)
            await self._answer()  # a modification is announced here, not by the reference
        await self._post("cancelorder", orderid=order_id)

    async def _place(self, recorded: dict[str, Any]) -> None:
        order = {name: recorded[name] for name in ("quantity", "pricetype", *_IDENTITY)}
        if recorded["pricetype"] in ("LIMIT", "SL"):
            order["price"] = recorded["price"]
        if recorded["pricetype"] in ("SL", "SL-M"):
            order["trigger_price"] = recorded["trigger_price"]
        await self._post("placeorder", **order)

    async def _post(self, endpoint: str, **fields: Any) -> None:
        """A request whose answer does not matter: a refusal is announced on the stream, too."""
        body = {"apikey": self._program.api_key, "strategy": "golden", **fields}
        with Http(self._program.rest_url) as http:
            await asyncio.to_thread(http.post, f"/api/v1/{endpoint}", body)

    async def _closed(self, recorded: dict[str, Any]) -> None:
        began, limit = time.monotonic(), float(recorded["closed_after_s"])
        try:
            async with asyncio.timeout(limit + FRAME_SECONDS):
                await self._reader
        except (TimeoutError, ConnectionClosed):
            pass
        self._replay.compared += 1
        code, reason = self._socket.close_code, self._socket.close_reason
        if (code, reason) != (recorded.get("code"), recorded.get("reason")):
            self._replay.problems.append(
                f"{self._name}: closed {code} {reason!r}, recorded {recorded}"
            )
        if time.monotonic() - began < limit - 5.0:
            self._replay.problems.append(
                f"{self._name}: closed after {time.monotonic() - began:.1f} s, recorded {recorded}"
            )


_IDENTITY = ("symbol", "exchange", "action", "product")


def _dig(body: Any, where: str) -> Any:
    """A value by its dotted path; a name that is not there gives a text that fits nothing."""
    for part in where.split("."):
        try:
            body = body[int(part)] if isinstance(body, list) else body[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return f"nothing at {where}"
    return body
