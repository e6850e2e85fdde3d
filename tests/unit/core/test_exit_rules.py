"""Exit plans by themselves: where legs stand, what a price, a fill and a position do to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from openalgo_desktop.core import exit_rules as rules
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.exits import (
    AnyPlan,
    ExitPlan,
    ExitSpec,
    Firing,
    Offset,
    PlanState,
    ResultExit,
    Target,
    Trigger,
    TriggerLeg,
    Unit,
)
from openalgo_desktop.core.model import OrderRequest

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=IST)
DAY = NOW.date()


def d(value: object) -> Decimal:
    return Decimal(str(value))


def plan(spec: ExitSpec, *, side: int = 1, held: int = 100, **more: object) -> ExitPlan:
    """A long position of 100 at 800, unless said otherwise."""
    made = ExitPlan(
        plan_id="p", mode=Mode.SANDBOX, account_id="a", exchange="NSE", symbol="SBIN",
        created_at=NOW, updated_at=NOW, product=Product.MIS, side=side, spec=spec, held=held,
        entry=d(800), **more,
    )  # type: ignore[arg-type]  # fmt: skip
    return rules.placed(made)


def stop(value: float, unit: Unit = Unit.PRICE) -> ExitSpec:
    return ExitSpec(stop=Offset.of(value, unit))


@pytest.mark.parametrize(
    ("offset", "long", "short"),
    [
        (Offset.of(790), "790", "790"),
        (Offset.of(10, Unit.POINTS), "790.00", "810.00"),
        (Offset.of(1, Unit.PERCENT), "792.00", "808.00"),
        (Offset.of(500, Unit.RUPEES), "795.00", "805.00"),
        (Offset.of("0.333", Unit.PERCENT), "797.35", "802.65"),  # on the tick
    ],
)
def test_where_a_stop_stands(offset: Offset, long: str, short: str):
    assert plan(ExitSpec(stop=offset)).stop_at == d(long)
    assert plan(ExitSpec(stop=offset), side=-1).stop_at == d(short)


def test_stop_is_reached_at_its_price_and_beyond():
    row = plan(stop(790))
    assert rules.look(row, d("790.05")) == (row, None)
    for price in ("790", "789.95", "600"):  # at it, through it, a gap
        assert rules.look(row, d(price))[1] == rules.Due("stop", 0, 0)
    short = plan(stop(810), side=-1)
    assert rules.look(short, d("809.95"))[1] is None
    assert rules.look(short, d("812"))[1] is not None


def test_paused_waiting_and_empty_plans_do_nothing():
    for state in (PlanState.PAUSED, PlanState.WAITING, PlanState.FAILED, PlanState.DONE):
        row = msgspec.structs.replace(plan(stop(790)), state=state)
        assert rules.look(row, d(700)) == (row, None)
    assert rules.look(plan(stop(790), held=0), d(700))[1] is None


def test_partial_targets_round_down_to_lots_and_the_last_takes_the_rest():
    spec = ExitSpec(
        targets=(
            Target(Offset.of(10, Unit.POINTS), 33),
            Target(Offset.of(20, Unit.POINTS), 33),
            Target(Offset.of(30, Unit.POINTS), 34),
        )
    )
    row = plan(spec, held=375, lot=75)
    _, due = rules.look(row, d(810))
    assert due == rules.Due("target 1", 300, 1)
    assert rules.look(row, d(820))[1] == rules.Due("target 2", 150, 2)  # a gap over the first
    assert rules.look(row, d(900))[1] == rules.Due("target 3", 0, 3)


def test_percentages_stay_those_of_the_whole():
    half = (Target(Offset.of(810), 50), Target(Offset.of(820), 50))
    row = plan(ExitSpec(targets=half))
    firing = Firing("target 1", 50, d(810), NOW, 1)
    row = msgspec.structs.replace(row, state=PlanState.EXITING, firing=firing)
    row = rules.settled(rules.exited(row, "1", 50))
    assert (row.held, row.base, row.hit, row.state) == (50, 100, 1, PlanState.ACTIVE)
    assert rules.look(row, d(815))[1] is None  # the first is done
    assert rules.look(row, d(820))[1] == rules.Due("target 2", 0, 2)


def test_a_stop_overtakes_a_partial_target_on_its_way():
    row = plan(ExitSpec(stop=Offset.of(790), targets=(Target(Offset.of(810), 50),)))
    row, due = rules.look(row, d(810))
    assert due is not None
    firing = Firing(due.leg, due.left, d(810), NOW, due.hit)
    row = msgspec.structs.replace(row, state=PlanState.EXITING, firing=firing)
    assert rules.look(row, d(811))[1] is None  # the same leg is on its way
    assert rules.look(row, d(780))[1] == rules.Due("stop", 0, 0)
    whole = msgspec.structs.replace(firing, left=0)
    assert rules.look(msgspec.structs.replace(row, firing=whole), d(780))[1] is None


def test_one_price_that_reaches_both_legs_is_a_stop():
    row = msgspec.structs.replace(
        plan(ExitSpec(stop=Offset.of(790), targets=(Target(Offset.of(810)),))), stop_at=d(815)
    )
    assert rules.look(row, d(812))[1] == rules.Due("stop", 0, 0)


@pytest.mark.parametrize(
    ("trail", "stops"),
    [
        (Offset.of(5, Unit.POINTS), ("795.00", "800.00", "800.00")),
        (Offset.of(1, Unit.PERCENT), ("792.00", "796.95", "796.95")),
        (Offset.of(1000, Unit.RUPEES), ("790.00", "795.00", "795.00")),
    ],
)
def test_trailing_follows_the_best_price_and_never_goes_back(trail: Offset, stops: tuple[str, ...]):
    row = plan(ExitSpec(trail=trail))
    for price, at in zip(("800", "805", "802"), stops, strict=True):
        row, due = rules.look(row, d(price))
        assert due is None and row.stop_at == d(at)
    assert rules.look(row, d(stops[-1]))[1] == rules.Due("stop", 0, 0)


def test_trailing_keeps_a_nearer_stop():
    row = plan(ExitSpec(stop=Offset.of(798), trail=Offset.of(10, Unit.POINTS)))
    assert rules.look(row, d(800))[0].stop_at == d(798)
    assert rules.look(row, d(812))[0].stop_at == d(802)


def test_break_even_moves_the_stop_once():
    spec = ExitSpec(stop=Offset.of(790), break_even=Offset.of(10, Unit.POINTS), lock=d("0.50"))
    row, _ = rules.look(plan(spec), d("809.95"))
    assert row.stop_at == d(790)
    row, _ = rules.look(row, d(810))
    assert (row.stop_at, row.even) == (d("800.50"), True)
    short, _ = rules.look(plan(msgspec.structs.replace(spec, stop=Offset.of(810)), side=-1), d(790))
    assert short.stop_at == d("799.50")


def test_fills_of_an_entry_grow_the_plan():
    row = plan(stop(10, Unit.POINTS), held=0, quantity=100, state=PlanState.WAITING)
    row = rules.entered(row, "1", 40, 800.0)
    assert (row.held, row.entry, row.stop_at, row.state) == (
        40, d(800), d(790), PlanState.ACTIVE,
    )  # fmt: skip
    assert rules.entered(row, "1", 40, 800.0) is row  # told twice
    row = rules.entered(row, "1", 100, 803.0)
    assert (row.held, row.entry, row.stop_at) == (100, d(803), d(793))
    row = rules.entered(row, "2", 100, 805.0)  # a second slice
    assert (row.held, row.entry) == (200, d(804))


def test_a_plan_never_protects_more_than_is_held():
    fixed = plan(stop(790), quantity=100)
    assert rules.positioned(fixed, 40).held == 40
    assert rules.positioned(rules.positioned(fixed, 40), 100).held == 40  # it does not come back
    assert rules.positioned(fixed, -50).held == 0  # turned
    whole = plan(stop(790))
    assert rules.positioned(whole, 250).held == 250
    moved = rules.positioned(plan(stop(10, Unit.POINTS)), 200, 790.0)
    assert (moved.held, moved.entry, moved.stop_at) == (200, d(790), d(780))


def test_exits_told_twice_count_once():
    row = rules.exited(plan(stop(790)), "1", 60)
    assert row.held == 40 and rules.exited(row, "1", 60) is row
    assert rules.exited(row, "1", 50).held == 40  # an older state
    assert rules.exited(row, "2", 80).held == 0


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("trail", [None, Offset.of(12, Unit.POINTS)])
@pytest.mark.parametrize("even", [None, Offset.of(6, Unit.POINTS)])
def test_between_the_levels_nothing_happens_and_beyond_them_something_may(
    side: int, trail: Offset | None, even: Offset | None
):
    """The short cut for most ticks says the same as the rules themselves."""
    targets = (Target(Offset.of(10, Unit.POINTS), 50), Target(Offset.of(20, Unit.POINTS), 50))
    spec = ExitSpec(Offset.of(10, Unit.POINTS), targets, trail, even)
    row = plan(spec, side=side)
    for step in (800, 804, 799, 807, 803, 812, 795, 825, 780, 801):
        low, high = rules.band(row)
        for number in range(7700, 8350, 3):
            price = d(number) / 10
            after, due = rules.look(row, price)
            if low < price < high:
                assert after is row and due is None
        row, _ = rules.look(row, d(step))


def test_feed_prices_are_exact():
    assert rules.exact(800.05) == d("800.05") and rules.exact(0.1 + 0.2) == d("0.3")
    row = plan(stop(0.3), held=1)
    assert rules.look(row, rules.exact(0.1 + 0.2))[1] is not None


# -- triggers and results -----------------------------------------------------------------------
def leg(price: float, below: bool) -> TriggerLeg:
    return TriggerLeg(d(price), below, OrderRequest("SBIN", "NSE", Action.SELL, 10))


def trigger(*legs: TriggerLeg) -> Trigger:
    return Trigger(
        plan_id="t", mode=Mode.SANDBOX, account_id="a", exchange="NSE", symbol="SBIN",
        created_at=NOW, updated_at=NOW, legs=legs,
    )  # fmt: skip


def test_triggers():
    pair = trigger(leg(820, False), leg(790, True))
    assert [rules.reached(pair, d(price)) for price in (800, 790, 700, 820, 900)] == [
        -1, 1, 1, 0, 0,
    ]  # fmt: skip
    crossed = trigger(leg(780, False), leg(790, True))  # one price reaches both
    assert rules.reached(crossed, d(785)) == 1


def test_results():
    row = ResultExit(
        plan_id="r", mode=Mode.SANDBOX, account_id="a", created_at=NOW, updated_at=NOW,
        loss=d(1000), profit=d(3000), trail=d(500),
    )  # fmt: skip
    assert rules.result_due(row, d(-1000), DAY)[1] == "loss"
    assert rules.result_due(row, d("3000.01"), DAY)[1] == "profit"
    row, leg_ = rules.result_due(row, d(800), DAY)
    assert (row.best, leg_) == (d(800), "")
    assert rules.result_due(row, d(301), DAY)[1] == ""
    assert rules.result_due(row, d(300), DAY)[1] == "trailing result"
    # The best of yesterday is no best of today: a result that begins at 0 closes nothing.
    next_day = DAY + timedelta(1)
    row, leg_ = rules.result_due(row, d(0), next_day)
    assert leg_ == "" and row.best == 0
    assert rules.result_due(row, d(-499), next_day)[1] == ""
    assert rules.result_due(row, d(-500), next_day)[1] == "trailing result"


# -- what cannot be right -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (ExitSpec(), "stop"),
        (stop(0), "stop"),
        (ExitSpec(stop=Offset(Decimal("nan"))), "stop"),
        (ExitSpec(trail=Offset.of(790)), "trail"),
        (ExitSpec(targets=(Target(Offset.of(810), 0),)), "target"),
        (ExitSpec(targets=(Target(Offset.of(810), 60), Target(Offset.of(820), 60))), "target"),
        (ExitSpec(stop=Offset.of(790), break_even=Offset.of(-1)), "break_even"),
    ],
)
def test_specs_that_cannot_be(spec: ExitSpec, field: str):
    with pytest.raises(InvalidOrder) as caught:
        rules.check_spec(spec)
    assert caught.value.field == field


def test_legs_on_the_wrong_side_are_refused():
    for spec, side, text in (
        (stop(800), 1, "below"),
        (stop(800), -1, "above"),
        (ExitSpec(targets=(Target(Offset.of(800)),)), 1, "above"),
        (ExitSpec(targets=(Target(Offset.of(820), 50), Target(Offset.of(815), 50))), 1, "above"),
    ):
        with pytest.raises(InvalidOrder, match=text):
            rules.check_places(plan(spec, side=side), d(800))
    rules.check_places(plan(stop(805)), d(810))  # a stop that keeps a profit
    rules.check_places(plan(stop(800)), None)  # nobody knows the price


def test_triggers_that_cannot_be():
    market = OrderRequest("TCS", "NSE", Action.BUY, 1, PriceType.MARKET)
    for legs, text in (
        ((), "one order"),
        ((leg(800, True),), "below the last price 800"),
        ((leg(799, False),), "above the last price 800"),
        ((leg(790, True), leg(780, True)), "one trigger below and one above"),
        ((leg(790, True), TriggerLeg(d(820), False, market)), "one symbol"),
    ):
        with pytest.raises(InvalidOrder, match=text):
            rules.check_trigger(legs, d(800))
    rules.check_trigger((leg(790, True), leg(810, False)), d(800))


def test_plans_survive_json():
    spec = ExitSpec(
        stop=Offset.of("790.05"), targets=(Target(Offset.of(1, Unit.PERCENT), 50),),
        trail=Offset.of(5, Unit.POINTS),
    )  # fmt: skip
    row = rules.entered(plan(spec, request=leg(1, True).request), "7", 30, 800.1)
    pair = trigger(leg(820, False), leg(790, True))
    for one in (row, pair):
        assert msgspec.json.decode(msgspec.json.encode(one), type=AnyPlan) == one
