"""Codecs of SmartAPI's two sockets.

Smart Stream takes JSON and sends one little-endian binary packet a message; its first byte is the
mode: 1 last price, 2 quote, 3 snap quote with five levels a side, 4 a book of 20 levels and
nothing else. Prices are paise, those of CDS ten-millionths of a rupee. ``ping`` is answered by
``pong``, a request that is refused by JSON with its id. Order updates come as JSON texts.
Sources: https://smartapi.angelone.in/docs/WebSocket2, PyPI ``smartapi-python`` 1.5.5,
https://smartapi.angelbroking.com/topic/4041 (order updates).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from struct import Struct, error
from typing import Any

import msgspec

from openalgo_desktop.brokers.angel.master import DIVISORS, PAISE
from openalgo_desktop.brokers.kit.feed import codec as c
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import DataError, NotSupported, ProtocolError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick, TickExtras

#: Numbers of the exchanges.
_TYPES = {"NSE": 1, "NFO": 2, "BSE": 3, "BFO": 4, "MCX": 5, "CDS": 13}
_MODES = {FeedMode.LTP: 1, FeedMode.QUOTE: 2, FeedMode.DEPTH: 3}
#: The mode of 20 levels: NSE's shares only, and so many of them.
_DEEP, _MOST_DEEP, LEVELS = 4, 50, 20
#: A deeper book that has not come for so many ms is no longer waited for.
_DEEP_LASTS = 10_000
# Mode, exchange, token and a sequence number come first; then exchange time, last price
_LTP = Struct("<35xqq")
# ... last quantity, average, volume, buy and sell totals, open, high, low, close
_QUOTE = Struct("<35xqqqqqddqqqq")
# ... trade time, open interest, (its change in per cent), ten levels of side, quantity, price,
# orders; upper and lower circuit, high and low of 52 weeks
_SNAP = Struct("<35xqqqqqddqqqqqq8x" + "HqqH" * 10 + "qqqq")
# (Time;) 20 bids, then 20 offers, of quantity, price and orders
_BOOK = Struct("<43x" + "iih" * (2 * LEVELS))
_BUY_FIRST, _NOBODY = (1,) * 5 + (0,) * 5, Level(0.0, 0, 0)
_NOT_IN_QUOTE, _NOT_IN_BOOK = Part.TOUCH | Part.OI, Part.LTP | Part.DAY | Part.OI

_json = msgspec.json.Decoder(dict[str, Any]).decode
_Groups = dict[int, list["_Scrip"]]


class _Scrip(msgspec.Struct):
    """One subscribed instrument; ``deep_at``: when its last book of 20 levels came, epoch ms."""

    key: Key
    exchange: int
    token: str
    divisor: float
    modes: frozenset[int] = frozenset()
    deep_at: int = 0

    @property
    def wire(self) -> bytes:
        """Exchange and token as packets have them."""
        return bytes((self.exchange,)) + self.token.encode().ljust(25, b"\0")


class AngelCodec(c.FrameCodec):
    """One connection of Smart Stream. A deeper book is a second subscription beside that of the
    mode: while its packets come the five levels are left out."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._deep: set[Key] = set()
        self._scrips: dict[Key, _Scrip] = {}
        self._known: dict[bytes, _Scrip] = {}
        self._number = 0  # of the last request
        self._asked: dict[str, tuple[int, list[_Scrip]]] = {}  # subscriptions by request id

    # -- out --------------------------------------------------------------------------------
    def deepen(self, levels: Mapping[Key, int]) -> None:
        for key, count in levels.items():
            self._deep.discard(key)
            if count == LEVELS and key[0] == "NSE" and len(self._deep) < _MOST_DEEP:
                self._deep.add(key)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[c.Frame]:
        scrips = [self._scrip(key) for key in wanted]
        ends: _Groups = defaultdict(list)
        begins: _Groups = defaultdict(list)
        for scrip, (key, mode) in zip(scrips, wanted.items(), strict=True):
            deep = mode is FeedMode.DEPTH and key in self._deep
            modes = frozenset((_MODES[mode], _DEEP) if deep else (_MODES[mode],))
            for groups, which in ((ends, scrip.modes - modes), (begins, modes)):
                for each in which:
                    groups[each].append(scrip)
            scrip.modes, scrip.deep_at = modes, scrip.deep_at if deep else 0
            self._scrips[key] = self._known[scrip.wire] = scrip
        return self._frames(0, ends) + self._frames(1, begins)

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[c.Frame]:
        ends: _Groups = defaultdict(list)
        for key in keys:
            if (scrip := self._scrips.pop(key, None)) is not None:
                self._known.pop(scrip.wire, None)
                for mode in scrip.modes:
                    ends[mode].append(scrip)
        return self._frames(0, ends)

    def _scrip(self, key: Key) -> _Scrip:
        if (known := self._scrips.get(key)) is not None:
            return known
        row = self._instruments.require(key[1], key[0])
        if (exchange := _TYPES.get(row.brexchange)) is None:
            raise NotSupported(f"Angel One streams nothing of {row.brexchange}.")
        return _Scrip(key, exchange, row.token, DIVISORS.get(row.brexchange, PAISE))

    def _frames(self, action: int, groups: _Groups) -> list[c.Frame]:
        frames: list[c.Frame] = []
        for mode, scrips in sorted(groups.items()):
            self._number += 1
            name = f"{self._number:010d}"
            if action:
                self._asked[name] = mode, scrips
            tokens: dict[int, list[str]] = {}
            for scrip in scrips:
                tokens.setdefault(scrip.exchange, []).append(scrip.token)
            rows = [{"exchangeType": exchange, "tokens": t} for exchange, t in tokens.items()]
            body = {"correlationID": name, "action": action}
            body["params"] = {"mode": mode, "tokenList": rows}
            frames.append(msgspec.json.encode(body).decode())
        return frames

    # -- in ---------------------------------------------------------------------------------
    def decode(self, frame: c.Frame) -> Iterable[c.StreamEvent]:
        if not isinstance(frame, bytes):
            return self._answer(c.text_of(frame))
        try:
            read, name = _READERS[frame[0]], frame[1:27]
            scrip = self._known.get(name) or self._known.get(_ended(name))
            if scrip is None or (read is _deep and _DEEP not in scrip.modes):
                return ()  # the server may still send some after an end
            return (read(frame, scrip, int(self._clock.time() * 1000)),)
        except (error, LookupError, ValueError, OverflowError) as problem:
            text = f"Smart Stream packet of {len(frame)} bytes: {type(problem).__name__}"
            return (c.Failure(ProtocolError(text)),)

    def _answer(self, text: str) -> Iterable[c.StreamEvent]:
        """A refused request is asked in halves, down to the instrument at fault; without a deep
        book an instrument keeps its five levels."""
        try:
            told = _json(text)
        except msgspec.MsgspecError:
            return () if text == "pong" else (c.Failure(ProtocolError("text that is no JSON")),)
        message = f"Angel One's feed: {told.get('errorMessage') or told.get('errorCode')}"
        mode, asked = self._asked.pop(str(told.get("correlationID")), (_DEEP, []))
        scrips = [s for s in asked if mode in s.modes and self._scrips.get(s.key) is s]
        if mode == _DEEP or not scrips:
            return (c.Failure(ProtocolError(message)),)
        if len(scrips) == 1:
            return (c.Refused(scrips[0].key, DataError(message)),)
        half = len(scrips) // 2
        parts = ({mode: scrips[:half]}, {mode: scrips[half:]})
        return (c.Reply(tuple(frame for part in parts for frame in self._frames(1, part))),)


