"""The form of an alert."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import count

import msgspec
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from openalgo_desktop.core.alert_acts import act_name
from openalgo_desktop.core.alert_judge import holds, plain
from openalgo_desktop.core.alerts import (
    MESSAGE_LENGTH,
    NOTE_LENGTH,
    PLACEHOLDERS,
    AlertWhen,
    AlertWish,
    PriceAlert,
)
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.exits import ONLY_WHILE_RUNNING
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.ui.engine.alerts import AlertDraft
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import come_up
from openalgo_desktop.ui.kit.fields import Field, FieldGrid, StillCombo
from openalgo_desktop.ui.kit.search import SymbolSearch
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.widgets import (
    label,
    name_inner_controls,
    named,
    plain_tip,
    push_button,
)
from openalgo_desktop.ui.rooms.automation import alert_words
from openalgo_desktop.ui.rooms.automation.alert_condition import Condition

ONCE, AGAIN = "Once", "Each time"
#: The value of now is shown anew this often, milliseconds.
LOOK_MS = 300
_NUMBERS = count(1)
_DAYS = (("End of today", 0), ("7 days", 7), ("30 days", 30))
_MESSAGE = "Told instead of the usual words. It may name " + ", ".join(
    f"{{{{{name}}}}}" for name in PLACEHOLDERS
)


class AlertDialog(QDialog):
    """New (for a ``key``, at a ``price``, or from a ``draft``), or ``old`` to change. Not modal;
    gone when closed."""

    def __init__(
        self,
        parent: QWidget,
        bridge: Bridge,
        key: Key | None = None,
        price: float = 0.0,
        old: PriceAlert | None = None,
        draft: AlertDraft | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.old = old
        self._key: Key | None = None
        self._saving = False
        self._chosen = draft is not None  # a condition, by hand
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(False)
        self.setMinimumWidth(look.px(420))
        named(self, "dialog-alert", "Change alert" if old is not None else "New alert")
        self.setWindowTitle(self.accessibleName())
        column = QVBoxLayout(self)
        column.setSpacing(8)
        self.search = SymbolSearch(bridge, "dialog-alert-search", "Symbol")
        self.search.chosen.connect(self.show_symbol)
        self.search.setVisible(old is None and draft is None)
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
        elif draft is not None:
            self._fill(draft.wish)
            self.condition.offer_studies(draft.offers)
        elif key is not None:
            self.show_symbol(key)
            self.price.setFocus()
            if price > 0:
                self.price.setValue(price)
        self._arrange()
        if old is not None and self.price.isVisibleTo(self):
            self.price.setFocus()  # what is mostly changed
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
        self.condition = condition = Condition(self, self._bridge)
        self.when, self.price, self.percent = condition.when, condition.price, condition.percent
        self.until, self.at = StillCombo(), QLineEdit()
        today = self._bridge.now().date()
        self.until.addItem("No end", None)
        for text, days in _DAYS:
            self.until.addItem(text, (today + timedelta(days)).isoformat())
        self.at.setPlaceholderText("HH:MM, else the whole day")
        self.note, self.message = QLineEdit(), QLineEdit()
        self.note.setMaxLength(NOTE_LENGTH)
        self.message.setMaxLength(MESSAGE_LENGTH)
        self.message.setPlaceholderText("The usual words")
        self.often = Segments("dialog-alert-often", "How often", (ONCE, AGAIN))
        self._rest = {
            "often": Field("How often", self.often, "dialog-alert-often"),
            "expires": Field("Watch until", self.until, "dialog-alert-until"),
            "until": Field("Until (IST)", self.at, "dialog-alert-at"),
            "note": Field("Note", self.note, "dialog-alert-note"),
            "message": Field("Message", self.message, "dialog-alert-message"),
        }
        self._rest["message"].setToolTip(plain_tip(_MESSAGE))
        self._fields = {**condition.fields, **self._rest}
        self.grid = FieldGrid()
        column.addLayout(self.grid)
        column.addWidget(self._rest["message"])
        self.channels = {
            name: named(QCheckBox(title), f"dialog-alert-by-{name}", f"Tell by {title}")
            for name, title in self._bridge.alerts.channels()
        }
        row = QHBoxLayout()
        row.addWidget(label("Tell by", "dialog-alert-by", "caption"))
        for box in self.channels.values():
            box.setChecked(True)
            box.toggled.connect(lambda _: self._show_words())
            row.addWidget(box)
        row.addStretch(1)
        column.addLayout(row)
        condition.changed.connect(self._arrange)
        self.until.currentIndexChanged.connect(lambda _: self._arrange())
        self.when.activated.connect(lambda _: self._choose())
        self.price.valueChanged.connect(self._follow)
        for editor in condition.editors.values():
            editor.lineEdit().returnPressed.connect(self._submit)
        for line in (self.note, self.message, self.at):
            line.returnPressed.connect(self._submit)

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
        self.condition.take_symbol(key, instrument.tick_size)
        tick = self._bridge.latest(key)
        last = tick.ltp if tick is not None else 0.0
        self.price.setValue(to_tick(last, instrument.tick_size) if last > 0 else 0.0)
        self._show_words()

    def _fill(self, wish: AlertWish) -> None:
        self.show_symbol(wish.key)
        self.condition.show(wish)
        self.often.choose(AGAIN if wish.again else ONCE)
        if wish.expires is not None:
            day = wish.expires.isoformat()
            if self.until.findData(day) < 0:
                self.until.addItem(f"{wish.expires:%d %b %Y}", day)
            self.until.setCurrentIndex(self.until.findData(day))
        self.at.setText("" if wish.until is None else f"{wish.until:%H:%M}")
        self.note.setText(wish.note)
        self.message.setText(wish.message)
        for name, box in self.channels.items():
            box.setChecked(name in wish.channels)

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
        ends = self.until.currentData() is not None
        hidden = {"message", *(() if ends else ("until",))}  # the message has a row of its own
        rest = [field for name, field in self._rest.items() if name not in hidden]
        self.grid.place([*self.condition.shown(), *rest])
        self._show_words()

    def _wish(self, key: Key) -> AlertWish:
        """Raises :class:`InvalidOrder` for a time that is none."""
        day, at = self.until.currentData(), self.at.text().strip()
        try:
            until = time.fromisoformat(at) if at and day else None
        except ValueError:
            raise InvalidOrder(f"Until: {at!r} is no time. Give 15:00.", field="until") from None
        old = None if self.old is None else self.old.wish
        wish = AlertWish(
            *key,
            AlertWhen.ABOVE,
            pace=None if old is None else old.pace,
            acts=() if old is None else old.acts,  # they have no fields here, and stay
            again=self.often.value() == AGAIN,
            expires=date.fromisoformat(day) if day else None,
            until=until,
            note=self.note.text().strip(),
            message=self.message.text().strip(),
            channels=self._channels(),
        )
        wish = self.condition.fill(wish)
        if old is not None and old.pace is not None and not wish.span:
            return msgspec.structs.replace(wish, span=old.span)
        return wish

    def _channels(self) -> tuple[str, ...]:
        """The chosen ones, and those of the alert that are not there just now."""
        away = () if self.old is None else self.old.wish.channels
        chosen = [name for name, box in self.channels.items() if box.isChecked()]
        return (*chosen, *(name for name in away if name not in self.channels))

    def _show_words(self) -> None:
        """Beside the last price: what would be told, and whether that is true already."""
        self.save.setEnabled(self._key is not None and not self._saving)
        if self._key is None:
            self.hint.setText("")
            return
        tick = self._bridge.latest(self._key)
        known = tick is not None and tick.ltp > 0
        now = fmt.exact(tick.ltp, self._bridge.places(self._key)) if known and tick else fmt.MISSING
        self.heading.setText(f"{self._bridge.name(self._key)}  {self._key[0]}  LTP {now}")
        wish = self.condition.fill(AlertWish(*self._key, self.condition.chosen))
        value = alert_words.current(tick, wish.when) if wish.is_plain else None
        true = value is not None and holds(wish, plain(wish, Decimal(str(value))))
        chosen = [box.text().lower() for box in self.channels.values() if box.isChecked()]
        self.hint.setText(
            ("It is so already: this tells at once. " if true else "")
            + f"Tells by {', '.join(chosen) or 'nothing'}, and {self._acts()}. "
            + f"It works {ONLY_WHILE_RUNNING}."
        )

    def _acts(self) -> str:
        acts = () if self.old is None else self.old.wish.acts
        return f"does: {', '.join(map(act_name, acts))}" if acts else "sends nothing"

    # -- saving -----------------------------------------------------------------------------
    def _submit(self) -> None:
        if self._saving or self._key is None:
            return
        for field in self._fields.values():
            field.set_error("")
        self.answer.hide()
        for name, editor in self.condition.editors.items():
            field = self._fields[name]
            if field.isVisible() and (problem := editor.problem()):
                field.set_error(problem)
                return
        try:
            wish = self._wish(self._key)
        except InvalidOrder as error:
            self._told(error)
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
            self._told(error)
            return
        text = f"Alert set: {self._bridge.name(wish.key)} "
        self._bridge.notice.emit("info", text + alert_words.condition(self._bridge, wish))
        if isValid(self):  # it may have been closed meanwhile
            self.close()

    def _told(self, error: AppError) -> None:
        text = self._bridge.names.spoken(self._bridge.clean(error.message))
        name = error.field if isinstance(error, InvalidOrder) else ""
        field = self.condition.field_of(name) or self._rest.get(name)
        if field is not None and field.isVisible():
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
    draft: AlertDraft | None = None,
) -> AlertDialog:
    """Open the form; that of an alert is there once."""
    for known in parent.findChildren(AlertDialog):
        same = known.old is not None and old is not None and known.old.alert_id == old.alert_id
        if same and known.isVisible():
            come_up(known)
            return known
    dialog = AlertDialog(parent, bridge, key, price, old, draft)
    come_up(dialog)
    return dialog
