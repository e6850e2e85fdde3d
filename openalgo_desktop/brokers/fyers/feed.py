"""Codec of Fyers' market feed (HSM): binary frames, big-endian.

A frame is a u16 length, a u8 type, a u8 number of fields, then the fields: u8 id, u16 length,
value. Data (type 6) has a u32 message number and a u16 number of items instead: snapshots name
the topic of a number and the scale of its prices; updates have the values that changed, lite ones
the last price. An instrument has two topics, ``sf`` (quote) and ``dp`` (book), an index one,
``if``; each change of either gives one tick of all that is known, without the last price where only
the book has changed: that price is as old as it was. Numbers of topics are opaque:
their byte order does not matter. Source: data_ws.py and map.json of PyPI ``fyers-apiv3`` 3.2.0.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from struct import Struct, pack
from struct import error as StructError
from typing import Any, Final

import msgspec

from openalgo_desktop.brokers.kit.feed.codec import (
    Confirmed,
    Failure,
    Frame,
    FrameCodec,
    Ready,
    Reply,
    StreamEvent,
)
from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES, INDEX_EXCHANGES, FeedMode
from openalgo_desktop.core.errors import ProtocolError, SessionExpired, SymbolUnknown
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick, TickExtras

#: How this client is called in the log-in.
SOURCE: Final = "OpenAlgoDesktop"
PING_FRAME: Final = b"\x00\x01\x0b"
_CHANNEL: Final = 11
#: Full mode of the channel (in lite mode only last prices come).
_FULL_MODE: Final = pack(">HBB BHQ BHB", 0, 12, 2, 1, 8, 1 << _CHANNEL, 2, 1, ord("F"))
#: Segments by the first four digits of a fytoken.
_SEGMENTS: Final = {
    "1010": "nse_cm", "1011": "nse_fo", "1012": "cde_fo", "1020": "nse_com", "1120": "mcx_fo",
    "1210": "bse_cm", "1211": "bse_fo", "1212": "bcs_fo",
}  # fmt: skip
#: Values of a topic by its kind.
_COUNTS: Final = {b"sf": 21, b"if": 6, b"dp": 30}
#: What is absent: unchanged, or unknown in a snapshot. Its bytes may also lie across two values.
_ABSENT: Final = -(1 << 31)
_MARK: Final = b"\x80\x00\x00\x00"
#: Counts may pass 2^31; the SDK reads those as negative.
_COUNT: Final = (1 << 32) - 1
_SNAPSHOT, _UPDATE, _LITE = b"SUL"
_AUTH, _SUBSCRIBE, _UNSUBSCRIBE, _ACK, _DATA, _MESSAGE = 1, 4, 5, 3, 6, 51
_U16, _U32 = Struct(">H"), Struct(">I")
_HEAD = Struct(">BHB")  # of an item: its kind, the number of the topic, a count
_TRAILER = Struct(">2xHB")  # of a snapshot: multiplier, precision; three texts follow
_VALUES: Final = tuple(Struct(f">{count}i") for count in range(256))


class _Scrip:
    """What is known of one subscribed instrument. ``last`` is its latest tick."""

    __slots__ = ("book", "derivative", "extras", "index", "last", "mode", "year")

    def __init__(self, key: Key, mode: FeedMode) -> None:
        self.mode = mode
        self.index = key[0] in INDEX_EXCHANGES
        self.derivative = key[0] in DERIVATIVE_EXCHANGES
        self.book: Depth | None = None
        self.year = (0, 0)  # high and low of 52 weeks, raw
        self.extras: TickExtras | None = None
        unknown = Part.LTP | Part.DAY | Part.TOUCH | (Part.OI if self.derivative else 0)
        self.last = Tick(key[1], key[0], 0.0, mode, unknown=unknown)

    def quoted(self, values: Sequence[int], div: float, whole: bool, now: int) -> Tick:
        """The tick of new values of ``sf``; not ``whole``: some are absent."""
        unknown = 0
        if not whole:
            unknown = self._unknown(values)
            values = [0 if value == _ABSENT else value for value in values]
        (
            last, volume, traded, told, bids, asks, bid, ask, quantity, buying, selling, average,
            oi, low, high, year_high, year_low, lower, upper, open_, close,
        ) = values  # fmt: skip
        if self.year != (year_high, year_low):
            self.year = year_high, year_low
            top, bottom = year_high / div or None, year_low / div or None
            self.extras = TickExtras(week_52_high=top, week_52_low=bottom)
        mode, book, before = self.mode, None, self.last
        if mode is FeedMode.DEPTH:
            book = self.book
            unknown |= 0 if book is not None else Part.BOOK
        self.last = tick = Tick(
            before.symbol, before.exchange, last / div, mode, now, (traded or told) * 1000,
            open_ / div, high / div, low / div, close / div, volume & _COUNT, quantity,
            average / div, oi & _COUNT, bid / div, ask / div, bids, asks, buying & _COUNT,
            selling & _COUNT, upper / div, lower / div, book, unknown, self.extras,
        )  # fmt: skip
        return tick

    def _unknown(self, values: Sequence[int]) -> int:
        there = [value != _ABSENT for value in values]
        return (
            (0 if there[0] else Part.LTP)
            | (0 if any((there[1], *there[13:15], *there[19:])) else Part.DAY)
            | (0 if any(there[6:8]) else Part.TOUCH)
            | (Part.OI if self.derivative and not there[12] else 0)
        )

    def indexed(self, values: Sequence[int], div: float, whole: bool, now: int) -> Tick:
        """The tick of new values of ``if``: an index has neither offers nor open interest."""
        unknown = Part.LTP if values[0] == _ABSENT else 0
        if not whole:
            values = [0 if value == _ABSENT else value for value in values]
        last, close, told, high, low, open_ = values
        return Tick(
            self.last.symbol, self.last.exchange, last / div, self.mode, now, told * 1000,
            open_ / div, high / div, low / div, close / div, unknown=unknown,
        )  # fmt: skip

    def booked(self, values: Sequence[int], div: float, whole: bool, now: int) -> Tick:
        """The tick of new values of ``dp``; it says nothing of the price, which keeps its age."""
        if not whole:
            values = [0 if value == _ABSENT else value for value in values]
        prices = [value / div for value in values[:10]]
        levels = tuple(map(Level, prices, values[10:20], values[20:]))
        self.book = book = Depth(levels[:5], levels[5:])
        last = self.last
        self.last = tick = Tick(
            last.symbol, last.exchange, 0.0, self.mode, now, 0, last.open, last.high, last.low,
            last.close, last.volume, last.last_quantity, last.average_price, last.oi,
            prices[0], prices[5], values[10], values[15], last.total_buy_quantity,
            last.total_sell_quantity, last.upper_circuit, last.lower_circuit, book,
            last.unknown & ~(Part.TOUCH | Part.BOOK) | Part.LTP, last.extras,
        )  # fmt: skip
        return tick


class _Topic:
    """One topic of the server: its raw values, their scale, and who makes ticks of them."""

    __slots__ = ("count", "div", "make", "name", "values", "whole")

    def __init__(self, name: bytes, scrip: _Scrip, div: float) -> None:
        makers = {b"sf": scrip.quoted, b"if": scrip.indexed, b"dp": scrip.booked}
        self.make: Callable[[Sequence[int], float, bool, int], Tick] = makers[name[:2]]
        self.name, self.div, self.count = name, div, _COUNTS[name[:2]]
        self.values: tuple[int, ...] = (_ABSENT,) * self.count
        self.whole = False

    def merge(self, values: tuple[int, ...]) -> tuple[int, ...]:
        """New values where some are absent: those stay as they are."""
        old = self.values
        merged = [o if v == _ABSENT else v for v, o in zip(values, old, strict=False)]
        if len(merged) < len(old):
            merged += old[len(merged) :]
        found = tuple(merged)
        self.whole = self.whole or _ABSENT not in found
        return found


class HsmCodec(FrameCodec):
    """One connection's codec: knows the instruments it subscribed by their topics."""

    awaits_ready = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._padding = 18 + len(str(self._session.get("access_token", ""))) + len(SOURCE)
        fetched = self._session.get("index_names")
        self._names = known_names() | (fetched if isinstance(fetched, dict) else {})
        self._scrips: dict[Key, tuple[_Scrip, list[bytes]]] = {}  # with their topics
        self._by_name: dict[bytes, _Scrip] = {}
        self._topics: dict[int, _Topic] = {}
        self._asked: deque[tuple[Key, ...]] = deque()  # subscriptions without an answer
        self._ack_after = self._unacked = 0

    # -- out --------------------------------------------------------------------------------
    def opened(self) -> Sequence[Frame]:
        """The log-in, and that all values are wanted."""
        key = str(self._session.get("hsm_key", ""))
        texts = (key.encode(), b"P", b"\x01", SOURCE.encode())
        body = b"".join(_field(number, text) for number, text in enumerate(texts, 1))
        return pack(">HBB", len(body) + 2, _AUTH, 4) + body, _FULL_MODE

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        """Last price and quote are one topic; a book is a second one."""
        topics = {key: self._topics_of(key, mode) for key, mode in wanted.items()}
        gone: list[bytes] = []
        for key, mode in wanted.items():
            scrip, had = self._scrips.get(key) or (_Scrip(key, mode), [])
            scrip.mode = mode
            gone += [name for name in had if name not in topics[key]]
            self._scrips[key] = scrip, topics[key]
            self._by_name |= dict.fromkeys(topics[key], scrip)
        self._asked.append(tuple(wanted))
        frame = self._frame(_SUBSCRIBE, list(chain.from_iterable(topics.values())))
        return (*self._end(gone), frame)

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        """Those that stream here."""
        return self._end([name for key in keys for name in self._scrips.pop(key, (0, ()))[1]])

    def _end(self, names: Sequence[bytes]) -> Sequence[Frame]:
        for name in names:
            scrip = self._by_name.pop(name, None)
            if scrip is not None and name.startswith(b"dp"):
                scrip.book = None
        self._topics = {n: topic for n, topic in self._topics.items() if topic.name not in names}
        return (self._frame(_UNSUBSCRIBE, names),) if names else ()

    def _frame(self, kind: int, names: Sequence[bytes]) -> bytes:
        """The length is what the SDK writes there: it counts the token and the source, too."""
        topics = _U16.pack(len(names)) + b"".join(bytes((len(name),)) + name for name in names)
        head = pack(">HBB", self._padding + len(topics), kind, 2)
        return head + _field(1, topics) + _field(2, bytes((_CHANNEL,)))

    def _topics_of(self, key: Key, mode: FeedMode) -> list[bytes]:
        row = self._instruments.require(key[1], key[0])
        segment = _SEGMENTS.get(row.token[:4])
        if segment is None:
            raise SymbolUnknown(key[1], key[0])
        if key[0] in INDEX_EXCHANGES:
            return [f"if|{segment}|{self._index_name(row)}".encode()]
        kinds = ("sf", "dp") if mode is FeedMode.DEPTH else ("sf",)
        return [f"{kind}|{segment}|{row.token[10:]}".encode() for kind in kinds]

    def _index_name(self, row: Instrument) -> str:
        """The feed's name of an index; the SDK takes that of the ticker where it knows none."""
        return self._names.get(row.brsymbol) or row.brsymbol.partition(":")[2].split("-")[0]

    # -- in ---------------------------------------------------------------------------------
    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        if not isinstance(frame, bytes) or len(frame) < 3:
            return ()
        try:
            return self._data(frame) if frame[2] == _DATA else self._answer(frame)
        except (StructError, IndexError):
            return (Failure(ProtocolError(f"HSM frame of {len(frame)} bytes ends too early")),)

    def _answer(self, frame: bytes) -> Iterable[StreamEvent]:
        kind, fields = frame[2], _fields(frame)
        good = fields.get(1, b"")[:1] == b"K"
        if kind == _AUTH:
            if not good:
                return (Failure(SessionExpired("The Fyers feed refused the log-in.")),)
            self._ack_after = _U32.unpack(fields[2])[0] if 2 in fields else 0
            return (Ready(),)
        if kind == _MESSAGE:
            text = fields.get(2, b"").decode(errors="replace")
            return (Failure(ProtocolError(f"The Fyers feed reports: {text}")),)
        if kind == _SUBSCRIBE:
            keys = self._asked.popleft() if self._asked else ()
            if good:
                return (Confirmed(keys),)
            return (Failure(ProtocolError(f"Fyers refused to stream {len(keys)} instruments")),)
        return ()

    def _acknowledged(self, frame: bytes) -> list[StreamEvent]:
        """The acknowledgement, where one is due."""
        self._unacked += 1
        if not self._ack_after or self._unacked < self._ack_after:
            return []
        self._unacked = 0
        return [Reply((pack(">HBBBH4s", 9, _ACK, 1, 1, 4, frame[3:7]),))]

    def _data(self, frame: bytes) -> Iterable[StreamEvent]:
        events = self._acknowledged(frame)
        topics, now = self._topics, int(self._clock.time() * 1000)
        offset = 9
        try:
            for _ in range(_U16.unpack_from(frame, 7)[0]):
                kind, number, count = _HEAD.unpack_from(frame, offset)
                topic = topics.get(number)
                if kind == _UPDATE:
                    start, offset = offset + 4, offset + 4 + 4 * count
                    if topic is None:
                        continue
                    values = _VALUES[count].unpack_from(frame, start)
                    if count != topic.count or _MARK in frame[start:offset]:
                        values = topic.merge(values)
                    if values != topic.values:
                        topic.values = values
                        events.append(topic.make(values, topic.div, topic.whole, now))
                elif kind == _SNAPSHOT:
                    offset, topic = self._snapshot(frame, offset + 4, number, count)
                    if topic is not None:
                        events.append(topic.make(topic.values, topic.div, topic.whole, now))
                elif kind == _LITE:
                    values = _VALUES[1].unpack_from(frame, offset + 3)
                    offset += 7
                    if topic is not None and (values := topic.merge(values)) != topic.values:
                        topic.values = values
                        events.append(topic.make(values, topic.div, topic.whole, now))
                else:
                    raise StructError
        except (StructError, IndexError):
            events.append(Failure(ProtocolError(f"HSM frame of {len(frame)} bytes is not whole")))
        return events

    def _snapshot(
        self, frame: bytes, offset: int, number: int, size: int
    ) -> tuple[int, _Topic | None]:
        """The offset behind a snapshot, and its topic where it is one of ours."""
        name = frame[offset : offset + size]
        offset += size
        values = _VALUES[frame[offset]].unpack_from(frame, offset + 1)
        offset += 1 + 4 * len(values)
        multiplier, precision = _TRAILER.unpack_from(frame, offset)
        offset += _TRAILER.size
        for _ in range(3):
            offset += 1 + frame[offset]
        scrip = self._by_name.get(name)
        if scrip is None:
            self._topics.pop(number, None)
            return offset, None
        topic = _Topic(name, scrip, float(10**precision * (multiplier or 1)))
        topic.values = topic.merge(values)
        self._topics[number] = topic
        return offset, topic


@cache
def known_names() -> dict[str, str]:
    """Names of indices on the feed by ticker, as far as they are shipped."""
    raw = msgspec.json.decode(resource_text("brokers/fyers_feed.json"))
    names: dict[str, str] = raw["names"]
    return names


def _field(number: int, value: bytes) -> bytes:
    return pack(">BH", number, len(value)) + value


def _fields(frame: bytes) -> dict[int, bytes]:
    """The fields of a frame that has them."""
    found, offset = {}, 4
    for _ in range(frame[3]):
        size = _U16.unpack_from(frame, offset + 1)[0]
        found[frame[offset]] = frame[offset + 3 : offset + 3 + size]
        offset += 3 + size
    return found
