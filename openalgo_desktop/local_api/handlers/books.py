"""Books, positions and money."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from openalgo_desktop.core.enums import Mode, Product
from openalgo_desktop.core.model import BookRows, Order, Trade
from openalgo_desktop.local_api.handlers import shapes
from openalgo_desktop.local_api.handlers.shapes import success
from openalgo_desktop.local_api.table import Call, Pieces, Reply
from openalgo_desktop.trading.books import in_turns

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

_R = TypeVar("_R")


async def _newest_first(rows: Sequence[_R], moment: Callable[[_R], datetime | None]) -> list[_R]:
    """The other way round; rows of the same moment too: the later one first."""
    turned = list(rows[::-1])
    ordered, last = True, None
    async for part in in_turns(turned):
        for row in part:
            now = moment(row)
            ordered = ordered and now is not None and (last is None or now <= last)
            last = now
    if not ordered:
        turned.sort(key=lambda row: moment(row) or _LONG_AGO, reverse=True)
    return turned


def partly(rows: list[Any]) -> dict[str, Any]:
    """What an answer says more when rows of the gateway could not be read."""
    unreadable = rows.unreadable if isinstance(rows, BookRows) else ()
    return {"partial": True, "unreadable": list(unreadable)} if unreadable else {}


def _pieces(head: dict[str, Any], name: bytes, rows: list[bytes], tail: bytes = b"") -> Reply:
    """An answer with ``rows`` as its list ``name``; ``tail`` closes what ``name`` opened."""
    start = msgspec.json.encode(head)[:-1]
    return Reply(Pieces([b'%b,"data":%b[' % (start, name), *rows, b"]%b}" % tail]))


async def orderbook(call: Call) -> Reply:
    mode, desk = call.desk.mode, call.desk
    book = await desk.read.orders()
    orders: Sequence[Order] = book
    if mode is Mode.SANDBOX:
        orders = await _newest_first(book, attrgetter("placed_at"))
    counts = shapes.OrderCounts()
    rows = await call.services.order_rows.encoded(orders, mode, counts.add)
    tail = b',"statistics":%b}' % msgspec.json.encode(counts.row(mode))
    return _pieces(success(mode, **partly(book)), b'{"orders":', rows, tail)


async def orderstatus(call: Call) -> dict[str, Any]:
    mode = call.desk.mode
    order = await call.desk.read.order(call.data["orderid"])
    row = msgspec.to_builtins(shapes.order_row(order, mode, call.desk.slice_of(order)))
    row["price_type"] = row["pricetype"]
    if mode is Mode.SANDBOX:
        del row["rejection_reason"]
    return success(mode, data=row)


async def tradebook(call: Call) -> Reply:
    mode = call.desk.mode
    book = await call.desk.read.trades()
    trades: Sequence[Trade] = book
    if mode is Mode.SANDBOX:
        trades = await _newest_first(book, attrgetter("traded_at"))
    rows = await call.services.trade_rows.encoded(trades, mode)
    return _pieces(success(mode, **partly(book)), b"", rows)


async def positionbook(call: Call) -> Reply:
    mode = call.desk.mode
    book = await call.desk.read.positions()
    totals = shapes.PositionTotals()
    rows = await call.services.position_rows.encoded(book, mode, totals.add)
    sums = totals.row() if mode is Mode.SANDBOX else {}
    return _pieces(success(mode, **sums, **partly(book)), b"", rows)


async def holdings(call: Call) -> dict[str, Any]:
    mode = call.desk.mode
    rows = await call.desk.read.holdings()
    return success(
        mode,
        data={
            "holdings": [shapes.holding_row(row, mode) for row in rows],
            "statistics": shapes.holding_statistics(rows),
        },
        **partly(rows),
    )


async def funds(call: Call) -> dict[str, Any]:
    mode = call.desk.mode
    return success(mode, data=shapes.funds_data(await call.desk.read.funds(), mode))


async def openposition(call: Call) -> dict[str, Any]:
    mode = call.desk.mode
    data = call.data
    wanted = (data["symbol"], data["exchange"], data["product"])
    if call.own is not None:
        key = (data["exchange"], data["symbol"], Product(data["product"]))
        await call.own.until_read()
        return success(mode, quantity=call.own.held(key))
    quantity = 0
    for row in await call.desk.read.positions():
        if (row.symbol, row.exchange, row.product.value) == wanted:
            quantity = row.quantity
            break
    return success(mode, quantity=quantity)
