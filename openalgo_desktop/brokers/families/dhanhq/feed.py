"""Codec of Dhan's live market feed: JSON out; little-endian packets in, several of them in a frame.
Source: https://dhanhq.co/docs/v2/live-market-feed/ and PyPI ``dhanhq`` (``marketfeed.py``).

Packets begin with a code (u8), a length (u16), the segment (u8) and the security id (u32).
2 last price, 4 quote, 5 open interest, 6 previous close, 7 market status, 8 full with five levels,
50 the reason of the end. Prices are rupees as float32: the noise of those is rounded away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from math import isfinite
from struct import Struct
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    Frame,
    FrameCodec,
    InstrumentFinder,
    StreamEvent,
)
from openalgo_desktop.core.clock import IST_OFFSET_SECONDS, Clock
from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES, FeedMode
from openalgo_desktop.core.errors import NotSupported, ProtocolError, SessionExpired
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick, TickExtras

#: Request codes; the end of a subscription is the next number.
MODES: Final = {FeedMode.LTP: "15", FeedMode.QUOTE: "17", FeedMode.DEPTH: "21"}
_SEGMENTS: Final = {
    "IDX_I": 0, "NSE_EQ": 1, "NSE_FNO": 2, "NSE_CURRENCY": 3, "BSE_EQ": 4, "MCX_COMM": 5,
    "BSE_CURRENCY": 7, "BSE_FNO": 8,
}  # fmt: skip
_ID = Struct("<BI")
# Of each packet its segment and id as they are, then:
_LTP = Struct("<3x5sfI")  # last price, its time
# last price and quantity, time, average, volume, sell and buy totals, open, close, high, low
_QUOTE = Struct("<3x5sfHIfIIIffff")
# Of a full packet the whole numbers (quantity, time, volume, sell and buy totals, open interest,
# its high and low), and the rest twice, because numpy is faster over many packets and struct over
# few: prices (as of a quote, then bid and offer of five levels), quantities and orders of levels.
_FULL = Struct("<3x5s4xHI4xIIIIII116x")
_FULL_PRICES = Struct("<8xf6xf24xffff" + "12xff" * 5)
_FULL_COUNTS = Struct("<62x" + "IIHH8x" * 5)
_PLACES = [62 + 20 * level for level in range(5)]
#: Of the bids and then the offers: the places of price (``_FULL_PRICES``) and quantity
#: (``_FULL_COUNTS``; orders are 2 on).
_LEVELS = [(6 + 2 * level + side, 4 * level + side) for side in (0, 1) for level in range(5)]
#: The 16-bit words of a full packet that are prices, quantities and orders: 16 f32, 10 u32, 10 u16;
#: of the levels first the five bids, then the five offers.
_VECTOR_WORDS = np.array(
    [
        (at + byte) // 2
        for size, places in (
            (4, [8, 18, 46, 50, 54, 58, *(at + side for side in (12, 16) for at in _PLACES)]),
            (4, [at + side for side in (0, 4) for at in _PLACES]),
            (2, [at + side for side in (8, 10) for at in _PLACES]),
        )
        for at in places
        for byte in range(0, size, 2)
    ]
)
_VECTOR_RUN: Final = 6
_OI = Struct("<8xI")
_CLOSE = Struct("<8xfI")
_END = Struct("<8xH")
_SIZES: Final = {2: 16, 4: 50, 5: 12, 6: 16, 7: 8, 8: 162, 50: 10}
#: From here on two decimals are finer than a float32 is: the tick has to tell.
_COARSE: Final = 131_072.0
_COARSE_BITS: Final = int(np.float32(_COARSE).view(np.uint32))
#: Prices that are remembered, for each size of step.
_MOST_PRICES: Final = 65_536
#: A trade so many seconds ahead of the clock shows that times are IST written as UTC.
_AHEAD: Final = 600
_ENDS: Final = {
    805: "more connections than five",
    806: "the data plan is not subscribed",
    807: "the access token has expired",
    808: "the client id is wrong",
    809: "the authentication failed",
}


#: Reads packets of one kind: their bytes, the time in milliseconds, the latest time of a trade.
_Read: TypeAlias = Callable[[memoryview, int, float], list[Tick]]


class _Rounded(dict[float, float]):
    """Prices without the noise of their float32, in steps of a rupee. Prices come again and again
    (the day's, those of the book), and looking one up is a fifth of the work of rounding it."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self.step = step

    def __missing__(self, price: float) -> float:
        if len(self) >= _MOST_PRICES:
            self.clear()
        found = self[price] = round(price * self.step) / self.step
        return found


_rounded = cache(_Rounded)


class Known:
    """A subscribed instrument, and what packets of its own told of it."""

    __slots__ = ("close", "coarse", "exchange", "extras", "fine", "interest", "oi", "prev_oi",
                 "symbol", "unknown")  # fmt: skip

    def __init__(self, row: Instrument) -> None:
        self.symbol, self.exchange = row.symbol, row.exchange
        decimal = round(row.tick_size * 100, 6).is_integer() or row.is_index
        self.fine = _rounded(100.0 if decimal else 10_000.0)
        steps = round(1 / row.tick_size, 6) if row.tick_size else 0.0
        #: For prices above ``_COARSE``: by the tick.
        self.coarse = _rounded(steps) if steps.is_integer() and steps >= 1 else self.fine
        self.close = 0.0
        self.oi = self.prev_oi = 0
        self.unknown = Part.TOUCH | (Part.OI if row.exchange in DERIVATIVE_EXCHANGES else 0)
        self.interest = (-1, -1)  # the day's highest and lowest
        self.extras: TickExtras | None = None

    def interests(self, high: int, low: int) -> TickExtras:
        """What full packets tell of the open interest, kept until it changes."""
        self.interest = high, low
        self.extras = TickExtras(oi_high=high, oi_low=low, prev_oi=self.prev_oi or None)
        return self.extras


class Asking(FrameCodec):
    """What goes out: instruments by segment and id."""

    def __init__(
        self, instruments: InstrumentFinder, clock: Clock, session: Mapping[str, Any] | None = None
    ) -> None:
        self._instruments, self._clock = instruments, clock
        self._ids: dict[Key, tuple[bytes, dict[str, str]]] = {}

    def _id(self, row: Instrument) -> bytes:
        """Its segment and id as they are in packets, and what requests call it."""
        words = {"ExchangeSegment": row.brexchange, "SecurityId": row.token}
        found = _ID.pack(_SEGMENTS[row.brexchange], int(row.token))
        self._ids[row.key] = found, words
        return found

    def _ask(self, code: int, keys: Iterable[Key]) -> list[str]:
        found = [self._ids[key][1] for key in keys]
        text = {"RequestCode": code, "InstrumentCount": len(found), "InstrumentList": found}
        return [msgspec.json.encode(text).decode()] if found else []


class DhanCodec(Asking):
    """One connection of the live market feed."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._known: dict[bytes, Known] = {}
        self._modes: dict[Key, FeedMode] = {}
        self._shift = 0
        self._step: float | None = (
            None  # how fine the prices of all instruments are, 0: they differ
        )
        self._kinds = {2: self._ltps, 4: self._quotes, 8: self._fulls}

    # -- out --------------------------------------------------------------------------------
    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        """Each mode is a subscription of its own: a move ends the former one."""
        for exchange, symbol in wanted:
            row = self._instruments.require(symbol, exchange)
            step = self._known.setdefault(self._id(row), Known(row)).fine.step
            self._step = step if self._step in (None, step) else 0.0
        moved = [k for k, mode in wanted.items() if self._modes.get(k, mode) != mode]
        frames = self._ended(moved)
        for mode, code in MODES.items():
            frames += self._ask(int(code), [k for k, asked in wanted.items() if asked == mode])
        self._modes.update(wanted)
        return frames

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        mine = [key for key in keys if key in self._modes]
        frames = self._ended(mine)
        for key in mine:
            del self._modes[key]
            self._known.pop(self._ids.pop(key)[0], None)
        return frames

    def _ended(self, keys: Sequence[Key]) -> list[str]:
        frames: list[str] = []
        for mode, code in MODES.items():
            frames += self._ask(int(code) + 1, [k for k in keys if self._modes[k] == mode])
        return frames

    # -- in ---------------------------------------------------------------------------------
    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        if not isinstance(frame, bytes):
            return ()
        events: list[StreamEvent] = []
        size, at, now = len(frame), 0, self._clock.time()
        kinds = self._kinds
        while at < size:
            code = frame[at]
            length = _SIZES.get(code) or int.from_bytes(frame[at + 1 : at + 3], "little")
            if length < 8 or at + length > size:
                events.append(Failure(ProtocolError(f"Dhan: a frame ends inside packet {code}")))
                break
            end = at + length
            if (read := kinds.get(code)) is not None:
                end = at + length * _run(frame, at, length)
                events += self._runs(read, memoryview(frame)[at:end], length, now)
            elif code == 50:
                events.append(ended(_END.unpack_from(frame, at)[0]))
            elif (known := self._known.get(frame[at + 3 : at + 8])) is None:
                pass  # of a subscription that has ended, or of the market as a whole
            elif code == 5:
                _open_interest(events, known, _OI.unpack_from(frame, at)[0], int(now * 1000))
            elif code == 6:
                price, known.prev_oi = _CLOSE.unpack_from(frame, at)
                if isfinite(price):
                    known.close = (known.fine if price < _COARSE else known.coarse)[price]
                known.interest = (-1, -1)
            at = end
        return events

    def _runs(self, read: _Read, run: memoryview, length: int, now: float) -> list[StreamEvent]:
        """The ticks of packets of one kind; a price that is no number costs its packet only."""
        try:
            return [*read(run, int(now * 1000), now + _AHEAD)]
        except (ValueError, OverflowError):
            if len(run) == length:
                return [Failure(ProtocolError(f"Dhan: a price in packet {run[0]} is no number"))]
            parts = (run[at : at + length] for at in range(0, len(run), length))
            return [event for part in parts for event in self._runs(read, part, length, now)]

    # Positional construction in comprehensions: it is several times faster than the plain way.
    def _shifted(self, traded: int, limit: float) -> int:
        """Seconds that trade times are ahead: documented as an epoch, they are sent as the Indian
        wall clock. A trade from the future shows it."""
        if traded - self._shift > limit:
            self._shift = IST_OFFSET_SECONDS
        return self._shift

    def _ltps(self, data: memoryview, now: int, limit: float) -> list[Tick]:
        find, mode, rows = self._known.get, FeedMode.LTP, list(_LTP.iter_unpack(data))
        shift = self._shifted(rows[0][2], limit)
        return [
            Tick(
                known.symbol, known.exchange,
                known.fine[price] if price < _COARSE else known.coarse[price],
                mode, now, (traded - shift) * 1000,
            )
            for name, price, traded in rows
            if (known := find(name)) is not None
        ]  # fmt: skip

    def _quotes(self, data: memoryview, now: int, limit: float) -> list[Tick]:
        find, mode, rows = self._known.get, FeedMode.QUOTE, list(_QUOTE.iter_unpack(data))
        shift = self._shifted(rows[0][3], limit)
        return [
            Tick(
                known.symbol, known.exchange, rupees[price], mode, now, (traded - shift) * 1000,
                rupees[open_], rupees[high], rupees[low], known.close or rupees[close], volume,
                quantity, rupees[average], known.oi, 0.0, 0.0, 0, 0, buying, selling, 0.0, 0.0,
                None, known.unknown,
            )
            for (
                name, price, quantity, traded, average, volume, selling, buying, open_, close,
                high, low,
            ) in rows
            if (known := find(name)) is not None
            and (rupees := known.fine if price < _COARSE else known.coarse) is not None
        ]  # fmt: skip

    def _fulls(self, data: memoryview, now: int, limit: float) -> list[Tick]:
        mode, rows = FeedMode.DEPTH, list(_FULL.iter_unpack(data))
        shift = self._shifted(rows[0][2], limit)
        find = self._known.get
        knowns = [find(row[0], _NOBODY) for row in rows]
        days, levels = _prices(data, knowns, self._step or 0.0)
        books = zip(*[levels] * 5, strict=True)  # of each packet the bids, then the offers
        return [
            Tick(
                known.symbol, known.exchange, price, mode, now, (traded - shift) * 1000, open_,
                high, low, known.close or close, volume, quantity, average, oi,
                buy[0].price, sell[0].price, buy[0].quantity, sell[0].quantity, buying, selling,
                0.0, 0.0, Depth(buy, sell), 0,
                known.extras
                if oi_high == known.interest[0] and oi_low == known.interest[1]
                else known.interests(oi_high, oi_low),
            )
            for (
                (_, quantity, traded, volume, selling, buying, oi, oi_high, oi_low),
                (price, average, open_, close, high, low),
                known,
                buy,
                sell,
            ) in zip(rows, days, knowns, books, books, strict=True)
            if known is not _NOBODY
        ]  # fmt: skip


#: Stands for the instruments of packets that nobody subscribed any more.
_NOBODY: Final = Known(Instrument("", ""))


def _prices(
    data: memoryview, knowns: Sequence[Known], step: float
) -> tuple[Sequence[Sequence[float]], Iterator[Level]]:
    """Of each full packet its six prices of a quote, and its levels: five bids, five offers.
    ``step``: how fine all prices of the feed are, 0 where they differ."""
    if len(knowns) < _VECTOR_RUN:
        rows = [
            [*map((known.fine if row[0] < _COARSE else known.coarse).__getitem__, row)]
            for known, row in zip(knowns, _FULL_PRICES.iter_unpack(data), strict=True)
        ]
        counts = _FULL_COUNTS.iter_unpack(data)
        return [row[:6] for row in rows], (
            Level(prices[place], told[at], told[at + 2])
            for prices, told in zip(rows, counts, strict=True)
            for place, at in _LEVELS
        )
    raw = np.ndarray((len(knowns), 81), np.uint16, data).take(_VECTOR_WORDS, axis=1)
    told = raw[:, :32].view("<f4")
    steps: Any = step
    # As whole numbers the bits of floats from 0 on are in their order, and before all others.
    if not (step and raw[:, :32].view("<u4").max() < _COARSE_BITS):
        if not np.isfinite(told).all():
            raise ValueError("a price is no number")
        tables = (
            known.fine if first < _COARSE else known.coarse
            for known, first in zip(knowns, told[:, 0], strict=True)
        )
        steps = np.array([[table.step] for table in tables])
    price = np.multiply(told, steps, dtype=np.float64)
    np.rint(price, out=price)
    price /= steps
    parts = (price[:, 6:], raw[:, 32:52].view("<u4"), raw[:, 52:])
    return price[:, :6].tolist(), map(Level, *(part.ravel().tolist() for part in parts))


def _run(frame: bytes, at: int, length: int) -> int:
    """How many packets of one kind follow one another from ``at``: those come in runs, and a run
    is unpacked in one go. Each one's first byte is where the one before ends."""
    whole = (len(frame) - at) // length
    codes = frame[at : at + whole * length : length]
    return whole - len(codes.lstrip(codes[:1]))


def _open_interest(events: list[StreamEvent], known: Known, oi: int, now: int) -> None:
    """Beside a quote comes its open interest in a packet of its own; kept for the next quotes."""
    known.oi, known.unknown = oi, known.unknown & ~Part.OI
    last = events[-1] if events else None
    if isinstance(last, Tick) and (last.symbol, last.exchange) == (known.symbol, known.exchange):
        events[-1] = msgspec.structs.replace(last, oi=oi, unknown=last.unknown & ~Part.OI)
        return
    rest = Part.QUOTE & ~Part.OI
    events.append(Tick(known.symbol, known.exchange, 0.0, FeedMode.QUOTE, now, oi=oi, unknown=rest))


def ended(reason: int) -> Failure:
    text = f"The Dhan feed ends the connection: {_ENDS.get(reason, f'reason {reason}')}."
    if reason in (807, 808, 809):
        return Failure(SessionExpired(text))
    return Failure(NotSupported(text) if reason == 806 else ProtocolError(text), ends=True)
