"""What the bot tells without being asked: events of the bus become news, news become messages.

A handler of an event only adds a line to a bundle; one task sends what has gathered.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from openalgo_desktop.automation.telegram.books import order_text
from openalgo_desktop.automation.telegram.bundles import KINDS, Bundle, Held, is_quiet
from openalgo_desktop.automation.telegram.chats import PLACE, ChatBook
from openalgo_desktop.automation.telegram.outbox import Outbox, Outgoing, Pause
from openalgo_desktop.automation.telegram.ports import Store
from openalgo_desktop.automation.telegram.rooms import Rooms, title
from openalgo_desktop.automation.telegram.strategies import hosted_news
from openalgo_desktop.automation.telegram.summary import Summaries
from openalgo_desktop.core.api_rows import NEVER
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import AccountState, ApprovalStatus, OrderStatus
from openalgo_desktop.core.events import (
    AccountChanged,
    ApprovalChanged,
    BooksDiffer,
    ExitPlanChanged,
    FeedChanged,
    HostedChanged,
    KillSwitchChanged,
    ModeChanged,
    OrderCorrected,
    OrderRefused,
    OrderUpdated,
    StorageChanged,
    StrategyTold,
)
from openalgo_desktop.core.exits import ExitPlan, PlanState, ResultExit
from openalgo_desktop.core.model import Order
from openalgo_desktop.core.strategies.hosted import HostedState
from openalgo_desktop.core.strategies.words import EventKind, Severity
from openalgo_desktop.core.telegram import LinkedChat

log = logging.getLogger(__name__)

#: Orders and plans whose last state is remembered.
REMEMBERED = 5000
#: Seconds between two looks at quiet hours and summaries.
LOOK = 20.0
#: Ordinary events of a made strategy that are told; of the others those that are not.
_RUNS = (EventKind.RUN_STARTED, EventKind.RUN_STOPPED)
_LOST = (AccountState.DISCONNECTED, AccountState.LOGIN_NEEDED)
_PLAN_NEWS = (PlanState.DONE, PlanState.EXITING, PlanState.FAILED)


class Teller:
    """``setting`` reads a setting. ``start`` before the first event counts."""

    def __init__(
        self,
        rooms: Rooms,
        chats: ChatBook,
        outbox: Outbox,
        store: Store,
        setting: Callable[[str], Any],
        pause: Pause,
    ) -> None:
        self._rooms = rooms
        self._chats = chats
        self._outbox = outbox
        self._store = store
        self._setting = setting
        self._pause = pause
        self._bundles: dict[str, Bundle] = {}
        self._held = Held()
        self._orders: OrderedDict[str, OrderStatus] = OrderedDict()
        self._plans: OrderedDict[str, tuple[PlanState, str]] = OrderedDict()
        self._since = rooms.clock.now()
        self._fed = True
        self._programs: dict[str, HostedState] = {}
        self._accounts: dict[str, AccountState] = {}
        self._more = asyncio.Event()
        self._stops: list[Callable[[], None]] = []
        self._summaries = Summaries(rooms, chats, outbox, store, setting)

    async def start(self) -> None:
        """Take up what was held, and listen."""
        kept = await self._store.get(PLACE, "held")
        if kept is not None:
            try:
                self._held = msgspec.convert(kept, Held)
            except msgspec.ValidationError as error:
                log.warning("what the quiet hours held cannot be read: %s", error)
        await self._summaries.load()
        on = self._rooms.bus.subscribe
        self._stops = [
            on(OrderUpdated, self._order),
            on(OrderRefused, self._refused),
            on(OrderCorrected, self._corrected),
            on(ApprovalChanged, self._approval),
            on(ExitPlanChanged, self._plan),
            on(FeedChanged, self._feed),
            on(AccountChanged, self._account),
            on(KillSwitchChanged, self._kill),
            on(ModeChanged, self._mode),
            on(BooksDiffer, self._differ),
            on(StorageChanged, self._storage),
            on(HostedChanged, self._hosted),
            on(StrategyTold, self._strategy),
        ]

    def stop(self) -> None:
        """Listen no more; what has gathered is told at once."""
        while self._stops:
            self._stops.pop()()
        self.flush()

    async def run(self) -> None:
        """Send what gathers, until cancelled."""
        while True:
            try:
                await asyncio.wait_for(self._more.wait(), LOOK)
            except TimeoutError:
                pass
            else:
                await self._pause(float(self._setting("telegram.grouping")))
                self._more.clear()
            try:
                self.flush()
                await self._summaries.look()
            except Exception:
                log.exception("telling failed; going on")

    # -- adding -----------------------------------------------------------------------------
    def news(self, kind: str, line: str, key: str = "") -> None:
        """One line of a kind, where it is switched on; with the same ``key`` it is counted."""
        if (bundle := self._bundle(kind)) is not None:
            bundle.add(line, key or line)

    def _bundle(self, kind: str) -> Bundle | None:
        if kind != "alerts" and not self._setting(f"telegram.tell.{kind}"):
            return None
        self._more.set()
        return self._bundles.setdefault(kind, Bundle())

    def flush(self) -> None:
        """Queue what gathered, or hold it over quiet hours; then what was held before."""
        now = self._rooms.clock.now()
        bundles, self._bundles = self._bundles, {}
        quiet = is_quiet(str(self._setting("telegram.quiet_hours")), now)
        if not quiet and self._held.rows:
            self._release()
        for name, bundle in bundles.items():
            text = bundle.text(KINDS[name])
            if not text:
                continue
            if quiet:
                self._held.add(name, now, text)
                continue
            for chat in self._chats.all():
                if _wants(chat, name):
                    self._outbox.put(Outgoing(chat.chat_id, text, KINDS[name].weight))
        if quiet and bundles:
            self._store.put_later(PLACE)("held", msgspec.to_builtins(self._held))

    def _release(self) -> None:
        for chat in self._chats.all():
            text = self._held.texts([name for name in KINDS if _wants(chat, name)])
            if text:
                self._outbox.put(Outgoing(chat.chat_id, text, KINDS["exits"].weight))
        self._held = Held()
        self._store.put_later(PLACE)("held", None)

    # -- orders -----------------------------------------------------------------------------
    def _order(self, event: OrderUpdated) -> None:
        order = event.order
        key = f"{event.mode.value}:{order.order_id or order.tag}"
        before = self._orders.get(key)
        _remember(self._orders, key, order.status)
        head = f"{title(event.mode)} {self._time(order)}"
        if before is None and self._is_new(order) and order.status is not OrderStatus.REJECTED:
            self.news("placed", f"{head} placed: {_order(order)}", key)
        if event.trade is not None and (bundle := self._bundle("filled")) is not None:
            trade = event.trade
            tail = f"{order.symbol} {order.exchange} {order.product.value}{_whose(order)}"
            if (placed := self._bundles.get("placed")) is not None:
                placed.drop(key)  # the fill says it all
            bundle.fill(key, f"{head} filled: {order.action.value}", tail, trade)
        if order.status is before:
            return
        if order.status is OrderStatus.REJECTED:
            late = " after it was accepted" if before is not None else ""
            why = order.rejection_reason or "no reason was told"
            self.news("rejected", f"{head} rejected{late}: {_order(order)}: {why}")
        elif order.status is OrderStatus.UNKNOWN:
            self.news("rejected", f"{head} without an answer, it is looked up: {_order(order)}")
        elif order.status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):
            self.news("cancelled", f"{head} {order.status.value}: {_order(order)}")

    def _is_new(self, order: Order) -> bool:
        return order.placed_at is None or order.placed_at >= self._since

    def _time(self, order: Order) -> str:
        at = order.updated_at or order.placed_at or self._rooms.clock.now()
        return f"{at.astimezone(IST):%H:%M:%S}"

    def _refused(self, event: OrderRefused) -> None:
        now, what = self._rooms.clock.now(), _asked(event.request)
        self.news(
            "rejected",
            f"{title(event.mode)} {now:%H:%M:%S} {event.kind} refused: {what} "
            f"(from {event.source}): {event.reason}",
            f"{event.mode}:{event.source}:{event.kind}:{what}:{event.reason}",
        )

    def _approval(self, event: ApprovalChanged) -> None:
        row = event.approval
        if row.status is not ApprovalStatus.PENDING:
            return
        until = f", until {row.expires_at.astimezone(IST):%H:%M}" if row.expires_at < NEVER else ""
        what = _asked(row.payload)
        text = f"waits in the action centre{until}: {row.kind} {what} (from {row.source})"
        self.news("approvals", text, f"{row.approval_id}")

    def _corrected(self, event: OrderCorrected) -> None:
        self.news("rejected", f"{title(event.mode)} order {event.order_id}: {event.message}")

    # -- exits ------------------------------------------------------------------------------
    def _plan(self, event: ExitPlanChanged) -> None:
        plan = event.plan
        news = (plan.state, plan.message)
        before = self._plans.get(plan.plan_id)
        _remember(self._plans, plan.plan_id, news)
        if plan.state not in _PLAN_NEWS or before == news:
            return
        what = f"{plan.symbol} {plan.exchange}".strip() or plan.label or "the account"
        product = f" {plan.product.value}" if isinstance(plan, ExitPlan) else ""
        kind = "risk" if isinstance(plan, ResultExit) else "exits"
        text = plan.message or plan.state.value
        self.news(kind, f"{title(plan.mode)} exit of {what}{product} ({plan.state.value}): {text}")

    # -- the program ------------------------------------------------------------------------
    def _feed(self, event: FeedChanged) -> None:
        if event.connected is self._fed:
            return
        self._fed = event.connected
        why = f" {event.message}" if event.message else ""
        self.news("connection", "Prices come again." if self._fed else f"Prices are lost.{why}")

    def _account(self, event: AccountChanged) -> None:
        status = event.status
        before = self._accounts.get(status.account_id)
        self._accounts[status.account_id] = status.state
        name = status.title or status.broker
        if status.state in _LOST and before is not status.state:
            self.news("connection", f"{name}: {status.state.value}. {status.message}".strip())
        elif status.state is AccountState.CONNECTED and before in (*_LOST, AccountState.CONNECTING):
            self.news("connection", f"{name}: connected.")

    def _kill(self, event: KillSwitchChanged) -> None:
        if event.report is not None:
            self.news("kill", event.report.text)
        elif event.tripped:
            self.news("kill", f"Kill switch pulled (by {event.by}): new orders are blocked.")
        else:
            self.news("kill", f"Kill switch reset (by {event.by}): new orders are accepted.")

    def _mode(self, event: ModeChanged) -> None:
        self.news("kill", f"Orders go to {title(event.mode)} from now on (by {event.by}).")

    def _differ(self, event: BooksDiffer) -> None:
        found = event.differences
        if not found:
            self.news("risk", f"{title(event.mode)}: the books agree again.")
            return
        more = f" … and {len(found) - 1} more" if len(found) > 1 else ""
        self.news("risk", f"{title(event.mode)}: the books differ: {found[0].text}{more}")

    def _hosted(self, event: HostedChanged) -> None:
        view = event.view
        name, state = view.hosted.name, view.state
        before = self._programs.get(name)
        if event.removed:
            self._programs.pop(name, None)
            return
        self._programs[name] = state
        # The first word of a program that stands is no news: it stood there before.
        if state is before or (before is None and state is HostedState.STOPPED):
            return
        if text := hosted_news(view):
            self.news("strategies", text)

    def _strategy(self, event: StrategyTold) -> None:
        told = event.event
        if told.severity is not Severity.INFO or told.kind in _RUNS:
            text = told.message or told.kind.value.replace("_", " ")
            self.news("strategies", f"strategy {told.strategy_id}: {text}")

    def _storage(self, event: StorageChanged) -> None:
        text = f"Nothing can be stored: {event.trouble}." if event.trouble else "It stores again."
        self.news("risk", text)


def _wants(chat: LinkedChat, kind: str) -> bool:
    wish = chat.preferences
    return {
        "": True,
        "order_notifications": wish.order_notifications,
        "trade_notifications": wish.trade_notifications,
        "pnl_notifications": wish.pnl_notifications,
    }[KINDS[kind].preference]


def _remember(memory: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)


def _asked(request: Mapping[str, Any]) -> str:
    """The order in the fields of a request; of a change the order's id."""
    words = (request.get(name) for name in ("action", "quantity", "symbol", "exchange"))
    return " ".join(str(word) for word in words if word) or str(request.get("order_id", ""))


def _whose(order: Order) -> str:
    name = f", strategy {order.strategy}" if order.strategy else ""
    return f"{name}, id {order.order_id or order.tag}"


def _order(order: Order) -> str:
    return f"{order_text(order)}{_whose(order)}"
