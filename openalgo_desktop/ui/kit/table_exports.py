"""What a table gives away: rows on the clipboard, a CSV file, a picture as on paper."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from openalgo_desktop.core.csvtext import csv_text
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.exporting import MOST_ROWS, Cell, Sheet, draw, png, write_bytes
from openalgo_desktop.ui.kit.exporting import write_text as write_file
from openalgo_desktop.ui.kit.save_file import ask_csv_path, ask_path
from openalgo_desktop.ui.kit.tables import FastTableModel, FastTableView
from openalgo_desktop.ui.kit.tables.columns import Column
from openalgo_desktop.ui.kit.widgets import copy_text

#: Rows that are turned into texts before others get the loop: about two milliseconds.
TURN = 100
Model = FastTableModel[Any]


async def _in_turns(rows: Sequence[Any]) -> AsyncIterator[Any]:
    for number, row in enumerate(rows):
        if number and number % TURN == 0:
            await asyncio.sleep(0)
        yield row


async def csv_of(model: Model) -> list[list[str]]:
    """Titles and rows as plain numbers and texts, in the order of the view."""
    lines = [model.plain_titles()]
    async for row in _in_turns(model.shown_rows()):
        lines.append(model.plain_row(row))
    return lines


async def copy_table(view: FastTableView) -> None:
    """Put the whole table on the clipboard, with titles, numbers without grouping."""
    lines = await csv_of(view.table)
    copy_text("\n".join("\t".join(line) for line in lines))


def copy_rows(view: FastTableView) -> None:
    """Put the selected rows on the clipboard, with titles, numbers without grouping."""
    copy_text(view.selected_text())


async def save_csv(view: FastTableView, name: str, said: Callable[[str], None]) -> None:
    """Ask for a file and write the whole table into it; ``said`` hears what came of it."""
    path = await ask_csv_path(view, f"{name}.csv")
    if path is not None:
        lines = await csv_of(view.table)
        await write_file(path, lambda: csv_text(lines))
        said(f"{_count(len(lines) - 1)} exported to {path}.")


async def sheet_of(view: FastTableView, title: str, subtitle: str) -> Sheet:
    """The table as it is shown: visible columns in their order, rows in theirs."""
    header, model = view.horizontalHeader(), view.table
    places = [header.logicalIndex(place) for place in range(header.count())]
    columns = [
        model.columns[place]
        for place in places
        if not header.isSectionHidden(place) and model.columns[place].actions is None
    ]
    rows = model.shown_rows()
    cells = []
    async for row in _in_turns(rows[:MOST_ROWS]):
        cells.append([_cell(column, row) for column in columns])
    titles = [(column.title, column.numeric) for column in columns]
    return Sheet(title, subtitle, titles, cells, max(0, len(rows) - MOST_ROWS))


def _cell(column: Column[Any], row: Any) -> Cell:
    tone = column.tone(row) if column.tone is not None else ""
    return Cell(column.shown(row, column.value(row)), tone)


async def ask_picture_path(view: FastTableView, name: str) -> Path | None:
    """Where to write a picture."""
    return await ask_path(view, "Save as picture", "Pictures", "png", f"{name}.png")


async def save_picture(
    view: FastTableView, name: str, title: str, subtitle: str, said: Callable[[str], None]
) -> None:
    """Ask for a file and draw the table into it; ``said`` hears what came of it."""
    path = await ask_picture_path(view, name)
    if path is not None:
        sheet, family = await sheet_of(view, title, subtitle), view.font().family()
        await write_bytes(path, lambda: png(draw(sheet, family)))
        said(f"Picture saved as {path}.")


def offers(dock: Dock, view: FastTableView, title: str) -> list[tuple[str, Callable[[], object]]]:
    """What a table of ``dock`` can be saved as: text of a menu, and what it starts. A picture
    says under its ``title`` of which mode and when it is."""
    name, bridge = dock.file_name(), dock.bridge
    when = f"{bridge.mode.value.upper()}   {fmt.date_time_text(bridge.now())} IST"
    return [
        ("Save as CSV…", lambda: dock.spawn(save_csv(view, name, dock.said), "save CSV")),
        (
            "Save as picture…",
            lambda: dock.spawn(save_picture(view, name, title, when, dock.said), "save picture"),
        ),
    ]


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows} rows"
