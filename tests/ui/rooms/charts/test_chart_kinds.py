"""Kinds, scale, comparison and arithmetic of a chart in the window, and what the layout keeps."""

from __future__ import annotations

from datetime import timedelta
from math import nan

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu, QTreeWidget

from openalgo_desktop.core.charting.studies import StudyWish
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.chart.paint.kinds import KINDS
from openalgo_desktop.ui.chart.series import CLOSE
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.charts.look import Look
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("chart")

RELIANCE: Key = ("NSE", "RELIANCE")


async def chart_of(session: Session) -> ChartDock:
    await priced(session)
    dock = session.window.docks["chart"]
    assert isinstance(dock, ChartDock)
    dock.raise_()
    await until(lambda: dock.cell.data.loaded and len(dock.view.canvas.series) > 0, "bars")
    return dock


def test_every_kind_shows_something_and_goes_back(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        cell = dock.cell
        count = len(cell.view.canvas.series)
        for kind in KINDS:
            cell.appearance.set_kind(kind.kind)
            await until(lambda: not cell.data.bars.making, kind.title)
            assert len(cell.view.canvas.series) > 0, kind.title
            if kind.transform:
                assert abs(len(cell.data.market) - count) <= 1
            cell.view.flush()
        cell.appearance.set_kind("candles")
        assert abs(len(cell.view.canvas.series) - count) <= 1
        assert cell.tools.kind.text().startswith("Candles")

    drive(scenario)


def menu_words(dock: ChartDock) -> list[str]:
    """The menu of a right click below the prices."""
    dock.view.canvas.menu_wanted.emit(nan, QPoint(0, 0))
    (menu,) = [m for m in dock.findChildren(QMenu) if m.isVisible()]
    words = [action.text() for action in menu.actions() if action.text()]
    menu.close()
    return words


def test_arithmetic_is_exact_at_open_and_close_and_cannot_be_traded(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        cell = dock.cell
        with pytest.raises(DataError):
            cell.show_expression("SBIN-NOSUCHTHING")
        assert cell.expression is None
        overlay = cell.view.canvas.overlay
        overlay.set_touch(800.0, 801.0)
        cell.show_expression("2*SBIN-RELIANCE")
        assert overlay._touch == (0.0, 0.0) and not overlay._countdown  # those of SBIN alone
        await until(lambda: cell.data.loaded and len(cell.view.canvas.series) > 50, "its bars")
        closes = {}
        for symbol in ("SBIN", "RELIANCE"):
            today = session.bridge.now().date()
            since = today - timedelta(days=4)  # in the first minutes of a day it has few bars
            bars = await session.bridge.bars.of_days(("NSE", symbol), cell.span, since, today)
            closes[symbol] = dict(zip(bars.time.tolist(), bars.close.tolist(), strict=True))
        series = cell.view.canvas.series
        times = [t for t in series.time.tolist()[:-1] if t in closes["SBIN"]]
        assert len(times) > 5
        for time in times[:-1]:
            index = int(np.searchsorted(series.time, time))
            wanted = 2 * closes["SBIN"][time] - closes["RELIANCE"][time]
            assert abs(float(series.column(CLOSE)[index]) - wanted) < 1e-6
        assert cell.key is None and dock.symbol_now() is None
        assert not any(button.isVisible() for button in cell.sides.buttons.values())
        await until(lambda: cell.data.is_drawn, "what a place means")
        cell.flush()
        await until(lambda: cell.tools.width() >= cell.tools.sizeHint().width(), "room for tools")
        assert cell.quote.text().endswith("bodies only")
        words = menu_words(dock)
        assert words[0] == "Fit" and "Indicators…" in words and cell.places == 2
        assert cell.own._key is None and cell.own._fills == []  # of SBIN alone
        kept = dock.save_state()
        session.bridge.select(RELIANCE)
        assert cell.key == RELIANCE and cell.expression is None
        dock.restore_state(kept)
        assert cell.expression is not None and cell.expression.text == "2*SBIN-RELIANCE"
        cell.show_expression("SBIN/RELIANCE")
        assert cell.places == 5  # of two decimals nothing could be read
        window = session.window
        dock.close()  # and again, as at the next start: the group shows a symbol meanwhile
        await until(lambda: "chart" not in window.docks, "the chart to be gone")
        session.bridge.select(RELIANCE)
        window.docking.make("chart")
        again = window.docks["chart"]
        assert isinstance(again, ChartDock) and again.cell.subject_text == "SBIN/RELIANCE"

    drive(scenario)


def test_a_compared_symbol_has_a_close_for_each_bar(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        cell = dock.cell
        with pytest.raises(DataError, match="nosuch"):
            cell.appearance.compare_with("nosuch")
        cell.appearance.compare_with("reliance")
        await until(lambda: len(cell.view.canvas.stage.compared) == 1, "the other one")
        (other,) = cell.view.canvas.stage.compared
        assert len(other.closes) == len(cell.view.canvas.series)
        assert np.isfinite(other.closes[:-1]).mean() > 0.9
        assert dock.save_state()["compare"] == [["NSE", "RELIANCE"]]
        cell.appearance.compare_without(RELIANCE)
        assert cell.view.canvas.stage.compared == ()
        future = session.bridge.near_future("NIFTY", "NFO")
        assert future is not None
        cell.appearance.compare_with(session.bridge.name(future).lower())  # as the window calls it
        assert cell.comparing.keys == (future,)
        assert menu_words(dock)[0] == "Fit"  # nothing to trade below the prices

    drive(scenario)


def test_a_look_is_kept_and_nonsense_is_not_taken() -> None:
    look = Look("log", True, "foot", True, True)
    assert Look.restored(look.save()) == look
    assert Look.restored({"scale": "cubic", "volume": 7, "touch": 1, "days": True}) == Look(
        days=True
    )
    assert Look.restored(None) == Look()


def test_kind_scale_and_comparison_are_steps_of_the_undo(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await chart_of(session)
        cell = dock.cell
        history, appearance = cell.drawings.history, cell.appearance
        first = appearance.state
        appearance.set_kind("area")
        appearance.set_look(scale="log")
        appearance.compare_with("reliance")
        last = appearance.state
        assert last == first._replace(kind="area", look=Look("log"), compared=(RELIANCE,))
        for _ in range(3):
            assert history.undo() is not None
        assert appearance.state == first and cell.comparing.keys == ()
        assert cell.tools.kind.text().startswith("Candles")
        for _ in range(3):
            assert history.redo() is not None
        assert appearance.state == last and cell.comparing.keys == (RELIANCE,)
        kept = dock.save_state()
        dock.restore_state(kept)  # no step: there is nothing to take back of it
        assert history.next_undo() == "Compare" and appearance.state == last

    drive(scenario)


def test_prices_are_locked_over_intervals_and_in_the_layout(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        cell = (await chart_of(session)).cell
        scale = cell.view.canvas.scale_y
        cell.view.flush()
        menu = cell.host.menu()
        cell.tools.fill_more(menu)
        lock = next(one for one in menu.actions() if one.text().startswith("Lock prices"))
        assert not lock.isChecked()
        lock.trigger()
        sign = cell.price_lock.sign
        assert sign is not None and sign.isVisible()
        sign.click()
        assert not cell.price_lock.on and sign.isHidden() and scale.auto
        lock.trigger()
        assert sign.isVisible()
        scale.stretch(0.5)  # by hand
        edges = scale.range
        assert cell.price_lock.on
        cell.appearance.set_look(days=True)
        assert cell.price_lock.on and scale.range == edges
        cell.show_interval("15m")
        await until(lambda: cell.data.loaded, "other bars")
        assert scale.range == edges and not scale.auto
        state = cell.save_state()
        cell.view.go_to_now()  # Fit
        await until(sign.isHidden, "no sign")
        assert not cell.price_lock.on and cell.save_state()["price-lock"] == []
        cell.restore_state(state)
        assert cell.price_lock.on and scale.range == edges
        cell.restore_state({"price-lock": ["SBIN", 1, "x"]})
        assert cell.save_state()["price-lock"] == []
        assert cell.bridge.instrument(("NSE", "TCS")) is not None
        cell.restore_state(state)
        cell.show_symbol(("NSE", "TCS"))
        await until(lambda: cell.data.loaded and cell.data.is_drawn, "its bars")
        assert not cell.price_lock.on and scale.auto

    drive(scenario)


def test_the_profile_of_what_is_in_view_follows_the_view(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        cell = (await chart_of(session)).cell
        found = cell.bridge.studies.find("vpvr")[0]
        assert found.study == "view-profile"
        cell.studies.put(StudyWish("v", found.study))
        canvas = cell.view.canvas

        def shown() -> tuple[int, int] | None:
            profiles = [p for view in canvas.stage.studies for p in view.profiles]
            return (profiles[0].first, profiles[0].last) if profiles else None

        def seen() -> tuple[int, int]:
            first, end = canvas.scale_x.visible
            return first, min(end, len(canvas.series)) - 1

        await until(lambda: shown() == seen(), "the profile")
        before = shown()
        cell.view.scroll_by(-0.3)
        cell.view.flush()
        await until(lambda: shown() == seen() != before, "the profile of another place")
        assert not any(view.note for view in canvas.stage.studies)

    drive(scenario)


def test_the_data_window_shows_a_whole_date(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        cell = (await chart_of(session)).cell
        cell.data_window.show(True)
        tree = cell.findChild(QTreeWidget, f"{cell.name}-data-list")
        assert tree is not None
        longest = tree.fontMetrics().horizontalAdvance("Wed 30 Nov 2026")
        await until(lambda: tree.columnWidth(1) > 0, "the list")
        tree.doItemsLayout()
        item = tree.topLevelItem(0)
        assert item is not None and item.text(0) == "Date"
        wanted = tree.sizeHintForColumn(1)
        assert longest < tree.header().sectionSize(1)
        assert wanted <= tree.viewport().width() - tree.header().sectionSize(0)

    drive(scenario)
