"""The program's window in a process of its own that says where things are on the screen.

``python -m tests.e2e.window_host PLACE gui ...`` is ``openalgo-desktop gui ...`` and beside it a
line server on loopback whose port it writes to the file PLACE. A line is a Python expression; the
answer is its value as JSON. Tests only *look* with it: what is done, is done by mouse and keys.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QRect
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QMenu, QTabBar, QWidget

from openalgo_desktop.shell import engine
from openalgo_desktop.shell.main import main
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.rooms.market.ladder_view import Cell, Column


def on_screen(widget: QWidget, rect: QRect | None = None) -> list[int]:
    """x, y, width, height in pixels of the screen."""
    inside = rect if rect is not None else widget.rect()
    corner = widget.mapToGlobal(inside.topLeft())
    return [corner.x(), corner.y(), inside.width(), inside.height()]


def seen(name: str) -> QWidget | None:
    """The widget of that name that can be seen."""
    for widget in QApplication.allWidgets():
        if widget.objectName() == name and not widget.visibleRegion().isEmpty():
            return widget
    return None


def rect(name: str) -> list[int] | None:
    """Where a widget is; None while it cannot be seen."""
    widget = seen(name)
    return None if widget is None else on_screen(widget, widget.visibleRegion().boundingRect())


def pointed(x: int, y: int) -> bool:
    """Whether the pointer has come to that place of the screen as far as the program knows: the
    window there is shown by the display, and what lies there was told."""
    widget = QApplication.widgetAt(x, y)
    return widget is not None and widget.underMouse()


def within(rect: list[int] | None, at: tuple[int, int]) -> bool:
    """Whether a place of the screen is in what was found; what is gone has none."""
    return rect is not None and QRect(*rect).contains(*at)


def state() -> dict[str, Any]:
    """Where the pointer and the focus are and what lies above the rest: for a test that fails."""
    at = QCursor.pos()
    found: dict[str, QObject | None] = {
        "under the pointer": QApplication.widgetAt(at),
        "focus": QApplication.focusWidget(),
        "dialog": QApplication.activeModalWidget(),
        "menu": QApplication.activePopupWidget(),
        "active": QApplication.activeWindow(),
    }
    names = {key: None if who is None else who.objectName() for key, who in found.items()}
    return {"pointer": [at.x(), at.y()], "buttons": QApplication.mouseButtons().value, **names}


def text(name: str) -> str | None:
    """What it says."""
    widget: Any = seen(name)
    return None if widget is None else str(widget.text())


def cell(table: str, row: int, column: str) -> list[int] | None:
    """Where a cell of one of our tables is; ``row`` counts what is shown."""
    view: Any = seen(table)
    if view is None:
        return None
    names = [col.key for col in view.table.columns]
    index = view.table.index(row, names.index(column))
    found = view.visualRect(index)
    return None if found.isEmpty() else on_screen(view.viewport(), found)


def entry(words: str) -> list[int] | None:
    """Where an entry of an open menu is."""
    for widget in QApplication.allWidgets():
        if isinstance(widget, QMenu) and widget.isVisible():
            for action in widget.actions():
                if words in action.text().replace("&", ""):
                    return on_screen(widget, widget.actionGeometry(action))
    return None


def result() -> str | None:
    """The day's profit or loss in words; None before there is a position. It may well be 0.00: the
    simulated price stands still at times."""
    books = dock("positions").bridge.books
    return fmt.signed_money(sum(books.day_pnl)) if books.positions else None


def main_window() -> Any:
    """The one with the toolbar."""
    return next(w for w in QApplication.topLevelWidgets() if w.objectName() == "main-window")


def docks() -> Any:
    """All open docks by name."""
    return main_window().docks


def workspaces() -> Any:
    """Their names, and which is shown."""
    return main_window().workspaces


def dock(name: str) -> Any:
    """An open dock."""
    return docks()[name]


def position(symbol: str) -> int | None:
    """The row of a symbol in the positions, as they are shown now: fills bring new rows."""
    view: Any = seen("positions-table")
    rows = range(0 if view is None else view.table.rowCount())
    return next((i for i in rows if view.table.row_at(i).members[0].symbol == symbol), None)


def link(table: str, row: int | None, name: str) -> list[int] | None:
    """Where a link in a row is; ``name`` is that of its action."""
    view: Any = seen(table)
    found = QRect() if view is None or row is None else view.action_rect(row, name)
    return None if found.isEmpty() else on_screen(view.viewport(), found)


def option(name: str, is_call: bool = True, strikes: int = 0) -> list[int] | None:
    """Where a price of the option at the money is in the chain, or of one so many ``strikes``
    above (below) it; None until the stream has its price and the panel shows it as one to trade
    on, without which nothing is sent."""
    chain = dock("chain")
    if chain.view is None or not chain.view.head.atm:
        return None
    row = chain.table.row_of(chain.view.head.atm) + strikes
    line = chain.table.line_at(row)
    side = None if line is None else line.call if is_call else line.put
    if side is None or side.leg is None or side.stale or side.tick is None:
        return None
    if chain.bridge.orders.fresh(side.leg.key) is None or not getattr(side.tick, name) > 0:
        return None
    return on_screen(chain.table.viewport(), chain.table.cell_rect(row, name, is_call))


def rung(column: str, price: float) -> list[int] | None:
    """Where a price is in a column of the ladder; None while it is not in sight."""
    view = dock("ladder").view
    number = view.grid.number(price)
    found = view.cell_rect(Cell(Column(column), number))
    return on_screen(view, found) if view.grid.shows(number) else None


def tag(word: str) -> list[int] | None:
    """Where the tag of a line of the chart is whose text has ``word``."""
    view = dock("chart").view
    for line in view.shown_lines:
        chip = view.canvas.overlay.chip_of(line.line_id)
        if word in line.text and chip is not None:
            return on_screen(view.canvas, chip[0])
    return None


def tab(words: str) -> list[int] | None:
    """Where a tab of stacked docks is."""
    for bar in QApplication.allWidgets():
        if isinstance(bar, QTabBar) and not bar.visibleRegion().isEmpty():
            for index in range(bar.count()):
                if bar.tabText(index) == words:
                    return on_screen(bar, bar.tabRect(index))
    return None


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        try:
            value = eval(line.decode(), globals())
        except Exception as error:
            value = {"error": repr(error)}
        writer.write(json.dumps(value, default=str).encode() + b"\n")
        await writer.drain()
    writer.close()


def run() -> int:
    """Wrap what is awaited once everything answers."""
    place = Path(sys.argv.pop(1))
    wrapped = engine.write_ready_file

    async def ready(path: Path, terminal: Any) -> None:
        server = await asyncio.start_server(_answer, "127.0.0.1", 0)
        place.write_text(str(server.sockets[0].getsockname()[1]))
        globals()["server"] = server
        await wrapped(path, terminal)

    engine.write_ready_file = ready
    return int(main() or 0)


if __name__ == "__main__":
    sys.exit(run())
