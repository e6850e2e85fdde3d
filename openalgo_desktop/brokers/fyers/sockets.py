"""Codecs of Fyers' other sockets: books of 50 levels (TBT, Protocol Buffers) and order updates.

A book begins with a snapshot; then come the levels that changed, by their number, and of these
the fields that changed, each in a message of its own so that a 0 differs from nothing. Prices are
paise. Sources: myapi.fyers.in/docsv3 (Tick-by-Tick and Order Websocket Usage Guide), tbt_ws.py,
msg_pb2.py and order_ws.py of PyPI ``fyers-apiv3`` 3.2.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    Frame,
    FrameCodec,
    InstrumentFinder,
    OrderRow,
    Ready,
    StreamEvent,
    text_of,
)
from openalgo_desktop.brokers.kit.feed.protobuf import Schema
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, NotSupported, ProtocolError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick

LEVELS: Final = 50
_CHANNEL: Final = "1"
#: What a book does not tell.
_UNTOLD: Final = Part.LTP | Part.DAY | Part.OI
SCHEMA = Schema(
    {
        "Value": {1: ("value", "int64")},  # of Int64Value, UInt32Value and UInt64Value
        "MarketLevel": {
            number: (name, "Value")
            for number, name in enumerate(("price", "qty", "nord", "num"), 1)
        },
        "Depth": {
            1: ("tbq", "Value"),
            2: ("tsq", "Value"),
            3: ("asks", "repeated MarketLevel"),
            4: ("bids", "repeated MarketLevel"),
        },
        "MarketFeed": {5: ("depth", "Depth"), 6: ("feed_time", "Value"), 11: ("ticker", "string")},
        "SocketMessage": {
            2: ("feeds", "map string MarketFeed"),
            3: ("snapshot", "bool"),
            4: ("msg", "string"),
            5: ("error", "bool"),
        },
    }
)
_read = SCHEMA.reader("SocketMessage")
_json = msgspec.json.Decoder()


class _Book:
    """The book of one instrument as its messages made it."""

    __slots__ = ("asks", "bids", "buying", "key", "selling")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.buying = self.selling = 0
        self.clear()

    def clear(self) -> None:
        """A snapshot follows."""
        self.bids, self.asks = [Level(0.0, 0, 0)] * LEVELS, [Level(0.0, 0, 0)] * LEVELS

    def merge(self, depth: Any) -> None:
        """Take over what a message says."""
        if depth.HasField("tbq"):
            self.buying = depth.tbq.value
        if depth.HasField("tsq"):
            self.selling = depth.tsq.value
        for levels, changes in ((self.asks, depth.asks), (self.bids, depth.bids)):
            for change in changes:
                has = change.HasField
                number = change.num.value
                if not has("num") or not 0 <= number < LEVELS:
                    continue
                old = levels[number]
                levels[number] = Level(
                    change.price.value / 100 if has("price") else old.price,
                    change.qty.value if has("qty") else old.quantity,
                    change.nord.value if has("nord") else old.orders,
                )

    def tick(self, now: int, told: int) -> Tick:
        """The book as it is known."""
        (exchange, symbol), bid, ask = self.key, self.bids[0], self.asks[0]
        return Tick(
            symbol,
            exchange,
            0.0,
            FeedMode.DEPTH,
            now,
            told,
            bid=bid.price,
            ask=ask.price,
            bid_quantity=bid.quantity,
            ask_quantity=ask.quantity,
            total_buy_quantity=self.buying,
            total_sell_quantity=self.selling,
            depth=Depth(tuple(self.bids), tuple(self.asks)),
            unknown=_UNTOLD,
        )


class TbtCodec(FrameCodec):
    """One connection of the 50-level books: shares and equity derivatives of NSE."""

    def __init__(
        self, instruments: InstrumentFinder, clock: Clock, values: Mapping[str, Any]
    ) -> None:
        self._instruments = instruments
        self._clock = clock
        self._books: dict[str, _Book] = {}

    def opened(self) -> Sequence[Frame]:
        """All instruments are on one channel."""
        return (_text({"type": 2, "data": {"resumeChannels": [_CHANNEL], "pauseChannels": []}}),)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        """Whatever the mode: there are only books."""
        tickers = {}
        for key in wanted:
            if key[0] not in ("NSE", "NFO"):
                raise NotSupported(f"Fyers has books of {LEVELS} levels on NSE and NFO only.")
            tickers[self._instruments.require(key[1], key[0]).brsymbol] = _Book(key)
        self._books |= tickers
        return (_wish(1, list(tickers)),)

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        gone = [ticker for ticker, book in self._books.items() if book.key in keys]
        for ticker in gone:
            del self._books[ticker]
        return (_wish(-1, gone),) if gone else ()

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        if not isinstance(frame, bytes):
            return ()  # "pong"
        try:
            message = _read(frame)
        except AppError as error:
            return (Failure(error),)
        if message.error:
            return (Failure(ProtocolError(f"The feed of Fyers' books reports: {message.msg}")),)
        now, ticks = int(self._clock.time() * 1000), []
        for feed in message.feeds.values():
            book = self._books.get(feed.ticker)
            if book is not None and feed.HasField("depth"):
                if message.snapshot:
                    book.clear()
                book.merge(feed.depth)
                ticks.append(book.tick(now, feed.feed_time.value * 1000))
        return ticks


class OrderCodec(FrameCodec):
    """One connection of the order updates."""

    awaits_ready = True

    def __init__(
        self, instruments: InstrumentFinder, clock: Clock, values: Mapping[str, Any]
    ) -> None:
        pass  # the header carries the log-in

    def opened(self) -> Sequence[Frame]:
        """Orders only: trades and positions follow from them."""
        return (_text({"T": "SUB_ORD", "SLIST": ["orders"], "SUB_T": 1}),)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        return ()

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        return ()

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        text = text_of(frame)
        if text == "pong":
            return ()
        try:
            message = _json.decode(text)
        except msgspec.DecodeError:
            return (Failure(ProtocolError("Fyers' order feed sent text that is not JSON")),)
        if not isinstance(message, dict):
            return ()
        if isinstance(row := message.get("orders"), dict):
            return (OrderRow(row),)
        if message.get("s") == "error":
            reason = message.get("message")
            return (Failure(ProtocolError(f"Fyers' order feed reports: {reason}")),)
        return (Ready(),) if message.get("code") == 1605 else ()


def _text(message: Mapping[str, Any]) -> str:
    return msgspec.json.encode(message).decode()


def _wish(subs: int, tickers: list[str]) -> str:
    data = {"subs": subs, "symbols": tickers, "mode": "depth", "channel": _CHANNEL}
    return _text({"type": 1, "data": data})
