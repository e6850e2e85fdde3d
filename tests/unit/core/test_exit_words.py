"""What of a plan has no fields of its own is told in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from openalgo_desktop.core.exit_words import beside_fields
from openalgo_desktop.core.exits import ExitSpec, Offset, Steps, Under, Unit

TEN, FIVE = Offset.of(10, Unit.POINTS), Offset.of(5, Unit.POINTS)


@pytest.mark.parametrize(
    ("way", "against", "along"), [(1, "below", "above"), (-1, "above", "below")]
)
def test_legs_on_the_underlying(way: int, against: str, along: str) -> None:
    stop, target = Offset.of(50, Unit.POINTS), Offset.of("1.5", Unit.PERCENT)
    under = Under("NSE_INDEX", "NIFTY", way, Decimal("24600.5"), stop, target)
    assert beside_fields(ExitSpec(under=under)) == [
        f"stop when NIFTY is 50 points {against} 24600.5",
        f"target when NIFTY is 1.5 % {along} 24600.5",
    ]


def test_a_stop_that_follows_in_steps_or_behind() -> None:
    assert beside_fields(ExitSpec(stop=TEN)) == []
    assert beside_fields(ExitSpec(steps=Steps(TEN, FIVE))) == [
        "stop moves by 5 points for every 10 points won"
    ]
    assert beside_fields(ExitSpec(steps=Steps(TEN, FIVE, stepped=False))) == [
        "stop follows 5 points behind the best price, from 10 points on"
    ]
