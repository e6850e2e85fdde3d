"""The feeds of XTS on loopback: two Socket.IO servers, and the messages on them.

Written from Symphony's SDKs (MarketDataSocketClient, InteractiveSocketClient, and the decoders of
xts-pythonsdk-binarymarketdata-withbroadcastmode-api for binary packets).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import socketio
from aiohttp import web

from openalgo_desktop.core.clock import IST_OFFSET_SECONDS
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Level, Tick
from tests.emulators.base import Faults, Socket

LTP, TOUCHLINE, DEPTH, INTEREST = 1512, 1501, 1502, 1510
MODE_OF = {LTP: FeedMode.LTP, TOUCHLINE: FeedMode.QUOTE, DEPTH: FeedMode.DEPTH}
#: Seconds between 1970 and 1980.
_EIGHTIES = 315_532_800

#: An event: its name and what it carries.
Event = tuple[str, Any]


class Session:
    """A login of market data, and what it subscribed: sockets come and go, this stays."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.codes: dict[Key, set[int]] = {}


class SioSocket(Socket):
    """One client of a Socket.IO server."""

    def __init__(
        self, server: socketio.AsyncServer, sid: str, request: web.Request, session: Session | None
    ) -> None:
        super().__init__(web.WebSocketResponse(), orders=session is None)
        self.server, self.sid, self.request, self.session = server, sid, request, session

    async def send(self, frame: Any) -> None:
        """Send an event; a client that has gone is no error."""
        with contextlib.suppress(Exception):
            await self.server.emit(frame[0], frame[1], to=self.sid)

    def cut(self) -> None:
        """The line breaks."""
        if self.request.transport is not None:
            self.request.transport.abort()


