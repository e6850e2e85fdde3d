"""What a rehearsal is asked, and two of its figures."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from openalgo_desktop.core.clock import IST, PacedClock
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.rehearsal import RehearsalWish, exposure_of, sharpe_of
from openalgo_desktop.core.trade_journal import Execution

DAY = date(2026, 11, 27)
OPEN = datetime(2026, 11, 27, 9, 15, tzinfo=IST)


def filled(minute: int, action: Action, quantity: int, symbol: str = "SBIN") -> Execution:
    return Execution(
        account_id="paper",
        mode=Mode.SANDBOX,
        symbol=symbol,
        exchange="NSE",
        product=Product.MIS,
        action=action,
        quantity=quantity,
        price=Decimal(100),
        at=OPEN + timedelta(minutes=minute),
    )


def test_exposure_is_the_part_of_the_time_in_which_anything_is_held() -> None:
    spans = [(OPEN, OPEN + timedelta(minutes=100))]
    rows = [
        filled(10, Action.BUY, 2),
        filled(20, Action.SELL, 1),
        filled(25, Action.BUY, 5, "INFY"),
        filled(30, Action.SELL, 1),
        filled(40, Action.SELL, 5, "INFY"),
        filled(90, Action.SELL, 1),
    ]
    assert exposure_of(rows, spans) == pytest.approx(0.4)  # 10 to 40, 90 to the end
    # Of two days what is held in between counts in neither.
    next_day = (OPEN + timedelta(days=1), OPEN + timedelta(days=1, minutes=100))
    assert exposure_of(rows, [*spans, next_day]) == pytest.approx((30 + 10 + 100) / 200)
    assert exposure_of([], spans) == 0 == exposure_of(rows, [])


def test_sharpe_needs_days_that_differ() -> None:
    assert sharpe_of([Decimal(5)] * 5) is None is sharpe_of(list(map(Decimal, range(4))))
    # Mean 2, sample deviation the root of 2.5.
    results = list(map(Decimal, range(5)))
    assert sharpe_of(results) == pytest.approx(2 / 2.5**0.5 * 252**0.5)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"pace": 0.5}, "--speed"),
        ({"pace": 500.0}, "--speed"),
        ({"pace": float("nan")}, "--speed"),
        ({"days": 0}, "--days"),
        ({"days": 61}, "--days"),
        ({"begin": time(12), "end": time(11)}, "--from"),
    ],
)
def test_a_wish_that_cannot_be_names_its_option(fields: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        RehearsalWish(path="x.py", first=DAY, **fields).check()  # type: ignore[arg-type]


def test_a_paced_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: machine[0])
    clock = PacedClock(OPEN, 60)
    before = clock.monotonic()
    machine[0] += 2
    assert clock.now() == OPEN + timedelta(minutes=2)
    assert clock.monotonic() - before == pytest.approx(120)
    # It stands still while a process starts, at a new day's time; durations never go back.
    clock.begin(OPEN + timedelta(days=1), hold=3)
    assert clock.monotonic() - before == pytest.approx(120)
    machine[0] += 3
    assert clock.now() == OPEN + timedelta(days=1)
    machine[0] += 1
    assert clock.now() == OPEN + timedelta(days=1, minutes=1)
    assert clock.monotonic() - before == pytest.approx(180)
    assert clock.anchor == 1005 and clock.epoch == (OPEN + timedelta(days=1)).timestamp()
