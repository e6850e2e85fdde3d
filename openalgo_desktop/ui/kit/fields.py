"""Input fields of tickets and dialogs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import (
    QBrush,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QValidator,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.numbers import NotClear
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import reading, theme
from openalgo_desktop.ui.kit.reading import Validity
from openalgo_desktop.ui.kit.widgets import label, named

ALIGN_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


#: A price field has room for this, and beside it for frame and arrows, pixels.
WIDEST_PRICE, WIDEST_COUNT, ARROWS = "9,99,999.00", "99,99,999", 40


class _Wheel:
    """Whether the wheel may change a focused number at all: one choice for the whole window."""

    allowed = False


def allow_wheel(allowed: bool) -> None:
    """Follow the setting ``ui.wheel``."""
    _Wheel.allowed = allowed


def _wheel_turns(field: QAbstractSpinBox) -> bool:
    """A wheel turned over an order while scrolling must not change it: it takes the focus and the
    setting."""
    return _Wheel.allowed and field.hasFocus()


#: The Qt field that comes after :class:`_Written` in the classes below.
_QtField: Any = object


class _Written(_QtField):  # type: ignore[misc]
    """What all fields of numbers share: they are read in one language, keep what they refused as a
    :meth:`problem` until they are written anew, follow the grouping in force and turn with the
    wheel only where that was asked for."""

    _read = staticmethod(reading.read)
    _widest = ""  # room for numbers that exist, not for the highest one; empty: Qt's own

    def _begin(self) -> None:
        self.setAlignment(ALIGN_RIGHT)
        self.lineEdit().textEdited.connect(lambda _: reading.written_anew(self))

    def setValue(self, value: Any) -> None:
        reading.written_anew(self)
        super().setValue(value)

    def stepBy(self, steps: int) -> None:
        reading.written_anew(self)
        super().stepBy(steps)

    def sizeHint(self) -> QSize:
        return self._narrowed(super().sizeHint())

    def minimumSizeHint(self) -> QSize:
        return self._narrowed(super().minimumSizeHint())

    def _narrowed(self, hint: QSize) -> QSize:
        if not self._widest:
            return hint
        room = self.fontMetrics().horizontalAdvance(self._widest) + ARROWS
        return QSize(min(hint.width(), room), hint.height())

    def valueFromText(self, text: str) -> Any:
        try:
            return self._read(self, text)
        except NotClear:
            return self.value()

    def validate(self, text: str, position: int) -> Validity:
        return reading.judged(self, text, position)

    def fixup(self, text: str) -> str:
        reading.refuse(self, text)
        return text

    def problem(self) -> str:
        """Why what was typed is not the value yet, in a sentence; empty when it is."""
        return reading.problem(self)

    def refused(self) -> str:
        """Why what was typed last did not become the value when the field was left; empty when it
        did, or was written anew since."""
        return str(self.property(reading.REFUSED) or "")

    def changeEvent(self, event: QEvent) -> None:
        """A new grouping comes with a new style; not while somebody types."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.StyleChange and not self.hasFocus():
            text = self.textFromValue(self.value())
            self.lineEdit().setText(f"{self.prefix()}{text}{self.suffix()}")

    def wheelEvent(self, event: QWheelEvent) -> None:
        if _wheel_turns(self):
            super().wheelEvent(event)
        else:
            event.ignore()


class PriceField(_Written, QDoubleSpinBox):
    """A price in rupees. Up/Down move one tick, with Shift ten, with Ctrl 0.1 per cent.

    Typed values are kept as typed: whether they are on a tick is said under the field.
    """

    # With all decimals of the highest price a currency's fields would not fit beside each other.
    _widest = WIDEST_PRICE

    def __init__(self) -> None:
        super().__init__()
        self._tick = 0.05
        self.setRange(0.0, 99_999_999.0)
        self._begin()
        self.setKeyboardTracking(True)
        self.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToNearestValue)

    def set_tick(self, tick: float) -> None:
        """Step and decimals of the instrument."""
        self._tick = tick or 0.05
        # One digit more than the tick has, so that an off-tick price can be typed and refused
        # in words instead of being changed silently.
        self.setDecimals(decimals(self._tick) + 1)
        self.setSingleStep(self._tick)

    def textFromValue(self, value: float) -> str:
        return fmt.price(value, decimals(self._tick)) if self.is_on_tick(value) else f"{value:.10g}"

    def is_on_tick(self, value: float) -> bool:
        """Whether ``value`` is a whole number of ticks."""
        return abs(value / self._tick - round(value / self._tick)) < 1e-6

    def stepBy(self, steps: int) -> None:
        ticks = round(self.value() / self._tick) + steps
        self.setValue(max(0, ticks) * self._tick)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        direction = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
        if not direction:
            super().keyPressEvent(event)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.stepBy(direction * max(1, round(self.value() * 0.001 / self._tick)))
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.stepBy(10 * direction)
        else:
            self.stepBy(direction)


