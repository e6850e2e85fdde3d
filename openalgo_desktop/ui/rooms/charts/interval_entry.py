"""Typing an interval over a chart: ``15`` or ``H``, then Enter."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.ui.kit.widgets import label, set_role
from openalgo_desktop.ui.rooms.charts.interval_words import WORDS

#: Nothing that has a meaning is longer.
LONGEST = 3
_PLAIN = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.KeypadModifier,
)


class IntervalEntry(QFrame):
    """The small box over the chart; hidden while nothing is typed."""

    chosen = Signal(str)  # value of the interval

    def __init__(self, parent: QWidget, name: str, offered: Iterable[Interval]) -> None:
        super().__init__(parent)
        self.setObjectName(f"{name}-interval-entry")
        self.setAccessibleName("Interval that is typed")
        self.setProperty("role", "palette")
        self._offered = frozenset(offered)
        self.typed = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(10)
        self.text = label("", f"{name}-interval-typed", "number")
        self.hint = label("", f"{name}-interval-hint", "muted")
        row.addWidget(self.text)
        row.addWidget(self.hint)
        self.hide()

    @property
    def interval(self) -> Interval | None:
        """What the typed text means, if anything."""
        found = WORDS.get(self.typed)
        return found if found in self._offered else None

    def leave(self) -> None:
        """Nothing comes of what was typed."""
        self.typed = ""
        self.hide()

    def take(self, event: QKeyEvent) -> bool:
        """Whether the key belongs to a typed interval; it was used then."""
        if event.modifiers() not in _PLAIN:
            return False
        key, letter = event.key(), event.text().upper()
        if not self.typed:
            if len(letter) == 1 and any(word.startswith(letter) for word in WORDS):
                self._show(letter)
                return True
            return False
        if key == Qt.Key.Key_Escape:
            self.leave()
        elif key == Qt.Key.Key_Backspace:
            self._show(self.typed[:-1])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if (interval := self.interval) is not None:
                self.leave()
                self.chosen.emit(interval.value)
        elif len(letter) == 1 and letter.isascii() and letter.isalnum():
            self._show((self.typed + letter)[:LONGEST])
        else:
            return False
        return True

    def _show(self, typed: str) -> None:
        self.typed = typed
        if not typed:
            self.hide()
            return
        found = self.interval
        self.text.setText(typed)
        self.hint.setText(
            f"{found.value}: Enter" if found is not None else f"no interval: {', '.join(WORDS)}"
        )
        set_role(self.hint, "muted" if found is not None else "error")
        self.adjustSize()
        parent = self.parentWidget()
        assert parent is not None
        # In the upper third of the candles: intervals and figures above them stay in sight.
        place = self.rect()
        place.moveCenter(QPoint(parent.width() // 2, parent.height() // 3))
        self.move(max(0, place.left()), max(0, place.top()))
        self.show()
        self.raise_()
