"""The lines of a chart: own orders, what is held, watched stops and targets, alerts; moving and
ending them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.alerts import AlertState, AlertWhen, PriceAlert
from openalgo_desktop.core.enums import Mode, PriceType
from openalgo_desktop.core.exit_rules import ahead, target_prices
from openalgo_desktop.core.exits import AnyPlan, ExitPlan, Offset, PlanState, Target, Trigger
from openalgo_desktop.core.model import (
    Instrument,
    Key,
    ModifyRequest,
    Order,
    OrderRequest,
    Position,
)
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dock import Spawn
from openalgo_desktop.ui.rooms.charts.gtt_lines import GttLines, size_text
from openalgo_desktop.ui.rooms.market.ladder_grid import order_price
from openalgo_desktop.ui.rooms.market.one_click import OneClick, as_request, moved

PLAN, ALERT = "plan", "alert"


def _plan_line(plan: AnyPlan, leg: str, number: int = 0) -> str:
    """Of a target with its price: when targets are changed elsewhere the same number is another
    one, and a drag or a question that meant the one before ends."""
    at = f"@{target_prices(plan)[number]}" if isinstance(plan, ExitPlan) and leg == "target" else ""
    return f"{PLAN}|{plan.plan_id}|{leg}|{number}{at}"


def moved_trigger(request: OrderRequest, by: float, tick: float) -> OrderRequest:
    """The order of a trigger that was moved: its limit keeps the distance."""
    if request.price_type is not PriceType.LIMIT:
        return request
    return msgspec.structs.replace(request, price=max(tick, to_tick(request.price + by, tick)))


class ChartLines:
    """One of a chart dock."""

    def __init__(self, bridge: Bridge, hand: OneClick, spawn: Spawn, parent: QWidget) -> None:
        self._bridge = bridge
        self._hand = hand
        self._spawn = spawn
        self._parent = parent
        self._busy: set[str] = set()  # plans that are being changed
        self._gtts = GttLines(bridge, hand, spawn, parent)

    # -- what there is ----------------------------------------------------------------------
    def of(self, instrument: Instrument) -> list[PriceLine]:
        """All lines of an instrument."""
        held = self._hand.positions(instrument.key)
        lines = []
        for order in self._bridge.books.working_of(instrument.key):
            if order_price(order):
                lines.append(self._order_line(order, instrument, held))
        lines += [self._position_line(row, instrument) for row in held if row.average_price > 0]
        for plan in self.plans(instrument.key):
            lines += self._plan_lines(plan, instrument)
        lines += self._gtts.of(instrument)
        alerts = self._bridge.alerts.of(instrument.key)
        return lines + [self._alert_line(row) for row in alerts if self._has_line(row)]

    @staticmethod
    def _has_line(alert: PriceAlert) -> bool:
        """Alerts that wait for a price; others have no place of their own on the axis."""
        waits = alert.state in (AlertState.ACTIVE, AlertState.PAUSED)
        return waits and alert.wish.of_level

    @staticmethod
    def _alert_line(alert: PriceAlert) -> PriceLine:
        sign = {AlertWhen.ABOVE: "≥", AlertWhen.BELOW: "≤"}.get(alert.wish.when, "×")
        paused = "" if alert.is_active else "  paused"
        return PriceLine(
            f"{ALERT}|{alert.alert_id}",
            float(alert.wish.level),
            f"Alert {sign}{paused}",
            "accent",
            draggable=True,
            closable=True,
        )

    @staticmethod
    def is_alert(line_id: str) -> bool:
        """Whether a line is that of an alert: it sends nothing, so nothing is asked."""
        return line_id.startswith(f"{ALERT}|")

    def plans(self, key: Key) -> list[AnyPlan]:
        """Open plans of an instrument in the mode of now."""
        return self._bridge.watch.of(key, self._bridge.mode)

    def _order_line(
        self, order: Order, instrument: Instrument, held: Sequence[Position]
    ) -> PriceLine:
        price = order_price(order)
        size = size_text(order.pending_quantity, instrument)
        text = f"{order.action.value} {size} {order.price_type.value}"
        against = [
            row
            for row in held
            if row.product is order.product and row.quantity * order.action.sign < 0
        ]
        if against:  # what it would bring
            row = against[0]
            units = min(order.pending_quantity, abs(row.quantity))
            won = (price - row.average_price) * units * (1 if row.quantity > 0 else -1)
            text += f"  {fmt.signed_money(won * instrument.contract_value)}"
        role = order.action.value.lower()
        return PriceLine(order.order_id, price, text, role, draggable=True, closable=True)

    def _position_line(self, row: Position, instrument: Instrument) -> PriceLine:
        side = "+" if row.quantity > 0 else "-"
        text = f"{side}{size_text(abs(row.quantity), instrument)} {row.product.value}"
        if self._bridge.books.is_live(row):
            text += f"  {fmt.signed_money(row.unrealised)}"
        return PriceLine(f"position-{row.product.value}", row.average_price, text, "position")

    def _plan_lines(self, plan: AnyPlan, instrument: Instrument) -> list[PriceLine]:
        if isinstance(plan, Trigger):
            return [
                self._line(
                    plan,
                    ("leg", number),
                    float(leg.price),
                    f"Trigger {leg.request.action.value} "
                    f"{size_text(leg.request.quantity, instrument)}",
                    leg.request.action.value.lower(),
                )
                for number, leg in enumerate(plan.legs)
            ]
        if not isinstance(plan, ExitPlan) or not plan.held:
            return []
        lines = []
        if plan.stop_at is not None:
            word = "Trail" if plan.spec.trail is not None else "Stop"
            lines.append(self._exit_line(plan, ("stop", 0), plan.stop_at, word, instrument))
        for number, price in enumerate(target_prices(plan)):
            if number >= plan.hit:
                lines.append(self._exit_line(plan, ("target", number), price, "Target", instrument))
        return lines

    def _exit_line(
        self,
        plan: ExitPlan,
        leg: tuple[str, int],
        price: Decimal,
        word: str,
        instrument: Instrument,
    ) -> PriceLine:
        units = plan.held
        if leg[0] == "target":
            units = min(units, plan.base * plan.spec.targets[leg[1]].percent // 100)
        won = (price - plan.entry) * plan.side * units * plan.multiplier
        text = f"{word} {size_text(units, instrument)}"
        if plan.entry:
            text += f"  {fmt.signed_money(float(won))}"
        return self._line(plan, leg, float(price), text, "sell" if plan.side > 0 else "buy")

    @staticmethod
    def _line(plan: AnyPlan, leg: tuple[str, int], price: float, text: str, role: str) -> PriceLine:
        paused = "  paused" if plan.state is PlanState.PAUSED else ""
        free = plan.state in (PlanState.ACTIVE, PlanState.PAUSED)
        line_id = _plan_line(plan, *leg)
        return PriceLine(line_id, price, text + paused, role, draggable=free, closable=free)

    def change_of(self, line_id: str, price: float) -> tuple[OrderRequest, OrderRequest] | None:
        """An order as it is, and as it would be at ``price`` (on the tick); None for a line that
        is no working order: others block no margin before they go out."""
        order = self._bridge.books.orders.get(line_id)
        row = self._bridge.instrument(order.key) if order is not None else None
        if order is None or row is None or not order.status.is_working:
            return None
        change = moved(order, price, row.tick_size)
        return as_request(order, ModifyRequest(order.order_id)), as_request(order, change)

    # -- moving -----------------------------------------------------------------------------
    def move(self, line_id: str, price: float, mode: Mode, *, asked: bool = False) -> bool:
        """Bring a line to ``price`` (on the tick) by one change, armed or ``asked``; whether it
        is on its way. An alert moves without either: it sends nothing."""
        if self.is_alert(line_id):
            self._spawn(self._move_alert(line_id.split("|")[1], price), "move alert", sends=True)
            return True
        if self._gtts.owns(line_id):
            return self._gtts.move(line_id, price, mode, asked=asked)
        if not line_id.startswith(f"{PLAN}|"):
            order = self._bridge.books.orders.get(line_id)
            return order is not None and self._hand.move([order], price, mode, asked=asked)
        plan, leg, number = self._find(line_id)
        if plan is None or plan.plan_id in self._busy:
            return False
        if why := self._hand.why_not(plan.key, mode, asked=asked):
            self._bridge.notice.emit("warning", f"Not changed: {why}")
            return False
        self._bridge.arm.touch()
        self._busy.add(plan.plan_id)
        self._spawn(self._move_plan(plan, leg, number, price, mode), "move exit", sends=True)
        return True

    async def _move_alert(self, alert_id: str, price: float) -> None:
        alert = self._bridge.alerts.get(alert_id)
        wish = msgspec.structs.replace(alert.wish, level=Decimal(str(price)))
        await self._bridge.alerts.change(alert_id, wish)

    def _find(self, line_id: str) -> tuple[AnyPlan | None, str, int]:
        _, plan_id, leg, place = line_id.split("|")
        number, _, at = place.partition("@")
        plan = self._bridge.watch.find(plan_id, self._bridge.mode)
        if at and isinstance(plan, ExitPlan):
            prices = [str(price) for price in target_prices(plan)]
            plan = plan if prices[int(number) :][:1] == [at] else None
        return plan, leg, int(number)

    async def _move_plan(
        self, plan: AnyPlan, leg: str, number: int, price: float, mode: Mode
    ) -> None:
        watch, replace = self._bridge.watch, msgspec.structs.replace
        try:
            if isinstance(plan, Trigger):
                legs = list(plan.legs)
                old = legs[number]
                instrument = self._bridge.instrument(plan.key)
                tick = instrument.tick_size if instrument is not None else 0.05
                request = moved_trigger(old.request, price - float(old.price), tick)
                legs[number] = replace(old, price=Decimal(str(price)), request=request)
                await watch.change_trigger(plan.plan_id, tuple(legs), mode)
            elif isinstance(plan, ExitPlan):
                spec = plan.spec
                if leg == "stop":
                    spec = replace(spec, stop=Offset.of(price))
                else:
                    targets, place = list(ahead(plan)), number - plan.hit
                    if not 0 <= place < len(targets):
                        return  # reached meanwhile
                    targets[place] = Target(Offset.of(price), targets[place].percent)
                    spec = replace(spec, targets=tuple(targets))
                await watch.change(plan.plan_id, spec, mode)
        finally:
            self._busy.discard(plan.plan_id)

    # -- ending -----------------------------------------------------------------------------
    def close(self, line_id: str, mode: Mode) -> None:
        """Cancel an order, take a leg off its plan (unless armed, that is asked about), or delete
        an alert."""
        if self.is_alert(line_id):
            alert_id = line_id.split("|")[1]
            self._spawn(self._bridge.alerts.delete(alert_id), "delete alert", sends=True)
            return
        if self._gtts.owns(line_id):
            self._gtts.close(line_id, mode)
            return
        if not line_id.startswith(f"{PLAN}|"):
            order = self._bridge.books.orders.get(line_id)
            if order is not None:
                self._hand.cancel([order], mode)
            return
        plan, leg, number = self._find(line_id)
        if plan is not None and plan.plan_id not in self._busy:
            self._busy.add(plan.plan_id)
            self._spawn(self._close_leg(plan, leg, number, mode), "end exit", sends=True)

    async def _close_leg(self, plan: AnyPlan, leg: str, number: int, mode: Mode) -> None:
        watch, replace = self._bridge.watch, msgspec.structs.replace
        name = self._bridge.name(plan.key)
        text = f"The {leg if leg != 'leg' else 'trigger'} of {name} is not watched any more then."
        if isinstance(plan, Trigger) and len(plan.legs) > 1:
            text += " Both of its prices end."
        try:
            if not self._hand.armed and not await confirm(
                self._parent, "Take this exit away?", text, "Take away"
            ):
                return
            # It may have been changed while the question stood there.
            now, leg, number = self._find(_plan_line(plan, leg, number))
            if now is None:
                return
            if isinstance(now, ExitPlan):
                spec = now.spec
                if leg == "stop":
                    spec = replace(spec, stop=None, trail=None, break_even=None)
                else:
                    rest = [t for n, t in enumerate(ahead(now)) if n != number - now.hit]
                    spec = replace(spec, targets=tuple(rest))
                if not spec.empty:
                    await watch.change(plan.plan_id, spec, mode)
                    return
            await watch.delete(plan.plan_id, mode)
        finally:
            self._busy.discard(plan.plan_id)
