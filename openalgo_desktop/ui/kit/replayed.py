"""What shows the past: a chart of a replay. Keys that send mean nothing there."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QWidget

#: Told where a key of the window would have sent something.
NOT_HERE = "Nothing is sent: this chart replays the past. Click the panel that you mean first."
_PROPERTY = "replayed"


def set_replayed(widget: QWidget, replayed: bool) -> None:
    """Mark a widget, with all that is in it, as one that shows the past."""
    widget.setProperty(_PROPERTY, replayed)


def focus_is_replayed() -> bool:
    """Whether the hand is in something that shows the past."""
    window = QApplication.activeWindow()
    return is_replayed(
        QApplication.focusWidget() or (window.focusWidget() if window is not None else None)
    )


def is_replayed(widget: QWidget | None) -> bool:
    """Whether a widget is in something that shows the past."""
    while widget is not None:
        if widget.property(_PROPERTY):
            return True
        widget = widget.parentWidget()
    return False
