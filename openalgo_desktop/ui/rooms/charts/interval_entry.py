"""Typing an interval over a chart: ``15``, ``45S`` or ``H``, then Enter."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QWidget

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.ui.kit.widgets import label, set_role
from openalgo_desktop.ui.rooms.charts.interval_words import (
    LONGEST,
    STARTS,
    meant,
    named,
    trouble,
)

_PLAIN = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.KeypadModifier,
)


class IntervalEntry(QFrame):
    """The small box over the chart; hidden while nothing is typed. ``offers`` says which of the
    intervals that have a meaning the chart can show now."""

    chosen = Signal(str)  # text of the span

    def __init__(self, parent: QWidget, name: str, offers: Callable[[Span], bool]) -> None:
        super().__init__(parent)
        self.setObjectName(f"{name}-interval-entry")
        self.setAccessibleName("Interval that is typed")
        self.setProperty("role", "palette")
        self._offers = offers
        self.typed = ""
        self._typist: QWidget | None = None  # who has the keys while something is typed
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(10)
        self.text = label("", f"{name}-interval-typed", "number")
        self.hint = label("", f"{name}-interval-hint", "muted")
        row.addWidget(self.text)
        row.addWidget(self.hint)
        self.hide()

    @property
    def span(self) -> Span | None:
        """What the typed text means, if it is something that the chart can show."""
        found = meant(self.typed)
        return found if found is not None and self._offers(found) else None

    def leave(self) -> None:
        """Nothing comes of what was typed."""
        self.typed = ""
        self.hide()
        if self._typist is not None:
            self._typist.removeEventFilter(self)
            self._typist = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The keys go elsewhere: what is typed there is no interval, and the box would stay over
        what stands below it."""
        if event.type() == QEvent.Type.FocusOut:
            self.leave()
        return False

    def take(self, event: QKeyEvent) -> bool:
        """Whether the key belongs to a typed interval; it was used then."""
        if event.modifiers() not in _PLAIN:
            return False
        key, letter = event.key(), event.text().upper()
        if not self.typed:
            if letter in STARTS:
                self._show(letter)
                return True
            return False
        if key == Qt.Key.Key_Escape:
            self.leave()
        elif key == Qt.Key.Key_Backspace:
            self._show(self.typed[:-1])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if (span := self.span) is not None:
                self.leave()
                self.chosen.emit(span.text)
        elif len(letter) == 1 and letter.isascii() and letter.isalnum():
            self._show((self.typed + letter)[:LONGEST])
        else:
            return False
        return True

    def _show(self, typed: str) -> None:
        self.typed = typed
        if not typed:
            self.leave()
            return
        if self._typist is None and (typist := QApplication.focusWidget()) is not None:
            self._typist = typist
            typist.installEventFilter(self)
        self.text.setText(typed)
        self.hint.setText(self._words())
        set_role(self.hint, "muted" if self.span is not None else "error")
        self.adjustSize()
        parent = self.parentWidget()
        assert parent is not None
        # In the upper third of the candles: intervals and figures above them stay in sight.
        place = self.rect()
        place.moveCenter(QPoint(parent.width() // 2, parent.height() // 3))
        self.move(max(0, place.left()), max(0, place.top()))
        self.show()
        self.raise_()

    def _words(self) -> str:
        """What the typed text means, or what would mean something."""
        found = meant(self.typed)
        if found is None:
            return trouble(self.typed)
        if not self._offers(found):
            return f"{named(found)}: not offered here"
        return f"{named(found)}: Enter"
