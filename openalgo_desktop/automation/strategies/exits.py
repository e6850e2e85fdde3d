"""Exits of runs: a claim first, then the watch brings the leg out. One way out for every reason."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

import msgspec

from openalgo_desktop.automation.strategies.live import LiveRun
from openalgo_desktop.automation.strategies.runs import Runs
from openalgo_desktop.automation.strategies.state import Place
from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.exits import ExitPlan
from openalgo_desktop.core.strategies.rows import LegAnswer, RunOrder
from openalgo_desktop.core.strategies.run_rules import KIND_OF, NAME_OF
from openalgo_desktop.core.strategies.words import (
    EventKind,
    OrderKind,
    OrderState,
    Severity,
    StopReason,
)

T = TypeVar("T")

#: How long a caller waits to learn what became of the exits that he asked for; seconds.
ANSWER_WITHIN = 5.0
_SPECIAL = {
    StopReason.EOD: EventKind.EOD_SQUAREOFF,
    StopReason.EXPIRY: EventKind.EXPIRY_SQUAREOFF,
}


class Exits:
    """Brings places out."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._ground = runs.ground
        self._tasks: set[asyncio.Task[Any]] = set()

    async def stop(self) -> None:
        """End what is under way; what was sent is found by the next start."""
        tasks = tuple(self._tasks)
        self.abandon()
        await asyncio.gather(*tasks, return_exceptions=True)

    def abandon(self) -> None:
        """Stop where it stands."""
        for task in tuple(self._tasks):
            task.cancel()

    def own(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task of ours."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- leaving ----------------------------------------------------------------------------
    def leave(
        self, live: LiveRun, reason: StopReason, text: str, kind: OrderKind | None = None
    ) -> None:
        """End a run: nothing is entered any more, and all that is held goes out. A run that ends
        already keeps its first reason."""
        state = live.state
        if state.leaving is not None or live.over:
            state.restart = False  # whoever asks now means the end
            return
        state.leaving = reason
        state.waiting.clear()
        state.again.clear()
        live.run = msgspec.structs.replace(
            live.run,
            stop_requested_at=self._ground.clock.now(),
            stop_requested_reason=reason,
        )
        severity = Severity.INFO if reason is StopReason.MANUAL else Severity.WARN
        payload = {"reason": reason.value}
        if (special := _SPECIAL.get(reason)) is not None:
            self._runs.tell(live, special, text, payload=payload)
        self._runs.tell(
            live, EventKind.RUN_STOP_REQUESTED, text, severity, payload=payload, notice=True
        )
        self._runs.save(live)
        self.push(live, kind or KIND_OF[reason])

    def push(self, live: LiveRun, kind: OrderKind) -> None:
        """Bring out what a run that ends still has; shorts first, for they cost margin."""
        for place in sorted(live.open(), key=lambda row: row.side):
            self.let_go(live, place, kind)

    def let_go(self, live: LiveRun, place: Place, kind: OrderKind) -> None:
        """Bring out one place; where its entry still works, that is cancelled first. Claimed here,
        before anything is awaited: what leaves already keeps its reason."""
        if place.closed or (place.held and not self._ground.is_open(place.exchange)):
            return  # an order to a closed market may be kept for tomorrow; the hours try again
        if self._ground.legs.let_out(place.ref, NAME_OF.get(kind, NAME_OF[OrderKind.CLOSE_ALL])):
            return
        place.kind = place.kind or kind
        self.own(self._ground.legs.cancel_entry(place.ref))

    def template(self, live: LiveRun, place: Place, kind: OrderKind, units: int) -> RunOrder:
        """The row of an exit that is about to leave."""
        return RunOrder(
            row_id=0,
            run_id=live.run.run_id,
            leg_id=place.leg_id,
            kind=kind,
            position_ref=place.ref,
            broker_order_id="",
            symbol=place.symbol,
            exchange=place.exchange,
            action=Action.SELL if place.side > 0 else Action.BUY,
            quantity=units,
            product=place.product,
            status=OrderState.PENDING,
            placed_at=self._ground.clock.now(),
        )

    # -- answering ----------------------------------------------------------------------------
    async def answers(self, live: LiveRun, places: Iterable[Place]) -> list[LegAnswer]:
        """What became of exits, once each is at the broker, refused or done; or after
        :data:`ANSWER_WITHIN`."""
        places = list(places)
        loop = asyncio.get_running_loop()
        end = loop.time() + ANSWER_WITHIN
        while not all(self._is_known(live, place) for place in places):
            left = end - loop.time()
            if left <= 0:
                break
            try:
                async with asyncio.timeout(left):
                    await live.moved.wait()
            except TimeoutError:
                break
        return [self._answer(live, place) for place in places]

    async def over(self, live: LiveRun) -> None:
        """A run whose places are all out ends in a moment: wait for that, not for long."""
        end = asyncio.get_running_loop().time() + ANSWER_WITHIN
        while not live.over and live.state.leaving is not None and not any(live.open()):
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await live.moved.wait()

    def _is_known(self, live: LiveRun, place: Place) -> bool:
        known = place.closed or bool(place.attempts) or bool(self._order_of(live, place))
        return known or self._waits(place)

    def _waits(self, place: Place) -> bool:
        """Whether it cannot leave before its exchange opens."""
        return bool(place.held) and not self._ground.is_open(place.exchange)

    def _answer(self, live: LiveRun, place: Place) -> LegAnswer:
        """Without an answer of the broker so far it is on its way: that is no refusal."""
        order_id = self._order_of(live, place)
        known = place.closed or bool(order_id)
        refused = not known and bool(place.attempts)
        error = ""
        if not known and self._waits(place):
            error = f"{place.exchange} is closed now: it goes out when that opens."
        elif not known:
            plan = self._ground.legs.plan(place.ref)
            text = plan.message if plan is not None else place.message
            error = text if refused else f"No answer yet: {text or 'it is on its way'}"
        return LegAnswer(
            leg_id=place.leg_id,
            ok=not refused,
            acknowledged=known,
            symbol=place.symbol,
            order_id=order_id,
            position_ref=place.ref,
            exit_owner=place.kind.value if place.kind is not None else "",
            error=error,
        )

    def _order_of(self, live: LiveRun, place: Place) -> str:
        """The newest exit order of a place."""
        rows = [row for row in live.ledger.of(place.ref) if row.kind is not OrderKind.ENTRY]
        named = (row.broker_order_id for row in reversed(rows) if row.broker_order_id)
        found = next(named, "")
        if not found and (plan := self._ground.legs.plan(place.ref)) is not None:
            found = _last(plan)
        return found


def _last(plan: ExitPlan) -> str:
    return next(reversed(plan.exits), "") if plan.exits else ""
