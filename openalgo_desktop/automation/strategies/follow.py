"""What plans and orders do to runs."""

from __future__ import annotations

import logging
from collections.abc import Callable

from openalgo_desktop.automation.strategies.exits import Exits
from openalgo_desktop.automation.strategies.live import LiveRun
from openalgo_desktop.automation.strategies.runs import Runs
from openalgo_desktop.automation.strategies.state import Place
from openalgo_desktop.core import exit_rules
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Product
from openalgo_desktop.core.events import ExitPlanChanged, Notice, OrderUpdated
from openalgo_desktop.core.exits import ExitPlan, PlanState
from openalgo_desktop.core.model import Order
from openalgo_desktop.core.strategies import run_rules
from openalgo_desktop.core.strategies.model import SquareOff
from openalgo_desktop.core.strategies.rows import RunOrder
from openalgo_desktop.core.strategies.run_rules import NAME_OF
from openalgo_desktop.core.strategies.words import (
    EventKind,
    OrderKind,
    OrderState,
    Severity,
    StopReason,
)

log = logging.getLogger(__name__)

_HITS = {
    OrderKind.SL: EventKind.LEG_SL_HIT,
    OrderKind.TRAIL: EventKind.LEG_SL_HIT,
    OrderKind.TARGET: EventKind.LEG_TARGET_HIT,
    OrderKind.LEG_MANUAL: EventKind.LEG_CLOSE_MANUAL,
}
#: A trail that moves is told at most so often; seconds.
TOLD_EVERY = 5.0
STOPS = (OrderKind.SL, OrderKind.TRAIL)


