"""The watchlist: groups, sections, dragging, notes, keys, and buttons that only open the ticket."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from openalgo_desktop.core.enums import Action, FeedMode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Instrument, Key, OrderRequest
from openalgo_desktop.core.ticks import Tick, TickExtras
from openalgo_desktop.core.watchlists import WatchItem
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import table_dock
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.kit.symbol_drag import keys_of, mime_of
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.rooms.market import watch_rows
from openalgo_desktop.ui.rooms.market import watchlist as module
from openalgo_desktop.ui.rooms.market.watch_drag import drag_data
from openalgo_desktop.ui.rooms.market.watch_rows import WatchRow
from openalgo_desktop.ui.rooms.market.watchlist import WatchlistDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("watchlist")

LEFT = Qt.MouseButton.LeftButton
INFY, TCS, ITC = ("NSE", "INFY"), ("NSE", "TCS"), ("NSE", "ITC")
COPY, MOVE = Qt.DropAction.CopyAction, Qt.DropAction.MoveAction


async def shown(session: Session) -> WatchlistDock:
    """The watchlist with three symbols, in sight."""
    session.window.showNormal()
    session.window.resize(1600, 900)
    await priced(session)
    dock = session.window.docks["watchlist"]
    assert isinstance(dock, WatchlistDock)
    dock.raise_()
    dock.set_keys([SBIN, INFY, TCS])
    return dock


def texts(dock: WatchlistDock, key: Key) -> dict[str, str]:
    row = dock.row_of(key)
    assert row is not None
    cells = dock.model.store.cells(dock.model.view_row(dock.rows.index(row)))
    return dict(zip((c.key for c in dock.columns), cells.texts, strict=True))


def test_groups_are_made_renamed_moved_and_deleted(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        dock.add_group("F&O")
        assert dock.keys() == [] and dock.tabs.bar.tabText(1) == "F&&O"
        dock.add_all([ITC])
        dock.choose_group(0)
        assert dock.keys() == [SBIN, INFY, TCS]
        dock.rename_group(1, "F&O")
        dock.add_group("F&O")
        assert [group.name for group in dock.groups] == ["Core", "F&O", "F&O 2"]
        with pytest.raises(AppError, match="name"):
            dock.rename_group(0, "  ")
        dock.tabs.bar.moveTab(2, 0)  # as a drag of the tab does
        assert [group.name for group in dock.groups] == ["F&O 2", "Core", "F&O"]
        assert dock.group_shown.name == "F&O 2" and dock.tabs.bar.currentIndex() == 0
        dock.delete_group(0)
        assert dock.group_shown.name == "Core" and dock.keys() == [SBIN, INFY, TCS]
        # One that holds something is asked about.
        dock.tabs.delete_wanted.emit(1)

        def asked() -> list[ConfirmDialog]:
            return [d for d in dock.findChildren(ConfirmDialog) if d.isVisible()]

        await until(asked, "the question")
        assert len(dock.groups) == 2
        asked()[0].yes.click()
        await until(lambda: len(dock.groups) == 1, "the deletion")
        dock.delete_group(0)
        assert len(dock.groups) == 1

    drive(scenario)


def test_lists_notes_and_flags_survive_closing_and_restart_of_the_dock(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        dock.mark(SBIN, note="results", flag=2)
        dock.select_row(INFY)
        dock.add_heading("IT")
        dock.add_group("Other")
        dock.add_all([ITC])
        assert texts(dock, ITC)["symbol"] == "ITC"
        state = dock.save_state()
        dock.close()
        again = session.window.docking.show("watchlist")
        assert isinstance(again, WatchlistDock)
        assert again.keys() == [ITC] and again.tabs.bar.currentIndex() == 1
        again.choose_group(0)
        assert texts(again, SBIN)["symbol"] == "◆2 SBIN •"
        assert again.rows[1].item.is_heading and again.keys() == [SBIN, INFY, TCS]
        assert "results" in watch_rows.tip(again.rows[0])
        assert msgspec.json.decode(msgspec.json.encode(state)) == state
        again.restore_state({"symbols": [list(INFY)]})  # of an earlier version
        assert again.keys() == [INFY]

    drive(scenario)


def test_rows_are_dragged_within_between_groups_and_between_docks(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        dock.mark(TCS, note="n", flag=1)
        tcs = dock.row_of(TCS)
        assert tcs is not None

        # Within the list it moves by being put: nobody may take it away afterwards.
        assert dock.drop(drag_data([tcs]), 0, 0, move=True, own=True) == COPY
        assert dock.keys() == [TCS, SBIN, INFY]
        # To another group by its tab: moved, with note and flag.
        dock.add_group("Other")
        dock.choose_group(0)
        assert dock.drop(drag_data([tcs]), None, 1, move=True, own=True) == MOVE
        assert dock.groups[1].items == (WatchItem(*TCS, "n", 1),)
        dock.leave("Core", {TCS})
        assert dock.keys() == [SBIN, INFY]
        # To another watchlist, and a copy with Ctrl.
        other = session.window.docking.open("watchlist")
        assert isinstance(other, WatchlistDock) and other is not dock
        other.set_keys([ITC])
        sbin, infy = dock.row_of(SBIN), dock.row_of(INFY)
        assert sbin is not None and infy is not None
        assert other.drop(drag_data([sbin]), 0, 0, move=True, own=False) == MOVE
        assert other.drop(drag_data([infy]), None, 0, move=False, own=False) == COPY
        assert other.keys() == [SBIN, ITC, INFY]

    drive(scenario)


def test_a_drag_that_ends_elsewhere_takes_the_rows_away(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        done = [MOVE, Qt.DropAction.IgnoreAction]
        dragged: list[list[Key]] = []

        def drag(source: QWidget, data: QMimeData, actions: Qt.DropAction) -> Qt.DropAction:
            dragged.append(keys_of(data))
            return done.pop()

        monkeypatch.setattr(module, "drag", drag)
        port = dock.table.viewport()
        start = QPoint(20, dock.table.row_height + 4)  # the second row
        for expected in ([SBIN, INFY, TCS], [SBIN, TCS]):
            QTest.mousePress(port, LEFT, pos=start)
            at = QPointF(start + QPoint(0, 40))
            none = Qt.KeyboardModifier.NoModifier
            move = QMouseEvent(QEvent.Type.MouseMove, at, at, LEFT, LEFT, none)
            QApplication.sendEvent(port, move)
            assert dock.keys() == expected
            QTest.mouseRelease(port, LEFT, pos=start)
        assert dragged == [[INFY], [INFY]]

    drive(scenario)


def test_symbols_of_other_docks_and_texts_are_added_and_nonsense_is_not(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        data = mime_of([ITC, SBIN])
        assert dock.drop(data, 1, 0, move=True, own=False) == COPY  # its dock keeps it
        assert dock.keys() == [ITC, SBIN, INFY, TCS]
        text = QMimeData()
        text.setText("NSE:LT\nNSE:NOSUCH\nhello")
        dock.drop(text, None, 0, move=False, own=False)
        assert dock.keys() == [ITC, SBIN, INFY, TCS, ("NSE", "LT")]
        nonsense = QMimeData()
        nonsense.setText("<b>nothing</b>")
        assert dock.drop(nonsense, 0, 0, move=False, own=False) is None
        assert len(dock.keys()) == 5

    drive(scenario)


def test_keys_move_remove_search_and_open_the_ticket(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        sent: list[OrderRequest] = []
        asked: list[tuple[Key, Action]] = []
        bridge: Any = session.bridge

        async def place(request: OrderRequest, mode: Any) -> None:
            sent.append(request)

        bridge.desk.place = place
        session.bridge.trade_wanted.connect(lambda key, side: asked.append((key, side)))
        view = dock.table
        dock.select_row(SBIN)
        view.setFocus()
        QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
        assert dock.keys() == [INFY, SBIN, TCS]
        QTest.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
        assert dock.keys() == [SBIN, INFY, TCS]
        held = QKeyEvent(
            QEvent.Type.KeyPress, Qt.Key.Key_S, Qt.KeyboardModifier.NoModifier, "s", True
        )
        QApplication.sendEvent(view, held)
        assert asked == []
        QTest.keyClick(view, Qt.Key.Key_S)
        QTest.keyClick(view, Qt.Key.Key_B)
        assert asked == [(SBIN, Action.SELL), (SBIN, Action.BUY)]
        assert session.window.ticket.action is Action.BUY
        view.setFocus()
        QTest.keyClick(view, Qt.Key.Key_Delete)
        assert dock.keys() == [INFY, TCS]
        QTest.keyClick(view, Qt.Key.Key_Delete)  # the next row is the current one
        assert dock.keys() == [TCS]
        QApplication.sendEvent(
            view, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_I, Qt.KeyboardModifier.NoModifier, "i")
        )
        QTest.keyClicks(dock.add_field, "tc")
        assert dock.add_field.text() == "itc"
        QTest.keyClick(dock.add_field, Qt.Key.Key_Return)
        assert dock.keys() == [TCS, ITC]
        await asyncio.sleep(0)
        assert sent == []

    drive(scenario)


def test_buttons_under_the_pointer_open_the_ticket_by_press_and_release_on_one(
    drive: Drive,
) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        dock.set_keys([SBIN, INFY, ("NSE_INDEX", "NIFTY")])
        asked: list[tuple[Key, Action]] = []
        session.bridge.trade_wanted.connect(lambda key, side: asked.append((key, side)))
        table, port = dock.table, dock.table.viewport()
        buy, sell = (table.action_rect(0, name).center() for name in ("buy", "sell"))
        assert table.action_rect(2, "buy").isNull()  # nothing to trade
        # Not under the pointer, not there.
        assert table.action_at(buy) is None
        QTest.mouseMove(port, buy)
        await until(lambda: table.action_at(buy) == (0, "buy"), "the button")
        QTest.mousePress(port, LEFT, pos=buy)
        QTest.mouseRelease(port, LEFT, pos=sell)
        assert asked == []
        # Another row came under the pointer between press and release.
        QTest.mousePress(port, LEFT, pos=buy)
        dock.set_keys([INFY, SBIN])
        QTest.mouseRelease(port, LEFT, pos=buy)
        assert asked == []
        QTest.mouseClick(port, LEFT, pos=sell)
        assert asked == [(INFY, Action.SELL)]
        assert not port.grab().isNull()

    drive(scenario)


def test_an_empty_list_says_what_to_do_and_offers_a_sample(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        dock.set_keys([])
        assert not dock.nothing.isHidden() and dock.view.isHidden()
        dock.nothing.sample_button.click()
        assert dock.nothing.isHidden() and not dock.view.isHidden()
        assert len(dock.keys()) > 10

    drive(scenario)


def test_sorting_leaves_sections_out_and_gives_them_back(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        dock.view.clearSelection()
        dock.add_heading("All")
        await until(lambda: all(row.tick for row in dock.rows[:3]), "prices")
        header = dock.table.horizontalHeader()
        header.setSortIndicator(1, Qt.SortOrder.DescendingOrder)
        assert not any(row.item.is_heading for row in dock.rows)
        view = [dock.model.row_at(n) for n in range(3)]
        prices = [row.tick.ltp for row in view if row.tick is not None]
        assert prices == sorted(prices, reverse=True)
        assert dock._place_of(0) is None
        before = dock.keys()
        dock.select_row(SBIN)
        QTest.keyClick(dock.view, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
        assert dock.keys() == before
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        assert [row.item.symbol for row in dock.rows] == ["SBIN", "INFY", "TCS", "All"]

    drive(scenario)


def test_a_row_that_the_master_has_not_stays_and_says_so(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        gone = ("NFO", "NIFTY01JAN2420000CE")
        dock.set_keys([SBIN, gone])
        row = dock.row_of(gone)
        assert row is not None and not row.tradable
        assert watch_rows.badge(row) == "not listed" and "master" in watch_rows.tip(row)
        assert gone not in session.bridge.prices._wanted[dock.objectName()]
        dock.activated(row)
        assert session.bridge.selected == SBIN
        assert dock.save_state()["groups"][0]["items"][1][:2] == list(gone)  # type: ignore[index]

    drive(scenario)


def test_the_menu_offers_what_can_be_done_with_a_row(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        dock.add_group("Other")
        dock.choose_group(0)
        row = dock.row_of(INFY)
        assert row is not None
        menu = QMenu(dock)
        dock.fill_menu(menu, row)
        items = {action.text(): action for action in menu.actions() if action.text()}
        wanted = {
            "Buy", "Sell", "Chart", "Ladder", "Option chain", "Add to basket", "Copy symbol",
            "Move to", "Note…", "Flag", "Remove",
        }  # fmt: skip
        assert wanted <= set(items)
        items["Ladder"].trigger()
        ladder = session.window.docks["ladder"]
        assert ladder.key == INFY  # type: ignore[attr-defined]
        moves = items["Move to"].menu()
        assert moves is not None
        moves.actions()[0].trigger()  # type: ignore[attr-defined]
        assert dock.keys() == [SBIN, TCS] and dock.groups[1].keys == [INFY]
        items["Copy symbol"].trigger()
        assert QApplication.clipboard().text() == "INFY"
        index = WatchRow(WatchItem("NSE_INDEX", "NIFTY"), None)
        assert not index.tradable
        menu.close()

    drive(scenario)


def rich(**more: Any) -> Tick:
    return Tick("F", "NFO", 110.0, FeedMode.QUOTE, high=120.0, low=100.0, close=100.0, **more)


def test_what_the_columns_work_out_is_a_dash_where_it_is_not_known() -> None:
    future = Instrument("F", "NFO", instrument_type="FUT", lot_size=5, tick_size=0.05)
    row = WatchRow(WatchItem("NFO", "F"), future)
    for value in (watch_rows.oi, watch_rows.oi_change, watch_rows.vwap_distance):
        assert value(row) is None
    row.tick = rich(oi=150, average_price=100.0)
    assert watch_rows.place_in_day(row) == 0.5
    assert watch_rows.vwap_distance(row) == pytest.approx(10.0)
    assert watch_rows.oi_change(row) is None
    row.tick = rich(oi=150, extras=TickExtras(prev_oi=100))
    assert watch_rows.oi_change(row) == pytest.approx(50.0)
    row.tick = rich(oi=150, extras=TickExtras(oi_change=50))
    assert watch_rows.oi_change(row) == pytest.approx(50.0)
    row.tick = rich(oi=150, extras=TickExtras(oi_change=150))
    assert watch_rows.oi_change(row) is None  # there was none before
    flat = Tick("F", "NFO", 100.0, FeedMode.QUOTE, high=100.0, low=100.0)
    row.tick = flat
    assert watch_rows.place_in_day(row) is None
    assert fmt.MISSING == "–"


def test_rows_of_other_docks_and_found_symbols_can_be_dragged_here(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        dragged: list[list[Key]] = []

        def drag(source: QWidget, data: QMimeData, actions: Qt.DropAction) -> Qt.DropAction:
            assert actions == COPY  # nobody loses a row of a book
            dragged.append(keys_of(data))
            return COPY

        monkeypatch.setattr(table_dock, "drag", drag)
        await session.bridge.desk.place(
            OrderRequest("ITC", "NSE", Action.BUY, 5), session.bridge.mode
        )
        for name in ("orders", "positions", "trades"):
            book = session.window.docking.show(name)
            assert isinstance(book, TableDock)
            await until(lambda book=book: bool(book.rows), f"a row in {name}")
            port, start = book.view.viewport(), QPoint(20, book.view.row_height // 2)
            QTest.mousePress(port, LEFT, pos=start)
            at = QPointF(start + QPoint(0, 40))
            none = Qt.KeyboardModifier.NoModifier
            move = QMouseEvent(QEvent.Type.MouseMove, at, at, LEFT, LEFT, none)
            QApplication.sendEvent(port, move)
            QTest.mouseRelease(port, LEFT, pos=start)
        assert dragged == [[ITC]] * 3
        QTest.keyClicks(dock.add_field, "itc")
        await until(dock.add_field.results.isVisible, "the results")
        item = dock.add_field.results.item(0)
        assert item is not None
        assert keys_of(dock.add_field.results.mimeData([item])) == [ITC]

    drive(scenario)


def test_what_the_feed_does_not_tell_comes_from_daily_candles_of_what_is_in_sight(
    drive: Drive,
) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        dock.setFloating(True)
        dock.resize(1500, 400)  # with the columns of 52 weeks in sight
        await until(lambda: texts(dock, SBIN)["year_high"] != "–", "the year of SBIN")
        row, cells = dock.row_of(SBIN), texts(dock, SBIN)
        assert row is not None and row.tick is not None
        high, low = (float(cells[name].replace(",", "")) for name in ("year_high", "year_low"))
        last = row.tick
        assert low <= last.low < last.high <= high
        # A feed that tells them is believed, and a higher high of today counts at once.
        row.tick = msgspec.structs.replace(last, high=high + 10)
        assert watch_rows._year(row, True) == high + 10
        row.tick = msgspec.structs.replace(last, extras=TickExtras(week_52_high=1.0))
        assert watch_rows._year(row, True) == 1.0

    drive(scenario)


def test_hidden_columns_ask_for_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await shown(session)
        keys = [column.key for column in dock.columns]
        for name in ("year_high", "year_low", "oi_change"):
            dock.header_columns.show_column(keys.index(name), False)
        dock.setFloating(True)
        dock.resize(1500, 400)
        asked: list[object] = []
        session.bridge.day_facts.want = lambda _owner, wanted: asked.extend(wanted)  # type: ignore[method-assign]
        dock.days._look()
        assert asked == []
        dock.header_columns.show_column(keys.index("year_high"), True)
        dock.days._look()
        assert SBIN in asked

    drive(scenario)
