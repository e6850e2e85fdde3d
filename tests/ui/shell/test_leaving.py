"""What leaving the program leaves behind, and the question."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.engine.work import AtWork
from openalgo_desktop.ui.shell.leaving import QUIT, STAY, TRAY, LeaveDialog, what_is_left


def test_what_is_left_is_said_line_by_line() -> None:
    at = AtWork(2, 1, 1, 0, 1, 2, ("Breakout", "Fade"), 1)
    lines = what_is_left(at, "Zerodha (AB1234)")
    assert lines[0] == (
        "LIVE: 2 open positions and 1 working order stay at Zerodha (AB1234), with real money."
    )
    assert lines[1].startswith("Sandbox: 1 open position stands still")
    text = " ".join(lines)
    assert "NOT watched" in text and "Breakout, Fade" in text and "1 script loses" in text
    assert at.asks


def test_nothing_at_work_asks_nothing() -> None:
    assert not AtWork().asks and not AtWork(clients=3).asks
    assert what_is_left(AtWork(), "x") == []


def test_enter_and_escape_stay_the_others_are_chosen(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)

    def dialog(tray: bool = True) -> LeaveDialog:
        made = LeaveDialog(parent, ["LIVE: 1 open position stays."], tray)
        made.show()
        return made

    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        one = dialog()
        QTest.keyClick(one, key)
        assert one.choice == STAY and not one.isVisible()
    one = dialog()
    QTest.mouseClick(one.tray, Qt.MouseButton.LeftButton)
    assert one.choice == TRAY
    one = dialog(tray=False)
    assert not one.tray.isVisible()
    QTest.mouseClick(one.quit, Qt.MouseButton.LeftButton)
    assert one.choice == QUIT
