"""Codec of Dhan's live market feed: JSON out; little-endian packets in, several of them in a frame.
Source: https://dhanhq.co/docs/v2/live-market-feed/ and PyPI ``dhanhq`` (``marketfeed.py``).

Packets begin with a code (u8), a length (u16), the segment (u8) and the security id (u32).
2 last price, 4 quote, 5 open interest, 6 previous close, 7 market status, 8 full with five levels,
50 the reason of the end. Prices are rupees as float32: the noise of those is rounded away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct
from typing import Any, Final

import msgspec

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
_LTP = Struct("<8xfI")
_QUOTE = Struct("<8xfHIfIIIffff")
_OI = Struct("<8xI")
_CLOSE = Struct("<8xfI")
_FULL = Struct("<8xfHIfIIIIIIffff" + "IIHHff" * 5)
_END = Struct("<8xH")
_SIZES: Final = {2: 16, 4: 50, 5: 12, 6: 16, 7: 8, 8: 162, 50: 10}
#: From here on two decimals are finer than a float32 is: the tick has to tell.
_COARSE: Final = 131_072.0
#: A trade so many seconds ahead of the clock shows that times are IST written as UTC.
_AHEAD: Final = 600
_ENDS: Final = {
    805: "more connections than five",
    806: "the data plan is not subscribed",
    807: "the access token has expired",
    808: "the client id is wrong",
    809: "the authentication failed",
}


class Known:
    """A subscribed instrument, and what packets of its own told of it."""

    __slots__ = ("close", "coarse", "exchange", "extras", "fine", "oi", "prev_oi", "symbol",
                 "unknown")  # fmt: skip

    def __init__(self, row: Instrument) -> None:
        self.symbol, self.exchange = row.symbol, row.exchange
        decimal = round(row.tick_size * 100, 6).is_integer() or row.is_index
        #: Steps of a rupee that prices are rounded to; of high ones those of the tick.
        self.fine = 100.0 if decimal else 10_000.0
        steps = round(1 / row.tick_size, 6) if row.tick_size else 0.0
        self.coarse = steps if steps.is_integer() and steps >= 1 else self.fine
        self.close = 0.0
        self.oi = self.prev_oi = 0
        self.unknown = Part.TOUCH | (Part.OI if row.exchange in DERIVATIVE_EXCHANGES else 0)
        self.extras: TickExtras | None = None


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
        self._shift = 0  # seconds that the trade times are ahead

    # -- out --------------------------------------------------------------------------------
    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        """Each mode is a subscription of its own: a move ends the former one."""
        for exchange, symbol in wanted:
            row = self._instruments.require(symbol, exchange)
            self._known.setdefault(self._id(row), Known(row))
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
        size, at, find, now = len(frame), 0, self._known.get, self._clock.time()
        limit, milli = now + _AHEAD, int(now * 1000)
        while at < size:
            code = frame[at]
            length = _SIZES.get(code) or int.from_bytes(frame[at + 1 : at + 3], "little")
            if length < 8 or at + length > size:
                events.append(Failure(ProtocolError(f"Dhan: a frame ends inside packet {code}")))
                break
            known = find(frame[at + 3 : at + 8])
            if code == 50:
                events.append(ended(_END.unpack_from(frame, at)[0]))
            elif known is None:
                pass  # of a subscription that has ended, or of the market as a whole
            elif code == 8:
                events.append(self._full(known, _FULL.unpack_from(frame, at), milli, limit))
            elif code == 4:
                events.append(self._quote(known, _QUOTE.unpack_from(frame, at), milli, limit))
            elif code == 2:
                price, traded = _LTP.unpack_from(frame, at)
                step = known.fine if price < _COARSE else known.coarse
                events.append(
                    Tick(known.symbol, known.exchange, round(price * step) / step, FeedMode.LTP,
                         milli, self._traded(traded, limit))
                )  # fmt: skip
            elif code == 5:
                _open_interest(events, known, _OI.unpack_from(frame, at)[0], milli)
            elif code == 6:
                price, known.prev_oi = _CLOSE.unpack_from(frame, at)
                step = known.fine if price < _COARSE else known.coarse
                known.close = round(price * step) / step
            at += length
        return events

    def _traded(self, seconds: int, limit: float) -> int:
        """The time of a trade, epoch milliseconds. Documented as an epoch, sent as the Indian
        wall clock: the first trade from the future shows which it is."""
        if seconds - self._shift > limit:
            self._shift = IST_OFFSET_SECONDS
        return (seconds - self._shift) * 1000

    def _quote(self, known: Known, row: tuple[Any, ...], now: int, limit: float) -> Tick:
        price, quantity, traded, average, volume, selling, buying, open_, close, high, low = row
        step = known.fine if price < _COARSE else known.coarse
        return Tick(
            known.symbol,
            known.exchange,
            round(price * step) / step,
            FeedMode.QUOTE,
            now,
            self._traded(traded, limit),
            round(open_ * step) / step,
            round(high * step) / step,
            round(low * step) / step,
            known.close or round(close * step) / step,
            volume,
            quantity,
            round(average * known.fine) / known.fine,
            known.oi,
            total_buy_quantity=buying,
            total_sell_quantity=selling,
            unknown=known.unknown,
        )

    def _full(self, known: Known, row: tuple[Any, ...], now: int, limit: float) -> Tick:
        (
            price, quantity, traded, average, volume, selling, buying, oi, oi_high, oi_low, open_,
            close, high, low, *book,
        ) = row  # fmt: skip
        step = known.fine if price < _COARSE else known.coarse
        prices = [round(value * step) / step for value in (*book[4::6], *book[5::6])]
        extras = known.extras
        if extras is None or (extras.oi_high, extras.oi_low) != (oi_high, oi_low):
            extras = known.extras = TickExtras(
                oi_high=oi_high, oi_low=oi_low, prev_oi=known.prev_oi or None
            )
        return Tick(
            known.symbol,
            known.exchange,
            round(price * step) / step,
            FeedMode.DEPTH,
            now,
            self._traded(traded, limit),
            round(open_ * step) / step,
            round(high * step) / step,
            round(low * step) / step,
            known.close or round(close * step) / step,
            volume,
            quantity,
            round(average * known.fine) / known.fine,
            oi,
            prices[0],
            prices[5],
            book[0],
            book[1],
            buying,
            selling,
            0.0,
            0.0,
            Depth(
                tuple(map(Level, prices[:5], book[0::6], book[2::6])),
                tuple(map(Level, prices[5:], book[1::6], book[3::6])),
            ),
            0,
            extras,
        )


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
    return Failure(NotSupported(text) if reason == 806 else ProtocolError(text))
