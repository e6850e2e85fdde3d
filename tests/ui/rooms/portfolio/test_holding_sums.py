"""Sums of the holdings: kept by row, and always what the plain sums are."""

from __future__ import annotations

from math import fsum

from hypothesis import given, settings
from hypothesis import strategies as some

from openalgo_desktop.core.model import Holding
from openalgo_desktop.ui.rooms.portfolio.holding_sums import HoldingSums
from tests.work import calls

PRICES = some.sampled_from([0.0, 0.05, 101.3, 24_999.95])
ROWS = some.lists(
    some.builds(
        Holding,
        some.sampled_from(["A", "B", "C"]),
        some.just("NSE"),
        some.integers(0, 900),
        PRICES,
        PRICES,
    ),
    max_size=5,
)
STEPS = some.lists(
    some.one_of(ROWS, some.tuples(some.integers(0, 4), PRICES, some.none() | some.floats(-9, 9))),
    max_size=8,
)


@settings(max_examples=25)
@given(STEPS)
def test_kept_sums_are_the_plain_sums(steps: list[object]) -> None:
    days: dict[int, float | None] = {}
    rows: list[Holding] = []

    def day(row: Holding) -> float | None:
        return days.get(id(row))

    def is_live(row: Holding) -> bool:
        return row.ltp > 1.0

    sums = HoldingSums(day, is_live)
    for step in steps:
        if isinstance(step, list):
            rows = step
            sums.show(rows)
        else:
            place, price, change = step  # type: ignore[misc]
            for row in rows[place : place + 1]:
                row.ltp, days[id(row)] = price, change
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
