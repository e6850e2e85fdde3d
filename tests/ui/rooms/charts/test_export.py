"""The CSV of a chart and its data window: what exactly they say."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import Draw, Output, Style
from openalgo_desktop.core.csvtext import csv_text
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.plots.study import Compared, StudyView
from openalgo_desktop.ui.rooms.charts import export
from openalgo_desktop.ui.rooms.charts.data_window import rows_of

NAN = math.nan
#: 30 Nov 2026, 09:15 IST.
START = 1796010300
PRICES = np.array([100.0, 101.5, 99.25, 102.0])


@pytest.fixture
def chart(qtbot: QtBot) -> ChartView:
    view = ChartView()
    qtbot.addWidget(view)
    view.resize(600, 400)
    time = START + 300 * np.arange(4)
    units = np.array([1000, 0, 250, 12_345_678])
    bars = Bars(time, PRICES, PRICES + 1, PRICES - 1, PRICES + 0.5, units, units * 2)
    view.set_bars(bars, Span.parse("5m"), 2, 0.05)
    view.append_bar(START + 1200, 102.0, 103.0, 101.0, 102.5, 7.0, NAN)
    outputs = (
        Output("line", "Line", places=1),
        Output("early", "Early", Draw.MARKS, "study-2", offset=-1),
    )
    values = (np.array([NAN, 1.0, 2 / 3, 1e9, 5.0]), np.array([NAN, NAN, 1.0, NAN, -1.0]))
    one = StudyView("a", "=ONE 2", outputs, values, 1, {"line": Style(colour="#123456")})
    hidden = StudyView("b", "Two", outputs, values, hidden=True)
    lost = StudyView("c", "Lost", (), (), note="no file")
    view.set_studies([one, hidden, lost])
    view.set_overlays([Compared("x", "NIFTY", np.array([NAN, 2.0, 3.0, 4.0, 5.0]))])
    view.flush()
    return view


def test_the_file_has_exactly_these_lines(chart: ChartView) -> None:
    stage = chart.canvas.stage
    lines = csv_text(export.sheet_of(stage, 0, 5).rows()).split("\r\n")
    assert lines == [
        "Time (IST),Open,High,Low,Close,Volume,OI,'=ONE 2 Line,'=ONE 2 Early,NIFTY",
        "2026-11-30 09:15:00,100.00,101.00,99.00,100.50,1000,2000,,,",
        "2026-11-30 09:20:00,101.50,102.50,100.50,102.00,0,0,1,1,2",
        "2026-11-30 09:25:00,99.25,100.25,98.25,99.75,250,500,0.666666666667,,3",
        "2026-11-30 09:30:00,102.00,103.00,101.00,102.50,12345678,24691356,1000000000,-1,4",
        "2026-11-30 09:35:00,102.00,103.00,101.00,102.50,7,,5,,5",
        "",
    ]
    part = export.sheet_of(stage, 1, 3).rows()
    assert [row[0] for row in part[1:]] == ["2026-11-30 09:20:00", "2026-11-30 09:25:00"]
    assert [row[8] for row in part[1:]] == ["1", ""]


def test_of_days_only_the_date_is_written_and_only_what_is_seen(chart: ChartView) -> None:
    stage = chart.canvas.stage
    first, last = export.visible(stage)
    assert 0 <= first < last == 5
    stage.intraday = False
    assert export.sheet_of(stage, 3, 4).rows()[1][0] == "2026-11-30"


def test_the_data_window_tells_all_of_a_bar(chart: ChartView) -> None:
    rows = rows_of(chart.canvas.stage, 3)
    assert [(row.caption, row.text) for row in rows] == [
        ("Date", "Mon 30 Nov 2026"),
        ("Time", "09:30"),
        ("Open", "102.00"),
        ("High", "103.00"),
        ("Low", "101.00"),
        ("Close", "102.50"),
        ("Change", "+2.75"),
        ("Change %", "+2.76%"),
        ("Volume", "1,23,45,678"),
        ("OI", "2,46,91,356"),
        ("NIFTY", "4.00"),
        ("=ONE 2", ""),
        ("Line", "1,00,00,00,000.0"),
        ("Early", "-1.00"),
        ("Lost", ""),
        ("", "no file"),
    ]
    roles = {row.caption: row.role for row in rows}
    assert roles["Change"] == "up" and roles["Line"] == "#123456" and roles["Early"] == "study-2"
    last = {row.caption: row.text for row in rows_of(chart.canvas.stage, 4)}
    assert last["OI"] == last["Early"] == "–" and last["Change"] == "0.00"


class Told:
    """What a chart's dock is to an export."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.said = self.words.append

    def file_name(self) -> str:
        return "chart-SBIN"


def test_the_file_is_written_or_nothing_is(
    chart: ChartView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Path | None] = [tmp_path / "a.csv", None]
    asked: list[str] = []

    async def path(_parent: object, name: str) -> Path | None:
        asked.append(name)
        return answers.pop(0)

    monkeypatch.setattr(export, "ask_csv_path", path)
    dock: Any = Told()
    for _ in range(2):
        asyncio.run(export.save_csv(dock, chart, in_view=False))
    assert asked == ["chart-SBIN.csv"] * 2 and len(dock.words) == 1
    text = (tmp_path / "a.csv").read_text("utf-8-sig")
    assert text.startswith("Time (IST),Open") and text.count("\n") == 6
    assert dock.words[0].startswith("5 bars exported")
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o600
