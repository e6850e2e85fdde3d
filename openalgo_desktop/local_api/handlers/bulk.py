"""Smart, basket and split orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import OrderError
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.rates import parse_limit
from openalgo_desktop.local_api.handlers.orders import (
    order_ids,
    order_request,
    place,
    texts_of_orders,
)
from openalgo_desktop.local_api.handlers.shapes import success
from openalgo_desktop.local_api.table import ApiError, Call
from openalgo_desktop.trading.bulk import Child, place_basket, place_split, split_sizes
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.smart import NotNeeded, SmartOrders
from openalgo_desktop.trading.underway import key_of

#: Basket orders that are under way at a broker together.
LIVE_AT_ONCE = 10


async def placesmartorder(call: Call) -> dict[str, Any]:
    data = call.data
    request, target = order_request(data, data["strategy"]), data["position_size"]
    if call.own is not None:
        await call.own.until_read()
    call.may_write(closes=_reduces(call, request, target))
    with texts_of_orders(request):
        result = await SmartOrders(call.desk).place(
            request,
            target,
            call.source,
            call.mode,
            own=call.own,
            leaving=lambda closes: call.count_write(closes=closes),
        )
    if isinstance(result, NotNeeded):
        return success(result.mode, message=result.message)
    return success(result.mode, **order_ids(result))


def _reduces(call: Call, request: OrderRequest, target: int) -> bool:
    """Whether a target only takes down what is held, or is reached already, by our own books."""
    key = key_of(request)
    row = call.desk.books.book(call.mode).positions.get(key)
    held = row.quantity if row is not None else 0
    if call.own is not None:
        held = call.own.held(key)
    if not held and not target:
        return not request.quantity  # with one it is an entry
    return held * target >= 0 and abs(target) <= abs(held)


async def basketorder(call: Call) -> dict[str, Any]:
    strategy = call.data["strategy"]
    requests = [order_request(item, strategy) for item in call.data["orders"]]
    mode = call.mode
    # A broker answers in tenths of a second: ask it together. The sandbox answers at once.
    at_once = LIVE_AT_ONCE if mode is Mode.LIVE else 1
    children = await place_basket(lambda request: place(call, request), requests, at_once)
    rows = []
    for number, child in enumerate(children, 1):
        request, outcome = child.request, child.outcome
        if not isinstance(outcome, Placed):
            rows.append({"symbol": request.symbol, "status": "error", "message": outcome.message})
            continue
        row: dict[str, Any] = {
            "symbol": request.symbol,
            "exchange": request.exchange,
            "product": request.product.value,
            "status": "success",
            **order_ids(outcome),
        }
        if mode is Mode.SANDBOX:
            row |= {"batch_order": True, "is_last_order": number == len(children)}
        rows.append(row)
    return success(mode, results=rows)


async def splitorder(call: Call) -> dict[str, Any]:
    data = call.data
    request = order_request(data, data["strategy"])
    mode = call.mode
    children = await split(call, request, data["splitsize"])
    return success(mode, **split_answer(request, data["splitsize"], children))


def split_answer(request: OrderRequest, size: int, children: list[Child]) -> dict[str, Any]:
    """What a split order answers besides the mode."""
    return {
        "total_quantity": request.quantity,
        "split_size": size,
        "results": child_rows(children),
    }


async def split(call: Call, request: OrderRequest, size: int) -> list[Child]:
    """The parts of a split order, paced by the order limit when a broker has to take them."""
    try:
        split_sizes(request.quantity, size)
    except OrderError as error:
        raise ApiError(400, error.message) from None
    spacing = 0.0 if call.mode is Mode.SANDBOX else order_spacing(call)
    return await place_split(lambda part: place(call, part), request, size, spacing)


def order_spacing(call: Call) -> float:
    """Seconds between orders so that the order limit holds."""
    rules = parse_limit(call.ctx.settings["limits.order"])
    return max((seconds / count for count, seconds in rules), default=0.0)


def child_rows(children: Sequence[Child]) -> list[dict[str, Any]]:
    """Rows of a split order."""
    rows: list[dict[str, Any]] = []
    for number, child in enumerate(children, 1):
        row: dict[str, Any] = {"order_num": number, "quantity": child.request.quantity}
        if isinstance(child.outcome, Placed):
            row |= {"status": "success", **order_ids(child.outcome)}
        else:
            row |= {"status": "error", "message": child.outcome.message}
        rows.append(row)
    return rows
