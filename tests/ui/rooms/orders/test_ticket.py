"""The order ticket on a real terminal: what it shows, what it sends, and what it refuses to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from openalgo_desktop.core.enums import Action, FeedMode, Mode, PriceType, Product, Validity
from openalgo_desktop.core.errors import ConfigError, InvalidOrder, RejectedByBroker
from openalgo_desktop.core.model import (
    BookRows,
    Instrument,
    Order,
    OrderAck,
    OrderRequest,
    Position,
)
from openalgo_desktop.core.ticketing import TicketUse, TicketWish, of_order
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.ui.kit.clips import clips
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.orders.ticket import CHOOSE_SIDE, TicketDock
from openalgo_desktop.ui.rooms.orders.ticket_sender import NO_ANSWER, NO_ANSWER_MS
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.waiting import at_rest, until

BUY, SELL = Action.BUY, Action.SELL


def ticket_of(session: Session) -> TicketDock:
    return session.window.ticket


def quiet(session: Session) -> Callable[..., None]:
    """Nothing comes from the simulator any more; the market is what the test says."""
    hub = session.terminal.hub
    assert hub._source is not None
    hub._source.set_sink(lambda tick: None)

    def market(ltp: float, spread: float = 0.2, **more: Any) -> None:
        half = spread / 2
        tick = Tick(
            "SBIN", "NSE", ltp, FeedMode.QUOTE, bid=ltp - half, ask=ltp + half, close=ltp, **more
        )
        hub.publish(tick)

    return market


def sent(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[OrderRequest]:
    """Orders that leave; each is answered at once."""
    orders: list[OrderRequest] = []
    gateway: Any = session.terminal.sandbox

    async def place(request: OrderRequest, tag: str) -> OrderAck:
        orders.append(request)
        return OrderAck(f"T{len(orders)}")

    monkeypatch.setattr(gateway, "place", place)
    return orders


async def settled(ticket: TicketDock) -> None:
    await until(lambda: not ticket.sending.busy, "the answer")


def question(ticket: TicketDock) -> ConfirmDialog | None:
    return next((d for d in ticket.findChildren(ConfirmDialog) if d.isVisible()), None)


def derivative(session: Session, *, option: bool) -> Instrument:
    return next(
        row
        for row in session.bridge.search("NIFTY", 400)
        if row.name == "NIFTY" and row.is_option is option and row.expiry is not None
    )


# -- side ----------------------------------------------------------------------------------------
def test_without_a_symbol_there_is_nothing_to_send(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ticket = TicketDock(session.bridge, "ticket-9")
        assert ticket.frame.isHidden() and not ticket._empty.isHidden()
        ticket.submit()
        assert not ticket.sending.busy and ticket.request() is None
        ticket.release()
        ticket.deleteLater()

    drive(scenario)


def test_no_order_without_a_side_that_was_chosen_for_this_symbol(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        await priced(session, side=SELL)
        ticket = ticket_of(session)
        assert ticket.action is SELL
        session.bridge.select(SBIN)  # the same again: what was filled in stays
        assert ticket.action is SELL
        session.bridge.select(("NSE", "INFY"))
        assert ticket.action is None and ticket.request() is None
        assert ticket.send.text() == CHOOSE_SIDE and not ticket.send.isEnabled()
        ticket.submit()
        await asyncio.sleep(0)
        assert "Choose BUY or SELL" in ticket.result.text() and orders == []
        click(ticket.side_buttons[BUY])
        assert ticket.send.isEnabled() and ticket.send.text().startswith("BUY 1\n")

    drive(scenario)


def test_the_button_says_side_lots_type_price_and_trigger(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        row = derivative(session, option=False)
        await priced(session, row.key, SELL)
        ticket = ticket_of(session)
        ticket.lots.setValue(2)
        assert ticket.send.text() == f"SELL 2 lots ({2 * row.lot_size})\nMARKET"
        ticket.price_type.choose("SL")
        assert ticket.send.text().endswith("SL – · trigger –")
        last = session.bridge.latest(row.key).ltp  # type: ignore[union-attr]
        trigger = round(last * 0.98, 0)
        ticket.trigger.setValue(trigger)
        ticket.price.setValue(trigger - 10)
        assert f"trigger {trigger:,.2f}" in ticket.send.text().replace(",", ",")
        assert "SL " in ticket.send.text()
        assert "SELL 2 lots" in ticket.send.accessibleName()

    drive(scenario)


# -- prices --------------------------------------------------------------------------------------
def test_a_limit_follows_its_side_until_it_is_touched(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        market = quiet(session)
        market(800.0)
        ticket.price_type.choose("LIMIT")
        chip = ticket.price_field.chip
        await until(lambda: ticket.price.value() == 799.9, "the bid")
        assert chip.text() == "follows bid"
        market(802.0)
        await until(lambda: ticket.price.value() == 801.9, "the bid again")
        click(ticket.side_buttons[SELL])
        assert (ticket.price.value(), chip.text()) == (802.1, "follows ask")
        ticket.price.stepBy(1)
        assert chip.text() == "fixed" and ticket.price.value() == pytest.approx(802.15)
        market(810.0)
        await until(lambda: "810.00" in ticket.ltp.text(), "the market moved")
        assert ticket.price.value() == pytest.approx(802.15)
        click(chip)
        assert (ticket.price.value(), chip.text()) == (810.1, "follows ask")

    drive(scenario)


def test_what_is_being_clicked_does_not_change_under_the_pointer(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        market = quiet(session)
        market(800.0)
        ticket.price_type.choose("LIMIT")
        await until(lambda: ticket.price.value() == 799.9, "the bid")
        said = ticket.send.text()
        QTest.mousePress(ticket.send, Qt.MouseButton.LeftButton)
        market(900.0)
        await until(lambda: "900.00" in ticket.ltp.text(), "the market moved")
        assert ticket.send.text() == said
        assert ticket.request().price == 799.9  # type: ignore[union-attr]
        QTest.mouseRelease(ticket.send, Qt.MouseButton.LeftButton, pos=QPoint(-50, -50))
        assert not ticket.sending.busy  # released elsewhere: no order

    drive(scenario)


def test_what_changes_between_press_and_release_is_not_sent(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        orders = sent(session, monkeypatch)
        ticket = ticket_of(session)
        ticket.price_type.choose("MARKET")
        ticket.set_action(BUY)
        left = Qt.MouseButton.LeftButton
        QTest.mousePress(ticket.send, left)
        ticket.units.setValue(7)  # a wish of another panel
        QTest.mouseRelease(ticket.send, left)
        QTest.mousePress(ticket.send, left)
        monkeypatch.setattr(session.terminal.desk, "_mode", Mode.LIVE)  # a script moved the switch
        QTest.mouseRelease(ticket.send, left)
        monkeypatch.setattr(session.terminal.desk, "_mode", Mode.SANDBOX)
        await settled(ticket)
        assert orders == [] and "changed" in ticket.result.text()
        click(ticket.send)
        await settled(ticket)
        assert [order.quantity for order in orders] == [7]

    drive(scenario)


def test_a_bracket_does_not_go_to_another_symbol(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        ticket.bracket.on.setChecked(True)
        ticket.bracket.editors["stop"].setValue(2.0)
        assert ticket.bracket.spec() is not None
        ticket.show_symbol(("NSE", "INFY"))
        assert ticket.bracket.spec() is None

    drive(scenario)


def test_a_price_that_was_picked_is_fixed(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        session.bridge.pick_price(SBIN, 790.02, explicit=True)
        assert ticket.price_type.value() == "LIMIT"
        assert (ticket.price.value(), ticket.price_field.chip.text()) == (790.0, "fixed")

    drive(scenario)


def wheel(widget: QWidget) -> None:
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(middle.toPoint())),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def test_the_wheel_changes_an_order_only_where_it_is_wanted_and_focused(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        session.window.activateWindow()
        ticket.units.setFocus()
        await until(ticket.units.hasFocus, "the focus")
        wheel(ticket.units)
        assert ticket.units.value() == 1
        session.bridge.set_setting("ui.wheel", True)
        wheel(ticket.units)
        assert ticket.units.value() == 2
        ticket.send.setFocus()
        wheel(ticket.units)
        assert ticket.units.value() == 2

    drive(scenario)


def test_a_text_that_is_no_clear_number_is_not_sent(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        await priced(session)
        ticket = ticket_of(session)
        ticket.price_type.choose("LIMIT")
        ticket.price.lineEdit().setText("899,50")
        ticket.submit()
        await asyncio.sleep(0)
        assert "899.50" in ticket.price_field.error() and orders == []

    drive(scenario)


@pytest.mark.parametrize(
    ("where", "typed"), [("price", "899,50"), ("stop", "1,5"), ("units", "1,")]
)
def test_the_click_that_leaves_a_half_typed_field_sends_nothing(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, where: str, typed: str
) -> None:
    """The press takes the focus from the field, and Qt puts another value in it: 0, or the one
    from before. A stop of 0 is no stop, and a quantity from before is not what was meant."""

    async def scenario(session: Session) -> None:
        await priced(session)
        orders = sent(session, monkeypatch)
        ticket = ticket_of(session)
        session.window.activateWindow()
        ticket.price_type.choose("LIMIT" if where == "price" else "MARKET")
        ticket.form.set_price(800.0)
        ticket.bracket.on.setChecked(where == "stop")
        ticket.bracket.editors["target"].setValue(30.0)
        field = {"price": ticket.price, "units": ticket.units}.get(where)
        field = field or ticket.bracket.editors["stop"]
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, typed)
        click(ticket.send)
        await settled(ticket)
        assert not field.hasFocus() and orders == []
        assert field.problem()
        field.setValue(800.0 if where == "price" else 3)  # type: ignore[arg-type]
        assert not field.problem()

    drive(scenario)


def test_more_than_can_be_counted_is_no_order(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        ticket.show_symbol(derivative(session, option=False).key)
        ticket.set_action(BUY)
        ticket.lots.setValue(2_000_000_000)
        request = ticket.request()
        assert request is not None and request.quantity == ticket.units.maximum()
        assert not ticket._check(request, told=False)
        ticket.extras.use({"size": 10**30, "price_type": 3, "bracket": {"stop": "x", "on": 1}})

    drive(scenario)


# -- what is refused -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("side", "trigger", "words"),
    [(BUY, 790.0, "BUY stop must be above"), (SELL, 810.0, "SELL stop must be below")],
)
def test_a_stop_on_the_wrong_side_is_refused_in_words_under_its_field(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, side: Action, trigger: float, words: str
) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        await priced(session, side=side)
        ticket = ticket_of(session)
        quiet(session)(800.0)
        ticket.price_type.choose("SL-M")
        ticket.trigger.setValue(trigger)
        click(ticket.send)
        await asyncio.sleep(0)
        assert words in ticket.trigger_field.error() and orders == []
        ticket.trigger.setValue(800.0 + side.sign * 20)
        assert not ticket.trigger_field.error()
        click(ticket.send)
        await settled(ticket)
        assert [order.trigger_price for order in orders] == [800.0 + side.sign * 20]

    drive(scenario)


def test_types_and_products_follow_the_instrument(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        ticket = ticket_of(session)

        def offered(segments: Any) -> list[str]:
            return [name for name in segments.options if not segments.button(name).isHidden()]

        session.bridge.select(SBIN)
        ticket.price_type.choose("SL-M")
        assert offered(ticket.price_type) == ["MARKET", "LIMIT", "SL", "SL-M"]
        assert offered(ticket.product) == ["MIS", "CNC"]
        session.bridge.select(derivative(session, option=True).key)
        assert offered(ticket.price_type) == ["MARKET", "LIMIT", "SL"]
        assert ticket.price_type.value() == "MARKET"  # what is not offered does not stay chosen
        assert offered(ticket.product) == ["MIS", "NRML"]

    drive(scenario)


def test_words_of_the_api_do_not_reach_a_trader(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        ticket.price_type.choose("SL-M")
        click(ticket.send)
        assert ticket.trigger_field.error() == "Enter a trigger price: SL-M waits for it."
        ticket.units.setValue(0)
        assert ticket.units_field.error() == "Enter a quantity."

    drive(scenario)


# -- positions -----------------------------------------------------------------------------------
def hold(session: Session, quantity: int, product: Product = Product.MIS) -> Position:
    """A position in the books of account, engine and window."""
    row = Position("SBIN", "NSE", product, quantity, 790.0, 800.0)

    async def positions() -> BookRows[Position]:
        return BookRows([row])

    sandbox: Any = session.terminal.sandbox
    sandbox.positions = positions  # the window may read them again at any time
    desk = session.terminal.desk
    desk.books.book(desk.mode).adopt_positions([row])
    books: Any = session.bridge.books
    books.positions = [row]
    books.positions_changed.emit()
    return row


@pytest.mark.parametrize(
    ("use", "held", "side", "units", "kind"),
    [
        (TicketUse.EXIT, 30, SELL, 30, "MARKET"),
        (TicketUse.EXIT, -30, BUY, 30, "MARKET"),
        (TicketUse.ADD, -30, SELL, 1, "MARKET"),
        (TicketUse.STOP, 30, SELL, 30, "SL-M"),
        (TicketUse.TARGET, 30, SELL, 30, "LIMIT"),
    ],
)
def test_a_position_fills_the_ticket_and_sends_nothing(
    drive: Drive,
    monkeypatch: pytest.MonkeyPatch,
    use: TicketUse,
    held: int,
    side: Action,
    units: int,
    kind: str,
) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        await priced(session)
        ticket = ticket_of(session)
        hold(session, held, Product.CNC)
        line = ticket.position_bar.lines[Product.CNC]
        await until(lambda: not line.isHidden(), "the position")
        click(line.buttons[use])
        assert (ticket.action, ticket.units.value()) == (side, units)
        assert (ticket.price_type.value(), ticket.product.value()) == (kind, "CNC")
        assert ticket.use is use and line.buttons[use].isChecked()
        if use is TicketUse.TARGET:
            assert ticket.price.value() == 0 and ticket.price_field.chip.text() == "fixed"
        await asyncio.sleep(0)
        assert orders == []
        click(ticket.side_buttons[side.opposite])  # something else than it was filled with
        assert ticket.use is TicketUse.OPEN

    drive(scenario)


def test_an_exit_never_exceeds_the_position_and_is_not_repeated_by_a_second_click(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        await priced(session)
        ticket = ticket_of(session)
        row = hold(session, 30)
        ticket._on_position(row, TicketUse.EXIT)
        hold(session, 10)  # it shrank meanwhile
        ticket.submit()
        await asyncio.sleep(0)
        assert ticket.units_field.error() == "Only 10 are held now." and orders == []
        ticket.units.setValue(10)
        click(ticket.send)
        await settled(ticket)
        assert [(order.action, order.quantity) for order in orders] == [(SELL, 10)]
        assert ticket.action is None and "sent" in ticket.result.text()
        click(ticket.send)
        await asyncio.sleep(0)
        assert len(orders) == 1

    drive(scenario)


def test_a_wish_from_elsewhere_is_shown_and_not_sent(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        await priced(session)
        ticket = ticket_of(session)
        wish = TicketWish(
            key=("NSE", "INFY"), action=SELL, quantity=7, price_type=PriceType.LIMIT, price=1500.0
        )
        session.bridge.ticket_wanted.emit(wish)
        request = ticket.request()
        assert request is not None
        assert (request.symbol, request.action, request.quantity) == ("INFY", SELL, 7)
        assert (request.price_type, request.price) == (PriceType.LIMIT, 1500.0)
        await asyncio.sleep(0)
        assert orders == []

    drive(scenario)


# -- money ---------------------------------------------------------------------------------------
def fact(ticket: TicketDock, name: str) -> str:
    value = ticket.facts._rows[name][1]
    return "" if value.isHidden() else value.text()


def test_margin_charges_and_break_even_live_with_price_and_mode(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        quiet(session)(800.0)
        ticket.price_type.choose("LIMIT")
        ticket.price.setValue(800.0)
        ticket.units.setValue(10)
        await until(lambda: fact(ticket, "margin") == "₹ 1,600.00", "the margin at 800")
        assert fact(ticket, "charges").startswith("₹ ")
        assert float(fact(ticket, "break-even").replace(",", "")) > 800.0
        assert fact(ticket, "distance") == "0.00%"
        ticket.price.setValue(780.0)
        await until(lambda: fact(ticket, "margin") == "₹ 1,560.00", "the margin at 780")
        await session.bridge.set_mode(Mode.LIVE)
        assert fact(ticket, "margin") in ("…", "")  # not the sandbox's figure
        await until(lambda: fact(ticket, "margin").startswith("₹"), "the margin of the account")

    drive(scenario)


def test_the_margin_of_both_sides_is_there_before_one_is_chosen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        session.bridge.select(SBIN)
        await until(lambda: session.bridge.latest(SBIN), "a price")
        ticket = ticket_of(session)
        quiet(session)(800.0, spread=2.0)
        ticket.units.setValue(10)
        ticket.price_type.choose("LIMIT")  # it would follow the bid or the ask
        await until(lambda: fact(ticket, "margin-buy") == "₹ 1,598.00", "the margin to buy")
        assert fact(ticket, "margin-sell") == "₹ 1,602.00" and fact(ticket, "margin") == ""
        assert ticket.request() is None and not ticket.send.isEnabled()
        ticket.set_action(SELL)
        await until(lambda: fact(ticket, "margin") == "₹ 1,602.00", "the margin of the side")
        assert fact(ticket, "margin-buy") == fact(ticket, "margin-sell") == ""
        ticket.price_type.choose("SL-M")
        ticket.form.set_action(None)
        ticket._edited()  # nobody knows the trigger price yet
        assert fact(ticket, "margin-buy") == fact(ticket, "margin-sell") == ""

    drive(scenario)


def test_an_exit_shows_what_it_frees_and_books(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        await session.bridge.desk.place(OrderRequest("SBIN", "NSE", BUY, 10), Mode.SANDBOX)
        await until(lambda: session.bridge.books.positions, "the position")
        row = session.bridge.books.positions[0]
        ticket._on_position(row, TicketUse.EXIT)
        await until(lambda: fact(ticket, "frees").startswith("₹"), "what it frees")
        assert float(fact(ticket, "frees")[2:].replace(",", "")) == pytest.approx(
            row.margin, abs=0.01
        )
        assert fact(ticket, "margin") == "₹ 0.00" and fact(ticket, "books")
        assert fact(ticket, "break-even") == ""

    drive(scenario)


def test_slices_are_told_before_they_are_sent(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        row = derivative(session, option=True)
        await priced(session, row.key)
        ticket = ticket_of(session)
        per_order = row.freeze_qty // row.lot_size
        ticket.lots.setValue(2 * per_order + 1)
        await until(lambda: "2 × " in fact(ticket, "freeze"), "the slices")
        assert "switch on slicing" in ticket.units_field.error()
        offer = ticket.frame.slicing
        assert offer.isVisibleTo(ticket) and offer.text() == "Send in 3 slices"
        click(offer)
        assert session.bridge.setting("trading.freeze_split") is True
        assert ticket.units_field.error() == "" and not offer.isVisibleTo(ticket)
        assert session.bridge.books.orders == {}  # nothing was sent by it
        session.bridge.set_setting("trading.freeze_split", False)
        assert offer.isVisibleTo(ticket)
        ticket.lots.setValue(1)
        assert not offer.isVisibleTo(ticket)

    drive(scenario)


# -- asking --------------------------------------------------------------------------------------
def test_above_the_limits_it_asks_with_the_reasons(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        await priced(session)
        ticket = ticket_of(session)
        quiet(session)(800.0)
        ticket.price_type.choose("LIMIT")
        ticket.price.setValue(880.0)
        assert "10.0 % above the last price" in ticket.warning.text()
        click(ticket.send)
        await until(lambda: question(ticket), "the question")
        dialog = question(ticket)
        assert dialog is not None
        words = dialog.findChild(QWidget, "dialog-confirm-rows")
        assert words is not None and "worse than the market" in words.item(0).text()  # type: ignore[attr-defined]
        click(dialog.no)
        await settled(ticket)
        assert orders == []
        session.bridge.set_setting("confirm.place", "never")
        click(ticket.send)
        await settled(ticket)
        assert len(orders) == 1

    drive(scenario)


def test_always_asks_for_the_smallest_order(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        session.bridge.set_setting("confirm.place", "always")
        await priced(session)
        ticket = ticket_of(session)
        click(ticket.send)
        await until(lambda: question(ticket), "the question")
        click(question(ticket).yes)  # type: ignore[union-attr]
        await settled(ticket)
        assert len(orders) == 1

    drive(scenario)


# -- answers -------------------------------------------------------------------------------------
def test_no_answer_yet_is_said_and_nothing_is_sent_again(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        answer = asyncio.Event()
        arrived: list[OrderRequest] = []

        async def place(request: OrderRequest, tag: str) -> OrderAck:
            arrived.append(request)
            await answer.wait()
            return OrderAck("T1")

        monkeypatch.setattr(session.terminal.sandbox, "place", place)
        await priced(session)
        ticket = ticket_of(session)
        assert ticket.sending.late.interval() == NO_ANSWER_MS == 3000
        ticket.sending.late.setInterval(30)
        click(ticket.send)
        await until(lambda: ticket.result.text() == NO_ANSWER, "the remark")
        assert ticket.result.property("role") == "warning"
        click(ticket.send)
        await asyncio.sleep(0)
        assert len(arrived) == 1
        answer.set()
        await until(lambda: "T1 sent" in ticket.result.text(), "the late answer")

    drive(scenario)


@pytest.mark.docks("watchlist", "chart", "depth", "positions", "orders")
def test_an_answer_says_which_order_it_is_for_when_the_ticket_went_on(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ticket shows another symbol by then: neither its side nor its fields change."""

    async def scenario(session: Session) -> None:
        answer = asyncio.Event()
        fail: list[Exception] = []

        async def place(request: OrderRequest, tag: str) -> OrderAck:
            await answer.wait()
            if fail:
                raise fail[0]
            return OrderAck("T1")

        monkeypatch.setattr(session.terminal.sandbox, "place", place)
        await priced(session)
        ticket = ticket_of(session)
        other = derivative(session, option=False)
        click(ticket.send)
        ticket.show_symbol(other.key)
        ticket.set_action(SELL)
        answer.set()
        await until(lambda: "T1 sent" in ticket.result.text(), "the answer")
        assert "BUY" in ticket.result.text() and "SBIN" in ticket.result.text()
        assert ticket.action is SELL
        for error, words in (
            (RejectedByBroker("RMS: no"), "SBIN: ✕ Rejected: RMS: no"),
            (InvalidOrder("Price must be positive", field="price"), "SBIN: ✕ "),
        ):
            ticket.show_symbol(SBIN)
            ticket.set_action(BUY)
            answer.clear()
            fail[:] = [error]
            ticket.form.set_units(len(fail[0].args[0]))  # another order each time
            ticket.submit()
            await until(lambda: ticket.sending._asked is not None, "on its way")
            ticket.show_symbol(other.key)
            answer.set()
            await until(lambda words=words: words in ticket.result.text(), "the refusal")
            assert not any(field.error() for field in ticket.form.fields)

    drive(scenario)


