"""The trade journal and the P&L calendar: empty, loaded, edited, walked by keys, quick."""

from __future__ import annotations

import asyncio
import threading
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from openalgo_desktop.analytics import trade_journal
from openalgo_desktop.core import gently
from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.model import OrderRequest, Trade
from openalgo_desktop.core.trade_journal import TradeNote
from openalgo_desktop.ui.kit.tables.cell_editor import CellEditor
from openalgo_desktop.ui.rooms.portfolio import journal, journal_rows, trips_dock
from openalgo_desktop.ui.rooms.portfolio.journal import JournalDock, period_start
from openalgo_desktop.ui.rooms.portfolio.pnl_calendar import PnlCalendarDock
from openalgo_desktop.ui.rooms.portfolio.pnl_month import moved
from openalgo_desktop.ui.shell.main import Session
from tests.costs import calls
from tests.ui.driving import Drive, priced
from tests.waiting import until, until_told

BUY, SELL = Action.BUY, Action.SELL


def journal_dock(session: Session) -> JournalDock:
    found = session.window.docking.open("journal")
    assert isinstance(found, JournalDock)
    found.raise_()
    return found


def calendar_dock(session: Session) -> PnlCalendarDock:
    found = session.window.docking.open("pnl-calendar")
    assert isinstance(found, PnlCalendarDock)
    found.raise_()
    return found


def deal(session: Session, number: int, at: datetime, gross: int, symbol: str = "SBIN") -> None:
    """A closed trade of 10 units in the paper account that earned ``gross`` rupees."""
    trades = session.terminal.sandbox.state.trades
    session.terminal.sandbox.results().clear()  # it began before all of them
    rows = ((BUY, 100.0, 0), (SELL, 100.0 + gross / 10, 5))
    for side, (action, price, minute) in enumerate(rows):
        moment = at + timedelta(minutes=minute)
        made = Trade(
            f"t{number}-{side}", f"o{number}-{side}", symbol, "NSE", action, Product.MIS, 10,
            price, moment, "gap" if number % 2 else "", charges=1.0,
        )  # fmt: skip
        trades[made.trade_id] = made


def some(session: Session) -> datetime:
    """Three trades today, one a month ago; today's moment."""
    now = session.bridge.now().replace(hour=10, minute=0, second=0, microsecond=0)
    deal(session, 0, now - timedelta(days=35), 500)
    for number, (gross, symbol) in enumerate(((100, "SBIN"), (-50, "INFY"), (30, "SBIN")), 1):
        deal(session, number, now + timedelta(minutes=10 * number), gross, symbol)
    return now


async def loaded(session: Session) -> JournalDock:
    some(session)
    dock = journal_dock(session)
    dock.reload()
    dock.period.choose("Today")
    await until(lambda: len(dock.rows) == 3, "the trades of today")
    return dock


def column(dock: JournalDock, key: str) -> int:
    return next(n for n, one in enumerate(dock.columns) if one.key == key)


def open_editor(dock: JournalDock) -> CellEditor:
    editors = dock.view.findChildren(CellEditor)
    return next(one for one in editors if one.isVisibleTo(dock.view))


def cell(dock: JournalDock, row: int, key: str) -> str:
    return str(dock.model.data(dock.model.index(row, column(dock, key))))


