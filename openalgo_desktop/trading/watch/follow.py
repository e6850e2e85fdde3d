"""What orders and positions do to exit plans: fills of entries and exits, a position that was
closed elsewhere, resting orders that must not outlive it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

import msgspec

from openalgo_desktop.core import exit_rules as rules
from openalgo_desktop.core.enums import JournalState, Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import OrderUpdated
from openalgo_desktop.core.exits import ExitPlan, PlanState
from openalgo_desktop.core.model import Order, Trade
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.trading.books import in_turns
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.watch.apart import apart
from openalgo_desktop.trading.watch.delivered import Delivered
from openalgo_desktop.trading.watch.drive import Driver
from openalgo_desktop.trading.watch.sent import SentOrders
from openalgo_desktop.trading.watch.shelf import TURN, Shelf

log = logging.getLogger(__name__)


class Follower:
    """Keeps exit plans true to what is held. A plan is *checked* once it was compared with the
    books of its account; before that no price moves it."""

    def __init__(
        self,
        desk: OrderDesk,
        shelf: Shelf,
        sent: SentOrders,
        driver: Driver,
        delivered: Delivered,
    ) -> None:
        self._desk = desk
        self._delivered = delivered
        self._shelf = shelf
        self._sent = sent
        self._driver = driver
        self._checked: set[str] = set()
        self._checking: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self.sending: set[str] = set()  # brackets whose entry is on its way
        self._retry: set[str] = set()  # a comparison that failed
        self._shrinking: dict[str, asyncio.Task[None]] = {}  # by order id
        self._shrink_again: dict[str, ExitPlan] = {}  # asked while it shrinks

    async def stop(self) -> None:
        """End what is under way."""
        tasks = [*self._checking.values(), *self._shrinking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def is_checked(self, plan: ExitPlan) -> bool:
        """Whether it was compared with the books since the program (or its account) came."""
        return plan.plan_id in self._checked

    def believe(self, plan: ExitPlan) -> None:
        """A plan that was made from the books just now."""
        self._checked.add(plan.plan_id)

    def doubt(self, mode: Mode | None = None) -> None:
        """Another account, a new connection or a new day: compare all plans again."""
        for plan in tuple(self._shelf.exits.values()):
            if mode in (None, plan.mode):
                self._checked.discard(plan.plan_id)
                self.check(plan)

    async def look(self) -> None:
        """Compare what is not compared yet, and find entries that nobody told of; in turns."""
        async for part in in_turns(tuple(self._shelf.exits), TURN):
            for plan_id in part:
                plan = self._shelf.exits.get(plan_id)
                if plan is not None and self._is_due(plan):
                    self.check(plan)

    def _is_due(self, plan: ExitPlan) -> bool:
        waits = plan.state is PlanState.WAITING and not plan.entries
        waits = waits or plan.moving is not None
        return waits or plan.plan_id in self._retry or plan.plan_id not in self._checked

    async def compare_all(self, mode: Mode) -> None:
        """The positions of a mode are others: compare what is checked already; in turns."""
        async for part in in_turns(tuple(self._shelf.exits), TURN):
            for plan_id in part:
                plan = self._shelf.exits.get(plan_id)
                if plan is not None and plan.mode is mode and self.is_checked(plan):
                    self.compare(plan)

    async def corrected(self, tag: str) -> None:
        """An entry that was told as refused is at the exchange after all: its plan lives."""
        plan_id = await self._sent.plan_of(tag)
        plan = self._shelf.ended(plan_id)
        if isinstance(plan, ExitPlan) and plan.state is PlanState.CANCELLED:
            self.check(self._shelf.end(plan, "the entry arrived after all", PlanState.WAITING))

    # -- orders -----------------------------------------------------------------------------
    def on_order(self, event: OrderUpdated) -> None:
        """An order of any origin changed."""
        for plan in self._shelf.exits_of(event.order.key):
            if plan.mode is event.mode and plan.account_id == event.account_id:
                self._take(plan, event.order, event.trade)

    def entered(
        self, plan: ExitPlan, order_id: str, order: Order | None, traded: float = 0.0
    ) -> ExitPlan:
        """What an entry order has filled. Where nobody tells its average, a trade of it, the
        position or its own limit does."""
        filled = order.filled_quantity if order is not None else 0
        average = order.average_price if order is not None else 0.0
        if filled and average <= 0:
            row = self._desk.books.book(plan.mode).positions.get(plan.position)
            held_at = row.average_price if row is not None else 0.0
            limit = plan.request.price if plan.request is not None else 0.0
            average = traded or held_at or limit
        return rules.entered(plan, order_id, filled, average)

    def _take(self, plan: ExitPlan, order: Order, trade: Trade | None) -> None:
        order_id = order.order_id
        after = plan
        if order.source == plan.exit_source or order_id in plan.exits:
            after = rules.exited(plan, order_id, order.filled_quantity)
            self._sent.note(plan.exit_source, (order_id,))
        elif order_id in plan.entries:
            after = self.entered(plan, order_id, order, trade.price if trade is not None else 0.0)
        elif order_id in plan.orders and order.status.is_final:
            orders = tuple(name for name in plan.orders if name != order_id)
            after = msgspec.structs.replace(plan, orders=orders)
        after = self._driver.settle(after)
        if after is not plan:
            after = self._shelf.put(after)
        self.compare(after)
        if after.state is PlanState.EXITING:
            self._driver.go(after.plan_id)

    def compare(self, plan: ExitPlan) -> None:
        """The plan beside our own book: what grew is taken, what shrank is asked for first, for
        the book may be behind, and a stop that is ended wrongly protects nobody."""
        if not plan.state.is_open:
            self.ended(plan)
            return
        if plan.moving is not None:  # until it is known where the units are, nothing proves it
            return
        row = self._desk.books.book(plan.mode).positions.get(plan.position)
        units = self._delivered.held(plan, row.quantity if row is not None else 0)
        here = max(0, units * plan.side)
        if plan.whole and row is not None and here > plan.held:
            plan = self._shelf.put(rules.positioned(plan, row.quantity, row.average_price))
        elif here < plan.held or (not plan.held and plan.state is not PlanState.WAITING):
            self.check(plan)
        elif plan.state is PlanState.WAITING and plan.entries:
            self._end_if_over(plan)
        self._trim(plan)

    # -- comparing with the books ---------------------------------------------------------------
    def check(self, plan: ExitPlan) -> None:
        """Read the books of the plan's account and make the plan true to them."""
        plan_id = plan.plan_id
        if plan_id in self._checking:
            self._again.add(plan_id)
            return
        task = apart(self._check(plan_id), f"check of exit {plan_id}")
        self._checking[plan_id] = task
        task.add_done_callback(lambda _: self._checked_now(plan_id))

    def _checked_now(self, plan_id: str) -> None:
        task = self._checking.pop(plan_id)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.error("exit plan %s could not be compared", plan_id, exc_info=error)
        plan = self._shelf.exits.get(plan_id)
        if plan_id in self._again and plan is not None:
            self._again.discard(plan_id)
            self.check(plan)

    async def _check(self, plan_id: str) -> None:
        plan = self._shelf.exits.get(plan_id)
        gateway = self._driver.gateway(plan) if plan is not None else None
        if plan is None or gateway is None:
            return
        self._retry.discard(plan_id)
        try:
            if plan.state is PlanState.WAITING or plan_id not in self._checked:
                await self._link(plan, gateway)
            plan = self._shelf.exits.get(plan_id, plan)
            if plan.fired_at is not None:
                sent = await self._sent.of(plan, plan.fired_at, gateway, known=plan.exits)
                plan = self._driver.count(self._shelf.exits.get(plan_id, plan), sent)
            if plan.moving is not None:
                plan = await self._settle_move(plan, gateway)
            if plan.moving is not None:
                self._checked.add(plan_id)  # what its legs reach goes out where the units are
                if plan.state is PlanState.EXITING:
                    self._driver.go(plan_id)
                return
            view = await self._desk.under_way.view(plan.mode, gateway, plan.position)
            await self._delivered.read(plan, gateway)
        except AppError as error:
            log.info("exit plan %s is not compared yet: %s", plan_id, error)
            self._retry.add(plan_id)
            return
        current = self._shelf.exits.get(plan_id)
        if current is None:
            return
        if current.places != plan.places:  # converted meanwhile: that was another position
            self._again.add(plan_id)
            return
        self._checked.add(plan_id)
        self.hold(current, self._delivered.held(current, view.held))

    async def _settle_move(self, plan: ExitPlan, gateway: TradingGateway) -> ExitPlan:
        """What became of the conversion of a plan's position, by the journal; what no book of
        orders showed is asked of the positions."""
        move = plan.moving
        assert move is not None
        state = await self._sent.state_of(move.tag, move.at)
        if state in (JournalState.INTENT, JournalState.UNKNOWN):
            return plan
        done = state is JournalState.ACKNOWLEDGED
        if not done and move.alone:
            here, there = [
                (await self._desk.under_way.view(plan.mode, gateway, place)).held * plan.side
                for place in plan.places
            ]
            done = here <= 0 < there
        current = self._shelf.exits.get(plan.plan_id)
        if current is None or current.moving != move:
            return current or plan
        if done:
            current = rules.converted(current, move.to, alone=move.alone)
        return self._shelf.put(msgspec.structs.replace(current, moving=None))

    def moved(self, plan: ExitPlan) -> None:
        """A conversion of the plan's position has ended."""
        self.check(plan)
        if plan.state is PlanState.EXITING:
            self._driver.go(plan.plan_id)

    def hold(self, plan: ExitPlan, units: int) -> None:
        """The position is surely ``units`` (signed)."""
        row = self._desk.books.book(plan.mode).positions.get(plan.position)
        average = row.average_price if row is not None and row.quantity == units else 0.0
        after = self._driver.settle(rules.positioned(plan, units, average))
        if after is not plan:
            after = self._shelf.put(after)
        if after.state.is_open and not after.held:
            self._end_if_over(after)
        elif after.state is PlanState.EXITING:
            self._driver.go(after.plan_id)
        after = self._shelf.exits.get(plan.plan_id, after)
        if after.state.is_open:
            self._trim(after)

    def _end_if_over(self, plan: ExitPlan) -> None:
        """Nothing is held: the plan ends, unless its entry may still fill."""
        if plan.held or not plan.state.is_open:
            return
        if self._driver.entry_works(plan):
            if plan.state is not PlanState.WAITING:
                plan = msgspec.structs.replace(plan, firing=None)
                self._shelf.end(plan, "waits for more fills", PlanState.WAITING)
            return
        if plan.state is PlanState.WAITING and not any(units for units, _ in plan.entries.values()):
            if plan.entries:
                self.ended(self._shelf.end(plan, "the entry was not filled", PlanState.CANCELLED))
            return
        plan = msgspec.structs.replace(plan, firing=None)
        self.ended(self._shelf.end(plan, "the position is closed"))

    async def _link(self, plan: ExitPlan, gateway: TradingGateway) -> None:
        """Know the entry orders of a bracket, by the journal, and what they filled."""
        if plan.request is None:
            return
        rows = await self._sent.entries_of(plan)
        for row in rows:
            if not row.order_id:
                continue
            order = await self._sent.order(row.order_id, plan.mode, gateway)
            current = self._shelf.exits.get(plan.plan_id)
            if current is None:
                return
            if row.state is JournalState.ACKNOWLEDGED:
                after = self.entered(current, row.order_id, order)
                if after is not current:
                    self._shelf.put(after)
        current = self._shelf.exits.get(plan.plan_id)
        if current is None or current.entries or current.state is not PlanState.WAITING:
            return
        if plan.plan_id in self.sending:
            return
        if all(row.state is JournalState.REJECTED for row in rows):
            text = "the entry was refused" if rows else "the entry was never sent"
            self._shelf.end(current, text, PlanState.CANCELLED)

    # -- resting orders -------------------------------------------------------------------------
    def _trim(self, plan: ExitPlan) -> None:
        """Resting orders of the plan are never larger than what it protects."""
        book = self._desk.books.book(plan.mode)
        for order_id in plan.orders:
            order = book.orders.get(order_id)
            if order is not None and order.status.is_working:
                more = order.pending_quantity - plan.held
                if more > 0 and not order.settling:
                    self._shrink(plan, order_id, more)

    def ended(self, plan: ExitPlan) -> None:
        """What protected the position goes with the plan."""
        self._checked.discard(plan.plan_id)
        self._delivered.forget(plan.plan_id)
        self.let_go(plan, plan.orders)

    def let_go(self, plan: ExitPlan, orders: Iterable[str]) -> None:
        """Cancel resting orders of a plan."""
        book = self._desk.books.book(plan.mode)
        for order_id in orders:
            order = book.orders.get(order_id)
            if order is not None and not order.status.is_final:
                self._shrink(plan, order_id, order.pending_quantity)

    def _shrink(self, plan: ExitPlan, order_id: str, less: int) -> None:
        if order_id in self._shrinking:
            self._shrink_again[order_id] = plan
            return
        task = apart(self._do_shrink(plan, order_id, less), f"trim {order_id}")
        self._shrinking[order_id] = task
        task.add_done_callback(lambda _: self._shrunk(order_id))

    def _shrunk(self, order_id: str) -> None:
        """It is smaller now; what was wanted meanwhile comes after it."""
        cancelled = self._shrinking.pop(order_id).cancelled()
        asked = self._shrink_again.pop(order_id, None)
        if asked is None or cancelled:
            return
        plan = self._shelf.exits.get(asked.plan_id)
        if plan is not None and plan.state.is_open and order_id in plan.orders:
            self._trim(plan)
        else:
            self.let_go(asked, (order_id,))

    async def _do_shrink(self, plan: ExitPlan, order_id: str, less: int) -> None:
        try:
            await self._desk.exits.shrink(order_id, less, plan.exit_source, plan.mode)
        except AppError as error:
            log.warning("order %s outlives its position: %s", order_id, error.message)