def test_a_rejection_is_told_word_for_word_with_a_hint(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        said = "RED:Margin Shortfall[INR 7452.50] Available[INR 0.00]"

        async def place(request: OrderRequest, tag: str) -> OrderAck:
            raise RejectedByBroker(said)

        monkeypatch.setattr(session.terminal.sandbox, "place", place)
        await priced(session)
        ticket = ticket_of(session)
        click(ticket.send)
        await until(lambda: "Rejected" in ticket.result.text(), "the rejection")
        assert said in ticket.result.text()
        assert "not enough free money" in ticket.result.text()

    drive(scenario)


def test_a_key_that_is_held_sends_once(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        await priced(session)
        ticket = ticket_of(session)
        action = session.window.actions_by_name["send-ticket"]
        assert not action.autoRepeat()
        ticket.send.setFocus()
        QTest.keyPress(ticket.send, Qt.Key.Key_Space)
        QTest.keyRelease(ticket.send, Qt.Key.Key_Space)
        await settled(ticket)
        assert len(orders) == 1

    drive(scenario)


# -- room ----------------------------------------------------------------------------------------
def test_the_button_never_moves_and_is_never_covered_on_a_small_screen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        window.resize(1366, 768)
        row = derivative(session, option=False)
        await priced(session, row.key)
        ticket = ticket_of(session)
        ticket.show()
        ticket.raise_()
        await until(lambda: ticket.send.isVisible() and ticket.height() > 150, "room")

        def place() -> tuple[int, int]:
            corner = ticket.send.mapTo(ticket, ticket.send.rect().bottomLeft())
            return corner.x(), corner.y()

        before, hold_height = await at_rest(lambda: (place(), ticket.height()))
        ticket.price_type.choose("SL")
        ticket.trigger.setValue(1.0)
        ticket.submit()
        assert ticket.trigger_field.error()
        ticket.foot.say("✕ Rejected: " + "a long story of the broker " * 6, "error")
        assert await at_rest(lambda: (place(), ticket.height())) == (before, hold_height)
        middle = ticket.send.mapTo(window, ticket.send.rect().center())
        assert window.childAt(middle) is ticket.send
        assert ticket.send.visibleRegion().boundingRect() == ticket.send.rect()
        outer = ticket.widget()
        assert isinstance(outer, QScrollArea) and outer.verticalScrollBar().maximum() == 0
        assert ticket.area.horizontalScrollBar().value() == 0

    drive(scenario)


def test_an_error_makes_the_field_seen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        session.window.resize(1366, 768)
        await priced(session)
        ticket = ticket_of(session)
        ticket.raise_()
        ticket.price_type.choose("SL-M")
        click(ticket.send)
        await until(
            lambda: not ticket.trigger.visibleRegion().isEmpty(), "the field scrolled into sight"
        )

    drive(scenario)


def test_it_remembers_type_and_product_but_no_side(drive: Drive) -> None:
    async def first(session: Session) -> None:
        await priced(session, side=SELL)
        ticket_of(session).price_type.choose("LIMIT")

    async def second(session: Session) -> None:
        ticket = ticket_of(session)
        assert ticket.price_type.value() == "LIMIT"
        assert ticket.action is None

    drive(first)
    drive(second)


def test_requests_are_what_the_fields_say(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        ticket.price_type.choose("LIMIT")
        ticket.price.setValue(795.5)
        ticket.units.setValue(3)
        request = ticket.request()
        assert request is not None
        assert msgspec.structs.asdict(request) == {
            "symbol": "SBIN",
            "exchange": "NSE",
            "action": BUY,
            "quantity": 3,
            "price_type": PriceType.LIMIT,
            "product": Product.MIS,
            "price": 795.5,
            "trigger_price": 0.0,
            "disclosed_quantity": 0,
            "strategy": "",
            "validity": Validity.DAY,
        }

    drive(scenario)


# -- bracket, presets, basket --------------------------------------------------------------------
def test_a_bracket_goes_out_with_the_entry_and_is_watched(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        bracket = ticket.bracket
        assert bracket.spec() is None
        ticket.units.setValue(10)
        click(bracket.on)
        bracket.editors["stop"].setValue(10.0)
        bracket.editors["target"].setValue(20.0)
        assert ticket.send.text().splitlines()[2] == "stop 10 · target 20 pt"
        click(ticket.send)
        await settled(ticket)
        assert "sent" in ticket.result.text()
        mode = session.bridge.mode
        watch = session.bridge.watch
        await until(
            lambda: watch.stop_price("SBIN", "NSE", Product.MIS, mode) is not None, "the stop"
        )
        (plan,) = watch.of_position("SBIN", "NSE", Product.MIS, mode)
        assert plan.held == 10 and plan.stop_at == plan.entry - 10

    drive(scenario)


def test_a_bracket_in_other_units_and_a_wrong_one(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        await priced(session)
        ticket = ticket_of(session)
        bracket = ticket.bracket
        click(bracket.on)
        click(bracket.unit.button("%"))
        bracket.editors["stop"].setValue(150.0)  # below 0
        assert "stop 150%" in ticket.send.text()
        click(ticket.send)
        await settled(ticket)
        assert bracket.fields["stop"].error() and orders == []
        click(bracket.unit.button("₹"))
        assert "stop ₹ 150" in ticket.send.text()
        bracket.editors["stop"].lineEdit().setText("15,50")
        click(ticket.send)
        await asyncio.sleep(0)
        assert "15.50" in bracket.fields["stop"].error() and orders == []

    drive(scenario)


def test_an_exit_has_no_bracket(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        await priced(session)
        ticket = ticket_of(session)
        click(ticket.bracket.on)
        ticket.bracket.editors["stop"].setValue(10.0)
        ticket._on_position(hold(session, 30), TicketUse.EXIT)
        assert ticket.bracket.isHidden() and ticket.bracket.spec() is None
        assert "stop" not in ticket.send.text()
        click(ticket.send)
        await settled(ticket)
        assert len(orders) == 1

    drive(scenario)


def test_a_stop_of_the_ticket_does_not_outlive_its_position(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        bridge = session.bridge
        await bridge.desk.place(OrderRequest("SBIN", "NSE", BUY, 10), Mode.SANDBOX)
        await until(lambda: bridge.books.positions, "the position")
        ticket._on_position(bridge.books.positions[0], TicketUse.STOP)
        last = bridge.latest(SBIN).ltp  # type: ignore[union-attr]
        ticket.trigger.setValue(round(last * 0.97, 0))
        click(ticket.send)
        await until(lambda: bridge.books.working_of(SBIN), "the stop works")
        await settled(ticket)
        await bridge.desk.place(
            OrderRequest("SBIN", "NSE", SELL, 10), Mode.SANDBOX
        )  # out another way
        await until(lambda: not bridge.books.working_of(SBIN), "the stop is cancelled")

    drive(scenario)


def test_presets_keep_type_product_size_and_bracket_but_no_side(drive: Drive) -> None:
    async def first(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        ticket.price_type.choose("LIMIT")
        ticket.units.setValue(50)
        click(ticket.bracket.on)
        ticket.bracket.editors["stop"].setValue(5.0)
        presets = ticket.extras.presets
        await presets.save("Scalp", ticket.extras.preset())

    async def second(session: Session) -> None:
        session.bridge.select(("NSE", "INFY"))
        ticket = ticket_of(session)
        ticket.price_type.choose("MARKET")
        presets = ticket.extras.presets
        await presets.load()
        menu = presets.menu_of_presets()
        texts = [action.text() for action in menu.actions() if action.text()]
        assert texts == ["Scalp", "Save as…", "Delete"]
        menu.actions()[0].trigger()
        assert (ticket.price_type.value(), ticket.units.value()) == ("LIMIT", 50)
        assert ticket.bracket.on.isChecked()
        assert ticket.bracket.editors["stop"].value() == 5.0
        assert ticket.action is None and not ticket.send.isEnabled()
        await presets.delete("Scalp")
        assert not presets.presets
        menu.deleteLater()

    drive(first)
    drive(second)


def test_to_the_basket_sends_nothing(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        wanted: list[OrderRequest] = []
        session.bridge.basket_wanted.connect(wanted.append)
        session.bridge.select(SBIN)
        ticket = ticket_of(session)
        click(ticket.extras.basket)
        assert wanted == [] and "Choose" in ticket.result.text()
        ticket.set_action(SELL)
        click(ticket.extras.basket)
        assert [(row.symbol, row.action) for row in wanted] == [("SBIN", SELL)]
        await asyncio.sleep(0)
        assert orders == []

    drive(scenario)


@pytest.mark.parametrize(("scale", "size"), [(100, (1366, 768)), (150, (1920, 1080))])
def test_nothing_is_cut_with_everything_open(
    drive: Drive, scale: int, size: tuple[int, int]
) -> None:
    async def scenario(session: Session) -> None:
        session.bridge.set_setting("ui.text_scale", scale)
        session.window.resize(*size)
        row = derivative(session, option=False)
        await priced(session, row.key)
        ticket = ticket_of(session)
        ticket.raise_()
        ticket.price_type.choose("SL")
        click(ticket.bracket.on)
        for editor in ticket.bracket.editors.values():
            editor.setValue(25.0)
        ticket.trigger.setValue(1.0)
        ticket.submit()
        ticket.flush()
        await until(lambda: clips(ticket.frame) == [], "nothing cut")

    drive(scenario)


def test_a_new_ticket_begins_with_the_lots_of_the_settings(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        row = derivative(session, option=False)
        session.bridge.set_setting("ui.default_lots", 3)
        session.bridge.select(SBIN)  # the window may have begun with the future
        await priced(session, row.key)
        ticket = ticket_of(session)
        assert (ticket.lots.value(), ticket.units.value()) == (3, 3 * row.lot_size)
        assert ticket.send.text().startswith(f"BUY 3 lots ({3 * row.lot_size})")
        ticket.lots.setValue(1)
        session.bridge.select(row.key)  # the same again: what was typed stays
        assert ticket.lots.value() == 1
        session.bridge.select(SBIN)  # no lots: one share, whatever the settings say
        assert ticket.units.value() == 1
        with pytest.raises(ConfigError):
            session.bridge.set_setting("ui.default_lots", 101)

    drive(scenario)


def test_sizes_by_key_and_by_click(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        row = derivative(session, option=False)
        await priced(session, row.key)
        ticket = ticket_of(session)
        session.window.activateWindow()
        ticket.lots.setFocus()
        await until(ticket.lots.hasFocus, "the focus")
        QTest.keyClick(ticket.lots, Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)
        await until(lambda: ticket.lots.value() == 10, "ten lots")
        assert ticket.units.value() == 10 * row.lot_size
        click(ticket.form._sizes[1])
        assert ticket.lots.value() == 2
        session.bridge.set_setting("ticket.sizes_units", "3,7")
        session.bridge.select(SBIN)
        assert [button.text() for button in ticket.form._sizes] == ["3", "7"]
        ticket.form.choose_size(2)
        assert ticket.units.value() == 7

    drive(scenario)


# -- validity and disclosed quantity -------------------------------------------------------------
def test_validity_and_disclosed_are_on_the_button_in_the_order_and_not_in_the_next_one(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        await priced(session)
        quiet(session)(800.0)
        ticket = ticket_of(session)
        terms = ticket.form.terms
        assert terms.validity.isVisibleTo(ticket)
        assert not terms.disclosed_field.isVisibleTo(ticket)  # a market order shows nothing
        ticket.price_type.choose("LIMIT")
        ticket.form.set_units(100)
        ticket.form.set_price(800.0)
        terms.disclosed.setValue(5)
        assert "shows 5" in ticket.send.text()
        click(ticket.send)
        await settled(ticket)
        assert orders == [] and "At least 10 % must be disclosed" in terms.disclosed_field.error()
        terms.disclosed.setValue(20)
        click(ticket.send)
        await settled(ticket)
        assert orders[-1].disclosed_quantity == 20 and orders[-1].validity is Validity.DAY
        terms.validity.choose("IOC")
        assert not terms.disclosed_field.isVisibleTo(ticket)
        assert "IOC" in ticket.send.text() and "shows" not in ticket.send.text()
        click(ticket.send)
        await settled(ticket)
        assert (orders[-1].validity, orders[-1].disclosed_quantity) == (Validity.IOC, 0)
        ticket.price_type.choose("SL")  # a stop cannot be immediate
        request = ticket.request()
        assert request is not None and request.validity is Validity.DAY
        assert not terms.validity.isVisibleTo(ticket)
        ticket.price_type.choose("LIMIT")
        terms.validity.choose("IOC")
        future = derivative(session, option=False)
        ticket.show_symbol(future.key)
        ticket.set_action(BUY)
        request = ticket.request()
        assert request is not None
        assert (request.validity, request.disclosed_quantity) == (Validity.DAY, 0)
        assert not terms.disclosed_field.isVisibleTo(ticket)  # none on futures

    drive(scenario)


def test_an_account_that_takes_neither_is_not_offered_them(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        monkeypatch.setattr(type(session.terminal.sandbox), "traits", Traits(margin=True))
        ticket.price_type.choose("LIMIT")
        terms = ticket.form.terms
        assert not terms.validity.isVisibleTo(ticket)
        assert not terms.disclosed_field.isVisibleTo(ticket)
        request = ticket.request()
        assert request is not None and request.validity is Validity.DAY

    drive(scenario)


def test_the_same_again_has_the_terms_of_the_order(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        for order, words in (
            (limit_order(validity=Validity.IOC), "IOC"),
            (limit_order(disclosed_quantity=20), "shows 20"),
        ):
            session.bridge.ticket_wanted.emit(of_order(order))
            assert words in ticket.send.text()
            request = ticket.request()
            assert request is not None
            assert (request.validity, request.disclosed_quantity) == (
                order.validity,
                order.disclosed_quantity,
            )

    drive(scenario)


def limit_order(**more: Any) -> Order:
    return Order("1", "SBIN", "NSE", BUY, 100, PriceType.LIMIT, Product.MIS, 700.0, **more)


# -- what is said --------------------------------------------------------------------------------
def test_an_answer_is_not_read_as_one_to_the_next_order(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        orders = sent(session, monkeypatch)
        await priced(session)
        ticket = ticket_of(session)
        click(ticket.send)
        await until(lambda: "✓" in ticket.result.text(), "the answer")
        await settled(ticket)
        ticket.price_type.choose("SL-M")
        assert ticket.result.text() == ""  # another order: it has no answer yet
        ticket.submit()
        assert len(orders) == 1 and ticket.result.text() == "" and ticket.trigger_field.error()
        ticket.foot.say(NO_ANSWER, "warning")
        ticket.units.setValue(7)
        assert ticket.result.text() == NO_ANSWER  # it may be on its way whatever is typed now

    drive(scenario)


def test_the_field_to_blame_is_the_one_that_is_empty(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        ticket.price_type.choose("SL")  # its price follows the trigger price
        ticket.submit()
        assert ticket.trigger_field.error() == "Enter a trigger price."
        assert not ticket.price_field.error()

    drive(scenario)


def test_a_number_that_was_refused_says_why_under_its_field(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        ticket.price_type.choose("LIMIT")
        ticket.price.setFocus()
        ticket.price.selectAll()
        QTest.keyClicks(ticket.price, "899,50")
        ticket.units.setFocus()  # the field is left
        assert "899.50 or 89950" in ticket.price_field.error()
        ticket.submit()
        assert not ticket.sending.busy and "899.50" in ticket.price_field.error()
        ticket.price.selectAll()
        QTest.keyClicks(ticket.price, "800")
        assert not ticket.price_field.error()

    drive(scenario)


def test_what_is_typed_after_a_wish_replaces_what_stands_there(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        ticket = ticket_of(session)
        ticket.take_wish(TicketWish(key=SBIN, action=BUY))
        QTest.keyClicks(ticket.units, "100")
        assert ticket.units.value() == 100
        future = derivative(session, option=False)
        ticket.take_wish(TicketWish(key=future.key, action=SELL))
        QTest.keyClicks(ticket.lots, "3")
        assert ticket.lots.value() == 3
        session.window.actions_by_name["buy"].trigger()  # its key
        QTest.keyClicks(ticket.lots, "2")
        assert ticket.lots.value() == 2 and ticket.action is BUY

    drive(scenario)
