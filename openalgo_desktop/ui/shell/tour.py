"""The tour: six hints that point at real parts of the window while it works on.

A hint is a small sheet beside a part that is framed. It never lies over something that sends, takes
no click but its own, and can be left at any time. A panel that is closed is told of, not opened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.sending import sending_places
from openalgo_desktop.ui.kit.widgets import label, named, push_button
from openalgo_desktop.ui.shell.docking import Docking
from openalgo_desktop.ui.shell.toasts import free_place

NAME = "tour"
WIDTH, GAP, EDGE = 320, 8, 8  # pixels
#: Docks move, open and close while a hint is shown: it is placed anew this often, milliseconds.
LOOK_MS = 250


class Hint(NamedTuple):
    """One hint. ``part`` is a kind of docks, or (``#...``) the object name of a widget. ``tried``
    means that choosing a symbol is what it asks for."""

    title: str
    text: str
    part: str
    tried: bool = False


HINTS: tuple[Hint, ...] = (
    Hint(
        "Find anything",
        "Type here, or press Ctrl+K from anywhere: nifty, sbin, a strike, a command. Try it: what "
        "you choose is shown in all linked panels.",
        "#toolbar-search",
        tried=True,
    ),
    Hint(
        "Where orders go",
        "SANDBOX: simulated money, nothing reaches an exchange. LIVE: real money, after a "
        "question. The strip below says it in every window.",
        "#toolbar-mode",
    ),
    Hint(
        "Watchlist",
        "A click on a row shows it in chart, depth and ticket. Buy and Sell in a row open the "
        "ticket; they send nothing.",
        "watchlist",
        tried=True,
    ),
    Hint(
        "Order ticket",
        "Choose BUY or SELL. The button at the bottom then says exactly what would go out, and "
        "nothing goes out before you press it.",
        "ticket",
    ),
    Hint(
        "Positions",
        "What you hold, with live profit. Half, close, reverse, stop and target are in the row; "
        "the menu of a row has the rest.",
        "positions",
    ),
    Hint(
        "What ends things",
        "F7 cancels all orders, F6 closes all positions after a list, KILL (held for a second) "
        "does both and blocks new orders. The keys work from anywhere.",
        "#toolbar-flatten",
    ),
)


def beside(room: QRect, part: QRect, width: int, height: int) -> list[QRect]:
    """Places for a sheet around ``part``, best first, all within ``room``."""
    left = min(max(part.left(), room.left()), room.right() - width)
    top = min(max(part.top(), room.top()), room.bottom() - height)
    places = (
        QRect(left, part.bottom() + GAP, width, height),
        QRect(part.right() + GAP, top, width, height),
        QRect(part.left() - GAP - width, top, width, height),
        QRect(left, part.top() - GAP - height, width, height),
    )
    return [place for place in places if room.contains(place)]


class Tour(QObject):
    """Owned by the main window; ``ended`` once it is over, with whether it was seen to its end."""

    ended = Signal(bool)

    def __init__(self, window: QMainWindow, bridge: Bridge, docking: Docking) -> None:
        super().__init__(window)
        self._window, self._bridge, self._docking = window, bridge, docking
        self.index = -1
        self.sheet = self._build()
        self.frame = named(QFrame(window), f"{NAME}-frame", "What the hint is about")
        self.frame.setProperty("role", "tour-frame")
        self.frame.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.frame.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.frame.hide()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.place)
        bridge.links.symbol_changed.connect(self._on_symbol)
        bridge.lock.changed.connect(lambda _: self.stop())
        bridge.closing.connect(self.stop)
        window.installEventFilter(self)

    def _build(self) -> QFrame:
        sheet = named(QFrame(self._window), NAME, "Hint")
        sheet.setProperty("role", "tour-sheet")
        column = QVBoxLayout(sheet)
        column.setContentsMargins(14, 10, 14, 10)
        column.setSpacing(6)
        self.step = label("", f"{NAME}-step", "caption")
        self.title = label("", f"{NAME}-title", "heading")
        self.text = label("", f"{NAME}-text")
        self.text.setWordWrap(True)
        self.note = label("", f"{NAME}-note", "muted")
        self.note.setWordWrap(True)
        for part in (self.step, self.title, self.text, self.note):
            column.addWidget(part)
        row = QHBoxLayout()
        self.skip = push_button("Skip", f"{NAME}-skip", "Leave the tour", self.stop)
        self.back = push_button("Back", f"{NAME}-back", "Hint before", lambda: self.go(-1))
        self.next: QPushButton = push_button("Next", f"{NAME}-next", "Next hint", self.go)
        self.next.setProperty("role", "primary")
        row.addWidget(self.skip)
        row.addStretch(1)
        row.addWidget(self.back)
        row.addWidget(self.next)
        column.addLayout(row)
        for keys, call in (
            ("Esc", self.stop),
            ("Return", self.go),
            ("Enter", self.go),
            ("Right", self.go),
            ("Left", lambda: self.go(-1)),
        ):
            self._key(sheet, keys, call)
        sheet.hide()
        return sheet

    @staticmethod
    def _key(sheet: QWidget, keys: str, call: Callable[[], object]) -> None:
        # Keys of the sheet alone: a field of the window keeps its arrows and its Enter.
        key = QShortcut(QKeySequence(keys), sheet)
        key.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        key.setAutoRepeat(False)
        key.activated.connect(call)

    # -- steps ------------------------------------------------------------------------------
    @property
    def running(self) -> bool:
        """Whether a hint is shown."""
        return self.index >= 0

    def start(self) -> None:
        """The first hint."""
        if self._bridge.lock.locked:
            return
        self._show(0)
        self._timer.start()

    def go(self, step: int = 1) -> None:
        """The next hint, or the one before; the end after the last."""
        if not self.running:
            return
        if self.index + step >= len(HINTS):
            self._end(done=True)
        elif self.index + step >= 0:
            self._show(self.index + step)

    def stop(self) -> None:
        """Leave; it can be taken again from the Help menu."""
        if self.running:
            self._end(done=False)

    def _end(self, *, done: bool) -> None:
        self.index = -1
        self._timer.stop()
        # Hidden with the focus it would pass it on, maybe to a button that sends.
        self._window.setFocus(Qt.FocusReason.OtherFocusReason)
        self.sheet.hide()
        self.frame.hide()
        self.ended.emit(done)

    def _show(self, index: int) -> None:
        self.index, hint = index, HINTS[index]
        self.step.setText(f"Hint {index + 1} of {len(HINTS)}")
        self.title.setText(hint.title)
        self.text.setText(hint.text)
        self.back.setEnabled(index > 0)
        self.next.setText("Done" if index == len(HINTS) - 1 else "Next")
        self.sheet.setAccessibleName(f"Hint {index + 1}: {hint.title}")
        self.sheet.setAccessibleDescription(hint.text)
        dock = self._dock(hint)
        if dock is not None and not dock.isFloating():
            dock.raise_()  # out from behind the other tabs
        self.note.setText("" if self._exists(hint) else self._how_to_open(hint))
        self.note.setVisible(bool(self.note.text()))
        self.place()
        self.next.setFocus(Qt.FocusReason.OtherFocusReason)
        QAccessible.updateAccessibility(QAccessibleEvent(self.sheet, QAccessible.Event.Alert))

    def _on_symbol(self, *_: object) -> None:
        if self.running and HINTS[self.index].tried:
            self.note.setText("✓ Done: all linked panels show it.")
            self.note.show()
            self.place()

    # -- places -----------------------------------------------------------------------------
    def _dock(self, hint: Hint) -> QDockWidget | None:
        if hint.part.startswith("#"):
            return None
        found = self._docking.of_kind(hint.part)
        return found[0] if found else None

    def _exists(self, hint: Hint) -> bool:
        return hint.part.startswith("#") or self._dock(hint) is not None

    @staticmethod
    def _how_to_open(hint: Hint) -> str:
        return f"This panel is closed. View, {hint.title} opens it."

    def part(self) -> QRect | None:
        """Where in the window that lies what the hint is about; None when it is not in sight."""
        hint = HINTS[self.index]
        dock = self._dock(hint)
        widget = dock or self._window.findChild(QWidget, hint.part.removeprefix("#"))
        if widget is None or not widget.isVisible() or widget.window() is not self._window:
            return None
        return QRect(widget.mapTo(self._window, QPoint(0, 0)), widget.size()) & self._window.rect()

    def place(self) -> None:
        """Beside what it is about, over nothing that sends; hidden where there is no such place."""
        if not self.running:
            return
        width = look.px(WIDTH)
        self.sheet.setFixedWidth(width)
        height = max(self.sheet.heightForWidth(width), self.sheet.minimumSizeHint().height())
        part, taken = self.part(), sending_places(self._window)
        room = self._window.rect().adjusted(EDGE, EDGE, -EDGE, -EDGE)
        places = beside(room, part, width, height) if part is not None else []
        found = next((p for p in places if not any(t.intersects(p) for t in taken)), None)
        if found is None:
            found = free_place(self._window.rect(), width, height, taken)
        self.frame.setVisible(part is not None)
        if part is not None:
            self.frame.setGeometry(part)
            self.frame.raise_()
        self.sheet.setVisible(found is not None)
        if found is not None:
            self.sheet.setGeometry(found)
            self.sheet.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.place()
        return False
