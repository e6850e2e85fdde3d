"""Drawings in the chart dock: keys, what is kept over a restart, and that none of it sends."""

from __future__ import annotations

from typing import Any, cast

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from openalgo_desktop.core.charting.drawings.tools import tool
from openalgo_desktop.ui.chart.drawings.settings import DrawingDialog
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("chart")

CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier  # with Shift


async def chart_of(session: Session) -> ChartDock:
    window = session.window
    window.showNormal()
    window.resize(1600, 1000)
    await priced(session)
    dock = window.docks["chart"]
    assert isinstance(dock, ChartDock)
    dock.raise_()
    await until(lambda: len(dock.view.canvas.series) > 0, "bars")
    await until(lambda: dock.cell.drawings.board.key == SBIN, "the symbol")
    return dock


def test_keys_draw_delete_undo_and_nothing_leaves(drive: Drive) -> None:
    async def first(session: Session) -> None:
        dock = await chart_of(session)
        sent: list[object] = []
        desk: Any = session.bridge.desk
        for name in ("place", "modify", "cancel", "cancel_all"):
            setattr(desk, name, lambda *row, name=name, **more: sent.append(name))
        canvas, board = dock.view.canvas, dock.cell.drawings.board
        middle = canvas.stage.prices.rect.center().toPoint()
        canvas.setFocus()
        QTest.keyClick(canvas, Qt.Key.Key_H, ALT)
        assert board.tool is tool("horizontal")
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle)
        assert len(session.bridge.drawings.of(SBIN)) == 1 and len(board.chosen) == 1
        await until(dock.cell.drawings.bar.isVisible, "the style bar")
        dock.cell.drawings.turn_objects()  # the bar stands over the chart, not below the list
        await until(lambda: dock.cell.drawings.bar.geometry().right() <= canvas.geometry().right())
        dock.cell.drawings.turn_objects()
        price = board.all[0].anchors[0].price
        QTest.keyClick(canvas, Qt.Key.Key_Up)
        assert board.all[0].anchors[0].price > price
        QTest.keyClick(canvas, Qt.Key.Key_Delete)
        assert board.all == () and not dock.cell.drawings.bar.isVisible()
        QTest.keyClick(canvas, Qt.Key.Key_Delete)  # with nothing chosen
        QTest.keyClick(canvas, Qt.Key.Key_Z, CTRL)
        QTest.keyClick(canvas, Qt.Key.Key_Z, CTRL)
        assert board.all[0].anchors[0].price == price
        QTest.keyClick(canvas, Qt.Key.Key_Y, CTRL)
        assert board.all[0].anchors[0].price > price
        left = canvas.scale_x.left
        QTest.keyClick(canvas, Qt.Key.Key_Escape)
        QTest.keyClick(canvas, Qt.Key.Key_Left)  # none chosen: it scrolls
        assert board.chosen == () and canvas.scale_x.left < left
        wishes: list[Any] = []
        session.bridge.ticket_wanted.connect(wishes.append)
        board.take(tool("long-position"))
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(-200, 30))
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(-100, 60))
        assert wishes == [] and len(board.all) == 2
        dock.cell.drawings.bar.ticket.click()
        assert wishes[0].price > 0 and wishes[0].quantity > 0
        assert wishes[0].action.value == "BUY" and sent == []
        # One that was kept without what a unit earns risks no more than is set, either.
        row, bridge = board.all[1], cast(Any, session.bridge)
        each = abs(row.anchors[0].price - row.anchors[1].price)
        share = bridge.instrument(SBIN)
        bridge.instrument = lambda key: replace(share, contract_value=1000.0)
        dock.cell.drawings._on_ticket(replace(row, numbers={"risk": 1e7}))
        del bridge.instrument
        assert wishes[1].quantity == int(1e7 / (each * 1000.0) + 1e-9)
        drafts: list[Any] = []
        session.bridge.alerts.draft_wanted.connect(drafts.append)
        dock.cell.drawings.bar.alert.click()
        against = drafts[0].wish.against
        assert against.drawing == board.all[1].ident
        assert against.line in ("entry", "stop", "target")  # whichever is nearest now
        assert drafts[0].wish.span == "5m" and session.bridge.alerts.all() == []

    async def second(session: Session) -> None:
        dock = await chart_of(session)
        assert [row.tool for row in dock.cell.drawings.board.shown] == [
            "horizontal",
            "long-position",
        ]

    drive(first)
    drive(second)


def test_the_list_shows_all(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        drawings, canvas = dock.cell.drawings, dock.view.canvas
        drawings.turn_objects()
        assert drawings.objects is not None and drawings.objects.tree.topLevelItemCount() == 0
        board = drawings.board
        board.take(tool("cross"))
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
        tree = drawings.objects.tree
        assert tree.topLevelItemCount() == 1 and tree.topLevelItem(0).isSelected()
        tree.topLevelItem(0).setCheckState(1, Qt.CheckState.Unchecked)
        assert board.all[0].hidden and board.shown == []
        drawings.turn_objects()
        for said in ("", "Watch this"):  # cancelled, nothing of a text is left; else it is one step
            board.take(tool("text"))
            QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(260, 260))
            await until(lambda: dock.findChildren(DrawingDialog), "the text is asked for")
            (dialog,) = dock.findChildren(DrawingDialog)
            dialog.text.setPlainText(said)
            (dialog.yes.click if said else dialog.reject)()
            await until(lambda: not dock.findChildren(DrawingDialog), "the dialog is gone")
            assert [row.text for row in board.all[1:]] == ([said] if said else [])
        assert board.undo() and len(board.all) == 1

    drive(scenario)
