"""The ladder: what a click, a drag and a key send, and above all when they send nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import RejectedByBroker
from openalgo_desktop.core.exits import ExitPlan, Unit
from openalgo_desktop.core.model import Order, OrderRequest
from openalgo_desktop.core.ticketing import TicketWish
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.market import ladder_menu
from openalgo_desktop.ui.rooms.market.ladder import LadderDock
from openalgo_desktop.ui.rooms.market.ladder_bar import BRACKET
from openalgo_desktop.ui.rooms.market.ladder_picture import Cell, Column, Market
from openalgo_desktop.ui.rooms.market.ladder_view import LadderView
from openalgo_desktop.ui.shell.main import Session
from tests.costs import calls
from tests.ui.driving import SBIN, Drive, hold_still, priced
from tests.waiting import until

LEFT, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)


class Ladder:
    """A ladder of SBIN with a book, and what left through it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.bridge = session.bridge
        dock = session.window.docking.show("ladder")
        assert isinstance(dock, LadderDock)
        self.dock = dock
        self.view: LadderView = dock.view
        self.placed: list[OrderRequest] = []
        self.modified: list[Any] = []
        self.cancelled: list[str] = []
        self.wishes: list[TicketWish] = []
        self.notices: list[str] = []
        self.bridge.ticket_wanted.connect(self.wishes.append)
        self.bridge.notice.connect(lambda _level, text: self.notices.append(text))

    async def ready(self) -> Ladder:
        self.session.window.showNormal()
        self.session.window.resize(1600, 1000)
        await priced(self.session)
        self.dock.raise_()
        # By itself the ladder must not jump while the test aims.
        self.dock.auto_centre = False
        await until(lambda: bool(self.view.market.bids and self.view.market.asks), "a book")
        return self

    def spy(self) -> None:
        """Note what would be sent, and send nothing."""
        bridge: Any = self.bridge

        async def place(request: OrderRequest, mode: Mode) -> None:
            self.placed.append(request)

        async def modify(request: Any, mode: Mode) -> None:
            self.modified.append(request)

        async def cancel(order_id: str, mode: Mode) -> None:
            self.cancelled.append(order_id)

        bridge.desk.place, bridge.desk.modify, bridge.desk.cancel = place, modify, cancel

    def arm(self) -> None:
        self.bridge.arm.arm(self.bridge.mode)

    def at(self, column: Column, number: int) -> QPoint:
        return self.view.cell_rect(Cell(column, number)).center()

    @property
    def best_bid(self) -> int:
        return max(self.view.market.bids)

    def click(self, column: Column, number: int, button: Qt.MouseButton = LEFT) -> None:
        QTest.mouseClick(self.view, button, pos=self.at(column, number))

    def hold_still(self) -> None:
        """The market stays as it is, and stays fresh however slow the machine is."""
        hold_still(self.session)

    def silence(self) -> None:
        """No more prices."""
        self.session.terminal.hub._source.set_sink(lambda tick: None)  # type: ignore[union-attr]
        self.session.terminal.hub._spoil()

    async def rest(self, price: float, action: Action = Action.BUY, quantity: int = 7) -> Order:
        """A working order of ours."""
        request = OrderRequest(
            SBIN[1], SBIN[0], action, quantity, PriceType.LIMIT, Product.MIS, price
        )
        placed = await self.bridge.desk.place(request, self.bridge.mode)
        books = self.bridge.books
        await until(lambda: placed.ids[0] in books.orders, "the order")
        await until(lambda: bool(self.view.market.own), "the order in the ladder")
        return books.orders[placed.ids[0]]


