"""What a human asks of the watch: plans are made, changed, paused, resumed and deleted here."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from openalgo_desktop.core import exit_rules as rules
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import (
    InvalidOrder,
    OrderError,
)
from openalgo_desktop.core.exits import (
    AnyPlan,
    ExitPlan,
    ExitSpec,
    Offset,
    PlanState,
    ResultExit,
    Trigger,
    TriggerLeg,
)
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.money import group_indian
from openalgo_desktop.core.ports import InstrumentLookup
from openalgo_desktop.exchange.checks import check_order
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.watch.brackets import Brackets, new_plan
from openalgo_desktop.trading.watch.drive import Driver
from openalgo_desktop.trading.watch.follow import Follower
from openalgo_desktop.trading.watch.prices import Prices
from openalgo_desktop.trading.watch.results import Results, label_units
from openalgo_desktop.trading.watch.shelf import Shelf


class Commands:
    """Each takes the mode that the asker saw and is refused when the switch stands elsewhere."""

    def __init__(
        self,
        clock: Clock,
        desk: OrderDesk,
        instruments: InstrumentLookup,
        shelf: Shelf,
        prices: Prices,
        driver: Driver,
        follower: Follower,
        brackets: Brackets,
        results: Results,
    ) -> None:
        self._clock = clock
        self._desk = desk
        self._instruments = instruments
        self._shelf = shelf
        self._prices = prices
        self._driver = driver
        self._follower = follower
        self._brackets = brackets
        self._results = results

    # -- positions --------------------------------------------------------------------------
    async def attach(
        self,
        position: PositionKey,
        spec: ExitSpec,
        source: str,
        mode: Mode,
        *,
        quantity: int = 0,
        label: str = "",
        orders: tuple[str, ...] = (),
    ) -> ExitPlan:
        """Protect a position that is held: all of it (``quantity`` 0), at most so many units, or
        what a ``label`` has of it. Legs are added to a plan that covers the same; ``orders`` are
        resting orders of the account that must not outlive the position. Raises
        :class:`OrderError` when it is flat, :class:`InvalidOrder` naming the field."""
        exchange, symbol, product = position
        gateway = self._desk.gateway_of(self._desk.still(mode))
        instrument = self._instruments.require(symbol, exchange)
        view = await self._desk.under_way.view(mode, gateway, position)
        if not view.held:
            raise OrderError(f"There is no open position of {symbol} to protect.")
        side = 1 if view.held > 0 else -1
        book = self._desk.books.book(mode)
        if label and not quantity:
            quantity = abs(label_units(book, label).get(position, 0))
            if not quantity:
                raise OrderError(f"{label} holds nothing of {symbol}.")
        for plan in self._shelf.of_position(position, mode):
            same = (plan.side, plan.label, plan.quantity) == (side, label, quantity)
            same = same and plan.account_id == gateway.account_id
            if same and plan.request is None and plan.state is not PlanState.EXITING:
                both = msgspec.structs.replace(plan, orders=(*plan.orders, *orders))
                if spec.empty:
                    return await self._shelf.keep(both)
                return await self._specify(both, rules.merged(plan.spec, spec), watch=True)
        price = await self._prices.ask((exchange, symbol))
        row = book.positions.get(position)
        if row is None or not row.average_price:
            rows = await gateway.positions()
            row = next((r for r in rows if (*r.key, r.product) == position), row)
        entry = rules.exact(row.average_price) if row is not None else Decimal(0)
        plan = ExitPlan(
            **new_plan(self._clock, mode, gateway.account_id, source, label),
            exchange=exchange,
            symbol=symbol,
            product=product,
            side=side,
            spec=ExitSpec(),
            quantity=quantity,
            held=min(quantity or abs(view.held), abs(view.held)),
            entry=entry or price or Decimal(0),
            tick=Decimal(str(instrument.tick_size)),
            lot=max(1, instrument.lot_size),
            multiplier=Decimal(
                str(row.multiplier if row is not None else instrument.contract_value or 1)
            ),
            best=price,
            orders=orders,
        )
        if not spec.empty or not orders:
            plan = rules.specified(plan, spec, price)
        self._desk.still(mode)
        plan = await self._shelf.keep(plan)
        self._follower.believe(plan)
        self._follower.compare(plan)
        return plan

    async def _specify(self, plan: ExitPlan, spec: ExitSpec, *, watch: bool = False) -> ExitPlan:
        """Give a plan another spec. Who protects a position (``watch``) wants it watched: a paused
        plan goes on. One that failed goes on in any case, with legs that were checked just now."""
        price = await self._prices.ask(plan.key)
        current = self._shelf.exits.get(plan.plan_id)  # it may have fired meanwhile
        if current is None or current.state is PlanState.EXITING:
            raise OrderError(f"The exit of {plan.symbol} is on its way; it cannot be changed now.")
        current = msgspec.structs.replace(current, orders=plan.orders)
        if current.state is PlanState.FAILED or (watch and current.state is PlanState.PAUSED):
            current = msgspec.structs.replace(
                current, state=PlanState.ACTIVE, firing=None, message=""
            )
        return await self._shelf.keep(rules.specified(current, spec, price))

    async def change(self, plan_id: str, spec: ExitSpec, mode: Mode) -> ExitPlan:
        """Give an exit plan another spec; what trailing and targets did so far stays where its
        leg is unchanged. Raises as :meth:`attach`."""
        return await self._specify(self._exit(plan_id, mode), spec)

    async def move_to_entry(self, plan_id: str, mode: Mode, lock: Decimal = Decimal(0)) -> ExitPlan:
        """Move the stop of a plan to the entry price, ``lock`` points beyond it, now. Raises
        :class:`InvalidOrder` when the price is not there."""
        plan = self._exit(plan_id, mode)
        at = plan.entry + plan.side * lock
        spec = msgspec.structs.replace(plan.spec, stop=Offset(rules.on_tick(at, plan.tick)))
        return await self.change(plan_id, spec, mode)

    def _exit(self, plan_id: str, mode: Mode) -> ExitPlan:
        self._desk.still(mode)
        plan = self._shelf.exits.get(plan_id)
        if plan is None or plan.mode is not mode:
            raise OrderError("This plan has ended.")
        return plan

    # -- brackets ---------------------------------------------------------------------------
    async def bracket(
        self, request: OrderRequest, spec: ExitSpec, source: str, mode: Mode
    ) -> tuple[ExitPlan, Placed]:
        """Send an entry order whose fills are protected from the first one on. The plan is on
        disk before the order leaves. Raises as :meth:`OrderDesk.place`; refused, there is no
        plan; unknown, the plan waits until it is settled."""
        return await self._brackets.send(self._desk, request, spec, source, mode)

    # -- triggers and results ---------------------------------------------------------------
    async def add_trigger(
        self, legs: tuple[TriggerLeg, ...], source: str, mode: Mode, *, label: str = ""
    ) -> Trigger:
        """Send an order when the price comes: one leg, or a pair of which one goes out. Raises
        :class:`InvalidOrder` for a trigger that is reached already."""
        gateway = self._desk.gateway_of(self._desk.still(mode))
        await self._check_legs(legs)
        key = legs[0].request.key
        trigger = Trigger(
            **new_plan(self._clock, mode, gateway.account_id, source, label),
            exchange=key[0],
            symbol=key[1],
            legs=legs,
        )
        self._desk.still(mode)
        return await self._shelf.keep(trigger)

    async def _check_legs(self, legs: tuple[TriggerLeg, ...]) -> None:
        key = legs[0].request.key if legs else ("", "")
        price = await self._prices.ask(key)
        rules.check_trigger(legs, price)
        if price is None:
            raise InvalidOrder(
                "The last price is not known, so nobody can tell the way to the trigger.",
                field="trigger_price",
            )
        instrument = self._instruments.require(key[1], key[0])
        for leg in legs:
            check_order(leg.request, instrument)

    async def change_trigger(
        self, plan_id: str, legs: tuple[TriggerLeg, ...], mode: Mode
    ) -> Trigger:
        """Other prices and orders for a trigger that waits; a paused one stays paused."""
        trigger = self._trigger(plan_id, mode)
        await self._check_legs(legs)
        if legs[0].request.key != trigger.key:
            raise InvalidOrder("A trigger keeps its symbol; make a new one.", field="symbol")
        trigger = self._trigger(plan_id, mode)  # it may have been reached meanwhile
        return await self._shelf.keep(msgspec.structs.replace(trigger, legs=legs))

    def _trigger(self, plan_id: str, mode: Mode) -> Trigger:
        self._desk.still(mode)
        trigger = self._shelf.triggers.get(plan_id)
        if trigger is None or trigger.mode is not mode:
            raise OrderError("This trigger has ended.")
        if trigger.state is PlanState.EXITING:
            raise OrderError("This trigger was reached; its order is on the way.")
        return trigger

    async def add_result(
        self,
        source: str,
        mode: Mode,
        *,
        label: str = "",
        loss: Decimal | None = None,
        profit: Decimal | None = None,
        trail: Decimal | None = None,
        replaces: str = "",
    ) -> ResultExit:
        """Close everything of a label, or of the account without one, when today's result
        reaches ``-loss``, ``profit`` or falls ``trail`` below its best; rupees. One exists for
        each label: a second call replaces its limits. What has a limit that is reached already
        raises :class:`InvalidOrder`: closing everything at once is not meant. ``replaces``: the
        plan whose limits were changed; raises :class:`OrderError` where it is closing or over."""
        if replaces and self._open(replaces, mode).state is PlanState.EXITING:
            raise OrderError("Its limit was reached: everything is being closed.")
        account_id = self._desk.gateway_of(self._desk.still(mode)).account_id
        given = {"loss": loss, "profit": profit, "trail": trail}
        if not any(given.values()):
            raise InvalidOrder("Give a loss, a profit or a trailing amount.", field="loss")
        for name, value in given.items():
            if value is not None and not (value.is_finite() and value > 0):
                raise InvalidOrder(f"The {name} must be above 0 rupees.", field=name)
        plan = next(
            (
                row
                for row in self._shelf.results.values()
                if (row.mode, row.account_id, row.label) == (mode, account_id, label)
                and row.state is not PlanState.EXITING
            ),
            None,
        ) or ResultExit(**new_plan(self._clock, mode, account_id, source, label))
        plan = msgspec.structs.replace(
            plan, loss=loss, profit=profit, trail=trail, best=None, state=PlanState.ACTIVE
        )
        await self._check_result(plan)
        if replaces and self._open(replaces, mode).state is PlanState.EXITING:
            raise OrderError("Its limit was reached: everything is being closed.")
        plan = await self._shelf.keep(plan)
        return plan

    async def _check_result(self, plan: ResultExit) -> None:
        """A limit that is reached already would close everything at once."""
        value = await self._results.asked(plan.label, plan.mode)
        self._desk.still(plan.mode)
        if value is None:
            return
        fresh = msgspec.structs.replace(plan, best=None)
        _, leg = rules.result_due(fresh, value, self._clock.now().date())
        if leg:
            raise InvalidOrder(
                f"Today's result is {group_indian(str(value))}: the {leg} is reached already, so "
                "everything would be closed at once. Choose a limit beyond it, or flatten.",
                field=leg,
            )

    # -- all plans --------------------------------------------------------------------------
    async def pause(self, plan_id: str, mode: Mode) -> AnyPlan:
        """Watch a plan no more until :meth:`resume`. What was sent is not taken back."""
        plan = self._open(plan_id, mode)
        if plan.state is not PlanState.ACTIVE:
            raise OrderError(f"Only an active plan can be paused; this one is {plan.state.value}.")
        return await self._keep(plan, PlanState.PAUSED, "")

    async def resume(self, plan_id: str, mode: Mode) -> AnyPlan:
        """Watch a paused plan again; one that failed tries its exit again. A leg that was passed
        meanwhile raises :class:`InvalidOrder`: what would go out at once is not meant."""
        plan = self._open(plan_id, mode)
        if plan.state not in (PlanState.PAUSED, PlanState.FAILED):
            raise OrderError("This plan is not paused.")
        match plan:
            case ExitPlan() if plan.state is PlanState.FAILED:
                return self._driver.retry(plan)
            case ExitPlan():
                rules.check_places(plan, await self._prices.ask(plan.key))
            case Trigger():
                await self._check_legs(plan.legs)
            case ResultExit() if plan.state is PlanState.PAUSED:
                await self._check_result(plan)
            case ResultExit():
                pass
        current = self._open(plan_id, mode)  # it may have ended meanwhile
        match current:
            case ResultExit():
                current = msgspec.structs.replace(current, best=None, firing=None)
        return await self._keep(current, PlanState.ACTIVE, "")

    async def delete(self, plan_id: str, mode: Mode) -> AnyPlan:
        """End a plan: nothing is watched any more, its resting orders are cancelled. An exit
        that was sent is not taken back."""
        plan = self._open(plan_id, mode)
        ended = await self._keep(plan, PlanState.CANCELLED, "deleted")
        match ended:
            case ExitPlan():
                self._follower.ended(ended)
        return ended

    def _open(self, plan_id: str, mode: Mode) -> AnyPlan:
        self._desk.still(mode)
        plan = self._shelf.get(plan_id)
        if plan.mode is not mode or not plan.state.is_open:
            raise OrderError("This plan has ended.")
        return plan

    async def _keep(self, plan: AnyPlan, state: PlanState, message: str) -> AnyPlan:
        return await self._shelf.keep(msgspec.structs.replace(plan, state=state, message=message))
