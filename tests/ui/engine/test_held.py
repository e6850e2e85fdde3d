"""Sums over the positions: kept by instrument, and always what the plain sum is."""

from __future__ import annotations

from math import fsum

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PySide6.QtCore import QObject

from openalgo_desktop.core.enums import FeedMode, Product
from openalgo_desktop.core.model import Key, Position
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.ui.engine.held import HeldBooks
from tests.work import calls


class Market:
    """Fresh prices, which are lost as the hub loses them."""

    def __init__(self) -> None:
        self.last: dict[Key, float] = {}
        self.losses = 0

    def fresh(self, key: Key) -> Tick | None:
        return Tick(key[1], key[0], self.last[key]) if key in self.last else None

    def lose(self, key: Key | None = None) -> None:
        self.losses += 1
        if key is None:
            self.last.clear()
        self.last.pop(key or ("", ""), None)


def tick(market: Market, books: HeldBooks, symbol: str, price: float) -> None:
    key = ("NFO", symbol)
    if price:
        market.last[key] = price
        books.take({key: Tick(symbol, "NFO", price)})
    else:
        books.take({key: Tick(symbol, "NFO", 0.0, FeedMode.LTP, unknown=Part.LTP)})


SYMBOLS = some.sampled_from([f"S{number}" for number in range(6)])
PRICES = some.sampled_from([0.0, 0.05, 101.3, 24_999.95, 1e7])
ROWS = some.builds(
    Position,
    SYMBOLS,
    some.just("NFO"),
    some.sampled_from([Product.MIS, Product.NRML]),
    some.integers(-3, 3),
    PRICES,
    PRICES,
    realised_today=some.floats(-1e6, 1e6),
    multiplier=some.sampled_from([1.0, 0.1, 100.0]),
)
STEPS = some.lists(
    some.one_of(
        some.tuples(SYMBOLS, PRICES),  # a tick, of a price or of none
        some.lists(ROWS, max_size=8),  # another book; an empty one: the mode was switched
        some.tuples(some.integers(0, 7), some.integers(-2, 2)),  # a fill, or a closing
        some.just("lost"),
        SYMBOLS,  # refused
    ),
    max_size=8,
)


@settings(max_examples=25)
@given(STEPS)
def test_kept_sums_are_the_plain_sums(qapp: object, steps: list[object]) -> None:
    parent, market = QObject(), Market()
    books = HeldBooks(market, parent)
    for step in steps:
        if isinstance(step, list):
            books.positions = [msgspec.structs.replace(row) for row in step]
        elif isinstance(step, str):
            market.lose(None if step == "lost" else ("NFO", step))
        else:
            first, second = step
            if isinstance(first, str):
                tick(market, books, first, second)
            else:
                rows = [msgspec.structs.replace(row) for row in books.positions]
                for row in rows[first : first + 1]:
                    row.quantity, row.realised_today = second, row.realised_today + 0.1
                books._price(rows)
                books.positions = rows
        rows = books.positions
        realised, unrealised = books.day_pnl
        assert realised == fsum(row.realised_today for row in rows)
        assert unrealised == fsum(row.unrealised for row in rows)
        assert books.open_count == sum(1 for row in rows if row.quantity)
        assert list(map(id, books.not_live)) == [id(r) for r in rows if not books.is_live(r)]


def test_a_tick_costs_its_own_positions_however_many_there_are(qapp: object) -> None:
    work = []
    for count in (10, 1000):
        parent, market = QObject(), Market()
        books = HeldBooks(market, parent)
        market.last = {("NFO", f"S{number}"): 100.0 for number in range(count)}
        books.positions = [
            Position(f"S{number}", "NFO", Product.MIS, 50, 90.0, 100.0) for number in range(count)
        ]
        books.positions[-1].ltp = 0.0  # nobody knows it
        books.positions = list(books.positions)
        assert [row.symbol for row in books.not_live] == [f"S{count - 1}"]

        def shown(books: HeldBooks = books, market: Market = market) -> None:
            tick(market, books, "S3", 101.0)
            books.flush()
            assert books.day_pnl and len(books.not_live) == 1 and books.open_count

        shown()
        work.append(calls(shown))
        assert books.day_pnl[1] == pytest.approx(50 * (10 * (count - 1) + 1))
    assert work[0] == work[1]
