"""Margin, profit by symbol, chart preferences."""

from __future__ import annotations

from typing import Any

import msgspec

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product
from openalgo_desktop.core.errors import InvalidOrder, NotSupported
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.numbers import number
from openalgo_desktop.exchange.checks import check_tradable
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.handlers import shapes
from openalgo_desktop.local_api.handlers.shapes import success
from openalgo_desktop.local_api.table import ApiError, Call

_CHART_SCOPE = "chart"
#: Quantities and prices of margin requests are below this.
MAX_NUMBER = 1e12
MAX_PREFERENCES = 50
MAX_PREFERENCE_KEY = 50
SHOWN_PREFERENCE_KEY = 20  # letters of a long key in its refusal
MAX_PREFERENCE_BYTES = 1024 * 1024


# -- margin ---------------------------------------------------------------------------------
async def margin(call: Call) -> dict[str, Any]:
    legs: list[OrderRequest] = []
    for place, row in enumerate(call.data["positions"], 1):
        leg = _margin_leg(row, f"Position {place}: ")
        if (instrument := call.ctx.instruments.get(leg.key)) is None:
            continue
        try:
            check_tradable(instrument)
        except InvalidOrder as error:
            raise ApiError(400, f"Position {place}: {error.message}") from None
        legs.append(leg)
    if not legs:
        raise ApiError(400, "No valid positions to calculate margin. Check if symbols are valid.")
    try:
        result = await call.desk.read.margin(legs)
    except NotSupported:
        broker = call.desk.broker
        raise ApiError(501, f"Margin calculation not implemented for broker: {broker}") from None
    return {
        "status": "success",
        "data": {
            "total_margin_required": shapes.two(result.total),
            "span_margin": shapes.two(result.span),
            "exposure_margin": shapes.two(result.exposure),
        },
    }


def _margin_leg(row: dict[str, str], where: str) -> OrderRequest:
    quantity = _number(row["quantity"], f"{where}Invalid quantity format")
    if quantity <= 0:
        raise ApiError(400, f"{where}Quantity must be a positive number")
    if quantity != int(quantity):
        raise ApiError(400, f"{where}Invalid quantity format")
    price = _number(row["price"], f"{where}Invalid price format")
    trigger = _number(row["trigger_price"], f"{where}Invalid trigger price format")
    if price < 0:
        raise ApiError(400, f"{where}Price cannot be negative")
    if trigger < 0:
        raise ApiError(400, f"{where}Trigger price cannot be negative")
    return OrderRequest(
        symbol=row["symbol"],
        exchange=row["exchange"],
        action=Action(row["action"].upper()),
        quantity=int(quantity),
        price_type=PriceType(row["pricetype"]),
        product=Product(row["product"]),
        price=price,
        trigger_price=trigger,
    )


def _number(text: str, problem: str) -> float:
    try:
        value = number(text)
    except ValueError:
        raise ApiError(400, problem) from None
    if abs(value) > MAX_NUMBER:
        raise ApiError(400, problem)
    return value


# -- profit by symbol -----------------------------------------------------------------------
_PNL_FIELDS = (
    "symbol",
    "exchange",
    "product",
    "quantity",
    "pnl",
    "unrealized_pnl",
    "today_realized_pnl",
    "total_pnl_today",
)


async def pnl_symbols(call: Call) -> dict[str, Any]:
    positions = await call.desk.read.positions()
    rows = [shapes.position_row(row, Mode.SANDBOX) for row in positions]
    data = [{name: row[name] for name in _PNL_FIELDS} for row in rows]
    totals = shapes.PositionTotals()
    totals.add(positions)
    return success(Mode.SANDBOX, data=data, **totals.row())


# -- chart preferences ----------------------------------------------------------------------
def chart_key(ctx: ApiContext, query: dict[str, Any], path: str) -> dict[str, Any]:
    """The key has to be in the query."""
    if not query.get("apikey"):
        raise ApiError(400, "Missing apikey parameter")
    return query


def chart_body(ctx: ApiContext, data: dict[str, Any], path: str) -> dict[str, Any]:
    """An empty body is told before the missing key."""
    if not data:
        raise ApiError(400, "No data provided")
    return data


async def chart_get(call: Call) -> dict[str, Any]:
    return {"status": "success", "data": await call.ctx.state.all(_CHART_SCOPE)}


async def chart_update(call: Call) -> dict[str, Any]:
    values = call.data
    if not values:
        raise ApiError(400, "No preferences provided to update")
    if len(values) > MAX_PREFERENCES:
        raise ApiError(400, f"Too many preference keys (max {MAX_PREFERENCES})")
    for name, value in values.items():
        if len(name) > MAX_PREFERENCE_KEY:
            raise ApiError(
                400,
                f"Preference key too long: {name[:SHOWN_PREFERENCE_KEY]}... "
                f"(max {MAX_PREFERENCE_KEY} chars)",
            )
        if len(msgspec.json.encode(value)) > MAX_PREFERENCE_BYTES:
            raise ApiError(400, f"Preference value too large for key: {name} (max 1MB)")
    for name, value in values.items():
        await call.ctx.state.put(_CHART_SCOPE, name, value)
    return {"status": "success", "message": "Preferences updated successfully"}
