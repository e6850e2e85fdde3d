"""Exits by result: the day's profit of a label or of the account reaches a loss or a profit.

Worked out a few times a second from fresh prices of everything that is held; while one of them is
not known the result is not known either, and nothing goes out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

import msgspec

from openalgo_desktop.core import exit_rules as rules
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import Bus, Notice
from openalgo_desktop.core.exits import Firing, PlanState, ResultExit
from openalgo_desktop.core.model import SQUARE_OFF_STRATEGY, Key, can_close
from openalgo_desktop.core.money import group_indian
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.trading.books import in_turns
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.ownbook import OwnBook, PositionKey
from openalgo_desktop.trading.watch import valuing
from openalgo_desktop.trading.watch.apart import apart, apart_later
from openalgo_desktop.trading.watch.prices import Prices
from openalgo_desktop.trading.watch.sent import SentOrders
from openalgo_desktop.trading.watch.shelf import Shelf

log = logging.getLogger(__name__)

#: Results are worked out anew this often at most; seconds.
EVERY = 0.25
#: A result that is unknown so long is told; seconds.
BLIND_AFTER = 5.0
#: Pauses between rounds of closing; after the last one a human is called. Seconds.
AGAIN = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
_PAISE = Decimal("0.01")


class Results:
    """The exits by result of one desk."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        desk: OrderDesk,
        shelf: Shelf,
        sent: SentOrders,
        prices: Prices,
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._desk = desk
        self._shelf = shelf
        self._sent = sent
        self._prices = prices
        self._due: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._wanted = False  # a look after the one under way
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._results: dict[str, Decimal | None] = {}
        self._blind: dict[str, float] = {}  # result unknown since, monotonic; infinite: told

    async def stop(self) -> None:
        """End; the next start goes on with what was being closed."""
        if self._due is not None:
            self._due.cancel()
        tasks = list(self._tasks.values())
        if self._looking is not None:
            tasks.append(self._looking)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def start(self) -> None:
        """Go on with what an earlier run was closing."""
        for plan in tuple(self._shelf.results.values()):
            if plan.state is PlanState.EXITING:
                self._go(plan)

    def result(self, plan: ResultExit) -> Decimal | None:
        """The last result of a plan in rupees, None while it is not known."""
        return self._results.get(plan.plan_id)

    def keys(self) -> set[Key]:
        """Instruments whose prices are needed."""
        found: set[Key] = set()
        for plan in self._shelf.results.values():
            if plan.state is PlanState.ACTIVE and self._gateway(plan) is not None:
                found |= _held(plan.label, self._desk.books.book(plan.mode))
        return found

    async def keys_in_turns(self) -> set[Key]:
        """:meth:`keys`; raises :class:`valuing.BookMoves`."""
        found: set[Key] = set()
        for plan in tuple(self._shelf.results.values()):
            if plan.state is PlanState.ACTIVE and self._gateway(plan) is not None:
                found |= await valuing.held(self._desk.books.book(plan.mode), plan.label)
        return found

    def needs(self, key: Key) -> bool:
        """Whether the price of an instrument is needed."""
        return any(
            valuing.holds(self._desk.books.book(plan.mode), plan.label, key)
            for plan in self._shelf.results.values()
            if plan.state is PlanState.ACTIVE and self._gateway(plan) is not None
        )

    def touch(self) -> None:
        """A price or a position moved: look soon."""
        if self._shelf.results and self._due is None:
            self._due = apart_later(EVERY, self._look)

    def _look(self) -> None:
        self._due = None
        if self._looking is not None:  # of many positions, on a machine that is slow now
            self._wanted = True
            return
        self._looking = apart(self._look_at_all(), "exits by result")
        self._looking.add_done_callback(self._looked)

    def _looked(self, task: asyncio.Task[None]) -> None:
        self._looking = None
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.error("looking after the exits by result failed; going on", exc_info=error)
        if self._wanted:
            self._wanted = False
            self.touch()

    async def _look_at_all(self) -> None:
        for plan_id in tuple(self._shelf.results):
            plan = self._looked_after(plan_id)
            if plan is None:
                continue
            book = self._desk.books.book(plan.mode)
            value = await self._value_in_turns(plan.label, book)
            # Whoever changed it meanwhile means another one; its own look comes.
            if (
                self._looked_after(plan_id) is not plan
                or self._desk.books.book(plan.mode) is not book
            ):
                continue
            self._results[plan_id] = value
            self._judge(plan, book, value)

    def _looked_after(self, plan_id: str) -> ResultExit | None:
        plan = self._shelf.results.get(plan_id)
        if plan is None or plan.state is not PlanState.ACTIVE or self._gateway(plan) is None:
            return None
        return plan if self._shelf.is_stored(plan) else None

    def _judge(self, plan: ResultExit, book: OwnBook, value: Decimal | None) -> None:
        if value is None:
            self._tell_blind(plan)
            return
        self._blind.pop(plan.plan_id, None)
        after, leg = rules.result_due(plan, value, self._clock.now().date())
        if after is not plan:
            after = self._shelf.put(after, quiet=True)
        if leg and any(self._prices.trades(key[0]) for key in _held(plan.label, book)):
            self._fire(after, leg, value)

    def trouble(self, plan: ResultExit) -> str:
        """Why its result is not known now; empty when it is."""
        book = self._desk.books.book(plan.mode)
        if book.day != self._clock.now().date():
            return "The books of today are not read yet."
        for key in _held(plan.label, book):
            if self._price(key, book) is None:
                return f"The price of {key[1]} is not known."
        return ""

    def _price(self, key: Key, book: OwnBook) -> float | None:
        """Where what is held counts. Of a closed market that nobody streams the account's own last
        price does."""
        if (price := self._prices.value(key)) is not None:
            return float(price)
        if self._prices.trades(key[0]):
            return None
        rows = (book.positions.get((*key, product)) for product in Product)
        return next((row.ltp for row in rows if row is not None and row.ltp > 0), None)

    def _tell_blind(self, plan: ResultExit) -> None:
        """An exit whose result nobody knows closes nothing: that is said once."""
        now = self._clock.monotonic()
        if now - self._blind.setdefault(plan.plan_id, now) < BLIND_AFTER:
            return
        self._blind[plan.plan_id] = float("inf")
        book = self._desk.books.book(plan.mode)
        if any(self._prices.trades(key[0]) for key in _held(plan.label, book)):
            self._tell(plan, f"{self.trouble(plan)} Until it is, nothing is closed.", "error")

    def today(self, label: str, mode: Mode) -> Decimal | None:
        """Today's result of a label, or of the account without one, rupees; None while it is not
        known."""
        return self._value(label, self._desk.books.book(mode))

    async def asked(self, label: str, mode: Mode) -> Decimal | None:
        """The same; prices that are not streamed are asked for."""
        book = self._desk.books.book(mode)
        prices = {
            key: price
            for key in _held(label, book)
            if self._price(key, book) is None and (price := await self._prices.ask(key))
        }
        return self._value(label, self._desk.books.book(mode), prices)

    def _value(
        self, label: str, book: OwnBook, asked: Mapping[Key, Decimal] = MappingProxyType({})
    ) -> Decimal | None:
        if book.day != self._clock.now().date():  # its rows are of another day
            return None
        prices: dict[Key, float] = {}
        for key in _held(label, book):
            price = asked.get(key) or self._price(key, book)
            if price is None:
                return None
            prices[key] = float(price)
        total = book.strategy_profit(prices, label) if label else book.day_profit(prices)
        return _rupees(total)

    async def _value_in_turns(self, label: str, book: OwnBook) -> Decimal | None:
        """:meth:`_value`, and others have the loop meanwhile; at once of a book that does not
        stand still: an exit must not wait for that."""
        today = self._clock.now().date()
        try:
            total = await valuing.value(book, label, lambda key: self._price(key, book))
        except valuing.BookMoves:
            return self._value(label, book)
        return None if total is None or book.day != today else _rupees(total)

    def _fire(self, plan: ResultExit, leg: str, value: Decimal) -> None:
        text = f"{leg} reached at {group_indian(str(value))}: everything is being closed"
        firing = Firing(leg, 0, value, self._clock.now())
        plan = msgspec.structs.replace(plan, state=PlanState.EXITING, firing=firing, message=text)
        self._tell(self._shelf.put(plan), text, "warning")
        self._go(plan)

    def _go(self, plan: ResultExit) -> None:
        if plan.plan_id in self._tasks:
            return
        task = apart(self._run(plan.plan_id), f"exit {plan.plan_id}")
        self._tasks[plan.plan_id] = task
        task.add_done_callback(lambda _: self._over(plan.plan_id))

    def _over(self, plan_id: str) -> None:
        task = self._tasks.pop(plan_id)
        if task.cancelled():
            return
        plan = self._shelf.results.get(plan_id)
        if (error := task.exception()) is not None:
            log.error("exit %s failed", plan_id, exc_info=error)
            if plan is not None:
                self._end(plan, f"could not be closed: {error!r}", PlanState.FAILED)
        elif plan is not None and plan.state is PlanState.EXITING:
            self._go(plan)  # resumed and reached again between the end of the task and this call

    def _gateway(self, plan: ResultExit) -> TradingGateway | None:
        try:
            gateway = self._desk.gateway_of(plan.mode)
        except AppError:
            return None
        return gateway if gateway.account_id == plan.account_id else None

    # -- closing ----------------------------------------------------------------------------
    async def _run(self, plan_id: str) -> None:
        plan = self._shelf.results.get(plan_id)
        if plan is None:
            return
        await self._shelf.secure(plan)
        problems: list[str] = []
        attempts = 0
        while attempts < len(AGAIN):
            current = self._shelf.results.get(plan_id)
            if current is None or current.state is not PlanState.EXITING:
                return
            gateway = self._gateway(current)
            if gateway is None:
                problems = ["its account is not there"]
            else:
                problems = await self._round(current, gateway)
                if not problems:
                    self._end(current, f"{_leg(current)}: everything is closed", PlanState.DONE)
                    return
            await asyncio.sleep(AGAIN[attempts])
            if not self._desk.unsettled():  # an exit that is unknown is not tried again
                attempts += 1
        current = self._shelf.results.get(plan_id)
        if current is not None:
            text = f"{_leg(current)} was reached and not all could be closed: "
            text += "; ".join(problems[:3]) + ". Close it by hand."
            self._end(current, text, PlanState.FAILED)

    async def _round(self, plan: ResultExit, gateway: TradingGateway) -> list[str]:
        """Cancel and close once; what is still open, in sentences."""
        try:
            if plan.label:
                return await self._close_label(plan, gateway)
            return await self._close_account(plan, gateway)
        except AppError as error:
            return [error.message]

    async def _close_account(self, plan: ResultExit, gateway: TradingGateway) -> list[str]:
        source, mode = plan.exit_source, plan.mode
        async for some in in_turns(await gateway.orders()):
            for order in some:
                if order.status.is_working and not order.settling:
                    await self._cancel(plan, order.order_id)
        rows = await self._desk.under_way.open_positions(gateway)
        problems = []
        for key, units in rows.items():
            if not can_close(key[2], units):
                continue
            if why := self._stays(key):
                problems.append(why)
                continue
            problems.append(f"{key[1]} is still open")
            try:
                await self._desk.exits.close(
                    key, source, mode, standing=True, account=plan.account_id
                )
            except AppError as error:
                problems[-1] = f"{key[1]}: {error.message}"
        return problems

    def _stays(self, key: PositionKey) -> str:
        """Why a position cannot go out now: an order to a closed market may be kept for tomorrow by
        the broker."""
        return "" if self._prices.trades(key[0]) else f"{key[1]} stays, {key[0]} is closed"

    async def _close_label(self, plan: ResultExit, gateway: TradingGateway) -> list[str]:
        book = self._desk.books.book(plan.mode)
        problems = []
        for key, units in label_units(book, plan.label).items():
            if why := self._stays(key):
                problems.append(why)
                continue
            problems.append(f"{key[1]} is still open")
            for order in book.working(key):
                if order.strategy == plan.label and order.action.sign * units > 0:
                    await self._cancel(plan, order.order_id)
            fired = plan.firing.at if plan.firing is not None else plan.created_at
            sent = await self._sent.of(plan, fired, gateway, symbol=key[1])
            missing = abs(units) - sent.unfinished
            if missing <= 0:
                continue
            try:
                await self._desk.exits.close(
                    key,
                    plan.exit_source,
                    plan.mode,
                    at_most=missing,
                    strategy=plan.label or SQUARE_OFF_STRATEGY,
                    standing=True,
                    side=1 if units > 0 else -1,
                    account=plan.account_id,
                )
            except AppError as error:
                problems[-1] = f"{key[1]}: {error.message}"
        return problems

    async def _cancel(self, plan: ResultExit, order_id: str) -> None:
        try:
            await self._desk.cancel(order_id, plan.exit_source, plan.mode, standing=True)
        except AppError as error:
            log.warning("order %s was not cancelled: %s", order_id, error.message)

    def _end(self, plan: ResultExit, text: str, state: PlanState) -> None:
        level = "info" if state is PlanState.DONE else "error"
        self._tell(self._shelf.end(plan, text, state), text, level)

    def _tell(self, plan: ResultExit, text: str, level: str) -> None:
        line = f"Exit of {plan.label or 'the account'}: {text}"
        log.warning("%s", line)
        self._bus.publish(Notice(level=level, text=line, at=self._clock.now()))


def _leg(plan: ResultExit) -> str:
    return plan.firing.leg if plan.firing is not None else "the limit"


def _rupees(total: float) -> Decimal:
    return Decimal(str(total)).quantize(_PAISE)


def _held(label: str, book: OwnBook) -> set[Key]:
    return book.strategy_held(label) if label else book.held()


def label_units(book: OwnBook, label: str) -> dict[PositionKey, int]:
    """Signed units that a label still has: never more than the account holds on its side."""
    found: dict[PositionKey, int] = {}
    for key, net in book.strategies.get(label, {}).items():
        row = book.positions.get(key)
        account = row.quantity if row is not None else 0
        if net.quantity * account > 0:
            found[key] = (min if account > 0 else max)(net.quantity, account)
    return found
