"""The samples as processes over a whole day of the simulated market (long)."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from openalgo_desktop.core.strategies.rehearsal import Rehearsal, RehearsalWish
from openalgo_desktop.runtime.rehearsal import rehearse
from openalgo_desktop.storage.datadir import DataDirectory

pytestmark = pytest.mark.long

FIRST = date(2026, 11, 26)  # a Thursday
SAMPLES = (
    "moving_average_cross",
    "opening_range_breakout",
    "pairs",
    "short_straddle",
    "supertrend",
    "tick_printer",
)


async def rehearsed(name: str, home: DataDirectory) -> Rehearsal:
    wish = RehearsalWish(path=f"sample:{name}", first=FIRST, days=2, pace=120)
    return await rehearse(wish, home, {}, lambda _line: None)


@pytest.mark.parametrize("name", SAMPLES)
def test_two_days_of_a_sample(name: str, tmp_path: Path) -> None:
    home = DataDirectory(tmp_path)
    home.create()
    found = asyncio.run(rehearsed(name, home))
    text = "\n".join(found.lines)
    for day in found.days:
        assert (day.refused, day.failed, day.left) == (0, False, ()), (day, text)
    assert "Traceback" not in text, text
    trips = found.figures.trades
    if name == "tick_printer":
        assert trips == 0 and len(found.lines) > 20
    elif name in ("short_straddle", "moving_average_cross"):
        assert trips >= 2  # both days
    if name in ("opening_range_breakout", "short_straddle"):
        fills = {"opening_range_breakout": (0, 2), "short_straddle": (4,)}[name]  # once
        assert all(day.fills in fills for day in found.days), found.days
