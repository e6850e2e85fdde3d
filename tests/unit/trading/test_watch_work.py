"""The look between ticks holds the loop no longer with a thousand plans than with a few."""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.events import PositionsChanged
from openalgo_desktop.core.exits import ExitPlan, PlanState
from openalgo_desktop.core.model import Key, Order, Position, Trade
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.trading.ownbook import OwnBook
from openalgo_desktop.trading.watch import results, valuing
from openalgo_desktop.trading.watch.shelf import TURN
from tests.costs import calls
from tests.unit.trading.watching import Floor, buy, floor, stop_at
from tests.waiting import until

__all__ = ["floor"]


def turns(work: Coroutine[Any, Any, None]) -> list[int]:
    """What each turn of the loop calls."""
    found, rest = [], True

    def turn() -> None:
        nonlocal rest
        try:
            work.send(None)
        except StopIteration:
            rest = False

    while rest:
        found.append(calls(turn))
    return found


def fill(floor: Floor, one: ExitPlan, count: int) -> None:
    """Plans of so many instruments, compared already, each with a fresh price."""
    for number in range(count):
        plan = msgspec.structs.replace(one, plan_id=f"p{number}", symbol=f"S{number}")
        floor.ticks.say(800.0, plan.key)
        if plan.plan_id not in floor.watch._shelf.exits:
            floor.watch._shelf._enter(plan)
            floor.watch._follower.believe(plan)


async def held(floor: Floor) -> ExitPlan:
    await floor.hold(10)
    plan = await floor.protect(stop_at(790))
    floor.watch._task.cancel()  # type: ignore[union-attr]
    return plan


async def test_a_turn_of_the_look_costs_the_same_however_many_plans_there_are(floor: Floor):
    one, most = await held(floor), {}
    for count in (10, TURN, 1000):
        fill(floor, one, count)
        turns(floor.watch._look())  # what is worked out once is there
        most[count] = max(turns(floor.watch._look()))
    assert most[10] < most[TURN] and most[1000] <= 1.1 * most[TURN]
    shelf = floor.watch._shelf
    assert all(row.state is PlanState.ACTIVE for row in shelf.exits.values())
    # The last of a thousand is looked at, too: a price that came before it was compared is seen.
    floor.ticks.ticks["NSE", "S999"] = Tick("S999", "NSE", 789.0)
    turns(floor.watch._look())
    assert shelf.exits["p999"].state is PlanState.EXITING
    assert shelf.exits["p998"].state is PlanState.ACTIVE


async def test_positions_are_compared_in_turns_and_once_more_when_they_changed_meanwhile(
    floor: Floor,
):
    one, compared = await held(floor), list[str]()
    fill(floor, one, 2 * TURN)
    changed = PositionsChanged(account_id="sandbox", mode=Mode.SANDBOX)

    def compare(plan: ExitPlan) -> None:
        if not compared:
            floor.bus.publish(changed)
        compared.append(plan.plan_id)

    floor.watch._follower.compare = compare  # type: ignore[method-assign]
    for _ in range(20):
        floor.bus.publish(changed)
    assert not compared  # whoever traded does not wait for it
    await until(lambda: not floor.watch._comparing)
    plans = floor.watch._shelf.exits.keys()
    assert len(compared) == 2 * len(plans) and set(compared) == plans
    work, most = floor.watch._follower.compare_all(Mode.SANDBOX), 0
    with contextlib.suppress(StopIteration):
        while True:
            before = len(compared)
            work.send(None)
            most = max(most, len(compared) - before)
    assert most == TURN


PRODUCTS = st.sampled_from(["MIS", "NRML", "CNC"])
FILLS = st.lists(
    st.tuples(
        st.integers(0, 5),
        PRODUCTS,
        st.sampled_from([Action.BUY, Action.SELL]),
        st.integers(1, 9),
        st.sampled_from([99.95, 100.0, 101.3]),
        st.sampled_from(["", "one", "two"]),
    ),
    max_size=15,
)


