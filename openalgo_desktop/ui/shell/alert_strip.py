"""The strip under the toolbar: everything that is wrong now (red), and a way to log in again. A
holiday is told there, too, in a quiet colour."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from openalgo_desktop.core.enums import AccountState, Mode
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role

EDGE, PADDING, LINE = 8, 6, 28  # pixels
GAP = "      "
#: A clock that is off by more is told, seconds: candles, cut-offs and one-time passwords go by it.
SKEW = 2.0


class AlertStrip(QWidget):
    """Says what is wrong; ``changed`` when it has something to say or nothing any more."""

    changed = Signal(bool)
    login_wanted = Signal(str)  # name of the account
    resized = Signal(int)  # its height, pixels

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._account = ""
        self._alerts: list[str] = []
        self._slow = ("", "")
        named(self, "banner-alert", "Alerts")
        row = QHBoxLayout(self)
        row.setContentsMargins(EDGE, 0, EDGE, 0)
        self._label: QLabel = label("", "banner-alert-text", "banner-alert")
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._label.setWordWrap(True)
        # Long alerts take another line; they never make the window wider than the screen.
        self._label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self._label, 1)
        self.log_in = push_button(
            "Reconnect", "banner-alert-login", "Log in to the account again", self._log_in
        )
        self.log_in.setProperty("role", "on-alert")
        row.addWidget(self.log_in)
        for signal in (
            bridge.feed_changed,
            bridge.feed.changed,
            bridge.account_changed,
            bridge.mode_changed,
            bridge.safety.kill_changed,
            bridge.safety.storage_changed,
        ):
            signal.connect(self.refresh)
        bridge.feed.aged.connect(self._look)

    def text(self) -> str:
        """What it says."""
        return self._label.text()

    def _log_in(self) -> None:
        self.login_wanted.emit(self._account)

    def _account_alert(self) -> str:
        """An account in use whose session is over."""
        self._account = ""
        door = self._bridge.accounts
        for name in door.names():
            status, (data, orders) = door.status(name), door.roles(name)
            used = data or (orders and self._bridge.mode is Mode.LIVE)
            if used and status.state is AccountState.LOGIN_NEEDED:
                self._account = name
                why = status.message or "its session is over"
                what = "orders and prices" if data and orders else "prices" if data else "orders"
                return f"NO {what.upper()} from {status.title}: {why}"
        return ""

    def _look(self) -> None:
        """What nobody tells: the clock, and a day that begins."""
        if (self._clock_alert(), self._bridge.markets.holiday()) != self._slow:
            self.refresh()

    def _clock_alert(self) -> str:
        who, seconds = self._bridge.accounts.skew()
        if abs(seconds) <= SKEW:
            return ""
        way = "behind" if seconds > 0 else "ahead of"
        return (
            f"THIS CLOCK IS WRONG: at least {abs(seconds):.0f} s {way} {who}; set it before you "
            "trade"
        )

    def refresh(self, *_: object) -> None:
        """Say what is wrong now."""
        alerts = []
        if self._bridge.safety.killed:
            alerts.append("KILL SWITCH ON  —  new orders are blocked until you reset it")
        if trouble := self._bridge.safety.storage_trouble:
            alerts.append(f"NOTHING CAN BE STORED: {trouble}; new orders are refused")
        if exposure := self._bridge.api.exposure():
            alerts.append(exposure)
        if self._bridge.safety.locked_vault:
            alerts.append(
                "LIVE ACCOUNTS ARE LOCKED: the keyring does not give our key; see the log"
            )
        if account := self._account_alert():
            alerts.append(account)
        elif not self._bridge.feed.connected:
            message = self._bridge.account_status().message
            alerts.append(f"Market data is disconnected; prices are old. {message}".strip())
        elif self._bridge.feed.stale:
            alerts.append("The market feed is silent; prices are old and shown in grey")
        self._slow = clock, holiday = self._clock_alert(), self._bridge.markets.holiday()
        if clock:
            alerts.append(clock)
        tone = "" if alerts else "note"
        for widget in (self, self._label):
            set_role(widget, tone, "tone")
        if holiday:
            alerts.append(f"Holiday  —  {holiday}")
        self._alerts = alerts
        self.log_in.setVisible(bool(self._account))
        self._lay_out()
        self.changed.emit(bool(alerts))

    def _lay_out(self) -> None:
        """Side by side where they fit, else each on its own line."""
        self._label.ensurePolished()
        metrics = self._label.fontMetrics()
        room = self.width() - 2 * EDGE
        if not self.log_in.isHidden():
            room -= self.log_in.sizeHint().width() + EDGE
        text = GAP.join(self._alerts)
        if metrics.horizontalAdvance(text) > room:
            text = "\n".join(self._alerts)
        self._label.setText(text)
        self.setAccessibleName(". ".join(self._alerts) or "Alerts")
        flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignCenter
        height = metrics.boundingRect(0, 0, max(1, room), 9999, flags, text).height()
        tall = max(LINE, height + 2 * PADDING)
        if tall != self.height():
            self.setFixedHeight(tall)
            self.resized.emit(tall)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()
