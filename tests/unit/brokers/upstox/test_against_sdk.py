"""The market feed's codec against the maker's own streamer, field by field."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.ticks import Part, Tick
from tests import side_env
from tests.side.requirements import MAKERS
from tests.unit.brokers.upstox.feed_frames import KINDS, codec, frame, key

SCRIPT = Path("tests/side/upstox_streamer.py")
FRAMES, PER_FRAME = 150, 20


def number(row: Mapping[str, Any], name: str) -> float:
    """A value of the maker's table: whole numbers are texts, zeros are left out."""
    return float(row.get(name, 0))


def level(row: Mapping[str, Any]) -> tuple[float, float, float, float]:
    return tuple(number(row, name) for name in ("bidP", "bidQ", "askP", "askQ"))  # type: ignore[return-value]


def told(feed: Mapping[str, Any], before: dict[str, Any]) -> dict[str, Any] | None:
    """What a tick has to say by the maker's reading of one instrument; None: no tick. ``before``
    has the bar of the day of an earlier frame, and the close that was known with it. A last price
    of 0 is none."""
    full = feed.get("fullFeed", {})
    part = full.get("marketFF", full.get("indexFF"))
    last = (feed if part is None else part).get("ltpc")
    if last is None and part is None:
        return None
    last = last or {}
    found: dict[str, Any] = {
        "ltp": number(last, "ltp"), "ltt": number(last, "ltt"), "close": number(last, "cp"),
    }  # fmt: skip
    if "indexFF" not in full:
        found["last_quantity"] = number(last, "ltq")
    if part is None:
        return found | {"unknown": 0} if found["ltp"] else None
    unknown = 0 if found["ltp"] else Part.LTP
    bars = part.get("marketOHLC", {}).get("ohlc", [])
    if (new := next((bar for bar in bars if bar["interval"] == "1d"), None)) is not None:
        before |= {"day": new, "close": found["close"] or before.get("close", 0.0)}
    day = before.get("day")
    found["close"] = found["close"] or before.get("close", 0.0)
    unknown |= 0 if day else Part.DAY
    found |= {name: number(day or {}, name) for name in ("open", "high", "low")}
    if "indexFF" in full:
        return found | {"unknown": unknown}
    rows = part.get("marketLevel", {}).get("bidAskQuote", [])
    unknown |= 0 if rows else Part.TOUCH | Part.BOOK
    names = {
        "average_price": "atp", "volume": "vtt", "oi": "oi", "total_buy_quantity": "tbq",
        "total_sell_quantity": "tsq",
    }  # fmt: skip
    found |= {ours: number(part, theirs) for ours, theirs in names.items()}
    best = level(rows[0]) if rows else (0, 0, 0, 0)
    found |= dict(zip(("bid", "bid_quantity", "ask", "ask_quantity"), best, strict=True))
    return found | {"unknown": unknown, "book": [level(row) for row in rows]}


def said(tick: Tick, names: Mapping[str, Any]) -> dict[str, Any]:
    """A tick in the same words."""
    found = {name: getattr(tick, name) for name in names if name != "book"}
    if "book" in names:
        pairs = zip(tick.depth.buy, tick.depth.sell, strict=True) if tick.depth else ()
        found["book"] = [(b.price, b.quantity, s.price, s.quantity) for b, s in pairs]
    return found


@pytest.mark.parametrize("partial", [False, True])
def test_every_field_of_thousands_of_instruments(partial: bool) -> None:
    rng = random.Random(20261124 + partial)
    kinds = [KINDS[n % len(KINDS)] for n in range(PER_FRAME)]
    frames = [frame(kinds, rng, partial=partial) for _ in range(FRAMES)]
    official = side_env.run(
        MAKERS, SCRIPT, {"frames": [data.hex() for data in frames]}, deps=False
    )["messages"]
    ours = codec(PER_FRAME, ManualClock(datetime(2026, 12, 1, 13, 30, tzinfo=IST)))
    state: dict[str, dict[str, Any]] = {key(n): {} for n in range(PER_FRAME)}
    compared, depths = 0, set()
    for data, message in zip(frames, official, strict=True):
        ticks = {f"NSE_FO|{t.symbol[1:]}": t for t in ours.decode(data) if isinstance(t, Tick)}
        wanted = {n: w for n, f in message["feeds"].items() if (w := told(f, state[n])) is not None}
        assert set(ticks) == set(wanted)
        for name, want in wanted.items():
            assert said(ticks[name], want) == want
            ltpc = kinds[int(name[7:])] == "ltpc"
            assert ticks[name].mode is (FeedMode.LTP if ltpc else FeedMode.DEPTH)
            depths.add(len(want.get("book", ())))
            compared += 1
    assert compared >= FRAMES * PER_FRAME * 3 // 4
    assert {5, 30} <= depths
