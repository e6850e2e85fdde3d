"""The status bar: market, feed, orders, local API, frame time, clock."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLabel, QStatusBar

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.widgets import label, plain_tip, push_button, set_role


class StatusBar(QStatusBar):
    """Refreshes itself once a second; every part says its state in words, not colour alone."""

    review_wanted = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.setObjectName("statusbar")
        self.setAccessibleName("Status")
        self.setSizeGripEnabled(False)
        self._parts: dict[str, QLabel] = {}
        for name in ("market", "feed", "orders", "api"):
            self.addWidget(self._part(name))
        for name in ("frame", "clock"):
            self.addPermanentWidget(self._part(name))
        self.differ = push_button(
            "", "status-differ", "Review differences of the books", self.review_wanted.emit
        )
        self.differ.setProperty("role", "badge")
        self.differ.hide()
        self.addWidget(self.differ)
        self._timer = QTimer(self)
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()
        bridge.books.orders_changed.connect(self._show_orders)
        bridge.books.orders_updated.connect(lambda _: self._show_orders())
        bridge.books.gaps_changed.connect(lambda _: self._show_orders())
        bridge.safety.differ.connect(self.show_differences)
        bridge.mode_changed.connect(lambda _: self.show_differences())
        self.refresh()

    def _part(self, name: str) -> QLabel:
        part = label("", f"status-{name}", "status")
        part.setAccessibleName(name)
        part.setContentsMargins(10, 0, 10, 0)
        self._parts[name] = part
        return part

    def _set(self, name: str, text: str, tone: str = "") -> None:
        part = self._parts[name]
        if part.text() != text:
            part.setText(text)
        set_role(part, tone, "tone")

    def stop(self) -> None:
        """No more refreshes."""
        self._timer.stop()

    def refresh(self) -> None:
        """Show everything as it is now."""
        opened = self._bridge.market_open("NSE")
        self._set("market", "NSE open" if opened else "NSE closed", "up" if opened else "muted")
        feed = self._bridge.feed
        age, subscribed = feed.age(), feed.subscribed
        if not feed.connected:
            self._set("feed", "○ feed disconnected", "down")
        elif feed.stale:
            since = "no tick yet" if age is None else f"last tick {age:.0f} s ago"
            self._set("feed", f"◐ feed silent, {since} · {subscribed}", "warning")
        else:
            since = "waiting" if age is None else f"{age:.1f} s"
            self._set("feed", f"● feed {since} · {subscribed} subscribed", "up")
        self._show_orders()
        _, _, clients = self._bridge.api.state()
        if host := self._bridge.api.listening():
            plural = "client" if clients == 1 else "clients"
            exposure = self._bridge.api.exposure()
            sign, tone = ("⚠ OPEN", "warning") if exposure else ("●", "")
            self._set("api", f"{sign} API {host} · {clients} {plural}", tone)
            self._parts["api"].setToolTip(plain_tip(exposure))
        else:
            self._set("api", "○ API off", "muted")
        frames = self._bridge.frames
        self._set("frame", f"paint {frames.percentile(0.5):.1f} / {frames.percentile(0.95):.1f} ms")
        self._parts["frame"].setToolTip("Paint time of the window: median / 95 per cent")
        self._set("clock", f"{self._bridge.now():%a %d %b  %H:%M:%S} IST")

    def show_differences(self) -> None:
        """The badge: how many rows of the own books and the account's disagree."""
        rows = self._bridge.safety.differences(self._bridge.mode)
        self.differ.setVisible(bool(rows))
        self.differ.setText(f"⚠ books differ ({len(rows)})")
        self.differ.setToolTip(plain_tip("\n".join(row.text for row in rows[:10])))

    def _show_orders(self) -> None:
        working = self._bridge.books.working_count
        unknown = self._bridge.unsettled_orders()
        gaps = self._bridge.books.gaps.get("orders")
        text = f"orders: {working} working" + (" ⚠" if gaps is not None else "")
        self._parts["orders"].setToolTip(plain_tip("" if gaps is None else gaps.text))
        if unknown:
            self._set("orders", f"{text}, {unknown} unknown", "warning")
        else:
            self._set("orders", text, "" if gaps is None else "warning")