# -- journal -------------------------------------------------------------------------------------
def test_nothing_yet(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = journal_dock(session)
        await until(lambda: bool(dock.foot.text()), "the journal")
        assert dock._empty.isVisibleTo(dock) and not dock.view.isVisibleTo(dock)
        assert "No closed trades yet" in dock._empty.text()
        dock.page.choose("Statistics")
        assert dock.statistics.isVisibleTo(dock) and not dock._empty.isVisibleTo(dock)
        await until(lambda: dock.figures.values["trades"].text() == "0", "the figures")
        assert dock.figures.values["win_rate"].text() == "–"
        dock.page.choose("Trades")
        assert dock._empty.isVisibleTo(dock)

    drive(scenario)


def test_a_trade_that_closes_comes_by_itself(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        dock, bridge = journal_dock(session), session.bridge
        for action in (BUY, SELL):
            request = OrderRequest("SBIN", "NSE", action, 5, PriceType.MARKET, Product.MIS)
            await bridge.desk.place(request, bridge.mode)
        await until(lambda: len(dock.rows) == 1, "the round trip")
        trip = dock.rows[0].trip
        assert (trip.symbol, trip.quantity, trip.side) == ("SBIN", 5, BUY)
        assert trip.charges > 0
        assert cell(dock, 0, "net").startswith(("-", "+"))

    drive(scenario)


def test_rows_figures_and_groups(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await loaded(session)
        assert [row.trip.net for row in dock.rows] == [Decimal(28), Decimal(-52), Decimal(98)]
        assert cell(dock, 0, "net") == "+28.00" and cell(dock, 1, "gross") == "-50.00"
        assert cell(dock, 0, "held") == "5 min"
        dock.page.choose("Statistics")
        values = dock.figures.values
        await until(lambda: values["net"].text() == "+74.00", "the figures")
        assert values["win_rate"].text() == "66.67%"
        assert values["max_drawdown"].text() == "52.00"
        assert [group.label for group in dock.groups.store.rows] == ["SBIN", "INFY"]
        dock.by.setCurrentText("Strategy")
        await until(
            lambda: {group.label for group in dock.groups.store.rows} == {"gap", "(none)"},
            "groups by strategy",
        )
        assert "3 trades" in dock.title_bar.subject.text()
        assert "since the last reset" in dock.foot.text()

    drive(scenario)


def test_a_trade_leads_to_its_chart(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await loaded(session)
        wanted: list[tuple[Any, Any]] = []
        session.bridge.moment_wanted.connect(lambda key, at: wanted.append((key, at)))
        menu = QMenu(dock)
        dock.fill_menu(menu, dock.rows[0])
        calls = {action.text(): action.trigger for action in menu.actions()}
        calls["Chart at the entry"]()
        calls["Chart at the exit"]()
        trip = dock.rows[0].trip
        assert wanted == [(trip.key, trip.entry_at), (trip.key, trip.exit_at)]
        assert session.bridge.selected == trip.key

    drive(scenario)


def test_another_plan_estimates_anew(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        trades = session.terminal.sandbox.state.trades
        some(session)
        for trade_id, trade in trades.items():
            trades[trade_id] = msgspec.structs.replace(trade, charges=0.0)
        dock = journal_dock(session)
        dock.period.choose("Today")
        dock.reload()
        await until(lambda: len(dock.rows) == 3, "the trades of today")
        before = dock.rows[0].trip.charges
        session.bridge.set_setting("sandbox.brokerage_plan", "flat20")
        await until(lambda: dock.rows[0].trip.charges != before, "other charges")
        assert "flat20" in dock.foot.text()

    drive(scenario)


def test_period_and_words_filter_table_and_figures(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await loaded(session)
        dock.period.choose("All")
        assert len(dock.rows) == 4
        QTest.keyClicks(dock.words, "infy")
        await until(lambda: len(dock.rows) == 1, "the rows with the words")
        await until(lambda: dock.figures.values["trades"].text() == "1", "their figures")
        QTest.keyClicks(dock.words, " no such")
        await until(lambda: not dock.rows, "nothing")
        assert dock._empty.text() == journal.NONE_FOUND

    drive(scenario)


def test_tags_and_note_are_edited_in_place_and_kept(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await loaded(session)
        trip_id = dock.rows[0].trip.trip_id
        dock.view.selectRow(0)
        QTest.keyClick(dock.view, Qt.Key.Key_F2)
        editor = dock.view.findChild(CellEditor)
        assert editor is not None and editor.accessibleName() == "Tags of the trade"
        QTest.keyClicks(editor, "gap,  late  entry, gap")
        QTest.keyClick(editor, Qt.Key.Key_Tab)  # to the note
        note = open_editor(dock)
        assert note is not editor
        QTest.keyClicks(note, "too big")
        QTest.keyClick(note, Qt.Key.Key_Return)
        assert cell(dock, 0, "tags") == "gap, late entry"
        kept = TradeNote(("gap", "late entry"), "too big")

        async def stored() -> bool:
            return (await session.terminal.trade_journal.notes()).get(trip_id) == kept

        await until_told(stored, "the note stored")
        dock.words.setText("late entry")
        await until(lambda: len(dock.rows) == 1, "the note is found")
        dock.edit(dock.model.index(0, column(dock, "note")))
        other = next(
            one for one in dock.view.findChildren(CellEditor) if one.isVisibleTo(dock.view)
        )
        QTest.keyClicks(other, "never mind")
        QTest.keyClick(other, Qt.Key.Key_Escape)
        assert cell(dock, 0, "note") == "too big"

    drive(scenario)


def test_a_note_that_cannot_be_kept_is_told(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await loaded(session)
        told: list[str] = []
        session.bridge.notice.connect(lambda level, text: told.append(f"{level}: {text}"))

        async def full(trip_id: str, note: TradeNote) -> None:
            raise StorageError("The disk is full.")

        session.bridge.journal.annotate = full  # type: ignore[method-assign]
        dock._keep(dock.rows[0].trip.trip_id, "note", "lost")
        await until(lambda: "error: The disk is full." in told, "the notice")

    drive(scenario)


def test_live_says_since_when(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = journal_dock(session)
        await session.bridge.set_mode(Mode.LIVE)
        await until(lambda: "known since" in dock.foot.text(), "the live journal")
        assert not dock.rows

    drive(scenario)


def test_periods() -> None:
    day = date(2026, 11, 25)  # a Wednesday
    starts = {name: period_start(name, day) for name in journal.PERIODS}
    assert starts == {
        "Today": day,
        "Week": date(2026, 11, 23),
        "Month": date(2026, 11, 1),
        "Year": date(2026, 1, 1),
        "All": None,
    }


# -- calendar ------------------------------------------------------------------------------------
def test_an_empty_month(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = calendar_dock(session)
        empty = "No trade was closed in this month."
        await until(lambda: dock.foot.text() and dock.totals.text() == empty, "the journal")
        assert dock.net.text() == "" and dock._empty.isVisibleTo(dock)

    drive(scenario)


def test_days_are_net_results_and_a_click_shows_their_trades(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        now = some(session)
        deal(session, 9, now - timedelta(days=1), 200)
        dock = calendar_dock(session)
        dock.reload()
        await until(lambda: len(dock.rows) == 3, "the trades of today")
        assert dock.heading.text() == f"{now:%B %Y}"
        assert "net +74.00, 3 trades, 2 won" in dock.grid.day_text(now.date())
        yesterday = (now - timedelta(days=1)).date()
        if yesterday.month == now.month:
            assert dock.net.text() == "+272.00"
            area = dock.grid.day_area(yesterday)
            QTest.mouseClick(dock.grid, Qt.MouseButton.LeftButton, pos=area.center())
        else:
            dock.pick_day(yesterday)
        assert dock.day == yesterday
        assert [row.trip.gross for row in dock.rows] == [Decimal(200)]
        QTest.mouseClick(dock.grid, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))  # the titles
        assert dock.day == yesterday

    drive(scenario)


def test_the_calendar_is_walked_by_keys(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = calendar_dock(session)
        dock.pick_day(date(2026, 10, 31))
        dock.grid.setFocus()
        for key, day in (
            (Qt.Key.Key_Right, date(2026, 11, 1)),
            (Qt.Key.Key_Up, date(2026, 10, 25)),
            (Qt.Key.Key_Down, date(2026, 11, 1)),
            (Qt.Key.Key_Left, date(2026, 10, 31)),
            (Qt.Key.Key_PageDown, date(2026, 11, 1)),  # November has no 31st
            (Qt.Key.Key_PageUp, date(2026, 10, 1)),
            (Qt.Key.Key_Home, session.bridge.now().date()),
        ):
            QTest.keyClick(dock.grid, key)
            assert dock.day == day
            assert dock.heading.text() == f"{day:%B %Y}"
            assert f"{day:%d %B %Y}" in dock.grid.accessibleDescription()

    drive(scenario)


def test_months() -> None:
    assert moved(date(2026, 12, 1), 1) == date(2027, 1, 1)
    assert moved(date(2026, 1, 1), -1) == date(2025, 12, 1)
    assert moved(date(2026, 5, 1), -17) == date(2024, 12, 1)


def test_every_day_of_a_month_has_its_place(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = calendar_dock(session)
        for month in (date(2026, 2, 1), date(2026, 11, 1), date(2026, 3, 1), date(2027, 5, 1)):
            dock.pick_day(month)
            day = month
            while day.month == month.month:
                centre = dock.grid.day_area(day).center()
                assert dock.grid.day_at(centre.x(), centre.y()) == day
                assert dock.grid.rect().contains(dock.grid.day_area(day).adjusted(1, 1, -1, -1))
                day += timedelta(days=1)

    drive(scenario)


# -- both ----------------------------------------------------------------------------------------
def test_thousands_of_trades_are_worked_out_in_threads_that_pause(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop itself only lists the newest and walks the days of a month."""
    count = journal.MOST_LISTED + 500
    places, pauses = dict[str, set[int]](), list[int]()

    def watch(owner: Any, name: str) -> None:
        work = getattr(owner, name)

        def watched(*args: Any) -> Any:
            places.setdefault(name, set()).add(threading.get_ident())
            return work(*args)

        monkeypatch.setattr(owner, name, watched)

    async def scenario(session: Session) -> None:
        now = session.bridge.now().replace(hour=14, minute=0, second=0, microsecond=0)
        for number in range(count):
            at = now - timedelta(minutes=37 * (count - number))
            deal(session, number, at, number % 7 * 20 - 50, ("SBIN", "INFY", "TCS")[number % 3])
        dock, calendar = journal_dock(session), calendar_dock(session)
        watch(trade_journal.TradeJournal, "_add")
        watch(trade_journal, "figures")
        watch(trade_journal, "days")
        watch(trips_dock, "journal_rows")
        monkeypatch.setattr(gently, "WORK", -1.0)  # at each place where it could
        monkeypatch.setattr(gently, "pause", lambda: pauses.append(threading.get_ident()))
        dock.raise_()
        dock.period.choose("All")
        dock.reload()
        calendar.reload()
        await until(lambda: len(dock.rows) == journal.MOST_LISTED, "the journal")
        await until(lambda: dock.figures.values["trades"].text() == f"{count:,}", "the figures")
        await until(lambda: calendar._days, "the calendar")
        assert set(places) == {"_add", "figures", "days", "journal_rows"}
        assert threading.get_ident() not in set.union(*places.values())
        assert len(pauses) > 3 * count // 32 and threading.get_ident() not in pauses
        dock.words.setText("infy")
        assert calls(dock.show_found) < 1_500  # nothing for each of all rows
        assert calls(lambda: calendar.turn(-1)) < 1_000

    drive(scenario)


def test_opened_and_closed_nothing_stays(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        some(session)
        bus, docking = session.terminal.bus, session.window.docking
        before = bus.handler_count()
        for kind in ("journal", "pnl-calendar"):
            for _ in range(5):
                docking.open(kind).close()
                await asyncio.sleep(0)
        assert bus.handler_count() == before
        assert not {"journal", "pnl-calendar"} & set(docking.docks)
        QApplication.sendPostedEvents()

    drive(scenario)


def test_tags_as_they_are_typed() -> None:
    assert journal_rows.tags_of(" a , b,,a, c  d ") == ("a", "b", "c d")
