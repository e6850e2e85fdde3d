"""Buttons that send: an order, a change, a cancellation, an exit.

Each of them is passed through :func:`sends`. From then on a key that repeats does nothing, a press
counts only when it is released on the same button, and whoever places something over the window
(toasts) knows where not to. :func:`sending_buttons` finds them again, for that and for the tests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar
from weakref import WeakSet

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QDialog, QPushButton, QWidget
from shiboken6 import isValid

from openalgo_desktop.core.errors import AppError

B = TypeVar("B", bound=QAbstractButton)
W = TypeVar("W", bound=QWidget)

_BUTTONS: WeakSet[QAbstractButton] = WeakSet()
_AREAS: WeakSet[QWidget] = WeakSet()


class _NoRepeat(QObject):
    """Swallows keys that repeat, so that a key that is held presses once."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            assert isinstance(event, QKeyEvent)
            return event.isAutoRepeat()
        return False


class _Enter(QObject):
    """Lets a fresh Enter that no field of the dialog used press a button."""

    def __init__(self, dialog: QDialog, button: QAbstractButton) -> None:
        super().__init__(dialog)
        self._button = button

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if not event.isAutoRepeat():
                    self._button.click()
                return True
        return False


def sends(button: B) -> B:
    """Mark a button as one that sends and make it safe; returns the button.

    Qt itself clicks a button only when the mouse is released inside of it. A default button,
    though, is clicked by Enter from any field of its dialog, held or not: it is none any more
    (:func:`enter_sends` where Enter is meant).
    """
    button.setAutoRepeat(False)
    if isinstance(button, QPushButton):
        button.setAutoDefault(False)
        button.setDefault(False)
    button.installEventFilter(_NoRepeat(button))
    _BUTTONS.add(button)
    return button


def enter_sends(dialog: QDialog, button: QAbstractButton) -> None:
    """Enter in ``dialog`` presses ``button``; an Enter that is still held from before does not."""
    dialog.installEventFilter(_Enter(dialog, button))


async def each(works: Iterable[Callable[[], Awaitable[object]]]) -> None:
    """Do all of them, one after the other: one that is refused keeps no other back (a cancellation,
    an exit). Raises the first error at the end, and says how many there were."""
    errors: list[AppError] = []
    count = 0
    for work in works:
        count += 1
        try:
            await work()
        except AppError as error:
            errors.append(error)
    if errors:
        if count > 1:
            errors[0].message += f" ({len(errors)} of {count} failed; the others are done.)"
        raise errors[0]


def trades_on_click(area: W) -> W:
    """An area that trades by a click though it is no button (a ladder); returns the area."""
    _AREAS.add(area)
    return area


def sending_buttons(root: QWidget) -> list[QAbstractButton]:
    """All buttons at or below ``root`` that send."""
    return [b for b in _BUTTONS if isValid(b) and (b is root or root.isAncestorOf(b))]


def sending_places(window: QWidget) -> list[QRect]:
    """Where in ``window`` something that sends can be pressed now, in its coordinates."""
    places = []
    for widget in (*_BUTTONS, *_AREAS):
        if not isValid(widget) or not widget.isVisible() or widget.window() is not window.window():
            continue
        seen = _in_sight(widget, window)
        if not seen.isEmpty():
            places.append(seen)
    return places


def _in_sight(widget: QWidget, window: QWidget) -> QRect:
    """What of ``widget`` is not scrolled out or behind a tab, in coordinates of ``window``. (Its
    visible region lacks what a toast covers already.)"""
    seen = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
    parent = widget.parentWidget()
    while parent is not None and parent is not window:
        seen &= QRect(parent.mapTo(window, QPoint(0, 0)), parent.size())
        parent = parent.parentWidget()
    return seen & window.rect()
