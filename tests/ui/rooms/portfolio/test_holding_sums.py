"""Sums of the holdings: kept by row, and always what the plain sums are."""

from __future__ import annotations

from math import fsum
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as some

from openalgo_desktop.core.model import Holding
from openalgo_desktop.ui.rooms.portfolio.holding_sums import HoldingSums
from tests.costs import calls

PRICES = [0.0, 0.05, 101.3, 24_999.95]


@settings(max_examples=50, deadline=None)
@given(some.integers(0, 1_000_000))
def test_kept_sums_are_the_plain_sums(seed: int) -> None:
    dice, rows = Random(seed), list[Holding]()
    days: dict[int, float | None] = {}

    def day(row: Holding) -> float | None:
        return days.get(id(row))

    def is_live(row: Holding) -> bool:
        return row.ltp > 1.0

    sums = HoldingSums(day, is_live)
    for _ in range(10):
        if dice.random() < 0.3:
            rows = [
                Holding(name, "NSE", dice.randint(0, 900), dice.choice(PRICES), dice.choice(PRICES))
                for name in dice.choices("ABC", k=dice.randint(0, 5))
            ]
            sums.show(rows)
        for row in rows[dice.randint(0, 4) :][:1]:
            row.ltp = dice.choice(PRICES)
            days[id(row)] = dice.choice([None, dice.uniform(-9, 9)])
            sums.renew(row)
        known = [made for made in map(day, rows) if made is not None]
        assert sums.invested == fsum(row.average_price * row.quantity for row in rows)
        assert sums.value == fsum(row.ltp * row.quantity for row in rows)
        assert sums.profit == fsum(row.pnl for row in rows)
        assert sums.day == (fsum(known), len(rows) - len(known))
        assert sums.not_live == [row.key for row in rows if not is_live(row)]


def test_a_tick_costs_its_own_row_however_many_there_are() -> None:
    work = []
    for count in (10, 1000):
        rows = [Holding(f"S{n}", "NSE", 5, 90.0, 100.0) for n in range(count)]
        sums = HoldingSums(lambda row: 1.0, lambda row: row.symbol != "S1")
        sums.show(rows)

        def shown(sums: HoldingSums = sums, row: Holding = rows[3]) -> None:
            row.ltp = 101.0
            sums.renew(row)
            assert sums.value and sums.profit and sums.invested and sums.day[0]
            assert sums.not_live == [("NSE", "S1")]

        shown()
        work.append(calls(shown))
    assert work[0] == work[1]
