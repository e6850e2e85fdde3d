"""Codec of the Kite ticker: JSON text out, big-endian binary packets and JSON text in.

Frame: u16 packet count, then per packet a u16 length and the payload. The length says the kind:
8 last price; 28 and 32 index (quote, full); 44 quote; 184 full with five levels a side. Prices are
integers to be divided by a number that the low byte of the token (the segment) selects. A frame of
one byte is the heartbeat. Source: https://kite.trade/docs/connect/v3/websocket/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from struct import Struct
from typing import Any, Final

import msgspec

from openalgo_desktop.brokers.kit.codec import (
    Failure,
    Frame,
    InstrumentFinder,
    OrderRow,
    StreamEvent,
)
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, ProtocolError, SessionExpired, SymbolUnknown
from openalgo_desktop.core.model import Depth, Key, Level, Tick

#: Tokens in one text frame; the server takes more, small frames keep a slow line responsive.
BATCH: Final = 200

_MODE_TEXT: Final = {FeedMode.LTP: "ltp", FeedMode.QUOTE: "quote", FeedMode.DEPTH: "full"}
#: Price divisor by segment (low byte of the token): CDS, BCD and NCO; all others are in paise.
_DIVISORS: Final = {3: 10_000_000.0, 6: 10_000.0, 12: 10_000.0}
_PAISE: Final = 100.0

_HEAD = Struct(">HI")  # packet length, token
_COUNT = Struct(">H")
_LTP = Struct(">4xi")
# high, low, open, close, (price change, which the model computes itself)
_INDEX = Struct(">4xiiiii4x")
_INDEX_FULL = Struct(">4xiiiii4xI")
# last price, last quantity, average price, volume, buy and sell totals, open, high, low, close
_QUOTE = Struct(">4xiIiIIIiiii")
# ... last trade time, open interest, (its day high and low), exchange time, ten levels
_FULL = Struct(">4xiIiIIIiiiiII8xI" + "IiH2x" * 10)
_BOOK_AT: Final = 13  # index of the first level in an unpacked full packet
_BUY_END: Final = _BOOK_AT + 15

_new_level = tuple.__new__
_json = msgspec.json.Decoder()


class KiteCodec:
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
        self._known: dict[int, tuple[str, str, float]] = {}

    # -- out --------------------------------------------------------------------------------
    def opened(self) -> Sequence[Frame]:
        """Nothing: the address carries the log-in."""
        return ()

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        """A subscription defaults to quote mode, so each batch is followed by its mode."""
        frames: list[Frame] = []
        for mode in FeedMode:
            tokens = [self._learn(key) for key, asked in wanted.items() if asked == mode]
            for start in range(0, len(tokens), BATCH):
                batch = tokens[start : start + BATCH]
                frames.append(_text("subscribe", batch))
                frames.append(_text("mode", [_MODE_TEXT[mode], batch]))
        return frames

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        tokens = []
        for exchange, symbol in keys:
            token = kite_token(self._instruments.require(symbol, exchange).token, symbol, exchange)
            self._known.pop(token, None)
            tokens.append(token)
        return [
            _text("unsubscribe", tokens[start : start + BATCH])
            for start in range(0, len(tokens), BATCH)
        ]

    def heartbeat(self) -> Sequence[Frame]:
        """Nothing: the server sends its own, and protocol pings watch the line."""
        return ()

    def _learn(self, key: Key) -> int:
        exchange, symbol = key
        token = kite_token(self._instruments.require(symbol, exchange).token, symbol, exchange)
        self._known[token] = (symbol, exchange, divisor(token))
        return token

    # -- in ---------------------------------------------------------------------------------
    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        if isinstance(frame, str):
            return self._text_events(frame)
        return self._ticks(frame)

    def _ticks(self, frame: bytes) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        size = len(frame)
        if size < 2:  # heartbeat
            return events
        known, now = self._known, int(self._clock.time() * 1000)
        offset = 2
        for _ in range(_COUNT.unpack_from(frame)[0]):
            if offset + 6 > size:
                events.append(_truncated(size))
                break
            length, token = _HEAD.unpack_from(frame, offset)
            offset += 2
            if offset + length > size:
                events.append(_truncated(size))
                break
            names = known.get(token)
            if names is not None:
                decoder = _DECODERS.get(length)
                if decoder is not None:
                    events.append(decoder(frame, offset, names, now))
                else:
                    events.append(Failure(ProtocolError(f"Kite packet of {length} bytes")))
            offset += length
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


# -- packets. Positional construction: it is several times faster than keywords. -----------------
def _ltp(frame: bytes, at: int, names: tuple[str, str, float], now: int) -> Tick:
    symbol, exchange, div = names
    return Tick(symbol, exchange, _LTP.unpack_from(frame, at)[0] / div, FeedMode.LTP, now)


def _index(frame: bytes, at: int, names: tuple[str, str, float], now: int) -> Tick:
    symbol, exchange, div = names
    last, high, low, open_, close = _INDEX.unpack_from(frame, at)
    return Tick(
        symbol,
        exchange,
        last / div,
        FeedMode.QUOTE,
        now,
        0,
        open_ / div,
        high / div,
        low / div,
        close / div,
    )


def _index_full(frame: bytes, at: int, names: tuple[str, str, float], now: int) -> Tick:
    symbol, exchange, div = names
    last, high, low, open_, close, at_exchange = _INDEX_FULL.unpack_from(frame, at)
    return Tick(
        symbol,
        exchange,
        last / div,
        FeedMode.DEPTH,
        now,
        at_exchange * 1000,
        open_ / div,
        high / div,
        low / div,
        close / div,
    )


def _quote(frame: bytes, at: int, names: tuple[str, str, float], now: int) -> Tick:
    symbol, exchange, div = names
    (last, last_qty, average, volume, buying, selling, open_, high, low, close) = (
        _QUOTE.unpack_from(frame, at)
    )
    return Tick(
        symbol,
        exchange,
        last / div,
        FeedMode.QUOTE,
        now,
        0,
        open_ / div,
        high / div,
        low / div,
        close / div,
        volume,
        last_qty,
        average / div,
        0,
        0.0,
        0.0,
        0,
        0,
        buying,
        selling,
    )


def _full(frame: bytes, at: int, names: tuple[str, str, float], now: int) -> Tick:
    symbol, exchange, div = names
    values = _FULL.unpack_from(frame, at)
    (last, last_qty, average, volume, buying, selling, open_, high, low, close) = values[:10]
    traded_at, oi, at_exchange = values[10:_BOOK_AT]
    buy_prices = [price / div for price in values[_BOOK_AT + 1 : _BUY_END : 3]]
    sell_prices = [price / div for price in values[_BUY_END + 1 :: 3]]
    buying_side = zip(
        buy_prices, values[_BOOK_AT:_BUY_END:3], values[_BOOK_AT + 2 : _BUY_END : 3], strict=True
    )
    selling_side = zip(sell_prices, values[_BUY_END::3], values[_BUY_END + 2 :: 3], strict=True)
    book = Depth(
        tuple(map(_new_level, repeat(Level), buying_side)),
        tuple(map(_new_level, repeat(Level), selling_side)),
    )
    return Tick(
        symbol,
        exchange,
        last / div,
        FeedMode.DEPTH,
        now,
        (traded_at or at_exchange) * 1000,
        open_ / div,
        high / div,
        low / div,
        close / div,
        volume,
        last_qty,
        average / div,
        oi,
        buy_prices[0],
        sell_prices[0],
        values[_BOOK_AT],
        values[_BUY_END],
        buying,
        selling,
        0.0,
        0.0,
        book,
    )


_DECODERS: Final = {8: _ltp, 28: _index, 32: _index_full, 44: _quote, 184: _full}
