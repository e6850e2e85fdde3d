"""The door to exits that our core watches: stops, targets and trailing of positions, brackets,
local triggers, exits by result; and the broker's own good-till-triggered orders.

Everything that our core watches works only while the program runs
(:data:`openalgo_desktop.core.exits.ONLY_WHILE_RUNNING`). The words for what is wanted
(:class:`ExitSpec`, :class:`Offset`, :class:`Unit`, :class:`Target`, :class:`TriggerLeg`) are in
:mod:`openalgo_desktop.core.exits`. Each call that changes something takes the mode that the user
saw, and raises :class:`AppError` with a sentence (:class:`InvalidOrder` names the field).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.errors import AppError, OrderError, OrderNotFound
from openalgo_desktop.core.events import ExitPlanChanged
from openalgo_desktop.core.exit_rules import ahead, merged, on_tick, target_prices
from openalgo_desktop.core.exits import (
    AnyPlan,
    ExitPlan,
    ExitSpec,
    Offset,
    PlanState,
    ResultExit,
    Target,
    Trigger,
    TriggerLeg,
    Unit,
)
from openalgo_desktop.core.gtt import Gtt, GttRequest
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.trading.gtt import GttDesk
from openalgo_desktop.trading.results import CancelAll, Placed

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


class WatchDoor(QObject):
    """``close`` with the bridge. ``source`` is what the journal files orders of the window
    under; ``check_mode`` raises when the switch stands elsewhere than the user saw; ``sending``
    is around an order of the user's."""

    gtts_sent = Signal()  # something was sent to the broker's GTT book, or refused
    changed = Signal(object)  # AnyPlan: made, changed or ended

    def __init__(
        self,
        terminal: Terminal,
        source: str,
        check_mode: Callable[[Mode], None],
        sending: Callable[[OrderRequest, Mode], AbstractContextManager[None]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._terminal = terminal
        self._source = source
        self._check_mode = check_mode
        self._sending = sending
        self._gtts = GttDesk(terminal.desk, terminal.instruments, terminal.hub)
        self._stop = terminal.bus.subscribe(
            ExitPlanChanged, lambda event: self.changed.emit(event.plan)
        )

    def close(self) -> None:
        """Listen no more."""
        self._stop()

    # -- asking -----------------------------------------------------------------------------
    def plans(self, mode: Mode | None = None) -> list[AnyPlan]:
        """Open plans and triggers of a mode (of both when None), newest first, then ended ones
        (``plan.state.is_open`` tells them apart)."""
        return self._terminal.watch.plans(mode)

    def of(self, key: Key, mode: Mode) -> list[AnyPlan]:
        """Open exit plans and triggers of an instrument, newest first; cheap enough for each chart
        and event."""
        return self._terminal.watch.of(key, mode)

    def find(self, plan_id: str, mode: Mode) -> AnyPlan | None:
        """An open plan of a mode; None where there is none of that id any more."""
        try:
            plan = self._terminal.watch.plan(plan_id)
        except OrderNotFound:
            return None
        return plan if plan.state.is_open and plan.mode is mode else None

    def of_position(
        self, symbol: str, exchange: str, product: Product, mode: Mode
    ) -> list[ExitPlan]:
        """Open exit plans of a position; cheap enough for each row and frame."""
        return self._terminal.watch.of_position((exchange, symbol, product), mode)

    def stop_price(
        self, symbol: str, exchange: str, product: Product, mode: Mode
    ) -> Decimal | None:
        """Where the nearest watched stop of a position stands now (trailing moves it), rupees."""
        plans = [
            plan
            for plan in self.of_position(symbol, exchange, product, mode)
            if plan.stop_at is not None and plan.held
        ]
        stops = [plan.stop_at for plan in plans if plan.stop_at is not None]
        return None if not stops else max(stops) if plans[0].side > 0 else min(stops)

    def stopped_units(self, symbol: str, exchange: str, product: Product, mode: Mode) -> int:
        """Units of a position that its watched stops take out together."""
        plans = self.of_position(symbol, exchange, product, mode)
        return sum(plan.held for plan in plans if plan.stop_at is not None)

    def target_price(
        self, symbol: str, exchange: str, product: Product, mode: Mode
    ) -> Decimal | None:
        """The next watched target of a position, rupees."""
        found: list[Decimal] = []
        side = 1
        for plan in self.of_position(symbol, exchange, product, mode):
            if plan.held:
                side = plan.side
                found += target_prices(plan)[plan.hit : plan.hit + 1]
        return None if not found else min(found) if side > 0 else max(found)

    def trouble(self, plan: AnyPlan) -> str:
        """Why an open plan watches nothing just now (paused, failed, price not known, market
        closed, another account); empty when it does."""
        return self._terminal.watch.trouble(plan)

    def result(self, plan: ResultExit) -> Decimal | None:
        """Today's result that an exit by result looks at, rupees; None while it is not known."""
        return self._terminal.watch.result(plan)

    def today(self, label: str, mode: Mode) -> Decimal | None:
        """Today's result of a strategy, or of the account without one, rupees; None while it is
        not known."""
        return self._terminal.watch.today(label, mode)

    # -- positions --------------------------------------------------------------------------
    async def protect(
        self,
        symbol: str,
        exchange: str,
        product: Product,
        mode: Mode,
        spec: ExitSpec,
        *,
        quantity: int = 0,
        label: str = "",
        orders: tuple[str, ...] = (),
    ) -> ExitPlan:
        """Add legs to a position: all of it (``quantity`` 0), so many units, or what a strategy
        ``label`` holds of it. Legs that are there already and not given stay. ``orders`` are
        resting orders at the broker that must not outlive the position."""
        self._check_mode(mode)
        position = (exchange, symbol, product)
        return await self._terminal.watch.commands.attach(
            position, spec, self._source, mode, quantity=quantity, label=label, orders=orders
        )

    async def set_stop(
        self,
        symbol: str,
        exchange: str,
        product: Product,
        mode: Mode,
        value: float,
        unit: Unit = Unit.PRICE,
    ) -> ExitPlan:
        """Stop of the whole position at a price, or so many points, per cent or rupees away; the
        stops of its brackets go there, too."""
        spec = ExitSpec(stop=Offset.of(value, unit))
        return await self._set((exchange, symbol, product), mode, spec)

    async def set_targets(
        self,
        symbol: str,
        exchange: str,
        product: Product,
        mode: Mode,
        targets: tuple[tuple[float, Unit, int], ...],
    ) -> ExitPlan:
        """Targets of the whole position, nearest first: value, unit, per cent of the quantity.
        They take the place of those of its brackets."""
        rows = tuple(Target(Offset.of(value, unit), part) for value, unit, part in targets)
        return await self._set((exchange, symbol, product), mode, ExitSpec(targets=rows))

    async def move_target(
        self, symbol: str, exchange: str, product: Product, mode: Mode, value: float
    ) -> ExitPlan:
        """Move the next target of a position to a price, and leave those behind it; one for all
        of it where there is none."""
        self._check_mode(mode)
        shown = self.target_price(symbol, exchange, product, mode)
        at, found = Offset.of(value), None
        for plan in self.of_position(symbol, exchange, product, mode):
            rest = ahead(plan)
            near = target_prices(plan)[plan.hit : plan.hit + 1]
            if not plan.held or plan.label or near != (shown,) or plan.state is PlanState.EXITING:
                continue
            if len(rest) > 1:
                rows = (Target(at, rest[0].percent), *rest[1:])
                spec = msgspec.structs.replace(plan.spec, targets=rows)
                found = await self._terminal.watch.commands.change(plan.plan_id, spec, mode)
        if found is not None:
            return found
        return await self.set_targets(symbol, exchange, product, mode, ((value, Unit.PRICE, 100),))

    async def set_trail(
        self,
        symbol: str,
        exchange: str,
        product: Product,
        mode: Mode,
        value: float,
        unit: Unit = Unit.POINTS,
    ) -> ExitPlan:
        """Let the stop follow the best price at a distance."""
        spec = ExitSpec(trail=Offset.of(value, unit))
        return await self._set((exchange, symbol, product), mode, spec)

    async def _set(self, position: tuple[str, str, Product], mode: Mode, leg: ExitSpec) -> ExitPlan:
        """Give a position a leg. A bracket that has such a leg gets the same: else its old one
        would go out where the trader believes that it was moved. What no bracket covers is
        covered by a plan of the whole position."""
        self._check_mode(mode)
        exchange, symbol, product = position
        watch, covered = self._terminal.watch, None
        row = self._terminal.desk.books.book(mode).positions.get(position)
        for plan in watch.of_position(position, mode):
            other = not plan.whole and plan.held and not plan.label
            if other and plan.state is not PlanState.EXITING and _has(plan.spec, leg):
                after = await watch.commands.change(plan.plan_id, merged(plan.spec, leg), mode)
                active = after.state is PlanState.ACTIVE
                if active and row is not None and after.held >= abs(row.quantity):
                    covered = after
        others = [p for p in watch.of_position(position, mode) if p.whole and not p.label]
        if covered is not None and not any(_has(p.spec, leg) for p in others):
            return covered
        return await self.protect(symbol, exchange, product, mode, leg)

    async def break_even(
        self, symbol: str, exchange: str, product: Product, mode: Mode, lock: float = 0.0
    ) -> ExitPlan:
        """Move the stop of the whole position to its entry price now, ``lock`` points beyond it;
        one is made where there is none."""
        self._check_mode(mode)
        commands, points = self._terminal.watch.commands, Decimal(str(lock))
        for plan in self.of_position(symbol, exchange, product, mode):
            if plan.held and not plan.label and plan.state is not PlanState.EXITING:
                return await commands.move_to_entry(plan.plan_id, mode, points)
        row = self._terminal.desk.books.book(mode).positions.get((exchange, symbol, product))
        if row is None or not row.quantity:
            raise OrderError(f"There is no open position of {symbol}.")
        tick = self._terminal.instruments.require(symbol, exchange).tick_size
        at = Decimal(str(row.average_price)) + (points if row.quantity > 0 else -points)
        stop = Offset(on_tick(at, Decimal(str(tick))))
        return await self.protect(symbol, exchange, product, mode, ExitSpec(stop=stop))

    async def change(self, plan_id: str, spec: ExitSpec, mode: Mode) -> ExitPlan:
        """Give a plan other legs; those not given are taken away. To move one:
        ``msgspec.structs.replace(plan.spec, stop=Offset.of(790.0))``."""
        self._check_mode(mode)
        return await self._terminal.watch.commands.change(plan_id, spec, mode)

    # -- entries ----------------------------------------------------------------------------
    async def bracket(
        self, request: OrderRequest, spec: ExitSpec, mode: Mode
    ) -> tuple[ExitPlan, Placed]:
        """Send an order whose fills are protected from the first one on. Distances in points,
        per cent and rupees count from its average price. Raises what ``DeskDoor.place`` raises."""
        with self._sending(request, mode):
            return await self._terminal.watch.commands.bracket(request, spec, self._source, mode)

    # -- triggers and results ---------------------------------------------------------------
    async def add_trigger(self, legs: tuple[TriggerLeg, ...], mode: Mode) -> Trigger:
        """Send an order when the price comes; two legs are a pair of which one goes out."""
        self._check_mode(mode)
        return await self._terminal.watch.commands.add_trigger(legs, self._source, mode)

    async def change_trigger(
        self, plan_id: str, legs: tuple[TriggerLeg, ...], mode: Mode
    ) -> Trigger:
        """Other prices and orders for a trigger of the same symbol."""
        self._check_mode(mode)
        return await self._terminal.watch.commands.change_trigger(plan_id, legs, mode)

    async def add_result(
        self,
        mode: Mode,
        *,
        label: str = "",
        loss: float | None = None,
        profit: float | None = None,
        trail: float | None = None,
        replaces: str = "",
    ) -> ResultExit:
        """Close everything of a strategy ``label``, or of the account without one, at a loss or
        profit of today, or ``trail`` rupees below the best. It takes the place of an earlier one
        of that label; ``replaces`` is the plan that was edited, which must still watch."""
        self._check_mode(mode)
        return await self._terminal.watch.commands.add_result(
            self._source,
            mode,
            label=label,
            loss=_money(loss),
            profit=_money(profit),
            trail=_money(trail),
            replaces=replaces,
        )

    # -- all plans --------------------------------------------------------------------------
    async def pause(self, plan_id: str, mode: Mode) -> AnyPlan:
        """Watch nothing of a plan until it is resumed."""
        self._check_mode(mode)
        return await self._terminal.watch.commands.pause(plan_id, mode)

    async def resume(self, plan_id: str, mode: Mode) -> AnyPlan:
        """Watch a paused plan again; a failed one tries its exit again."""
        self._check_mode(mode)
        return await self._terminal.watch.commands.resume(plan_id, mode)

    async def delete(self, plan_id: str, mode: Mode) -> AnyPlan:
        """End a plan; nothing that was sent is taken back but its resting orders."""
        self._check_mode(mode)
        return await self._terminal.watch.commands.delete(plan_id, mode)

    # -- orders of one symbol ---------------------------------------------------------------
    async def cancel_of(self, symbol: str, exchange: str, mode: Mode) -> CancelAll:
        """Cancel every working order of one symbol."""
        self._check_mode(mode)
        return await self._terminal.desk.closing.cancel_all(
            self._source, mode, key=(exchange, symbol)
        )

    # -- the broker's own -------------------------------------------------------------------
    @property
    def has_gtt(self) -> bool:
        """Whether the account of the current mode keeps good-till-triggered orders itself."""
        try:
            return self._terminal.desk.gateway.traits.gtt
        except AppError:
            return False

    async def gtts(self) -> list[Gtt]:
        """Active ones of the current mode's account, newest first; none where it has not got
        them. Raises :class:`AppError` when the book cannot be read."""
        return await self._gtts.book() if self.has_gtt else []

    async def place_gtt(self, request: GttRequest, mode: Mode) -> Placed:
        """Give the broker a good-till-triggered order."""
        self._check_mode(mode)
        try:
            return await self._gtts.place(request, self._source, mode)
        finally:
            self.gtts_sent.emit()

    async def modify_gtt(self, seen: Gtt, request: GttRequest, mode: Mode) -> Placed:
        """Other triggers, prices and quantity for one of them, unless it is another one at the
        broker by now than the user ``seen``: then nothing is sent, and it is said."""
        self._check_mode(mode)
        place = (seen.trigger_id, request, self._source, mode)
        try:
            return await self._gtts.modify(*place, seen=seen)
        finally:
            self.gtts_sent.emit()

    async def cancel_gtt(self, trigger_id: str, mode: Mode) -> Placed:
        """Cancel one of them."""
        self._check_mode(mode)
        try:
            return await self._gtts.cancel(trigger_id, self._source, mode)
        finally:
            self.gtts_sent.emit()


def _has(spec: ExitSpec, leg: ExitSpec) -> bool:
    """Whether there is a leg of the kind that ``leg`` gives."""
    return bool(
        (leg.stop and spec.stop) or (leg.targets and spec.targets) or (leg.trail and spec.trail)
    )


def _money(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
