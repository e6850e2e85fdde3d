"""A chart as CSV: its bars, and what its studies say at each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from openalgo_desktop.core.charting.columns import Columns, Floats, Ints
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.csvtext import csv_text
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.exporting import write_text
from openalgo_desktop.ui.kit.save_file import ask_csv_path

if TYPE_CHECKING:
    from openalgo_desktop.ui.chart.canvas.stage import Stage

#: Digits of a study's value: a spreadsheet keeps fifteen.
DIGITS = 12


class Sheet(NamedTuple):
    """What is written, taken from the chart at one moment: copies, for a thread."""

    time: Ints  # epoch seconds
    bars: Sequence[Floats]  # open, high, low, close, volume, oi
    titles: Sequence[str]  # of the studies' columns
    values: Sequence[Floats]
    places: int  # decimals of prices
    intraday: bool

    def rows(self) -> list[list[str]]:
        """Titles and bars, oldest first. Times are IST; what is not known is empty."""
        price = f".{self.places}f"
        forms = [price] * 4 + [".0f"] * 2 + [f".{DIGITS}g"] * len(self.values)
        head = ["Time (IST)", "Open", "High", "Low", "Close", "Volume", "OI", *self.titles]
        form = "%Y-%m-%d %H:%M:%S" if self.intraday else "%Y-%m-%d"
        times = [f"{datetime.fromtimestamp(at, IST):{form}}" for at in self.time.tolist()]
        columns = [
            [format(value, form) if math.isfinite(value) else "" for value in column.tolist()]
            for column, form in zip((*self.bars, *self.values), forms, strict=True)
        ]
        return [head, *(list(row) for row in zip(times, *columns, strict=True))]


def sheet_of(stage: Stage, first: int, last: int) -> Sheet:
    """The bars ``first <= index < last``, with every output of the studies that are not hidden, as
    it is drawn at the bar (so one that is drawn later or earlier than it is known stands there)."""
    bars = stage.series.columns().cut(first, last)
    titles: list[str] = []
    values: list[Floats] = []
    for view in stage.studies:
        if view.hidden:
            continue
        for number, output in enumerate(view.outputs[: len(view.values)]):
            titles.append(f"{view.title} {output.label}")
            values.append(_at(view.values[number], view.offset(number), first, last))
    for other in stage.compared:
        titles.append(other.title)
        values.append(_at(other.closes, 0, first, last))
    prices = [column.copy() for column in _values(bars)]
    return Sheet(bars.time.copy(), prices, titles, values, stage.places, stage.intraday)


def _values(bars: Columns) -> tuple[Floats, ...]:
    return (bars.open, bars.high, bars.low, bars.close, bars.volume, bars.oi)


def _at(values: Floats, offset: int, first: int, last: int) -> Floats:
    """What is drawn at each bar; NaN where nothing is."""
    made = np.full(max(0, last - first), np.nan)
    begin, end = max(first, offset), min(last, len(values) + offset)
    if begin < end:
        made[begin - first : end - first] = values[begin - offset : end - offset]
    return made


def visible(stage: Stage) -> tuple[int, int]:
    """First and one past the last bar in view."""
    first, last = stage.scale_x.visible
    return max(0, first), min(len(stage.series), last)


async def save_csv(dock: Dock, view: ChartView, *, in_view: bool) -> None:
    """Ask for a file and write the chart's bars into it: those in view, or all that are loaded.
    Raises :class:`StorageError`."""
    stage = view.canvas.stage
    first, last = visible(stage) if in_view else (0, len(stage.series))
    sheet = sheet_of(stage, first, last)  # while it is asked the chart may become another
    path = await ask_csv_path(dock, f"{dock.file_name()}.csv")
    if path is None:
        return
    await write_text(path, lambda: csv_text(sheet.rows()))
    count = last - first
    dock.said(f"{'1 bar' if count == 1 else f'{count} bars'} exported to {path}.")
