"""Short messages at the lower right: at most four, errors stay longer, a click removes one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QPushButton, QWidget

from openalgo_desktop.ui.kit.widgets import named

MAX_TOASTS = 4
WIDTH = 380
STAY_MS = {"info": 4000, "warning": 7000, "error": 10000}
SIGN = {"info": "ℹ", "warning": "⚠", "error": "✕"}


class Toasts(QObject):
    """The stack of one window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._stack: list[QPushButton] = []
        self._count = 0
        self._topics: dict[str, QPushButton] = {}
        window.installEventFilter(self)

    def show(self, level: str, text: str, topic: str = "") -> None:
        """Show a sentence; ``level`` is info, warning or error. One of the same ``topic`` that is
        still there changes its text instead: a burst of fills is one toast, not a shower."""
        known = self._topics.get(topic)
        if known is not None:
            known.setText(self._wrapped(known, f"{SIGN.get(level, '')}  {text}"))
            return
        self._count += 1
        toast = named(QPushButton(self._window), f"toast-{self._count}", f"{level}: {text}")
        toast.setText(self._wrapped(toast, f"{SIGN.get(level, '')}  {text}"))
        toast.setProperty("role", f"toast-{level}")
        toast.setToolTip("Click to remove")
        toast.clicked.connect(lambda: self._remove(toast))
        self._stack.append(toast)
        if topic:
            self._topics[topic] = toast
        while len(self._stack) > MAX_TOASTS:
            self._remove(self._stack[0])
        QTimer.singleShot(STAY_MS.get(level, 4000), toast, lambda: self._remove(toast))
        self._arrange()

    @staticmethod
    def _wrapped(toast: QPushButton, text: str) -> str:
        """Break the text into lines that fit; a button does not wrap by itself."""
        metrics, lines, line = toast.fontMetrics(), [], ""
        for word in text.split(" "):
            longer = f"{line} {word}" if line else word
            if metrics.horizontalAdvance(longer) > WIDTH - 40 and line:
                lines.append(line)
                line = word
            else:
                line = longer
        return "\n".join([*lines, line])

    def _remove(self, toast: QPushButton) -> None:
        if toast in self._stack:
            self._stack.remove(toast)
            self._topics = {topic: one for topic, one in self._topics.items() if one is not toast}
            toast.hide()
            toast.deleteLater()
            self._arrange()

    def clear(self) -> None:
        """Remove all."""
        for toast in tuple(self._stack):
            self._remove(toast)

    def _arrange(self) -> None:
        bottom = self._window.height() - 40
        for toast in reversed(self._stack):
            height = toast.sizeHint().height() + 8
            bottom -= height
            toast.setGeometry(self._window.width() - WIDTH - 16, bottom, WIDTH, height)
            toast.raise_()
            toast.show()
            bottom -= 8

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._arrange()
        return False