def whole(book: OwnBook, label: str, prices: Mapping[Key, float]) -> float | None:
    """The plain sum."""
    held = book.strategy_held(label) if label else book.held()
    if not held <= prices.keys():
        return None
    return book.strategy_profit(prices, label) if label else book.day_profit(prices)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILLS, st.dictionaries(st.integers(0, 5), st.sampled_from([99.9, 100.05, 103.0])))
def test_a_result_in_turns_is_the_plain_sum(fills: list[Any], known: dict[int, float]):
    book = OwnBook("sandbox", Mode.SANDBOX)
    at = datetime(2026, 11, 30, 10, tzinfo=IST)
    prices: dict[Key, float] = {("NSE", f"S{number}"): price for number, price in known.items()}
    for number, (place, product, action, units, price, label) in enumerate(fills):
        key, kind = (f"S{place}", "NSE"), Product(product)
        order = Order(
            f"o{number}", *key, action, units, PriceType.MARKET, kind,
            status=OrderStatus.COMPLETE, filled_quantity=units, strategy=label,
        )  # fmt: skip
        book.update(
            order,
            Trade(f"t{number}", f"o{number}", *key, action, kind, units, price, at, strategy=label),
        )
    for label in ("", "one", "two"):
        work = valuing.value(book, label, prices.get)
        with pytest.raises(StopIteration) as done:
            work.send(None)
        assert done.value.value == whole(book, label, prices)
        found = valuing.held(book, label)
        with pytest.raises(StopIteration) as done:
            found.send(None)
        assert done.value.value == (book.strategy_held(label) if label else book.held())
        for number in range(6):
            key = ("NSE", f"S{number}")
            assert valuing.holds(book, label, key) == (key in done.value.value)


async def test_a_turn_of_a_result_costs_the_same_and_a_book_that_moves_is_not_summed():
    most: dict[int, int] = {}
    for count in (10, TURN, 1000):
        rows = [
            Position(f"S{n}", "NSE", Product.MIS, 5, 99.0, realised_today=0.05 * n)
            for n in range(count)
        ]
        book = OwnBook("sandbox", Mode.SANDBOX)
        book.adopt_positions(rows)
        prices = {row.key: 100.05 for row in rows}
        most[count] = max(turns(valuing.value(book, "", prices.get)))
        assert await valuing.value(book, "", prices.get) == whole(book, "", prices)
    assert most[10] < most[TURN] and most[1000] <= 1.1 * most[TURN]
    for move in (lambda: book.adopt_positions(rows), lambda: setattr(book, "changes", 9)):
        work = valuing.value(book, "", prices.get)
        work.send(None)
        move()
        with pytest.raises(valuing.BookMoves):
            work.send(None)


async def test_a_large_account_is_closed_at_its_loss_and_steps_of_an_order_cost_their_own(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(results, "EVERY", 0.01)
    await floor.hold(10)
    rows = floor.paper.rows
    rows += [Position(f"S{n}", "NSE", Product.MIS, 1, 100.0) for n in range(3 * TURN)]
    await floor.desk.books.rebase(Mode.SANDBOX)
    for row in rows[1:]:
        floor.ticks.say(100.0, row.key)
    plan = await floor.watch.commands.add_result("window", Mode.SANDBOX, loss=Decimal(100))
    assert len(floor.watch._result_keys) == 3 * TURN + 1
    floor.ticks.say(795.0)
    await until(lambda: floor.watch.result(plan) == Decimal(-50))
    asked: list[Key] = []
    needs = floor.watch._results.needs
    monkeypatch.setattr(floor.watch._results, "needs", lambda key: asked.append(key) or needs(key))
    monkeypatch.setattr(floor.watch._results, "keys", lambda: pytest.fail("all were walked"))
    await floor.desk.place(buy(5, 700.0), "window")
    assert set(asked) == {("NSE", "SBIN")}
    monkeypatch.undo()
    floor.ticks.say(780.0)
    await until(lambda: floor.watch.plan(plan.plan_id).state is PlanState.EXITING)
    await floor.watch.stop()
