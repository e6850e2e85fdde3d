"""Upstox' feeds: JSON in binary frames out and protobuf in for the market, JSON text for orders.

Prices are rupees. ``full`` has five levels a side and ``full_d30`` thirty. Source:
https://upstox.com/developer/api-documentation/v3/get-market-data-feed and the messages of the
maker's SDK (``MarketDataFeedV3.proto``); what is not read is left out of the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from openalgo_desktop.brokers.kit.feed import codec as c
from openalgo_desktop.brokers.kit.feed.protobuf import Schema
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import ProtocolError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick

#: Bytes of the largest frame: a snapshot of all books of a socket.
MAX_FRAME: Final = 1 << 22
#: Levels a side: the usual ones and the deep ones.
LEVELS: Final = (5, 30)
MODES: Final = {FeedMode.LTP: "ltpc", FeedMode.QUOTE: "full", FeedMode.DEPTH: "full"}
_DEEP: Final = "full_d30"
_read = Schema(
    {
        "Response": {2: ("feeds", "map string Feed")},
        "Feed": {1: ("ltpc", "Ltpc"), 2: ("full", "Full")},
        "Ltpc": {1: ("ltp", "double"), 2: ("ltt", "int64"), 3: ("ltq", "int64"),
                 4: ("cp", "double")},
        "Full": {1: ("market", "Market"), 2: ("index", "Index")},
        "Market": {1: ("ltpc", "Ltpc"), 2: ("book", "Book"), 4: ("bars", "Bars"),
                   5: ("atp", "double"), 6: ("vtt", "int64"), 7: ("oi", "double"),
                   9: ("tbq", "double"), 10: ("tsq", "double")},
        "Index": {1: ("ltpc", "Ltpc"), 2: ("bars", "Bars")},
        "Book": {1: ("levels", "repeated Pair")},
        "Pair": {1: ("bidQ", "int64"), 2: ("bidP", "double"), 3: ("askQ", "int64"),
                 4: ("askP", "double")},
        "Bars": {1: ("rows", "repeated Bar")},
        "Bar": {1: ("interval", "string"), 2: ("open", "double"), 3: ("high", "double"),
                4: ("low", "double")},
    }
).reader("Response", MAX_FRAME)  # fmt: skip
#: Of a subscribed instrument: symbol, exchange, whether its book is wanted.
_About = tuple[str, str, bool]
_Day = tuple[float, float, float, float]
_NONE: Final = (0.0, 0.0, 0.0, 0.0)


class UpstoxCodec(c.FrameCodec):
    """One connection of the market feed. What was never subscribed here is skipped."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._levels: dict[Key, int] = {}
        self._modes: dict[str, str] = {}  # instrument key -> the mode that it streams in
        self._known: dict[str, _About] = {}
        #: Open, high and low of today and the close before: an update may leave them out.
        self._days: dict[str, _Day] = {}

    # -- out --------------------------------------------------------------------------------
    def deepen(self, levels: Mapping[Key, int]) -> None:
        self._levels.update(levels)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[c.Frame]:
        """An instrument is in one mode: another one ends before the new one begins."""
        modes: dict[str, list[str]] = {}
        ended = []
        # All of them before anything is noted: one that is unknown lets nothing leave.
        tokens = [self._instruments.require(symbol, exchange).token for exchange, symbol in wanted]
        for (key, asked), name in zip(wanted.items(), tokens, strict=True):
            book = asked is FeedMode.DEPTH
            mode = _DEEP if book and self._levels.get(key, 0) > LEVELS[0] else MODES[asked]
            if self._modes.setdefault(name, mode) != mode:
                ended.append(name)
            self._known[name], self._modes[name] = (key[1], key[0], book), mode
            modes.setdefault(mode, []).append(name)
        new = [_asked("sub", names, mode=mode) for mode, names in modes.items()]
        return [_asked("unsub", ended), *new] if ended else new

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[c.Frame]:
        names = [row.token for row in self.still_known(keys)]
        for name in names:
            for table in (self._known, self._modes, self._days):
                table.pop(name, None)
        return [_asked("unsub", names)] if names else []

    # -- in ---------------------------------------------------------------------------------
    def decode(self, frame: c.Frame) -> Iterable[c.StreamEvent]:
        """The ticks of a frame; none of what tells the state of the market."""
        if not isinstance(frame, bytes):
            return [c.Failure(ProtocolError("Upstox sent text on its market feed"))]
        try:
            feeds = _read(frame).feeds
        except ProtocolError as error:
            return [c.Failure(error)]
        known, now, ticks = self._known, int(self._clock.time() * 1000), []
        for name, feed in feeds.items():
            if (about := known.get(name)) is None:
                continue
            if feed.HasField("full"):
                full = feed.full
                if full.HasField("market"):
                    try:
                        tick = self._market(name, about, full.market, now)
                    except (ValueError, OverflowError):  # a count that is no number
                        market, lost = full.market, Part.DAY | Part.OI
                        market.oi = market.tbq = market.tsq = 0.0
                        tick = self._market(name, about, market, now, lost)
                    ticks.append(tick)
                elif full.HasField("index"):
                    ticks.append(self._index(name, about, full.index, now))
            elif feed.ltpc.ltp:  # one of 0 is left out on the wire
                ltpc, (symbol, exchange, _) = feed.ltpc, about
                ticks.append(Tick(symbol, exchange, ltpc.ltp, FeedMode.LTP, now, ltpc.ltt,
                                  close=ltpc.cp, last_quantity=ltpc.ltq))  # fmt: skip
        return ticks

    def _market(self, name: str, about: _About, full: Any, now: int, unknown: int = 0) -> Tick:
        symbol, exchange, deep = about
        last, levels, depth = full.ltpc, full.book.levels, None
        day = self._day(name, full.bars.rows, last.cp)
        if not day:
            unknown |= Part.DAY
        if not last.ltp:  # nothing is for nothing
            unknown |= Part.LTP
        rows = [(p.bidP, p.askP, p.bidQ, p.askQ) for p in (levels if deep else levels[:1])]
        if not rows:
            unknown |= Part.TOUCH | (Part.BOOK if deep else 0)
        elif deep:
            depth = Depth(
                tuple([Level(bid, quantity) for bid, _, quantity, _ in rows]),
                tuple([Level(ask, quantity) for _, ask, _, quantity in rows]),
            )
        open_, high, low, close = day or _NONE
        bid, ask, bids, asks = rows[0] if rows else (0.0, 0.0, 0, 0)
        # Positional: several times faster than keywords.
        return Tick(
            symbol, exchange, last.ltp, FeedMode.DEPTH if deep else FeedMode.QUOTE, now, last.ltt,
            open_, high, low, last.cp or close, full.vtt, last.ltq, full.atp, int(full.oi), bid,
            ask, bids, asks, int(full.tbq), int(full.tsq), 0.0, 0.0, depth, unknown,
        )  # fmt: skip

    def _index(self, name: str, about: _About, index: Any, now: int) -> Tick:
        last = index.ltpc
        day = self._day(name, index.bars.rows, last.cp)
        unknown = (0 if day else Part.DAY) | (0 if last.ltp else Part.LTP)
        mode = FeedMode.DEPTH if about[2] else FeedMode.QUOTE
        open_, high, low, close = day or _NONE
        return Tick(about[0], about[1], last.ltp, mode, now, last.ltt, open_, high, low,
                    last.cp or close, unknown=unknown)  # fmt: skip

    def _day(self, name: str, bars: Any, close: float) -> _Day | None:
        """Open, high and low of today and the ``close`` before: of this frame or of an earlier
        one; None before that."""
        before = self._days.get(name)
        for bar in bars:
            if bar.interval == "1d":
                close = close or (before[3] if before else 0.0)
                day = self._days[name] = (bar.open, bar.high, bar.low, close)
                return day
        return before


class OrderCodec(c.OrderFeedCodec):
    """The portfolio stream, of which the orders count."""

    def events(self, message: Mapping[str, Any]) -> Iterable[c.StreamEvent]:
        """The order of a message; nothing of positions and holdings."""
        return [c.OrderRow(message)] if message.get("update_type") == "order" else []


def _asked(method: str, names: list[str], **more: str) -> bytes:
    """A request, which has to be in a binary frame. No answer names its ``guid``."""
    data = {"method": method, "data": {**more, "instrumentKeys": names}}
    guid = sha256(msgspec.json.encode(data)).hexdigest()[:20]
    return msgspec.json.encode({"guid": guid, **data})
