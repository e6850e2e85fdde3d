"""The codecs against Dhan's own parsers, field by field, on generated packets."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.brokers.families.dhanhq.depth import DepthCodec, FullDepthCodec
from openalgo_desktop.brokers.families.dhanhq.feed import DhanCodec
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.ticks import Level, Tick
from tests import side_env
from tests.side.requirements import MAKERS
from tests.unit.brokers.dhanhq.dhan_frames import KINDS, SEGMENTS, book, index, packet

SCRIPT = Path("tests/side/dhan_feed.py")
CLOCK = ManualClock(datetime(2026, 12, 1, 11, 0, tzinfo=IST))
PACKETS = 6000


def close_to(text: str, value: float) -> bool:
    """Whether a price that the maker cut to two decimals is ours."""
    return abs(float(text) - value) <= 0.0051


def words(tick: Tick, segment: int, number: int) -> dict[str, Any]:
    """Our tick in the words of the maker's parser."""
    said: dict[str, Any] = {
        "type": {1: "Ticker Data", 2: "Quote Data", 3: "Full Data"}[tick.mode],
        "exchange_segment": segment,
        "security_id": number,
        "LTP": tick.ltp,
        "LTT": datetime.fromtimestamp(tick.ltt / 1000, UTC).strftime("%H:%M:%S"),
    }
    if tick.mode is FeedMode.LTP:
        return said
    said |= {
        "LTQ": tick.last_quantity, "avg_price": tick.average_price, "volume": tick.volume,
        "total_sell_quantity": tick.total_sell_quantity,
        "total_buy_quantity": tick.total_buy_quantity,
        "open": tick.open, "close": tick.close, "high": tick.high, "low": tick.low,
    }  # fmt: skip
    if tick.mode is FeedMode.DEPTH:
        assert tick.extras is not None and tick.depth is not None
        said |= {
            "OI": tick.oi,
            "oi_day_high": tick.extras.oi_high,
            "oi_day_low": tick.extras.oi_low,
        }
        said["depth"] = [
            {
                "bid_quantity": bid.quantity, "ask_quantity": ask.quantity,
                "bid_orders": bid.orders, "ask_orders": ask.orders,
                "bid_price": bid.price, "ask_price": ask.price,
            }
            for bid, ask in zip(tick.depth.buy, tick.depth.sell, strict=True)
        ]  # fmt: skip
    return said


def same(ours: Any, theirs: Any) -> bool:
    """Equal, prices to the paisa that the maker cuts to."""
    if isinstance(theirs, dict):
        return set(ours) == set(theirs) and all(same(ours[n], theirs[n]) for n in theirs)
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, str) and isinstance(ours, float):
        return close_to(theirs, ours)
    return bool(ours == theirs)


def test_every_field_of_every_kind_of_packet() -> None:
    rng = random.Random(7)
    ids = [(segment, 1000 + n) for segment in SEGMENTS for n in range(40)]
    table = index(ids)
    codec = DhanCodec(table, CLOCK)
    codec.subscribe({r.key: FeedMode.DEPTH for r in table.rows()})
    made = [(*rng.choice(ids), rng.choice(list(KINDS))) for _ in range(PACKETS)]
    packets = [packet(kind, segment, number, rng) for segment, number, kind in made]
    frames, at = [], 0
    while at < len(packets):  # several in a frame
        size = rng.randint(1, 30)
        frames.append(b"".join(packets[at : at + size]))
        at += size
    ticks = [tick for frame in frames for tick in codec.decode(frame)]
    data = {"frames": [frame.hex() for frame in frames]}
    theirs = side_env.run(MAKERS, SCRIPT, data, deps=False)["ticks"]
    assert len(ticks) == len(theirs) == PACKETS
    for tick, (segment, number, _), (told,) in zip(ticks, made, theirs, strict=True):
        assert isinstance(tick, Tick)
        assert same(words(tick, segment, number), told), (tick, told)


def test_the_packets_beside_them() -> None:
    rng = random.Random(8)
    ids = [(2, 1000 + n) for n in range(50)]
    table = index(ids)
    codec = DhanCodec(table, CLOCK)
    codec.subscribe({r.key: FeedMode.QUOTE for r in table.rows()})
    pairs = [(packet("close", *one, rng), packet("oi", *one, rng)) for one in ids]
    data = {"frames": [half.hex() for pair in pairs for half in pair]}
    told = [row for (row,) in side_env.run(MAKERS, SCRIPT, data, deps=False)["ticks"]]
    for one, (close, oi), previous, interest in zip(ids, pairs, told[::2], told[1::2], strict=True):
        assert list(codec.decode(close)) == []
        (only,) = codec.decode(oi)
        assert isinstance(only, Tick) and only.oi == interest["OI"]
        (tick,) = codec.decode(packet("quote", *one, rng))
        assert isinstance(tick, Tick) and close_to(previous["prev_close"], tick.close)
        assert tick.oi == interest["OI"]
        (full,) = codec.decode(packet("full", *one, rng))
        assert isinstance(full, Tick) and full.extras is not None
        assert full.extras.prev_oi == previous["prev_OI"]
        assert close_to(previous["prev_close"], full.close)


@pytest.mark.parametrize(
    ("levels", "kind", "count"), [(20, DepthCodec, 1000), (200, FullDepthCodec, 200)]
)
def test_deeper_books(levels: int, kind: type[DepthCodec], count: int) -> None:
    rng = random.Random(levels)
    ids = [(segment, 1000 + n) for segment in (1, 2) for n in range(25)]
    table = index(ids)
    codec = kind(table, CLOCK)
    codec.subscribe({r.key: FeedMode.DEPTH for r in table.rows()})
    made = [rng.choice(ids) for _ in range(count)]
    frames = [book(levels, segment, number, rng) for segment, number in made]
    data = {"frames": [frame.hex() for frame in frames], "kind": f"depth{levels}"}
    theirs = side_env.run(MAKERS, SCRIPT, data, deps=False)["ticks"]
    for frame, (segment, number), told in zip(frames, made, theirs, strict=True):
        (tick,) = codec.decode(frame)
        assert isinstance(tick, Tick) and tick.depth is not None
        for side, update in zip((tick.depth.buy, tick.depth.sell), told, strict=True):
            assert (update["exchange_segment"], update["security_id"]) == (segment, number)
            wanted = [
                Level(row["price"], row["quantity"], row["orders"]) for row in update["depth"]
            ]
            assert list(side) == wanted and len(side) == levels
