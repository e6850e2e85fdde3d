"""Good-till-triggered orders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from openalgo_desktop.core.clock import IST, api_timestamp
from openalgo_desktop.core.enums import Action, GttType, Mode, PriceType, Product
from openalgo_desktop.core.errors import NotSupported, SymbolUnknown
from openalgo_desktop.core.gtt import Gtt, GttRequest
from openalgo_desktop.local_api.handlers.orders import check_own
from openalgo_desktop.local_api.handlers.shapes import success
from openalgo_desktop.local_api.table import ApiError, Call


def gtt_request(data: dict[str, Any], expires_at: datetime | None = None) -> GttRequest:
    """The GTT that validated fields describe. Of two triggers on a SINGLE the stop-loss wins."""
    kind = GttType(data["trigger_type"])
    below, above = data["triggerprice_sl"] or 0.0, data["triggerprice_tg"] or 0.0
    if kind is GttType.SINGLE and below > 0:
        above = 0.0
    return GttRequest(
        trigger_type=kind,
        symbol=data["symbol"],
        exchange=data["exchange"],
        action=Action(data["action"]),
        quantity=data["quantity"],
        product=Product(data["product"]),
        price_type=PriceType(data["pricetype"]),
        price=data["price"],
        trigger_below=below,
        trigger_above=above,
        stoploss=data["stoploss"] or 0.0,
        target=data["target"] or 0.0,
        expires_at=expires_at,
        strategy=data["strategy"],
    )


def _expiry(call: Call) -> datetime | None:
    text = call.data["expires_at"]
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, f"expires_at: {text!r} is not a date and time.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=IST)
    if moment <= call.ctx.clock.now():
        raise ApiError(400, f"expires_at: {text!r} is in the past.")
    return moment


def _refused(call: Call) -> ApiError:
    return ApiError(501, f"GTT orders are not supported for broker '{call.desk.broker}' yet")


async def placegttorder(call: Call) -> dict[str, Any]:
    request = gtt_request(call.data, _expiry(call))
    call.begin_write()
    try:
        placed = await call.gtt.place(request, call.source, call.mode)
    except SymbolUnknown:
        raise ApiError(400, "Symbol not found") from None
    except NotSupported:
        raise _refused(call) from None
    return success(placed.mode, trigger_id=placed.order_id)


async def modifygttorder(call: Call) -> dict[str, Any]:
    request = gtt_request(call.data)
    await check_own(call, call.data["trigger_id"])
    call.begin_write()
    try:
        placed = await call.gtt.modify(call.data["trigger_id"], request, call.source, call.mode)
    except SymbolUnknown:
        raise ApiError(400, "Symbol not found") from None
    except NotSupported:
        raise _refused(call) from None
    return success(placed.mode, trigger_id=placed.order_id)


async def cancelgttorder(call: Call) -> dict[str, Any]:
    if not call.data["trigger_id"]:
        raise ApiError(400, "trigger_id is missing")
    await check_own(call, call.data["trigger_id"])
    call.begin_write(closes=True)
    try:
        placed = await call.gtt.cancel(call.data["trigger_id"], call.source, call.mode)
    except NotSupported:
        raise _refused(call) from None
    return success(placed.mode, trigger_id=placed.order_id)


async def gttorderbook(call: Call) -> dict[str, Any]:
    mode = call.desk.mode
    try:
        rows = await call.gtt.book()
    except NotSupported:
        raise _refused(call) from None
    return success(mode, data=[gtt_row(row, mode) for row in rows])


def gtt_row(row: Gtt, mode: Mode) -> dict[str, Any]:
    """A row of the GTT book; times of simulated ones are UTC without a zone."""
    result: dict[str, Any] = {
        "trigger_id": row.trigger_id,
        "trigger_type": row.trigger_type.book_text,
        "status": row.status.value,
        "symbol": row.symbol,
        "exchange": row.exchange,
        "trigger_prices": [leg.trigger_price for leg in row.legs],
        "last_price": row.last_price,
        "legs": [
            {
                "action": row.action.value,
                "quantity": row.quantity,
                "price": leg.price,
                "pricetype": row.price_type.value,
                "product": row.product.value,
            }
            for leg in row.legs
        ],
        "created_at": _moment(row.created_at, mode),
        "updated_at": _moment(row.updated_at, mode),
        "expires_at": _moment(row.expires_at, mode, "microseconds"),
    }
    if mode is Mode.SANDBOX:
        result |= {"strategy": row.strategy, "margin_blocked": row.margin}
    return result


def _moment(at: datetime | None, mode: Mode, detail: str = "seconds") -> str:
    if at is None:
        return ""
    if mode is Mode.LIVE:
        return api_timestamp(at)
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=detail)
