"""Codecs of Dhan's deeper books: 20 levels of up to 50 instruments, 200 of one. Source:
https://dhanhq.co/docs/v2/full-market-depth/ and PyPI ``dhanhq`` (``fulldepth.py``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct
from typing import Any

import msgspec

from openalgo_desktop.brokers.families.dhanhq.feed import Asking, Known, ended
from openalgo_desktop.brokers.kit.feed.codec import Failure, Frame, StreamEvent
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import DataError, ProtocolError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick


class DepthCodec(Asking):
    """One connection of the 20-level feed: NSE shares and their derivatives. Packets begin with
    the length (u16), the code (u8: 41 bids, 51 offers), segment, id and a sequence number (of the
    200-level feed the number of rows); a book is told when both sides have come."""

    flat = False  # one instrument, named at the top of the message

    _HEAD = Struct("<HB5sI")
    _ROW = Struct("<dII")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._rows: dict[bytes, Known] = {}
        self._sides: dict[bytes, dict[int, tuple[Level, ...]]] = {}

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        for exchange, symbol in wanted:
            row = self._instruments.require(symbol, exchange)
            if row.brexchange not in ("NSE_EQ", "NSE_FNO"):
                raise DataError(f"Dhan has deeper books of NSE and NFO only, not of {symbol}.")
            self._rows[self._id(row)] = Known(row)
        return self._ask(23, wanted)

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        """Code 25 by the documentation (annexure); the SDK says 24."""
        mine = [key for key in keys if key in self._ids]
        frames = self._ask(25, mine)
        for key in mine:
            name = self._ids.pop(key)[0]
            self._rows.pop(name, None)
            self._sides.pop(name, None)  # the half of a book of then is none of a later one
        return frames

    def _ask(self, code: int, keys: Iterable[Key]) -> list[str]:
        if not self.flat:
            return super()._ask(code, keys)
        texts = [{"RequestCode": code, **self._ids[key][1]} for key in keys]
        return [msgspec.json.encode(text).decode() for text in texts]

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        events: list[StreamEvent] = []
        data = memoryview(frame if isinstance(frame, bytes) else b"")
        while data:
            length, code, name, number = (
                self._HEAD.unpack_from(data) if len(data) >= self._HEAD.size else (0, 0, b"", 0)
            )
            if length < self._HEAD.size or length > len(data):
                events.append(Failure(ProtocolError("Dhan: a frame ends inside a book")))
                break
            body, data = data[self._HEAD.size : length], data[length:]
            if code == 50:
                events.append(ended(int.from_bytes(body[:2], "little") or number))
            elif (known := self._rows.get(name)) is not None and code in (41, 51):
                rows = len(body) // self._ROW.size
                count = min(number, rows) if self.flat else rows
                sides = self._sides.setdefault(name, {})
                try:
                    sides[code] = self._levels(known, body[: count * self._ROW.size])
                except (ValueError, OverflowError):
                    sides.clear()  # nor does the other half make a book with a later one
                    events.append(Failure(ProtocolError("Dhan: a price in a book is no number")))
                if len(sides) == 2:
                    events.append(self._book(known, self._sides.pop(name)))
        return events

    def _levels(self, known: Known, body: memoryview) -> tuple[Level, ...]:
        rupees = known.fine
        return tuple(
            Level(rupees[price], quantity, orders)
            for price, quantity, orders in self._ROW.iter_unpack(body)
            if price
        )

    def _book(self, known: Known, sides: Mapping[int, tuple[Level, ...]]) -> Tick:
        """A tick that knows nothing but the book."""
        buy, sell = sides[41], sides[51]
        none = Level(0.0, 0)
        bid, ask = (buy or (none,))[0], (sell or (none,))[0]
        now = int(self._clock.time() * 1000)
        return Tick(
            known.symbol, known.exchange, 0.0, FeedMode.DEPTH, now, bid=bid.price, ask=ask.price,
            bid_quantity=bid.quantity, ask_quantity=ask.quantity, depth=Depth(buy, sell),
            unknown=Part.LTP | Part.DAY | Part.OI,
        )  # fmt: skip


class FullDepthCodec(DepthCodec):
    """One connection of the 200-level feed, for one instrument."""

    flat = True
