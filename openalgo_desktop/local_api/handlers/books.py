"""Books, positions and money."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import msgspec

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.model import BookRows, Order, Trade
from openalgo_desktop.local_api.handlers import shapes
from openalgo_desktop.local_api.handlers.shapes import success
from openalgo_desktop.local_api.table import Call, Reply

#: Rows that are made before other work gets its turn; about 2 ms.
_CHUNK = 500


def _newest_first(orders: list[Order]) -> list[Order]:
    rows = orders[::-1]  # rows of the same moment: the later one first
    moments = [row.placed_at for row in rows]
    if all(a and b and a >= b for a, b in pairwise(moments)):
        return rows
    rows.sort(key=lambda row: row.placed_at.timestamp() if row.placed_at else 0.0, reverse=True)
    return rows


def partly(rows: list[Any]) -> dict[str, Any]:
    """What an answer says more when rows of the gateway could not be read."""
    unreadable = rows.unreadable if isinstance(rows, BookRows) else ()
    return {"partial": True, "unreadable": list(unreadable)} if unreadable else {}


def _latest_first(trades: list[Trade]) -> list[Trade]:
    rows = trades[::-1]
    rows.sort(key=lambda row: row.traded_at.timestamp(), reverse=True)
    return rows


async def orderbook(call: Call) -> Reply:
    mode, desk = call.ctx.desk.mode, call.ctx.desk
    book = await desk.orders()
    orders = _newest_first(book) if mode is Mode.SANDBOX else list(book)
    rows = await call.services.order_rows.encoded(orders, mode)
    counts = msgspec.json.encode(shapes.order_statistics(orders, mode))
    head = msgspec.json.encode(success(mode, **partly(book)))[:-1]
    return Reply(b'%b,"data":{"orders":[%b],"statistics":%b}}' % (head, rows, counts))


async def orderstatus(call: Call) -> dict[str, Any]:
    mode = call.ctx.desk.mode
    order = await call.ctx.desk.order(call.data["orderid"])
    row = shapes.order_row(order, mode)
    row["price_type"] = row["pricetype"]
    if mode is Mode.SANDBOX:
        del row["rejection_reason"]
    return success(mode, data=row)


async def tradebook(call: Call) -> dict[str, Any]:
    mode = call.ctx.desk.mode
    book = await call.ctx.desk.trades()
    trades = _latest_first(book) if mode is Mode.SANDBOX else list(book)
    rows: list[dict[str, Any]] = []
    for first in range(0, len(trades), _CHUNK):
        if first:
            await asyncio.sleep(0)
        rows += [shapes.trade_row(trade, mode) for trade in trades[first : first + _CHUNK]]
    return success(mode, data=rows, **partly(book))


async def positionbook(call: Call) -> dict[str, Any]:
    mode = call.ctx.desk.mode
    positions = await call.ctx.desk.positions()
    rows = [shapes.position_row(position, mode) for position in positions]
    totals = shapes.position_totals(positions) if mode is Mode.SANDBOX else {}
    return success(mode, data=rows, **totals, **partly(positions))


async def holdings(call: Call) -> dict[str, Any]:
    mode = call.ctx.desk.mode
    rows = await call.ctx.desk.holdings()
    return success(
        mode,
        data={
            "holdings": [shapes.holding_row(row, mode) for row in rows],
            "statistics": shapes.holding_statistics(rows),
        },
        **partly(rows),
    )


async def funds(call: Call) -> dict[str, Any]:
    mode = call.ctx.desk.mode
    return success(mode, data=shapes.funds_data(await call.ctx.desk.funds(), mode))


async def openposition(call: Call) -> dict[str, Any]:
    mode = call.ctx.desk.mode
    data = call.data
    wanted = (data["symbol"], data["exchange"], data["product"])
    quantity = 0
    for row in await call.ctx.desk.positions():
        if (row.symbol, row.exchange, row.product.value) == wanted:
            quantity = row.quantity
            break
    return success(mode, quantity=quantity)
