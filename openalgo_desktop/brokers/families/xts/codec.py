"""XTS market data over Socket.IO: events in, subscriptions out as requests over REST.

Source: Symphony's xts-pythonclient-api-sdk (MarketDataSocketClient, Connect) and, for binary
packets, the decoders named in ``packets``. The address asks for full JSON messages, so each event
says everything of its kind. A code is subscribed for each mode; derivatives have their open
interest in messages of their own (1510), which joins the next tick and the last one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from openalgo_desktop.brokers.families.xts.packets import (
    DEPTH,
    OPEN_INTEREST,
    Packet,
    Row,
    packets,
)
from openalgo_desktop.brokers.families.xts.segments import epoch, instrument_id, segment_of
from openalgo_desktop.brokers.kit.feed.codec import (
    Confirmed,
    Failure,
    Frame,
    FrameCodec,
    InstrumentFinder,
    Message,
    Reply,
    Request,
    Sending,
    StreamEvent,
)
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES, FeedMode
from openalgo_desktop.core.errors import AppError, ProtocolError, SymbolUnknown
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick

_BINARY: Final = "xts-binary-packet"
_PARTIAL: Final = "1105"
#: Fields of the partial text by number, as far as its meaning is known.
_PARTIAL_LTP, _PARTIAL_QUANTITY = "110", "111"
#: A binary message that cannot be read is told once in so many; all are counted.
_TOLD_EVERY: Final = 1000
_NO_LEVEL: Final = Level(0.0, 0)
#: One side of a book, the best level first.
_Side: TypeAlias = tuple[Level, ...]


class _Level(msgspec.Struct, frozen=True, gc=False):
    Size: int | None = 0
    Price: float | None = 0.0
    TotalOrders: int | None = 0


class _Line(msgspec.Struct, gc=False):
    """A touchline: at the top of 1501 and 1512, under ``Touchline`` in 1502. The misspelt name is
    the server's."""

    ExchangeSegment: int = 0
    ExchangeInstrumentID: int = 0
    LastTradedPrice: float | None = None
    LastTradedQunatity: int | None = None
    LastTradedQuantity: int | None = None
    TotalBuyQuantity: int | None = 0
    TotalSellQuantity: int | None = 0
    TotalTradedQuantity: int | None = 0
    AverageTradedPrice: float | None = 0.0
    LastTradedTime: int | None = 0
    Open: float | None = 0.0
    High: float | None = 0.0
    Low: float | None = 0.0
    Close: float | None = 0.0
    BidInfo: _Level | None = None
    AskInfo: _Level | None = None
    # 1502 and 1510 only
    Touchline: _Line | None = None
    Bids: tuple[_Level, ...] | None = None
    Asks: tuple[_Level, ...] | None = None
    OpenInterest: int | None = None
    MessageCode: int = 0


_lines = msgspec.json.Decoder(_Line, strict=False)
_MODES: Final = {"1512": FeedMode.LTP, "1501": FeedMode.QUOTE, "1502": FeedMode.DEPTH}
#: Subscribed beside the mode's own code.
_CODES: Final = {FeedMode.LTP: 1512, FeedMode.QUOTE: 1501, FeedMode.DEPTH: 1502}


class _Known:
    """A subscribed instrument."""

    __slots__ = ("derivative", "key", "mode", "oi")

    def __init__(self, key: Key, mode: FeedMode) -> None:
        self.key = key
        self.mode = mode
        self.derivative = key[0] in DERIVATIVE_EXCHANGES
        self.oi: int | None = None