def _ended(name: bytes) -> bytes:
    """Exchange and token without what may follow the NUL that ends a token."""
    return name[:1] + name[1:].partition(b"\0")[0].ljust(25, b"\0")


# -- packets. Positional construction: it is several times faster than keywords. ----------------
def _ltp(frame: bytes, scrip: _Scrip, now: int) -> Tick:
    at, last = _LTP.unpack_from(frame)
    exchange, symbol = scrip.key
    return Tick(symbol, exchange, last / scrip.divisor, FeedMode.LTP, now, at)


def _quote(frame: bytes, scrip: _Scrip, now: int) -> Tick:
    at, last, quantity, average, volume, buying, selling, open_, high, low, close = (
        _QUOTE.unpack_from(frame)
    )
    (exchange, symbol), div = scrip.key, scrip.divisor
    return Tick(
        symbol, exchange, last / div, FeedMode.QUOTE, now, at, open_ / div, high / div, low / div,
        close / div, volume, quantity, average / div, total_buy_quantity=int(buying),
        total_sell_quantity=int(selling), unknown=_NOT_IN_QUOTE,
    )  # fmt: skip


def _snap(frame: bytes, scrip: _Scrip, now: int) -> Tick:
    v = _SNAP.unpack_from(frame)
    (exchange, symbol), div = scrip.key, scrip.divisor
    levels = tuple(map(Level, [price / div for price in v[15:53:4]], v[14:53:4], v[16:53:4]))
    buy, sell = levels[:5], levels[5:]
    if (sides := v[13:53:4]) != _BUY_FIRST:
        buy = tuple(level for level, side in zip(levels, sides, strict=True) if side)
        sell = tuple(level for level, side in zip(levels, sides, strict=True) if not side)
    bid, ask = buy[0] if buy else _NOBODY, sell[0] if sell else _NOBODY
    deep = abs(now - scrip.deep_at) < _DEEP_LASTS
    return Tick(
        symbol, exchange, v[1] / div, FeedMode.DEPTH, now, v[11] * 1000 or v[0], v[7] / div,
        v[8] / div, v[9] / div, v[10] / div, v[4], v[2], v[3] / div, v[12], bid.price, ask.price,
        bid.quantity, ask.quantity, int(v[5]), int(v[6]), v[53] / div, v[54] / div,
        None if deep else Depth(buy, sell), Part.BOOK if deep else 0,
        TickExtras(week_52_high=v[55] / div, week_52_low=v[56] / div),
    )  # fmt: skip


