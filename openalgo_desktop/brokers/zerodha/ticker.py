"""Codec of the Kite ticker: JSON text out, big-endian binary packets and JSON text in.

Frame: u16 packet count, then per packet a u16 length and the payload. The length says the kind:
8 last price; 28 and 32 index (quote, full); 44 quote; 184 full with five levels a side. Prices are
integers to be divided by a number that the low byte of the token (the segment) selects. A frame of
one byte is the heartbeat. Source: https://kite.trade/docs/connect/v3/websocket/
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from struct import Struct
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    Frame,
    FrameCodec,
    InstrumentFinder,
    OrderRow,
    StreamEvent,
    text_of,
)
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, ProtocolError, SessionExpired, SymbolUnknown
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick

_MODE_TEXT: Final = {FeedMode.LTP: "ltp", FeedMode.QUOTE: "quote", FeedMode.DEPTH: "full"}
#: Price divisor by segment (low byte of the token): CDS, BCD and NCO; all others are in paise.
_DIVISORS: Final = {3: 10_000_000.0, 6: 10_000.0, 12: 10_000.0}
_PAISE: Final = 100.0
#: A quote packet has neither the best bid and ask nor open interest.
_NOT_IN_QUOTE: Final = Part.TOUCH | Part.OI

_U16 = Struct(">H")
# Each row begins with the packet's length and the token.
_LTP = Struct(">HIi")
# last price, high, low, open, close, (price change: the model computes it)
_INDEX = Struct(">HIiiiii4x")
_INDEX_FULL = Struct(">HIiiiii4xI")
# last price and quantity, average, volume, buy and sell totals, open, high, low, close
_QUOTE = Struct(">HIiIiIIIiiii")
# ... last trade time, open interest, (its day high and low), exchange time, (the book)
_FULL = Struct(">HIiIiIIIiiiiII8xI120x")
# The book of a full packet, five levels a side of quantity, price, orders; twice, because numpy
# is faster over many packets, and struct over few.
_BOOK = Struct(">66x" + "IiH2x" * 10)
_LEVEL_TYPE = np.dtype([("quantity", ">u4"), ("price", ">i4"), ("orders", ">u2"), ("unused", "V2")])
_BOOK_TYPE = np.dtype({"names": ["level"], "formats": [(_LEVEL_TYPE, 10)], "offsets": [66]})
_VECTOR_RUN: Final = 6

#: Of a subscribed token: symbol, exchange, price divisor.
_Names: TypeAlias = tuple[str, str, float]
_Find: TypeAlias = Callable[[int], _Names | None]

_json = msgspec.json.Decoder()


class KiteCodec(FrameCodec):
    """One connection's codec: knows the instruments it subscribed by their tokens.

    Packets of tokens that were never subscribed here are skipped (the server may still send some
    after an unsubscribe).
    """

    def __init__(
        self, instruments: InstrumentFinder, clock: Clock, session: Mapping[str, Any] | None = None
    ) -> None:
        # ``session`` is part of every codec's constructor; here the address carries the log-in.
        self._instruments = instruments
        self._clock = clock
        self._known: dict[int, _Names] = {}

    # -- out --------------------------------------------------------------------------------
    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        """A subscription begins in quote mode, so the mode follows it."""
        frames: list[Frame] = []
        for mode, text in _MODE_TEXT.items():
            if tokens := [self._learn(key) for key, asked in wanted.items() if asked == mode]:
                frames.append(_text("subscribe", tokens))
                frames.append(_text("mode", [text, tokens]))
        return frames

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        """Keys that no master knows any more are skipped: they ended with their contract."""
        tokens = []
        for key in keys:
            with contextlib.suppress(SymbolUnknown):
                tokens.append(self._token(key))
        for token in tokens:
            self._known.pop(token, None)
        return (_text("unsubscribe", tokens),) if tokens else ()

    def _token(self, key: Key) -> int:
        exchange, symbol = key
        return kite_token(self._instruments.require(symbol, exchange).token, symbol, exchange)

    def _learn(self, key: Key) -> int:
        token = self._token(key)
        self._known[token] = (key[1], key[0], divisor(token))
        return token

    # -- in ---------------------------------------------------------------------------------
    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        if isinstance(frame, bytes):
            return self._ticks(frame)
        return self._text_events(text_of(frame))

    def _ticks(self, frame: bytes) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        size = len(frame)
        if size < 2:  # heartbeat
            return events
        find, now = self._known.get, int(self._clock.time() * 1000)
        left, offset = _U16.unpack_from(frame)[0], 2
        while left:
            if offset + 2 > size:
                events.append(_truncated(size))
                break
            length = _U16.unpack_from(frame, offset)[0]
            if left == 1:  # the last, or the only one
                run = int(offset + 2 + length <= size)
            else:
                run = min(left, _run(frame, offset, length))
            if not run:
                events.append(_truncated(size))
                break
            end = offset + run * (length + 2)
            ticks = _KINDS.get(length)
            if ticks is None:
                events.append(Failure(ProtocolError(f"Kite packet of {length} bytes")))
            else:
                events += ticks(memoryview(frame)[offset:end], find, now)
            left -= run
            offset = end
        return events

    def _text_events(self, text: str) -> list[StreamEvent]:
        try:
            message = _json.decode(text)
        except msgspec.DecodeError:
            return [Failure(ProtocolError("Kite sent text that is not JSON"))]
        if not isinstance(message, dict):
            return []
        kind, data = message.get("type"), message.get("data")
        if kind == "order" and isinstance(data, dict):
            return [OrderRow(data)]
        if kind == "error":
            return [Failure(_error(str(data)))]
        return []  # broker messages, instruments_meta and the like


def kite_token(stored: str, symbol: str, exchange: str) -> int:
    """The instrument token out of the master's ``<instrument token>::::<exchange token>``."""
    head = stored.partition("::::")[0]
    if not head.isdigit():
        raise SymbolUnknown(symbol, exchange)
    return int(head)


