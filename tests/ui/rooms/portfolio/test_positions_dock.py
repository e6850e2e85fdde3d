"""The positions dock: what leaves a position, exits by hand, groups, what is closed or differs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QMenu

from openalgo_desktop.core.acts import Act
from openalgo_desktop.core.enums import Action, FeedMode, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import OrderError
from openalgo_desktop.core.exits import ExitSpec, Offset
from openalgo_desktop.core.model import BookRows, Order, OrderRequest, Position
from openalgo_desktop.core.reports import Difference
from openalgo_desktop.trading.results import CloseAll, Placed
from openalgo_desktop.ui.engine.desk import Turned
from openalgo_desktop.ui.engine.leaving import Told
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.market.one_click import OneClick
from openalgo_desktop.ui.rooms.portfolio import closing
from openalgo_desktop.ui.rooms.portfolio.exit_editor import ExitEditor, Leg, start_value
from openalgo_desktop.ui.rooms.portfolio.position_closing import PositionClosing
from openalgo_desktop.ui.rooms.portfolio.position_rows import Line
from openalgo_desktop.ui.rooms.portfolio.positions import PositionsDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.ui.rooms.portfolio.test_book_docks import order, seen, shown, stand_still
from tests.waiting import until

pytestmark = pytest.mark.docks("positions", "orders")


def held(quantity: int = 10, symbol: str = "SBIN", **more: Any) -> Position:
    return Position(symbol, "NSE", Product.MIS, quantity, 800.0, 801.0, **more)


async def dock_of(session: Session, *rows: Position) -> PositionsDock:
    books = await stand_still(session)
    books.positions = BookRows(rows)
    books.positions_changed.emit()
    dock = await seen(session, "positions")
    assert isinstance(dock, PositionsDock)
    return dock


def capture(session: Session, result: object = None) -> list[tuple[Any, ...]]:
    """What the dock asks the bridge to close."""
    asked: list[tuple[Any, ...]] = []

    async def close(
        symbol: str, exchange: str, product: Product, mode: Mode, *, quantity: int = 0, **_: int
    ) -> object:
        asked.append((symbol, quantity, mode))
        return result

    session.bridge.desk.close_position = close  # type: ignore[method-assign, assignment]
    return asked


def told(session: Session) -> Told | None:
    """What SBIN was told, in any dock, while it is unsettled."""
    return session.bridge.leaving.find(SBIN, Product.MIS)


def answered(session: Session) -> bool:
    """Whether it was told, and an order came of it."""
    found = told(session)
    return found is not None and found.ids == ("1",)


def press(dock: PositionsDock, name: str, row: int = 0) -> None:
    place = dock.view.action_rect(row, name).center()
    QTest.mouseClick(dock.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


@pytest.mark.parametrize(
    ("units", "percent", "lot", "expected"),
    [
        (10, 50, 1, 5), (-10, 25, 1, 2), (150, 50, 75, 75), (225, 50, 75, 75), (75, 50, 75, 0),
        (150, 25, 75, 75), (300, 75, 75, 225), (75, 100, 75, 75), (1, 50, 1, 0), (80, 100, 75, 80),
    ],
)  # fmt: skip
def test_parts_are_whole_lots_and_never_all(
    units: int, percent: int, lot: int, expected: int
) -> None:
    assert closing.part(units, percent, lot) == expected


def test_one_click_closes_half_and_a_second_one_waits_for_the_book(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(10))
        asked = capture(session, result=None)
        press(dock, "half")
        await until(lambda: asked == [("SBIN", 5, Mode.SANDBOX)], "half of it")
        await until(lambda: told(session) is None, "nothing went out, so it may be asked again")
        with session.bridge.leaving.sending(held(10), Act.CLOSE, Mode.SANDBOX):
            press(dock, "half")
            assert len(asked) == 1
            books = session.bridge.books
            books.positions = BookRows([held(5)])
            books.positions_changed.emit()  # the book shows it
            press(dock, "half")
            await until(lambda: asked[1:] == [("SBIN", 2, Mode.SANDBOX)], "half of what is left")

    drive(scenario)


def test_a_row_may_be_told_again_when_its_orders_have_ended(drive: Drive) -> None:
    """No clock decides: a rejection frees the row at once, a fill with the next position book, a
    resting order blocks further parts but never closing all of it."""

    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(10))
        asked = capture(session, result=Placed("1", Mode.SANDBOX))
        books = session.bridge.books

        def tell(status: OrderStatus, filled: int = 0) -> None:
            order = Order(
                "1", "SBIN", "NSE", Action.SELL, 5, PriceType.LIMIT, Product.MIS, 800.0,
                status=status, filled_quantity=filled,
            )  # fmt: skip
            books.orders = {"1": order}
            books.orders_updated.emit([order])

        press(dock, "half")
        await until(lambda: len(asked) == 1 and answered(session))
        tell(OrderStatus.OPEN)
        press(dock, "half")
        books.positions_changed.emit()
        press(dock, "half")
        assert len(asked) == 1, "it rests, and the book shows what was held before"
        press(dock, "close")
        await until(
            lambda: len(asked) == 2 and answered(session),
            "out is always possible",
        )
        assert asked[1] == ("SBIN", 0, Mode.SANDBOX)
        tell(OrderStatus.REJECTED)
        assert told(session) is None
        press(dock, "half")
        books.orders = {}
        await until(
            lambda: len(asked) == 3 and answered(session),
            "after a rejection at once",
        )
        tell(OrderStatus.COMPLETE, 5)
        press(dock, "half")
        assert len(asked) == 3, "filled, and the position book is older"
        books.positions_changed.emit()  # read after it, whatever it says
        assert told(session) is None

    drive(scenario)


def test_pressed_in_two_places_at_one_moment_one_of_them_sends(drive: Drive) -> None:
    """Two docks, a chart or a ladder: until the first is settled the others send nothing."""

    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(10))
        other, hand = PositionClosing(dock, dock), OneClick(session.bridge, dock.spawn, dock)
        closed = capture(session)
        turned: list[int] = []
        notices: list[str] = []
        session.bridge.notice.connect(lambda _level, text: notices.append(text))
        gate = asyncio.Event()

        async def reverse(row: Position, mode: Mode) -> Turned:
            turned.append(row.quantity)
            await gate.wait()
            return Turned("done", ("1",))

        session.bridge.desk.reverse = reverse  # type: ignore[method-assign]
        dock.reverse_row(held(10))
        other.reverse(held(10))  # before the first one has even begun
        await until(lambda: len(notices) == 1, "it is said")
        assert turned == [10] and notices == [
            f"Not sent: {session.bridge.name(SBIN)} is being turned already; "
            "see what comes of it first."
        ]
        other.close(held(10), 50)
        session.bridge.arm.arm(Mode.SANDBOX)
        assert not hand.reverse(SBIN, Mode.SANDBOX)
        assert len(notices) == 3 and len(set(notices)) == 1
        gate.set()
        await until(lambda: answered(session), "its order")
        other.reverse(held(10))
        assert notices[-2:] == ["done", notices[0]]
        session.bridge.books.positions = BookRows([held(-10)])
        session.bridge.books.positions_changed.emit()  # it has turned
        gate.clear()
        dock.reverse_row(held(-10))
        await until(lambda: turned == [10, -10], "another one")
        assert closed == []
        other.close(held(-10), 100)  # all of it always gets out: the desk counts the reversal
        await until(lambda: len(closed) == 1, "the exit")
        gate.set()

    drive(scenario)


def test_one_lot_is_not_halved(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(1))
        asked, said = capture(session), []
        session.bridge.notice.connect(lambda level, text: said.append((level, text)))
        dock.close_part(session.bridge.books.positions[0], 50)
        assert not asked and said[0][0] == "warning" and "one lot" in said[0][1]

    drive(scenario)


def test_a_press_and_a_release_on_different_rows_close_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(10), held(10, "TCS"))
        asked = capture(session)
        port, left = dock.view.viewport(), Qt.MouseButton.LeftButton
        QTest.mousePress(port, left, pos=dock.view.action_rect(0, "close").center())
        QTest.mouseRelease(port, left, pos=dock.view.action_rect(1, "close").center())
        QTest.mousePress(port, left, pos=dock.view.action_rect(0, "close").center())
        books = session.bridge.books  # the row under the pointer is another one by now
        books.positions = BookRows([held(10, "INFY"), held(10), held(10, "TCS")])
        books.positions_changed.emit()
        QTest.mouseRelease(port, left, pos=dock.view.action_rect(0, "close").center())
        assert not asked

    drive(scenario)


def test_what_was_clicked_in_one_mode_is_not_sent_in_the_other(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(10))
        row = session.bridge.books.positions[0]
        with pytest.raises(OrderError, match="mode was switched"):
            await dock.closing._close(row, 10, True, False, Mode.LIVE)

    drive(scenario)


def test_delete_asks_and_closes(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(10))
        asked = capture(session)
        dock.select_row((SBIN, "MIS"))
        QTest.keyClick(dock.view, Qt.Key.Key_Delete)
        await until(lambda: dock.findChildren(ConfirmDialog), "the question")
        assert not asked
        click(dock.findChildren(ConfirmDialog)[0].yes)
        await until(lambda: asked == [("SBIN", 0, Mode.SANDBOX)], "all of it")

    drive(scenario)


def test_reversing_is_one_click_and_asks_where_the_settings_say(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(10))
        turned: list[str] = []

        async def reverse(row: Position, mode: Mode) -> Turned:
            turned.append(row.symbol)
            return Turned("done", ())

        session.bridge.desk.reverse = reverse  # type: ignore[method-assign]
        press(dock, "reverse")
        await until(lambda: turned == ["SBIN"], "the reversal")
        session.bridge.books.positions_changed.emit()  # the book, read after it
        await until(lambda: told(session) is None, "the end of it")
        session.bridge.set_setting("confirm.reverse", "always")
        press(dock, "reverse")
        await until(lambda: dock.findChildren(ConfirmDialog), "the question")
        click(dock.findChildren(ConfirmDialog)[0].no)
        assert turned == ["SBIN"]

    drive(scenario)


def test_a_position_is_converted_by_its_menu_after_a_question(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await bought(session)
        watch = session.bridge.watch
        last = session.bridge.books.positions[0].ltp
        await watch.set_stop("SBIN", "NSE", Product.MIS, Mode.SANDBOX, round(last * 0.9))
        menu = QMenu()
        dock.fill_menu(menu, dock.rows[0])
        (item,) = [a for a in menu.actions() if a.text().startswith("Convert")]
        assert item.text() == "Convert to CNC…"
        item.trigger()
        await until(lambda: dock.findChildren(ConfirmDialog), "the question")
        click(dock.findChildren(ConfirmDialog)[0].no)
        await until(lambda: not dock.findChildren(ConfirmDialog), "it is gone")
        assert session.bridge.books.positions[0].product is Product.MIS
        item.trigger()
        await until(lambda: dock.findChildren(ConfirmDialog), "the question")
        click(dock.findChildren(ConfirmDialog)[0].yes)
        books = session.bridge.books
        await until(
            lambda: (
                {p.product: p.quantity for p in books.positions}
                == {Product.MIS: 0, Product.CNC: 10}
            ),
            "the book",
        )
        (plan,) = watch.of_position("SBIN", "NSE", Product.CNC, Mode.SANDBOX)
        assert (plan.whole, plan.moving) == (True, None), "its stop moved along"
        assert not watch.of_position("SBIN", "NSE", Product.MIS, Mode.SANDBOX)

    drive(scenario)


def test_what_cannot_be_converted_has_no_item(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(-10))
        menu = QMenu()
        dock.fill_menu(menu, dock.rows[0])
        assert not [a for a in menu.actions() if a.text().startswith("Convert")]
        with pytest.raises(OrderError, match="mode was switched"):
            await session.bridge.desk.convert(SBIN, Product.MIS, Product.CNC, Mode.LIVE)

    drive(scenario)


async def bought(session: Session) -> PositionsDock:
    """Ten shares in the sandbox, in sight."""
    await priced(session)
    buy = OrderRequest("SBIN", "NSE", Action.BUY, 10, product=Product.MIS)
    await session.bridge.desk.place(buy, Mode.SANDBOX)
    books = session.bridge.books
    await until(lambda: any(p.quantity and p.ltp for p in books.positions), "the position")
    dock = await seen(session, "positions")
    assert isinstance(dock, PositionsDock)
    await until(lambda: dock.rows and not dock.view.action_rect(0, "stop").isNull(), "its row")
    return dock


def text(dock: PositionsDock, key: str, row: int = 0) -> str:
    return shown(dock, row)[key]  # type: ignore[arg-type]


def test_a_stop_takes_two_clicks_and_is_seen_changed_and_removed(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await bought(session)
        press(dock, "stop")
        editor = dock.exits.editor
        assert isinstance(editor, ExitEditor) and editor.field.hasFocus()
        assert (
            editor.remove_button.isHidden()
            and "SANDBOX" in editor.findChild(type(editor.said), "position-exit-caption").text()
        )  # type: ignore[union-attr]
        value = editor.field.value()
        assert 0 < value < session.bridge.books.positions[0].ltp
        click(editor.set_button)
        await until(lambda: text(dock, "stop") == f"{value:.2f}", "the stop in the row")
        assert dock.exits.editor is None
        press(dock, "stop")
        editor = dock.exits.editor
        assert editor is not None and editor.field.value() == value
        click(editor.remove_button)
        await until(lambda: text(dock, "stop") == "–", "no stop")

    drive(scenario)


def test_a_stop_for_a_part_says_for_how_much(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await bought(session)
        watch, last = session.bridge.watch, session.bridge.books.positions[0].ltp
        at = round(last * 0.9)
        place = ("SBIN", "NSE", Product.MIS, Mode.SANDBOX)
        await watch.protect(*place, ExitSpec(stop=Offset.of(at)), quantity=4)
        await until(lambda: text(dock, "stop") == f"{at:.2f} (4)", "the stop of a part")
        column = next(c for c in dock.view.table.columns if c.key == "stop")
        assert column.tip is not None
        assert column.tip(dock.rows[0]).startswith("Only for 4 of 10")
        await watch.protect(*place, ExitSpec(stop=Offset.of(at)))
        await until(lambda: text(dock, "stop") == f"{at:.2f}", "a stop for all of it")
        lines: list[OrderRequest] = []
        session.bridge.basket_wanted.connect(lines.append)
        menu = QMenu()
        dock.fill_menu(menu, dock.rows[0])
        next(a for a in menu.actions() if a.text() == "Add exit to basket").trigger()
        (line,) = lines
        assert (line.action, line.quantity, line.product) == (Action.SELL, 10, Product.MIS)

    drive(scenario)


def test_target_trail_and_break_even_by_menu_and_keys(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await bought(session)
        row = session.bridge.books.positions[0]
        menu = QMenu()
        dock.fill_menu(menu, dock.rows[0])
        calls = {action.text(): action.trigger for action in menu.actions()}
        names = ("Close 25 %", "Close 50 %", "Close 75 %", "Close at market", "Reverse at market")
        assert set(names) <= set(calls)
        calls["Target…"]()
        QTest.keyClick(dock.exits.editor, Qt.Key.Key_Return)
        await until(lambda: text(dock, "target") != "–", "the target")
        calls["Trailing stop…"]()
        QTest.keyClick(dock.exits.editor, Qt.Key.Key_Return)
        await until(lambda: text(dock, "trail") != "–", "the distance")
        dock.select_row((row.key, "MIS"))
        QTest.keyClick(dock.view, Qt.Key.Key_F2)
        assert dock.exits.editor is not None and dock.exits.editor._leg is Leg.STOP
        QTest.keyClick(dock.exits.editor, Qt.Key.Key_Escape)
        assert dock.exits.editor is None
        plans = session.bridge.watch.of_position("SBIN", "NSE", Product.MIS, Mode.SANDBOX)
        assert len(plans) == 1 and plans[0].spec.targets and plans[0].spec.trail
        press(dock, "stop")  # the one that trails is what the column shows
        click(dock.exits.editor.remove_button)
        await until(lambda: text(dock, "stop") == "–", "no stop that trails")
        assert text(dock, "target") != "–"

    drive(scenario)


def test_a_stop_that_is_passed_or_off_the_tick_cannot_be_set(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(10))
        set_: list[object] = []
        dock.exits.edit(session.bridge.books.positions[0], Leg.STOP)
        editor = dock.exits.editor
        assert editor is not None
        editor.wanted.connect(set_.append)
        for value, why in ((900.0, "passed"), (790.03, "790.00 or 790.05"), (0.0, "Type a price")):
            editor.field.setValue(value)
            assert why in editor.said.text() and not editor.set_button.isEnabled()
            QTest.keyClick(editor, Qt.Key.Key_Return)
        assert not set_ and dock.exits.editor is editor
        session.bridge.mode_changed.emit(Mode.LIVE)  # what was typed for one is not for the other
        assert dock.exits.editor is None

    drive(scenario)


def test_the_editor_leaves_with_its_position(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(10))
        dock.exits.edit(session.bridge.books.positions[0], Leg.STOP)
        books = session.bridge.books
        books.positions = BookRows([held(0)])
        books.positions_changed.emit()
        assert dock.exits.editor is None

    drive(scenario)


def test_starting_distances_are_on_the_tick_and_on_the_right_side(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        row = session.bridge.instrument(SBIN)
        assert row is not None
        long, short = held(10), held(-10)
        assert start_value(long, Leg.STOP, row) < 801 < start_value(long, Leg.TARGET, row)
        assert start_value(short, Leg.TARGET, row) < 801 < start_value(short, Leg.STOP, row)
        assert start_value(long, Leg.TRAIL, row) == 8.0

    drive(scenario)


def test_groups_have_subtotals_and_fold(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        delivered = Position("INFY", "NSE", Product.CNC, 10, 1500.0, 1510.0)
        dock = await dock_of(session, held(10), held(-10, "TCS"), delivered)
        dock.group_by("Product")
        heads = [line.title for line in dock.rows]
        assert heads == ["CNC", "", "MIS", "", ""]
        for head, members in ((0, (1,)), (2, (3, 4))):
            parts = [dock.rows[n].total(lambda p: p.pnl) for n in members]
            assert text(dock, "pnl", head) == fmt.signed_money(sum(parts))
        keys = [column.key for column in dock.columns]
        dock.model.sort(keys.index("pnl"))  # groups stay together
        places = [dock.model.row_at(place) for place in range(5)]
        assert [line.title for line in places] == ["CNC", "", "MIS", "", ""]
        dock.select_row(("group", "MIS"))
        QTest.keyClick(dock.view, Qt.Key.Key_Return)
        assert [line.title for line in dock.rows] == ["CNC", "", "MIS"]
        assert not dock.close_button.isEnabled()
        state = dock.save_state()
        dock.group_by("No groups")
        assert len(dock.rows) == 3
        dock.restore_state(state)
        assert [line.title for line in dock.rows] == ["CNC", "", "MIS"]

    drive(scenario)


def test_a_closed_position_says_so_and_shows_no_price(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(0, realised_today=40.0), held(10, "TCS"))
        assert [line.closed for line in dock.rows] == [False, True]
        cells = dock.model.store.cells(1)
        row = shown(dock, 1)  # type: ignore[arg-type]
        assert (row["quantity"], row["ltp"], row["pnl"], row["action"]) == (
            "closed",
            "–",
            "+40.00",
            "",
        )
        tones = dict(zip([c.key for c in dock.columns], cells.tones, strict=True))
        assert tones["symbol"] == tones["pnl"] == "muted"

    drive(scenario)


def test_rows_footer_and_toolbar_agree(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(
            session, held(10, realised_today=5.0), held(0, "TCS", realised_today=-2.0)
        )
        session.bridge.books.prices_moved.emit()
        total = session.bridge.books.positions[0].pnl - 2.0
        assert dock.total.numbers[0].text() == f"{total:+.2f}"
        assert session.window.top_bar.pnl.text() == dock.total.numbers[0].text()
        sums = [line.total(lambda p: p.pnl) for line in dock.rows]
        assert sum(sums) == pytest.approx(total)

    drive(scenario)


def test_charges_of_todays_trades_are_taken_off(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await bought(session)
        await until(lambda: text(dock, "after_charges") not in ("–", text(dock, "pnl")), "them")
        charges = session.bridge.day_trades.charges
        assert charges is not None and charges > 0
        row = session.bridge.books.positions[0]
        day = session.bridge.day_trades.of(row.key, row.product)
        assert day.bought == 10 and day.buy_average == pytest.approx(row.average_price, abs=0.01)
        assert day.charges == pytest.approx(charges)

    drive(scenario)


def test_a_quantity_that_differs_is_marked_and_can_be_reconciled(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(10))
        assert dock.differs.isHidden()
        found = (Difference("position", "NSE:SBIN:MIS", "+10", "+20"),)
        session.bridge.safety.differences = lambda mode: found  # type: ignore[method-assign]
        wanted: list[str] = []
        session.bridge.command_wanted.connect(wanted.append)
        session.bridge.safety.differ.emit()
        assert dock.differs.isVisible() and "1 position differs" in dock.differs_text.text()
        column = [c.key for c in dock.columns].index("quantity")
        assert dock.model.store.cells(0).badges[column] == "differs"
        click(dock.differs.findChild(type(dock.close_button), "positions-reconcile"))
        assert wanted == ["review-books"]

    drive(scenario)


def test_an_empty_book_says_flat(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session)
        assert dock._empty.isVisible() and dock._empty.text() == "Flat. Nothing at risk."
        for key in (Qt.Key.Key_Delete, Qt.Key.Key_F2, Qt.Key.Key_Return):
            QTest.keyClick(dock.view, key)
        assert dock.exits.editor is None and told(session) is None

    drive(scenario)


@pytest.mark.parametrize("ticked", [True, False])
def test_flatten_offers_to_cancel_the_other_orders(drive: Drive, ticked: bool) -> None:
    async def scenario(session: Session) -> None:
        await dock_of(session, held(10))
        books = session.bridge.books
        books._index(order(1, symbol="TCS"))
        asked: list[bool] = []

        async def close_all(mode: Mode, *, cancel_orders: bool, **_: object) -> CloseAll:
            asked.append(cancel_orders)
            return CloseAll(1, 0, True, mode)

        session.bridge.desk.close_all = close_all  # type: ignore[method-assign]
        session.window.actions_by_name["flatten"].trigger()
        await until(lambda: session.window.findChildren(ConfirmDialog), "the question")
        dialog = session.window.findChildren(ConfirmDialog)[0]
        box = dialog.findChild(QCheckBox, "dialog-confirm-option")
        assert isinstance(box, QCheckBox) and box.isVisible() and box.isChecked()
        assert "1 other working order" in box.text()
        box.setChecked(ticked)
        click(dialog.yes)
        await until(lambda: asked == [ticked], "the answer")

    drive(scenario)


def test_actions_of_a_row_reach_ticket_and_docks(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dock = await dock_of(session, held(10))
        wishes: list[Any] = []
        session.bridge.ticket_wanted.connect(wishes.append)
        menu = QMenu()
        dock.fill_menu(menu, dock.rows[0])
        calls: dict[str, Callable[[], None]] = {a.text(): a.trigger for a in menu.actions()}
        calls["Exit…"]()
        assert (wishes[0].action, wishes[0].quantity) == (Action.SELL, 10)
        session.bridge.select(("NSE", "TCS"))
        calls["Show chart"]()
        assert session.bridge.selected == SBIN

    drive(scenario)


def test_lines_know_their_place() -> None:
    line = Line((held(10), held(0, "TCS")), "MIS")
    assert line.position is None and not line.closed and line.percent == pytest.approx(0.125)


def test_greeks_of_options_are_solved_while_they_are_shown(drive: Drive) -> None:
    """Hidden at first: then nothing is streamed for them. The head of an underlying sums them."""

    async def scenario(session: Session) -> None:
        bridge = session.bridge
        table = session.terminal.instruments
        today = bridge.now().date()
        option = next(
            row
            for row in table.rows("NFO")
            if row.instrument_type == "CE" and row.name == "NIFTY" and bridge.greeks.source(row.key)
            # In the evening of its last day an option is listed and has no volatility.
            and row.expiry is not None and row.expiry > today
        )  # fmt: skip
        spot = bridge.greeks.source(option.key)
        assert spot is not None
        rows = [
            Position(option.symbol, "NFO", Product.NRML, -option.lot_size, 100.0, 100.0),
            held(10),
        ]
        dock = await dock_of(session, *rows)
        at = [column.key for column in dock.columns].index("delta")
        assert dock.view.isColumnHidden(at) and dock.greeks._wanted == {}
        bridge.prices.want("test", {option.key: FeedMode.LTP})
        dock.header_columns.show_column(at, True)
        dock.header_columns.show_column([c.key for c in dock.columns].index("iv"), True)

        def solved() -> bool:
            bridge.books.prices_moved.emit()
            return bridge.greeks.of(option.key) is not None

        await until(solved, "prices of the option and of what it rests on")
        assert list(dock.greeks._wanted) == [spot]
        figures = bridge.greeks.of(option.key)
        assert figures is not None and 0 < figures.delta < 1
        line = next(n for n, row in enumerate(dock.rows) if row.position is rows[0])
        shown_now = {text(dock, "delta", n) for n in range(2)}
        assert "+10.0" in shown_now, "shares move one by one"
        expected = fmt.signed(-option.lot_size * figures.delta, 1)
        dock.model.refresh_all()
        assert text(dock, "delta", line) == expected and text(dock, "iv", line).endswith("%")
        dock.header_columns.reset()
        bridge.books.prices_moved.emit()
        assert dock.greeks._wanted == {}

    drive(scenario)
