"""Sums over the positions: kept by instrument, and always what the plain sum is."""

from __future__ import annotations

from math import fsum
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PySide6.QtCore import QObject

from openalgo_desktop.core.enums import FeedMode, Product
from openalgo_desktop.core.model import Key, Position
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.ui.engine.held import HeldBooks
from tests.costs import calls


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


SYMBOLS = [f"S{number}" for number in range(6)]
PRICES = [0.0, 0.05, 101.3, 24_999.95, 1e7]


def random_row(dice: Random) -> Position:
    return Position(
        dice.choice(SYMBOLS),
        "NFO",
        dice.choice([Product.MIS, Product.NRML]),
        dice.randint(-3, 3),
        dice.choice(PRICES),
        dice.choice(PRICES),
        realised_today=dice.uniform(-1e6, 1e6),
        multiplier=dice.choice([1.0, 0.1, 100.0]),
    )


def random_step(dice: Random, market: Market, books: HeldBooks) -> None:
    match dice.randint(0, 5):
        case 0 | 1:  # a tick, of a price or of none
            tick(market, books, dice.choice(SYMBOLS), dice.choice(PRICES))
        case 2:  # another book; an empty one: the mode was switched
            books.positions = [random_row(dice) for _ in range(dice.randint(0, 8))]
        case 3:  # a fill, or a closing
            rows = [msgspec.structs.replace(row) for row in books.positions]
            for row in rows[dice.randint(0, 7) :][:1]:
                row.quantity, row.realised_today = dice.randint(-2, 2), row.realised_today + 0.1
            books._price(rows)
            books.positions = rows
        case 4:  # the feed was lost
            market.lose()
        case _:
            market.lose(("NFO", dice.choice(SYMBOLS)))  # refused


@settings(max_examples=50, deadline=None)
@given(some.integers(0, 1_000_000))
def test_kept_sums_are_the_plain_sums(qapp: object, seed: int) -> None:
    parent, market, dice = QObject(), Market(), Random(seed)
    books = HeldBooks(market, parent)
    for _ in range(10):
        random_step(dice, market, books)
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
