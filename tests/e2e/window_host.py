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

from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from openalgo_desktop.shell import engine
from openalgo_desktop.shell.main import main


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


def docks() -> Any:
    """All open docks by name."""
    window: Any = next(w for w in QApplication.topLevelWidgets() if w.objectName() == "main-window")
    return window.docks


def dock(name: str) -> Any:
    """An open dock."""
    return docks()[name]


def point(widget: QWidget, x: float, y: float) -> list[int]:
    """A point of a painted widget on the screen, as an empty rectangle."""
    at = widget.mapToGlobal(QPoint(round(x), round(y)))
    return [at.x(), at.y(), 0, 0]


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
