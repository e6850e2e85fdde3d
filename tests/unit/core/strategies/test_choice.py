"""Which contract a leg takes, and what is refused rather than guessed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.strategies import choice
from openalgo_desktop.core.strategies.choice import NoChoice, Offer
from openalgo_desktop.core.strategies.model import (
    BatchLeg,
    Expiry,
    QuantityMode,
    Scheduler,
    Segment,
    StrikeMode,
)
from openalgo_desktop.core.strategies.schedule import (
    days_to_expiry,
    leave_at,
    start_due,
    start_missed,
)

D = Decimal
LEG = BatchLeg(leg_id=1, segment=Segment.OPTIONS, position="S", option_type="CE")
#: Premium and delta of calls from 24,800 to 25,300; the money is at 25,000.
CALLS = ((24_800, 260, 0.75), (24_900, 190, 0.64), (25_000, 130, 0.51), (25_100, 84, 0.38),
         (25_200, 50, 0.26), (25_300, 28, 0.17))  # fmt: skip


def offers(unknown: int = 0) -> list[Offer]:
    return [
        Offer(
            Instrument(f"C{strike}", "NFO", "NIFTY", "CE", 75, strike=float(strike)),
            None if strike == unknown else float(premium),
            None if strike == unknown else delta,
        )
        for strike, premium, delta in CALLS
    ]


def chosen(unknown: int = 0, straddle: float | None = 250.0, **fields: Any) -> int:
    leg = msgspec.structs.replace(LEG, **fields)
    row = choice.choose(leg, offers(unknown), spot=25_010.0, atm=25_000.0, straddle=straddle)
    return int(row.strike)


@pytest.mark.parametrize(
    ("fields", "strike"),
    [
        ({"atm_offset": "ATM"}, 25_000),
        ({"atm_offset": "OTM2"}, 25_200),
        ({"atm_offset": "ITM1"}, 24_900),
        ({"strike_mode": StrikeMode.STRIKE, "strike": D("25100.0")}, 25_100),
        ({"strike_mode": StrikeMode.PREMIUM, "value": D(60)}, 25_200),
        ({"strike_mode": StrikeMode.PREMIUM_RANGE, "value": D(40), "upper": D(90)}, 25_100),
        ({"strike_mode": StrikeMode.PREMIUM_ABOVE, "value": D(60)}, 25_100),
        ({"strike_mode": StrikeMode.PREMIUM_BELOW, "value": D(60)}, 25_200),
        # 20 % of the straddle of 250 are 50
        ({"strike_mode": StrikeMode.STRADDLE_PERCENT, "value": D(20)}, 25_200),
        ({"strike_mode": StrikeMode.STRADDLE_WIDTH, "value": D("0.8")}, 25_200),
        ({"strike_mode": StrikeMode.STRADDLE_WIDTH, "value": D("-0.8")}, 24_800),
        # 25,000 and 0.4 % of 25,010
        ({"strike_mode": StrikeMode.ATM_PERCENT, "value": D("0.4")}, 25_100),
        ({"strike_mode": StrikeMode.DELTA, "value": D("0.3")}, 25_200),
        ({"strike_mode": StrikeMode.DELTA_RANGE, "value": D("0.2"), "upper": D("0.4")}, 25_100),
    ],
)
def test_the_strike_that_is_wanted(fields: dict[str, Any], strike: int):
    assert chosen(**fields) == strike


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"atm_offset": "OTM5"}, "beyond the strikes"),
        ({"strike_mode": StrikeMode.STRIKE, "strike": D(25_150)}, "no strike 25150"),
        ({"strike_mode": StrikeMode.PREMIUM_ABOVE, "value": D(600)}, "No strike has a premium"),
        ({"strike_mode": StrikeMode.STRADDLE_WIDTH, "value": D(2)}, "would be 25500"),
        (
            {"strike_mode": StrikeMode.STRADDLE_PERCENT, "value": D(20), "straddle": None},
            "not known",
        ),
        # the strike beside the nearest one has no price: it may be nearer
        ({"strike_mode": StrikeMode.PREMIUM, "value": D(60), "unknown": 25_100}, "may be the"),
        ({"strike_mode": StrikeMode.DELTA, "value": D("0.3"), "unknown": 25_300}, "may be the"),
    ],
)
def test_what_cannot_be_chosen_is_refused(fields: dict[str, Any], text: str):
    with pytest.raises(NoChoice, match=text):
        chosen(**fields)


WEEKS = (date(2026, 12, 1), date(2026, 12, 8), date(2026, 12, 29), date(2027, 1, 26))


@pytest.mark.parametrize(
    ("wish", "day"),
    [
        (Expiry.WEEKLY, WEEKS[0]),
        (Expiry.CURRENT, WEEKS[0]),
        (Expiry.NEXT_WEEK, WEEKS[1]),
        (Expiry.MONTHLY, WEEKS[2]),
        (Expiry.NEXT_MONTH, WEEKS[3]),
    ],
)
def test_the_expiry_that_is_wanted(wish: Expiry, day: date):
    assert choice.expiry_of(wish, WEEKS) == (day, False)


def test_an_expiry_that_is_not_there():
    assert choice.expiry_of(Expiry.NEXT_MONTH, WEEKS[:3]) == (WEEKS[2], True)
    with pytest.raises(NoChoice):
        choice.expiry_of(Expiry.WEEKLY, ())


def test_products_and_units():
    assert choice.product_of(Product.MIS, "NFO") is Product.MIS
    assert choice.product_of(Product.CNC, "NFO") is Product.NRML
    assert choice.product_of(Product.NRML, "NSE") is Product.CNC
    row = offers()[0].row
    assert choice.units_of(msgspec.structs.replace(LEG, quantity=2), row) == 150
    units = msgspec.structs.replace(LEG, quantity=225, quantity_mode=QuantityMode.UNITS)
    assert choice.units_of(units, row) == 225


# -- hours -----------------------------------------------------------------------------------------
CALENDAR = MarketCalendar()
EVERY_DAY = Scheduler(enabled=True, start_time="09:20", auto_stop_time="15:15")


def moment(text: str, day: date = date(2026, 11, 30)) -> datetime:
    return datetime.fromisoformat(f"{day.isoformat()}T{text}:00").replace(tzinfo=IST)


@pytest.mark.parametrize(
    ("text", "due", "missed"),
    [
        ("09:19", False, False),
        ("09:20", True, False),
        ("09:25", True, False),  # the engine came late
        ("09:26", False, True),
        ("15:20", False, True),
    ],
)
def test_a_start_is_made_up_for_during_its_grace(text: str, due: bool, missed: bool):
    now = moment(text)
    windows = CALENDAR.windows("NFO", now.date())
    assert start_due(EVERY_DAY, now, windows) is due
    assert start_missed(EVERY_DAY, now, windows) is missed


def test_no_start_on_another_day_or_without_a_session():
    saturday = date(2026, 11, 28)
    assert not start_due(EVERY_DAY, moment("09:20", saturday), ())
    monday = CALENDAR.windows("NFO", date(2026, 11, 30))
    tuesdays = msgspec.structs.replace(EVERY_DAY, days=("TUE",))
    assert not start_due(tuesdays, moment("09:20"), monday)
    off = msgspec.structs.replace(EVERY_DAY, enabled=False)
    assert not start_due(off, moment("09:20"), monday)


def test_a_half_day_ends_before_the_exit_time():
    day = date(2026, 11, 30)
    windows = [(moment("09:15"), moment("12:30"))]
    assert leave_at(day, "15:15", windows) == moment("12:29")
    assert leave_at(day, "11:00", windows) == moment("11:00")


def test_days_to_an_expiry_are_trading_days():
    friday, tuesday = date(2026, 11, 27), date(2026, 12, 1)
    assert days_to_expiry(tuesday, tuesday, CALENDAR, "NFO") == 0
    assert days_to_expiry(friday, tuesday, CALENDAR, "NFO") == 2
