"""What time does: starts and stops by schedule, exit times, expiries, second tries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from openalgo_desktop.automation.strategies.exits import Exits
from openalgo_desktop.automation.strategies.ground import Ground
from openalgo_desktop.automation.strategies.live import LiveRun
from openalgo_desktop.automation.strategies.runs import Runs
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, StorageError
from openalgo_desktop.core.events import Notice
from openalgo_desktop.core.exits import PlanState
from openalgo_desktop.core.strategies.ports import EveryEntryRejected
from openalgo_desktop.core.strategies.rows import MadeStrategy
from openalgo_desktop.core.strategies.run_rules import KIND_OF
from openalgo_desktop.core.strategies.schedule import (
    GRACE,
    at,
    days_to_expiry,
    exchange_of,
    leave_at,
    start_due,
    start_missed,
)
from openalgo_desktop.core.strategies.words import (
    EventKind,
    OrderKind,
    StopReason,
    TriggerSource,
)
from openalgo_desktop.core.symbols import option_exchange

log = logging.getLogger(__name__)

#: How often the clock is looked at; seconds.
LOOK = 1.0
#: An exit that was refused to the end is watched again after so long; seconds.
WATCH_AGAIN = 30.0
#: Pause between the tries of a start by schedule; seconds.
TRY_AGAIN = 10.0
_SCOPE = "strategy-days"
#: Behind a day: a start was begun, and nobody saw yet what became of it.
_TRYING = " trying"

Start = Callable[[MadeStrategy, Mode], Awaitable[object]]


class Hours:
    """One task that looks at the clock."""

    def __init__(
        self,
        runs: Runs,
        exits: Exits,
        wake: Callable[[LiveRun], None],
        judge: Callable[[LiveRun], None],
        start: Start,
    ) -> None:
        self._runs = runs
        self._ground: Ground = runs.ground
        self._exits = exits
        self._wake = wake
        self._judge = judge
        self._start = start
        self._task: asyncio.Task[None] | None = None
        self.starting: set[asyncio.Task[None]] = set()
        self._done: dict[int, str] = {}  # day of the last start by schedule, by strategy
        self._again_at: dict[int, float] = {}  # when a start is tried again, monotonic
        self._scheduled: list[MadeStrategy] = []
        self._news = asyncio.Event()
        self._dirty = True  # a strategy was changed since they were read
        self._failed: dict[str, float] = {}  # when an exit gave up, monotonic

    def changed(self, *, read: bool) -> None:
        """A run is another; with ``read`` a strategy was made, changed or deleted, or its run is
        over."""
        self._dirty = self._dirty or read
        self._news.set()

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="strategy hours")

    async def stop(self) -> None:
        """Look no more."""
        self.abandon()
        tasks = [*self.starting, *([self._task] if self._task is not None else [])]
        await asyncio.gather(*tasks, return_exceptions=True)

    def abandon(self) -> None:
        """Stop where it stands."""
        for task in self.starting:
            task.cancel()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("looking after the hours of strategies failed; going on")
            if not (self._runs.live or self._scheduled or self._dirty):
                self._news.clear()
                await self._news.wait()  # nothing depends on the time
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """What is due at this moment."""
        now = self._ground.clock.now().astimezone(IST)
        for live in tuple(self._runs.live.values()):
            if not live.over and not live.recovering:
                self._look_at(live, now)
        await self._schedule(now)

    # -- runs -------------------------------------------------------------------------------
    def _look_at(self, live: LiveRun, now: datetime) -> None:
        if live.day != now.date():
            live.new_day(now.date())
        self._look_at_account(live)
        self._again(live)
        self._judge(live)
        if live.state.leaving is not None:
            for place in live.open():  # an entry may have filled since, or was not told
                if not place.exiting:
                    self._exits.let_go(live, place, KIND_OF[live.state.leaving])
            self._wake(live)
            return
        if live.state.again or not any(live.open()):
            self._wake(live)
        exchange = exchange_of(live.definition)
        if not self._ground.is_open(exchange):
            return
        d, windows = live.definition, self._ground.calendar.windows(exchange, now.date())
        old = live.run.started_at.astimezone(IST).date() < now.date()
        if d.scheduler.enabled and live.run.trigger_source is TriggerSource.SCHEDULER:
            stop = leave_at(now.date(), d.scheduler.auto_stop_time, windows)
            if now >= stop and d.intraday:
                self._exits.leave(live, StopReason.SCHEDULER, "The schedule stops it.")
        if d.intraday and (old or now >= leave_at(now.date(), d.exit_time, windows)):
            text = f"Its exit time ({d.exit_time}) has come."
            if old:
                text = "It is a run of an earlier day that has to be out by now."
            self._exits.leave(live, StopReason.EOD, text)
        elif not d.intraday and now >= leave_at(now.date(), d.exit_time, windows):
            self._expire(live, now)
        if live.state.leaving is not None:
            self._wake(live)

    def _look_at_account(self, live: LiveRun) -> None:
        """Orders of a run reach its own account only. Where another one takes orders by now nothing
        can bring out what is held: a human is told, once, and the run goes on when it is back."""
        if live.run.mode is not Mode.LIVE:
            return
        serving = self._ground.desk.bound(Mode.LIVE).read.account_id
        away = serving != live.run.account_id and any(place.held for place in live.open())
        note = ""
        if away:
            note = (
                f"Orders go to {serving or 'no account'} now: stops and exits wait until "
                f"{live.run.account_id} takes orders again."
            )
        if note == live.note:
            return
        live.note = note
        held = ", ".join(place.symbol for place in live.open() if place.held)
        self._notice(
            live.made, f"{held}: {note}" if note else f"{live.run.account_id} takes orders again."
        )
        self._runs.changed(live.strategy_id)

    def _expire(self, live: LiveRun, now: datetime) -> None:
        """Contracts that expire today go out at the exit time."""
        for place in tuple(live.open()):
            row = self._ground.instruments.get(place.key)
            if row is None or row.expiry != now.date() or place.exiting or place.kind is not None:
                continue
            text = f"{place.symbol} expires today."
            kind = EventKind.EXPIRY_SQUAREOFF
            self._runs.tell(live, kind, text, leg_id=place.leg_id, notice=True)
            self._exits.let_go(live, place, OrderKind.EXPIRY)

    def _again(self, live: LiveRun) -> None:
        """What could not be closed is watched again after a while."""
        now = self._ground.clock.monotonic()
        for place in live.open():
            plan = self._ground.legs.plan(place.ref)
            if plan is None or plan.state is not PlanState.FAILED:
                self._failed.pop(place.ref, None)
                continue
            if now - self._failed.setdefault(place.ref, now) >= WATCH_AGAIN:
                del self._failed[place.ref]
                self._ground.legs.watch_again(place.ref)

    # -- schedule ---------------------------------------------------------------------------
    async def _schedule(self, now: datetime) -> None:
        day = now.date().isoformat()
        if self._dirty:
            self._dirty = False
            rows = await self._ground.store.strategies()
            self._scheduled = [made for made in rows if made.definition.scheduler.enabled]
        for made in tuple(self._scheduled):
            row = made.definition.scheduler
            if self._done.get(made.strategy_id) == day or self._rests(made):
                continue
            windows = self._ground.calendar.windows(exchange_of(made.definition), now.date())
            if start_due(row, now, windows):
                await self._begin(made, day, now)
            elif (
                start_missed(row, now, windows)
                and made.strategy_id not in self._runs.live
                and await self._first(made, day)
            ):
                self._missed(made, row.start_time, now)

    async def _first(self, made: MadeStrategy, day: str, *, trying: bool = False) -> bool:
        """Whether this day was not dealt with yet; afterwards it is, over restarts too. Of a start
        that is only ``trying`` the program may not have seen the end: where it began no run,
        nothing was sent, and it is tried again."""
        number = made.strategy_id
        self._done[number] = day
        try:
            known = await self._ground.days.get(_SCOPE, str(number))
            if known == day or (known == day + _TRYING and await self._began(made)):
                return False
            await self._ground.days.put(_SCOPE, str(number), day + _TRYING if trying else day)
        except StorageError:  # with the next look, and a start that comes too late is told
            self._done.pop(number, None)
            raise
        return True

    async def _began(self, made: MadeStrategy) -> bool:
        """Whether the schedule began a run of it today."""
        midnight = at(self._ground.clock.now().astimezone(IST).date(), "00:00")
        runs = await self._ground.store.runs_since(made.strategy_id, midnight)
        return any(
            run.trigger_source is TriggerSource.SCHEDULER and run.started_at >= midnight
            for run in runs
        )

    async def _begin(self, made: MadeStrategy, day: str, now: datetime) -> None:
        row = made.definition.scheduler
        if made.strategy_id in self._runs.live or not self._fits_expiry(made, now):
            self._done[made.strategy_id] = day
            return
        if not await self._first(made, day, trying=True):
            return
        mode = Mode.LIVE if row.default_mode == "live" else Mode.SANDBOX
        work = self._try(made, mode, day)
        task = asyncio.create_task(work, name=f"start of {made.strategy_id}")
        self.starting.add(task)
        task.add_done_callback(self.starting.discard)

    def _rests(self, made: MadeStrategy) -> bool:
        """Whether its last try was just now."""
        return self._again_at.get(made.strategy_id, 0.0) > self._ground.clock.monotonic()

    async def _try(self, made: MadeStrategy, mode: Mode, day: str) -> None:
        """Start it. Where nothing was begun (a price that is not there yet, an account that still
        logs in) the day is not used up: it is tried again during its grace."""
        number = made.strategy_id
        try:
            await self._start(made, mode)
        except EveryEntryRejected as error:
            self._notice(made, f"The schedule started it, and {error.message}")
            await self._note(number, day)
        except AppError as error:
            if number not in self._again_at:
                text = f"The schedule could not start it: {error.message} It is tried again for "
                self._notice(made, f"{text}{GRACE.seconds // 60} minutes.")
            self._again_at[number] = self._ground.clock.monotonic() + TRY_AGAIN
            await self._note(number, f"{day} not yet")
            self._done.pop(number, None)
        else:
            self._again_at.pop(number, None)
            await self._note(number, day)

    async def _note(self, number: int, text: str) -> None:
        """A disk that takes nothing leaves that it was tried: the run itself says what became of
        it."""
        try:
            await self._ground.days.put(_SCOPE, str(number), text)
        except StorageError as error:
            log.error("the start of strategy %s was not noted: %s", number, error.message)

    def _missed(self, made: MadeStrategy, start: str, now: datetime) -> None:
        late = int((now - at(now.date(), start)).total_seconds() // 60)
        self._notice(made, f"Its start at {start} was missed by {late} minutes; it stays stopped.")

    def _notice(self, made: MadeStrategy, text: str) -> None:
        log.warning("strategy %s: %s", made.definition.name, text)
        line = f"{made.definition.name}: {text}"
        self._ground.bus.publish(Notice(level="error", text=line, at=self._ground.clock.now()))

    def _fits_expiry(self, made: MadeStrategy, now: datetime) -> bool:
        wanted = made.definition.scheduler.expiry_days
        if not wanted:
            return True
        d = made.definition
        exchange = option_exchange(d.underlying_exchange)
        days = self._ground.instruments.expiries(d.underlying, exchange, False, now.date())
        if not days:
            self._notice(made, f"No expiry of {d.underlying} is known, so it stays stopped.")
            return False
        left = days_to_expiry(now.date(), days[0], self._ground.calendar, exchange)
        return left in wanted
