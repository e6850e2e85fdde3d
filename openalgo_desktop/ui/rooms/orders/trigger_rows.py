"""Rows of the GTT / triggers dock: what our core watches and what the broker keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from openalgo_desktop.core.enums import Action, GttType, PriceType
from openalgo_desktop.core.exit_rules import closing_action, target_prices
from openalgo_desktop.core.exits import (
    ONLY_WHILE_RUNNING,
    AnyPlan,
    ExitPlan,
    Offset,
    PlanState,
    ResultExit,
    Trigger,
    Unit,
)
from openalgo_desktop.core.gtt import Gtt
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.kit.table_dock import Col
from openalgo_desktop.ui.kit.tables import RowAction

OURS, BROKERS = "this app", "broker"
STATE_TONE = {
    PlanState.WAITING: "muted",
    PlanState.ACTIVE: "up",
    PlanState.PAUSED: "warning",
    PlanState.EXITING: "warning",
    PlanState.FAILED: "down",
}
_UNIT_TEXT = {
    Unit.PRICE: "{}",
    Unit.POINTS: "{} points",
    Unit.PERCENT: "{} %",
    Unit.RUPEES: "₹{}",
}


@dataclass(slots=True)
class WatchRow:
    """One plan, trigger or GTT. ``below`` and ``above`` are prices at which something goes out
    when the last price falls or rises to them; texts say what."""

    row_id: str
    key: Key
    kind: str
    keeper: str
    does: str
    state: str
    tone: str
    open: bool
    message: str = ""
    below: Decimal | None = None
    below_text: str = ""
    above: Decimal | None = None
    above_text: str = ""
    also: str = ""
    plan: AnyPlan | None = None
    gtt: Gtt | None = None
    ltp: float | None = None

    @property
    def distance(self) -> float | None:
        """Per cent of the last price to the nearer level; None while one is not known."""
        if not self.ltp or not self.open:
            return None
        levels = [float(level) for level in (self.below, self.above) if level is not None]
        gaps = [100.0 * abs(level - self.ltp) / self.ltp for level in levels]
        return min(gaps) if gaps else None


class Rows:
    """Makes rows; texts need names, decimals and what is in the way of a plan."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def of_plan(self, plan: AnyPlan) -> WatchRow:
        """The row of a plan of our own."""
        match plan:
            case ExitPlan():
                row = self._exit(plan)
            case Trigger():
                row = self._trigger(plan)
            case ResultExit():
                row = self._result(plan)
        trouble = self._bridge.watch.trouble(plan) if plan.state is PlanState.ACTIVE else ""
        if trouble:
            row.state, row.tone, row.message = "Sees nothing", "warning", trouble
        row.plan = plan
        return row

    def _exit(self, plan: ExitPlan) -> WatchRow:
        units = plan.held or (plan.request.quantity if plan.request is not None else 0)
        row = self._row(plan, "Bracket" if plan.request is not None else "Exits")
        row.does = f"{closing_action(plan).value} {self._units(plan.key, units)} at market"
        stop, nxt = plan.stop_at, target_prices(plan)[plan.hit : plan.hit + 1]
        stop_text = f"{self._price(plan.key, stop)} {'trail' if plan.spec.trail else 'stop'}"
        goal: Decimal | None = None
        goal_text = ""
        if nxt and plan.entry:
            target = plan.spec.targets[plan.hit]
            goal = nxt[0]
            goal_text = f"{self._price(plan.key, goal)} tgt"
            if target.percent < 100:
                goal_text += f" {target.percent} %"
        under, over = (stop, stop_text), (goal, goal_text)
        if plan.side < 0:
            under, over = over, under
        row.below, row.below_text = under[0], under[1] if under[0] is not None else ""
        row.above, row.above_text = over[0], over[1] if over[0] is not None else ""
        row.also = self._also(plan)
        return row

    def _also(self, plan: ExitPlan) -> str:
        """What is not a level: trailing, break-even, further targets, resting orders."""
        spec, said = plan.spec, []
        if spec.trail is not None:
            said.append(f"trails by {self._offset(plan.key, spec.trail)}")
        if spec.break_even is not None and not plan.even:
            said.append(f"break-even at +{self._offset(plan.key, spec.break_even)}")
        if plan.even:
            said.append("at break-even")
        more = len(spec.targets) - plan.hit - 1
        if more > 0:
            said.append(f"{more} more target{'s' if more > 1 else ''}")
        if plan.state is PlanState.WAITING:
            said.append("waits for fills of its entry")
            if spec.stop is not None:
                said.append(f"stop {self._offset(plan.key, spec.stop)}")
        if plan.orders:
            said.append(f"{len(plan.orders)} resting at the broker")
        return ", ".join(said)

    def _trigger(self, trigger: Trigger) -> WatchRow:
        row = self._row(trigger, "OCO" if trigger.is_oco else "Trigger")
        row.does = " or ".join(dict.fromkeys(self._order(leg.request) for leg in trigger.legs))
        for leg in trigger.legs:
            text = self._price(trigger.key, leg.price)
            if leg.below:
                row.below, row.below_text = leg.price, text
            else:
                row.above, row.above_text = leg.price, text
        return row

    def _result(self, plan: ResultExit) -> WatchRow:
        row = self._row(plan, "Day result")
        row.does = f"Close all of {plan.label}" if plan.label else "Close all positions"
        said = ["of today's trades only"] if plan.label else []
        if plan.loss is not None:
            said.append(f"loss {fmt.money(float(plan.loss))}")
        if plan.profit is not None:
            said.append(f"profit {fmt.money(float(plan.profit))}")
        if plan.trail is not None:
            said.append(f"trails by {fmt.money(float(plan.trail))}")
        result = self._bridge.watch.result(plan)
        now = fmt.MISSING if result is None else fmt.signed_money(float(result))
        row.also = f"{', '.join(said)}; now {now}"
        return row

    def of_gtt(self, gtt: Gtt) -> WatchRow:
        """The row of a good-till-triggered order at the broker."""
        kind = "GTT OCO" if gtt.trigger_type is GttType.OCO else "GTT"
        row = WatchRow(
            f"gtt:{gtt.trigger_id}", gtt.key, kind, BROKERS, "", gtt.status.value, "up", True,
            self._bridge.clean(gtt.message), gtt=gtt,
        )  # fmt: skip
        units = self._units(gtt.key, gtt.quantity)
        prices = [self._price(gtt.key, Decimal(str(leg.price))) for leg in gtt.legs if leg.price]
        at = "at market" if gtt.price_type is PriceType.MARKET else f"at {' or '.join(prices)}"
        row.does = f"{gtt.action.value} {units} {at}"
        for leg in gtt.legs:
            level = Decimal(str(leg.trigger_price))
            text = self._price(gtt.key, level)
            if leg.below:
                row.below, row.below_text = level, text
            else:
                row.above, row.above_text = level, text
        return row

    def _row(self, plan: AnyPlan, kind: str) -> WatchRow:
        return WatchRow(
            plan.plan_id,
            plan.key,
            kind,
            OURS,
            "",
            plan.state.value,
            STATE_TONE.get(plan.state, "muted"),
            plan.state.is_open,
            self._bridge.clean(plan.message),
        )

    def _price(self, key: Key, price: Decimal | None) -> str:
        return "" if price is None else fmt.exact(float(price), self._bridge.places(key))

    def _offset(self, key: Key, offset: Offset) -> str:
        text = fmt.exact(float(offset.value), self._bridge.places(key))
        return _UNIT_TEXT[offset.unit].format(text)

    def _units(self, key: Key, units: int) -> str:
        """Lots first where there are lots, units beside."""
        instrument = self._bridge.instrument(key)
        lot = instrument.lot_size if instrument is not None else 1
        if lot <= 1 or units % lot:
            return fmt.quantity(units)
        return f"{fmt.quantity(units // lot)} L ({fmt.quantity(units)})"

    def _order(self, request: OrderRequest) -> str:
        text = f"{request.action.value} {self._units(request.key, request.quantity)}"
        if request.price_type is PriceType.MARKET:
            return f"{text} at market"
        return f"{text} at {self._price(request.key, Decimal(str(request.price)))}"


