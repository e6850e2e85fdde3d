"""A small editor under a position: its stop, target or trailing distance, watched by our core.

It opens with a sensible distance, so that a click opens it and another one sets it. Enter sets,
Escape leaves; leaving sends nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.exits import ONLY_WHILE_RUNNING
from openalgo_desktop.core.model import Instrument, Position
from openalgo_desktop.core.money import decimals, is_on_tick, nearest_ticks, to_tick
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import icons
from openalgo_desktop.ui.kit.fields import PriceField
from openalgo_desktop.ui.kit.sending import sends
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role

NAME = "position-exit"


class Leg(StrEnum):
    """What is edited; the value is how it is called."""

    STOP = "stop"
    TARGET = "target"
    TRAIL = "trailing stop"


#: Distance in per cent of the price at which a stop of an option, or of anything else, starts;
#: a target starts twice as far away.
FAR, NEAR = 20.0, 1.0


class Wanted(NamedTuple):
    """What the user set: a price, or a distance in points for a trailing stop."""

    row: Position
    leg: Leg
    value: float
    mode: Mode


def start_value(row: Position, leg: Leg, instrument: Instrument) -> float:
    """Where an editor starts: on the tick, on the right side of the last price; a distance for a
    trailing stop. 0 while no price is known."""
    base = row.ltp or row.average_price
    percent = FAR if instrument.is_option else NEAR
    away = base * percent / 100.0
    tick = instrument.tick_size or 0.05
    if leg is Leg.TRAIL:
        return max(tick, to_tick(away, tick))
    side = 1 if row.quantity > 0 else -1
    price = base - side * away if leg is Leg.STOP else base + 2 * side * away
    return max(tick, to_tick(price, tick))


class ExitEditor(QFrame):
    """``wanted`` carries what to set, ``removed`` that the leg is to go. It closes itself."""

    wanted = Signal(object)  # Wanted
    removed = Signal(object)  # Wanted with a value of 0
    closed = Signal()

    def __init__(
        self,
        parent: QWidget,
        row: Position,
        leg: Leg,
        instrument: Instrument,
        mode: Mode,
        name: str,
        now: float | None,
    ) -> None:
        """``now`` is what the leg is set to already, ``name`` the instrument's."""
        super().__init__(parent)
        named(self, NAME, f"{leg.value.capitalize()} of {name}")
        self.setProperty("role", "card-frame")
        self.setAutoFillBackground(True)
        self._row, self._leg, self._mode, self._instrument = row, leg, mode, instrument
        self._open = True
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(3)
        line = QHBoxLayout()
        line.setSpacing(6)
        where = "SANDBOX" if mode is Mode.SANDBOX else "LIVE"
        caption = label(f"{where}  {leg.value.capitalize()}  {name}", f"{NAME}-caption", "caption")
        line.addWidget(caption)
        self.field = named(PriceField(), f"{NAME}-price", "Distance" if self._away else "Price")
        self.field.set_tick(instrument.tick_size)
        self.field.setValue(now or start_value(row, leg, instrument))
        line.addWidget(self.field)
        self.set_button = sends(
            push_button(f"Set {leg.value}", f"{NAME}-set", f"Set the {leg.value}", self._set)
        )
        self.set_button.setProperty("role", "primary")
        line.addWidget(self.set_button)
        self.remove_button = sends(
            push_button("Remove", f"{NAME}-remove", f"Remove the {leg.value}", self._remove)
        )
        self.remove_button.setVisible(now is not None)
        line.addWidget(self.remove_button)
        leave = push_button("", f"{NAME}-close", "Leave without a change", self.leave)
        icons.put(leave, "close")
        line.addWidget(leave)
        column.addLayout(line)
        self.said = label("", f"{NAME}-said", "muted")
        column.addWidget(self.said)
        self.field.valueChanged.connect(lambda _: self._tell())
        self._tell()
        self.adjustSize()

    @property
    def _away(self) -> bool:
        return self._leg is Leg.TRAIL

    def open_at(self, left: int, top: int) -> None:
        """Show it inside of its parent, near this place, with the keyboard in the field."""
        parent = self.parentWidget()
        assert parent is not None
        size = self.sizeHint()
        left = max(0, min(left, parent.width() - size.width()))
        top = max(0, min(top, parent.height() - size.height()))
        self.setGeometry(left, top, min(size.width(), parent.width()), size.height())
        self.show()
        self.raise_()
        self.field.setFocus()
        self.field.selectAll()

    def follow(self, row: Position) -> None:
        """The position as it is now."""
        self._row = row
        self._tell()

    # -- words ------------------------------------------------------------------------------
    def problem(self) -> str:
        """Why what is typed cannot be set, in a sentence; empty when it can."""
        value, tick = self.field.value(), self._instrument.tick_size
        if why := self.field.problem():
            return why
        if value <= 0:
            return "Type a distance." if self._away else "Type a price."
        if tick and not is_on_tick(value, tick):
            places = decimals(tick)
            low, high = (fmt.price(end, places) for end in nearest_ticks(value, tick))
            return f"Not on the tick of {tick:g}: {low} or {high}."
        if self._away:
            return ""
        last, side = self._row.ltp, 1 if self._row.quantity > 0 else -1
        beyond = (value - last) * side
        if last and self._leg is Leg.STOP and beyond >= 0:
            return (
                f"The last price, {fmt.price(last)}, has passed it: it would sell at once."
                if (side > 0)
                else f"The last price, {fmt.price(last)}, has passed it: it would buy at once."
            )
        if last and self._leg is Leg.TARGET and beyond <= 0:
            return f"The last price, {fmt.price(last)}, is there already."
        return ""

    def _tell(self) -> None:
        why = self.problem()
        self.set_button.setEnabled(not why)
        self.said.setText(why or self._meaning())
        set_role(self.said, "error" if why else "muted")
        self.field.setAccessibleDescription(why or self._meaning())

    def _meaning(self) -> str:
        """Distance and result of the whole position there."""
        row, value = self._row, self.field.value()
        units = row.quantity * row.multiplier
        if self._away:
            percent = 100.0 * value / row.ltp if row.ltp else 0.0
            return (
                f"{fmt.percent(percent)} behind the best price, ₹ {fmt.money(abs(units) * value)} "
                f"of the position; {ONLY_WHILE_RUNNING}"
            )
        result = (value - row.average_price) * units
        away = value - row.ltp
        percent = 100.0 * away / row.ltp if row.ltp else 0.0
        return (
            f"{fmt.signed(away)} points, {fmt.signed_percent(percent)}; result "
            f"{fmt.rupees(result, signed=True)}; {ONLY_WHILE_RUNNING}"
        )

    # -- answers ----------------------------------------------------------------------------
    def _set(self) -> None:
        if self._open and not self.problem():
            wanted = Wanted(self._row, self._leg, round(self.field.value(), 6), self._mode)
            self.leave()
            self.wanted.emit(wanted)

    def _remove(self) -> None:
        if self._open:
            self.leave()
            self.removed.emit(Wanted(self._row, self._leg, 0.0, self._mode))

    def leave(self) -> None:
        """Close without a change."""
        if not self._open:
            return
        self._open = False
        self.hide()
        self.closed.emit()
        self.deleteLater()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self._set()
        else:
            super().keyPressEvent(event)