def _deep(frame: bytes, scrip: _Scrip, now: int) -> Tick:
    book, div = _BOOK.unpack_from(frame), scrip.divisor
    levels = tuple(map(Level, [price / div for price in book[1::3]], book[::3], book[2::3]))
    scrip.deep_at = now
    bid, ask = levels[0], levels[LEVELS]
    return Tick(
        scrip.key[1], scrip.key[0], 0.0, FeedMode.DEPTH, now, bid=bid.price, ask=ask.price,
        bid_quantity=bid.quantity, ask_quantity=ask.quantity,
        depth=Depth(levels[:LEVELS], levels[LEVELS:]), unknown=_NOT_IN_BOOK,
    )  # fmt: skip


_READERS: dict[int, Callable[[bytes, _Scrip, int], Tick]] = {
    1: _ltp, 2: _quote, 3: _snap, _DEEP: _deep,
}  # fmt: skip


class OrderCodec(c.OrderFeedCodec):
    """The socket of order updates: the log-in is in its header, code ``AB00`` greets."""

    awaits_ready = True

    def events(self, message: Mapping[str, Any]) -> Iterable[c.StreamEvent]:
        if (code := str(message.get("status-code", 200))) != "200":
            kind = DoubtfulSession if code in ("401", "403") else ProtocolError
            return (c.Failure(kind(f"Order updates: {message.get('error-message') or code}")),)
        if message.get("order-status") == "AB00":
            return (c.Ready(),)
        row = message.get("orderData")
        return (c.OrderRow(row),) if isinstance(row, dict) and row.get("orderid") else ()
