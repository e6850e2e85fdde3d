"""What a run does when something has happened: entries that are due, re-entries, its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from openalgo_desktop.automation.strategies import state as states
from openalgo_desktop.automation.strategies.entries import Entries
from openalgo_desktop.automation.strategies.live import LiveRun
from openalgo_desktop.automation.strategies.resolve import Wanted
from openalgo_desktop.automation.strategies.runs import Runs
from openalgo_desktop.automation.strategies.state import Again, Place, WaitFor, Waiting
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.strategies import run_rules
from openalgo_desktop.core.strategies.choice import moved
from openalgo_desktop.core.strategies.model import (
    BatchLeg,
    DistanceUnit,
    Leg,
    Reentry,
    ReentryMode,
)
from openalgo_desktop.core.strategies.schedule import at, exchange_of, leave_at
from openalgo_desktop.core.strategies.words import (
    EventKind,
    OrderKind,
    RunStatus,
    Severity,
    StopReason,
)

log = logging.getLogger(__name__)

#: A re-entry or the second half of a flip that comes later than this is not meant any more.
FRESH = timedelta(seconds=60)
_STOPS = (OrderKind.SL, OrderKind.TRAIL)


class Work:
    """Works on runs, one task for each, under the lock of the run."""

    def __init__(self, runs: Runs, entries: Entries) -> None:
        self._runs = runs
        self._ground = runs.ground
        self._entries = entries
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()

    async def stop(self) -> None:
        """End what is under way."""
        tasks = tuple(self._tasks.values())
        self.abandon()
        await asyncio.gather(*tasks, return_exceptions=True)

    def abandon(self) -> None:
        """Stop where it stands."""
        self._again.clear()
        for task in tuple(self._tasks.values()):
            task.cancel()

    def wake(self, live: LiveRun) -> None:
        """Something happened to a run: look what is due, soon."""
        number = live.strategy_id
        if number in self._tasks:
            self._again.add(number)
            return
        work: Coroutine[Any, Any, None] = self._settle(live)
        task = asyncio.create_task(work, name=f"strategy {number}")
        self._tasks[number] = task
        task.add_done_callback(lambda done: self._done(live, done))

    def _done(self, live: LiveRun, task: asyncio.Task[None]) -> None:
        self._tasks.pop(live.strategy_id, None)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.error("strategy %s: its run failed", live.definition.name, exc_info=error)
            text = f"The engine made a mistake ({type(error).__name__}, see the log)."
            self._runs.tell(live, EventKind.RUN_STOP_FAILED, text, Severity.CRITICAL)
        if live.strategy_id in self._again:
            self._again.discard(live.strategy_id)
            if not live.over:
                self.wake(live)

    async def _settle(self, live: LiveRun) -> None:
        async with live.lock:
            if live.over or live.recovering:
                return
            state = live.state
            if state.leaving is None:
                await self._enter_due(live)
            if any(live.open()):
                return
            if state.leaving is not None:
                if state.restart:
                    await self._restart(live)
                else:
                    await self.finish(live, state.leaving)
            elif live.is_batch and state.entered and not (state.again or state.waiting):
                await self.finish(live, StopReason.LEGS_CLOSED)

    # -- the end ----------------------------------------------------------------------------
    async def finish(
        self, live: LiveRun, reason: StopReason, status: RunStatus = RunStatus.STOPPED
    ) -> None:
        """A run is over: nothing of it is held any more (or what is stays in its exit plans)."""
        total = live.total()
        run = msgspec.structs.replace(
            self._runs.with_figures(live), stopped_at=self._ground.clock.now(), stop_reason=reason
        )
        live.run = run
        await self._runs.recorder.finish(run, states.encode(live.state), status)
        text = f"The run is over ({reason.value})"
        text += "." if total is None else f", result {total:.2f} rupees."
        payload = {"reason": reason.value}
        self._runs.tell(live, EventKind.RUN_STOPPED, text, payload=payload, notice=True)
        self._runs.drop(live)

    async def _restart(self, live: LiveRun) -> None:
        """All legs once more: the combined rules count from here."""
        state = live.state
        if not self._may_reenter(live):
            assert state.leaving is not None
            state.restart = False
            await self.finish(live, state.leaving)
            return
        reason, state.leaving, state.restart = state.leaving, None, False
        total = live.total() or Decimal(0)
        state.guard = run_rules.again(state.guard, total)
        live.run = msgspec.structs.replace(
            live.run, stop_requested_at=None, stop_requested_reason=None
        )
        text = f"The strategy enters again after {reason.value if reason else 'its end'}."
        self._runs.tell(live, EventKind.LEG_REENTRY, text, notice=True)
        try:
            rows = await self._entries.resolver.all(live.definition)
        except AppError as error:
            text = f"It could not enter again: {error.message}"
            self._runs.tell(live, EventKind.LEG_ENTRY_REJECTED, text, Severity.WARN, notice=True)
            await self.finish(live, reason or StopReason.ERROR)
            return
        self._runs.save(live)  # before an order leaves
        await self._entries.enter_all(live, rows)

    # -- entries that wait --------------------------------------------------------------------
    def wait_for_momentum(self, live: LiveRun, wanted: Wanted, price: Decimal) -> None:
        """A leg that is entered once its price has moved."""
        leg = wanted.leg
        match leg:
            case BatchLeg(momentum=momentum) if momentum is not None:
                percent = momentum.unit is DistanceUnit.PERCENT
                level = moved(price, momentum.value, percent)
                row = wanted.row
                live.state.waiting.append(
                    Waiting(
                        WaitFor.MOMENTUM, leg.leg_id, row.exchange, row.symbol, level,
                        momentum.value > 0, wanted.side,
                    )
                )  # fmt: skip

    async def _enter_due(self, live: LiveRun) -> None:
        state = live.state
        due = [row for row in state.waiting if row.due]
        again, state.again = state.again, []
        if due:
            state.waiting = [row for row in state.waiting if not row.due]
        if due or again:  # before an order leaves: after a crash it would be due once more
            self._runs.save(live)
        now = self._ground.clock.now()
        for row in due:
            if row.why is WaitFor.RANGE:
                await self._break_out(live)
            else:
                await self._enter_again(
                    live, Again(row.leg_id, row.side, row.exchange, row.symbol), row.why.value
                )
        for one in again:
            if one.until is not None and one.until < now:
                self._dropped(live, one.leg_id, "it would come too late")
            elif self._turning(live, one.leg_id):
                state.again.append(one)  # the old position has to be out first
            else:
                await self._enter_again(live, one, one.why)
        if due or again:
            self._runs.reindex(live)
            self._runs.save(live)

    def _turning(self, live: LiveRun, leg_id: int) -> bool:
        return any(place.leg_id == leg_id for place in live.open())

    async def _break_out(self, live: LiveRun) -> None:
        if not self._may_enter(live):
            self._dropped(live, 0, "the range was left, and the run is paused or its time is over")
            return
        try:
            rows = await self._entries.resolver.all(live.definition)
        except AppError as error:
            text = f"The range was left, and nothing was entered: {error.message}"
            self._runs.tell(live, EventKind.LEG_ENTRY_REJECTED, text, Severity.WARN, notice=True)
            return
        await self._entries.enter_all(live, rows)

    async def _enter_again(self, live: LiveRun, one: Again, why: str) -> None:
        leg = live.leg(one.leg_id)
        if leg is None:
            return
        if not self._may_enter(live):
            self._dropped(live, one.leg_id, "the run is paused or its time is over")
            return
        try:
            resolver, d = self._entries.resolver, live.definition
            if one.symbol:
                wanted = await resolver.same(d, leg, (one.exchange, one.symbol), one.side)
            else:
                wanted = await resolver.leg(d, leg, side=one.side)
        except AppError as error:
            self._dropped(live, one.leg_id, error.message)
            return
        text = f"Leg {one.leg_id} is entered: {wanted.row.symbol} ({why})."
        self._runs.tell(live, EventKind.LEG_REENTRY, text, leg_id=one.leg_id)
        await self._entries.enter(live, wanted)

    def _dropped(self, live: LiveRun, leg_id: int, why: str) -> None:
        text = f"{f'Leg {leg_id} is' if leg_id else 'The legs are'} not entered: {why}."
        kind = EventKind.LEG_ENTRY_REJECTED
        self._runs.tell(live, kind, text, Severity.WARN, leg_id=leg_id or None)

    def _may_enter(self, live: LiveRun) -> bool:
        if live.made.status is RunStatus.PAUSED or live.state.leaving is not None:
            return False
        try:
            self._ground.may_trade(live.run.mode)
        except AppError:
            return False
        return self._in_time(live)

    def _in_time(self, live: LiveRun) -> bool:
        """Whether something that is entered now is not let go at once: before its exit time, and on
        a half day before the close."""
        now = self._ground.clock.now().astimezone(IST)
        windows = self._ground.calendar.windows(exchange_of(live.definition), now.date())
        return not live.definition.intraday or now < leave_at(
            now.date(), live.definition.exit_time, windows
        )

    def _may_reenter(self, live: LiveRun) -> bool:
        now = self._ground.clock.now().astimezone(IST)
        limit = live.definition.no_reentry_after
        if limit and now >= at(now.date(), limit):
            return False
        status = live.made.status is RunStatus.PAUSED
        try:
            self._ground.may_trade(live.run.mode)
        except AppError:
            return False
        return self._in_time(live) and not status

    # -- re-entry ---------------------------------------------------------------------------
    def closed(self, live: LiveRun, place: Place) -> None:
        """A place is out: does its leg come again?"""
        leg = live.leg(place.leg_id)
        if leg is None or live.state.leaving is not None or place.superseded or live.recovering:
            return
        rule = _rule(leg, place.kind)
        used = live.state.used.get(place.leg_id, 0)
        if rule is None or rule.mode is ReentryMode.NONE or used >= rule.times:
            return
        if not self._may_reenter(live):
            self._dropped(live, place.leg_id, "no re-entry any more at this time")
            return
        live.state.used[place.leg_id] = used + 1
        if rule.mode is ReentryMode.COST:
            self._wait_for_cost(live, place)
            return
        side = -place.side if rule.mode is ReentryMode.ASAP_REVERSED else place.side
        until = self._ground.clock.now() + FRESH
        live.state.again.append(Again(place.leg_id, side, until=until))

    def _wait_for_cost(self, live: LiveRun, place: Place) -> None:
        level = live.state.first.get(place.leg_id, place.entry)
        now = place.ltp if place.ltp is not None else place.entry
        row = Waiting(
            WaitFor.COST, place.leg_id, place.exchange, place.symbol, level, now < level, place.side
        )
        live.state.waiting.append(row)

    # -- range ------------------------------------------------------------------------------
    def range_price(self, live: LiveRun, key: Key, price: Decimal, now: datetime) -> None:
        """A price of what a run may wait for to leave its range."""
        rule = live.definition.range_breakout
        ranges = (row for row in live.state.waiting if row.why is WaitFor.RANGE and not row.due)
        rows = [row for row in ranges if row.key == key]
        if rule is None or not rows:
            return
        row, local = rows[0], now.astimezone(IST)
        if local < at(local.date(), rule.start):
            return
        if local < at(local.date(), rule.end):
            row.low = price if row.low is None else min(row.low, price)
            row.high = price if row.high is None else max(row.high, price)
            row.level = row.high if rule.high else row.low
            return
        if row.low is None or row.high is None:
            return  # its range was never seen: nothing is guessed
        if not row.complete:
            row.complete = True
            self._runs.save(live)
        if price > row.high if rule.high else price < row.low:
            row.due = True
            self.wake(live)


def _rule(leg: Leg, kind: OrderKind | None) -> Reentry | None:
    if kind in _STOPS:
        return leg.rules.after_sl
    return leg.rules.after_target if kind is OrderKind.TARGET else None
