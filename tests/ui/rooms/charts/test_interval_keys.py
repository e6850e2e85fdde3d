"""Typing an interval over the chart."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.charts.interval_words import EXAMPLES, STARTS, meant, named
from openalgo_desktop.ui.rooms.charts.span_picker import FAVOURITES, MADE
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("chart")

Key = Qt.Key


async def chart_of(session: Session) -> ChartDock:
    await priced(session)
    dock = session.window.docks["chart"]
    assert isinstance(dock, ChartDock)
    dock.raise_()
    await until(lambda: len(dock.view.canvas.series) > 0, "bars")
    return dock


def typed(dock: ChartDock, text: str) -> None:
    QTest.keyClicks(dock.view.canvas, text)


@pytest.mark.parametrize(
    ("text", "span", "words"),
    [
        ("7", "7m", "7 minutes"),
        ("45S", "45s", "45 seconds"),
        ("45s", "45s", "45 seconds"),
        ("H", "1h", "1 hour"),
        ("60", "1h", "1 hour"),
        ("90", "90m", "90 minutes"),
        ("120S", "2m", "2 minutes"),
        ("2h", "2h", "2 hours"),
        ("D", "D", "1 day"),
        ("3d", "3D", "3 days"),
        ("w", "W", "1 week"),
        ("M", "M", "1 month"),
        ("2q", "2Q", "2 quarters"),
        ("Y", "Y", "1 year"),
    ],
)
def test_what_is_typed_is_an_interval(text: str, span: str, words: str) -> None:
    found = meant(text)
    assert found is not None
    assert (found.text, named(found)) == (span, words)


@pytest.mark.parametrize("text", ["0", "X", "7X", "D3", "99999", "16H"])
def test_what_is_typed_is_none(text: str) -> None:
    assert meant(text) is None


def test_every_example_and_every_interval_of_the_picker_can_be_typed() -> None:
    assert all(meant(text) is not None and text[0] in STARTS for text in EXAMPLES)
    found = [meant(text.removesuffix("m")) for text in (*FAVOURITES, *MADE)]
    assert [span.text if span else None for span in found] == [*FAVOURITES, *MADE]


def test_a_typed_interval_is_shown_taken_by_enter_and_left_by_escape(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        entry, canvas = dock.cell.entry, dock.view.canvas
        typed(dock, "1")
        assert (entry.text.text(), entry.hint.text()) == ("1", "1 minute: Enter")
        typed(dock, "5")
        assert (entry.text.text(), entry.hint.text()) == ("15", "15 minutes: Enter")
        assert entry.isVisibleTo(dock)
        assert (
            entry.y()
            >= dock.cell.interval.mapTo(dock.body, dock.cell.interval.rect().bottomLeft()).y()
        )
        assert dock.cell.interval.value() == "5m"  # nothing before Enter
        QTest.keyClick(canvas, Key.Key_Return)
        assert dock.cell.interval.value() == "15m"
        assert not entry.isVisibleTo(dock)
        await until(lambda: dock.cell.data.loaded, "the history of 15m")
        assert dock.cell.data.span.text == "15m"
        typed(dock, "d")
        QTest.keyClick(canvas, Key.Key_Escape)
        assert not entry.isVisibleTo(dock)
        QTest.keyClick(canvas, Key.Key_Return)
        assert dock.cell.interval.value() == "15m"
        typed(dock, "30")
        QTest.keyClick(canvas, Key.Key_Backspace)
        QTest.keyClick(canvas, Key.Key_Enter)
        assert dock.cell.interval.value() == "3m"

    drive(scenario)


@pytest.mark.parametrize("text", ["0", "x"])
def test_what_starts_no_interval_opens_nothing(drive: Drive, text: str) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        typed(dock, text)
        assert not dock.cell.entry.isVisibleTo(dock)
        QTest.keyClick(dock.view.canvas, Key.Key_D, Qt.KeyboardModifier.ControlModifier)
        assert not dock.cell.entry.isVisibleTo(dock)

    drive(scenario)


def test_what_is_no_interval_is_said_and_changes_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        typed(dock, "17")
        assert dock.cell.entry.hint.text() == "17 minutes: Enter"
        typed(dock, "x")
        assert dock.cell.entry.hint.text().startswith("no interval: 5, 45S")
        QTest.keyClick(dock.view.canvas, Key.Key_Return)
        assert dock.cell.interval.value() == "5m"
        assert dock.cell.entry.isVisibleTo(dock)  # to be mended or left
        left = dock.view.canvas.scale_x.left
        QTest.keyClick(dock.view.canvas, Key.Key_Left)  # other keys keep their meaning
        assert dock.view.canvas.scale_x.left < left
        dock.cell.entry.leave()
        dock.view.canvas.setFocus()
        typed(dock, "1")
        assert dock.cell.entry.isVisibleTo(dock)
        dock.cell.replay.begin()  # a moment is typed there
        strip = dock.cell.replay.strip
        assert strip is not None and strip.when.hasFocus()
        assert dock.cell.entry.typed == "" and not dock.cell.entry.isVisibleTo(dock)
        dock.view.canvas.setFocus()
        typed(dock, "1")
        strip.when.setFocus()  # whoever takes the keys ends it
        assert dock.cell.entry.typed == ""

    drive(scenario)


def test_a_typed_interval_goes_to_the_group_where_that_is_chosen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        other = session.window.docking.open("chart")
        assert isinstance(other, ChartDock)
        for chart in (dock, other):
            chart.link_interval(True)
        typed(dock, "h")
        QTest.keyClick(dock.view.canvas, Key.Key_Return)
        assert (dock.cell.interval.value(), other.cell.interval.value()) == ("1h", "1h")
        other.link_interval(False)
        typed(dock, "w")
        QTest.keyClick(dock.view.canvas, Key.Key_Return)
        assert (dock.cell.interval.value(), other.cell.interval.value()) == ("W", "1h")

    drive(scenario)


def test_any_interval_is_made_of_shorter_bars_and_kept_by_the_layout(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        typed(dock, "7")
        QTest.keyClick(dock.view.canvas, Key.Key_Return)
        await until(lambda: dock.cell.data.loaded, "its bars")
        times = dock.view.canvas.series.time
        since_open = (times + 19_800) % 86_400 - (9 * 60 + 15) * 60  # seconds, IST
        since_open = since_open[since_open >= 0]  # the simulator trades at night, too
        assert len(since_open) > 50 and set(since_open % 420) == {0}
        assert dock.cell.interval.value() == "7m"
        kept = dock.save_state()
        assert kept["interval"] == "7m"
        dock.cell.interval.choose("D")
        dock.restore_state(kept)
        assert dock.cell.interval.value() == "7m"

    drive(scenario)
