"""Typed events and the bus.

Dispatch is synchronous and in order on the loop thread: an event is never dropped or conflated.
Ticks do not travel here; they have their own walk through the market hub.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from openalgo_desktop.core.alerts import PriceAlert, ToldAlert
from openalgo_desktop.core.api_rows import Approval
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.exits import AnyPlan
from openalgo_desktop.core.model import AccountStatus, Key, Order, Trade
from openalgo_desktop.core.reports import Difference, KillReport
from openalgo_desktop.core.strategies.hosted import HostedView
from openalgo_desktop.core.strategies.rows import RunEvent
from openalgo_desktop.core.telegram import BotStatus, ConfirmRequest

log = logging.getLogger(__name__)


class Event(msgspec.Struct, frozen=True):
    """Base of all events."""


class OrderUpdated(Event, frozen=True):
    """An order changed, in either mode. ``order`` is a copy; ``trade`` is set on a fill."""

    account_id: str
    mode: Mode
    broker: str  # broker id, or "sandbox"
    order: Order
    trade: Trade | None = None


class OrderNamed(Event, frozen=True):
    """It is known now for which strategy an order was placed whose updates came before the answer
    to its placement. ``order`` names it, and so do the ``trades`` that were told without it."""

    account_id: str
    mode: Mode
    broker: str
    order: Order
    trades: tuple[Trade, ...] = ()


class StrategyBookChanged(Event, frozen=True):
    """The books of these strategies are others now: fills, a settlement, a name that came late.
    Told at most a few times a second; of a book that was read anew all are named."""

    mode: Mode
    account_id: str
    names: frozenset[str]


class OrderSettled(Event, frozen=True):
    """An order that was unknown is not any more: its row under ``tag`` is over. ``order_id`` is
    the order that it became, empty when it never arrived."""

    account_id: str
    mode: Mode
    tag: str
    order_id: str


class OrderCorrected(Event, frozen=True):
    """A placement that was told as rejected (or as never arrived) is at the exchange after all."""

    account_id: str
    mode: Mode
    tag: str
    order_id: str
    source: str
    message: str


class PositionsChanged(Event, frozen=True):
    """Positions, holdings or funds of an account changed other than by price."""

    account_id: str
    mode: Mode


class ModeChanged(Event, frozen=True):
    """The SANDBOX/LIVE switch moved."""

    mode: Mode
    by: str


class AccountChanged(Event, frozen=True):
    """Login or connection state of an account changed."""

    status: AccountStatus


class InstrumentsLoaded(Event, frozen=True):
    """A new symbol master is in force."""

    count: int


class FeedChanged(Event, frozen=True):
    """The market feed connected, dropped, went silent or came back."""

    connected: bool
    message: str = ""


class FeedRefused(Event, frozen=True):
    """An instrument that somebody wants is not streamed, with the reason; an empty ``reason``
    says that it is streamed, or not wanted any more."""

    key: Key
    reason: str


class SettingChanged(Event, frozen=True):
    """A setting has a new value."""

    key: str
    value: Any


class ApprovalChanged(Event, frozen=True):
    """An order was queued for approval, decided on, or has its result."""

    approval: Approval


class OrderRefused(Event, frozen=True):
    """An order write was refused before it reached the journal; ``request`` are its fields."""

    source: str
    kind: str
    request: dict[str, Any]
    reason: str
    account_id: str
    mode: Mode


class BooksDiffer(Event, frozen=True):
    """Our own books and the broker's disagree; an empty list says that they agree again."""

    account_id: str
    mode: Mode
    differences: tuple[Difference, ...]


class ExitPlanChanged(Event, frozen=True):
    """An exit plan or local trigger was made, changed or ended."""

    plan: AnyPlan


class PriceAlertChanged(Event, frozen=True):
    """An alert was made, changed, told, ended or ``deleted``; one that belongs to another
    instrument now is told as deleted from the one before first."""

    alert: PriceAlert
    deleted: bool = False


class PriceAlertFired(Event, frozen=True):
    """An alert tells: ``alert`` as it is after that, with its time and value; ``told`` are its
    words, before any channel took them."""

    alert: PriceAlert
    told: ToldAlert


class AlertLogChanged(Event, frozen=True):
    """What alerts told has a new row, or it is known which channels took one (``told``); None
    where old rows went."""

    told: ToldAlert | None = None


class StrategyChanged(Event, frozen=True):
    """A made strategy, or its run, is another now; told at most a few times a second for prices."""

    strategy_id: int


class StrategyTold(Event, frozen=True):
    """A made strategy has a new event."""

    event: RunEvent


class WebhookCame(Event, frozen=True):
    """The log of webhooks has a new row, or a row of it another end; ``strategy`` is its key
    (``core.webhook_log``), empty for an address of nobody."""

    strategy: str


class HostedChanged(Event, frozen=True):
    """A hosted program was added, changed its state or was ``removed``."""

    view: HostedView
    removed: bool = False


class KillSwitchChanged(Event, frozen=True):
    """The kill switch was pulled (``report`` follows when it is done) or reset."""

    tripped: bool
    by: str
    report: KillReport | None = None


class StorageChanged(Event, frozen=True):
    """The database can store no more (``trouble`` says why), or can again (it is empty)."""

    trouble: str


class LockChanged(Event, frozen=True):
    """The app lock closed or opened."""

    locked: bool


class TelegramChanged(Event, frozen=True):
    """The bot started, stopped, lost its connection, or a chat was linked or unlinked."""

    status: BotStatus


class TelegramAsks(Event, frozen=True):
    """A chat wants something that changes money: the window may ask its user. ``over`` says that
    it needs no answer any more."""

    request: ConfirmRequest
    over: bool = False


class Notice(Event, frozen=True):
    """A sentence for the user: toast and log dock. ``level`` is info, warning or error."""

    level: str
    text: str
    at: datetime | None = None


E_ = TypeVar("E_", bound=Event)


class Bus:
    """Ordered, synchronous publish/subscribe. A failing handler is logged and does not stop the
    others."""

    def __init__(self) -> None:
        self._handlers: dict[type[Event], list[Callable[[Any], None]]] = {}

    def subscribe(self, kind: type[E_], handler: Callable[[E_], None]) -> Callable[[], None]:
        """Call ``handler`` for each event of exactly that type; returns the unsubscribe call."""
        handlers = self._handlers.setdefault(kind, [])
        handlers.append(handler)

        def unsubscribe() -> None:
            if handler in handlers:
                handlers.remove(handler)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Deliver to all handlers now, in order of subscription."""
        for handler in tuple(self._handlers.get(type(event), ())):
            try:
                handler(event)
            except Exception:
                log.exception("handler of %s failed", type(event).__name__)

    def handler_count(self) -> int:
        """Registered handlers; for leak tests."""
        return sum(len(handlers) for handlers in self._handlers.values())
