"""Alerts from outside: strategy webhooks and Chartink scans."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import InvalidOrder, StorageError
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.numbers import MAX_TEXT, number
from openalgo_desktop.core.strategies.webhook import PREFIX, HookResult
from openalgo_desktop.core.webhook_log import WebhookEvent, hook_key
from openalgo_desktop.local_api.bodies import Body
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.gate import TooMany
from openalgo_desktop.local_api.hook_log import said
from openalgo_desktop.local_api.made_webhooks import OWNER
from openalgo_desktop.local_api.services import Services
from openalgo_desktop.local_api.table import ApiError, Call, Endpoint, Reply
from openalgo_desktop.local_api.webhook_queue import Trial, fingerprint
from openalgo_desktop.trading.idempotency import client_id
from openalgo_desktop.trading.webhooks import (
    WebhookKind,
    WebhookOrder,
    WebhookRefused,
    WebhookStrategy,
    scan_orders,
    strategy_order,
)

#: Follows an alert of a strategy; gives the answer and the numbers of the orders in the queue.
_Follow: TypeAlias = Callable[
    [Call, WebhookStrategy], Awaitable[tuple[dict[str, Any], list[int] | None]]
]


async def _answer(call: Call, kind: WebhookKind, follow: _Follow) -> dict[str, Any]:
    """The answer to an alert; what became of it is in the log of webhooks."""
    found = await call.services.webhooks.get(call.path_arg)
    key = hook_key(call.path_arg) if found is not None else ""
    limit = str(call.ctx.settings["limits.webhook"])
    if wait := call.services.made_webhooks.windows.limited(key, call.client, limit):
        raise TooMany(wait)
    if found is None or found.kind is not kind:
        _note(call, None, HookResult.TOKEN, 404, "Invalid webhook ID")
        raise ApiError(404, "Invalid webhook ID")
    return (await _told(call, found, follow))[0]


async def _told(
    call: Call, found: WebhookStrategy, follow: _Follow
) -> tuple[dict[str, Any], list[int] | None]:
    """Follow an alert and note what became of it."""
    try:
        call.data = (call.body or Body()).fields()
        answer, orders = await follow(call, found)
    except ApiError as error:
        _note(call, found, HookResult.REFUSED, error.http_status, error.message)
        raise
    if not orders:  # of orders the row is there already, stored together with them
        result = HookResult.DUPLICATE if orders is None else HookResult.REFUSED
        _note(call, found, result, 200, str(answer["message"]))
    return answer, orders


async def followed(
    ctx: ApiContext,
    services: Services,
    strategy: WebhookStrategy,
    body: Body,
    mode: Mode,
    told: Callable[[str], None],
) -> tuple[int, dict[str, Any], list[int] | None]:
    """A test of the owner: status and answer as a sender would get them, and the orders. ``told``
    hears what comes of each."""
    chartink = strategy.kind is WebhookKind.CHARTINK
    row = Endpoint(
        "/chartink/webhook/*" if chartink else "/strategy/webhook/*", _never, None, "", ""
    )
    call = Call(ctx, services, row, {}, mode, "webhook", client=OWNER, body=body)
    call.test = Trial(told)
    follow = _chartink_alert if chartink else _strategy_alert
    try:
        answer, orders = await _told(call, strategy, follow)
    except ApiError as error:
        return error.http_status, {"error": error.message, **error.fields}, []
    return 200, answer, orders


async def _never(call: Call) -> dict[str, Any]:
    raise NotImplementedError


def _note(
    call: Call, strategy: WebhookStrategy | None, result: HookResult, status: int, message: str
) -> None:
    call.services.hook_log.note(_event(call, strategy, result, status, message))


def _event(
    call: Call, strategy: WebhookStrategy | None, result: HookResult, status: int, message: str
) -> WebhookEvent:
    action = call.data.get("action", call.data.get("scan_name", ""))
    return WebhookEvent(
        received_at=call.ctx.clock.now(),
        strategy="" if strategy is None else hook_key(strategy.webhook_id),
        name="" if strategy is None else strategy.name,
        action=str(action)[:32],
        mode=call.mode.value,
        client=call.client[:64],
        said=said(call.data) if call.data else "",
        result=result,
        status=status,
        message=message,
    )


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
    call: Call, strategy: WebhookStrategy, orders: list[WebhookOrder], message: str
) -> tuple[dict[str, Any], list[int] | None]:
    """Queue the orders, and with them the row of the log that says ``message``; returns what the
    answer says besides, and their numbers in the queue."""
    data = call.data
    try:
        own = client_id(data.get("alert_id")) or client_id(data.get("request_id"))
    except InvalidOrder:
        raise ApiError(400, "alert_id: write it as a text or a number") from None
    name = fingerprint(strategy, own or call.client_id, data)
    try:
        event = _event(call, strategy, HookResult.QUEUED, 200, message)
        numbers = await call.services.webhook_queue.submit(
            strategy, orders, name, call.mode, event, call.test
        )
    except StorageError as error:
        raise ApiError(503, f"The alert was not stored and is not followed: {error}") from None
    return ({"duplicate": True} if numbers is None else {}), numbers


async def strategy_webhook(call: Call) -> dict[str, Any] | Reply:
    if call.path_arg.startswith(PREFIX):
        body = call.body or Body()
        return await call.services.made_webhooks.answer(call.path_arg, body, call.client)
    return await _answer(call, WebhookKind.STRATEGY, _strategy_alert)


async def _strategy_alert(
    call: Call, strategy: WebhookStrategy
) -> tuple[dict[str, Any], list[int] | None]:
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
        message = f"Order queued successfully for {symbol}"
        more, numbers = await _submit(call, strategy, [order], message)
    except WebhookRefused as error:
        raise ApiError(error.http_status, error.message) from None
    return {"message": message, **more}, numbers


async def chartink_webhook(call: Call) -> dict[str, Any]:
    return await _answer(call, WebhookKind.CHARTINK, _chartink_alert)


async def _chartink_alert(
    call: Call, strategy: WebhookStrategy
) -> tuple[dict[str, Any], list[int] | None]:
    data = call.data
    if not strategy.active:
        return {"status": "success", "message": "Strategy is inactive"}, []
    scan, stocks = str(data.get("scan_name") or ""), str(data.get("stocks") or "")
    names = [name.strip() for name in stocks.split(",") if name.strip()]
    try:
        now = call.ctx.clock.now()
        orders = scan_orders(strategy, scan, names, now, call.ctx.calendar)
        placed = ", ".join(order.request.symbol for order in orders)
        message = f"Orders queued for symbols: {placed}"
        more, numbers = await _submit(call, strategy, orders, message)
    except WebhookRefused as error:
        raise ApiError(error.http_status, error.message, status="error") from None
    if not orders:
        return {"status": "warning", "message": "No orders were queued"}, []
    return {"status": "success", "message": message, **more}, numbers
