"""Binary packets of XTS market data (event ``xts-binary-packet``).

The layout is that of Symphony's own decoders: xts-pythonsdk-binarymarketdata-withbroadcastmode-api
(MarketdataSocketExample, TouchlineEvent, MarketDepthEvent, OpenInterestEvent) and the same classes
of xts-binary-marketdata-api. Little endian, no padding:

* one byte, 1 = deflated without a header, 0 = plain; the code (u16), segment (i16), instrument
  (i32), book and market type (2 x i16) and the plain size (u16); deflated packets have the packed
  size (u16), too. Then the message. Several packets may follow one another.
* a message begins with its code, version, application (3 x u16), token (u64), from version 4 on
  the sequence (u64) and four bytes to be skipped, segment (i16), instrument (i32) and time (u64).

Only what agrees with itself is read: the message must repeat code, segment and instrument of its
packet, fit its size and hold prices that can be. Everything else is given as
:class:`ProtocolError`, never guessed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from openalgo_desktop.core.errors import ProtocolError

TOUCHLINE: Final = 1501
DEPTH: Final = 1502
OPEN_INTEREST: Final = 1510

_HEAD = Struct("<BHhihhH")
_PACKED = Struct("<H")
_MESSAGE = Struct("<HHHQQ4xhiQ")
_OLDEST: Final = 4  # earlier versions: the decoders do not agree on the skipped bytes
_LEVEL = Struct("<idi2x")  # quantity, price, orders, (buy-back flag)
_COUNT = Struct("<i")
# Update time, last price and quantity, totals of buyers, sellers and the day, average price,
# time of the last trade, (per cent), open, high, low, previous close; turnover, buy-backs and kinds
# follow, which some servers leave out.
_LINE = Struct("<QdiIIIdq8xdddd")
_INTEREST = Struct("<hi")  # market type, open interest; the underlying follows
_MOST_LEVELS: Final = 200
_HIGHEST: Final = 1e9  # of a message all prices together
#: No packet is larger unpacked: its size is sixteen bits.
_LARGEST: Final = 1 << 16

#: Quantity, price, orders.
Row = tuple[int, float, int]


class Line(NamedTuple):
    """The touchline part of a message; times are seconds of the feed's own epoch."""

    updated: int
    ltp: float
    last_quantity: int
    buying: int
    selling: int
    volume: int
    average: float
    traded: int
    open: float
    high: float
    low: float
    close: float


class Packet(NamedTuple):
    """One message. ``line`` is None in open interest, where ``oi`` is the number."""

    code: int
    segment: int
    instrument: int
    line: Line | None
    bids: list[Row]
    asks: list[Row]
    oi: int


def packets(data: bytes) -> Iterator[Packet | ProtocolError]:
    """The messages of one event, in order; reading ends at the first that cannot be delimited."""
    at, end = 0, len(data)
    while at < end:
        if at + _HEAD.size > end:
            yield _bad("ends inside a header")
            return
        deflated, code, segment, instrument, _, _, size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        packed = size
        if deflated == 1:
            if at + _PACKED.size > end:
                yield _bad("ends inside a header")
                return
            packed = _PACKED.unpack_from(data, at)[0]
            at += _PACKED.size
        elif deflated:
            yield _bad(f"is packed in an unknown way ({deflated})")
            return
        body, at = data[at : at + packed], at + packed
        if at > end:
            yield _bad("ends inside a message")
            return
        try:
            message = _inflated(body, size) if deflated else body
            yield _message(message, code, segment, instrument)
        except ProtocolError as error:
            yield error


def _inflated(body: bytes, size: int) -> bytes:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        message = stream.decompress(body, _LARGEST)
    except zlib.error as error:
        raise _bad(f"cannot be unpacked ({error})") from None
    if len(message) != size or not stream.eof:
        raise _bad(f"has {len(message)} bytes instead of {size}")
    return message


def _message(data: bytes, code: int, segment: int, instrument: int) -> Packet:
    if len(data) < _MESSAGE.size:
        raise _bad("is too short")
    own, version, _, _, _, own_segment, own_instrument, _ = _MESSAGE.unpack_from(data)
    if (own, own_segment, own_instrument) != (code, segment, instrument):
        raise _bad(f"says {own} inside and {code} outside")
    if version < _OLDEST:
        raise _bad(f"has version {version}")
    at = _MESSAGE.size
    bids: list[Row] = []
    asks: list[Row] = []
    if code == OPEN_INTEREST:
        if at + _INTEREST.size > len(data):
            raise _bad("is too short")
        return Packet(
            code, segment, instrument, None, bids, asks, _INTEREST.unpack_from(data, at)[1]
        )
    if code == DEPTH:
        bids, at = _levels(data, at)
        asks, at = _levels(data, at)
    elif code != TOUCHLINE:
        raise _bad(f"has code {code}, whose layout is not published")
    if at + 2 * _LEVEL.size + _LINE.size > len(data):
        raise _bad(f"has {len(data)} bytes")
    best_bid, best_ask = _LEVEL.unpack_from(data, at), _LEVEL.unpack_from(data, at + _LEVEL.size)
    if code == TOUCHLINE:
        bids, asks = [best_bid], [best_ask]
    line = Line(*_LINE.unpack_from(data, at + 2 * _LEVEL.size))
    prices = [row[1] for row in bids] + [row[1] for row in asks]
    prices += line.ltp, line.average, line.open, line.high, line.low, line.close
    if not (min(prices) >= 0 and sum(prices) < _HIGHEST):  # nor is a sum with NaN in it
        raise _bad("holds a price that cannot be")
    return Packet(code, segment, instrument, line, bids, asks, 0)


def _levels(data: bytes, at: int) -> tuple[list[Row], int]:
    if at + _COUNT.size > len(data):
        raise _bad("ends inside its levels")
    count = _COUNT.unpack_from(data, at)[0]
    at += _COUNT.size
    end = at + count * _LEVEL.size
    if not 0 <= count <= _MOST_LEVELS or end > len(data):
        raise _bad(f"has {count} levels")
    return list(_LEVEL.iter_unpack(data[at:end])), end


def _bad(what: str) -> ProtocolError:
    return ProtocolError(f"A binary packet {what}.")
