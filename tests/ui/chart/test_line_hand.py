"""The hand on a line: what comes of a drag is what it read last."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRectF
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.over.frame import Frame
from openalgo_desktop.ui.chart.over.line_hand import LineHand
from openalgo_desktop.ui.chart.over.overlay import Overlay

PANE = QRectF(0, 0, 400, 200)


@pytest.mark.parametrize("inverted", [False, True])
def test_a_scale_that_moves_under_a_still_hand_does_not_change_the_price(
    qtbot: QtBot, inverted: bool
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    overlay = Overlay(parent)
    overlay.set_frame(Frame(PANE, 260, 460, 100.0, 200.0, inverted=inverted))
    overlay.set_lines([PriceLine("1", 150.0, "SELL 1", "sell", True, True)])
    hand = LineHand(overlay)
    assert hand.press(QPoint(50, 100))
    dragged = hand.move(QPoint(50, 60))
    assert dragged is not None and dragged.price == pytest.approx(130.0 if inverted else 170.0)
    overlay.set_frame(Frame(PANE, 260, 460, 100.0, 240.0, inverted=inverted))  # a tick came
    meant = hand.release(QPoint(50, 60))
    assert meant is not None and meant.price == dragged.price
    # A hand that moved on reads the scale of now.
    assert hand.press(QPoint(50, round(overlay.frame.y(150.0))))
    hand.move(QPoint(50, 60))
    meant = hand.release(QPoint(50, 40))
    assert meant is not None and meant.price == pytest.approx(128.0 if inverted else 212.0)
