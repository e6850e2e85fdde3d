"""Books, positions and money."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.model import Order, Trade
from openalgo_desktop.local_api.handlers import shapes
from openalgo_desktop.local_api.handlers.shapes import success
from openalgo_desktop.local_api.table import Call


def _newest_first(orders: list[Order]) -> list[Order]:
    rows = orders[::-1]  # rows of the same moment: the later one first
    rows.sort(key=lambda row: row.placed_at.timestamp() if row.placed_at else 0.0, reverse=True)
    return rows


def _latest_first(trades: list[Trade]) -> list[Trade]:
    rows = trades[::-1]
    rows.sort(key=lambda row: row.traded_at.timestamp(), reverse=True)
    return rows


async def orderbook(call: Call) -> dict[str, Any]:
    mode = call.ctx.desk.mode
    orders: list[Order] = await call.ctx.desk.orders()
    if mode is Mode.SANDBOX:
        orders = _newest_first(orders)
    return success(
        mode,
        data={
            "orders": [shapes.order_row(order, mode) for order in orders],
            "statistics": shapes.order_statistics(orders, mode),
        },
    )


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
    trades: list[Trade] = await call.ctx.desk.trades()
    if mode is Mode.SANDBOX:
        trades = _latest_first(trades)
    return success(mode, data=[shapes.trade_row(trade, mode) for trade in trades])


async def positionbook(call: Call) -> dict[str, Any]:
    mode = call.ctx.desk.mode
    positions = await call.ctx.desk.positions()
    rows = [shapes.position_row(position, mode) for position in positions]
    totals = shapes.position_totals(positions) if mode is Mode.SANDBOX else {}
    return success(mode, data=rows, **totals)


async def holdings(call: Call) -> dict[str, Any]:
    mode = call.ctx.desk.mode
    rows = await call.ctx.desk.holdings()
    return success(
        mode,
        data={
            "holdings": [shapes.holding_row(row, mode) for row in rows],
            "statistics": shapes.holding_statistics(rows),
        },
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
