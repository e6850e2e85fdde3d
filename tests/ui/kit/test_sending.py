"""Buttons that send: held keys, releases elsewhere, Enter in dialogs; where they are."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.kit.keys import DockKey, alt_letters
from openalgo_desktop.ui.kit.sending import (
    enter_sends,
    sending_buttons,
    sending_places,
    sends,
    trades_on_click,
)

NONE = Qt.KeyboardModifier.NoModifier


def key(widget: QWidget, kind: QEvent.Type, which: Qt.Key, repeat: bool) -> None:
    QApplication.sendEvent(widget, QKeyEvent(kind, which, NONE, "", repeat))


def test_a_press_counts_only_when_it_is_released_on_the_same_button(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    button, other = sends(QPushButton("BUY")), QPushButton("other")
    column.addWidget(button)
    column.addWidget(other)
    window.show()
    clicks: list[int] = []
    button.clicked.connect(lambda: clicks.append(1))
    inside, outside = button.rect().center(), QPoint(5, button.height() + 40)
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(button, left, pos=inside)
    QTest.mouseMove(button, outside)
    QTest.mouseRelease(button, left, pos=outside)
    QTest.mousePress(other, left)
    QTest.mouseRelease(button, left, pos=inside)
    QTest.mouseClick(button, Qt.MouseButton.RightButton)
    assert clicks == []
    QTest.mouseClick(button, left)
    assert clicks == [1]


def test_a_key_that_is_held_presses_once(qtbot: QtBot) -> None:
    button = sends(QPushButton("BUY"))
    qtbot.addWidget(button)
    button.show()
    clicks: list[int] = []
    button.clicked.connect(lambda: clicks.append(1))
    press, release = QEvent.Type.KeyPress, QEvent.Type.KeyRelease
    key(button, press, Qt.Key.Key_Space, False)
    for _ in range(20):
        key(button, release, Qt.Key.Key_Space, True)
        key(button, press, Qt.Key.Key_Space, True)
    assert clicks == []
    key(button, release, Qt.Key.Key_Space, False)
    assert clicks == [1]


def test_enter_in_a_dialog_sends_only_where_it_is_meant(qtbot: QtBot) -> None:
    dialog = QDialog()
    qtbot.addWidget(dialog)
    column = QVBoxLayout(dialog)
    field, button = QLineEdit(), sends(QPushButton("Modify"))
    column.addWidget(field)
    column.addWidget(button)
    clicks: list[int] = []
    button.clicked.connect(lambda: clicks.append(1))
    dialog.show()
    qtbot.waitActive(dialog)
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert clicks == []
    enter_sends(dialog, button)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert clicks == [1]


def test_places_are_those_that_can_be_pressed_now(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    shown, hidden, ladder = sends(QPushButton("a")), sends(QPushButton("b")), QWidget()
    ladder.setMinimumSize(40, 40)
    for widget in (shown, hidden, trades_on_click(ladder)):
        column.addWidget(widget)
    hidden.hide()
    window.show()
    places = sending_places(window)
    assert len(places) == 2
    assert shown.geometry() in places and ladder.geometry() in places
    assert set(sending_buttons(window)) == {shown, hidden}


def test_alt_letters_are_their_own() -> None:
    assert alt_letters(("Price", "Product", "Quantity")) == ["&Price", "P&roduct", "&Quantity"]
    assert alt_letters(("File", "Trade"), taken="f") == ["F&ile", "&Trade"]
    assert alt_letters(("A", "a")) == ["&A", "a"]


def test_the_keys_that_a_row_answers_to() -> None:
    assert DockKey("now", "Go to now", "End", also=("Home",)).held("End") == ("End", "Home")
    assert DockKey("now", "Go to now", "End", also=("Home",)).held("F4") == ("F4",)
    assert DockKey("now", "Go to now", "End").held("") == ()
    assert DockKey("move", "Choose", "Up / Down", fixed=True).held("x") == ("Up", "Down")
