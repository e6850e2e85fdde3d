"""Symbol services: answered from the master in memory."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from openalgo_desktop.analytics.finding import find
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import format_expiry_dashed
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.handlers import shapes
from openalgo_desktop.local_api.table import ApiError, Call, Pieces, Reply

MAX_QUERY = 200
MAX_FOUND = 500
#: Rows that are encoded before other work gets its turn; about 2 ms.
_CHUNK = 500
_COLUMNS = (
    "symbol",
    "brsymbol",
    "name",
    "exchange",
    "brexchange",
    "token",
    "expiry",
    "strike",
    "lotsize",
    "instrumenttype",
    "tick_size",
)


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
    if len(query) > MAX_QUERY:
        raise ApiError(400, f"Query is too long (max {MAX_QUERY} characters)")
    ctx, exchange = call.ctx, call.data.get("exchange")
    # The whole of a large master is read, 10 to 20 ms: in a thread, other requests go on.
    found = await asyncio.to_thread(ctx.instruments.search, query, exchange)
    if not found:  # no text has it: "bnf fut" means something all the same
        meant = find(query, ctx.instruments, ctx.hub, ctx.clock, MAX_FOUND)
        found = [row for row in meant if exchange is None or row.exchange == exchange]
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


def instruments_fields(ctx: ApiContext, query: dict[str, Any], path: str) -> dict[str, Any]:
    """Fields of the request; a missing key is told as a null one, as clients know it."""
    return {"apikey": None} | query


async def instruments(call: Call) -> Reply:
    exchange, form = call.data.get("exchange"), call.data["format"]
    rows = call.ctx.instruments.rows(exchange)
    if form == "csv":
        name = f"instruments_{exchange or 'all'}.csv"
        return Reply(
            await _csv(rows),
            content_type="text/csv",
            headers={"Content-Disposition": f"attachment; filename={name}"},
        )
    parts: list[bytes] = []
    count = 0
    while chunk := list(islice(rows, _CHUNK)):
        count += len(chunk)
        parts.append(msgspec.json.encode([shapes.instrument_row(row) for row in chunk])[1:-1])
        await asyncio.sleep(0)
    message = f"Found {count} instruments" if count else "No instruments found"
    head = msgspec.json.encode({"status": "success", "message": message})[:-1]
    return Reply(Pieces.of(head + b',"data":[', parts, b"]}"))


async def _csv(rows: Iterator[Instrument]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, _COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    while chunk := list(islice(rows, _CHUNK)):
        writer.writerows(shapes.instrument_row(row) for row in chunk)
        await asyncio.sleep(0)
    return buffer.getvalue().encode()
