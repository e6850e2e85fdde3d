"""The orders dock: tabs and filter, changes in the row, chasing, to market, cancelling several,
answers that do not come, a long book."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from openalgo_desktop.core.enums import Action, FeedMode, Mode, OrderStatus, PriceType, Validity
from openalgo_desktop.core.model import ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.ui.engine import turns
from openalgo_desktop.ui.engine.ordering import PartOf
from openalgo_desktop.ui.kit import table_dock
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.orders import order_columns, orders
from openalgo_desktop.ui.rooms.orders.order_columns import (
    NO_ANSWER,
    Waiting,
    quantity_text,
    source_text,
)
from openalgo_desktop.ui.rooms.orders.order_editor import OrderEditor
from openalgo_desktop.ui.rooms.orders.order_text import OrderText
from openalgo_desktop.ui.rooms.orders.orders import OrdersDock
from openalgo_desktop.ui.shell.main import Session
from tests.costs import calls
from tests.ui.driving import SBIN, Drive, click
from tests.ui.rooms.portfolio.test_book_docks import order, seen, shown, stand_still
from tests.waiting import until

pytestmark = pytest.mark.docks("orders")


async def dock_of(session: Session, *rows: Order) -> OrdersDock:
    books = await stand_still(session)
    books.orders = {row.order_id: row for row in rows}
    books._working = {}
    for row in rows:
        books._index(row)
    books.orders_changed.emit()
    dock = await seen(session, "orders")
    assert isinstance(dock, OrdersDock)
    return dock


def update(session: Session, *rows: Order) -> None:
    books = session.bridge.books
    for row in rows:
        books.orders[row.order_id] = row
        books._index(row)
    books.orders_updated.emit(list(rows))


def sent(session: Session) -> list[Any]:
    """What reaches the bridge: changes with their mode, ids of cancellations."""
    asked: list[Any] = []

    async def modify(change: ModifyRequest, mode: Mode) -> None:
        asked.append((change, mode))

    async def cancel(order_id: str, mode: Mode) -> None:
        asked.append((order_id, mode))

    session.bridge.desk.modify = modify  # type: ignore[method-assign, assignment]
    session.bridge.desk.cancel = cancel  # type: ignore[method-assign, assignment]
    return asked


def editor(dock: OrdersDock) -> OrderEditor:
    assert dock.changes.editor is not None
    return dock.changes.editor


def test_tabs_have_counts_and_say_what_they_lack(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        done, bad = OrderStatus.COMPLETE, OrderStatus.REJECTED
        dock = await dock_of(session, order(1), order(2, status=done), order(3, status=bad))
        texts = {name: dock.filter.button(name).text() for name in dock.filter.options}
        assert texts == {
            "Open": "Open 1", "Executed": "Executed 1", "Rejected": "Rejected 1", "All": "All 3",
        }  # fmt: skip
        click(dock.filter.button("Open"))
        assert [row.order_id for row in dock.rows] == ["1"]
        update(session, order(1, status=done))
        assert not dock.rows and dock._empty.text() == "No open orders."
        assert dock.filter.button("Executed").text() == "Executed 2"
        state = dock.save_state()
        click(dock.filter.button("All"))
        dock.restore_state(state)
        assert dock.filter.value() == "Open"

    drive(scenario)


def test_the_filter_finds_names_tags_sources_and_states(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(
            session,
            order(1, tag="T0001"),
            order(2, symbol="TCS", source="api:Excel"),
            order(3, status=OrderStatus.REJECTED, rejection_reason="No money"),
        )
        for text, ids in (
            ("t0001", ["1"]), ("tcs", ["2"]), ("excel", ["2"]), ("money", ["3"]),
            ("", ["3", "2", "1"]),
        ):  # fmt: skip
            dock.search.setText(text)
            await until(lambda ids=ids: [row.order_id for row in dock.rows] == ids, text)
        dock.search.setText("nothing like it")
        await until(dock._empty.isVisible, "no row")
        assert "nothing like it" in dock._empty.text()
        update(session, order(9, symbol="TCS"))  # does not match
        assert not dock.rows
        dock.show_order("9")
        assert dock.selected_row().order_id == "9"  # type: ignore[union-attr]

    drive(scenario)


def test_f2_changes_price_and_quantity_in_the_row_once(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, order(1))
        asked = sent(session)
        dock.select_row("1")
        QTest.keyClick(dock.view, Qt.Key.Key_F2)
        fields = editor(dock).fields
        cells = [column.key for column in dock.columns]
        area = dock.view.visualRect(dock.model.index(0, cells.index("price")))
        assert fields["price"].geometry().right() == area.right()  # in its cell
        assert fields["price"].hasFocus() and set(fields) == {"quantity", "price"}
        fields["price"].setValue(798.5)
        fields["quantity"].setValue(20)
        kind = QEvent.Type.KeyPress
        held = QKeyEvent(kind, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", True)
        QApplication.sendEvent(fields["price"], held)
        assert not asked  # a key that is held down sends nothing
        QTest.keyClick(fields["price"], Qt.Key.Key_Return)
        QTest.keyClick(dock.view, Qt.Key.Key_Return)
        await until(lambda: asked, "the change")
        assert asked == [(ModifyRequest("1", 20, 798.5), Mode.SANDBOX)]
        assert dock.changes.editor is None

    drive(scenario)


def test_escape_leaves_and_nothing_changed_sends_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, order(1))
        asked = sent(session)
        for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return):
            dock.modify(dock.rows[0])
            if key == Qt.Key.Key_Escape:
                editor(dock).fields["price"].setValue(700.0)
            QTest.keyClick(editor(dock).fields["price"], key)
            assert dock.changes.editor is None
        await asyncio.sleep(0)
        assert not asked

    drive(scenario)


def test_what_cannot_be_sent_is_said_with_the_two_nearest_prices(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, order(1, filled_quantity=4))
        asked = sent(session)
        dock.modify(dock.rows[0])
        edit = editor(dock)
        for key, value, why in (
            ("price", 799.98, "799.95 or 800.00"), ("price", 0.0, "above 0"),
            ("quantity", 4, "above the 4 already filled"),
        ):  # fmt: skip
            start = edit.fields[key].value()
            edit.fields[key].setValue(value)  # type: ignore[arg-type]
            assert why in edit.said.text() and edit.said.property("role") == "error"
            QTest.keyClick(edit.fields[key], Qt.Key.Key_Return)
            edit.fields[key].setValue(start)  # type: ignore[arg-type]
        await asyncio.sleep(0)
        assert not asked and dock.changes.editor is edit

    drive(scenario)


def test_the_wheel_changes_nothing_in_the_row(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, order(1))
        dock.modify(dock.rows[0])
        field = editor(dock).fields["price"]
        spot = QPointF(field.rect().center())
        wheel = QWheelEvent(
            spot, field.mapToGlobal(spot), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        before = field.value()
        QApplication.sendEvent(field, wheel)
        assert field.value() == before

    drive(scenario)


def test_the_editor_stays_on_its_row_and_goes_with_its_order(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, order(1))
        dock.modify(dock.rows[0])
        field = editor(dock).fields["price"]
        top = field.y()
        update(session, order(2))  # a row above
        await until(lambda: field.y() == top + dock.view.row_height, "the field on its row")
        update(session, order(1, status=OrderStatus.COMPLETE))
        assert dock.changes.editor is None
        dock.modify(dock.row_of("2"))  # type: ignore[arg-type]
        session.bridge.mode_changed.emit(Mode.LIVE)
        assert dock.changes.editor is None

    drive(scenario)


def test_an_unusual_change_is_asked_about(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, order(1))
        asked = sent(session)
        session.bridge.set_setting("confirm.modify", "always")
        dock.modify(dock.rows[0])
        editor(dock).fields["price"].setValue(799.0)
        QTest.keyClick(editor(dock).fields["price"], Qt.Key.Key_Return)
        await until(lambda: dock.findChildren(ConfirmDialog), "the question")
        assert not asked and shown(dock)["status"] == "Changing…"  # type: ignore[arg-type]
        click(dock.findChildren(ConfirmDialog)[0].no)
        await until(lambda: not list(dock.changes.asked()), "the end")
        assert not asked

    drive(scenario)


def test_chasing_moves_one_step_to_the_best_price(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, order(1), order(2, action=Action.SELL))
        asked = sent(session)
        book = [Tick("SBIN", "NSE", 801.0, bid=800.5, ask=801.5, mode=FeedMode.QUOTE)]

        async def snapshot(key: object) -> Tick:
            return book[-1]

        session.bridge.snapshot = snapshot  # type: ignore[method-assign, assignment]
        session.bridge.set_setting("confirm.modify", "never")
        for number, price in (("1", 800.5), ("2", 801.5)):
            row = dock.row_of(number)
            assert row is not None
            dock.changes.chase(row)
            dock.changes.chase(row)  # while it is under way
            await until(lambda: not list(dock.changes.asked()), "the answer")
            assert asked.pop() == (ModifyRequest(number, price=price), Mode.SANDBOX)
        assert not asked
        # where the order is
        book.append(Tick("SBIN", "NSE", 801.0, bid=800.0, ask=801.5, mode=FeedMode.QUOTE))
        dock.changes.chase(dock.row_of("1"))  # type: ignore[arg-type]
        await until(lambda: not list(dock.changes.asked()), "the answer")
        assert not asked

    drive(scenario)


def test_menu_of_a_working_order(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, order(1))
        asked, wishes = sent(session), []
        session.bridge.ticket_wanted.connect(wishes.append)
        dock.select_row("1")
        menu = QMenu()
        dock.fill_menu(menu, dock.rows[0])
        calls = {action.text(): action.trigger for action in menu.actions()}
        calls["Convert to market"]()
        await until(lambda: asked, "the change")
        assert asked[0][0].price_type is PriceType.MARKET
        calls["Repeat in the ticket…"]()
        assert (wishes[0].quantity, wishes[0].price) == (10, 800.0)
        calls["Copy order id"]()
        assert QApplication.clipboard().text() == "1"
        calls["Raw JSON…"]()
        raw = dock.findChildren(OrderText)[0].text.toPlainText()
        assert '"order_id": "1"' in raw and '"price": 800.0' in raw
        session.bridge.select(("NSE", "TCS"))
        calls["Show chart"]()
        assert session.bridge.selected == SBIN

    drive(scenario)


def test_several_are_cancelled_together_and_each_once(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        done = OrderStatus.COMPLETE
        dock = await dock_of(session, order(1), order(2, status=done), order(3))
        asked = sent(session)
        dock.view.selectAll()
        assert dock.cancel_button.text() == "Cancel 2" and not dock.modify_button.isEnabled()
        QTest.keyClick(dock.view, Qt.Key.Key_Delete)
        QTest.keyClick(dock.view, Qt.Key.Key_Delete)
        await until(lambda: len(asked) == 2 and not list(dock.changes.asked()), "both")
        assert sorted(asked) == [("1", Mode.SANDBOX), ("3", Mode.SANDBOX)]
        session.bridge.set_setting("confirm.cancel", "always")
        dock.view.selectAll()
        click(dock.cancel_button)
        await until(lambda: dock.findChildren(ConfirmDialog), "the question")
        click(dock.findChildren(ConfirmDialog)[0].yes)
        await until(lambda: len(asked) == 4, "both again")

    drive(scenario)


def test_a_cancellation_does_not_wait_for_a_change(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, order(1))
        asked = sent(session)
        never = asyncio.get_running_loop().create_future()

        async def modify(change: ModifyRequest, mode: Mode) -> None:
            await never

        session.bridge.desk.modify = modify  # type: ignore[method-assign, assignment]
        dock.changes.to_market(dock.rows[0])
        await asyncio.sleep(0)
        dock.cancel(dock.rows[0])
        await until(lambda: asked == [("1", Mode.SANDBOX)], "the cancellation")
        never.set_result(None)

    drive(scenario)


def test_a_press_and_a_release_on_different_rows_cancel_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, order(1), order(2))
        asked = sent(session)
        port, left = dock.view.viewport(), Qt.MouseButton.LeftButton
        spot = dock.view.action_rect(0, "cancel").center()
        QTest.mousePress(port, left, pos=spot)
        update(session, order(3))  # another order is under the pointer now
        QTest.mouseRelease(port, left, pos=spot)
        await asyncio.sleep(0)
        assert not asked

    drive(scenario)


def test_an_answer_that_does_not_come_is_told_in_the_row(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, order(1), order(2, status=OrderStatus.UNKNOWN))
        texts = {row.order_id: shown(dock, n)["status"] for n, row in enumerate(dock.rows)}  # type: ignore[arg-type]
        assert texts == {"1": "Open", "2": NO_ANSWER}
        monkeypatch.setattr(order_columns, "PATIENCE", 0.0)
        dock.changes._asked["1"] = Waiting("cancelling", time.monotonic())
        dock._look_at_waiting()
        assert shown(dock, 1)["status"] == NO_ANSWER  # type: ignore[arg-type]
        tints = dict(
            zip([c.key for c in dock.columns], dock.model.store.cells(1).tints, strict=True)
        )
        assert tints["status"] == "warning"
        session.bridge.work.waiting_changed.emit(2)
        assert dock.unanswered.isVisible() and "2 order writes" in dock.unanswered.text()
        session.bridge.work.waiting_changed.emit(0)
        assert dock.unanswered.isHidden()

    drive(scenario)


def test_an_empty_book(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session)
        assert dock._empty.isVisible() and dock._empty.text().startswith("No orders today")
        for key in (Qt.Key.Key_Delete, Qt.Key.Key_F2, Qt.Key.Key_Return):
            QTest.keyClick(dock.view, key)
        assert not dock.cancel_button.isEnabled()

    drive(scenario)


def test_how_an_order_reads() -> None:
    row = order(1, quantity=150, filled_quantity=75)
    assert quantity_text(row, 75) == "1 / 2 lots · 150"
    assert quantity_text(order(1), 1) == "0 / 10"
    assert [source_text(s) for s in ("window", "api:Excel", "webhook:a", "exit:7", "x")] == [
        "Window", "API Excel", "Webhook a", "Watched exit", "x",
    ]  # fmt: skip


def test_five_thousand_orders_filter_and_scroll_without_a_pause(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        names = ("SBIN", "TCS", "INFY", "RELIANCE")
        rows = [order(n, symbol=names[n % 4], tag=f"T{n}") for n in range(5000)]
        dock = await dock_of(session, *rows)
        await until(lambda: len(dock.rows) == 5000, "the book")
        view = dock.view
        turn = iter(range(100_000))

        def scroll() -> None:
            view.verticalScrollBar().setValue(997 * next(turn))
            view.viewport().repaint()

        scroll()  # what is made once
        assert calls(scroll) < 9_500  # about 7,000 for what is shown, nothing for each of all rows
        for text, count in (("tcs", 1250), ("t49", 111), ("nothing", 0), ("", 5000)):
            dock.search.setText(text)
            dock._on_typed()
            assert len(dock.rows) != count  # in turns of the loop
            await until(lambda n=count: len(dock.rows) == n and not dock.long_load.under_way, text)

    drive(scenario)


def stepping(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Each look at the clock takes a millisecond; the rows of each step of a book."""
    clock, steps = itertools.count(), list[int]()
    still = SimpleNamespace(perf_counter=lambda: next(clock) / 1000.0)
    monkeypatch.setattr(turns, "time", still)
    parts = turns.parts

    def counted(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
        for part in parts(rows):
            steps[-1:] = [steps[-1] + len(part)]
            yield part

    monkeypatch.setattr(orders, "parts", counted)
    monkeypatch.setattr(table_dock, "parts", counted)
    return steps


async def turns_of(dock: OrdersDock, steps: list[int]) -> list[int]:
    """Rows that were looked at in each turn of the loop until the book is there."""
    while dock.long_load.under_way:
        steps.append(0)
        await asyncio.sleep(0)
    return [count for count in steps if count]


def test_no_turn_of_the_loop_takes_a_long_book_whole(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session)
        rows = [order(n, symbol=("SBIN", "TCS")[n % 2]) for n in range(3000)]
        rows.append(msgspec.structs.replace(order(3000), placed_at=rows[0].placed_at))
        steps = stepping(monkeypatch)
        books = session.bridge.books
        books.orders = {row.order_id: row for row in rows}
        steps.append(0)
        books.orders_changed.emit()
        counts = await turns_of(dock, steps)
        assert len(dock.rows) == 3001 and max(counts) <= 4 * turns.STEP
        for act in (
            lambda: dock.view.sortByColumn(1, Qt.SortOrder.AscendingOrder),
            lambda: dock.filter.choose("Open"),
            lambda: (dock.search.setText("tcs"), dock._on_typed()),
        ):
            steps[:] = [0]
            act()
            assert max([0, *await turns_of(dock, steps)]) <= 4 * turns.STEP
        assert len(dock.rows) == 1500

    drive(scenario)


def test_what_changes_while_a_long_book_is_read_is_not_lost(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session)
        books = session.bridge.books
        books.orders = {str(n): order(n) for n in range(2000)}
        books.orders_changed.emit()
        assert (
            dock.long_load.under_way and not dock.rows and dock._empty.text() == table_dock.READING
        )
        done = OrderStatus.COMPLETE
        update(session, order(7, status=done), order(2000))
        dock.show_order("9")
        await until(lambda: not dock.long_load.under_way, "the book")
        assert len(dock.rows) == 2001 and dock.rows[0].order_id == "2000"
        assert dock.row_of("7").status is done  # type: ignore[union-attr]
        assert dock.filter.button("Executed").text() == "Executed 1"
        assert dock.selected_row().order_id == "9"  # type: ignore[union-attr]

    drive(scenario)


@pytest.mark.docks("watchlist", "chart", "depth", "positions", "orders")
@pytest.mark.parametrize("hidden", [False, True])
def test_no_row_of_one_mode_is_left_for_the_other(drive: Drive, hidden: bool) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session)
        books = session.bridge.books
        books.orders = {str(n): order(n) for n in range(2000)}
        books.orders_changed.emit()
        await until(lambda: len(dock.rows) == 2000, "the book")
        if hidden:
            session.window.docks["positions"].raise_()
            await until(dock.is_hidden, "another tab")
        dock.refresh()  # is being read when the mode is switched
        books._clear()
        assert not dock.rows and not dock.model.rowCount()
        for _ in range(50):
            await asyncio.sleep(0)
        assert not dock.rows
        dock.raise_()
        await until(lambda: not dock.is_hidden(), "the book in sight")
        assert not dock.rows

    drive(scenario)