def actions(row: WatchRow) -> tuple[RowAction, ...]:
    """Links of a row that still does something."""
    if not row.open:
        return ()
    found = [RowAction("edit", "Edit")]
    if row.plan is not None and row.plan.state in (PlanState.PAUSED, PlanState.FAILED):
        word = "Resume" if row.plan.state is PlanState.PAUSED else "Try again"
        found.append(RowAction("resume", word))
    elif row.plan is not None and row.plan.state is PlanState.ACTIVE:
        found.append(RowAction("pause", "Pause"))
    return (*found, RowAction("delete", "Delete", "down"))


def side_of(row: WatchRow) -> str:
    """Colour role of what goes out."""
    if row.does.startswith(Action.BUY.value):
        return "buy"
    return "sell" if row.does.startswith(Action.SELL.value) else ""


def columns(bridge: Bridge) -> tuple[Col[WatchRow], ...]:
    """The dock's columns."""

    def ltp(row: WatchRow) -> str:
        return fmt.exact(row.ltp, bridge.places(row.key)) if row.ltp else fmt.MISSING

    def level(value: Callable[[WatchRow], Decimal | None]) -> Callable[[WatchRow], float | None]:
        return lambda row: None if (found := value(row)) is None else float(found)

    def percent(row: WatchRow) -> str:
        return fmt.MISSING if row.distance is None else fmt.percent(row.distance)

    def name(row: WatchRow) -> str:
        return bridge.name(row.key) if row.key[1] else "Account"

    return (
        Col(
            "symbol", "Symbol", 110, name, numeric=False,
            tip=lambda r: contract_tip(r.key) if r.key[1] else "",
            copied=lambda r: r.key[1],
        ),
        Col("kind", "Kind", 70, lambda r: r.kind, numeric=False),
        Col(
            "keeper", "Kept by", 60, lambda r: r.keeper, numeric=False,
            tone=lambda r: "warning" if r.keeper == OURS else "",
            tip=lambda r: f"{ONLY_WHILE_RUNNING.capitalize()}" if r.keeper == OURS else "",
        ),
        Col("does", "What goes out", 130, lambda r: r.does, tone=side_of, numeric=False),
        Col(
            "below", "Falls to", 80, level(lambda r: r.below),
            lambda r: r.below_text or fmt.MISSING,
        ),
        Col("ltp", "LTP", 74, lambda r: r.ltp, ltp, flash=True, live=True),
        Col(
            "above", "Rises to", 80, level(lambda r: r.above),
            lambda r: r.above_text or fmt.MISSING,
        ),
        Col(
            "distance", "Away", 54, lambda r: r.distance, percent, live=True,
            tooltip="From the last price to the nearer of the two",
        ),
        Col(
            "state",
            "State",
            62,
            lambda r: r.state.capitalize(),
            tone=lambda r: r.tone,
            numeric=False,
        ),
        Col("action", "", 150, lambda r: r.open, numeric=False, actions=actions),
        Col("also", "Besides", 190, lambda r: r.also, numeric=False, elides=True),
        Col("message", "Last", 240, lambda r: r.message, numeric=False, elides=True),
        Col("id", "Id", 170, lambda r: r.row_id.removeprefix("gtt:"), numeric=False),
    )  # fmt: skip
