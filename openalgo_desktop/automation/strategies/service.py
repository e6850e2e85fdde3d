"""The strategy engine: what people and programs ask of made strategies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal

from openalgo_desktop.automation.strategies.catalog import Catalog
from openalgo_desktop.automation.strategies.entries import Entries
from openalgo_desktop.automation.strategies.exits import Exits
from openalgo_desktop.automation.strategies.follow import Follow
from openalgo_desktop.automation.strategies.ground import Ground
from openalgo_desktop.automation.strategies.hours import Hours
from openalgo_desktop.automation.strategies.judge import Judge
from openalgo_desktop.automation.strategies.live import LiveRun
from openalgo_desktop.automation.strategies.prices import RunPrices
from openalgo_desktop.automation.strategies.recorder import Recorder
from openalgo_desktop.automation.strategies.recovery import Recovery
from openalgo_desktop.automation.strategies.resolve import Resolver
from openalgo_desktop.automation.strategies.runs import Runs
from openalgo_desktop.automation.strategies.start import NOT_RUNNING, Starter
from openalgo_desktop.automation.strategies.work import Work
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.events import (
    ExitPlanChanged,
    KillSwitchChanged,
    OrderUpdated,
    StrategyChanged,
)
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.strategies.model import SignalLeg
from openalgo_desktop.core.strategies.ports import NotNow
from openalgo_desktop.core.strategies.rows import (
    LegAnswer,
    MadeStrategy,
    Run,
    RunEvent,
    RunOrder,
    RunView,
    SignalAnswer,
    StartAnswer,
    StopAnswer,
)
from openalgo_desktop.core.strategies.words import (
    EventKind,
    OrderKind,
    RunStatus,
    Severity,
    Signal,
    StopReason,
    StrategyKind,
    TriggerSource,
)


class Engine(Catalog):
    """See :class:`openalgo_desktop.core.strategies.ports.StrategyEngine`."""

    def __init__(self, ground: Ground) -> None:
        recorder = Recorder(ground.store, ground.bus)
        super().__init__(ground, recorder)
        self.registry = Runs(ground, recorder)
        self._exits = Exits(self.registry)
        self.entries = Entries(self.registry, Resolver(ground))
        self._work = Work(self.registry, self.entries)
        self._starter = Starter(self.registry, self.entries, self._exits, self._work)
        self._judge = Judge(self.registry, self._exits, self._work.wake)
        self._follow = Follow(
            self.registry,
            self._exits,
            self.entries.gone,
            self._work.closed,
            self._work.wake,
            self._judge.judge,
        )
        self.prices = RunPrices(ground, self.registry, self._heard, self._stale)
        self.hours = Hours(
            self.registry, self._exits, self._work.wake, self._judge.judge, self._by_schedule
        )
        self._recovery = Recovery(self.registry, self._follow, self._work)
        self._locks: dict[int, asyncio.Lock] = {}
        self._stops: list[Callable[[], None]] = []

    # -- life -------------------------------------------------------------------------------
    async def begin(self) -> None:
        """Take up what an earlier run of the program left, then watch."""
        self.recorder.start()
        subscribe = self._ground.bus.subscribe
        self._stops = [
            subscribe(ExitPlanChanged, self._follow.on_plan),
            subscribe(OrderUpdated, self._follow.on_order),
            subscribe(KillSwitchChanged, self._on_kill),
            subscribe(StrategyChanged, lambda event: self._on_changed(event.strategy_id)),
        ]
        self.registry.on_key = self.prices.want
        await self._recovery.start()
        self.prices.start()
        self.hours.start()

    async def end(self) -> None:
        """Watch no more. What is held stays in its exit plans, and its runs go on with the next
        start."""
        for stop in self._stops:
            stop()
        for part in (self.hours, self._recovery, self.prices, self._work, self._exits):
            await part.stop()
        for live in self.registry.live.values():
            self.registry.with_figures(live)
            self.registry.save(live)
        self.registry.close()
        await self.recorder.stop()

    def abandon(self) -> None:
        """End where it stands, as a program does that is killed; for tests of a restart."""
        for stop in self._stops:
            stop()
        for part in (self.hours, self._recovery, self.prices, self._work, self._exits):
            part.abandon()
        self.registry.close()
        self.recorder.abandon()

    def _on_kill(self, event: KillSwitchChanged) -> None:
        if event.tripped and event.report is None:
            for live in tuple(self.registry.live.values()):
                self._exits.leave(
                    live, StopReason.KILL_SWITCH, f"The kill switch was pulled by {event.by}."
                )
                self._work.wake(live)

    def _on_changed(self, strategy_id: int) -> None:
        # what runs changes with every price
        self.hours.changed(read=strategy_id not in self.registry.live)

    def _heard(self, key: Key, price: Decimal) -> None:
        self._judge.heard(key, price)
        now = self._ground.clock.now()
        for live in self.registry.of_key(key):
            self._work.range_price(live, key, price, now)

    def _stale(self, live: LiveRun, key: Key) -> None:
        """Nobody can look after what is held: it goes out at the market."""
        held = any(key in (place.key, place.under) and place.held for place in live.open())
        if held and live.state.leaving is None:
            text = f"The price of {key[1]} is not known from any source."
            self._exits.leave(live, StopReason.TICK_STALE, text)
            self._work.wake(live)

    async def _by_schedule(self, made: MadeStrategy, mode: Mode) -> None:
        await self.start(made.strategy_id, mode, TriggerSource.SCHEDULER, "scheduler")

    def _lock(self, strategy_id: int) -> asyncio.Lock:
        return self._locks.setdefault(strategy_id, asyncio.Lock())

    # -- commands ---------------------------------------------------------------------------
    async def start(
        self,
        strategy_id: int,
        mode: Mode,
        source: TriggerSource,
        by: str,
        *,
        webhook_event_id: int | None = None,
    ) -> StartAnswer:
        """Begin a run and enter its legs; a caller who goes away leaves it no half. Raises
        :class:`NotNow`, :class:`OrderError` that names the leg which cannot be, and
        :class:`EveryEntryRejected`."""
        begin = self._start(strategy_id, mode, source, webhook_event_id)
        return await asyncio.shield(self._exits.own(begin))

    async def _start(
        self, strategy_id: int, mode: Mode, source: TriggerSource, event_id: int | None
    ) -> StartAnswer:
        async with self._lock(strategy_id):
            made = await self.get(strategy_id)
            return await self._starter.start(made, mode, source, event_id)

    def _running(self, made: MadeStrategy) -> LiveRun:
        live = self.registry.live.get(made.strategy_id)
        if live is None:
            raise NotNow(NOT_RUNNING)
        return live

    async def stop(self, strategy_id: int, by: str, *, close_all: bool = False) -> StopAnswer:
        """End the run: everything goes out at the market, what is of a closed exchange when that
        opens. Raises :class:`NotNow` where it does not run, or where nothing of it could be closed
        (it stays open and looked after)."""
        live = self._running(await self.get(strategy_id))
        places = list(live.open())
        if close_all:
            text = f"Close all was asked for by {by}."
            self.registry.tell(live, EventKind.CLOSE_ALL_MANUAL, text)
        self._exits.leave(live, StopReason.MANUAL, f"Stopped by {by}.", OrderKind.CLOSE_ALL)
        self._work.wake(live)
        exits = await self._exits.answers(live, places)
        self._check_exits(exits)
        await self._exits.over(live)
        return StopAnswer(
            run_id=live.run.run_id,
            pending=any(place.open for place in places),
            exits=tuple(exits),
            run_stopped=live.over,
        )

    async def close_leg(self, strategy_id: int, leg_id: int, by: str) -> StopAnswer:
        """Close one leg; the last one of a batch ends the run. Raises as :meth:`stop`."""
        live = self._running(await self.get(strategy_id))
        if live.leg(leg_id) is None:
            raise ConfigError(f"leg_id: the strategy has no leg {leg_id}.")
        async with live.lock:  # a re-entry of it that is on its way comes first, and goes too
            places = [place for place in live.open() if place.leg_id == leg_id]
            self._check_market([place.exchange for place in places if place.held])
            state = live.state
            state.waiting = [row for row in state.waiting if row.leg_id != leg_id]
            state.again = [row for row in state.again if row.leg_id != leg_id]
            for place in places:
                self._exits.let_go(live, place, OrderKind.LEG_MANUAL)
            self.registry.save(live)
        self._work.wake(live)
        exits = await self._exits.answers(live, places)
        self._check_exits(exits)
        return StopAnswer(
            run_id=live.run.run_id,
            pending=any(place.open for place in places),
            exits=tuple(exits),
            run_stopped=live.over,
            leg_id=leg_id,
        )

    def _check_market(self, exchanges: Sequence[str]) -> None:
        """An order to a closed market may be kept for tomorrow by the broker."""
        for exchange in exchanges:
            if not self._ground.is_open(exchange):
                raise NotNow(
                    f"{exchange} is closed now, so nothing can be closed; the run goes on. Its "
                    "positions are looked after when the market opens."
                )

    @staticmethod
    def _check_exits(exits: Sequence[LegAnswer]) -> None:
        if exits and not any(answer.ok for answer in exits):
            why = "; ".join(f"leg {row.leg_id}: {row.error}" for row in exits)
            raise NotNow(f"No exit was accepted: {why}")

    async def pause(self, strategy_id: int, paused: bool, by: str) -> MadeStrategy:
        """Enter nothing new (rules and exits go on), or go on entering."""
        live = self._running(await self.get(strategy_id))
        status = RunStatus.PAUSED if paused else RunStatus.RUNNING
        if not await self._ground.store.paused(strategy_id, live.run.run_id, status):
            raise NotNow(NOT_RUNNING)
        live.made = await self.get(strategy_id)
        kind = EventKind.RUN_PAUSED if paused else EventKind.RUN_RESUMED
        self.registry.tell(live, kind, f"By {by}.")
        self._work.wake(live)
        return live.made

    async def lock_webhook(self, strategy_id: int, locked: bool, by: str) -> MadeStrategy:
        """Its webhook takes nothing; locking also closes what it holds: the lock first."""
        await self.get(strategy_id)
        await self._ground.store.lock(strategy_id, locked, self._ground.clock.now())
        made = await self.get(strategy_id)
        kind = EventKind.WEBHOOK_LOCKED if locked else EventKind.WEBHOOK_UNLOCKED
        self._tell(made, kind, f"By {by}.", Severity.WARN if locked else Severity.INFO)
        live = self.registry.live.get(strategy_id)
        if locked and live is not None:
            self._exits.leave(live, StopReason.MANUAL, f"The webhook was locked by {by}.")
            self._work.wake(live)
        return made

    async def signal(
        self,
        strategy_id: int,
        signal: Signal,
        by: str,
        *,
        leg_id: int | None = None,
        symbol: str = "",
        exchange: str = "",
        webhook_event_id: int | None = None,
    ) -> SignalAnswer:
        """One alert moves one leg; of a batch ``start`` and ``stop`` only. Raises
        :class:`ConfigError` that names what does not fit, :class:`NotNow`, :class:`OrderError`
        where an entry was refused."""
        made = await self.get(strategy_id)
        batch = made.definition.kind is StrategyKind.BATCH
        if signal.of_batch is not batch:
            words = ", ".join(row.value for row in Signal if row.of_batch is batch)
            raise ConfigError(f"action: a {made.definition.kind.value} strategy takes {words}.")
        if signal is Signal.START:
            mode = Mode.LIVE if made.live_enabled else Mode.SANDBOX
            started = await self.start(
                strategy_id, mode, TriggerSource.WEBHOOK, by, webhook_event_id=webhook_event_id
            )
            return SignalAnswer(result="ok", run_id=started.run_id)
        if signal is Signal.STOP:
            stopped = await self.stop(strategy_id, by)
            return SignalAnswer(result="ok", run_id=stopped.run_id)
        leg = _leg(made, leg_id, symbol, exchange)
        async with self._lock(strategy_id):
            made = await self.get(strategy_id)
            return await self._starter.signal(made, signal, leg, webhook_event_id)

    # -- records ----------------------------------------------------------------------------
    async def run(self, run_id: int) -> Run | None:
        """One run; of one that is on as it is now."""
        for live in self.registry.live.values():
            if live.run.run_id == run_id:
                return self.registry.with_figures(live)
        return await self._ground.store.run(run_id)

    async def runs(self, strategy_id: int, limit: int) -> Sequence[Run]:
        """Newest first."""
        await self.get(strategy_id)
        rows = await self._ground.store.runs(strategy_id, limit)
        live = self.registry.live.get(strategy_id)
        if live is None:
            return rows
        now = self.registry.with_figures(live)
        return [now if row.run_id == now.run_id else row for row in rows]

    async def orders(self, strategy_id: int, run_id: int | None) -> Sequence[RunOrder]:
        """Oldest first."""
        await self.get(strategy_id)
        await self.recorder.written()
        return await self._ground.store.orders(strategy_id, run_id)

    async def events(
        self,
        strategy_id: int,
        run_id: int | None,
        kind: EventKind | None,
        severity: Severity | None,
        limit: int,
    ) -> Sequence[RunEvent]:
        """Newest first."""
        await self.get(strategy_id)
        await self.recorder.written()
        return await self._ground.store.events(strategy_id, run_id, kind, severity, limit)

    def view(self, strategy_id: int) -> RunView | None:
        """Live state of the run; None when it does not run."""
        live = self.registry.live.get(strategy_id)
        if live is None:
            return None
        self.registry.with_figures(live)
        return live.view()


def _leg(made: MadeStrategy, leg_id: int | None, symbol: str, exchange: str) -> SignalLeg:
    """The leg that a signal means: by its number, else by its instrument."""
    legs = [leg for leg in made.definition.legs if isinstance(leg, SignalLeg)]
    if leg_id is not None:
        found = [leg for leg in legs if leg.leg_id == leg_id]
        what = f"leg_id: the strategy has no leg {leg_id}."
    else:
        found = [leg for leg in legs if (leg.symbol, leg.exchange) == (symbol, exchange)]
        what = f"symbol: the strategy has no leg of {exchange}:{symbol}."
    if not found:
        raise ConfigError(what)
    return found[0]
