"""Frames of Fyers' market feed and of its 50-level books, by the layout in the maker's library."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Any

from openalgo_desktop.brokers.fyers.feed import HsmCodec
from openalgo_desktop.brokers.fyers.sockets import LEVELS, TbtCodec
from openalgo_desktop.brokers.kit.feed.protobuf import Schema
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key

ABSENT = -(1 << 31)
COUNTS = {"sf": 21, "dp": 30, "if": 6}
#: Fields that are prices; the others are counts and times.
PRICES = {"sf": (0, 6, 7, 11, *range(13, 21)), "dp": tuple(range(10)), "if": (0, 1, 3, 4, 5)}


#: Messages of the books as https://public.fyers.in/tbtproto/1.0.0/msg.proto has them.
SCHEMA = Schema(
    {
        "Value": {1: ("value", "int64")},  # of Int64Value, UInt32Value and UInt64Value
        "MarketLevel": {
            number: (name, "Value")
            for number, name in enumerate(("price", "qty", "nord", "num"), 1)
        },
        "Depth": {
            1: ("tbq", "Value"),
            2: ("tsq", "Value"),
            3: ("asks", "repeated MarketLevel"),
            4: ("bids", "repeated MarketLevel"),
        },
        "MarketFeed": {5: ("depth", "Depth"), 6: ("feed_time", "Value"), 11: ("ticker", "string")},
        "SocketMessage": {
            2: ("feeds", "map string MarketFeed"),
            3: ("snapshot", "bool"),
            4: ("msg", "string"),
            5: ("error", "bool"),
        },
    }
)


def instrument(number: int) -> Instrument:
    """A share, a future or (every seventh) an index; its topics end with its number."""
    if number % 7 == 6:
        name = f"IDX{number}"
        return Instrument(
            name, "NSE_INDEX", token=f"1010000000{number}", brsymbol=f"NSE:{name}-INDEX",
            instrument_type="INDEX",
        )  # fmt: skip
    exchange, head = ("NFO", "1011261229") if number % 7 == 5 else ("NSE", "1010000000")
    return Instrument(f"S{number}", exchange, token=f"{head}{number}", brsymbol=f"NSE:S{number}-EQ")


def topics(number: int) -> tuple[str, ...]:
    """The topics of an instrument."""
    row = instrument(number)
    if row.exchange == "NSE_INDEX":
        return (f"if|nse_cm|{row.symbol}",)
    segment = "nse_fo" if row.exchange == "NFO" else "nse_cm"
    return f"sf|{segment}|{number}", f"dp|{segment}|{number}"


def codec(count: int, clock: Clock, mode: FeedMode = FeedMode.DEPTH) -> HsmCodec:
    """A codec that has subscribed so many instruments."""
    table = InstrumentTable()
    rows = [instrument(number) for number in range(count)]
    table.load(rows)
    made = HsmCodec(table, clock, {"access_token": "a.b.c", "hsm_key": "key"})
    made.subscribe({row.key: mode for row in rows})
    return made


def values(kind: str, rng: random.Random, absent: float) -> list[int]:
    """Values of a topic; a share of them is absent."""
    made = [
        rng.randrange(-5000, 5_000_000) if at in PRICES[kind] else rng.randrange(2_000_000_000)
        for at in range(COUNTS[kind])
    ]
    return [ABSENT if rng.random() < absent else value for value in made]


def snapshot(name: str, number: int, made: Sequence[int], scale: tuple[int, int] = (1, 2)) -> bytes:
    """A snapshot of topic ``number``; ``scale``: multiplier and precision."""
    text = name.encode()
    head = struct.pack("<BHB", 83, number, len(text)) + text
    body = struct.pack(f">B{len(made)}i", len(made), *made) + struct.pack(">HHB", 9, *scale)
    return head + body + b"".join(bytes((len(t),)) + t for t in (b"NSE", b"3045", b"SBIN-EQ"))


def update(number: int, made: Sequence[int]) -> bytes:
    """Changed values of topic ``number``."""
    return struct.pack("<BHB", 85, number, len(made)) + struct.pack(f">{len(made)}i", *made)


def lite(number: int, last: int) -> bytes:
    """The last price of topic ``number``."""
    return struct.pack("<BH", 76, number) + struct.pack(">i", last)


def frame(items: Sequence[bytes], message: int = 1) -> bytes:
    """A frame of data."""
    body = struct.pack(">BIH", 6, message, len(items)) + b"".join(items)
    return struct.pack(">H", len(body) & 0xFFFF) + body


# -- books ----------------------------------------------------------------------------------
def ticker(number: int) -> str:
    """Fyers' name of a share."""
    return f"NSE:S{number}-EQ"


def book_codec(count: int, clock: Clock) -> tuple[TbtCodec, list[Key]]:
    """A codec that has subscribed so many books."""
    table = InstrumentTable()
    rows = [Instrument(f"S{n}", "NSE", brsymbol=ticker(n)) for n in range(count)]
    table.load(rows)
    made = TbtCodec(table, clock, {})
    made.subscribe(dict.fromkeys((row.key for row in rows), FeedMode.DEPTH))
    return made, [row.key for row in rows]


def book(names: Sequence[str], rng: random.Random, *, levels: int, whole: bool = False) -> bytes:
    """A message with so many levels a side of each name; ``whole``: a snapshot of all fields."""
    message: Any = SCHEMA.message("SocketMessage")(snapshot=whole)
    for name in names:
        feed = message.feeds[f"1010{name}"]
        feed.ticker = name
        feed.feed_time.value = 1796111990 + rng.randrange(1000)
        for total in (feed.depth.tbq, feed.depth.tsq) if whole or rng.random() < 0.5 else ():
            total.value = rng.randrange(10**7)
        for side in (feed.depth.bids, feed.depth.asks):
            chosen = range(LEVELS) if whole else rng.sample(range(LEVELS), levels)
            for number in chosen:
                level = side.add()
                level.num.value = number
                for field, most in (("price", 10**7), ("qty", 10**6), ("nord", 500)):
                    if whole or rng.random() < 0.7:
                        getattr(level, field).value = (
                            0 if rng.random() < 0.05 else rng.randrange(most)
                        )
    made: bytes = message.SerializeToString()
    return made
