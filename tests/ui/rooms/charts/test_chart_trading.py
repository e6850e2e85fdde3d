"""Orders from the chart: one click at the bid or the ask while armed, tickets of its menu."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.core.ticketing import TicketWish
from openalgo_desktop.core.ticks import Bars, Tick
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, hold_still, priced
from tests.waiting import until

pytestmark = pytest.mark.docks("chart", "positions", "orders")

LEFT = Qt.MouseButton.LeftButton
NIFTY: Key = ("NSE_INDEX", "NIFTY")


class Chart:
    """A chart of SBIN whose buttons show prices, and what left through it."""

    def __init__(self, session: Session) -> None:
        self.session, self.bridge = session, session.bridge
        dock = session.window.docks["chart"]
        assert isinstance(dock, ChartDock)
        self.dock, self.buttons = dock, dock.cell.sides.buttons
        self.placed: list[OrderRequest] = []
        self.notices: list[str] = []
        self.bridge.notice.connect(lambda _level, text: self.notices.append(text))

    async def ready(self) -> Chart:
        window = self.session.window
        window.showNormal()
        window.resize(1600, 1000)
        await priced(self.session)
        self.dock.raise_()
        await until(lambda: self.shown(Action.BUY) > 0, "prices on the buttons")
        await until(self.buttons[Action.BUY].isVisible, "the buttons")
        await until(lambda: self.dock.cell.data.is_drawn, "its bars")
        bridge: Any = self.bridge

        async def place(request: OrderRequest, mode: Mode) -> None:
            self.placed.append(request)

        bridge.desk.place = place
        return self

    def shown(self, action: Action) -> float:
        text = self.buttons[action].text().split()[-1].replace(",", "")
        return 0.0 if text == "–" else float(text)

    def hold_still(self) -> Tick:
        """The market stays as it is, and fresh however slow the machine is."""
        return hold_still(self.session)

    def arm(self) -> None:
        self.bridge.arm.arm(self.bridge.mode)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_not_armed_a_side_opens_the_ticket_and_sends_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        ticket = session.window.ticket
        ticket.form.set_action(None)
        click(chart.buttons[Action.SELL])
        await settle()
        assert chart.placed == [] and ticket.form.action is Action.SELL

    drive(scenario)


def test_armed_a_click_sends_a_limit_at_the_price_that_was_pressed(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        frozen = chart.hold_still()
        chart.arm()
        button = chart.buttons[Action.BUY]
        assert "ARMED" in button.toolTip()
        chart.dock.cell.sides.show_prices(frozen)
        pressed = chart.shown(Action.BUY)
        assert pressed == frozen.ask
        QTest.mousePress(button, LEFT)
        chart.dock.cell.sides._shown[Action.BUY] = (
            pressed + 5.0
        )  # the market goes on under the hand
        QTest.mouseRelease(button, LEFT)
        await until(lambda: bool(chart.placed), "the order")
        (order,) = chart.placed
        assert (order.key, order.action, order.price_type) == (SBIN, Action.BUY, PriceType.LIMIT)
        assert (order.price, order.quantity, order.product) == (pressed, 1, Product.MIS)
        # Let go elsewhere nothing is sent.
        chart.placed.clear()
        QTest.mousePress(chart.buttons[Action.SELL], LEFT)
        QTest.mouseRelease(chart.buttons[Action.SELL], LEFT, pos=QPoint(-40, -40))
        await settle()
        assert chart.placed == []

    drive(scenario)


def test_a_press_on_one_instrument_sends_none_of_another(drive: Drive) -> None:
    """The chart is linked: it may change while the button is down."""

    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        chart.arm()
        button = chart.buttons[Action.BUY]
        QTest.mousePress(button, LEFT)
        chart.dock.show_symbol(("NSE", "RELIANCE"))
        await until(lambda: chart.shown(Action.BUY) > 0, "prices of the other one")
        QTest.mouseMove(button, button.rect().center() + QPoint(1, 0))
        chart.notices.clear()
        QTest.mouseRelease(button, LEFT)
        await settle()
        assert chart.placed == []
        assert any("another instrument" in text for text in chart.notices)
        click(button)  # a press of its own is meant
        await until(lambda: bool(chart.placed), "the order")
        assert chart.placed[0].key == ("NSE", "RELIANCE")

    drive(scenario)


def test_old_prices_send_nothing_and_say_why(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        chart.arm()
        session.terminal.hub._source.set_sink(lambda tick: None)  # type: ignore[union-attr]
        session.terminal.hub._spoil()
        chart.notices.clear()
        click(chart.buttons[Action.SELL])
        await settle()
        assert chart.placed == [] and any("Not sent" in text for text in chart.notices)

    drive(scenario)


def test_what_is_held_decides_the_product(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        bought = OrderRequest(SBIN[1], SBIN[0], Action.BUY, 3, product=Product.CNC)
        await session.bridge.desk.place(bought, session.bridge.mode)
        chart = await Chart(session).ready()
        await until(lambda: bool(chart.dock.cell.hand.positions(SBIN)), "the position")
        chart.hold_still()
        chart.arm()
        click(chart.buttons[Action.SELL])
        await until(lambda: bool(chart.placed), "the order")
        assert chart.placed[0].product is Product.CNC

    drive(scenario)


def test_an_index_has_no_sides_and_no_orders_in_its_menu(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        session.bridge.select(NIFTY)
        await until(lambda: chart.dock.key == NIFTY, "the index")
        await until(lambda: chart.dock.cell.data.is_drawn, "its bars")
        assert not any(button.isVisible() for button in chart.buttons.values())
        words = menu_words(chart.dock, 24_000.02)
        assert words[0] == "Alert" and "Fit" in words
        orders = {"Buy", "Sell", "Stop", "Take", "Add", "Cancel", "Close", "Reverse"}
        assert not orders & set(words)

    drive(scenario)


def menu_words(dock: ChartDock, price: float) -> list[str]:
    """First words of the menu at a price."""
    dock.cell.chart_menu.open(price, QPoint(0, 0))
    menus = [m for m in dock.findChildren(QMenu) if m.objectName() == "dock-chart-menu"]
    words = [action.text().split()[0] for action in menus[-1].actions() if action.text()]
    menus[-1].close()
    return words


def test_a_price_of_the_menu_becomes_a_line_of_the_basket(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        last = chart.hold_still().ltp
        lines: list[OrderRequest] = []
        session.bridge.basket_wanted.connect(lines.append)
        chart.dock.cell.chart_menu.open(last + 0.02, QPoint(0, 0))
        (menu,) = [m for m in chart.dock.findChildren(QMenu) if m.isVisible()]
        for action in menu.actions():
            if action.text().endswith("to basket"):
                action.trigger()
        menu.close()
        assert [(row.action, row.symbol, row.quantity) for row in lines] == [
            (Action.BUY, "SBIN", 1),
            (Action.SELL, "SBIN", 1),
        ]
        assert all(abs(row.price - last) < 1e-9 for row in lines)  # on the tick
        assert {row.price_type for row in lines} == {PriceType.LIMIT} and chart.placed == []

    drive(scenario)


def test_a_stop_of_the_menu_is_on_its_side_of_the_market(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        last = chart.hold_still().ltp
        wishes: list[TicketWish] = []
        session.bridge.ticket_wanted.connect(wishes.append)
        for price in (last * 1.01, last * 0.99):
            chart.dock.cell.chart_menu.open(price, QPoint(0, 0))
            (menu,) = [m for m in chart.dock.findChildren(QMenu) if m.isVisible()]
            (stop,) = [a for a in menu.actions() if a.text().startswith("Stop")]
            stop.trigger()
            menu.close()
        assert [wish.action for wish in wishes] == [Action.BUY, Action.SELL]
        assert wishes[0].trigger_price > last > wishes[1].trigger_price > 0
        assert {wish.price_type for wish in wishes} == {PriceType.SLM}
        form = session.window.ticket.form
        assert (form.action, form.trigger.value()) == (Action.SELL, wishes[1].trigger_price)
        assert chart.placed == []

    drive(scenario)


def test_a_chart_without_bars_says_of_whom_and_what_may_have_some(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        bridge: Any = session.bridge

        async def nothing(*_: object) -> Bars:
            return Bars.empty()

        bridge.bars.of_days = nothing
        chart.dock.cell.load()
        empty = chart.dock.cell.empty.label
        await until(lambda: "No bars of SBIN for 5m" in empty.text(), "the reason")
        assert "Simulator" in empty.text() and "Try D" in empty.text()

    drive(scenario)


def test_a_second_click_within_a_moment_is_a_slip_of_the_hand(drive: Drive) -> None:
    """Whatever its price: keys repeat and mice bounce."""

    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        last = chart.hold_still().ltp
        chart.arm()
        now = [100.0]
        bridge: Any = session.bridge
        bridge.monotonic = lambda: now[0]

        def send(action: Action, price: float) -> bool:
            request = OrderRequest(SBIN[1], SBIN[0], action, 1, PriceType.LIMIT, price=price)
            return chart.dock.cell.hand.place(request, bridge.mode)

        assert send(Action.BUY, last)
        now[0] += 0.1
        assert not send(Action.BUY, round(last - 0.05, 2))
        now[0] += 0.1  # each repetition is one, however long it goes on
        assert not send(Action.BUY, round(last - 0.10, 2))
        assert send(Action.SELL, last)
        now[0] += 0.13
        assert send(Action.BUY, round(last - 0.15, 2))
        await until(lambda: len(chart.placed) == 3, "three orders")

    drive(scenario)


def item(dock: ChartDock, start: str) -> Any:
    (menu,) = [m for m in dock.findChildren(QMenu) if m.isVisible()]
    (found,) = [a for a in menu.actions() if a.text().startswith(start)]
    return found


def test_the_menu_closes_half_turns_and_cancels_and_asks_first(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge: Any = session.bridge
        await bridge.desk.place(OrderRequest(SBIN[1], SBIN[0], Action.BUY, 20), bridge.mode)
        chart = await Chart(session).ready()
        await until(lambda: bool(chart.dock.cell.hand.positions(SBIN)), "the position")
        last = chart.hold_still().ltp
        closed: list[int] = []
        turned: list[str] = []

        async def close_position(*where: Any, quantity: int = 0, **_: Any) -> None:
            closed.append(quantity)

        async def reverse(row: Any, *_: Any) -> Any:
            turned.append(row.symbol)

        bridge.desk.close_position, bridge.desk.reverse = close_position, reverse

        def question() -> Any:
            return [d for d in chart.dock.findChildren(ConfirmDialog) if d.isVisible()]

        chart.dock.cell.chart_menu.open(last, QPoint(0, 0))
        item(chart.dock, "Close half (10)").trigger()
        await until(question, "the question")
        assert closed == []
        question()[0].yes.click()
        await until(lambda: closed == [10], "half of it")
        chart.arm()
        chart.dock.cell.chart_menu.open(last, QPoint(0, 0))
        turn = item(chart.dock, "Reverse to short 20")
        bridge.arm.disarm()  # while the menu is open: what it offers asks after all
        turn.trigger()
        await until(question, "the question")
        question()[0].no.click()
        await settle()
        assert turned == [] and chart.placed == []

    drive(scenario)


def test_a_menu_of_one_mode_does_not_outlive_it(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        chart.dock.cell.chart_menu.open(chart.hold_still().ltp, QPoint(0, 0))
        assert item(chart.dock, "Buy at") is not None
        session.bridge.mode_changed.emit(Mode.LIVE)
        assert not [m for m in chart.dock.findChildren(QMenu) if m.isVisible()]

    drive(scenario)


def test_armed_the_menu_says_that_it_sends_and_sends_once(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        chart = await Chart(session).ready()
        last = chart.hold_still().ltp
        chart.arm()
        chart.dock.cell.chart_menu.open(last, QPoint(0, 0))
        item(chart.dock, "Sell 1 at").trigger()
        await until(lambda: bool(chart.placed), "the order")
        (order,) = chart.placed
        assert (order.action, order.price_type, order.quantity) == (
            Action.SELL, PriceType.LIMIT, 1,
        )  # fmt: skip
        assert abs(order.price - last) < 0.026

    drive(scenario)