def test_an_edit_takes_nothing_back_that_another_has_changed(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, order(1))
        asked = sent(session)
        dock.modify(dock.rows[0])
        edit = editor(dock)
        dock.changes.edit_all(dock.rows[0])
        dialog = dock.changes._dialogs["1"]
        for units, price in ((edit.fields["quantity"], edit.fields["price"]),
                             (dialog.units, dialog.price)):  # fmt: skip
            assert units.value() == 10 and price.value() == 800.0
        session.bridge.set_setting("confirm.modify", "never")
        edit.fields["price"].setValue(798.0)  # typed
        dialog.price.setValue(797.0)
        update(session, order(1, quantity=5))  # a script made it smaller
        assert edit.fields["quantity"].value() == dialog.units.value() == 5
        assert edit.fields["price"].value() == 798.0 and dialog.price.value() == 797.0
        QTest.keyClick(edit.fields["price"], Qt.Key.Key_Return)
        await until(lambda: len(asked) == 1, "the change")
        assert asked[0][0] == ModifyRequest("1", price=798.0)
        click(dialog.save)
        await until(lambda: len(asked) == 2, "the change of the window")
        assert (asked[1][0].quantity, asked[1][0].price) == (5, 797.0)

    drive(scenario)


def test_terms_and_slices_have_columns_and_all_parts_are_cancelled_from_the_menu(
    drive: Drive,
) -> None:
    async def scenario(session: Session) -> None:
        slices = [
            order(1, validity=Validity.IOC),
            order(2, disclosed_quantity=5),
            order(3, status=OrderStatus.COMPLETE),
            order(4),
        ]
        parts = {
            str(number): PartOf("PARENT99", number, 3) for number in (1, 2, 3)
        }  # 4 went out whole
        session.bridge.orders.part_of = lambda row: parts.get(row.order_id)  # type: ignore[method-assign]
        dock = await dock_of(session, *slices)
        asked = sent(session)

        def cell(row_id: str, key: str) -> str:
            row = dock.row_of(row_id)
            assert row is not None
            column = next(column for column in dock.columns if column.key == key)
            return column.text(row) if column.text is not None else str(column.value(row))

        assert [cell(one, "validity") for one in ("1", "2")] == ["IOC", "DAY"]
        assert [cell(one, "disclosed") for one in ("1", "2")] == ["all", "5"]
        assert [cell(one, "part") for one in ("1", "3", "4")] == [
            "1 of 3 · RENT99",
            "3 of 3 · RENT99",
            "",
        ]
        menu = QMenu()
        dock.fill_menu(menu, slices[3])
        assert not [action for action in menu.actions() if "parts" in action.text()]
        menu = QMenu()
        dock.fill_menu(menu, slices[0])
        calls = {action.text(): action.trigger for action in menu.actions()}
        calls["Cancel all 2 working parts"]()
        await until(lambda: len(asked) == 2, "both")
        assert sorted(asked) == [("1", Mode.SANDBOX), ("2", Mode.SANDBOX)]

    drive(scenario)


def test_an_order_goes_into_the_basket_as_it_was_and_is_not_sent(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        wanted: list[OrderRequest] = []
        session.bridge.basket_wanted.connect(wanted.append)
        market = order(2, price_type=PriceType.MARKET, status=OrderStatus.COMPLETE)
        dock = await dock_of(session, order(1, disclosed_quantity=5), market)
        asked = sent(session)
        for row_id in ("1", "2"):
            row = dock.row_of(row_id)
            assert row is not None
            dock.to_basket(row)
        assert [(one.price_type, one.price, one.disclosed_quantity) for one in wanted] == [
            (PriceType.LIMIT, 800.0, 5),
            (PriceType.MARKET, 0.0, 0),  # the price of a market order is what it traded at
        ]
        assert asked == []

    drive(scenario)
