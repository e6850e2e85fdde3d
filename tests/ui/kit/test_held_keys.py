"""A held key as X11 tells it: releases and presses, some of which look fresh."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent, QWindow
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.kit import held_keys
from openalgo_desktop.ui.kit.held_keys import HeldKeys, is_repeat
from openalgo_desktop.ui.shell.actions import _answer

PRESS, RELEASE, SHORTCUT = (
    QEvent.Type.KeyPress,
    QEvent.Type.KeyRelease,
    QEvent.Type.ShortcutOverride,
)
RETURN = 36  # its code on X11


class Keyed(QWidget):
    """Hears keys."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[bool] = []

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.heard.append(event.isAutoRepeat())


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[QWindow]:
    widget = Keyed()
    qtbot.addWidget(widget)
    widget.show()
    widget.setFocus()
    qtbot.waitUntil(widget.isActiveWindow)
    watcher = HeldKeys(qapp)
    monkeypatch.setattr(held_keys, "_watchers", [watcher])
    handle = widget.windowHandle()
    assert handle is not None
    handle.installEventFilter(watcher)
    yield handle
    handle.removeEventFilter(watcher)
    watcher.deleteLater()


def send(window: QWindow, kind: QEvent.Type, at: int, *, repeat: bool = False) -> None:
    event = QKeyEvent(
        kind, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier, RETURN, 0, 0, "", repeat
    )
    event.setTimestamp(at)
    QCoreApplication.sendEvent(window, event)


def heard(window: QWindow) -> list[bool]:
    widget = QApplication.focusWidget()
    assert isinstance(widget, Keyed)
    return widget.heard


def test_a_press_of_the_moment_of_its_release_is_a_repeat(window: QWindow) -> None:
    send(window, PRESS, 1000)
    for at in (1600, 1640, 1680):
        send(window, RELEASE, at)
        send(window, PRESS, at)
    send(window, RELEASE, 1720)
    assert heard(window) == [False, True, True, True]
    send(window, PRESS, 1760)  # a fresh one, as quick as hands can be
    assert heard(window)[-1] is False


def test_shortcuts_of_held_keys_do_nothing_and_clicks_do(window: QWindow, qtbot: QtBot) -> None:
    done: list[bool] = []

    def shortcut(at: int) -> None:
        send(window, SHORTCUT, at)
        _answer(action, lambda: done.append(True))

    action = QAction()
    shortcut(1000)
    send(window, RELEASE, 1600)
    shortcut(1600)
    assert done == [True] and is_repeat()
    point, left = QPointF(1, 1), Qt.MouseButton.LeftButton
    press = QEvent.Type.MouseButtonPress
    none = Qt.KeyboardModifier.NoModifier
    QCoreApplication.sendEvent(window, QMouseEvent(press, point, point, left, left, none))
    _answer(action, lambda: done.append(True))  # from the menu
    assert len(done) == 2
    send(window, RELEASE, 1640)
    shortcut(1640)
    qtbot.waitUntil(lambda: not is_repeat())
    _answer(action, lambda: done.append(True))
    assert len(done) == 3


def test_what_is_switched_by_a_held_key_stays_as_it_is(window: QWindow) -> None:
    action = QAction()
    action.setCheckable(True)
    action.setChecked(True)
    send(window, RELEASE, 1600)
    send(window, SHORTCUT, 1600)
    action.toggle()
    _answer(action, lambda: pytest.fail("it is held"), action.isChecked())
    assert action.isChecked()
