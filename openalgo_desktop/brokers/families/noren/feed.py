"""Codec of Noren's WebSocket: JSON text frames of texts, one object each.

Log-in ``t:"a"``, answered by ``ak`` (older servers ``ck``). Touchline ``t`` and depth ``d`` are
acknowledged with a full snapshot (``tk``, ``dk``); then come the changed fields only (``tf``,
``df``). Orders: ``o``, then ``om``. Heartbeat ``h``, answered by ``hk``.
Source: NorenApi of PyPI ``norenrestapi`` and https://pi.flattrade.in/docs (WebSocket).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from openalgo_desktop.brokers.kit.feed.codec import (
    Confirmed,
    Failure,
    Frame,
    InstrumentFinder,
    OrderRow,
    Ready,
    Reply,
    StreamEvent,
    text_of,
)
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES, FeedMode
from openalgo_desktop.core.errors import ProtocolError, SymbolUnknown
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick, TickExtras

#: The heartbeat that keeps a quiet line known to be alive.
PING_FRAME: Final = '{"t":"h"}'

_TOUCHLINE, _DEPTH = "t", "d"
_END = {_TOUCHLINE: "u", _DEPTH: "ud"}
_LEVELS: Final = 5
#: Names of price, quantity and orders: five levels to buy, then five to sell.
_BOOK = tuple((f"{s}p{n}", f"{s}q{n}", f"{s}o{n}") for s in "bs" for n in range(1, _LEVELS + 1))
#: Prices of which a 0 means that the packet does not say, once there was a value; whole numbers;
#: other numbers; what goes into the extras. Levels count up from their first.
_KEPT, _WHOLE, _PLAIN, _YEAR, _PRICES, _COUNTS = 0, 1, 2, 3, 10, 20
_KINDS = {
    **dict.fromkeys(("lp", "o", "h", "l", "c", "ap"), _KEPT),
    **dict.fromkeys(("v", "ltq", "oi", "tbq", "tsq", "ft"), _WHOLE),
    **dict.fromkeys(("uc", "lc"), _PLAIN),
    **dict.fromkeys(("52h", "52l"), _YEAR),
    **{level[0]: _PRICES + n for n, level in enumerate(_BOOK)},
    **{name: _COUNTS + n for n, level in enumerate(_BOOK) for name in level[1:]},
}
_OHLC = ("o", "h", "l", "c")
#: What others offer.
_OFFERED = (*(name for level in _BOOK for name in level), "tbq", "tsq")
#: No price, quantity or time is larger.
_LARGEST: Final = 1e15

_json = msgspec.json.Decoder()


class _Scrip:
    """What is known of one subscribed instrument: the merge of all its packets."""

    __slots__ = (
        *("book", "derivative", "extras", "feeds", "index", "key", "levels", "mode", "moved"),
        *("unknown", "values", "wire"),
    )

    def __init__(self, key: Key, wire: str) -> None:
        self.key = key
        self.wire = wire
        self.mode = FeedMode.LTP
        self.feeds: set[str] = set()
        self.values: dict[str, Any] = {}  # whole numbers are ints
        self.levels = [Level(0.0, 0, 0)] * len(_BOOK)
        self.moved: set[int] = set()  # levels that changed since the book was made
        self.book: Depth | None = None
        self.unknown = -1  # parts that no packet has told of; -1: not looked at
        self.extras: TickExtras | None = None
        self.index = key[0].endswith("_INDEX")
        self.derivative = key[0] in DERIVATIVE_EXCHANGES

    def merge(self, message: Mapping[str, Any]) -> None:
        """Take the changed fields over. Raises ValueError for what is no number."""
        values, kind_of = self.values, _KINDS.get
        for name, text in message.items():
            kind = kind_of(name)
            if kind is None or text == "" or text is None:
                continue
            number = float(text)
            if not -_LARGEST <= number <= _LARGEST:  # true for NaN as well
                raise ValueError(f"{name} is {text}")
            if kind == _KEPT:
                if number or name not in values:
                    values[name] = number
            elif kind >= _COUNTS:
                values[name] = int(number)
                self.moved.add(kind - _COUNTS)
            elif kind >= _PRICES:
                values[name] = number
                self.moved.add(kind - _PRICES)
            else:
                values[name] = int(number) if kind == _WHOLE else number
                if kind == _YEAR:
                    self.extras = TickExtras(
                        week_52_high=values.get("52h"), week_52_low=values.get("52l")
                    )
        if self.unknown:
            self.unknown = self._unknown()

    def begin(self, feed: str) -> None:
        """A full snapshot follows: what others offered, and what this feed does not tell any
        more, is over. A touchline has the first level only, and leaves those of depth alone."""
        if feed == _TOUCHLINE and _DEPTH in self.feeds:
            return
        for name in _OFFERED:
            self.values.pop(name, None)
        self.levels = [Level(0.0, 0, 0)] * len(_BOOK)
        self.moved.clear()
        self.book = None
        self.unknown = -1

    def tick(self, now: int) -> Tick | None:
        """The market as it is known, in the mode asked for; None before any price."""
        get = self.values.get
        symbol, exchange = self.key[1], self.key[0]
        last, told = get("lp"), get("ft", 0) * 1000
        if self.mode is FeedMode.LTP:
            return Tick(symbol, exchange, last, self.mode, now, told) if last else None
        return Tick(
            symbol,
            exchange,
            last or 0.0,
            self.mode,
            now,
            told,
            get("o", 0.0),
            get("h", 0.0),
            get("l", 0.0),
            get("c", 0.0),
            get("v", 0),
            get("ltq", 0),
            get("ap", 0.0),
            get("oi", 0),
            get("bp1", 0.0),
            get("sp1", 0.0),
            get("bq1", 0),
            get("sq1", 0),
            get("tbq", 0),
            get("tsq", 0),
            get("uc", 0.0),
            get("lc", 0.0),
            self._depth() if self.mode is FeedMode.DEPTH and not self.index else None,
            self.unknown,
            self.extras,
        )

    def _depth(self) -> Depth:
        if self.book is None or self.moved:
            get, levels = self.values.get, self.levels
            for n in self.moved:
                price, quantity, orders = _BOOK[n]
                levels[n] = Level(get(price, 0.0), get(quantity, 0), get(orders, 0))
            self.moved.clear()
            self.book = Depth(tuple(levels[:_LEVELS]), tuple(levels[_LEVELS:]))
        return self.book

    def _unknown(self) -> int:
        """The parts that no packet has told of. An index has neither offers nor open interest:
        that is known."""
        values, parts = self.values, 0
        if not values.get("lp"):
            parts |= Part.LTP
        if "c" not in values or not any(map(values.get, _OHLC)):
            parts |= Part.DAY
        if not self.index and "bp1" not in values and "sp1" not in values:
            parts |= Part.TOUCH
        if self.derivative and "oi" not in values:
            parts |= Part.OI
        return parts


class NorenCodec:
    """One connection of a member of the family. ``asks_orders``: order updates must be asked for
    (TradeSmart sends them unasked)."""

    def __init__(
        self,
        instruments: InstrumentFinder,
        clock: Clock,
        values: Mapping[str, Any],
        *,
        asks_orders: bool = True,
    ) -> None:
        self._instruments = instruments
        self._clock = clock
        self._user = str(values.get("client_id", ""))
        self._token = str(values.get("access_token", ""))
        self._asks_orders = asks_orders
        self._scrips: dict[Key, _Scrip] = {}
        self._by_wire: dict[tuple[str, str], _Scrip] = {}  # exchange and token

    # -- out --------------------------------------------------------------------------------
    @property
    def awaits_ready(self) -> bool:
        return True

    def opened(self) -> Sequence[Frame]:
        """The log-in. (Public pages call the token's field ``susertoken``; this is the one of
        the OAuth generation.)"""
        login = {
            "t": "a", "uid": self._user, "actid": self._user, "source": "API",
            "accesstoken": self._token,
        }  # fmt: skip
        return (_frame(login),)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        """A change between last price and quote needs no frame: both are the touchline. When
        depth follows a touchline, its packets are used instead; nothing is missed between."""
        rows = {key: self._instruments.require(key[1], key[0]) for key in wanted}
        begin: dict[str, list[str]] = {_TOUCHLINE: [], _DEPTH: []}
        ends: list[_Scrip] = []
        for key, mode in wanted.items():
            scrip = self._scrips.get(key) or self._learn(key, rows[key])
            feed = _DEPTH if mode is FeedMode.DEPTH else _TOUCHLINE
            if feed not in scrip.feeds or scrip.mode is mode:
                begin[feed].append(scrip.wire)
            scrip.mode = mode
            scrip.feeds.add(feed)
            if feed == _TOUCHLINE and _DEPTH in scrip.feeds:
                scrip.feeds.discard(_DEPTH)
                ends.append(scrip)
        frames = [_request(feed, names) for feed, names in begin.items() if names]
        if ends:
            frames.append(_request(_END[_DEPTH], [scrip.wire for scrip in ends]))
        return frames

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        ends: dict[str, list[str]] = {_TOUCHLINE: [], _DEPTH: []}
        for key in keys:
            scrip = self._scrips.pop(key, None)
            if scrip is None:
                continue
            exchange, _, token = scrip.wire.partition("|")
            self._by_wire.pop((exchange, token), None)
            for feed in sorted(scrip.feeds):
                ends[feed].append(scrip.wire)
        return [_request(_END[feed], names) for feed, names in ends.items() if names]

    def _learn(self, key: Key, row: Instrument) -> _Scrip:
        exchange = wire_exchange(row)
        if not row.token:
            raise SymbolUnknown(key[1], key[0])
        scrip = self._scrips[key] = _Scrip(key, f"{exchange}|{row.token}")
        self._by_wire[exchange, row.token] = scrip
        return scrip

    # -- in ---------------------------------------------------------------------------------
    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        try:
            message = _json.decode(frame if isinstance(frame, bytes) else text_of(frame))
        except msgspec.MsgspecError as error:
            return (Failure(ProtocolError(f"frame that cannot be read: {error}")),)
        if not isinstance(message, dict):
            return (Failure(ProtocolError("frame that is no object")),)
        kind = message.get("t")
        if kind in ("tf", "df", "tk", "dk"):
            return self._market(kind, message)
        if kind == "om":
            return (OrderRow(message),)
        if kind in ("ak", "ck"):
            return self._answered(message)
        return ()  # heartbeats, ends of subscriptions, alerts, market status

    def _market(self, kind: str, message: Mapping[str, Any]) -> Iterable[StreamEvent]:
        scrip = self._by_wire.get((str(message.get("e")), str(message.get("tk"))))
        if scrip is None:  # the server may still send some after an end
            return ()
        if kind[0] == _TOUCHLINE and _DEPTH in scrip.feeds and scrip.book is not None:
            return ()  # the depth packets say the same and more
        if kind[1] == "k":
            scrip.begin(kind[0])
        try:
            scrip.merge(message)
        except (ValueError, TypeError) as error:
            return (Failure(ProtocolError(f"packet of {scrip.wire} cannot be read: {error}")),)
        tick = scrip.tick(int(self._clock.time() * 1000))
        if kind[1] == "k":
            confirmed = Confirmed((scrip.key,))
            return (confirmed, tick) if tick is not None else (confirmed,)
        return (tick,) if tick is not None else ()

    def _answered(self, message: Mapping[str, Any]) -> Iterable[StreamEvent]:
        """The server's word on the log-in."""
        if str(message.get("s", "")).upper() != "OK":
            reason = message.get("emsg") or message.get("s") or "no reason"
            # A busy server refuses too: whether the session is over, a read has to say.
            return (Failure(DoubtfulSession(f"The feed refused the session: {reason}")),)
        if not self._asks_orders:
            return (Ready(),)
        orders = _frame({"t": "o", "actid": self._user})
        return (Ready(), Reply((orders,)))


def wire_exchange(row: Instrument) -> str:
    """Noren's exchange of an instrument; an index is on that of its shares."""
    return (row.brexchange or row.exchange).removesuffix("_INDEX")


def _request(action: str, names: Sequence[str]) -> str:
    return _frame({"t": action, "k": "#".join(names)})


def _frame(content: Mapping[str, Any]) -> str:
    return msgspec.json.encode(content).decode()
