"""Symbol services: answered from the master in memory."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.core.symbols import format_expiry_dashed
from openalgo_desktop.local_api.handlers import shapes
from openalgo_desktop.local_api.table import ApiError, Call


async def symbol(call: Call) -> dict[str, Any]:
    key = (call.data["exchange"], call.data["symbol"])
    row = call.ctx.instruments.get(key)
    if row is None:
        raise ApiError(404, f"Symbol {key[1]} not found in exchange {key[0]}")
    data = shapes.instrument_row(row)
    data["id"] = call.ctx.instruments.row_id(key)
    data["freeze_qty"] = shapes.freeze_quantity(row)
    return {"status": "success", "data": data}


async def search(call: Call) -> dict[str, Any]:
    query = call.data["query"].strip()
    if not query:
        raise ApiError(400, "Query parameter is required and cannot be empty")
    found = call.ctx.instruments.search(query, call.data.get("exchange"))
    rows = [
        shapes.instrument_row(row) | {"freeze_qty": shapes.freeze_quantity(row)} for row in found
    ]
    message = f"Found {len(rows)} matching symbols" if rows else "No matching symbols found"
    return {"status": "success", "message": message, "data": rows}


async def expiry(call: Call) -> dict[str, Any]:
    name = call.data["symbol"].strip().upper()
    exchange, kind = call.data["exchange"], call.data["instrumenttype"]
    if not name:
        raise ApiError(400, "Symbol parameter is required and cannot be empty")
    days = call.ctx.instruments.expiries(
        name, exchange, kind == "futures", call.ctx.clock.now().date()
    )
    what = f"expiry dates {'found ' if not days else ''}for {name} {kind} in {exchange}"
    return {
        "status": "success",
        "message": f"Found {len(days)} {what}" if days else f"No {what}",
        "data": [format_expiry_dashed(day) for day in days],
    }
