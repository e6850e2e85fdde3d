"""What stands in the lines of a strategy's form is the strategy, both ways."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.strategies.checks import (
    FUTURE_EXPIRIES,
    OPTION_EXPIRIES,
    problems,
)
from openalgo_desktop.core.strategies.describe import leg_words, lines, rules_words
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
    QuantityMode,
    RangeBreakout,
    Reentry,
    ReentryMode,
    Scheduler,
    Segment,
    SignalLeg,
    SquareOff,
    StrikeMode,
    Trail,
    TrailMode,
)
from openalgo_desktop.core.strategies.words import StrategyKind
from openalgo_desktop.ui.rooms.automation.strategies.leg_lines import (
    BATCH,
    SIGNAL,
    batch_leg,
    leg_values,
    signal_leg,
)
from openalgo_desktop.ui.rooms.automation.strategies.strategy_lines import (
    BASICS,
    RISK,
    SCHEDULE,
    definition_of,
    place_of,
    values_of,
)

NUMBERS = st.integers(1, 999_999).map(lambda n: Decimal(n) / 100)
OWN = st.sampled_from([DistanceUnit.POINTS, DistanceUnit.PERCENT])
AGAIN = st.builds(
    Reentry, st.sampled_from(list(ReentryMode)[1:]), st.integers(1, 20)
) | st.just(Reentry())  # fmt: skip


@st.composite
def rules(draw: st.DrawFn) -> LegRules:
    sl = draw(st.none() | st.builds(Distance, NUMBERS, st.sampled_from(DistanceUnit)))
    target = draw(st.none() | st.builds(Distance, NUMBERS, st.sampled_from(DistanceUnit)))
    trail = draw(st.none() | st.builds(Trail, NUMBERS, NUMBERS, OWN, st.sampled_from(TrailMode)))
    return LegRules(
        sl=sl,
        target=target,
        trail=trail,
        after_sl=draw(AGAIN) if sl or trail else Reentry(),
        after_target=draw(AGAIN) if target else Reentry(),
    )


@st.composite
def batch_legs(draw: st.DrawFn) -> BatchLeg:
    segment = draw(st.sampled_from(Segment))
    leg = BatchLeg(
        leg_id=draw(st.integers(1, 10)),
        segment=segment,
        position=draw(st.sampled_from("BS")),
        quantity=draw(st.integers(1, 50)),
        quantity_mode=draw(st.sampled_from(QuantityMode)),
        rules=draw(rules()),
        momentum=draw(st.none() | st.builds(Momentum, NUMBERS, OWN)),
    )
    if segment is not Segment.OPTIONS:
        return msgspec.structs.replace(leg, expiry=draw(st.sampled_from(FUTURE_EXPIRIES)))
    mode = draw(st.sampled_from(StrikeMode))
    return msgspec.structs.replace(
        leg,
        option_type=draw(st.sampled_from(["CE", "PE"])),
        expiry=draw(st.sampled_from(OPTION_EXPIRIES)),
        strike_mode=mode,
        atm_offset=draw(st.sampled_from(["ATM", "ITM2", "OTM5"]))
        if mode is StrikeMode.ATM
        else "ATM",
        strike=draw(NUMBERS) if mode is StrikeMode.STRIKE else Decimal(0),
        value=draw(NUMBERS) if mode not in (StrikeMode.ATM, StrikeMode.STRIKE) else Decimal(0),
        upper=draw(NUMBERS)
        if mode in (StrikeMode.PREMIUM_RANGE, StrikeMode.DELTA_RANGE)
        else Decimal(0),
    )


@given(batch_legs())
@settings(max_examples=60)
def test_a_batch_leg_is_the_same_again(leg: BatchLeg) -> None:
    values = leg_values(leg)
    assert set(values) == {line.name for line in BATCH}
    assert batch_leg(leg.leg_id, values) == leg
    assert leg_words(leg, "NIFTY")


@given(rules(), st.integers(1, 1_000_000), st.sampled_from(["both", "long", "short"]))
@settings(max_examples=40)
def test_a_signal_leg_is_the_same_again(legs: LegRules, quantity: int, side: str) -> None:
    leg = SignalLeg(
        leg_id=3, symbol="SBIN", exchange="NSE", quantity=quantity, side=side, rules=legs
    )
    values = leg_values(leg)
    assert set(values) == {line.name for line in SIGNAL}
    assert signal_leg(3, "SBIN", "NSE", values) == leg


LEG = BatchLeg(
    leg_id=1, segment=Segment.OPTIONS, position="S", option_type="CE", expiry=Expiry.WEEKLY
)
FULL = Definition(
    name="Straddle",
    kind=StrategyKind.BATCH,
    legs=(LEG,),
    underlying="NIFTY",
    underlying_exchange="NSE_INDEX",
    intraday=False,
    product=Product.NRML,
    entry_time="09:31",
    exit_time="15:01",
    overall_sl=Decimal(5000),
    overall_target=Decimal("7500.5"),
    lock_profit=LockProfit(LockMode.LOCK_AND_TRAIL, Decimal(3000), Decimal(1500), Decimal(500)),
    trail_sl_to_entry=True,
    square_off=SquareOff.COMPLETE,
    net_of_charges=False,
    overall_reentries=2,
    no_reentry_after="14:00",
    range_breakout=RangeBreakout("09:15", "09:30", False),
    daily_loss_limit=Decimal(9000),
    scheduler=Scheduler(
        enabled=True, days=("MON", "THU"), start_time="09:20", auto_stop_time="15:10",
        default_mode="live", expiry_days=(0, 1),
    ),
    webhook_ip_allowlist=("52.89.214.238/32", "10.0.0.0/8"),
    notes="Two lines",
)  # fmt: skip
PLAIN = Definition(name="Plain", kind=StrategyKind.BATCH, legs=(LEG,), underlying="NIFTY",
                   underlying_exchange="NSE_INDEX")  # fmt: skip


@pytest.mark.parametrize("definition", [FULL, PLAIN])
def test_a_strategy_is_the_same_again(definition: Definition) -> None:
    assert problems(definition) == {}
    values = values_of(definition)
    assert set(values) == {line.name for line in (*BASICS, *RISK, *SCHEDULE)}
    assert definition_of(values, definition.legs, definition) == definition


def test_a_signal_strategy_has_nothing_of_a_batch() -> None:
    values = values_of(FULL) | {"kind": "signal", "direction": "long_only"}
    made = definition_of(values, (), FULL)
    assert (made.underlying, made.range_breakout, made.direction) == ("", None, "long_only")


def test_days_before_the_expiry_are_numbers() -> None:
    with pytest.raises(ValueError, match="numbers with commas"):
        definition_of(values_of(FULL) | {"expiry_days": "0, one"}, FULL.legs, FULL)


def test_every_problem_has_its_line() -> None:
    """The checks name fields of the file; each is found on its page."""
    bad = msgspec.structs.replace(
        FULL,
        name="",
        overall_sl=Decimal(-1),
        lock_profit=LockProfit(LockMode.LOCK, Decimal(10), Decimal(20)),
        scheduler=Scheduler(enabled=True, days=()),
        range_breakout=RangeBreakout("10:00", "09:30"),
        webhook_ip_allowlist=("nowhere",),
        legs=(
            msgspec.structs.replace(
                LEG, quantity=99, strike_mode=StrikeMode.DELTA, value=Decimal(30),
                rules=LegRules(sl=Distance(Decimal(-5)), trail=Trail(Decimal(1), Decimal(0))),
                momentum=Momentum(Decimal(0)),
            ),
        ),
    )  # fmt: skip
    shown = {line.name for line in (*BATCH, *BASICS, *RISK, *SCHEDULE)}
    found = problems(bad)
    assert len(found) >= 9
    for field in found:
        page, leg, name = place_of(field)
        assert name in shown, field
        assert (page == 1) == (leg is not None), field
    assert place_of("legs[0].rules.sl") == (1, 0, "sl")
    assert place_of("webhook_ip_allowlist[0]") == (3, None, "allowlist")
    assert place_of("lock_profit.lock_profit") == (2, None, "lock_profit")


def test_a_strategy_in_words() -> None:
    leg = msgspec.structs.replace(
        LEG,
        quantity=2,
        rules=LegRules(
            sl=Distance(Decimal(30), DistanceUnit.PERCENT),
            trail=Trail(Decimal(10), Decimal(5)),
            after_sl=Reentry(ReentryMode.COST, 2),
        ),
    )
    assert leg_words(leg, "NIFTY") == "Sell 2 lots NIFTY weekly ATM CE"
    assert rules_words(leg.rules) == (
        "SL 30 %, trail 5 for every 10 points, after SL again at the entry price, at most 2 times"
    )
    assert lines(FULL)[-1] == (
        "Overall SL ₹5,000, overall target ₹7,500.50, lock ₹1,500 from ₹3,000, trail ₹500, "
        "stops of the others to their entries after a stop, daily loss limit ₹9,000, gross"
    )
