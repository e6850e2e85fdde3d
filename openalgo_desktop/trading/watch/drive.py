"""Brings the leg of an exit plan out: sends what is missing, waits, tries again, gives up loudly.

One task for each plan that fired. What is missing is worked out anew each time from the plan, the
journal and the books; the sending itself is :class:`Exits`, under the lock of the position.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from decimal import Decimal

import msgspec

from openalgo_desktop.core import exit_rules as rules
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError, OrderStateUnknown
from openalgo_desktop.core.events import Bus, Notice
from openalgo_desktop.core.exits import ExitPlan, Firing, PlanState
from openalgo_desktop.core.model import SQUARE_OFF_STRATEGY
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.watch.apart import apart
from openalgo_desktop.trading.watch.delivered import Delivered
from openalgo_desktop.trading.watch.sent import Sent, SentOrders
from openalgo_desktop.trading.watch.shelf import Shelf

log = logging.getLogger(__name__)

#: Pauses between refused exits; after the last one a human is called. Seconds.
AGAIN = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 30.0)
#: How long news of an exit are waited for before the books are asked; seconds.
LOOK = 0.5
#: An exit that rests so long (a limit that the price ran away from) is taken back and sent anew.
CHASE = 10.0


class Driver:
    """The exits of all plans of one desk."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        desk: OrderDesk,
        shelf: Shelf,
        sent: SentOrders,
        delivered: Delivered,
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._desk = desk
        self._shelf = shelf
        self._sent = sent
        self._delivered = delivered
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._placed_at: dict[str, float] = {}  # exit orders of this run, monotonic

    async def stop(self) -> None:
        """Leave everything where it stands; the next start goes on."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def fire(self, plan: ExitPlan, due: rules.Due, price: Decimal) -> ExitPlan:
        """A leg was reached."""
        now = self._clock.now()
        firing = Firing(due.leg, due.left, price, now, due.hit)
        log.warning(
            "%s of %s was reached at %s: %s of %s units are to go",
            due.leg, plan.symbol, price, plan.held - due.left, plan.held,
        )  # fmt: skip
        plan = msgspec.structs.replace(
            plan,
            state=PlanState.EXITING,
            firing=firing,
            fired_at=plan.fired_at or now,
            message=f"{due.leg} reached at {plain(float(firing.price))}",
        )
        plan = self._shelf.put(plan)
        self.go(plan.plan_id)
        return plan

    def go(self, plan_id: str) -> None:
        """Work on a plan that is exiting; when that is done already, tell it that there is news."""
        self._news.setdefault(plan_id, asyncio.Event()).set()
        if plan_id in self._tasks:
            return
        task = apart(self._run(plan_id), f"exit {plan_id}")
        self._tasks[plan_id] = task
        task.add_done_callback(lambda _: self._over(plan_id))

    def retry(self, plan: ExitPlan) -> ExitPlan:
        """A plan that gave up tries its exit again."""
        if plan.firing is None:
            return self._shelf.put(msgspec.structs.replace(plan, state=PlanState.ACTIVE))
        firing = msgspec.structs.replace(plan.firing, attempts=0)
        plan = self._shelf.put(
            msgspec.structs.replace(plan, state=PlanState.EXITING, firing=firing)
        )
        self.go(plan.plan_id)
        return plan

    def _over(self, plan_id: str) -> None:
        task = self._tasks.pop(plan_id)
        self._news.pop(plan_id, None)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.error("exit plan %s failed", plan_id, exc_info=error)
        plan = self._exiting(plan_id)
        if plan is None:
            return
        if error is not None:
            self._give_up(plan, f"{type(error).__name__} (see the log)")
        else:  # its next leg was reached between the end of the task and this call
            self.go(plan_id)

    def gateway(self, plan: ExitPlan) -> TradingGateway | None:
        """The gateway of the plan's account; None while another account serves its mode."""
        try:
            gateway = self._desk.gateway_of(plan.mode)
        except AppError:
            return None
        return gateway if gateway.account_id == plan.account_id else None

    # -- one plan ---------------------------------------------------------------------------
    def _exiting(self, plan_id: str) -> ExitPlan | None:
        plan = self._shelf.exits.get(plan_id)
        return plan if plan is not None and plan.state is PlanState.EXITING else None

    async def _run(self, plan_id: str) -> None:
        plan = self._exiting(plan_id)
        if plan is None:
            return
        await self._shelf.secure(plan)  # before anything leaves
        told = False
        while (plan := self._exiting(plan_id)) is not None:
            self._news[plan_id].clear()
            gateway = self.gateway(plan)
            if gateway is None:
                await self._wait(plan_id, 10 * LOOK)
                continue
            try:
                sent = await self._sent.of(
                    plan, plan.fired_at or plan.created_at, gateway, known=plan.exits
                )
            except AppError as error:
                log.warning("exit plan %s waits: %s", plan_id, error)
                if not told:
                    told = True
                    leg = plan.firing.leg if plan.firing is not None else "a leg"
                    self._tell(plan, f"{leg} was reached and its exit waits: {error.message}")
                await self._wait(plan_id, LOOK)
                continue
            if (plan := self._exiting(plan_id)) is None:
                return
            plan = self.count(plan, sent)
            if plan.state is not PlanState.EXITING:
                return
            await self._step(plan, sent)

    def count(self, plan: ExitPlan, sent: Sent) -> ExitPlan:
        """Take what the books say of the plan's exits, and end a leg that is out."""
        after = plan
        for order_id, filled in sent.filled.items():
            after = rules.exited(after, order_id, filled)
        after = self.settle(after)
        return plan if after is plan else self._shelf.put(after)

    def settle(self, plan: ExitPlan) -> ExitPlan:
        """The plan with a leg that is out ended; not stored."""
        if plan.firing is None:
            return plan
        return rules.settled(plan, entry_works=self.entry_works(plan))

    def entry_works(self, plan: ExitPlan) -> bool:
        """Whether its entry may still fill. Of one of today that no book shows nobody knows."""
        orders = self._desk.books.book(plan.mode).orders
        today = plan.created_at.date() == self._clock.now().date()
        rows = [orders.get(order_id) for order_id in plan.entries]
        return any(today if row is None else not row.status.is_final for row in rows)

    async def _step(self, plan: ExitPlan, sent: Sent) -> None:
        firing = plan.firing
        assert firing is not None
        if firing.left == 0:
            await self.cancel_entries(plan)
        missing = plan.held - firing.left - sent.unfinished
        if missing > 0:
            await self._send(plan, missing)
            return
        for order in sent.working:
            sent_at = self._placed_at.setdefault(order.order_id, self._clock.monotonic())
            if self._clock.monotonic() - sent_at > CHASE and not order.settling:
                await self._take_back(plan, order.order_id)
        await self._wait(plan.plan_id, LOOK)

    async def _send(self, plan: ExitPlan, units: int) -> None:
        try:
            placed = None
            delivered = await self._delivered.latest(plan, self._desk.gateway_of(plan.mode))
            for place in plan.places:  # the second one while a conversion is not known
                placed = placed or await self._desk.exits.close(
                    place,
                    plan.exit_source,
                    plan.mode,
                    at_most=units,
                    strategy=plan.label or SQUARE_OFF_STRATEGY,
                    standing=True,
                    side=plan.side,
                    account=plan.account_id,
                    delivered=delivered if place == plan.position else 0,
                )
        except OrderStateUnknown:  # told by the sender; the reconciler settles it
            await self._wait(plan.plan_id, LOOK)
        except AppError as error:
            self._sent.note(plan.exit_source, error.sent)
            await self._refused(plan, error.message)
        else:
            await self._accepted(plan, placed)

    async def _accepted(self, plan: ExitPlan, placed: Placed | None) -> None:
        if placed is None:  # flat, or on the other side: closed elsewhere
            current = self._exiting(plan.plan_id)
            if current is None or current.places != plan.places:
                return  # it is over, or its position was converted: again, where the units are
            if current.moving is None:
                self.closed_elsewhere(current)
            else:
                await self._wait(plan.plan_id, LOOK)
            return
        ours = [
            order_id
            for order_id in placed.ids
            if self._desk.sender.origins.source_of(order_id) == plan.exit_source
        ]
        self._sent.note(plan.exit_source, ours)
        now = self._clock.monotonic()
        for order_id in ours:
            self._placed_at.setdefault(order_id, now)
        if not ours:
            log.info("exit plan %s: %s", plan.plan_id, placed.message)
            await self._wait(plan.plan_id, LOOK)

    async def _take_back(self, plan: ExitPlan, order_id: str) -> None:
        """An exit that does not fill: what is left of it is sent anew at the market."""
        self._tell(plan, f"its exit order {order_id} does not fill; it is sent anew", "warning")
        try:
            await self._desk.cancel(order_id, plan.exit_source, plan.mode, standing=True)
        except AppError as error:
            log.warning("exit %s was not taken back: %s", order_id, error.message)
        self._placed_at[order_id] = self._clock.monotonic()

    async def cancel_entries(self, plan: ExitPlan) -> bool:
        """Cancel what still works of the entry: filled later, it would be held again. Whether
        nothing of it works any more."""
        book, clean = self._desk.books.book(plan.mode), True
        for order_id in plan.entries:
            order = book.orders.get(order_id)
            if order is None or order.status.is_final:
                continue
            try:
                await self._desk.cancel(order_id, plan.exit_source, plan.mode, standing=True)
            except AppError as error:
                clean = False
                log.warning("entry %s was not cancelled: %s", order_id, error.message)
        return clean

    def closed_elsewhere(self, plan: ExitPlan) -> None:
        """The position is gone: there is nothing to protect."""
        plan = msgspec.structs.replace(plan, held=0, firing=None)
        if self.entry_works(plan):
            self._shelf.end(plan, "waits for more fills", PlanState.WAITING)
            return
        self._shelf.end(plan, "the position was closed elsewhere")

    # -- refusals ---------------------------------------------------------------------------
    async def _refused(self, plan: ExitPlan, why: str) -> None:
        current = self._exiting(plan.plan_id)
        if current is None or current.firing is None:
            return
        attempts = current.firing.attempts
        if attempts >= len(AGAIN):
            self._give_up(current, why)
            return
        wait = AGAIN[attempts]
        firing = msgspec.structs.replace(current.firing, attempts=attempts + 1)
        text = (
            f"{firing.leg} was reached and its exit was refused ({why}). Trying again in "
            f"{plain(wait)} s ({attempts + 1} of {len(AGAIN)})."
        )
        current = self._shelf.put(msgspec.structs.replace(current, firing=firing, message=text))
        self._tell(current, text)
        end = self._clock.monotonic() + wait
        while (left := end - self._clock.monotonic()) > 0:
            self._news[plan.plan_id].clear()
            await self._wait(plan.plan_id, left)
            now = self._exiting(plan.plan_id)
            if now is None or now.firing is None or now.firing.left != firing.left:
                return  # it is over, or a stop has overtaken a target

    def _give_up(self, plan: ExitPlan, why: str) -> None:
        firing = plan.firing
        if firing is not None and firing.left:  # a part: the stop goes on watching all of it
            text = f"{firing.leg} was reached and could not be closed: {why}. It is left out."
            plan = msgspec.structs.replace(
                plan, state=PlanState.ACTIVE, firing=None, hit=firing.hit, message=text
            )
            self._tell(self._shelf.put(plan), text)
            return
        text = (
            f"{firing.leg if firing is not None else 'a leg'} was reached and {plan.held} units "
            f"could not be closed: {why}. They are NOT protected now; close them by hand."
        )
        plan = msgspec.structs.replace(plan, state=PlanState.FAILED, message=text)
        self._tell(self._shelf.put(plan), text)

    def _tell(self, plan: ExitPlan, text: str, level: str = "error") -> None:
        where = "" if plan.mode is self._desk.mode else f" ({plan.mode.value})"
        line = f"{plan.symbol}{where}: {text}"
        log.log(logging.ERROR if level == "error" else logging.WARNING, "%s", line)
        self._bus.publish(Notice(level=level, text=line, at=self._clock.now()))

    async def _wait(self, plan_id: str, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news[plan_id].wait()