async def settle() -> None:
    """Turns for tasks that a click may have started."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_not_armed_a_click_fills_the_ticket_and_sends_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        ladder.spy()
        ladder.hold_still()
        number = ladder.best_bid - 2
        ladder.click(Column.BID, number)
        await settle()
        (wish,) = ladder.wishes
        price = ladder.view.grid.price(number)
        assert (wish.action, wish.price_type, wish.price) == (Action.BUY, PriceType.LIMIT, price)
        assert session.window.ticket.price.value() == price
        for word in ("buy-market", "join-ask", "flatten", "cancel-mine", "reverse"):
            ladder.dock.run(word)
        await settle()
        assert ladder.placed == ladder.cancelled == []
        assert len([text for text in ladder.notices if "not armed" in text]) == 5
        assert not ladder.dock.foot.buttons["buy-market"].isEnabled()
        assert ladder.dock.foot.buttons["flatten"].isEnabled()

    drive(scenario)


def test_armed_a_click_in_the_bids_buys_and_in_the_asks_sells_at_that_price(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        ladder.spy()
        ladder.arm()
        ladder.hold_still()
        ladder.dock.bar.choose_size(2)
        low, high = ladder.best_bid - 3, ladder.best_bid + 4
        ladder.click(Column.BID, low)
        ladder.click(Column.ASK, high)
        ladder.click(Column.PRICE, low)
        ladder.click(Column.OWN_BID, low)
        await until(lambda: len(ladder.placed) == 2, "two orders")
        await settle()
        buy, sell = ladder.placed
        grid = ladder.view.grid
        assert (buy.action, buy.price, buy.quantity) == (Action.BUY, grid.price(low), 5)
        assert (sell.action, sell.price, sell.price_type) == (
            Action.SELL,
            grid.price(high),
            PriceType.LIMIT,
        )
        assert ladder.wishes == []

    drive(scenario)


def test_a_press_counts_only_when_it_is_released_on_the_same_cell_of_a_still_ladder(
    drive: Drive,
) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        ladder.spy()
        ladder.arm()
        ladder.hold_still()
        view, number = ladder.view, ladder.best_bid - 2
        here = ladder.at(Column.BID, number)
        # released elsewhere
        QTest.mousePress(view, LEFT, pos=here)
        QTest.mouseRelease(view, LEFT, pos=ladder.at(Column.BID, number - 1))
        # the ladder jumped in between, and once more so that the same price is there again
        QTest.mousePress(view, LEFT, pos=here)
        view.grid.scroll(1)
        QTest.mouseRelease(view, LEFT, pos=here)
        QTest.mousePress(view, LEFT, pos=here)
        view.grid.scroll(1)
        view.grid.scroll(-1)
        QTest.mouseRelease(view, LEFT, pos=here)
        # two buttons, and a second press of a double click
        QTest.mousePress(view, LEFT, pos=here)
        QTest.mousePress(view, RIGHT, pos=here)
        QTest.mouseRelease(view, LEFT, pos=here)
        QTest.mouseRelease(view, RIGHT, pos=here)
        QTest.mouseDClick(view, LEFT, pos=here)  # a release without a press of ours
        # released after Esc, and after another symbol came
        QTest.mousePress(view, LEFT, pos=here)
        QTest.keyClick(view, Qt.Key.Key_Escape)
        QTest.mouseRelease(view, LEFT, pos=here)
        QTest.mousePress(view, LEFT, pos=here)
        session.bridge.select(("NSE", "INFY"))
        QTest.mouseRelease(view, LEFT, pos=here)
        # disarmed while the button was down: not even the ticket is filled
        session.bridge.select(SBIN)
        QTest.mousePress(view, LEFT, pos=here)
        session.bridge.arm.disarm()
        QTest.mouseRelease(view, LEFT, pos=here)
        await settle()
        assert ladder.placed == [] and ladder.wishes == []

    drive(scenario)


def test_the_ladder_never_moves_by_itself_under_the_pointer(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        ladder.dock.auto_centre = True
        grid, view = ladder.view.grid, ladder.view
        ladder.hold_still()
        view._hover = Cell(Column.BID, ladder.best_bid)
        before = grid.moved
        ladder.dock._follow(grid.price(grid.top + 5))
        assert grid.moved == before
        view._hover = None
        ladder.dock._follow(grid.price(grid.top + 5))
        assert grid.moved > before
        ladder.dock.auto_centre = False
        before = grid.moved
        ladder.dock._follow(grid.price(grid.top + 50))
        assert grid.moved == before
        QTest.keyClick(view, Qt.Key.Key_Space)
        assert grid.moved > before

    drive(scenario)


def test_the_same_order_twice_at_once_goes_out_once(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        ladder.spy()
        ladder.arm()
        ladder.hold_still()
        number = ladder.best_bid - 2
        ladder.view.clicked.emit(Action.BUY, ladder.view.grid.price(number))
        ladder.view.clicked.emit(Action.BUY, ladder.view.grid.price(number))
        await settle()
        assert len(ladder.placed) == 1
        assert any("very same order" in text for text in ladder.notices)

    drive(scenario)


def test_old_prices_send_nothing_and_say_why(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        ladder.spy()
        ladder.arm()
        number = ladder.best_bid - 2
        ladder.silence()
        await until(lambda: bool(ladder.view.market.stale), "the hatched ladder")
        ladder.click(Column.BID, number)
        for key in (Qt.Key.Key_Q, Qt.Key.Key_A, Qt.Key.Key_V):
            QTest.keyClick(ladder.view, key)
        await settle()
        assert ladder.placed == []
        assert all("old" in text or "quotes" in text for text in ladder.notices[-4:])
        assert "old" in ladder.dock.bar.change.text() or "lost" in ladder.dock.bar.change.text()
        assert ladder.view.market.stale in ladder.view.summary()

    drive(scenario)


@pytest.mark.parametrize(
    ("key", "action", "kind"),
    [
        (Qt.Key.Key_Q, Action.BUY, PriceType.LIMIT),
        (Qt.Key.Key_W, Action.SELL, PriceType.LIMIT),
        (Qt.Key.Key_A, Action.BUY, PriceType.MARKET),
        (Qt.Key.Key_D, Action.SELL, PriceType.MARKET),
    ],
)
def test_keys_send_once_when_armed_and_never_by_repetition(
    drive: Drive, key: Qt.Key, action: Action, kind: PriceType
) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        ladder.spy()
        ladder.arm()
        ladder.hold_still()
        view = ladder.view
        for _ in range(3):
            none = Qt.KeyboardModifier.NoModifier
            held = QKeyEvent(QEvent.Type.KeyPress, key, none, "x", True, 1)
            QApplication.sendEvent(view, held)
        for modifier in (Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier):
            QApplication.sendEvent(view, QKeyEvent(QEvent.Type.KeyPress, key, modifier))
        await settle()
        assert ladder.placed == []
        QTest.keyClick(view, key)
        await until(lambda: bool(ladder.placed), "the order")
        (sent,) = ladder.placed
        assert (sent.action, sent.price_type) == (action, kind)
        tick = session.bridge.latest(SBIN)
        assert tick is not None
        best = tick.bid if action is Action.BUY else tick.ask
        assert sent.price == (best if kind is PriceType.LIMIT else 0.0)

    drive(scenario)


def test_an_unusual_order_is_asked_about_first(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        ladder.spy()
        ladder.arm()
        ladder.hold_still()
        session.bridge.set_setting("confirm.place", "always")
        ladder.click(Column.BID, ladder.best_bid - 2)

        def asked() -> list[ConfirmDialog]:
            return [d for d in ladder.dock.findChildren(ConfirmDialog) if d.isVisible()]

        await until(asked, "the question")
        assert ladder.placed == []
        asked()[0].no.click()
        await until(lambda: not ladder.dock.hand._orders, "its end")
        assert ladder.placed == [] and asked() == []
        ladder.click(Column.BID, ladder.best_bid - 2)
        await until(asked, "the question again")
        asked()[0].yes.click()
        await until(lambda: len(ladder.placed) == 1, "the order")

    drive(scenario)


def test_an_own_order_is_dragged_by_one_change_and_cancelled_by_a_click(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        grid, view = ladder.view.grid, ladder.view
        ladder.hold_still()  # before the order: the market must not reach it
        order = await ladder.rest(grid.price(ladder.best_bid - 6))
        number = grid.number(order.price)
        ladder.spy()

        def own() -> QPoint:  # looked up each time: a late layout moves the rows
            return ladder.at(Column.OWN_BID, number)

        def there() -> QPoint:
            return ladder.at(Column.OWN_BID, number + 2)

        def drag(to: QPoint) -> None:
            QTest.mousePress(view, LEFT, pos=own())
            QTest.mouseMove(view, to)
            QTest.mouseRelease(view, LEFT, pos=to)

        drag(there())  # not armed
        ladder.click(Column.OWN_BID, number, MIDDLE)
        await settle()
        assert ladder.modified == ladder.cancelled == []
        ladder.arm()
        drag(own())  # not moved
        QTest.mousePress(view, LEFT, pos=own())
        QTest.mouseMove(view, there())
        assert view.dragging
        assert not view.grab().isNull()  # with the ghost
        QTest.keyClick(view, Qt.Key.Key_Escape)
        QTest.mouseRelease(view, LEFT, pos=there())
        await settle()
        assert ladder.modified == []
        await until(lambda: not ladder.dock.why_stale(), "prices that may be traded on")
        drag(there())
        await until(lambda: bool(ladder.modified), "the change")
        await until(lambda: not ladder.dock.hand._busy, "its end")
        (change,) = ladder.modified
        assert (change.order_id, change.price) == (order.order_id, grid.price(number + 2))
        assert ladder.placed == []
        ladder.click(Column.OWN_BID, number, MIDDLE)
        await until(lambda: ladder.cancelled == [order.order_id], "the cancellation")

    drive(scenario)


def test_right_click_on_an_own_order_offers_to_cancel_it_when_not_armed(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        number = ladder.best_bid - 6
        order = await ladder.rest(ladder.view.grid.price(number))
        ladder.spy()
        ladder.hold_still()
        ladder.click(Column.OWN_BID, ladder.view.grid.number(order.price), RIGHT)
        (menu,) = [
            m
            for m in ladder.dock.findChildren(QMenu)
            if m.objectName().endswith("-menu")
            and m.actions()
            and m.actions()[0].text().startswith("Cancel")
        ]
        menu.actions()[0].trigger()
        menu.close()
        await until(lambda: ladder.cancelled == [order.order_id], "the cancellation")

    drive(scenario)


def test_flatten_cancels_the_orders_of_the_symbol_and_closes_it(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        bridge, books = session.bridge, session.bridge.books
        await bridge.desk.place(OrderRequest(SBIN[1], SBIN[0], Action.BUY, 20), bridge.mode)
        await until(lambda: any(p.key == SBIN and p.quantity == 20 for p in books.positions), "it")
        await until(lambda: "+20 MIS" in ladder.view.market.held_text, "the position")
        assert ladder.view.market.held is not None
        await until(lambda: "ticks" in ladder.dock.foot.won.text(), "its result in the foot")
        await ladder.rest(ladder.view.grid.price(ladder.best_bid - 8))
        assert not bridge.arm.armed
        ladder.dock.foot.buttons["flatten"].click()  # gets out, armed or not
        await until(lambda: not books.working_of(SBIN), "no order")
        await until(lambda: not ladder.dock.hand.positions(SBIN), "no position")
        await until(lambda: ladder.dock.foot.held.text() == "Flat", "flat")

    drive(scenario)


def test_flatten_takes_back_an_entry_where_nothing_is_held_yet(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        await ladder.rest(ladder.view.grid.price(ladder.best_bid - 8))
        ladder.dock.foot.buttons["flatten"].click()
        await until(lambda: not session.bridge.books.working_of(SBIN), "no order")

    drive(scenario)


def test_one_refusal_keeps_no_other_cancellation_or_exit_back(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        bridge: Any = session.bridge
        base = ladder.best_bid
        orders = [await ladder.rest(ladder.view.grid.price(base - n)) for n in (8, 9, 10)]
        done: list[object] = []

        async def refuse_first(*what: object, **_: object) -> None:
            done.append(what[0])
            if len(done) == 1:
                raise RejectedByBroker("not now")

        bridge.desk.cancel = refuse_first
        ladder.dock.run("cancel-mine", by_button=True)
        await until(lambda: len(done) == 3, "all three asked")
        assert set(done) == {order.order_id for order in orders}
        await until(lambda: any("1 of 3 failed" in text for text in ladder.notices), "it is told")
        for product in (Product.MIS, Product.CNC):
            request = OrderRequest(SBIN[1], SBIN[0], Action.BUY, 5, product=product)
            await bridge.desk.place(request, bridge.mode)
        await until(lambda: len(ladder.dock.hand.positions(SBIN)) == 2, "two products")
        done.clear()
        bridge.desk.close_position = refuse_first
        ladder.dock.run("flatten", by_button=True)
        await until(lambda: len(done) == 2, "both asked")

    drive(scenario)


def test_a_size_that_is_not_read_yet_sends_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        ladder.spy()
        ladder.arm()
        ladder.hold_still()
        for field, text in ((ladder.dock.bar.lots, ""), (ladder.dock.bar._ticks[0], "1,")):
            before = field.text()
            field.lineEdit().setText(text)
            ladder.dock.run("buy-market")
            ladder.click(Column.BID, ladder.best_bid - 2)
            await settle()
            assert ladder.placed == []
            field.lineEdit().setText(before)
        ladder.dock.run("buy-market")
        await until(lambda: len(ladder.placed) == 1, "it sends again")

    drive(scenario)


def test_a_bracket_of_the_fields_goes_with_what_opens_and_not_with_what_closes(
    drive: Drive,
) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        bridge, books = session.bridge, session.bridge.books
        ladder.arm()
        ladder.dock.bar._ticks[0].setValue(40)
        ladder.dock.bar._ticks[1].setValue(60)
        QTest.keyClick(ladder.view, Qt.Key.Key_A)
        await until(lambda: bool(ladder.dock.hand.positions(SBIN)), "the position")
        (plan,) = bridge.watch.plans(bridge.mode)
        assert isinstance(plan, ExitPlan) and plan.spec.stop is not None
        assert (float(plan.spec.stop.value), plan.spec.stop.unit) == (2.0, Unit.POINTS)
        assert float(plan.spec.targets[0].at.value) == 3.0
        assert books.positions
        closing = ladder.dock._request(Action.SELL, PriceType.MARKET)
        assert ladder.dock._bracket(closing) is None
        assert ladder.dock._bracket(ladder.dock._request(Action.BUY, PriceType.MARKET)) is not None

    drive(scenario)


def test_the_product_follows_what_is_held_until_another_is_chosen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        bridge, product = session.bridge, ladder.dock.bar.product
        assert product.value() == "MIS"
        request = OrderRequest(SBIN[1], SBIN[0], Action.BUY, 20, product=Product.CNC)
        await bridge.desk.place(request, bridge.mode)
        await until(lambda: product.value() == "CNC", "the product of the position")
        product.choose("MIS")
        ladder.dock.dirty = True
        await until(lambda: not ladder.dock.dirty, "another look")
        assert product.value() == "MIS"  # the user's choice

    drive(scenario)


def test_an_index_has_no_ladder(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        ladder.arm()
        ladder.spy()
        session.bridge.select(("NSE_INDEX", "NIFTY"))
        assert "no ladder" in ladder.dock._empty.text() and not ladder.dock._empty.isHidden()
        for word in ("buy-market", "join-bid", "flatten", "centre"):
            ladder.dock.run(word)
        await settle()
        assert ladder.placed == []
        session.bridge.select(SBIN)
        assert ladder.dock._empty.isHidden()

    drive(scenario)


def test_sizes_keys_grouping_and_state(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        dock, view = ladder.dock, ladder.view
        QTest.keyClick(view, Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)
        assert dock.bar.lots.value() == 10
        dock.bar.lots.setValue(33)
        dock.bar.set_size(0)
        dock.bar.choose_size(0)
        assert dock.bar.size_buttons[0].isChecked()
        dock.regroup(5)
        await until(lambda: bool(view.market.bids), "a grouped book")
        assert view.grid.price(view.grid.top) % 0.25 < 0.01
        assert session.terminal.hub.latest(SBIN) is not None
        deep = lambda: len(session.bridge.latest(SBIN).depth.buy) == 20  # type: ignore[union-attr]  # noqa: E731
        await until(deep, "twenty levels")
        state = dock.save_state()
        dock.close()
        again = session.window.docking.show("ladder")
        assert isinstance(again, LadderDock)
        assert again.view.grid.group == 5 and again.bar.lots.value() == 33
        assert again.bar.presets[0] == 33
        assert again.save_state() == state
        again.restore_state({"lots": -4, "presets": ["x"], "group_ticks": 7, "product": "ODD"})
        assert again.bar.lots.value() == 33 and again.view.grid.group == 5

    drive(scenario)


def test_closed_ladders_leave_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        docking, bridge = session.window.docking, session.bridge

        async def gone() -> None:
            await until(lambda: not session.window.findChildren(LadderDock), "closed docks go")

        docking.open("ladder").close()
        await gone()
        served, wanted = bridge.frames.served, len(bridge.prices._wanted)
        for _ in range(10):
            docking.open("ladder").close()
        await gone()
        assert (bridge.frames.served, len(bridge.prices._wanted)) == (served, wanted)
        assert bridge.depths._wishes == {}

    drive(scenario)


def test_a_trade_flashes_unless_motion_is_off_and_forty_levels_are_cheap(qtbot: QtBot) -> None:
    view = LadderView("ladder")
    qtbot.addWidget(view)
    view.resize(340, view.head + 41 * 22)
    view.grid.tick = 0.05
    view.grid.centre(800.0)
    middle = view.grid.number(800.0)
    view.show_market(Market(last=middle))
    view.show_market(Market(last=middle + 1))
    assert view._flash == (middle + 1, "up")
    look.use(look.Look(still=True))
    try:
        view._flash = None
        view.show_market(Market(last=middle))
        assert view._flash is None
    finally:
        look.use(look.Look())
    picture, costs = QPixmap(view.size()), []
    for turn, deep in enumerate((20, 20, 200)):
        bids = {middle - n: 65 * (n + turn) + 65 for n in range(deep)}
        asks = {middle + 1 + n: 65 * (n + turn) + 65 for n in range(deep)}
        view.show_market(Market(bids, asks, volume=dict(bids), last=middle))
        costs.append(calls(lambda: view.render(picture)))
    assert max(costs[1:]) < 41 * 160  # about 116 a level that is shown


def test_the_menu_marks_prices_takes_sizes_and_brackets_and_sends_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ladder = await Ladder(session).ready()
        ladder.spy()
        ladder.hold_still()
        ladder.arm()  # even then
        dock, view, number = ladder.dock, ladder.view, ladder.best_bid - 3
        assert dock.instrument is not None

        def items() -> dict[str, Any]:
            menu = QMenu()
            ladder_menu.fill(dock, menu, Cell(Column.PRICE, number))
            found = list(menu.actions())
            for sub in menu.findChildren(QMenu):
                found += sub.actions()
            kept.append(menu)
            return {action.text(): action for action in found}

        kept: list[QMenu] = []
        items()["Colour 2"].trigger()
        assert view.marks == {number: 2} and items()["Colour 2"].isChecked()
        assert not view.grab().isNull()
        dock.regroup(5)
        assert view.marks == {number // 5: 2}  # the mark stands at the price
        dock.regroup(1)
        state = dock.save_state()
        items()["None"].trigger()
        assert view.marks == {}
        dock.restore_state(state | {"marks": [*state["marks"], ["NSE"], 7]})  # type: ignore[misc]
        assert view.marks == {number: 2}
        items()["10 lots"].trigger()
        assert dock.bar.lots.value() == 10
        items()["Orders carry stop and target"].trigger()
        assert dock.bar.bracket() == BRACKET
        dock.bar.restore_state({"stop_ticks": 7, "target_ticks": 0})
        items()["Orders carry stop and target"].trigger()
        assert dock.bar.bracket() == (0, 0)
        items()["Orders carry stop and target"].trigger()
        assert dock.bar.bracket() == (7, 0)  # those of before
        price = view.grid.price(number)
        lines: list[OrderRequest] = []
        session.bridge.basket_wanted.connect(lines.append)
        items()[f"Add buy at {price:,.2f} to basket"].trigger()
        (line,) = lines
        assert (line.action, line.quantity, line.price) == (Action.BUY, 10, price)
        items()[f"Sell at {price:,.2f}…"].trigger()
        await settle()
        (wish,) = ladder.wishes
        assert (wish.action, wish.price) == (Action.SELL, price)
        assert ladder.placed == ladder.modified == ladder.cancelled == []

    drive(scenario)