class XtsCodec(FrameCodec):
    """One connection's codec. ``ltp_code`` is what mode LTP subscribes: servers that may answer
    in binary have no published layout for 1512, so theirs is the touchline."""

    def __init__(
        self,
        instruments: InstrumentFinder,
        clock: Clock,
        values: Mapping[str, Any] | None = None,
        *,
        ltp_code: int = 1512,
    ) -> None:
        self._instruments = instruments
        self._clock = clock
        self._codes = {**_CODES, FeedMode.LTP: ltp_code}
        self._known: dict[tuple[int, int], _Known] = {}
        #: Binary messages that could not be read.
        self.undecoded = 0

    # -- out --------------------------------------------------------------------------------
    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Sending]:
        """The codes of the wanted modes; those of the modes before are given up afterwards."""
        places = {key: self._place(key) for key in wanted}
        new: dict[int, list[Key]] = {}
        old: dict[int, list[Key]] = {}
        for key, mode in wanted.items():
            before = self._known.get(places[key])
            codes = self._codes_of(key, mode)
            if before is not None:
                for code in sorted(self._codes_of(key, before.mode) - codes):
                    old.setdefault(code, []).append(key)
            for code in sorted(codes):
                new.setdefault(code, []).append(key)
            self._known[places[key]] = known = _Known(key, mode)
            if before is not None:
                known.oi = before.oi
        return [*self._requests("subscribe", new), *self._requests("unsubscribe", old)]

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Sending]:
        """Keys that no master knows any more are skipped: they ended with their contract."""
        gone: dict[int, list[Key]] = {}
        for key in keys:
            with contextlib.suppress(SymbolUnknown):
                known = self._known.pop(self._place(key), None)
                for code in sorted(self._codes_of(key, known.mode)) if known is not None else ():
                    gone.setdefault(code, []).append(key)
        return self._requests("unsubscribe", gone)

    def _codes_of(self, key: Key, mode: FeedMode) -> set[int]:
        code = self._codes[mode]
        more = mode is not FeedMode.LTP and key[0] in DERIVATIVE_EXCHANGES
        return {code, OPEN_INTEREST} if more else {code}

    def _requests(self, op: str, codes: Mapping[int, Sequence[Key]]) -> list[Sending]:
        """Requests by code. Only the mode's own code can refuse an instrument: without its open
        interest it streams all the same, and the end of a subscription is nobody's news."""
        return [
            Request(
                op,
                {"code": code, "instruments": [*map(self._named, keys)]},
                tuple(keys) if op == "subscribe" and code != OPEN_INTEREST else (),
            )
            for code, keys in codes.items()
        ]

    def _named(self, key: Key) -> dict[str, int]:
        segment, number = self._place(key)
        return {"exchangeSegment": segment, "exchangeInstrumentID": number}

    def _place(self, key: Key) -> tuple[int, int]:
        row = self._instruments.require(key[1], key[0])
        return segment_of(row.exchange), instrument_id(row)

    # -- answers ----------------------------------------------------------------------------
    def answered(self, request: Request, answer: Any) -> Iterable[StreamEvent]:
        """The answer of a subscription holds a snapshot of each instrument; there is none where
        something of it streamed already."""
        if isinstance(answer, AppError):
            raise answer
        if request.op != "subscribe":
            return ()
        if answer is None and len(request.keys) > 1 and "again" not in request.values:
            # Whether the others of the list were taken is not documented: give all up, ask anew.
            values = {**request.values, "again": True}
            gone, anew = Request("unsubscribe", values), Request("subscribe", values, request.keys)
            return [Reply((gone, anew))]
        events: list[StreamEvent] = []
        for text in answer or ():
            events += self._event(str(request.values["code"]), text)
        if request.values["code"] == OPEN_INTEREST:
            return self._interests(request)
        return [*events, Confirmed(request.keys)]

    def _interests(self, request: Request) -> list[StreamEvent]:
        """Open interest alone, once: in a closed market no next tick would bring it."""
        now = int(self._clock.time() * 1000)
        places = [
            (row["exchangeSegment"], row["exchangeInstrumentID"])
            for row in request.values["instruments"]
        ]
        return [
            Tick(
                known.key[1],
                known.key[0],
                0.0,
                FeedMode.QUOTE,
                now,
                oi=known.oi,
                unknown=Part.QUOTE & ~Part.OI,
            )
            for place in places
            if (known := self._known.get(place)) is not None and known.oi is not None
        ]

    # -- in ---------------------------------------------------------------------------------
    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        if not isinstance(frame, Message):
            return ()
        topic = frame.topic
        if topic == _BINARY:
            return self._binary(frame.data)
        if topic[:4] == _PARTIAL:
            return self._partial(frame.data)
        if topic[4:9] == "-json":
            return self._event(topic[:4], frame.data)
        if topic == "message":
            return self._unnamed(frame.data)
        if topic == "error":
            return (Failure(_feed_error(frame.data)),)
        return ()  # joined, market status and the like

    def _unnamed(self, data: Any) -> Iterable[StreamEvent]:
        """A message without an event of its own; most are words for people."""
        if isinstance(data, str) and not data.lstrip().startswith("{"):
            return ()
        return self._event("", data)

    def _event(self, code: str, data: Any) -> list[StreamEvent]:
        try:
            line = (
                _lines.decode(data)
                if isinstance(data, (str, bytes))
                else msgspec.convert(data, _Line, strict=False)
            )
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return [Failure(ProtocolError(f"XTS message {code} cannot be read"))]
        known = self._known.get((line.ExchangeSegment, line.ExchangeInstrumentID))
        if known is None:
            return []  # unsubscribed a moment ago
        code = code or str(line.MessageCode)
        if code == "1510":
            if line.OpenInterest is not None:
                known.oi = line.OpenInterest
            return []
        mode = _MODES.get(code)
        if mode is None:
            return []
        if mode is FeedMode.DEPTH:
            touch = line.Touchline or _Line()
            return self._line(known, touch, mode, _levels(line.Bids), _levels(line.Asks))
        return self._line(known, line, mode, _best(line.BidInfo), _best(line.AskInfo))

    def _line(
        self, known: _Known, line: _Line, mode: FeedMode, bids: _Side, asks: _Side
    ) -> list[StreamEvent]:
        if line.LastTradedPrice is None:
            return [Failure(ProtocolError("XTS message without a last price"))]
        if not line.LastTradedPrice and mode is FeedMode.LTP:
            return []  # not traded yet
        values = (
            line.LastTradedQunatity or line.LastTradedQuantity or 0,
            line.TotalBuyQuantity or 0,
            line.TotalSellQuantity or 0,
            line.TotalTradedQuantity or 0,
            line.AverageTradedPrice or 0.0,
            line.LastTradedTime or 0,
            line.Open or 0.0,
            line.High or 0.0,
            line.Low or 0.0,
            line.Close or 0.0,
        )
        return [self._tick(known, mode, bids, asks, line.LastTradedPrice, *values)]

    def _tick(
        self,
        known: _Known,
        mode: FeedMode,
        bids: _Side,
        asks: _Side,
        ltp: float,
        quantity: int,
        buying: int,
        selling: int,
        volume: int,
        average: float,
        traded: int,
        open_: float,
        high: float,
        low: float,
        close: float,
    ) -> Tick:
        """A tick; positional, as that is several times faster than by name. A last price of 0 is
        none, and a day whose prices are all 0 has not been told."""
        exchange, symbol = known.key
        now = int(self._clock.time() * 1000)
        ltt = epoch(traded) * 1000
        if mode is FeedMode.LTP:
            return Tick(symbol, exchange, ltp, mode, now, ltt, last_quantity=quantity)
        bid, ask = bids[0] if bids else _NO_LEVEL, asks[0] if asks else _NO_LEVEL
        unknown = Part.OI if known.derivative and known.oi is None else 0
        if not ltp:
            unknown |= Part.LTP
        if not (close or open_ or high or low):
            unknown |= Part.DAY
        return Tick(
            symbol,
            exchange,
            ltp,
            mode,
            now,
            ltt,
            open_,
            high,
            low,
            close,
            volume,
            quantity,
            average,
            known.oi or 0,
            bid.price,
            ask.price,
            bid.quantity,
            ask.quantity,
            buying,
            selling,
            0.0,
            0.0,
            Depth(bids, asks) if mode is FeedMode.DEPTH else None,
            unknown,
        )

    # -- other forms ------------------------------------------------------------------------
    def _partial(self, data: Any) -> list[StreamEvent]:
        """``t:<segment>_<instrument>,110:<last price>,111:<last quantity>,...``: sent in place of
        full messages by some servers, whatever the address asks for."""
        fields = dict(part.partition(":")[::2] for part in str(data).split(","))
        segment, _, number = fields.get("t", "").partition("_")
        try:
            known = self._known.get((int(segment), int(number)))
            ltp = float(fields[_PARTIAL_LTP]) if known is not None else 0.0
            quantity = int(float(fields.get(_PARTIAL_QUANTITY) or 0))
        except (ValueError, KeyError, OverflowError):
            return []  # another property of the instrument
        if known is None or not 0 < ltp < float("inf"):
            return []
        now = int(self._clock.time() * 1000)
        exchange, symbol = known.key
        return [Tick(symbol, exchange, ltp, FeedMode.LTP, now, last_quantity=quantity)]

    def _binary(self, data: Any) -> list[StreamEvent]:
        if not isinstance(data, (bytes, bytearray)):
            return [Failure(ProtocolError("XTS sent a binary packet that is none"))]
        events: list[StreamEvent] = []
        for packet in packets(bytes(data)):
            if isinstance(packet, ProtocolError):
                self.undecoded += 1
                if self.undecoded % _TOLD_EVERY == 1:
                    events.append(Failure(packet))
                continue
            known = self._known.get((packet.segment, packet.instrument))
            if known is not None:
                events += self._packet(known, packet)
        return events

    def _packet(self, known: _Known, packet: Packet) -> list[StreamEvent]:
        if packet.line is None:
            known.oi = packet.oi
            return []
        mode = FeedMode.DEPTH if packet.code == DEPTH else FeedMode.QUOTE
        bids, asks = _rows(packet.bids), _rows(packet.asks)
        return [self._tick(known, mode, bids, asks, *packet.line[1:])]


def _levels(rows: tuple[_Level, ...] | None) -> _Side:
    return tuple(
        [Level(row.Price or 0.0, row.Size or 0, row.TotalOrders or 0) for row in rows or ()]
    )


def _best(row: _Level | None) -> _Side:
    return () if row is None else _levels((row,))


def _rows(rows: Sequence[Row]) -> _Side:
    return tuple([Level(price, quantity, orders) for quantity, price, orders in rows])


def _feed_error(data: Any) -> AppError:
    """What the server's event ``error`` says. A new session of the feed follows one that is over;
    whether the account's own has ended, a read has to say."""
    text = str(data)[:200]
    if "token" in text.lower() or "session" in text.lower():
        return DoubtfulSession(f"The XTS feed refused its session: {text}")
    return ProtocolError(f"The XTS feed reports: {text}")