class Follow:
    """Handlers of the bus; what has to be awaited is done by ``wake``."""

    def __init__(
        self,
        runs: Runs,
        exits: Exits,
        gone: Callable[[LiveRun, Place, str], None],
        closed: Callable[[LiveRun, Place], None],
        wake: Callable[[LiveRun], None],
        judge: Callable[[LiveRun], None],
    ) -> None:
        self._runs = runs
        self._ground = runs.ground
        self._exits = exits
        self._gone = gone
        self._closed = closed
        self._wake = wake
        self._judge = judge
        self._told: dict[str, float] = {}  # when the trail of a place was told, monotonic

    # -- plans ------------------------------------------------------------------------------
    def on_plan(self, event: ExitPlanChanged) -> None:
        """A plan of the watch changed; most are not of a run."""
        live = self._runs.of_ref(event.plan.plan_id)
        match event.plan:
            case ExitPlan() as plan:
                if live is not None:
                    self.take(live, plan)
                else:
                    self._orphan(plan)

    def take(self, live: LiveRun, plan: ExitPlan) -> None:
        """A place as its plan is now."""
        place = live.place(plan.plan_id)
        if place is None or (place.closed and not self._back(live, place, plan)):
            return
        place.best = plan.best
        last, live.plans[place.ref] = live.plans.get(place.ref), plan
        if last is not None and _only_trailed(last, plan):
            self._trails(live, place, plan)
            self._runs.changed(live.strategy_id)
            return
        grew = plan.held > place.held
        changed = (plan.held, plan.entry) != (place.held, place.entry)
        self._copy(live, place, plan)
        for order_id in plan.entries:
            live.ledger.link(place.ref, order_id, entry=True)
        self._trails(live, place, plan)
        if plan.state is PlanState.EXITING and plan.firing is not None:
            self._leaves(live, place, plan)
        for order_id in plan.exits:
            live.ledger.link(place.ref, order_id, entry=False)
        self._refresh(live, place, plan)
        self._become(live, place, plan, grew=grew)
        if changed:
            live.count(place)
            self._runs.save(live)
            self._judge(live)
        self._runs.changed(live.strategy_id)
        live.news()

    def _copy(self, live: LiveRun, place: Place, plan: ExitPlan) -> None:
        place.held, place.multiplier, place.message = plan.held, plan.multiplier, plan.message
        place.product = plan.product  # it may have been converted
        if plan.under_key != place.under:
            place.under = plan.under_key
            self._runs.reindex(live)
        place.target = next(iter(exit_rules.target_prices(plan)[plan.hit :]), None)
        if plan.entry > 0:
            place.entry = plan.entry
            if place.ltp is None:  # what it filled at is a price, too
                place.ltp = plan.entry
            live.state.first.setdefault(place.leg_id, plan.entry)

    def _become(self, live: LiveRun, place: Place, plan: ExitPlan, *, grew: bool) -> None:
        """What the state of a plan means for its place."""
        leaving = live.state.leaving
        if plan.state is PlanState.FAILED:
            self._failed(live, place, plan)
        elif not plan.state.is_open:
            self._ended(live, place, plan)
        elif leaving is not None and (grew or not plan.held):
            self._exits.let_go(live, place, run_rules.KIND_OF[leaving])
        elif grew and place.kind is not None and not place.exiting:
            self._exits.let_go(live, place, place.kind)  # told to go before it filled

    def _back(self, live: LiveRun, place: Place, plan: ExitPlan) -> bool:
        """An entry that was told as refused is at the broker after all: its place is open again."""
        if not plan.state.is_open or not place.refused:
            return False
        place.closed, place.refused = False, ""
        live.reopen(place)
        text = f"The entry of {place.symbol} arrived after all; the run looks after it."
        self._runs.tell(
            live, EventKind.LEG_ENTRY_PLACED, text, Severity.WARN, leg_id=place.leg_id, notice=True
        )
        self._runs.reindex(live)
        return True

    def _orphan(self, plan: ExitPlan) -> None:
        """Something of a run that is over came to be held after its end: it goes out."""
        if plan.state is PlanState.ACTIVE and plan.held > 0 and self._runs.ended(plan.plan_id):
            log.error("%s came to be held after the end of its run", plan.symbol)
            text = (
                f"{plan.label}: {plan.held} {plan.symbol} filled after the end of the run; they "
                "are closed."
            )
            now = self._ground.clock.now()
            self._ground.bus.publish(Notice(level="error", text=text, at=now))
            self._ground.legs.let_out(plan.plan_id, NAME_OF[OrderKind.CLOSE_ALL])

    def _trails(self, live: LiveRun, place: Place, plan: ExitPlan) -> None:
        before, place.stop = place.stop, plan.stop_at
        if place.first_stop is None:
            place.first_stop = plan.stop_at
        if plan.spec.steps is None or not exit_rules.armed(plan):
            return
        if not place.armed:
            place.armed = True
            text = f"The trailing stop of {place.symbol} is armed at {plan.stop_at}."
            self._runs.tell(live, EventKind.LEG_TRAIL_ARMED, text, leg_id=place.leg_id)
        elif before != plan.stop_at and before is not None and self._news_of(place):
            text = f"The trailing stop of {place.symbol} is at {plan.stop_at}."
            self._runs.tell(live, EventKind.LEG_TRAIL_ADVANCED, text, leg_id=place.leg_id)

    def _news_of(self, place: Place) -> bool:
        """Whether its trail was not told just now: one that follows each price is not told each
        time."""
        now = self._ground.clock.monotonic()
        if now - self._told.get(place.ref, float("-inf")) < TOLD_EVERY:
            return False
        self._told[place.ref] = now
        return True

    def _leaves(self, live: LiveRun, place: Place, plan: ExitPlan) -> None:
        """A leg of the plan was reached, or it was told to go; then each exit that is refused."""
        firing = plan.firing
        assert firing is not None
        trailed = place.armed and plan.stop_at != place.first_stop
        kind = run_rules.kind_of_exit(firing.leg, trailed=trailed)
        if not place.exiting:
            place.exiting, place.kind, place.attempts = True, kind, 0
            hit = _HITS.get(kind)
            text = f"{place.symbol}: {firing.leg} reached at {firing.price}."
            if hit is not None:
                self._runs.tell(live, hit, text, leg_id=place.leg_id)
            self._runs.tell(
                live,
                EventKind.LEG_EXIT_PLACED,
                f"{plan.held} units of {place.symbol} go out ({NAME_OF.get(kind, firing.leg)}).",
                leg_id=place.leg_id,
                payload={"kind": kind.value, "position_ref": place.ref},
            )
            live.ledger.exit(self._exits.template(live, place, kind, plan.held))
            self._runs.save(live)
            self._after_hit(live, place, kind)
        if firing.attempts > place.attempts:
            place.attempts = firing.attempts
            live.ledger.refuse(place.ref, plan.message)
            self._runs.tell(
                live,
                EventKind.LEG_EXIT_REJECTED,
                plan.message,
                Severity.WARN,
                leg_id=place.leg_id,
            )
            live.ledger.exit(self._exits.template(live, place, kind, plan.held))

    def _after_hit(self, live: LiveRun, place: Place, kind: OrderKind) -> None:
        d = live.definition
        if live.state.leaving is not None or kind not in (*STOPS, OrderKind.TARGET):
            return
        if d.square_off is SquareOff.COMPLETE:
            reason = StopReason.OVERALL_SL if kind in STOPS else StopReason.OVERALL_TARGET
            text = f"Leg {place.leg_id} was reached, and the strategy leaves as a whole."
            self._exits.leave(live, reason, text)
        elif kind in STOPS and d.trail_sl_to_entry:
            self._to_entry(live, place)

    def _to_entry(self, live: LiveRun, hit: Place) -> None:
        moved = [
            place.leg_id
            for place in live.open()
            if place is not hit and self._ground.legs.to_entry(place.ref)
        ]
        live.state.guard = run_rules.without_stop(live.state.guard)
        self._runs.tell(
            live,
            EventKind.TRAIL_TO_ENTRY_ACTIVATED,
            f"Leg {hit.leg_id} was stopped; the stops of legs {moved} are at their entries."
            if moved
            else f"Leg {hit.leg_id} was stopped; no other stop could be moved to its entry.",
            payload={"legs": moved},
        )
        self._runs.save(live)

    def _failed(self, live: LiveRun, place: Place, plan: ExitPlan) -> None:
        """All tries were refused: the run stays open, and what it holds stays looked after."""
        text = f"{place.symbol} could not be closed: {plan.message}"
        live.ledger.refuse(place.ref, plan.message)
        state = live.state
        if place.superseded or place.kind is OrderKind.SIGNAL:
            place.superseded = False
            state.again = [row for row in state.again if row.leg_id != place.leg_id]
            kind = EventKind.FLIP_OUTGOING_EXIT_REJECTED
            self._runs.tell(live, kind, text, Severity.CRITICAL, leg_id=place.leg_id)
        elif state.leaving is None:
            kind = EventKind.LEG_EXIT_REJECTED
            self._runs.tell(live, kind, text, Severity.CRITICAL, leg_id=place.leg_id)
        place.kind, place.attempts, place.exiting = None, 0, False
        if state.leaving is not None and all(row.kind is None for row in live.open()):
            state.leaving = None
            state.restart = False
            text = f"The run could not be stopped: {text}. It stays open and is looked after."
            self._runs.tell(live, EventKind.RUN_STOP_FAILED, text, Severity.CRITICAL)
        self._runs.save(live)

    def _ended(self, live: LiveRun, place: Place, plan: ExitPlan) -> None:
        """Nothing of a place is left, or nothing came of it."""
        fills = live.ledger.fills(place.ref, place.entry)
        filled = max(fills.bought, sum(units for units, _ in plan.entries.values()))
        if not filled:
            self._gone(live, place, plan.message)
            self._wake(live)
            return
        place.held = 0
        missing = filled - fills.out - place.elsewhere
        if plan.state is PlanState.CANCELLED and missing > 0:
            self._taken_over(live, place, missing)
        elif missing > 0:
            price = place.ltp or place.entry
            place.elsewhere += missing
            place.elsewhere_value += missing * price
            severity = Severity.WARN
            text = (
                f"{missing} units of {place.symbol} were closed outside the strategy; they are "
                f"counted at {price}, the last price known."
            )
            if self._delivered(live, place):
                severity = Severity.CRITICAL
                text = (
                    f"{missing} units of {place.symbol}, bought on an earlier day, are no position "
                    "any more. Where they were delivered they are in your holdings, and NO stop "
                    "and no rule looks after them: sell them there, or protect them by hand. "
                    f"They are counted at {price}, the last price known."
                )
            self._runs.tell(live, EventKind.LEG_EXIT_FILLED, text, severity, leg_id=place.leg_id)
        live.ledger.refuse(place.ref, "not needed any more")
        place.closed = True
        live.count(place)
        self._told.pop(place.ref, None)
        live.plans.pop(place.ref, None)
        self._judge(live)  # before its leg may come again
        self._closed(live, place)
        self._runs.reindex(live)
        self._runs.save(live)
        self._wake(live)

    def _delivered(self, live: LiveRun, place: Place) -> bool:
        """Whether what is no position any more may have become a holding: shares of an earlier
        day."""
        rows = live.ledger.of(place.ref)
        if place.product is not Product.CNC or not rows:
            return False
        today = self._ground.clock.now().astimezone(IST).date()
        return rows[0].placed_at.astimezone(IST).date() < today

    def _taken_over(self, live: LiveRun, place: Place, units: int) -> None:
        price = place.ltp or place.entry
        place.elsewhere += units
        place.elsewhere_value += units * price
        place.kind = OrderKind.LEG_MANUAL
        text = f"The exit plan of {place.symbol} was deleted: its {units} units are yours now."
        self._runs.tell(
            live,
            EventKind.LEG_CLOSE_MANUAL,
            text,
            Severity.WARN,
            leg_id=place.leg_id,
            notice=True,
        )

    # -- orders -----------------------------------------------------------------------------
    def on_order(self, event: OrderUpdated) -> None:
        """An order changed; of a run it is one whose source names a place, or that is known."""
        order = event.order
        kind, _, ref = order.source.partition(":")
        live = self._runs.of_ref(ref) if kind == "exit" else None
        if live is not None:
            live.ledger.link(ref, order.order_id, entry=False)
        else:
            for live in self._runs.of_key(order.key):
                if ref := live.ledger.ref_of(order.order_id):
                    break
            else:
                return
        place = live.place(ref)
        if place is not None and live.run.account_id == event.account_id:
            self.order(live, place, order)
            live.news()

    def _refresh(self, live: LiveRun, place: Place, plan: ExitPlan) -> None:
        """The plan may hear of a fill before we do: its orders as the book has them."""
        orders = self._ground.desk.books.book(live.run.mode).orders
        for order_id in (*plan.entries, *plan.exits):
            if (order := orders.get(order_id)) is not None:
                self.order(live, place, order)

    def order(self, live: LiveRun, place: Place, order: Order) -> None:
        """An order of a place as it is now."""
        change = live.ledger.update(order, self._ground.clock.now())
        if change is None:
            return
        before, after = change
        if place.closed and after.kind is not OrderKind.ENTRY:
            place.told_late(after.filled - before.filled)
        live.count(place)
        if after.status is not before.status or after.filled > before.filled:
            self._tell_order(live, place, before, after)

    def _tell_order(self, live: LiveRun, place: Place, before: RunOrder, after: RunOrder) -> None:
        entry = after.kind is OrderKind.ENTRY
        payload = {"order_id": after.broker_order_id, "filled": after.filled}
        if after.status is OrderState.REJECTED:
            kind = EventKind.LEG_ENTRY_REJECTED if entry else EventKind.LEG_EXIT_REJECTED
            text = f"{place.symbol}: {after.reject_reason or 'rejected by the broker'}"
            self._runs.tell(live, kind, text, Severity.WARN, leg_id=place.leg_id, payload=payload)
        elif after.filled > before.filled:
            kind = EventKind.LEG_ENTRY_FILLED if entry else EventKind.LEG_EXIT_FILLED
            text = f"{after.filled} of {after.quantity} {place.symbol} at {after.average_price:g}"
            self._runs.tell(live, kind, text, leg_id=place.leg_id, payload=payload)
        self._runs.save(live)


def _only_trailed(last: ExitPlan, plan: ExitPlan) -> bool:
    """Whether nothing but the best price and the stop of a plan is another."""
    return (
        plan.held == last.held
        and plan.entry == last.entry
        and plan.state is last.state
        and plan.firing is last.firing
        and plan.entries is last.entries
        and plan.exits is last.exits
        and plan.spec is last.spec
        and plan.product is last.product
    )
