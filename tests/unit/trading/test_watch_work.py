"""The look between ticks holds the loop no longer with a thousand plans than with a few."""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine
from typing import Any

import msgspec

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.events import PositionsChanged
from openalgo_desktop.core.exits import ExitPlan, PlanState
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.trading.watch.shelf import TURN
from tests.unit.trading.watching import Floor, floor, stop_at
from tests.waiting import until
from tests.work import calls

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
