"""What a made strategy must be: each problem by its field, with the fix; and its file."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.checks import DefinitionError, check, problems
from openalgo_desktop.core.strategies.files import from_file, to_file
from openalgo_desktop.core.strategies.model import (
    BatchLeg,
    Definition,
    Distance,
    DistanceUnit,
    Expiry,
    LegRules,
    LockMode,
    LockProfit,
    Momentum,
    RangeBreakout,
    Reentry,
    ReentryMode,
    Scheduler,
    Segment,
    SignalLeg,
    StrikeMode,
    Trail,
)
from openalgo_desktop.core.strategies.words import StrategyKind

CALL = BatchLeg(leg_id=1, segment=Segment.OPTIONS, position="S", option_type="CE",
                expiry=Expiry.WEEKLY)  # fmt: skip
STRADDLE = Definition(
    name="Straddle",
    kind=StrategyKind.BATCH,
    legs=(CALL, msgspec.structs.replace(CALL, leg_id=2, option_type="PE")),
    underlying="NIFTY",
    underlying_exchange="NSE_INDEX",
)
FLIP = Definition(
    name="Flip",
    kind=StrategyKind.SIGNAL,
    legs=(SignalLeg(leg_id=1, symbol="SBIN", exchange="NSE", quantity=10),),
)


def leg(**fields: Any) -> Definition:
    """The straddle with another first leg."""
    first = msgspec.structs.replace(CALL, **fields)
    return msgspec.structs.replace(STRADDLE, legs=(first, *STRADDLE.legs[1:]))


def rules(**fields: Any) -> Definition:
    return leg(rules=LegRules(**fields))


def whole(**fields: Any) -> Definition:
    return msgspec.structs.replace(STRADDLE, **fields)


GOLD = SignalLeg(leg_id=2, symbol="GOLDPETAL31DEC26FUT", exchange="MCX", quantity=1)
WAITS = leg(momentum=Momentum(Decimal(5)))


def test_what_is_right_has_no_problems():
    assert problems(STRADDLE) == {} == problems(FLIP) == problems(WAITS)
    future = msgspec.structs.replace(GOLD, exchange="NFO", symbol="NIFTY31DEC26FUT")
    assert problems(msgspec.structs.replace(FLIP, legs=(*FLIP.legs, future))) == {}


D = Decimal
WRONG = [
    (whole(name=" "), "name", "Give the strategy a name"),
    (whole(name="auto_square_off"), "name", "choose another"),
    (whole(name="x" * 201), "name", "At most 200"),
    (whole(entry_time="15:20"), "entry_time", "must be before the exit"),
    (whole(entry_time="9:20"), "entry_time", "HH:MM"),
    (whole(overall_sl=D(-5000)), "overall_sl", "without sign: 5000"),
    (whole(daily_loss_limit=D(-1)), "daily_loss_limit", "reached at once"),
    (whole(overall_target=D("NaN")), "overall_target", "number above 0"),
    (whole(overall_reentries=2), "overall_reentries", "no overall_sl"),
    (whole(legs=()), "legs", "at least one"),
    (msgspec.structs.replace(FLIP, legs=(*FLIP.legs, GOLD)), "legs[1].exchange", "other hours"),
    (
        msgspec.structs.replace(WAITS, overall_reentries=1, overall_sl=D(9)),
        "overall_reentries",
        "waits for momentum",
    ),
    (
        msgspec.structs.replace(WAITS, range_breakout=RangeBreakout("09:15", "09:30")),
        "range_breakout",
        "one of the two",
    ),
    (whole(legs=(CALL,) * 11), "legs", "At most 10"),
    (whole(legs=(CALL, CALL)), "legs", "same leg_id"),
    (whole(underlying=""), "underlying", "Name the underlying"),
    (whole(direction="long"), "direction", "long_only"),
    (whole(direction="long_only"), "legs[0].position", "must be B"),
    (whole(intraday=False), "product", "use NRML"),
    (whole(legs=FLIP.legs), "legs[0]", "legs of type batch"),
    (whole(range_breakout=RangeBreakout("09:45", "09:15")), "range_breakout.start", "before"),
    (whole(range_breakout=RangeBreakout("09:15", "15:20")), "range_breakout.end", "the exit"),
    (whole(scheduler=Scheduler(days=("MON", "XXX"))), "scheduler.days", "XXX"),
    (whole(scheduler=Scheduler(start_time="16:00")), "scheduler.start_time", "before the stop"),
    (whole(scheduler=Scheduler(default_mode="paper")), "scheduler.default_mode", "sandbox"),
    (whole(webhook_ip_allowlist=("10.0.0.300",)), "webhook_ip_allowlist[0]", "no IP range"),
    (whole(webhook_ip_allowlist=("10.0.0.0/8",) * 21), "webhook_ip_allowlist", "At most 20"),
    (
        whole(lock_profit=LockProfit(LockMode.LOCK, D(1000), D(2000))),
        "lock_profit.lock_profit",
        "cannot be more",
    ),
    (
        whole(lock_profit=LockProfit(LockMode.LOCK_AND_TRAIL, D(1000), D(500))),
        "lock_profit.trail_step",
        "above 0",
    ),
    (leg(position="BUY"), "legs[0].position", "B (buy)"),
    (leg(quantity=51), "legs[0].quantity", "1 to 50 lots"),
    (leg(option_type=""), "legs[0].option_type", "CE or PE"),
    (leg(atm_offset="OTM6"), "legs[0].atm_offset", "OTM1 to OTM5"),
    (leg(strike_mode=StrikeMode.STRIKE), "legs[0].strike", "24500"),
    (leg(strike_mode=StrikeMode.PREMIUM), "legs[0].value", "above 0"),
    (leg(strike_mode=StrikeMode.DELTA, value=D(30)), "legs[0].value", "not 30"),
    (
        leg(strike_mode=StrikeMode.PREMIUM_RANGE, value=D(50), upper=D(40)),
        "legs[0].upper",
        "at least 50",
    ),
    (leg(segment=Segment.FUTURES), "legs[0].expiry", "current"),
    (leg(momentum=Momentum(D(0))), "legs[0].momentum.value", "not 0"),
    (rules(sl=Distance(D(-20))), "legs[0].rules.sl", "without sign: 20"),
    (rules(trail=Trail(D(10), D(5))), "legs[0].rules.trail", "give an sl"),
    (rules(after_sl=Reentry(ReentryMode.ASAP, 1)), "legs[0].rules.after_sl", "no such exit"),
    (
        rules(target=Distance(D(9)), after_target=Reentry(ReentryMode.ASAP, 21)),
        "legs[0].rules.after_target.times",
        "1 to 20",
    ),
    (
        msgspec.structs.replace(
            FLIP,
            legs=(
                msgspec.structs.replace(
                    FLIP.legs[0],
                    rules=LegRules(sl=Distance(D(5), DistanceUnit.UNDERLYING_POINTS)),
                ),
            ),
        ),
        "legs[0].rules.sl.unit",
        "no underlying",
    ),
]


@pytest.mark.parametrize(("definition", "field", "text"), WRONG, ids=[row[1] for row in WRONG])
def test_a_problem_names_its_field_and_the_fix(definition: Definition, field: str, text: str):
    with pytest.raises(DefinitionError) as caught:
        check(definition)
    assert text in caught.value.fields[field]
    assert f"{field}: " in caught.value.message


def test_shares_are_sold_short_within_a_day_only():
    short = BatchLeg(leg_id=1, segment=Segment.CASH, position="S", quantity=5)
    definition = whole(legs=(short,), product=Product.CNC)
    assert "within a day" in problems(definition)["legs[0].position"]
    assert problems(whole(legs=(short,))) == {}


def test_a_strategy_comes_back_from_its_file():
    definition = rules(sl=Distance(D("292.5")), trail=Trail(D(10), D("2.5")))
    text = to_file(definition)
    assert from_file(text) == definition
    assert from_file(b"\xef\xbb\xbf" + text) == definition
    assert b'"value": 292.5' in text and b'"format": 1' in text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda row: row | {"stoploss": 5}, "unknown field `stoploss`"),
        (lambda row: row | {"format": 9}, "format: the file says 9"),
        (lambda row: row | {"overall_sl": -5}, "overall_sl: Give it without sign"),
        (lambda row: row | {"kind": "grid"}, r"\$\.kind"),
        (lambda row: [row], "no strategy"),
    ],
)
def test_a_file_that_cannot_be_says_where(change: Any, text: str):
    row = msgspec.json.decode(to_file(STRADDLE))
    with pytest.raises(ConfigError, match=text):
        from_file(msgspec.json.encode(change(row)))


def test_a_file_that_is_no_json():
    with pytest.raises(ConfigError, match="no JSON"):
        from_file("name: x")
