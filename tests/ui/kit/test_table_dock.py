"""What every table dock has: columns of the user's own, several rows, keys, copies."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from openalgo_desktop.core.model import BookRows
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive
from tests.ui.rooms.portfolio.test_book_docks import order, seen, stand_still, trade
from tests.waiting import until


@pytest.mark.whole_layout
def test_columns_are_hidden_moved_and_reset_by_the_menu_of_the_header(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await stand_still(session)
        dock = await seen(session, "trades")
        header, keys = dock.view.horizontalHeader(), [column.key for column in dock.columns]
        start = dock.save_state()["columns"]
        menu = dock.header_columns.menu()
        for action in menu.actions():
            if action.objectName().endswith("-column-value"):
                action.trigger()
        place = keys.index("value")
        assert header.isSectionHidden(place)
        header.moveSection(header.visualIndex(keys.index("price")), 0)
        header.resizeSection(keys.index("price"), 211)
        dock.view.sortByColumn(keys.index("price"), Qt.SortOrder.DescendingOrder)
        mine = dock.save_state()["columns"]
        dock.header_columns.reset()
        assert dock.save_state()["columns"] == start
        dock.restore_state({"columns": mine})
        assert dock.save_state()["columns"] == mine
        assert header.isSectionHidden(place) and header.visualIndex(keys.index("price")) == 0
        assert header.sectionSize(keys.index("price")) == 211
        assert dock.model.store.sort_column == keys.index("price")

    drive(scenario)


@pytest.mark.whole_layout
def test_a_stored_layout_of_other_columns_does_no_harm(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await stand_still(session)
        dock = await seen(session, "trades")
        names = [column.key for column in dock.columns]
        for state in (7, {"order": 3}, {"order": ["gone"], "hidden": names, "widths": {"a": 1}}):
            dock.restore_state({"columns": state})
        dock.restore_state({"columns": {"order": names, "hidden": names, "sorted": ["gone", True]}})
        header = dock.view.horizontalHeader()
        assert any(not header.isSectionHidden(index) for index in range(len(names)))
        for index in range(len(names)):
            dock.header_columns.show_column(index, False)
        assert sum(not header.isSectionHidden(index) for index in range(len(names))) == 1

    drive(scenario)


@pytest.mark.docks("orders")
def test_several_rows_stay_selected_when_the_book_grows(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        books.orders = {str(n): order(n) for n in range(5)}
        books.orders_changed.emit()
        dock = await seen(session, "orders")
        dock.select_row("3")
        QTest.keyClick(dock.view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
        chosen = [row.order_id for row in dock.selected_rows()]  # type: ignore[attr-defined]
        assert chosen == ["3", "2"]
        dock.model.sort(0)  # a sorted table is reset by new rows
        books.orders["9"] = order(9)
        books.orders_updated.emit([books.orders["9"]])
        assert {row.order_id for row in dock.selected_rows()} == {"3", "2"}  # type: ignore
        assert dock.selected_row().order_id == "2"  # type: ignore[attr-defined]

    drive(scenario)


@pytest.mark.whole_layout
def test_the_menu_key_opens_the_menu_of_the_row_where_the_keyboard_is(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        books = await stand_still(session)
        books.trades = BookRows(trade(n) for n in range(3))
        books.trades_changed.emit()
        dock = await seen(session, "trades")
        dock.select_row("t0")
        rectangle = dock.view.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle)
        reason = QContextMenuEvent.Reason.Keyboard
        QApplication.sendEvent(
            dock.view, QContextMenuEvent(reason, rectangle.center(), QPoint(1, 1))
        )
        await until(lambda: dock.findChildren(QMenu, f"dock-{dock.name}-menu"), "the menu")
        assert dock.selected_row().trade_id == "t0"  # type: ignore[attr-defined]
        menu = dock.findChildren(QMenu, f"dock-{dock.name}-menu")[0]
        copy = next(a for a in menu.actions() if a.text() == "Copy row")
        copy.trigger()
        lines = QApplication.clipboard().text().split("\n")
        assert len(lines) == 2 and "8000.00" in lines[1] and "," not in lines[1]
        menu.close()

    drive(scenario)


def test_ranks_come_before_the_sorting() -> None:
    from openalgo_desktop.ui.kit.tables import Column, FastTableModel

    class Row(msgspec.Struct):
        rank: int
        value: int

    model: FastTableModel[Row] = FastTableModel((Column("value", "V", 50, lambda r: r.value),))
    model.store.rank = lambda row: row.rank
    model.set_rows([Row(1, 5), Row(0, 1), Row(1, 9), Row(0, 7)])
    model.sort(0, Qt.SortOrder.DescendingOrder)
    assert [model.row_at(n).value for n in range(4)] == [7, 1, 9, 5]
