"""Several charts in one dock: layouts, the active one, what they have in common, what is kept."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.charts.layouts import LAYOUTS, MOST
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("chart")

RELIANCE: Key = ("NSE", "RELIANCE")


def test_every_layout_fills_its_rows_and_columns_once() -> None:
    assert MOST == 16 and len(LAYOUTS["1"]) == 1
    for places in LAYOUTS.values():
        covered = [
            (row, column)
            for place in places
            for row in range(place.row, place.row + place.rows)
            for column in range(place.column, place.column + place.columns)
        ]
        rows = 1 + max(row for row, _ in covered)
        columns = 1 + max(column for _, column in covered)
        assert len(covered) == len(set(covered)) == rows * columns


async def chart_of(session: Session) -> ChartDock:
    await priced(session)
    dock = session.window.docks["chart"]
    assert isinstance(dock, ChartDock)
    dock.raise_()
    await until(lambda: dock.cell.data.loaded and len(dock.view.canvas.series) > 0, "bars")
    return dock


def test_charts_of_a_dock_come_go_and_come_back(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        clients = session.bridge.frames.served
        dock.arrange("4")
        first = dock.cells[0]
        assert len(dock.cells) == 4 and dock.cell is first
        assert session.bridge.frames.served == clients + 3
        dock.activate(dock.cells[2])
        session.bridge.select(RELIANCE)  # the group means the active one
        dock.cells[2].interval.choose("15m")
        assert [cell.key for cell in dock.cells] == [SBIN, SBIN, RELIANCE, SBIN]
        await until(lambda: all(cell.data.loaded for cell in dock.cells), "all histories")
        # A click in a chart makes keys mean it.
        QTest.mouseClick(dock.cells[3].view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(9, 60))
        assert dock.cell is dock.cells[3]
        dock.cells[2].view.canvas.taken_up.emit()
        assert dock.cell is dock.cells[2] and dock.hotkeys.surface is dock.view
        QTest.mouseDClick(dock.cell.head, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
        assert [cell.isHidden() for cell in dock.cells] == [True, True, False, True]
        assert dock.save_state()["alone"] is True
        room = dock.cell.parentWidget().size()
        await until(lambda: dock.cell.size() == room, "all the room")
        dock.activate(dock.cells[3])
        assert [cell.isHidden() for cell in dock.cells] == [True, True, True, False]
        dock.activate(dock.cells[2])
        dock.turn_alone()
        assert not any(cell.isHidden() for cell in dock.cells)
        kept = dock.save_state()
        dock.arrange("1")
        dock.turn_alone()  # one chart is alone as it is
        assert not dock.alone
        assert dock.cells == [dock.cell] and dock.key == RELIANCE  # the active one stays
        assert session.bridge.frames.served == clients
        dock.restore_state(kept)
        assert [cell.key for cell in dock.cells] == [SBIN, SBIN, RELIANCE, SBIN]
        assert [cell.interval.value() for cell in dock.cells] == ["5m", "5m", "15m", "5m"]
        assert dock.cell is dock.cells[2] and dock.hotkeys.surface is dock.view
        # Each asks for its prices by a name of its own, also after others were closed.
        assert len({cell.objectName() for cell in dock.cells}) == 4

    drive(scenario)


def test_a_crosshair_is_at_its_time_in_the_other_charts(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        dock.arrange("2 side by side")
        one, two = dock.cells
        two.interval.choose("15m")
        await until(lambda: all(cell.data.loaded for cell in dock.cells), "all histories")
        moment = float(one.view.canvas.series.time[-20])
        one.view.cross_moved.emit(moment, 800.0)
        await until(lambda: two.view.canvas.overlay._far_cross is not None, "the other crosshair")
        assert one.view.canvas.overlay._far_cross is None
        dock.turn_alone()  # a hidden chart does not come back with it
        canvas = one.view.canvas
        canvas.at = QPoint(canvas.width() - 2, 60)  # over the scale no bar is meant
        canvas.show_cross()
        await until(lambda: two.view.canvas.overlay._far_cross is None, "its end")

    drive(scenario)


def test_layouts_of_before_and_of_later_versions_come_back(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        dock.restore_state({"interval": "15m"})
        assert dock.cell.interval.value() == "15m" and len(dock.cells) == 1
        strange = {"interval": "17parsecs", "kind": "hologram", "layout": "99", "charts": [{}]}
        dock.restore_state(strange)
        assert (dock.cell.interval.value(), dock.cell.appearance.kind) == ("15m", "candles")
        await until(lambda: dock.cell.data.loaded and dock.view.has_bars, "bars")

    drive(scenario)
