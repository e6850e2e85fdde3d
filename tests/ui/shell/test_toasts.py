"""Toasts: grouped, throttled, at most four, never over something that sends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QMainWindow, QPushButton
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.kit.sending import sending_places, sends
from openalgo_desktop.ui.shell.toasts import MAX_TOASTS, Toasts, free_place

ROOM = QRect(0, 0, 1000, 700)


class Rig:
    def __init__(self, window: QMainWindow) -> None:
        self.window = window
        self.time = 0.0
        self.toasts = Toasts(window, lambda: self.time)

    def buttons(self) -> list[QPushButton]:
        return [b for b in self.window.findChildren(QPushButton) if "toast-" in b.objectName()]

    def show(self, *texts: str, level: str = "info") -> None:
        for text in texts:
            self.time += 2.0
            self.toasts.show(level, text)


@pytest.fixture
def rig(qtbot: QtBot) -> Iterator[Rig]:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(1000, 700)
    window.show()
    yield Rig(window)


def test_a_topic_is_one_toast_whose_text_changes(rig: Rig) -> None:
    rig.toasts.show("info", "Filled: BUY 1", "fills")
    rig.toasts.show("info", "2 fills NIFTY", "fills")
    assert rig.toasts.texts() == ["info: 2 fills NIFTY"]
    assert rig.toasts.has("fills") and not rig.toasts.has("others")


def test_an_ampersand_is_a_letter_and_no_key(rig: Rig) -> None:
    rig.show("Filled: BUY 1 M&M")
    (toast,) = rig.buttons()
    assert toast.shortcut().isEmpty() and toast.text() == "Filled: BUY 1 M&&M"
    assert rig.toasts.texts() == ["info: Filled: BUY 1 M&M"]


def test_there_are_four_at_most_and_a_shower_is_counted(rig: Rig) -> None:
    rig.show(*(f"message {number}" for number in range(6)))
    assert len(rig.toasts.texts()) == MAX_TOASTS
    rig.toasts.clear()
    rig.time += 5.0
    for number in range(10):
        rig.toasts.show("info", f"burst {number}")
    texts = rig.toasts.texts()
    assert texts[-1] == "warning: 6 more messages within a second; all of them are in the Log."
    rig.toasts.show("error", "what went wrong is always shown")
    assert "what went wrong" in rig.toasts.texts()[-1]


def test_a_click_opens_what_it_is_about(rig: Rig) -> None:
    opened: list[str] = []
    rig.toasts.show("info", "Filled", "", lambda: opened.append("42"))
    rig.buttons()[0].click()
    assert opened == ["42"] and rig.toasts.texts() == []


def test_no_toast_ever_covers_a_button_that_sends(rig: Rig, qtbot: QtBot) -> None:
    right = sends(QPushButton("BUY", rig.window))
    left = sends(QPushButton("SELL", rig.window))
    right.setGeometry(620, 560, 360, 40)
    left.setGeometry(20, 600, 360, 40)
    right.show()
    left.show()

    def clear() -> bool:
        places = sending_places(rig.window)
        shown = [b.geometry() for b in rig.buttons() if b.isVisible()]
        return bool(shown) and not any(t.intersects(p) for t in shown for p in places)

    rig.show("one", "two", "three")
    assert clear()
    right.setGeometry(500, 200, 480, 440)  # a ticket is opened where toasts were
    qtbot.waitUntil(clear, timeout=30_000)


def test_without_a_free_place_the_status_bar_says_it(rig: Rig) -> None:
    everything = sends(QPushButton("LADDER", rig.window))
    everything.setGeometry(0, 0, 1000, 700)
    everything.show()
    said: list[str] = []
    rig.toasts.overflow.connect(said.append)
    rig.toasts.show("error", "Rejected: no funds")
    assert said == ["error: Rejected: no funds"] and rig.toasts.texts() == []


def test_places() -> None:
    assert free_place(ROOM, 380, 60, []) == QRect(603, 599, 380, 60)
    ticket = QRect(640, 100, 350, 590)
    place = free_place(ROOM, 380, 60, [ticket])
    assert place is not None and not place.intersects(ticket) and place.left() < 260
    assert free_place(ROOM, 380, 60, [ROOM]) is None
    assert free_place(QRect(0, 0, 300, 700), 380, 60, []) is None


def test_the_lowest_place_is_taken_wherever_it_is() -> None:
    ticket = QRect(640, 330, 350, 360)  # the place above it is free, but high
    place = free_place(ROOM, 380, 60, [ticket])
    assert place is not None and (place.left(), place.bottom()) == (16, 658)
