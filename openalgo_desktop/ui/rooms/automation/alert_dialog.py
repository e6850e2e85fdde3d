"""The form of a price alert."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import count

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from openalgo_desktop.core.alert_judge import holds, plain
from openalgo_desktop.core.alerts import (
    NOTE_LENGTH,
    AlertWhen,
    AlertWish,
    PriceAlert,
)
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.exits import ONLY_WHILE_RUNNING
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.fields import DecimalField, Field, PriceField, StillCombo
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.widgets import label, name_inner_controls, named, push_button
from openalgo_desktop.ui.rooms.automation import alert_words

ONCE, AGAIN = "Once", "Each time"
#: The value of now is shown anew this often, milliseconds.
LOOK_MS = 300
_NUMBERS = count(1)
_DAYS = (("End of today", 0), ("7 days", 7), ("30 days", 30))


class AlertDialog(QDialog):
    """New (for a ``key``, at a ``price``), or ``old`` to change. Not modal; gone when closed."""

    def __init__(
        self,
        parent: QWidget,
        bridge: Bridge,
        key: Key | None = None,
        price: float = 0.0,
        old: PriceAlert | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.old = old
        self._key: Key | None = None
        self._saving = False
        self._chosen = False  # a condition, by hand
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(False)
        self.setMinimumWidth(look.px(400))
        named(self, "dialog-alert", "Change alert" if old is not None else "New alert")
        self.setWindowTitle(self.accessibleName())
        column = QVBoxLayout(self)
        column.setSpacing(8)
        self.search = SymbolSearch(bridge, "dialog-alert-search", "Symbol")
        self.search.chosen.connect(self.show_symbol)
        self.search.setVisible(old is None)
        column.addWidget(self.search)
        self.heading = label("Pick a symbol", "dialog-alert-symbol", "heading")
        column.addWidget(self.heading)
        self._make_fields(column)
        self._make_foot(column)
        self._owner = f"dialog-alert-{next(_NUMBERS)}"
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._show_words)
        self._timer.start()
        self.finished.connect(lambda _: self._let_go())
        # Its dock may be closed first: then nothing is finished.
        self.destroyed.connect(partial(bridge.forget, self._owner))
        if old is not None:
            self._fill(old.wish)
        elif key is not None:
            self.show_symbol(key)
            self.price.setFocus()
            if price > 0:
                self.price.setValue(price)
        self._arrange()
        name_inner_controls(self)

    def _make_foot(self, column: QVBoxLayout) -> None:
        self.hint = label("", "dialog-alert-hint", "muted")
        self.hint.setWordWrap(True)
        self.hint.ensurePolished()
        self.hint.setMinimumHeight(3 * self.hint.fontMetrics().lineSpacing() + 2)
        column.addWidget(self.hint)
        self.answer = label("", "dialog-alert-result", "error")
        self.answer.setWordWrap(True)
        self.answer.hide()
        column.addWidget(self.answer)
        row = QHBoxLayout()
        sound = self._bridge.alerts.test_wanted.emit
        row.addWidget(push_button("Test sound", "dialog-alert-sound", "Play the sound", sound))
        row.addStretch(1)
        row.addWidget(push_button("Close", "dialog-alert-close", "Close", self.close))
        self.save = push_button("Save", "dialog-alert-save", "Save the alert", self._submit)
        self.save.setProperty("role", "primary")
        row.addWidget(self.save)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)  # Return saves in the fields, and presses nothing else
        column.addLayout(row)

    def _make_fields(self, column: QVBoxLayout) -> None:
        self.when, self.until = StillCombo(), StillCombo()
        for kind, text in alert_words.WHEN.items():
            self.when.addItem(text, kind.value)
        today = self._bridge.now().date()
        self.until.addItem("No end", None)
        for text, days in _DAYS:
            self.until.addItem(text, (today + timedelta(days)).isoformat())
        self.price, self.percent = PriceField(), DecimalField()
        self.percent.setRange(-1000, 1000)
        self.percent.setSuffix(" %")
        self.note = QLineEdit()
        self.note.setMaxLength(NOTE_LENGTH)
        self.often = Segments("dialog-alert-often", "How often", (ONCE, AGAIN))
        self._fields = {
            "when": Field("Tell when", self.when, "dialog-alert-when"),
            "level": Field("Price", self.price, "dialog-alert-price"),
            "percent": Field("Change of the day", self.percent, "dialog-alert-percent"),
            "often": Field("How often", self.often, "dialog-alert-often"),
            "expires": Field("Watch until", self.until, "dialog-alert-until"),
            "note": Field("Note", self.note, "dialog-alert-note"),
        }
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        for place in (0, 1):
            grid.setColumnStretch(place, 1)
        grid.addWidget(self._fields["when"], 0, 0)
        grid.addWidget(self._fields["level"], 0, 1)
        grid.addWidget(self._fields["percent"], 0, 1)
        grid.addWidget(self._fields["often"], 1, 0)
        grid.addWidget(self._fields["expires"], 1, 1)
        grid.addWidget(self._fields["note"], 2, 0, 1, 2)
        column.addLayout(grid)
        self.when.currentIndexChanged.connect(lambda _: self._arrange())
        self.when.activated.connect(lambda _: self._choose())
        self.price.valueChanged.connect(self._follow)
        for editor in (self.price, self.percent):
            editor.valueChanged.connect(lambda _: self._show_words())
            editor.lineEdit().returnPressed.connect(self._submit)
        self.note.returnPressed.connect(self._submit)

    def _let_go(self) -> None:
        self._timer.stop()
        self._bridge.forget(self._owner)

    # -- what is shown ----------------------------------------------------------------------
    def show_symbol(self, key: Key) -> None:
        """The alert is for ``key``, at its last price until another is given."""
        instrument = self._bridge.instrument(key)
        if instrument is None:
            return
        self._key = key
        self.search.clear()
        self._bridge.prices.want(self._owner, {key: FeedMode.QUOTE})
        self.price.set_tick(instrument.tick_size)
        tick = self._bridge.latest(key)
        last = tick.ltp if tick is not None else 0.0
        self.price.setValue(to_tick(last, instrument.tick_size) if last > 0 else 0.0)
        self._show_words()

    def _fill(self, wish: AlertWish) -> None:
        self.show_symbol(wish.key)
        self.when.setCurrentIndex(self.when.findData(wish.when.value))
        (self.percent if wish.when.of_day else self.price).setValue(float(wish.level))
        self.often.choose(AGAIN if wish.again else ONCE)
        if wish.expires is not None:
            day = wish.expires.isoformat()
            if self.until.findData(day) < 0:
                self.until.addItem(f"{wish.expires:%d %b %Y}", day)
            self.until.setCurrentIndex(self.until.findData(day))
        self.note.setText(wish.note)

    def _choose(self) -> None:
        self._chosen = True

    def _follow(self, price: float) -> None:
        """Until a condition is chosen, it is the way from the last price."""
        tick = self._bridge.latest(self._key) if self._key is not None else None
        if self._chosen or self.old is not None or tick is None or price == tick.ltp:
            return
        way = AlertWhen.ABOVE if price > tick.ltp else AlertWhen.BELOW
        self.when.setCurrentIndex(self.when.findData(way.value))

    def _arrange(self) -> None:
        of_day = AlertWhen(self.when.currentData()).of_day
        self._fields["level"].setVisible(not of_day)
        self._fields["percent"].setVisible(of_day)
        self._show_words()

    def _wish(self, key: Key) -> AlertWish:
        when, day = AlertWhen(self.when.currentData()), self.until.currentData()
        value = (self.percent if when.of_day else self.price).value()
        return AlertWish(
            exchange=key[0],
            symbol=key[1],
            when=when,
            level=Decimal(str(round(value, 6))),
            again=self.often.value() == AGAIN,
            expires=date.fromisoformat(day) if day else None,
            note=self.note.text().strip(),
        )

    def _show_words(self) -> None:
        """Beside the last price: what would be told, and whether that is true already."""
        self.save.setEnabled(self._key is not None and not self._saving)
        if self._key is None:
            self.hint.setText("")
            return
        tick, wish = self._bridge.latest(self._key), self._wish(self._key)
        known = tick is not None and tick.ltp > 0
        now = fmt.exact(tick.ltp, self._bridge.places(self._key)) if known and tick else fmt.MISSING
        self.heading.setText(f"{self._bridge.name(self._key)}  {self._key[0]}  LTP {now}")
        value = alert_words.current(tick, wish.when)
        true = value is not None and holds(wish, plain(wish, Decimal(str(value))))
        self.hint.setText(
            ("It is so already: this tells at once. " if true else "")
            + "Tells by a toast, a sound and a notification, and sends nothing. "
            + f"It works {ONLY_WHILE_RUNNING}."
        )

    # -- saving -----------------------------------------------------------------------------
    def _submit(self) -> None:
        if self._saving or self._key is None:
            return
        for field in self._fields.values():
            field.set_error("")
        self.answer.hide()
        wish = self._wish(self._key)
        name, editor = ("percent", self.percent) if wish.when.of_day else ("level", self.price)
        if problem := editor.problem():
            self._fields[name].set_error(problem)
            return
        self._saving = True
        self.save.setEnabled(False)
        self._bridge.spawn(self._store(wish), "save alert")

    async def _store(self, wish: AlertWish) -> None:
        try:
            if self.old is None:
                await self._bridge.alerts.add(wish)
            else:
                await self._bridge.alerts.change(self.old.alert_id, wish)
        except AppError as error:
            if not isValid(self):
                raise  # told as a notice
            self._saving = False
            self.save.setEnabled(True)
            self._told(error, wish)
            return
        text = f"Alert set: {self._bridge.name(wish.key)} "
        self._bridge.notice.emit("info", text + alert_words.condition(self._bridge, wish))
        if isValid(self):  # it may have been closed meanwhile
            self.close()

    def _told(self, error: AppError, wish: AlertWish) -> None:
        text = self._bridge.names.spoken(self._bridge.clean(error.message))
        name = error.field if isinstance(error, InvalidOrder) else ""
        if name == "level" and wish.when.of_day:
            name = "percent"
        if (field := self._fields.get(name)) is not None:
            field.set_error(text)
        else:
            self.answer.setText(text)
            self.answer.show()


def show_form(
    parent: QWidget,
    bridge: Bridge,
    key: Key | None = None,
    price: float = 0.0,
    old: PriceAlert | None = None,
) -> AlertDialog:
    """Open the form; that of an alert is there once."""
    for known in parent.findChildren(AlertDialog):
        same = known.old is not None and old is not None and known.old.alert_id == old.alert_id
        if same and known.isVisible():
            known.raise_()
            known.activateWindow()
            return known
    dialog = AlertDialog(parent, bridge, key, price, old)
    dialog.show()
    return dialog
