"""Upstox' feeds: JSON in binary frames out and protobuf in for the market, JSON text for orders.

Prices are rupees. A frame has some instruments; ``full`` has five levels a side and ``full_d30``
thirty. Source: https://upstox.com/developer/api-documentation/v3/get-market-data-feed and the
message definition of the maker's SDK (``MarketDataFeedV3.proto``); what is not read is left out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    Frame,
    FrameCodec,
    InstrumentFinder,
    OrderRow,
    StreamEvent,
    text_of,
)
from openalgo_desktop.brokers.kit.feed.protobuf import Schema
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import ProtocolError, SymbolUnknown
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick

#: Bytes of the largest frame: a snapshot of all books of a socket.
MAX_FRAME: Final = 1 << 22
#: The usual levels a side and the deep ones.
LEVELS: Final = (5, 30)
_DEEP: Final = "full_d30"
_MODES: Final = {FeedMode.LTP: "ltpc", FeedMode.QUOTE: "full", FeedMode.DEPTH: "full"}
_read = Schema(
    {
        "FeedResponse": {2: ("feeds", "map string Feed")},
        "Feed": {1: ("ltpc", "Ltpc"), 2: ("full", "Full")},
        "Ltpc": {
            1: ("ltp", "double"), 2: ("ltt", "int64"), 3: ("ltq", "int64"), 4: ("cp", "double"),
        },
        "Full": {1: ("market", "Market"), 2: ("index", "Index")},
        "Market": {
            1: ("ltpc", "Ltpc"), 2: ("book", "Book"), 4: ("bars", "Bars"), 5: ("atp", "double"),
            6: ("vtt", "int64"), 7: ("oi", "double"), 9: ("tbq", "double"), 10: ("tsq", "double"),
        },
        "Index": {1: ("ltpc", "Ltpc"), 2: ("bars", "Bars")},
        "Book": {1: ("levels", "repeated Pair")},
        "Pair": {
            1: ("bidQ", "int64"), 2: ("bidP", "double"),
            3: ("askQ", "int64"), 4: ("askP", "double"),
        },
        "Bars": {1: ("rows", "repeated Bar")},
        "Bar": {
            1: ("interval", "string"), 2: ("open", "double"), 3: ("high", "double"),
            4: ("low", "double"),
        },
    }
).reader("FeedResponse", MAX_FRAME)  # fmt: skip
_json = msgspec.json.Decoder(dict[str, Any]).decode


class UpstoxCodec(FrameCodec):
    """One connection of the market feed. What was never subscribed here is skipped."""

    def __init__(
        self, instruments: InstrumentFinder, clock: Clock, session: Mapping[str, Any] | None = None
    ) -> None:
        self._instruments = instruments
        self._clock = clock
        self._levels: dict[Key, int] = {}
        self._modes: dict[str, str] = {}  # instrument key -> the mode that it streams in
        #: Instrument key -> symbol, exchange, whether the book is wanted.
        self._known: dict[str, tuple[str, str, bool]] = {}
        #: Open, high and low of today: an update may leave them out.
        self._days: dict[str, tuple[float, float, float]] = {}

    # -- out --------------------------------------------------------------------------------
    def deepen(self, levels: Mapping[Key, int]) -> None:
        self._levels.update(levels)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        """An instrument is in one mode: that of another mode ends before the new one begins."""
        modes: dict[str, list[str]] = {}
        for key, mode in wanted.items():
            name = self._name(key)
            deep = mode is FeedMode.DEPTH and self._levels.get(key, 0) > LEVELS[0]
            modes.setdefault(_DEEP if deep else _MODES[mode], []).append(name)
            self._known[name] = (key[1], key[0], mode is FeedMode.DEPTH)
        moved = [
            n for mode, names in modes.items() for n in names if self._modes.get(n, mode) != mode
        ]
        self._modes |= {name: mode for mode, names in modes.items() for name in names}
        frames = [_asked("unsub", moved)] if moved else []
        return frames + [_asked("sub", names, mode=mode) for mode, names in modes.items()]

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        """Keys that no master knows any more are skipped: they ended with their contract."""
        names = []
        for key in keys:
            with contextlib.suppress(SymbolUnknown):
                names.append(self._name(key))
        for name in names:
            for table in (self._known, self._modes, self._days):
                table.pop(name, None)
        return [_asked("unsub", names)] if names else []

    def _name(self, key: Key) -> str:
        return self._instruments.require(key[1], key[0]).token

    # -- in ---------------------------------------------------------------------------------
    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        """The ticks of a frame; none of what tells the state of the market."""
        if not isinstance(frame, bytes):
            return [Failure(ProtocolError("Upstox sent text on its market feed"))]
        try:
            feeds = _read(frame).feeds
        except ProtocolError as error:
            return [Failure(error)]
        known, now = self._known, int(self._clock.time() * 1000)
        ticks = []
        for name, feed in feeds.items():
            if (about := known.get(name)) is None:
                continue
            if feed.HasField("full"):
                full = feed.full
                if full.HasField("market"):
                    ticks.append(self._full(name, about, full.market, now))
                else:
                    ticks.append(self._index(name, about, full.index, now))
            elif feed.HasField("ltpc"):
                last = feed.ltpc
                ticks.append(
                    Tick(
                        about[0], about[1], last.ltp, FeedMode.LTP, now, last.ltt,
                        close=last.cp, last_quantity=last.ltq,
                    )
                )  # fmt: skip
        return ticks

    # Positional construction: it is several times faster than keywords.
    def _full(self, name: str, about: tuple[str, str, bool], full: Any, now: int) -> Tick:
        symbol, exchange, deep = about
        last, levels = full.ltpc, full.book.levels
        unknown, depth = 0, None
        day = self._day(name, full.bars.rows)
        if day is None:
            day, unknown = (0.0, 0.0, 0.0), Part.DAY
        if not full.HasField("ltpc"):
            unknown |= Part.LTP
        bid = ask = 0.0
        bids = asks = 0
        if not levels:
            unknown |= Part.TOUCH | (Part.BOOK if deep else 0)
        elif deep:
            rows = [(p.bidP, p.bidQ, p.askP, p.askQ) for p in levels]
            depth = Depth(
                tuple([Level(row[0], row[1]) for row in rows]),
                tuple([Level(row[2], row[3]) for row in rows]),
            )
            bid, bids, ask, asks = rows[0]
        else:
            best = levels[0]
            bid, bids, ask, asks = best.bidP, best.bidQ, best.askP, best.askQ
        return Tick(
            symbol,
            exchange,
            last.ltp,
            FeedMode.DEPTH if deep else FeedMode.QUOTE,
            now,
            last.ltt,
            *day,
            last.cp,
            full.vtt,
            last.ltq,
            full.atp,
            int(full.oi),
            bid,
            ask,
            bids,
            asks,
            int(full.tbq),
            int(full.tsq),
            0.0,
            0.0,
            depth,
            unknown,
        )

    def _index(self, name: str, about: tuple[str, str, bool], index: Any, now: int) -> Tick:
        last, day = index.ltpc, self._day(name, index.bars.rows)
        unknown = (0 if day is not None else Part.DAY) | (0 if index.HasField("ltpc") else Part.LTP)
        mode = FeedMode.DEPTH if about[2] else FeedMode.QUOTE
        shown = day or (0.0, 0.0, 0.0)
        return Tick(
            about[0], about[1], last.ltp, mode, now, last.ltt, *shown, last.cp, unknown=unknown
        )

    def _day(self, name: str, bars: Any) -> tuple[float, float, float] | None:
        """Open, high and low of today: of this frame or of an earlier one; None before that."""
        for bar in bars:
            if bar.interval == "1d":
                day = self._days[name] = (bar.open, bar.high, bar.low)
                return day
        return self._days.get(name)


class OrderCodec(FrameCodec):
    """The portfolio stream; it carries order updates only, unasked."""

    def __init__(self, *known: Any) -> None:
        """Nothing of the session is needed: the address has it."""

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        """Nothing to ask for."""
        return ()

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        """Nothing to end."""
        return ()

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        """The order of a message; none of other updates (positions, holdings)."""
        try:
            message = _json(text_of(frame))
        except msgspec.MsgspecError:
            return [Failure(ProtocolError("Upstox sent an order update that is no JSON"))]
        return [OrderRow(message)] if message.get("update_type") == "order" else []


def _asked(method: str, names: list[str], **more: str) -> bytes:
    """A request, which has to be in a binary frame. No answer names its ``guid``."""
    data = {"method": method, "data": {**more, "instrumentKeys": names}}
    guid = sha256(msgspec.json.encode(data)).hexdigest()[:20]
    return msgspec.json.encode({"guid": guid, **data})
