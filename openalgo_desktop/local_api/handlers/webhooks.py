"""Alerts from outside: strategy webhooks and Chartink scans."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.core.errors import InvalidOrder, StorageError
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.numbers import MAX_TEXT, number
from openalgo_desktop.local_api.table import ApiError, Call
from openalgo_desktop.local_api.webhook_queue import fingerprint
from openalgo_desktop.trading.idempotency import client_id
from openalgo_desktop.trading.webhooks import (
    WebhookKind,
    WebhookOrder,
    WebhookRefused,
    WebhookStrategy,
    scan_orders,
    strategy_order,
)


async def _strategy(call: Call, kind: WebhookKind) -> WebhookStrategy:
    found = await call.services.webhooks.get(call.path_arg)
    if found is None or found.kind is not kind:
        raise ApiError(404, "Invalid webhook ID")
    return found


def _size(value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        size = number(value)
    except ValueError:
        raise ApiError(400, "position_size must be a number") from None
    if size != int(size):
        text = f"Fractional position_size ({plain(size)}) is not allowed"
        raise ApiError(400, text)
    return int(size)


async def _submit(
    call: Call, strategy: WebhookStrategy, orders: list[WebhookOrder]
) -> dict[str, Any]:
    """Queue the orders; returns what the answer says besides."""
    data = call.data
    try:
        own = client_id(data.get("alert_id")) or client_id(data.get("request_id"))
    except InvalidOrder:
        raise ApiError(400, "alert_id: write it as a text or a number") from None
    name = fingerprint(strategy, own or call.client_id, data)
    try:
        new = await call.services.webhook_queue.submit(strategy, orders, name)
    except StorageError as error:
        raise ApiError(503, f"The alert was not stored and is not followed: {error}") from None
    return {} if new else {"duplicate": True}


async def strategy_webhook(call: Call) -> dict[str, Any]:
    strategy = await _strategy(call, WebhookKind.STRATEGY)
    data = call.data
    if not strategy.active:
        raise ApiError(400, "Strategy is inactive")
    if not data:
        raise ApiError(400, "No data received")
    symbol, action = data.get("symbol"), data.get("action")
    if not symbol or not action or not isinstance(symbol, str):
        raise ApiError(400, "Missing required fields: symbol, action")
    if len(symbol) > MAX_TEXT:
        raise ApiError(400, f"symbol: at most {MAX_TEXT} characters")
    size = _size(data.get("position_size"))
    now, calendar = call.ctx.clock.now(), call.ctx.calendar
    try:
        order = strategy_order(strategy, symbol, str(action).upper(), size, now, calendar)
        more = await _submit(call, strategy, [order])
    except WebhookRefused as error:
        raise ApiError(error.http_status, error.message) from None
    return {"message": f"Order queued successfully for {symbol}", **more}


async def chartink_webhook(call: Call) -> dict[str, Any]:
    strategy = await _strategy(call, WebhookKind.CHARTINK)
    data = call.data
    if not strategy.active:
        return {"status": "success", "message": "Strategy is inactive"}
    scan, stocks = str(data.get("scan_name") or ""), str(data.get("stocks") or "")
    names = [name.strip() for name in stocks.split(",") if name.strip()]
    try:
        now = call.ctx.clock.now()
        orders = scan_orders(strategy, scan, names, now, call.ctx.calendar)
        more = await _submit(call, strategy, orders)
    except WebhookRefused as error:
        raise ApiError(error.http_status, error.message, status="error") from None
    if not orders:
        return {"status": "warning", "message": "No orders were queued"}
    placed = ", ".join(order.request.symbol for order in orders)
    return {"status": "success", "message": f"Orders queued for symbols: {placed}", **more}
