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
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES, FeedMode
from openalgo_desktop.core.errors import ProtocolError, SessionExpired, SymbolUnknown
from openalgo_desktop.core.model import Depth, Instrument, Key, Level, Part, Tick, TickExtras

#: The heartbeat that keeps a quiet line known to be alive.
PING_FRAME: Final = '{"t":"h"}'

_TOUCHLINE, _DEPTH = "t", "d"
_END = {_TOUCHLINE: "u", _DEPTH: "ud"}
_LEVELS: Final = 5
_BUY = tuple((f"bp{n}", f"bq{n}", f"bo{n}") for n in range(1, _LEVELS + 1))
_SELL = tuple((f"sp{n}", f"sq{n}", f"so{n}") for n in range(1, _LEVELS + 1))
_BOOK = frozenset(name for level in (*_BUY, *_SELL) for name in level)
#: Fields of which a 0 means that the packet does not say, once there was a value.
_KEPT = frozenset({"lp", "o", "h", "l", "c", "ap"})
_YEAR = frozenset({"52h", "52l"})
_NUMBERS = _KEPT | _BOOK | _YEAR | {"v", "ltq", "oi", "tbq", "tsq", "uc", "lc", "ft"}
#: No price, quantity or time is larger.
_LARGEST: Final = 1e15

_json = msgspec.json.Decoder()


class _Scrip:
    """What is known of one subscribed instrument: the merge of all its packets."""

    __slots__ = ("book", "derivative", "extras", "feeds", "index", "key", "mode", "values", "wire")

    def __init__(self, key: Key, wire: str) -> None:
        self.key = key
        self.wire = wire
        self.mode = FeedMode.LTP
        self.feeds: set[str] = set()
        self.values: dict[str, float] = {}
        self.book: Depth | None = None
        self.extras: TickExtras | None = None
        self.index = key[0].endswith("_INDEX")
        self.derivative = key[0] in DERIVATIVE_EXCHANGES

    def merge(self, message: Mapping[str, Any]) -> None:
        """Take the changed fields over. Raises ValueError for what is no number."""
        values, moved = self.values, False
        for name, text in message.items():
            if name not in _NUMBERS or text in ("", None):
                continue
            number = float(text)
            if not -_LARGEST <= number <= _LARGEST:  # true for NaN as well
                raise ValueError(f"{name} is {text}")
            if number == 0 and name in _KEPT and name in values:
                continue
            values[name] = number
            moved = moved or name in _BOOK
            if name in _YEAR:
                self.extras = TickExtras(
                    week_52_high=values.get("52h"), week_52_low=values.get("52l")
                )
        if moved:
            self.book = None

    def tick(self, now: int) -> Tick | None:
        """The market as it is known, in the mode asked for; None before any price."""
        get = self.values.get
        symbol, exchange = self.key[1], self.key[0]
        last, told = get("lp"), int(get("ft", 0)) * 1000
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
            int(get("v", 0)),
            int(get("ltq", 0)),
            get("ap", 0.0),
            int(get("oi", 0)),
            get("bp1", 0.0),
            get("sp1", 0.0),
            int(get("bq1", 0)),
            int(get("sq1", 0)),
            int(get("tbq", 0)),
            int(get("tsq", 0)),
            get("uc", 0.0),
            get("lc", 0.0),
            self._depth() if self.mode is FeedMode.DEPTH and not self.index else None,
            self._unknown(),
            self.extras,
        )

    def _depth(self) -> Depth:
        if self.book is None:
            get = self.values.get
            self.book = Depth(
                *(
                    tuple([
                        Level(get(p, 0.0), int(get(q, 0)), int(get(o, 0))) for p, q, o in side
                    ])
                    for side in (_BUY, _SELL)
                )
            )  # fmt: skip
        return self.book

    def _unknown(self) -> int:
        """The parts that no packet has told of. An index has neither offers nor open interest:
        that is known."""
        values, parts = self.values, 0
        if "lp" not in values:
            parts |= Part.LTP
        if "c" not in values:
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
            return (Failure(SessionExpired(f"The feed refused the session: {reason}")),)
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
