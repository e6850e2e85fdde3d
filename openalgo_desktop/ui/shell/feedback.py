"""What the window says by itself: toasts, sounds, notifications of orders, approvals, the feed.

Fills of one underlying are one toast that counts while it is shown. Each change of an order is told
once, however often its broker repeats it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QObject, QTimer

from openalgo_desktop.core.alerts import DESKTOP, SOUND, PriceAlert, ToldAlert
from openalgo_desktop.core.api_rows import Approval
from openalgo_desktop.core.enums import Mode, OrderStatus
from openalgo_desktop.core.model import Order
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.trader_words import source_text
from openalgo_desktop.ui.rooms.automation import alert_words
from openalgo_desktop.ui.rooms.safety.approvals import summary
from openalgo_desktop.ui.shell.sounds import Sounds
from openalgo_desktop.ui.shell.toasts import Toasts

log = logging.getLogger(__name__)

#: Orders that change within this time are told together, milliseconds.
TELL_MS = 250
#: States of orders that are remembered.
REMEMBERED = 20_000
Notify = Callable[[str, str], None]


class Kind(NamedTuple):
    """What happened to an order: sound, level of the toast, words for one and for several."""

    sound: str
    level: str
    one: str
    several: str


FILL = Kind("fill", "info", "Filled", "fills")
PARTIAL = Kind("partial", "info", "Filled in part", "part fills")
REJECT = Kind("reject", "error", "Rejected", "rejections")
STOP = Kind("stop", "warning", "Stop hit", "stops hit")
EXPIRED = Kind("", "warning", "Expired", "orders expired")


def happened(order: Order, before: tuple[OrderStatus, int] | None) -> Kind | None:
    """What is new in ``order`` since ``before`` (status and filled units as last told)."""
    status, filled = before if before is not None else (OrderStatus.PENDING, 0)
    if order.status is not status:
        if order.status is OrderStatus.COMPLETE:
            return STOP if order.price_type.has_trigger else FILL
        if order.status is OrderStatus.REJECTED:
            return REJECT
        if order.status is OrderStatus.EXPIRED:
            return EXPIRED
    if order.filled_quantity > filled and not order.status.is_final:
        return PARTIAL
    return None


class Feedback(QObject):
    """Owned by the main window. ``notify`` tells the desktop when nobody looks."""

    def __init__(
        self, parent: QObject, bridge: Bridge, toasts: Toasts, sounds: Sounds, notify: Notify
    ) -> None:
        super().__init__(parent)
        self._bridge, self._toasts, self._sounds = bridge, toasts, sounds
        self._notify = notify
        self._seen: dict[str, Order] = {}  # as last told; a row never changes
        self._fresh: list[tuple[Kind, Order]] = []
        self._groups: dict[str, list[Order]] = {}
        self._connected = bridge.feed.connected
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TELL_MS)
        self._timer.timeout.connect(self._tell)
        bridge.books.orders_changed.connect(self._on_book)
        bridge.books.orders_updated.connect(self._on_orders)
        bridge.notice.connect(self._on_notice)
        bridge.safety.approval_queued.connect(self._on_approval)
        bridge.feed_changed.connect(self._on_feed)
        bridge.work.unanswered.connect(self._on_unanswered)
        bridge.alerts.tells.connect(self._on_alert)
        bridge.sound_wanted.connect(sounds.test)
        bridge.alerts.test_wanted.connect(lambda: self._sounds.play("alert"))

    # -- orders -----------------------------------------------------------------------------
    def _on_book(self) -> None:
        """The whole book was read: what it says is no news."""
        self._seen = dict(self._bridge.books.orders)

    def _on_orders(self, orders: Sequence[Order]) -> None:
        for order in orders:
            seen = self._seen.get(order.order_id)
            kind = happened(order, None if seen is None else (seen.status, seen.filled_quantity))
            self._seen[order.order_id] = order
            if kind is not None:
                self._fresh.append((kind, order))
        while len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        if self._fresh and not self._timer.isActive():
            self._timer.start()

    def _tell(self) -> None:
        fresh, self._fresh = self._fresh, []
        groups: dict[tuple[Kind, str], list[Order]] = {}
        for kind, order in fresh:
            groups.setdefault((kind, self._underlying(order)), []).append(order)
        for (kind, name), orders in groups.items():
            topic = f"{kind.several}-{name}"
            known = self._groups.get(topic, []) if self._toasts.has(topic) else []
            self._groups[topic] = rows = [*known, *orders]
            text, last = self.words(kind, name, rows), rows[-1].order_id
            if kind.level == "error":
                log.error("order %s: %s", last, text)
            self._toasts.show(
                kind.level, text, topic, partial(self._bridge.order_wanted.emit, last)
            )
            self._sounds.play(kind.sound)
            self._notify(kind.level, text)
        self._groups = {t: rows for t, rows in self._groups.items() if self._toasts.has(t)}

    def _underlying(self, order: Order) -> str:
        instrument = self._bridge.instrument(order.key)
        if instrument is None or instrument.expiry is None:
            return order.symbol
        return instrument.name

    def words(self, kind: Kind, name: str, orders: Sequence[Order]) -> str:
        """One order in a sentence, several as a count."""
        order = orders[-1]
        if len(orders) > 1:
            text = f"{len(orders)} {kind.several} {name}"
            return (
                f"{text}. Last: {fmt.amounts(self._bridge.names.spoken(order.rejection_reason))}"
                if kind is REJECT
                else text
            )
        lot = self._bridge.lot(order.key)
        units = fmt.lots_text(order.quantity, lot)
        what = f"{order.action.value} {units} {self._bridge.name(order.key)}"
        if kind is REJECT:
            why = fmt.amounts(self._bridge.names.spoken(order.rejection_reason))
            return f"{kind.one}: {what}. {why}"
        if kind is EXPIRED:
            return f"{kind.one}: {what}"
        price = fmt.exact(order.average_price, self._bridge.places(order.key))
        if kind is PARTIAL:
            return f"{kind.one}: {fmt.lots_text(order.filled_quantity, lot)} of {what} @ {price}"
        return f"{kind.one}: {what} @ {price}"

    def _on_unanswered(self, kind: str, seconds: float) -> None:
        what = {"place": "an order", "modify": "a change of an order"}.get(kind, "a cancellation")
        self._toasts.show(
            "warning",
            f"No answer yet to {what} after {seconds:.0f} s. It is not sent again; the account is "
            "being asked.",
            "unanswered",
            lambda: self._bridge.command_wanted.emit("show-orders"),
        )

    # -- the rest ---------------------------------------------------------------------------
    def _on_notice(self, level: str, text: str) -> None:
        self._toasts.show(level, text)
        if level == "error":
            log.error("%s", text)
            self._notify(level, text)

    def _on_approval(self, approval: Approval) -> None:
        text = f"{source_text(approval.source)} asks: {summary(approval, self._bridge)}"
        self._toasts.show(
            "warning", text, "", lambda: self._bridge.command_wanted.emit("approvals")
        )
        self._sounds.play("alert")
        self._notify("warning", text)

    def _on_alert(self, channel: str, alert: PriceAlert, told: ToldAlert) -> None:
        """By one way of the window. A toast for each alert: the same one again takes the place of
        its last."""
        if channel == SOUND:
            self._sounds.play("alert")
            return
        text = f"Alert: {alert_words.words(self._bridge, alert, told)}"
        if channel == DESKTOP:
            self._notify("warning", text)
            return
        self._toasts.show(
            "warning",
            text,
            f"alert-{alert.alert_id}",
            partial(self._bridge.dock_wanted.emit, "alerts", alert.key if alert.key[1] else None),
        )

    def _on_feed(self, connected: bool, message: str) -> None:
        lost, self._connected = self._connected and not connected, connected
        if lost:
            where = "LIVE" if self._bridge.mode is Mode.LIVE else "SANDBOX"
            self._sounds.play("disconnect")
            self._notify("error", f"{where}: prices are lost. {message}".strip())
