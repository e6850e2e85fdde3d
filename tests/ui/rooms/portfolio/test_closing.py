"""The review before closing names the resting exits that it cancels, and no others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QListWidget
from shiboken6 import isValid

from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.model import BookRows, Order, OrderRequest, Position
from openalgo_desktop.trading.results import CloseAll
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.portfolio import closing
from openalgo_desktop.ui.rooms.portfolio.close_all import CloseAllDialog
from openalgo_desktop.ui.rooms.portfolio.positions import PositionsDock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, click, priced
from tests.ui.rooms.portfolio.test_book_docks import stand_still
from tests.waiting import until

pytestmark = pytest.mark.docks("positions", "orders")

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
        assert [line.strip() for line in lines[1:]] == [
            "cancel  SELL 10 SBIN MIS SL-M trigger 780.00    order S1",
            "cancel  SELL 10 SBIN MIS LIMIT 820.00    order T1",
        ]
        assert lines[0].startswith("SELL 10 SBIN MIS at market    open ")
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
        await bridge.desk.place(buy, Mode.SANDBOX)
        await until(lambda: any(p.quantity for p in window_rows.positions), "the position")
        for action, price in ((Action.SELL, far), (Action.BUY, round(tick.ltp * 0.95))):
            order = OrderRequest("SBIN", "NSE", action, 5, PriceType.LIMIT, Product.MIS, price)
            await bridge.desk.place(order, Mode.SANDBOX)
        await until(lambda: window_rows.working_count == 2, "both orders")
        row = next(p for p in window_rows.positions if p.quantity)
        (named,) = closing.exits(bridge, row)
        await bridge.desk.close_all(Mode.SANDBOX)
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


@pytest.mark.docks("watchlist", "chart", "depth", "positions", "orders")
def test_what_is_not_ticked_stays_with_its_stop(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await held(session)
        bridge = session.bridge
        bridge.books.positions.append(Position("INFY", "NSE", Product.CNC, 4, 1_500.0, 1_510.0))
        asked: list[dict[str, Any]] = []

        async def close_all(mode: Mode, **how: Any) -> CloseAll:
            asked.append(how)
            await until(lambda: not isValid(dialog), "the dialog's end")  # an answer takes its time
            return CloseAll(1, 0, True, mode)

        bridge.desk.close_all = close_all  # type: ignore[method-assign]
        session.window.actions_by_name["flatten"].trigger()
        dialog, _ = await question(session)
        assert isinstance(dialog, CloseAllDialog) and dialog.only() is None
        boxes = [dialog.review.item(row) for row in range(dialog.review.count())]  # type: ignore[union-attr]
        first = next(box for box in boxes if "SBIN" in box.text())
        first.setCheckState(Qt.CheckState.Unchecked)
        assert dialog.yes.text() == "Close 1" and dialog.question.text().startswith("1 position")
        assert "of these symbols" in dialog.option.text()
        other = next(box for box in boxes if "INFY" in box.text())
        other.setCheckState(Qt.CheckState.Unchecked)
        assert not dialog.yes.isEnabled()
        other.setCheckState(Qt.CheckState.Checked)
        assert " at market " in other.text()
        dialog.limit.setChecked(True)
        assert " by a limit " in other.text() and " at market " not in other.text()
        click(dialog.yes)
        await until(lambda: asked, "the order to close")
        assert asked[0]["only"] == {("NSE", "INFY", Product.CNC)}
        assert asked[0]["protected"] is True and asked[0]["cancel_orders"] is True
        told = "Limits to close 1 positions are out"
        await until(lambda: any(told in row for row in session.window.toasts.texts()), told)

    drive(scenario)


def test_a_limit_with_protection_closes_in_the_sandbox(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge = session.bridge
        await priced(session)
        buy = OrderRequest("SBIN", "NSE", Action.BUY, 10, product=Product.MIS)
        await bridge.desk.place(buy, Mode.SANDBOX)
        await until(lambda: any(p.quantity for p in bridge.books.positions), "the position")
        await bridge.desk.close_all(Mode.SANDBOX, protected=True)
        await until(lambda: not any(p.quantity for p in bridge.books.positions), "flat")
        sells = [o for o in bridge.books.orders.values() if o.action is Action.SELL]
        assert [order.price_type for order in sells] == [PriceType.LIMIT]
        await bridge.desk.place(buy, Mode.SANDBOX)  # what comes later is a market order again
        await until(lambda: any(p.quantity for p in bridge.books.positions), "the position")
        last = max(bridge.books.orders.values(), key=lambda order: order.order_id)
        assert last.price_type is PriceType.MARKET

    drive(scenario)
