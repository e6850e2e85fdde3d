"""Books of 50 levels beside the market feed, through the account and against the emulator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.ticks import Tick
from tests.contract.rig import open_rig
from tests.emulators.fyers import FyersEmulator
from tests.waiting import until


async def test_a_wish_for_fifty_levels_opens_the_books_feed(tmp_path: Path) -> None:
    async with open_rig("fyers", tmp_path) as rig:
        await rig.login()
        row, market = rig.row("NSE"), rig.account.market
        await market.subscribe({row.key: FeedMode.DEPTH})
        release = market.deepen(row.key, 50)
        books = [t for t in rig.ticks if t.depth is not None and len(t.depth.buy) == 50]
        await until(lambda: _deepest(rig.ticks) == 50, "a book of 50 levels")
        book = next(t for t in rig.ticks if t.depth is not None and len(t.depth.sell) == 50)
        assert book.depth is not None and not books
        prices = [level.price for level in book.depth.buy]
        assert prices == sorted(prices, reverse=True) and book.depth.sell[0].price > prices[0]
        release()
        rig.ticks.clear()
        await until(lambda: _deepest(rig.ticks) == 5, "the usual book again")
        oil = rig.row("MCX", "FUT")  # the books are of NSE: the usual one stays
        await market.subscribe({oil.key: FeedMode.DEPTH})
        market.deepen(oil.key, 50)
        rig.ticks.clear()
        await until(lambda: any(t.key == oil.key for t in rig.ticks), "a tick of MCX")
        await until(lambda: _deepest([t for t in rig.ticks if t.key == oil.key]) == 5, "5 levels")


@pytest.mark.parametrize("mapped", [True, False])
async def test_names_of_indices_come_from_the_mapping_or_from_what_is_shipped(
    tmp_path: Path, mapped: bool
) -> None:
    async with open_rig("fyers", tmp_path) as rig:
        assert isinstance(rig.emulator, FyersEmulator)
        rig.emulator.use_mapping(mapped)
        await rig.login()
        row = rig.rows["NSE_INDEX", "NIFTY"]
        await rig.account.market.subscribe({row.key: FeedMode.QUOTE})
        await until(lambda: any(t.key == row.key for t in rig.ticks), "a tick")
        tick = next(t for t in rig.ticks if t.key == row.key)
        assert tick.ltp > 0 and tick.close > 0


def _deepest(ticks: Sequence[Tick]) -> int:
    """Levels of the fullest book among the ticks."""
    return max((len(t.depth.buy) for t in ticks if t.depth is not None), default=0)
