"""Short messages over the window: at most four, grouped, never over something that sends.

A place is chosen among the corners of the window, anew whenever the window or its docks move. Where
nothing is free the message goes to the status bar. A click opens what the toast is about.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QRect, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QPushButton, QWidget

from openalgo_desktop.ui.kit import icons
from openalgo_desktop.ui.kit.sending import sending_places
from openalgo_desktop.ui.kit.widgets import named

MAX_TOASTS = 4
WIDTH, GAP, EDGE = 380, 8, 16
#: Room that stays free above (menu, toolbar, strips) and below (status bar), pixels.
TOP, BOTTOM = 96, 40
STAY_MS = {"info": 4000, "warning": 7000, "error": 10000}
#: Symbol and colour role of a level.
SIGN = {"info": ("info", "accent"), "warning": ("warning", "warning"), "error": ("error", "down")}
#: Room beside the text: symbol, frame and padding, pixels.
BESIDE = 64
#: New toasts within a second; more of them become one line that counts.
MOST_A_SECOND = 4
#: Docks move while toasts are shown: their place is looked at again this often, milliseconds.
LOOK_MS = 250


class Toasts(QObject):
    """The stack of one window."""

    overflow = Signal(str)  # a message that found no place over the window

    def __init__(self, window: QWidget, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(window)
        self._window = window
        self._now = now
        self._stack: list[QPushButton] = []
        self._count = 0
        self._topics: dict[str, QPushButton] = {}
        self._openers: dict[QPushButton, Callable[[], object]] = {}
        self._shown: deque[float] = deque()
        self._held_back = 0
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MS)
        self._look.timeout.connect(self._arrange)
        window.installEventFilter(self)

    def show(
        self,
        level: str,
        text: str,
        topic: str = "",
        opens: Callable[[], object] | None = None,
    ) -> None:
        """Show a sentence; ``level`` is info, warning or error. One of the same ``topic`` that is
        still there changes its text instead: a burst of fills is one toast, not a shower.
        ``opens`` is called when it is clicked."""
        known = self._topics.get(topic) if topic else None
        if known is not None:
            self._set_text(known, level, text)
            self._set_opener(known, opens)
            self._arrange()
            return
        if self._throttled(level):
            self._held_back += 1
            level, topic, opens = "warning", "held-back", None
            more = "1 more message" if self._held_back == 1 else f"{self._held_back} more messages"
            text = f"{more} within a second; all of them are in the Log."
            if (known := self._topics.get(topic)) is not None:
                self._set_text(known, level, text)
                return
        self._count += 1
        toast = named(QPushButton(self._window), f"toast-{self._count}", f"{level}: {text}")
        self._set_text(toast, level, text)
        toast.setProperty("role", f"toast-{level}")
        self._set_opener(toast, opens)
        toast.clicked.connect(lambda: self._clicked(toast))
        self._stack.append(toast)
        if topic:
            self._topics[topic] = toast
        while len(self._stack) > MAX_TOASTS:
            self._remove(self._stack[0])
        QTimer.singleShot(STAY_MS.get(level, 4000), toast, lambda: self._remove(toast))
        self._look.start()
        self._arrange()
        # Screen readers speak it, too.
        QAccessible.updateAccessibility(QAccessibleEvent(toast, QAccessible.Event.Alert))

    def _throttled(self, level: str) -> bool:
        """Whether there are too many at once. What went wrong is always shown."""
        now = self._now()
        while self._shown and now - self._shown[0] > 1.0:
            self._shown.popleft()
        if not self._shown:
            self._held_back = 0
        self._shown.append(now)
        return level != "error" and len(self._shown) > MOST_A_SECOND

    def _set_text(self, toast: QPushButton, level: str, text: str) -> None:
        toast.setText(self._wrapped(toast, text).replace("&", "&&"))  # M&M is no mnemonic
        if level in SIGN:
            icons.put(toast, *SIGN[level])
        toast.setAccessibleName(f"{level}: {text}")

    def _set_opener(self, toast: QPushButton, opens: Callable[[], object] | None) -> None:
        if opens is None:
            self._openers.pop(toast, None)
            toast.setToolTip("Click to remove")
        else:
            self._openers[toast] = opens
            toast.setToolTip("Click to open")

    def _clicked(self, toast: QPushButton) -> None:
        opens = self._openers.get(toast)
        self._remove(toast)
        if opens is not None:
            opens()

    @staticmethod
    def _wrapped(toast: QPushButton, text: str) -> str:
        """Break the text into lines that fit; a button does not wrap by itself."""
        metrics, lines, line = toast.fontMetrics(), [], ""
        for word in text.split(" "):
            longer = f"{line} {word}" if line else word
            if metrics.horizontalAdvance(longer) > WIDTH - BESIDE and line:
                lines.append(line)
                line = word
            else:
                line = longer
        return "\n".join([*lines, line])

    def _remove(self, toast: QPushButton) -> None:
        if toast in self._stack:
            self._stack.remove(toast)
            self._openers.pop(toast, None)
            self._topics = {topic: one for topic, one in self._topics.items() if one is not toast}
            toast.hide()
            toast.deleteLater()
            self._arrange()
        if not self._stack:
            self._look.stop()

    def clear(self) -> None:
        """Remove all."""
        for toast in tuple(self._stack):
            self._remove(toast)

    def has(self, topic: str) -> bool:
        """Whether a toast of that topic is shown."""
        return topic in self._topics

    def texts(self) -> list[str]:
        """What is shown, oldest first."""
        return [toast.accessibleName() for toast in self._stack]

    # -- places -----------------------------------------------------------------------------
    def _arrange(self) -> None:
        if not self._stack:
            return
        heights = [toast.sizeHint().height() + 8 for toast in self._stack]
        taken = sending_places(self._window)
        while True:
            tall = sum(heights) + GAP * (len(heights) - 1)
            place = free_place(self._window.rect(), WIDTH, tall, taken)
            if place is not None or len(heights) == 1:
                break
            # The newest matter most; older ones are in the Log.
            self._drop_oldest()
            heights.pop(0)
        if place is None:
            toast = self._stack[-1]
            self.overflow.emit(toast.accessibleName())
            self._drop_oldest()
            return
        top = place.top()
        for toast, height in zip(self._stack, heights, strict=True):
            toast.setGeometry(place.left(), top, WIDTH, height)
            toast.raise_()
            toast.show()
            top += height + GAP

    def _drop_oldest(self) -> None:
        toast = self._stack.pop(0)
        self._openers.pop(toast, None)
        self._topics = {topic: one for topic, one in self._topics.items() if one is not toast}
        toast.hide()
        toast.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._arrange()
        return False


def free_place(room: QRect, width: int, height: int, taken: Sequence[QRect]) -> QRect | None:
    """Where a sheet of this size covers none of ``taken``: as far down as possible, of places alike
    the one at the right, then the left one; None when there is no such place."""
    bottom, top = room.bottom() - BOTTOM, room.top() + TOP
    best: QRect | None = None
    lefts = (room.right() - width - EDGE, room.left() + EDGE, room.center().x() - width // 2)
    for left in lefts:
        if left < room.left() or left + width > room.right():
            continue
        low = bottom
        while low - height >= top:
            place = QRect(left, low - height, width, height)
            hit = [rect for rect in taken if rect.adjusted(-4, -4, 4, 4).intersects(place)]
            if not hit:
                if best is None or place.top() > best.top():
                    best = place
                break
            low = min(rect.top() for rect in hit) - 5
    return best
