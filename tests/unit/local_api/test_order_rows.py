"""Order rows kept ready: encoded once for each state, in parts."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.model import BookRows, Order
from openalgo_desktop.local_api.handlers import shapes
from openalgo_desktop.local_api.handlers.books import partly
from openalgo_desktop.local_api.order_rows import OrderRows


def orders(count: int) -> list[Order]:
    return [
        Order(str(n), "SBIN", "NSE", Action.BUY, 5, PriceType.LIMIT, Product.MIS, price=1.05)
        for n in range(count)
    ]


async def test_a_row_is_encoded_once_and_again_when_its_order_changed(
    monkeypatch: pytest.MonkeyPatch,
):
    made: list[str] = []
    make = shapes.order_row

    def counted(order: Order, mode: Mode) -> dict[str, object]:
        made.append(order.order_id)
        return make(order, mode)

    monkeypatch.setattr(shapes, "order_row", counted)
    rows, book = OrderRows(), orders(3)
    await rows.encoded(book, Mode.SANDBOX)
    copies = [msgspec.structs.replace(order) for order in book]  # as a broker sends them anew
    copies[1] = msgspec.structs.replace(book[1], status=OrderStatus.COMPLETE, filled_quantity=5)
    body = await rows.encoded(copies, Mode.SANDBOX)
    assert made == ["0", "1", "2", "1"]
    told = msgspec.json.decode(b"[" + body + b"]")
    assert told == [msgspec.to_builtins(make(order, Mode.SANDBOX)) for order in copies]
    await rows.encoded(copies, Mode.LIVE)  # another shape
    assert made[4:] == ["0", "1", "2"]


async def test_others_get_the_loop_while_a_long_book_is_written():
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await OrderRows().encoded(orders(5000), Mode.SANDBOX)
    task.cancel()
    assert turns >= 9


def test_a_partial_book_says_so():
    assert partly(BookRows([1])) == {}
    assert partly(BookRows([1], ["row 2: NaN"])) == {"partial": True, "unreadable": ["row 2: NaN"]}
