"""The head of a chart at every width, and what a small chart leaves out."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QMenu

from openalgo_desktop.ui.chart.canvas.stage import Volume
from openalgo_desktop.ui.rooms.charts.cell import ChartCell
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.charts.head import EDGE, SPACING, STEPS
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, priced
from tests.waiting import at_rest, until

pytestmark = pytest.mark.docks("chart")

SMALL = ["symbol", "row", "tools"]


def parts_in_sight(cell: ChartCell) -> list[str]:
    """The parts of a head from left to right; each has its room and none covers another. None
    until that is so."""
    head = cell.head
    parts = (head.subject, cell.interval, cell.tools, cell.sides, cell.quote)
    shown = [part for part in parts if part.isVisible() and part.width() > 0]
    right = 0
    for part in shown:
        fits = right <= part.x() <= part.geometry().right() < head.width()
        if not (fits and (part is head.subject or part.width() >= part.sizeHint().width())):
            return []
        right = part.geometry().right()
    names = {part: part.objectName().rpartition("-")[2] for part in shown}
    return [names[part] for part in shown]


def places(cell: ChartCell) -> list[QRect]:
    """Where the buttons are."""
    return [part.geometry() for part in (cell.interval, cell.tools, cell.sides)]


async def chart_of(session: Session) -> ChartDock:
    await priced(session)
    dock = session.window.docks["chart"]
    assert isinstance(dock, ChartDock)
    dock.setFloating(True)
    dock.show()
    await until(lambda: dock.cell.data.loaded and dock.view.has_bars, "bars")
    await until(lambda: dock.cell.sides.sizeHint().width() > 150, "prices on the buttons")
    return dock


async def sized(dock: ChartDock, width: int, *parts: str, height: int = 420) -> ChartCell:
    """The active chart, once its head has these parts, perhaps more behind them."""
    dock.resize(width, height)
    await until(lambda: dock.width() == width, "the size")
    cell = dock.cell
    await until(
        lambda: parts_in_sight(cell)[: len(parts)] == list(parts),
        f"{parts} at {width}: {parts_in_sight(cell)}",
    )
    await at_rest(lambda: places(cell))
    return cell


def test_a_head_gives_way_step_by_step(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        cell = await sized(dock, 1100, "row", "tools", "sides", "quote")
        assert cell.interval.row.isVisible() and not cell.interval.now.isVisible()
        cell = await sized(dock, 560, "row", "tools", "sides")
        assert cell.interval.now.isVisible() and cell.interval.now.text() == "5m ▾"
        cell = await sized(dock, 330, "row", "tools", "sides")
        assert len(parts_in_sight(cell)) == 3
        assert cell.tools.more.isVisible() and not cell.tools.kind.isVisible()
        cell = await sized(dock, 1100, "row", "tools", "sides", "quote")
        before = places(cell)
        cell.history.message.show_text("No bar of 30 Nov 2026 10:00 is loaded, and more words")
        assert await at_rest(lambda: places(cell)) == before
        # Bars of another interval may be minutes away: the price gives way to the words.
        cell.history.message.show_text("")
        spare = cell.head.width() - cell.head._wide(STEPS[0], SPACING) - 2 * EDGE
        cell = await sized(dock, 1100 - spare + 20, "row", "tools", "sides", "quote")
        cell.history.message.show_text("Loading 2 of 5…")
        assert not cell.quote.isVisible()
        cell.history.message.show_text("")
        assert cell.quote.isVisible()
        with cell.head.for_a_picture():  # beyond the window nothing else says whose it is
            assert parts_in_sight(cell)[0] == "symbol" and cell.head.subject.text() == "SBIN"
        await until(lambda: parts_in_sight(cell)[:1] == ["row"], "the head as before")

    drive(scenario)


def test_sixteen_charts_have_whole_heads_and_room_for_candles(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        assert dock.cell.view.canvas.stage.volume is Volume.PANE
        dock.arrange("16")
        await sized(dock, 1040, height=520)
        await until(lambda: all(cell.view.has_bars for cell in dock.cells), "all bars")
        assert [cell.head.subject.text() for cell in dock.cells] == ["SBIN"] * 16
        for cell in dock.cells:
            await until(lambda c=cell: c.width() <= 1040 / 4, "a quarter of the width")
            await until(lambda c=cell: parts_in_sight(c) == SMALL, "a whole head")
            assert cell.view.canvas.stage.volume is Volume.NOWHERE
            assert not cell.drawings.box.isVisible()
        assert dock.cells[0].accessibleName() == "Chart of SBIN, the active one"
        assert dock.cells[1].accessibleName() == "Chart of SBIN"
        menu = QMenu()
        dock.cells[1].tools.fill_more(menu)
        below = {action.text(): action.menu() for action in menu.actions() if action.menu()}
        assert {"Kind of chart", "Compare", "Draw"} <= set(below)
        assert len(below["Draw"].actions()) > 5
        dock.arrange("1")
        await sized(dock, 1040, height=520)
        await until(lambda: dock.view.canvas.stage.volume is Volume.PANE, "the volume")
        assert dock.cell.drawings.box.isVisible() and not dock.cell.head.subject.isVisible()

    drive(scenario)
