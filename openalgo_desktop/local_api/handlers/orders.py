"""Placing, modifying and cancelling."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import SymbolUnknown
from openalgo_desktop.core.model import ModifyRequest, OrderRequest
from openalgo_desktop.local_api.handlers.shapes import success
from openalgo_desktop.local_api.table import ApiError, Call
from openalgo_desktop.trading.results import Placed


def order_request(data: dict[str, Any], strategy: str) -> OrderRequest:
    """The order that validated fields describe."""
    return OrderRequest(
        symbol=data["symbol"],
        exchange=data["exchange"],
        action=Action(data["action"]),
        quantity=data["quantity"],
        price_type=PriceType(data["pricetype"]),
        product=Product(data["product"]),
        price=data["price"],
        trigger_price=data["trigger_price"],
        disclosed_quantity=data["disclosed_quantity"],
        strategy=strategy,
    )


@contextmanager
def texts_of_orders(request: OrderRequest) -> Iterator[None]:
    """Refusals of unknown symbols in the words that order clients know."""
    if not request.symbol:
        raise ApiError(400, "Missing required field: symbol")
    try:
        yield
    except SymbolUnknown as error:
        raise ApiError(400, f"Symbol {error.symbol} not found on {error.exchange}") from None


async def place(call: Call, request: OrderRequest) -> Placed:
    """Through the desk, in the mode of the call."""
    book, own = call.desk.books.book(call.mode), call.own
    call.begin_write(closes=book.closes(request) if own is None else own.closes(request))
    with texts_of_orders(request):
        return await call.desk.place(request, call.source, call.mode, account=call.account)


async def placeorder(call: Call) -> dict[str, Any]:
    placed = await place(call, order_request(call.data, call.data["strategy"]))
    return success(placed.mode, **order_ids(placed))


def order_ids(placed: Placed) -> dict[str, Any]:
    """``orderid``, and ``orderids`` of an order that went out in parts."""
    fields: dict[str, Any] = {"orderid": placed.order_id}
    if len(placed.ids) > 1:
        fields["orderids"] = list(placed.ids)
    return fields


async def check_own(call: Call, order_id: str) -> None:
    """A key of one strategy changes and cancels its own orders only."""
    if call.own is not None and call.key is not None and not await call.own.owns(order_id):
        text = f"Order {order_id} is not of strategy {call.key.strategy!r}."
        raise ApiError(403, text, with_mode=False)


async def modifyorder(call: Call) -> dict[str, Any]:
    await check_own(call, call.data["orderid"])
    call.begin_write()
    placed = await call.desk.modify(modify_request(call.data), call.source, call.mode)
    fields = {"orderid": placed.order_id}
    if placed.mode is Mode.SANDBOX:
        fields["message"] = "Order modified successfully"
    return success(placed.mode, **fields)


def modify_request(data: dict[str, Any]) -> ModifyRequest:
    """What to change; a price or trigger of 0 keeps it. Fields that would make it another order
    go along, so that they are refused and not silently left alone."""
    return ModifyRequest(
        order_id=data["orderid"],
        quantity=data["quantity"],
        price=data["price"],
        trigger_price=data["trigger_price"],
        price_type=PriceType(data["pricetype"]),
        disclosed_quantity=data["disclosed_quantity"],
        symbol=data["symbol"],
        exchange=data["exchange"],
        action=Action(data["action"]),
        product=Product(data["product"]),
    )


async def cancelorder(call: Call) -> dict[str, Any]:
    if not call.data["orderid"]:
        raise ApiError(400, "Order ID is missing")
    await check_own(call, call.data["orderid"])
    call.begin_write(closes=True)
    placed = await call.desk.cancel(call.data["orderid"], call.source, call.mode)
    fields = {"orderid": placed.order_id}
    if placed.mode is Mode.SANDBOX:
        fields["message"] = "Order cancelled successfully"
    return success(placed.mode, **fields)


async def cancelallorder(call: Call) -> dict[str, Any]:
    call.begin_write(closes=True)
    if call.own is not None:
        result = await call.own.cancel_all(call.source)
    else:
        result = await call.desk.closing.cancel_all(call.source, call.mode)
    cancelled, failed = result.cancelled, result.failed
    if result.mode is Mode.SANDBOX and not cancelled and not failed:
        message = "No open orders to cancel"
    else:
        message = f"Canceled {len(cancelled)} orders. Failed to cancel {len(failed)} orders."
    return success(
        result.mode,
        message=message,
        canceled_orders=cancelled,
        failed_cancellations=[
            {"orderid": order_id, "message": reason, "reason": reason}
            for order_id, reason in failed
        ],
    )


async def closeposition(call: Call) -> dict[str, Any]:
    call.begin_write(closes=True)
    if call.own is not None:
        result = await call.own.close_all(call.source)
    else:
        result = await call.desk.closing.close_all(call.source, call.mode)
    if result.mode is Mode.LIVE:
        if result.failed:
            raise ApiError(
                500,
                f"Failed to close {result.failed} positions: {'; '.join(result.errors)}",
                orderids=list(result.order_ids),
            )
        return success(
            result.mode,
            message="All Open Positions Squared Off",
            orderids=list(result.order_ids),
        )
    if not result.had_rows:
        return success(result.mode, message="No open positions to close")
    message = f"Closed {result.closed} positions"
    if result.failed:
        message += f" (Failed to close {result.failed} positions)"
    fields = {"failures": list(result.errors)} if result.failed else {}
    return success(
        result.mode,
        message=message,
        closed_positions=result.closed,
        failed_closures=result.failed,
        orderids=list(result.order_ids),
        **fields,
    )
