"""Answers of what this version has not: WhatsApp messages, portfolio and SIP backtests."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.table import BAD_KEY, ApiError, Call

NOT_YET = "Not available in this version"
WHATSAPP_UNPAIRED = (
    "WhatsApp is not paired or not connected. Pair the device first from the /whatsapp page in "
    "OpenAlgo before sending."
)


def key_aside(ctx: ApiContext, data: dict[str, Any], path: str) -> dict[str, Any]:
    """Keep the key for :func:`not_yet`: no other field is looked at."""
    return {"key": data.get("apikey")}


async def not_yet(call: Call) -> dict[str, Any]:
    key = call.data.get("key")
    if isinstance(key, str) and 0 < len(key) <= 256 and await call.ctx.keys.verify(key) is None:
        raise ApiError(403, BAD_KEY)
    raise ApiError(501, NOT_YET)


async def whatsapp_unpaired(call: Call) -> dict[str, Any]:
    raise ApiError(409, WHATSAPP_UNPAIRED)


async def flow_unknown(call: Call) -> dict[str, Any]:
    raise ApiError(404, "Invalid webhook token")
