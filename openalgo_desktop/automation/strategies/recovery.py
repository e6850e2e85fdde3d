"""Runs that were on when the program ended: proven from order rows, plans, journal and books.

The rows say which positions there were (identity), their plans what they hold and where their stops
stand, journal and books what was sent and filled meanwhile. What cannot be proven is told, and its
positions stay in their plans.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import msgspec

from openalgo_desktop.automation.strategies import state as states
from openalgo_desktop.automation.strategies.follow import Follow
from openalgo_desktop.automation.strategies.live import LiveRun
from openalgo_desktop.automation.strategies.runs import Runs
from openalgo_desktop.automation.strategies.state import Place, RunState, WaitFor
from openalgo_desktop.automation.strategies.work import Work
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import JournalState
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import Notice
from openalgo_desktop.core.exits import ExitPlan
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.core.strategies.rows import MadeStrategy, Run, RunOrder
from openalgo_desktop.core.strategies.words import (
    EventKind,
    OrderKind,
    OrderState,
    RunStatus,
    Severity,
    StopReason,
)

log = logging.getLogger(__name__)

#: How often it is looked whether the account is there and the plans are compared; seconds.
LOOK = 0.5
#: The wall clock may have been put back meanwhile.
_SLACK = timedelta(days=1)


class NotProven(Exception):
    """The state of a run cannot be told."""


class Recovery:
    """Takes up the runs of an earlier run of the program."""

    def __init__(self, runs: Runs, follow: Follow, work: Work) -> None:
        self._runs = runs
        self._ground = runs.ground
        self._follow = follow
        self._work = work
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Know all open runs; each is proven by a task of its own."""
        for run, data in await self._ground.store.open_runs():
            made = await self._ground.store.strategy(run.strategy_id)
            if made is None or made.current_run_id != run.run_id:
                log.error("run %s belongs to no strategy that is on", run.run_id)
                continue
            await self._take_up(made, run, data)

    async def stop(self) -> None:
        """End what waits."""
        self.abandon()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def abandon(self) -> None:
        """Stop where it stands."""
        for task in tuple(self._tasks):
            task.cancel()

    async def _take_up(self, made: MadeStrategy, run: Run, data: bytes) -> None:
        why = ""
        try:
            state = states.decode(data)
        except msgspec.DecodeError as error:
            state, why = RunState(entered=True), f"its checkpoint cannot be read ({error})"
        rows = await self._ground.store.orders(made.strategy_id, run.run_id)
        known = {place.ref for place in state.places}
        for row in rows:  # an order row is written before its place is in a checkpoint
            if row.kind is OrderKind.ENTRY and row.position_ref not in known:
                known.add(row.position_ref)
                state.places.append(_place(row))
        live = self._runs.make(made, run, state)
        live.recovering = True
        for row in rows:
            number = live.ledger.load(row)
            self._runs.recorder.know(run.run_id, row.position_ref, number, row)
        for place in state.places:
            live.count(place)
        task = asyncio.create_task(self._prove(live, why), name=f"recovery {made.strategy_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _prove(self, live: LiveRun, why: str) -> None:
        try:
            if why:
                raise NotProven(why)
            gateway = await self._gateway(live)
            for place in tuple(live.open()):
                await self._place(live, place, gateway)
        except NotProven as error:
            await self._fail(live, str(error))
        except Exception as error:
            log.exception("the run of %s could not be taken up", live.definition.name)
            await self._fail(live, f"{type(error).__name__}, see the log")
        else:
            await self._succeed(live)

    async def _gateway(self, live: LiveRun) -> TradingGateway:
        """The gateway of the run's account, once it is there and its books were read."""
        told = False
        while True:
            try:
                gateway = self._ground.desk.gateway_of(live.run.mode)
            except AppError:
                gateway = None
            if gateway is not None and gateway.account_id == live.run.account_id:
                return gateway
            if not told:
                told = True
                text = f"The account {live.run.account_id} is not there yet; the run waits for it."
                line = f"{live.definition.name}: {text}"
                now = self._ground.clock.now()
                self._ground.bus.publish(Notice(level="warning", text=line, at=now))
            await asyncio.sleep(LOOK)

    async def _place(self, live: LiveRun, place: Place, gateway: TradingGateway) -> None:
        plan = self._ground.legs.plan(place.ref)
        if plan is None:
            self._without_plan(live, place)
            return
        while plan is not None and plan.state.is_open and not self._ground.legs.is_checked(plan):
            await asyncio.sleep(LOOK)
            plan = self._ground.legs.plan(place.ref)
        if plan is None:
            raise NotProven(f"the exit plan of {place.symbol} is gone")
        await self._orders(live, place, plan, gateway)
        self._follow.take(live, plan)

    def _without_plan(self, live: LiveRun, place: Place) -> None:
        """A plan is on disk before its entry leaves: without one nothing was sent. Where something
        was, nobody knows what it became."""
        rows = live.ledger.of(place.ref)
        if any(row.broker_order_id for row in rows) or place.held:
            raise NotProven(f"the exit plan of {place.symbol} is not in the database")
        place.closed, place.refused = True, "it was never sent"
        live.ledger.refuse(place.ref, place.refused)
        live.count(place)

    async def _orders(
        self, live: LiveRun, place: Place, plan: ExitPlan, gateway: TradingGateway
    ) -> None:
        """What the journal says was sent for a place, and what the books say became of it."""
        since = live.run.started_at - _SLACK
        for entry in await self._ground.journal.sent_by(plan.exit_source, since):
            if entry.order_id and entry.state is not JournalState.REJECTED:
                live.ledger.link(place.ref, entry.order_id, entry=False)
        for order_id in plan.entries:
            live.ledger.link(place.ref, order_id, entry=True)
        book = self._ground.desk.books.book(live.run.mode)
        for row in tuple(live.ledger.of(place.ref)):
            if not row.broker_order_id or row.status is OrderState.COMPLETE:
                continue
            order = book.orders.get(row.broker_order_id)
            if order is None:
                try:
                    order = await gateway.order(row.broker_order_id)
                except AppError:
                    continue  # of an earlier day; the plan says what it filled
            self._follow.order(live, place, order)

    async def _succeed(self, live: LiveRun) -> None:
        state = live.state
        async with live.lock:
            live.recovering = False
            dropped = len(state.again) + (0 if state.entered else 1) + int(state.restart)
            state.again, state.entered, state.restart = [], True, False
            today = self._ground.clock.now().astimezone(IST).date()
            if live.run.started_at.astimezone(IST).date() != today:
                state.waiting = []
            whole = [row for row in state.waiting if row.why is not WaitFor.RANGE or row.complete]
            dropped += len(state.waiting) - len(whole)
            state.waiting = whole  # a range that was not watched throughout is none
            held = [place.symbol for place in live.open()]
            text = f"The run was taken up again; it holds {', '.join(held) or 'nothing'}."
            if dropped:
                text += " Entries that had not been sent, or whose range was not seen, do not come."
            self._runs.tell(live, EventKind.RECOVERY_SUCCEEDED, text, notice=True)
            self._runs.reindex(live)
            self._runs.save(live)
        self._work.wake(live)

    async def _fail(self, live: LiveRun, why: str) -> None:
        """The run ends in error; what its plans protect stays protected."""
        async with live.lock:
            text = f"The state of the run cannot be proven: {why}."
            guarded: list[str] = []
            bare: list[str] = []
            for place in live.open():
                plan = self._ground.legs.plan(place.ref)
                stops = plan is not None and plan.state.is_watched and not plan.spec.empty
                (guarded if stops else bare).append(place.symbol)
            if guarded:
                text += f" {', '.join(guarded)} may be open; the stops of their exit plans go on."
            if bare:
                text += f" {', '.join(bare)} may be open WITHOUT a stop. Look at them now."
            self._runs.tell(live, EventKind.RECOVERY_FAILED, text, Severity.CRITICAL)
            live.recovering = False
            await self._work.finish(live, StopReason.RECOVERY_FAILED, RunStatus.ERRORED)


def _place(row: RunOrder) -> Place:
    """A position from the row of its entry."""
    return Place(
        ref=row.position_ref,
        leg_id=row.leg_id,
        exchange=row.exchange,
        symbol=row.symbol,
        product=row.product,
        side=row.action.sign,
        wanted=row.quantity,
    )