class SioServer:
    """A Socket.IO server at a path. ``accept`` gives the session of a query, None for the orders
    of the account, or raises :class:`Refused`; ``joined`` and ``left`` hear of clients."""

    def __init__(
        self,
        path: str,
        faults: Faults,
        accept: Callable[[Mapping[str, str]], Session | None],
        joined: Callable[[SioSocket], None],
        left: Callable[[str], None],
    ) -> None:
        self.path = path
        self._faults = faults
        self._accept, self._joined, self._left = accept, joined, left
        self.greets = True  # says that a client has joined
        self.server = socketio.AsyncServer(
            async_mode="aiohttp", cors_allowed_origins="*", ping_interval=1.0, ping_timeout=1.0
        )
        self.server.on("connect", self._connected)
        self.server.on("disconnect", self._gone)

    def attach(self, app: web.Application) -> None:
        """Serve it in an application."""
        self.server.attach(app, socketio_path=self.path)

    async def _connected(self, sid: str, environ: dict[str, Any]) -> None:
        query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        session = self._accept(query)
        self._deafen(sid)
        socket = SioSocket(self.server, sid, environ["aiohttp.request"], session)
        self._joined(socket)
        if self.greets and not self._faults.half_open:
            await self.server.emit("joined", "Socket joined successfully", to=sid)

    def _deafen(self, sid: str) -> None:
        """A half-open line says nothing any more, pings neither."""
        line = self.server.eio.sockets[self.server.manager.eio_sid_from_sid(sid, "/")]
        plain = line.send

        async def send(packet: Any) -> None:
            if not self._faults.half_open:
                await plain(packet)

        line.send = send

    async def _gone(self, sid: str, reason: str = "") -> None:
        self._left(sid)

    async def stop(self) -> None:
        """Close it."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1):
                await self.server.shutdown()


# -- messages -------------------------------------------------------------------------------
def feed_time(epoch: float) -> int:
    """Seconds since 1980 by the clock of India."""
    return int(epoch) - _EIGHTIES + IST_OFFSET_SECONDS


def _level(level: Level) -> dict[str, Any]:
    return {"Size": level.quantity, "Price": level.price, "TotalOrders": level.orders,
            "BuyBackMarketMaker": 0}  # fmt: skip


def _line(tick: Tick, now: float) -> dict[str, Any]:
    return {
        "BidInfo": _level(Level(tick.bid, tick.bid_quantity, 1)),
        "AskInfo": _level(Level(tick.ask, tick.ask_quantity, 1)),
        "LastTradedPrice": tick.ltp,
        "LastTradedQunatity": tick.last_quantity,
        "TotalBuyQuantity": tick.total_buy_quantity,
        "TotalSellQuantity": tick.total_sell_quantity,
        "TotalTradedQuantity": tick.volume,
        "AverageTradedPrice": tick.average_price,
        "LastTradedTime": feed_time(now),
        "LastUpdateTime": feed_time(now),
        "PercentChange": tick.change_percent,
        "Open": tick.open,
        "High": tick.high,
        "Low": tick.low,
        "Close": tick.close,
        "TotalValueTraded": None,
        "BuyBackTotalBuy": 0,
        "BuyBackTotalSell": 0,
    }


def message(tick: Tick, code: int, segment: int, number: int, now: float) -> dict[str, Any]:
    """A message of a code."""
    head = {
        "MessageCode": code,
        "MessageVersion": 4,
        "ApplicationType": 0,
        "TokenID": 0,
        "ExchangeSegment": segment,
        "ExchangeInstrumentID": number,
        "ExchangeTimeStamp": feed_time(now),
    }
    if code == INTEREST:
        return {**head, "XTSMarketType": 1, "OpenInterest": tick.oi}
    kinds = {"BookType": 1, "XMarketType": 1}
    if code == LTP:
        line = _line(tick, now)
        names = ("LastTradedPrice", "LastTradedQunatity", "LastUpdateTime", "LastTradedTime")
        return {**head, **kinds, **{name: line[name] for name in names}}
    if code == TOUCHLINE:
        return {**head, **kinds, **_line(tick, now)}
    book = tick.depth
    sides = {
        "Bids": [_level(level) for level in (book.buy if book else ())],
        "Asks": [_level(level) for level in (book.sell if book else ())],
    }
    return {**head, **sides, "Touchline": _line(tick, now), **kinds, "SequenceNumber": 1}


def event(tick: Tick, code: int, segment: int, number: int, now: float) -> Event:
    """A message as the JSON servers send it: a text."""
    return f"{code}-json-full", json.dumps(message(tick, code, segment, number, now))


# -- binary ---------------------------------------------------------------------------------
def _row(level: Mapping[str, Any]) -> bytes:
    return struct.pack("<idiH", level["Size"], level["Price"], level["TotalOrders"], 0)


def _body(data: Mapping[str, Any]) -> bytes:
    code = data["MessageCode"]
    out = struct.pack(
        "<HHHQQiHiQ", code, 4, 0, 0, 1, 0, data["ExchangeSegment"], data["ExchangeInstrumentID"],
        data["ExchangeTimeStamp"],
    )  # fmt: skip
    if code == INTEREST:
        return out + struct.pack("<hihQbi", 1, data["OpenInterest"], 1, 26000, 0, 0)
    line = data["Touchline"] if code == DEPTH else data
    if code == DEPTH:
        for side in ("Bids", "Asks"):
            out += struct.pack("<i", len(data[side])) + b"".join(map(_row, data[side]))
    out += _row(line["BidInfo"]) + _row(line["AskInfo"])
    out += struct.pack(
        "<QdiIIIdqd", line["LastUpdateTime"], line["LastTradedPrice"], line["LastTradedQunatity"],
        line["TotalBuyQuantity"], line["TotalSellQuantity"], line["TotalTradedQuantity"],
        line["AverageTradedPrice"], line["LastTradedTime"], line["PercentChange"],
    )  # fmt: skip
    return out + struct.pack(
        "<dddddhhhh", line["Open"], line["High"], line["Low"], line["Close"], 0.0, 0, 0, 1, 1
    )


def packet(data: Mapping[str, Any], *, deflated: bool) -> bytes:
    """A message as the binary servers send it."""
    body = _body(data)
    head = struct.pack(
        "<HhihhH", data["MessageCode"], data["ExchangeSegment"], data["ExchangeInstrumentID"], 1, 1,
        len(body),
    )  # fmt: skip
    if not deflated:
        return b"\x00" + head + body
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(body) + packer.flush()
    return b"\x01" + head + struct.pack("<H", len(packed)) + packed
