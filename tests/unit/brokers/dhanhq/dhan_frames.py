"""Generated packets of Dhan's feeds, written from the documented layouts."""

from __future__ import annotations

import random
import struct

from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument

#: Segments by their code on the feed, with the exchange and a tick of theirs.
SEGMENTS = {
    0: ("IDX_I", "NSE_INDEX", 0.0005),
    1: ("NSE_EQ", "NSE", 0.05),
    2: ("NSE_FNO", "NFO", 0.05),
    3: ("NSE_CURRENCY", "CDS", 0.0025),
    4: ("BSE_EQ", "BSE", 0.01),
    5: ("MCX_COMM", "MCX", 1.0),
    7: ("BSE_CURRENCY", "BCD", 0.0025),
    8: ("BSE_FNO", "BFO", 0.05),
}
KINDS = {"ticker": 2, "quote": 4, "full": 8}


def row(segment: int, number: int) -> Instrument:
    """The instrument of an id."""
    name, exchange, tick = SEGMENTS[segment]
    return Instrument(
        f"S{segment}X{number}", exchange, tick_size=tick, token=str(number), brexchange=name,
        instrument_type="INDEX" if segment == 0 else "EQ",
    )  # fmt: skip


def index(ids: list[tuple[int, int]]) -> InstrumentTable:
    """A table of these ids."""
    return InstrumentTable.of([row(*one) for one in ids])


def price(rng: random.Random, segment: int) -> float:
    """A price on the tick."""
    tick = SEGMENTS[segment][2] if segment else 0.05
    most = 200 if segment in (3, 7) else 90_000
    return round(rng.randint(1, int(most / tick)) * tick, 4)


def head(code: int, size: int, segment: int, number: int) -> bytes:
    """The first eight bytes of a packet."""
    return struct.pack("<BHBI", code, size, segment, number)


def packet(kind: str, segment: int, number: int, rng: random.Random) -> bytes:
    """A packet of ``KINDS``, of open interest ("oi") or of the previous close ("close")."""

    def prices(count: int) -> list[float]:
        return [price(rng, segment) for _ in range(count)]

    def count(most: int = 2**31) -> int:
        return rng.randint(0, most)

    traded = rng.randint(1_600_000_000, 1_700_000_000)
    if kind == "ticker":
        return head(2, 16, segment, number) + struct.pack("<fI", *prices(1), traded)
    if kind == "oi":
        return head(5, 12, segment, number) + struct.pack("<I", count())
    if kind == "close":
        return head(6, 16, segment, number) + struct.pack("<fI", *prices(1), count())
    day = struct.pack("<fHIfIII", *prices(1), count(65_535), traded, *prices(1), count(), count(),
                      count())  # fmt: skip
    # An instrument's figures of the day seldom change, and shares have no open interest.
    steady = random.Random(number)
    ohlc = struct.pack("<ffff", *(price(steady, segment) for _ in range(4)))
    if kind == "quote":
        return head(4, 50, segment, number) + day + ohlc
    book = b"".join(
        struct.pack("<IIHHff", count(), count(), count(65_535), count(65_535), *prices(2))
        for _ in range(5)
    )
    derivative = segment not in (0, 1, 4)
    extremes = [steady.randint(1, 2**31) * derivative for _ in range(2)]
    interest = struct.pack("<III", count() * derivative, *extremes)
    return head(8, 162, segment, number) + day + interest + ohlc + book


def book(levels: int, segment: int, number: int, rng: random.Random) -> bytes:
    """Both sides of a deeper book."""
    frame = b""
    for code in (41, 51):
        rows = [
            struct.pack("<dII", price(rng, segment), rng.randint(1, 2**31), rng.randint(1, 9999))
            for _ in range(levels)
        ]
        size = 12 + 16 * levels
        frame += struct.pack("<HBBII", size, code, segment, number, levels) + b"".join(rows)
    return frame
