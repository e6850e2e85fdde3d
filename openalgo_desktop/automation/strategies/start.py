"""Starts of runs and signals. All legs are resolved before anything is claimed; the claim is one
conditional update of the database, so that of several triggers at once one starts."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from openalgo_desktop.automation.strategies.entries import Entries
from openalgo_desktop.automation.strategies.exits import Exits
from openalgo_desktop.automation.strategies.live import LiveRun
from openalgo_desktop.automation.strategies.resolve import Wanted
from openalgo_desktop.automation.strategies.runs import Runs
from openalgo_desktop.automation.strategies.state import (
    Again,
    Place,
    RunState,
    WaitFor,
    Waiting,
)
from openalgo_desktop.automation.strategies.work import FRESH, Work
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, ConfigError, OrderError
from openalgo_desktop.core.exit_rules import exact
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import group_indian
from openalgo_desktop.core.strategies.model import (
    ZERO,
    BatchLeg,
    Definition,
    RangeBreakout,
    SignalLeg,
)
from openalgo_desktop.core.strategies.ports import EveryEntryRejected, NotNow
from openalgo_desktop.core.strategies.rows import (
    LegAnswer,
    MadeStrategy,
    Run,
    SignalAnswer,
    StartAnswer,
)
from openalgo_desktop.core.strategies.run_rules import Guard, session_start
from openalgo_desktop.core.strategies.schedule import at, exchange_of, leave_at
from openalgo_desktop.core.strategies.words import (
    EventKind,
    OrderKind,
    RunStatus,
    Signal,
    StopReason,
    StrategyKind,
    TriggerSource,
)
from openalgo_desktop.core.ticks import Part

LIVE_NOT_ENABLED = (
    "This strategy is not enabled for live trading. Enable it on the strategy page, or start it "
    "with mode 'sandbox'."
)
#: A range is seen from its beginning by a run that was started so much later at most.
SEEN_FROM = timedelta(minutes=1)
RUNS_ALREADY = "This strategy is already running"
NOT_RUNNING = "This strategy is not running"


class Starter:
    """Begins runs, and carries out signals."""

    def __init__(self, runs: Runs, entries: Entries, exits: Exits, work: Work) -> None:
        self._runs = runs
        self._ground = runs.ground
        self._entries = entries
        self._exits = exits
        self._work = work

    # -- starting ---------------------------------------------------------------------------
    async def start(
        self, made: MadeStrategy, mode: Mode, source: TriggerSource, event_id: int | None
    ) -> StartAnswer:
        """Begin a run, and enter its legs. Raises :class:`NotNow`, :class:`OrderError` where a leg
        cannot be resolved (nothing was begun), and :class:`EveryEntryRejected`."""
        guard = await self._check(made, mode)
        if source is TriggerSource.WEBHOOK and made.webhook_locked:  # since the alert was let in
            raise NotNow("The webhook of this strategy is locked.")
        d = made.definition
        rows: list[Wanted] = []
        prices: dict[Key, Decimal] = {}
        state = RunState(guard=guard)
        if d.kind is StrategyKind.BATCH:
            self._check_hours(d, exchange_of(d))
            if d.range_breakout is not None:
                self._check_range(d.range_breakout)
                key = self._entries.resolver.underlying_key(d)
                up = d.range_breakout.high
                state.waiting.append(Waiting(WaitFor.RANGE, 0, *key, ZERO, up))
                await self._entries.resolver.all(d)  # what cannot be resolved is said now
            else:
                rows = await self._entries.resolver.all(d)
                prices = await self._momentum_prices(rows)
        live = await self._claim(made, mode, source, event_id, state)
        try:
            self._ground.may_trade(mode)  # a kill switch that was pulled meanwhile knew no run
        except AppError as error:
            await self._work.finish(live, StopReason.KILL_SWITCH)
            raise NotNow(error.message) from error
        answers: list[LegAnswer] = []
        async with live.lock:
            for row in rows:
                if row.row.key in prices and _momentum(row):
                    self._work.wait_for_momentum(live, row, prices[row.row.key])
            now = [row for row in rows if not _momentum(row)]
            self._runs.reindex(live)
            answers = await self._entries.enter_all(live, now)
            live.state.entered = True
            self._runs.save(live)
            waits = bool(live.state.waiting)
            if answers and not waits and not any(answer.ok for answer in answers):
                why = "; ".join(f"leg {row.leg_id}: {row.error}" for row in answers)
                text = f"Every entry order was rejected: {why}"
                if any(live.open()):  # of one of them nobody is sure yet
                    self._exits.leave(live, StopReason.ERROR, text)
                else:
                    await self._work.finish(live, StopReason.ERROR)
                raise EveryEntryRejected(text)
        self._work.wake(live)
        return StartAnswer(run_id=live.run.run_id, mode=mode, legs=tuple(answers))

    async def _claim(
        self,
        made: MadeStrategy,
        mode: Mode,
        source: TriggerSource,
        event_id: int | None,
        state: RunState,
    ) -> LiveRun:
        gateway = self._ground.desk.gateway_of(mode)
        run = Run(
            run_id=0,
            strategy_id=made.strategy_id,
            mode=mode,
            account_id=gateway.account_id,
            broker=gateway.broker,
            started_at=self._ground.clock.now(),
            trigger_source=source,
            webhook_event_id=event_id,
        )
        run_id = await self._ground.store.claim(run)
        if run_id is None:
            now = await self._ground.store.strategy(made.strategy_id)
            if now is not None and mode is Mode.LIVE:
                _check_live(now, run.account_id)
            raise NotNow(RUNS_ALREADY)
        made = msgspec.structs.replace(made, status=RunStatus.RUNNING, current_run_id=run_id)
        live = self._runs.make(made, msgspec.structs.replace(run, run_id=run_id), state)
        text = f"A run began in {mode.value} mode ({source.value})."
        payload = {"mode": mode.value, "account_id": run.account_id}
        self._runs.tell(live, EventKind.RUN_STARTED, text, payload=payload, notice=True)
        return live

    async def _check(self, made: MadeStrategy, mode: Mode) -> Guard:
        """Raise for what may not begin now; the guard of the new run."""
        if made.current_run_id is not None or made.strategy_id in self._runs.live:
            raise NotNow(RUNS_ALREADY)
        if held := self._ground.legs.held_by(f"strategy:{made.strategy_id}"):
            raise NotNow(
                f"An earlier run left {', '.join(held)} in exit plans. Close them, or delete the "
                "plans, before it is started again."
            )
        try:
            self._ground.may_trade(mode)
            account = self._ground.desk.gateway_of(mode).account_id
        except AppError as error:
            raise NotNow(error.message) from error
        if mode is Mode.LIVE:
            _check_live(made, account)
        d, start = made.definition, session_start(self._ground.clock.now())
        earlier = ZERO
        if d.daily_loss_limit is not None:
            for run in await self._ground.store.runs_since(made.strategy_id, start):
                if run.mode is mode:
                    earlier += run.pnl_realized - (run.charges if d.net_of_charges else ZERO)
            if earlier <= -d.daily_loss_limit:
                raise NotNow(
                    f"Its runs of today lost {group_indian(str(-earlier))} rupees: the daily loss "
                    "limit is reached, so it starts again tomorrow."
                )
        return Guard(earlier=earlier, session=start)

    def _check_hours(self, d: Definition, exchange: str) -> None:
        if not self._ground.is_open(exchange):
            raise NotNow(f"{exchange} is closed now, so nothing was started.")
        now = self._ground.clock.now().astimezone(IST)
        windows = self._ground.calendar.windows(exchange, now.date())
        if d.intraday and now >= leave_at(now.date(), d.exit_time, windows):
            raise NotNow(f"Its exit time of today ({d.exit_time}) is over, so nothing was started.")

    def _check_range(self, rule: RangeBreakout) -> None:
        now = self._ground.clock.now().astimezone(IST)
        if now > at(now.date(), rule.start) + SEEN_FROM:
            raise NotNow(
                f"Its range begins at {rule.start} and was not seen from there, so nothing was "
                "started. Start it before, or choose a later range."
            )

    async def _momentum_prices(self, rows: list[Wanted]) -> dict[Key, Decimal]:
        found: dict[Key, Decimal] = {}
        for row in rows:
            if not _momentum(row):
                continue
            try:
                tick = await self._ground.ticks.snapshot(row.row.key, Part.LTP)
            except AppError as error:
                raise OrderError(
                    f"Leg {row.leg.leg_id}: the price of {row.row.symbol} is not known, so its "
                    f"momentum has no beginning ({error.message})."
                ) from error
            found[row.row.key] = exact(tick.ltp)
        return found

    # -- signals ----------------------------------------------------------------------------
    async def signal(
        self,
        made: MadeStrategy,
        signal: Signal,
        leg: SignalLeg,
        event_id: int | None,
    ) -> SignalAnswer:
        """Carry out one signal of one leg. The first of a session opens the run, in the mode of
        the strategy's opt-in."""
        side = 1 if signal in (Signal.LONG_ENTRY, Signal.LONG_EXIT) else -1
        d = made.definition
        self._check_side(d, leg, side, signal)
        if why := self._window(d, leg, signal):
            return self._nothing(why, self._runs.live.get(made.strategy_id))
        if signal.enters and made.webhook_locked and event_id is not None:
            raise NotNow("The webhook of this strategy is locked.")
        live = self._runs.live.get(made.strategy_id)
        if live is None:
            if not signal.enters:
                return self._nothing("no_matching_position", None)
            mode = Mode.LIVE if made.live_enabled else Mode.SANDBOX
            await self.start(made, mode, TriggerSource.WEBHOOK, event_id)
            live = self._runs.live.get(made.strategy_id)
        if live is None or live.state.leaving is not None:
            raise NotNow("The run is ending; send the signal again when it is over.")
        if live.recovering:
            raise NotNow("The run is being taken up again; send the signal again in a moment.")
        async with live.lock:
            return await self._carry_out(live, signal, leg, side)

    @staticmethod
    def _check_side(d: Definition, leg: SignalLeg, side: int, signal: Signal) -> None:
        word = "long" if side > 0 else "short"
        if leg.side not in ("both", word) or d.direction not in ("both", f"{word}_only"):
            raise ConfigError(f"Leg {leg.leg_id} takes no {signal.value}: it is {leg.side} only.")

    def _window(self, d: Definition, leg: SignalLeg, signal: Signal) -> str:
        if not self._ground.is_open(leg.exchange):
            return "outside_trading_window"
        if not signal.enters:
            return ""
        now = self._ground.clock.now().astimezone(IST)
        day = now.date()
        windows = self._ground.calendar.windows(leg.exchange, day)
        inside = at(day, d.entry_time) <= now < leave_at(day, d.exit_time, windows)
        return "" if inside else "outside_entry_window"

    @staticmethod
    def _nothing(word: str, live: LiveRun | None) -> SignalAnswer:
        run_id = live.run.run_id if live is not None else None
        return SignalAnswer(result=word, run_id=run_id, message=f"Signal accepted ({word})")

    async def _carry_out(
        self, live: LiveRun, signal: Signal, leg: SignalLeg, side: int
    ) -> SignalAnswer:
        place = live.open_of(leg.leg_id)
        turning = next((row for row in live.state.again if row.leg_id == leg.leg_id), None)
        if not signal.enters:
            if turning is not None and turning.side == side:  # the entry that has not come yet
                live.state.again.remove(turning)
                self._runs.save(live)
                return SignalAnswer(
                    result="ok",
                    run_id=live.run.run_id,
                    message="The entry that was due is dropped.",
                )
            if place is None or place.side != side:
                return self._nothing("no_matching_position", live)
            self._exits.let_go(live, place, OrderKind.SIGNAL)
            return SignalAnswer(
                result="ok", run_id=live.run.run_id, message=f"{place.symbol} is being closed."
            )
        if live.made.status is RunStatus.PAUSED:
            raise NotNow("The strategy is paused: nothing new is entered.")
        same = (place is not None and place.side == side) or (
            turning is not None and turning.side == side
        )
        if same:
            return self._nothing("already_long" if side > 0 else "already_short", live)
        if place is not None:
            return self._flip(live, place, leg, side)
        wanted = await self._entries.resolver.leg(live.definition, leg, side=side)
        answer = await self._entries.enter(live, wanted)
        if not answer.ok:
            raise OrderError(f"The entry was refused: {answer.error}")
        return SignalAnswer(result="ok", run_id=live.run.run_id, message=answer.error)

    def _flip(self, live: LiveRun, place: Place, leg: SignalLeg, side: int) -> SignalAnswer:
        """The old position goes out first: in one account an entry would net it. What it is called
        stays its own (superseded); the new one is entered when it is out by its fill."""
        place.superseded = True
        until: datetime = self._ground.clock.now() + FRESH
        live.state.again.append(Again(leg.leg_id, side, until=until, why="turned round"))
        self._exits.let_go(live, place, OrderKind.SIGNAL)
        self._runs.save(live)
        return SignalAnswer(
            result="ok", run_id=live.run.run_id, message=f"{place.symbol} is being turned round."
        )


def _check_live(made: MadeStrategy, account: str) -> None:
    """Raise :class:`NotNow` where it may not trade live, or not in the account that takes live
    orders now."""
    if not made.live_enabled:
        raise NotNow(LIVE_NOT_ENABLED)
    if made.live_account != account:
        raise NotNow(
            f"It may trade live in the account {made.live_account}, and live orders go to "
            f"{account} now: allow live again if it is to trade there."
        )


def _momentum(row: Wanted) -> bool:
    match row.leg:
        case BatchLeg(momentum=momentum):
            return momentum is not None
    return False