def divisor(token: int) -> float:
    """What integer prices of this instrument are divided by to get rupees."""
    return _DIVISORS.get(token & 0xFF, _PAISE)


def _text(action: str, value: Sequence[object]) -> str:
    return msgspec.json.encode({"a": action, "v": value}).decode()


def _truncated(size: int) -> Failure:
    return Failure(ProtocolError(f"Kite frame of {size} bytes ends inside a packet"))


def _error(text: str) -> AppError:
    lowered = text.lower()
    if "token" in lowered or "session" in lowered or "api_key" in lowered:
        return SessionExpired(f"The Kite feed refused the session: {text}")
    return ProtocolError(f"The Kite feed reports: {text}")


def _run(frame: bytes, offset: int, length: int) -> int:
    """How many whole packets of the same length follow one another from ``offset``.

    Packets of one kind come in runs, and a run is unpacked in one go. The length bytes of equal
    packets lie at equal distances, so two slices tell.
    """
    step = length + 2
    whole = (len(frame) - offset) // step
    end = offset + whole * step
    high, low = divmod(length, 256)
    highs, lows = frame[offset:end:step], frame[offset + 1 : end : step]
    return whole - max(len(highs.lstrip(bytes((high,)))), len(lows.lstrip(bytes((low,)))))


# -- kinds of packets. Positional construction: it is several times faster than keywords. --------
def _ltps(data: memoryview, find: _Find, now: int) -> list[Tick]:
    mode = FeedMode.LTP
    return [
        Tick(names[0], names[1], last / names[2], mode, now)
        for _, token, last in _LTP.iter_unpack(data)
        if (names := find(token)) is not None
    ]


def _indices(data: memoryview, find: _Find, now: int, layout: Struct = _INDEX) -> list[Tick]:
    ticks = []
    for _, token, last, high, low, open_, close, *times in layout.iter_unpack(data):
        if (names := find(token)) is None:
            continue
        symbol, exchange, div = names
        ticks.append(
            Tick(
                symbol,
                exchange,
                last / div,
                FeedMode.DEPTH if times else FeedMode.QUOTE,
                now,
                times[0] * 1000 if times else 0,
                open_ / div,
                high / div,
                low / div,
                close / div,
            )
        )
    return ticks


def _quotes(data: memoryview, find: _Find, now: int) -> list[Tick]:
    ticks, mode = [], FeedMode.QUOTE
    for (
        _, token, last, quantity, average, volume, buying, selling, open_, high, low, close,
    ) in _QUOTE.iter_unpack(data):  # fmt: skip
        if (names := find(token)) is None:
            continue
        symbol, exchange, div = names
        ticks.append(
            Tick(
                symbol,
                exchange,
                last / div,
                mode,
                now,
                0,
                open_ / div,
                high / div,
                low / div,
                close / div,
                volume,
                quantity,
                average / div,
                total_buy_quantity=buying,
                total_sell_quantity=selling,
                unknown=_NOT_IN_QUOTE,
            )
        )
    return ticks


def _fulls(data: memoryview, find: _Find, now: int) -> list[Tick]:
    ticks, mode = [], FeedMode.DEPTH
    heads = list(_FULL.iter_unpack(data))
    names = [find(head[1]) for head in heads]
    books = _books(data, [name[2] if name is not None else _PAISE for name in names])
    for (
        _, _, last, quantity, average, volume, buying, selling, open_, high, low, close,
        traded_at, oi, at_exchange,
    ), name, prices, quantities, orders in zip(heads, names, *books, strict=True):  # fmt: skip
        if name is None:
            continue
        symbol, exchange, div = name
        levels = tuple(map(Level, prices, quantities, orders))
        ticks.append(
            Tick(
                symbol,
                exchange,
                last / div,
                mode,
                now,
                (traded_at or at_exchange) * 1000,
                open_ / div,
                high / div,
                low / div,
                close / div,
                volume,
                quantity,
                average / div,
                oi,
                prices[0],
                prices[5],
                quantities[0],
                quantities[5],
                buying,
                selling,
                0.0,
                0.0,
                Depth(levels[:5], levels[5:]),
            )
        )
    return ticks


def _books(
    data: memoryview, divisors: list[float]
) -> tuple[list[list[float]], list[Sequence[int]], list[Sequence[int]]]:
    """Prices, quantities and order counts of ten levels of each full packet."""
    if len(divisors) >= _VECTOR_RUN:
        book = np.frombuffer(data, _BOOK_TYPE)["level"]
        rupees = (book["price"] / np.array(divisors)[:, None]).tolist()
        return rupees, book["quantity"].tolist(), book["orders"].tolist()
    prices: list[list[float]] = []
    quantities: list[Sequence[int]] = []
    orders: list[Sequence[int]] = []
    for row, div in zip(_BOOK.iter_unpack(data), divisors, strict=True):
        prices.append([price / div for price in row[1::3]])
        quantities.append(row[::3])
        orders.append(row[2::3])
    return prices, quantities, orders


def _indices_full(data: memoryview, find: _Find, now: int) -> list[Tick]:
    return _indices(data, find, now, _INDEX_FULL)


#: Reader of a run of packets by their length.
_KINDS: Final[Mapping[int, Callable[[memoryview, _Find, int], list[Tick]]]] = {
    8: _ltps,
    28: _indices,
    32: _indices_full,
    44: _quotes,
    184: _fulls,
}
