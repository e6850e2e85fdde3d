"""The status bar: markets, feed, orders and their pace, local API, what goes on in the background,
errors in the log, frame time, clock."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QSizePolicy, QStatusBar

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.clips import may_elide
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, push_button, set_role

#: The status bar keeps a message that found no other place so long, milliseconds.
MESSAGE_MS = 6000

#: Between two parts, pixels.
SPACING = 8
#: The parts in the order in which they keep their place.
KEPT_FIRST = ("feed", "orders", "jobs", "clock", "pace", "api")


class StatusBar(QStatusBar):
    """Refreshes itself once a second; every part says its state in words, not colour alone."""

    review_wanted = Signal()
    performance_wanted = Signal()
    log_wanted = Signal()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.setObjectName("statusbar")
        self.setAccessibleName("Status")
        self.setSizeGripEnabled(False)
        self._parts: dict[str, QLabel] = {}
        self._build_market()
        self._errors_seen = bridge.logs.errors
        for name in ("feed", "orders", "pace", "api", "jobs"):
            self.addWidget(self._part(name))
        self.frame = push_button(
            "", "status-frame", "Paint time; opens Performance", self.performance_wanted.emit
        )
        self.frame.setProperty("role", "status-link")
        self.frame.setToolTip("Paint time of the window: median / 95 per cent. Click for more.")
        self.addPermanentWidget(self.frame)
        self.addPermanentWidget(self._part("clock"))
        self.differ = push_button(
            "", "status-differ", "Review differences of the books", self.review_wanted.emit
        )
        self.differ.setProperty("role", "badge")
        self.differ.hide()
        self.addWidget(self.differ)
        self.errors = push_button("", "status-errors", "Errors in the log", self._open_log)
        self.errors.setProperty("role", "badge")
        self.errors.hide()
        self.addWidget(self.errors)
        self._timer = QTimer(self)
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()
        bridge.books.orders_changed.connect(self._show_orders)
        bridge.books.orders_updated.connect(lambda _: self._show_orders())
        bridge.books.gaps_changed.connect(lambda _: self._show_orders())
        bridge.safety.differ.connect(self.show_differences)
        bridge.mode_changed.connect(lambda _: self.show_differences())
        bridge.work.waiting_changed.connect(lambda _: self._show_orders())
        self.refresh()

    def _build_market(self) -> None:
        """The markets in one line, which gives way first; all of them on a click."""
        self.market: QPushButton = push_button(
            "", "status-market", "Market state", self._show_markets
        )
        self.market.setProperty("role", "status-link")
        may_elide(self.market)
        self.market.setMinimumWidth(150)
        self.market.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.addWidget(self.market, 1)

    def _show_markets(self) -> None:
        menu = named(QMenu(self), "status-market-menu", "Markets")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for line in self._bridge.markets.lines().splitlines():
            menu.addAction(line.replace("&", "&&"))
        place = self.market.mapToGlobal(QPoint(0, 0))
        menu.popup(place - QPoint(0, menu.sizeHint().height()))

    def _refresh_market(self) -> None:
        markets = self._bridge.markets
        text = markets.brief()
        self.market.setAccessibleName(f"Markets: {text}")
        self.market.ensurePolished()
        metrics = self.market.fontMetrics()
        room = max(60, self.market.width() - 24)
        # Elided and not cut: the first segments are those that trade.
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        self.market.setText(shown.replace("&", "&&"))
        self.market.setToolTip(plain_tip(f"{text}\n{markets.lines()}"))

    # -- room -------------------------------------------------------------------------------
    def minimumSizeHint(self) -> QSize:
        return QSize(320, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """In a narrow window the least of the parts give way, whole."""
        room = self.width() - 40 - self.market.minimumWidth() - self.frame.sizeHint().width()
        for name in (name for name in KEPT_FIRST if name in self._parts):
            part = self._parts[name]
            if not part.text():
                part.hide()
                continue
            room -= part.sizeHint().width() + SPACING
            part.setVisible(room >= 0)

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
            self._fit()
        set_role(part, tone, "tone")

    def stop(self) -> None:
        """No more refreshes."""
        self._timer.stop()

    def refresh(self) -> None:
        """Show everything as it is now."""
        self._refresh_market()
        feed = self._bridge.feed
        age, subscribed = feed.age(), feed.subscribed
        if not feed.connected:
            self._set("feed", "○ feed disconnected", "down")
        elif feed.stale:
            since = "no tick yet" if age is None else f"last tick {age:.0f} s ago"
            self._set("feed", f"○ feed silent, {since} · {subscribed}", "warning")
        else:
            since = "waiting" if age is None else f"{age:.1f} s"
            most = self._bridge.accounts.capacity()
            count = f"{subscribed} subscribed" if most is None else f"{subscribed}/{most}"
            full = most is not None and subscribed >= most
            self._set("feed", f"● feed {since} · {count}", "warning" if full else "up")
            self._parts["feed"].setToolTip(
                plain_tip(self._feed_tip(subscribed, most) if most is not None else "")
            )
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
        self.frame.setText(f"paint {frames.percentile(0.5):.1f} / {frames.percentile(0.95):.1f} ms")
        self._show_pace()
        self._show_jobs()
        self.show_errors()
        self._set("clock", f"{self._bridge.now():%a %d %b  %H:%M:%S} IST")

    @staticmethod
    def _feed_tip(subscribed: int, most: int) -> str:
        if subscribed < most:
            return f"{subscribed} instruments are streamed; the account takes {most}."
        return f"The account streams no more than {most} instruments: close some lists or chains."

    def _show_jobs(self) -> None:
        """What goes on in the background, one of them in sight."""
        jobs = self._bridge.accounts.busy()
        more = f" +{len(jobs) - 1}" if len(jobs) > 1 else ""
        self._set("jobs", f"{jobs[0]}{more}" if jobs else "")
        self._parts["jobs"].setToolTip(plain_tip("\n".join(jobs)))

    def show_errors(self) -> None:
        """The badge: errors since somebody looked."""
        count = self._bridge.logs.errors - self._errors_seen
        self.errors.setVisible(count > 0)
        text = "1 error" if count == 1 else f"{count} errors"
        self.errors.setText(f"⚠ {text}")
        last, _, _ = self._bridge.logs.last_error.partition("\n")
        tip = f"{text} in the log since you looked; a click shows them. The last one:\n{last}"
        self.errors.setToolTip(plain_tip(tip if count > 0 else ""))

    def _open_log(self) -> None:
        self._errors_seen = self._bridge.logs.errors
        self.show_errors()
        self.log_wanted.emit()

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
        if late := self._bridge.work.waiting:
            self._set("orders", f"{text}, {late} without an answer yet", "warning")
        elif unknown:
            self._set("orders", f"{text}, {unknown} unknown", "warning")
        else:
            self._set("orders", text, "" if gaps is None else "warning")

    def _show_pace(self) -> None:
        """How fast orders are answered, and how many may leave within this second."""
        door = self._bridge.orders
        trip, left = door.round_trip(), door.left()
        took = "" if trip is None else f"● {trip.median:.0f} ms  "
        self._set("pace", f"{took}{left}/{door.budget} orders/s", "warning" if left < 3 else "")
        tip = f"Order writes that may leave within this second, over all sources: {left} of "
        tip += f"{door.budget}."
        if trip is not None:
            tip += f" Answers: last {trip.last:.0f} ms, median of {trip.count}: {trip.median:.0f}."
        self._parts["pace"].setToolTip(plain_tip(tip))

    def tell(self, text: str) -> None:
        """A message that found no place over the window."""
        self.showMessage(text, MESSAGE_MS)
