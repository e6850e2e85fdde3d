"""The review before closing names the resting exits that it cancels, and no others."""

from __future__ import annotations

import msgspec
from PySide6.QtWidgets import QLabel, QListWidget

from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.model import BookRows, Order, OrderRequest, Position
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.portfolio import closing
from openalgo_desktop.ui.rooms.portfolio.positions import PositionsDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.ui.rooms.portfolio.test_book_docks import stand_still
from tests.waiting import until

STOP = Order(
    "S1", "SBIN", "NSE", Action.SELL, 10, PriceType.SLM, Product.MIS,
    trigger_price=780.0, status=OrderStatus.TRIGGER_PENDING,
)  # fmt: skip
TARGET = Order("T1", "SBIN", "NSE", Action.SELL, 10, PriceType.LIMIT, Product.MIS, 820.0)


def others() -> list[Order]:
    """Working orders that stay."""
    change = msgspec.structs.replace
    return [
        change(TARGET, order_id="adds", action=Action.BUY),
        change(TARGET, order_id="product", product=Product.CNC),
        change(TARGET, order_id="symbol", symbol="INFY"),
        change(TARGET, order_id="done", status=OrderStatus.COMPLETE),
        change(TARGET, order_id="market", price_type=PriceType.MARKET),
    ]


async def held(session: Session) -> None:
    books = await stand_still(session)
    books.positions = BookRows([Position("SBIN", "NSE", Product.MIS, 10, 800.0, 801.0)])
    books.positions_changed.emit()
    for order in (STOP, TARGET, *others()):
        books.orders[order.order_id] = order
        books._index(order)


async def question(session: Session) -> tuple[ConfirmDialog, list[str]]:
    await until(lambda: session.window.findChildren(ConfirmDialog), "the question")
    dialog = session.window.findChildren(ConfirmDialog)[0]
    rows = dialog.findChild(QListWidget)
    assert rows is not None
    return dialog, [rows.item(index).text() for index in range(rows.count())]


def test_flatten_lists_what_it_cancels_and_what_it_sends(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await held(session)
        session.window.actions_by_name["flatten"].trigger()
        dialog, lines = await question(session)
        assert lines[:2] == [
            "cancel  SELL 10 SBIN MIS SL-M trigger 780.00    order S1",
            "cancel  SELL 10 SBIN MIS LIMIT 820.00    order T1",
        ]
        assert lines[2].startswith("SELL 10 SBIN MIS at market    open ")
        assert len(lines) == 3
        words = dialog.findChild(QLabel, "dialog-confirm-text").text()  # type: ignore[union-attr]
        assert "2 limits and stops that rest against what is held" in words
        click(dialog.no)

    drive(scenario)


def test_reversing_lists_what_it_cancels(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await held(session)
        dock = session.window.docks["positions"]
        assert isinstance(dock, PositionsDock)
        dock.reverse_row(session.bridge.books.positions[0])
        dialog, lines = await question(session)
        assert [line[-3:] for line in lines] == [" S1", " T1"]
        click(dialog.no)

    drive(scenario)


def test_the_list_is_what_the_engine_cancels(drive: Drive) -> None:
    """The same book, closed for real in the sandbox."""

    async def scenario(session: Session) -> None:
        bridge = session.bridge
        window_rows = bridge.books
        await priced(session)
        tick = bridge.latest(SBIN)
        assert tick is not None
        far = round(tick.ltp * 1.05)
        buy = OrderRequest("SBIN", "NSE", Action.BUY, 10, product=Product.MIS)
        await bridge.place(buy, Mode.SANDBOX)
        await until(lambda: any(p.quantity for p in window_rows.positions), "the position")
        for action, price in ((Action.SELL, far), (Action.BUY, round(tick.ltp * 0.95))):
            order = OrderRequest("SBIN", "NSE", action, 5, PriceType.LIMIT, Product.MIS, price)
            await bridge.place(order, Mode.SANDBOX)
        await until(lambda: window_rows.working_count == 2, "both orders")
        row = next(p for p in window_rows.positions if p.quantity)
        (named,) = closing.exits(bridge, row)
        await bridge.close_all(Mode.SANDBOX)
        await until(lambda: window_rows.working_count == 1, "the cancellation")
        gone = [o for o in window_rows.orders.values() if o.status is OrderStatus.CANCELLED]
        assert len(gone) == 1 and gone[0].order_id in named

    drive(scenario)


def test_the_review_is_as_wide_as_its_longest_line(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await held(session)
        line = (
            "cancel  SELL 1,300 BANKNIFTY29DEC2654700CE NRML SL 1,234.90 trigger 1,230.05  order 2"
        )
        dialog = ConfirmDialog(session.window, "Close?", "Sure?", "Close", [line])
        dialog.show()
        rows = dialog.findChild(QListWidget)
        assert rows is not None
        assert rows.geometry().right() <= dialog.rect().right()
        assert rows.viewport().width() >= rows.fontMetrics().horizontalAdvance(line)
        dialog.close()

    drive(scenario)