class CountField(_Written, QSpinBox):
    """Lots or units, grouped; numbers that are names (ports) are not ``grouped``."""

    _read = staticmethod(reading.read_whole)
    _widest = WIDEST_COUNT

    def __init__(self, *, grouped: bool = True) -> None:
        super().__init__()
        self._grouped = grouped
        self.setRange(0, 2_000_000_000)
        self._begin()

    def setValue(self, value: int) -> None:
        """Bounded before Qt sees it: lots times a lot size may be more than it can count."""
        super().setValue(max(self.minimum(), min(value, self.maximum())))

    def textFromValue(self, value: int) -> str:
        return fmt.quantity(value) if self._grouped else str(value)

    def validate(self, text: str, position: int) -> Validity:
        verdict = super().validate(text, position)
        if "." in text and verdict[0] is not QValidator.State.Invalid:
            return QValidator.State.Intermediate, text, position
        return verdict


class DecimalField(_Written, QDoubleSpinBox):
    """Any other number with decimals, grouped, shown without needless zeros."""

    def __init__(self, places: int = 2) -> None:
        super().__init__()
        self.setDecimals(places)
        self._begin()

    def textFromValue(self, value: float) -> str:
        text = fmt.price(value, self.decimals())
        return text.rstrip("0").rstrip(".") if "." in text else text

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # a page is scrolled over it


class StillCombo(QComboBox):
    """A choice that no wheel changes: the list scrolls past it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class Field(QWidget):
    """Caption above, input, and a line for the message below that appears when needed."""

    def __init__(self, caption: str, editor: QWidget, object_name: str) -> None:
        super().__init__()
        self.setObjectName(f"{object_name}-field")
        named(editor, object_name, caption)
        self.editor = editor
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self.caption = label(caption, f"{object_name}-caption", "caption")
        self.caption.setBuddy(editor)
        self.message = label("", f"{object_name}-error", "error")
        self.message.setWordWrap(True)
        self.message.hide()
        column.addWidget(self.caption)
        column.addWidget(editor)
        column.addWidget(self.message)

    def set_error(self, text: str) -> None:
        """Say what is wrong under the field; empty text clears it."""
        self.message.setText(text)
        self.message.setVisible(bool(text))
        self.editor.setProperty("invalid", bool(text))
        self.editor.style().unpolish(self.editor)
        self.editor.style().polish(self.editor)
        self.editor.setAccessibleDescription(text)

    def error(self) -> str:
        """The message shown now."""
        return self.message.text()


class FieldGrid(QGridLayout):
    """Fields two in a row; those that are not placed are hidden and leave no hole."""

    def __init__(self) -> None:
        super().__init__()
        self._known: list[Field] = []
        self.setHorizontalSpacing(8)
        self.setVerticalSpacing(6)
        for column in (0, 1):
            self.setColumnStretch(column, 1)

    def place(self, fields: Sequence[Field | None]) -> None:
        """Show exactly these; None leaves a place empty."""
        for field in self._known:
            self.removeWidget(field)
        self._known += [one for one in fields if one is not None and one not in self._known]
        for index, one in enumerate(fields):
            if one is not None:
                self.addWidget(one, index // 2, index % 2, Qt.AlignmentFlag.AlignTop)
        for field in self._known:
            if field not in fields:
                field.hide()
            elif field.parentWidget() is not None:  # else it would flash as a window
                field.show()


class VerticalArea(QScrollArea):
    """Scrolls up and down only, so it is never narrower than what it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def minimumSizeHint(self) -> QSize:
        inside = self.widget()
        width = inside.minimumSizeHint().width() if inside is not None else 0
        return QSize(width + self.verticalScrollBar().sizeHint().width(), 120)


#: Width of the border that tells the mode, pixels.
BORDER = 6


class HatchedFrame(QWidget):
    """The ticket's ground: a hatched border in the sandbox, a solid one where the money is real (so
    it is not colour alone)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hatched = True

    def hasHeightForWidth(self) -> bool:
        # It scrolls inside: texts that wrap must not make the panel around it scroll as well.
        return False

    def set_hatched(self, hatched: bool) -> None:
        """Sandbox or live."""
        self._hatched = hatched
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        role, brush = ("kill", Qt.BrushStyle.SolidPattern)
        if self._hatched:
            role, brush = ("warning", Qt.BrushStyle.BDiagPattern)
        pen = QPen(QBrush(theme.current().color(role), brush), BORDER)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        half = BORDER // 2
        painter.drawRect(self.rect().adjusted(half, half, -half, -half))
