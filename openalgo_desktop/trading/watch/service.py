"""The watch: makes, changes and ends plans, and gives them prices, orders and positions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from openalgo_desktop.core import exit_rules as rules
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import AccountState, Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import (
    AccountChanged,
    BooksDiffer,
    Bus,
    ExitPlanChanged,
    KillSwitchChanged,
    Notice,
    OrderCorrected,
    OrderSettled,
    OrderUpdated,
    PositionsChanged,
)
from openalgo_desktop.core.exits import (
    AnyPlan,
    ExitPlan,
    PlanState,
    ResultExit,
)
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import InstrumentLookup, OrderJournal, PlanStore, TickSource
from openalgo_desktop.trading.books import in_turns
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.watch import valuing
from openalgo_desktop.trading.watch.apart import apart
from openalgo_desktop.trading.watch.brackets import Brackets
from openalgo_desktop.trading.watch.commands import Commands
from openalgo_desktop.trading.watch.delivered import Delivered
from openalgo_desktop.trading.watch.drive import Driver
from openalgo_desktop.trading.watch.follow import Follower
from openalgo_desktop.trading.watch.legs import Legs
from openalgo_desktop.trading.watch.moves import Moves
from openalgo_desktop.trading.watch.prices import Prices
from openalgo_desktop.trading.watch.results import Results
from openalgo_desktop.trading.watch.sent import SentOrders
from openalgo_desktop.trading.watch.shelf import TURN, Shelf
from openalgo_desktop.trading.watch.triggers import Triggers

log = logging.getLogger(__name__)
P = TypeVar("P", bound=AnyPlan)

#: How often plans are looked after between events: comparisons that failed, blind stops, trailing
#: stops to be stored; seconds.
LOOK = 2.0


class Watch:
    """Exit plans and local triggers of both modes, watched while the program runs."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        desk: OrderDesk,
        journal: OrderJournal,
        instruments: InstrumentLookup,
        ticks: TickSource,
        store: PlanStore,
        is_open: Callable[[str], bool],
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._desk = desk
        self._instruments = instruments
        self._shelf = Shelf(clock, bus, store)
        self._prices = Prices(clock, ticks, is_open, self._heard)
        sent = SentOrders(clock, journal, desk)
        delivered = Delivered(clock)
        self._driver = Driver(clock, bus, desk, self._shelf, sent, delivered)
        self._follower = Follower(desk, self._shelf, sent, self._driver, delivered)
        self._triggers = Triggers(clock, bus, desk, self._shelf, sent, instruments)
        self._results = Results(clock, bus, desk, self._shelf, sent, self._prices)
        brackets = Brackets(clock, instruments, self._shelf, self._prices, self._follower)
        self.commands = Commands(
            clock,
            desk,
            instruments,
            self._shelf,
            self._prices,
            self._driver,
            self._follower,
            brackets,
            self._results,
        )
        #: What strategies ask.
        self.legs = Legs(
            desk, self._shelf, self._prices, self._driver, self._follower, brackets, self._heard
        )
        #: What conversions of positions tell.
        self.moves = Moves(clock, self._shelf, self._follower)
        self._shelf.on_key = self._want
        self._result_keys: set[Key] = set()
        self._result_plans: dict[str, tuple[object, ...]] = {}  # as they were last told
        self._blind: set[Key] = set()
        self._bands: dict[str, tuple[ExitPlan, Decimal, Decimal]] = {}
        self._connected: set[str] = set()  # accounts, as their last event told
        self._day: date | None = None
        self._stops: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()  # look now
        self._moved: set[Mode] = set()  # whose positions are to be compared
        self._comparing = False
        self._tasks: set[asyncio.Task[None]] = set()

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Take up the plans of earlier runs. After the desk: its books are compared with first."""
        await self._shelf.load()
        self._day = self._clock.now().date()
        subscribe = self._bus.subscribe
        self._stops = [
            subscribe(OrderUpdated, self._on_order),
            subscribe(PositionsChanged, self._on_positions),
            subscribe(BooksDiffer, lambda event: self._follower.doubt(event.mode)),
            subscribe(OrderSettled, lambda event: self._wake.set()),
            subscribe(OrderCorrected, lambda event: self._own(self._follower.corrected(event.tag))),
            subscribe(AccountChanged, self._on_account),
            subscribe(ExitPlanChanged, self._on_plan),
            subscribe(KillSwitchChanged, self._on_kill),
        ]
        self._follower.doubt()
        self._triggers.expire(self._day)
        self._triggers.start()
        self._results.start()
        self._want_results()
        self._task = asyncio.create_task(self._run(), name="watch")

    async def stop(self) -> None:
        """Watch no more. Plans stay, and so does what was sent."""
        for stop in self._stops:
            stop()
        self._prices.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for part in (self._driver, self._follower, self._triggers, self._results):
            await part.stop()
        for task in tuple(self._tasks):
            task.cancel()
        self._shelf.flush()

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = apart(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._look()
            except Exception:
                log.exception("looking after the exit plans failed; going on")

    async def _look(self) -> None:
        """Everything that is watched, in turns of the loop: there may be a thousand plans."""
        self._shelf.flush()
        today = self._clock.now().date()
        if today != self._day:
            self._day = today
            self._triggers.expire(today)
            self._follower.doubt()
        await self._follower.look()
        await self._triggers.look()
        with contextlib.suppress(valuing.BookMoves):  # what an update moved was looked at with it
            before = self._result_keys
            keys = await self._results.keys_in_turns()
            if self._result_keys is before:  # no plan and no order came meanwhile
                self._want_all(keys)
        self._results.touch()
        blind: set[Key] = set()
        async for part in in_turns(self._prices.wanted, TURN):
            for key in part:  # a fill or a comparison may have come after the last tick
                if (price := self._prices.now(key)) is not None:
                    self._heard(key, price)
                if self._is_blind(key):
                    blind.add(key)
        self._blind = blind

    def _is_blind(self, key: Key) -> bool:
        """A stop whose price nobody knows protects nobody: that is said once."""
        plans = [p for p in self._shelf.exits_of(key) if p.state is PlanState.ACTIVE]
        if not plans or not self._prices.blind(key):
            return False
        if key not in self._blind:
            text = f"The price of {key[1]} is not known: its stops and targets see nothing."
            log.warning("%s", text)
            self._bus.publish(Notice(level="error", text=text, at=self._clock.now()))
        return True

    # -- events -----------------------------------------------------------------------------
    def _want(self, key: Key) -> None:
        self._prices.want(key, self._shelf.wants(key) or key in self._result_keys)

    def _want_results(self) -> None:
        self._want_all(self._results.keys())

    def _want_result(self, key: Key) -> None:
        if self._results.needs(key) != (key in self._result_keys):
            self._want_all(self._result_keys ^ {key})

    def _want_all(self, keys: set[Key]) -> None:
        before = self._result_keys
        self._result_keys = keys
        for key in keys ^ before:
            self._want(key)

    def _heard(self, key: Key, price: Decimal) -> None:
        for plan in self._shelf.exits_of(key):
            if self._follower.is_checked(plan):
                self._price(plan, price)
        for plan in self._shelf.unders_of(key):
            due = rules.look_under(plan, price) if self._follower.is_checked(plan) else None
            if due is not None and self._driver.gateway(plan) is not None:
                self._driver.fire(plan, due, price)
        for trigger in self._shelf.triggers_of(key):
            if self._shelf.is_stored(trigger):
                self._triggers.heard(trigger, price)
        if key in self._result_keys:
            self._results.touch()

    def _price(self, plan: ExitPlan, price: Decimal) -> None:
        known = self._bands.get(plan.plan_id)
        if known is None or known[0] is not plan:
            known = self._bands[plan.plan_id] = (plan, *rules.band(plan))
        if known[1] < price < known[2]:
            return
        after, due = rules.look(plan, price)
        if due is not None:
            if self._driver.gateway(plan) is not None:
                self._driver.fire(after, due, price)
        elif after is not plan:
            self._shelf.put(after, quiet=True)

    def _on_order(self, event: OrderUpdated) -> None:
        self._follower.on_order(event)
        if self._shelf.results:
            self._want_result(event.order.key)
            self._results.touch()

    def _on_plan(self, event: ExitPlanChanged) -> None:
        if not event.plan.state.is_open:
            self._bands.pop(event.plan.plan_id, None)
        plan = event.plan
        if plan.plan_id in self._shelf.results or not plan.symbol:
            known = (plan.state, plan.mode, plan.account_id, plan.label)
            if self._result_plans.get(plan.plan_id) != known:  # not for each step of a trail
                self._result_plans[plan.plan_id] = known
                self._want_results()
            if not plan.state.is_open:
                self._result_plans.pop(plan.plan_id, None)
            self._results.touch()

    def _on_kill(self, event: KillSwitchChanged) -> None:
        if event.tripped and event.report is None:
            self._triggers.stop_all(self._desk.mode, "cancelled by the kill switch")

    def _on_positions(self, event: PositionsChanged) -> None:
        self._moved.add(event.mode)
        if not self._comparing:
            self._comparing = True
            self._own(self._compare())

    async def _compare(self) -> None:
        """Once more for each mode whose positions changed meanwhile."""
        try:
            while self._moved:
                await self._follower.compare_all(self._moved.pop())
        except Exception:
            log.exception("comparing the exit plans with the positions failed; going on")
        finally:
            self._comparing = False

    def _on_account(self, event: AccountChanged) -> None:
        account = event.status.account_id
        if event.status.state is not AccountState.CONNECTED:
            self._connected.discard(account)
            return
        came_back = account not in self._connected
        self._connected.add(account)
        self._follower.doubt(Mode.LIVE)
        self._triggers.doubt(Mode.LIVE)
        if not came_back:  # it took another role, say: that is no reason to send what was refused
            return
        for plan in tuple(self._shelf.exits.values()):
            if plan.state is PlanState.FAILED and plan.account_id == account:
                self._driver.retry(plan)

    # -- asking -----------------------------------------------------------------------------
    def plans(self, mode: Mode | None = None) -> list[AnyPlan]:
        """Open plans and triggers of a mode (of both when None), then ended ones, newest first."""
        return self._shelf.all(mode)

    def of(self, key: Key, mode: Mode) -> list[AnyPlan]:
        """Open exit plans and triggers of an instrument in a mode and the account that takes its
        orders now, newest first; it costs what there is of the instrument."""
        return self._of_account(self._shelf.of(key, mode), mode)

    def plan(self, plan_id: str) -> AnyPlan:
        """One of them; raises :class:`OrderNotFound`."""
        return self._shelf.get(plan_id)

    @property
    def waiting(self) -> int:
        """Plans and triggers of both modes that nobody watches while the program is not there."""
        return len(self._shelf.exits) + len(self._shelf.triggers) + len(self._shelf.results)

    def of_position(self, position: PositionKey, mode: Mode) -> list[ExitPlan]:
        """Open exit plans of a position, in the account that takes the orders of the mode now:
        one of another account protects nothing of what is held here."""
        return self._of_account(self._shelf.of_position(position, mode), mode)

    def _of_account(self, plans: list[P], mode: Mode) -> list[P]:
        if not plans:
            return plans
        try:
            account = self._desk.gateway_of(mode).account_id
        except AppError:  # none: they are the last one's
            return plans
        return [plan for plan in plans if plan.account_id == account]

    def result(self, plan: ResultExit) -> Decimal | None:
        """Today's result that an exit by result looks at, rupees; None while it is not known."""
        return self._results.result(plan)

    def today(self, label: str, mode: Mode) -> Decimal | None:
        """Today's result of a label, or of the account without one; None while it is not known."""
        return self._results.today(label, mode)

    def trouble(self, plan: AnyPlan) -> str:
        """Why an open plan watches nothing just now; empty when it does."""
        if plan.state is PlanState.PAUSED:
            return "It is paused: nothing is watched."
        if plan.state is PlanState.FAILED:
            return plan.message
        try:
            account = self._desk.gateway_of(plan.mode).account_id
        except AppError as error:
            return error.message
        if account != plan.account_id:
            return f"Its account {plan.account_id} does not take the orders now."
        match plan:
            case ResultExit():
                return self._results.trouble(plan)
        if plan.symbol and self._prices.blind(plan.key):
            return "The price is not known."
        if plan.symbol and not self._prices.trades(plan.exchange):
            return f"{plan.exchange} is closed."
        return ""
