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
    OrderFeedCodec,
    OrderRow,
    Ready,
    Reply,
    StreamEvent,
)
from openalgo_desktop.brokers.kit.feed.protobuf import Schema
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, NotSupported, ProtocolError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick

LEVELS: Final = 50
_CHANNEL: Final = "1"
#: What a book does not tell.
_UNTOLD: Final = Part.LTP | Part.DAY | Part.OI
#: A depth is read as a flat list of numbers, which it is: all in it are tags, sizes in bytes and
#: wrapped numbers. Objects for each of them cost three times as much (bench/decode_fyers.py). A map
#: is a list of entries.
_SCHEMA = Schema(
    {
        "Value": {1: ("value", "int64")},
        "MarketFeed": {
            5: ("depth", "repeated int64"),
            6: ("feed_time", "Value"),
            11: ("ticker", "string"),
        },
        "Entry": {2: ("feed", "MarketFeed")},
        "SocketMessage": {
            2: ("feeds", "repeated Entry"),
            3: ("snapshot", "bool"),
            4: ("msg", "string"),
            5: ("error", "bool"),
        },
    }
)
_read = _SCHEMA.reader("SocketMessage")
#: Tags of a depth (total to buy, to sell, levels to sell, to buy) and of a level.
_BUYING, _SELLING, _ASK, _BID = (number << 3 | 2 for number in range(1, 5))
_PRICE, _QUANTITY, _ORDERS, _PLACE = _BUYING, _SELLING, _ASK, _BID


class _Book:
    """The book of one instrument as its messages made it."""

    __slots__ = ("asks", "begun", "bids", "buying", "key", "selling")

    def __init__(self, key: Key) -> None:
        self.key, self.begun = key, False  # begun: its snapshot has come
        self.buying = self.selling = 0
        self.clear()

    def clear(self) -> None:
        """A snapshot follows."""
        self.bids, self.asks = [Level(0.0, 0, 0)] * LEVELS, [Level(0.0, 0, 0)] * LEVELS

    def merge(self, numbers: list[int]) -> None:
        """Take over what a depth says: tag and size of a total or a level, in a level those of
        its fields, of what is not 0 one more tag and the number; the place is the last and is
        always there. Raises IndexError for a depth that is not so."""
        at, end = 0, len(numbers)
        while at < end:
            tag, at = numbers[at], at + 2
            if tag in (_ASK, _BID):
                at = self._change(numbers, at, self.asks if tag == _ASK else self.bids)
                continue
            total = 0
            if numbers[at - 1]:
                total, at = numbers[at + 1], at + 2
            if tag == _BUYING:
                self.buying = total
            elif tag == _SELLING:
                self.selling = total
            else:
                raise IndexError

    def _change(self, numbers: list[int], at: int, levels: list[Level]) -> int:
        """One changed level; gives what is behind it. In this order: price, quantity, orders,
        place."""
        price = quantity = orders = None
        if numbers[at] == _PRICE:
            if numbers[at + 1]:
                price, at = numbers[at + 3] / 100, at + 4
            else:
                price, at = 0.0, at + 2
        if numbers[at] == _QUANTITY:
            if numbers[at + 1]:
                quantity, at = numbers[at + 3], at + 4
            else:
                quantity, at = 0, at + 2
        if numbers[at] == _ORDERS:
            if numbers[at + 1]:
                orders, at = numbers[at + 3], at + 4
            else:
                orders, at = 0, at + 2
        place = numbers[at + 3] if numbers[at + 1] else 0
        if numbers[at] != _PLACE or place < 0:
            raise IndexError
        old = levels[place]
        levels[place] = Level(
            old.price if price is None else price,
            old.quantity if quantity is None else quantity,
            old.orders if orders is None else orders,
        )
        return at + 4 if numbers[at + 1] else at + 2

    def tick(self, now: int, told: int) -> Tick:
        """The book as it is known."""
        (exchange, symbol), bid, ask = self.key, self.bids[0], self.asks[0]
        return Tick(
            symbol, exchange, 0.0, FeedMode.DEPTH, now, told, bid=bid.price, ask=ask.price,
            bid_quantity=bid.quantity, ask_quantity=ask.quantity, total_buy_quantity=self.buying,
            total_sell_quantity=self.selling, depth=Depth(tuple(self.bids), tuple(self.asks)),
            unknown=_UNTOLD,
        )  # fmt: skip


class TbtCodec(FrameCodec):
    """One connection of the 50-level books: shares and equity derivatives of NSE."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._books: dict[str, _Book] = {}

    def opened(self) -> Sequence[Frame]:
        """All instruments are on one channel."""
        return (_text({"type": 2, "data": {"resumeChannels": [_CHANNEL], "pauseChannels": []}}),)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        """Whatever the mode: there are only books."""
        tickers: dict[str, _Book] = {}
        for key in wanted:
            if key[0] not in ("NSE", "NFO"):
                raise NotSupported(f"Fyers has books of {LEVELS} levels on NSE and NFO only.")
            ticker = self._instruments.require(key[1], key[0]).brsymbol
            tickers[ticker] = self._books.get(ticker) or _Book(key)
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
        now, whole = int(self._clock.time() * 1000), message.snapshot
        events: list[StreamEvent] = []
        for entry in message.feeds:
            feed = entry.feed
            book = self._books.get(feed.ticker)
            if book is None or not feed.depth:
                continue
            if whole:
                book.clear()
            elif not book.begun:
                continue  # changes of what is not known
            try:
                book.merge(feed.depth[:])
            except IndexError:
                events += self._anew(feed.ticker, book)
                continue
            book.begun = True
            events.append(book.tick(now, feed.feed_time.value * 1000))
        return events

    def _anew(self, ticker: str, book: _Book) -> list[StreamEvent]:
        """A book is half changed: nothing of it counts until a new snapshot, asked for once."""
        events: list[StreamEvent] = [
            Failure(ProtocolError(f"Fyers' book of {ticker} cannot be read."))
        ]
        if book.begun:
            events.append(Reply((_wish(-1, [ticker]), _wish(1, [ticker]))))
        book.begun = False
        return events


class OrderCodec(OrderFeedCodec):
    """One connection of the order updates; the header carries the log-in."""

    awaits_ready = True

    def opened(self) -> Sequence[Frame]:
        """Orders only: trades and positions follow from them."""
        return (_text({"T": "SUB_ORD", "SLIST": ["orders"], "SUB_T": 1}),)

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        return () if frame == "pong" else super().decode(frame)

    def events(self, message: Mapping[str, Any]) -> Iterable[StreamEvent]:
        """Code 1605 is the yes to the subscription."""
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
