"""Answers of what this version has not: messaging, portfolio and SIP backtests."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.core.numbers import whole
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.table import BAD_KEY, ApiError, Call

NOT_YET = "Not available in this version"
TELEGRAM_STOPPED = "Telegram bot is stopped. Start the bot to send notifications."
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


async def later(call: Call) -> dict[str, Any]:
    raise ApiError(501, NOT_YET)


async def telegram_stopped(call: Call) -> dict[str, Any]:
    raise ApiError(409, TELEGRAM_STOPPED)


async def telegram_broadcast(call: Call) -> dict[str, Any]:
    if not call.data.get("message"):
        raise ApiError(400, "Message is required")
    raise ApiError(409, TELEGRAM_STOPPED)


async def telegram_start(call: Call) -> dict[str, Any]:
    raise ApiError(400, "Bot token not configured")


async def telegram_stop(call: Call) -> dict[str, Any]:
    raise ApiError(500, "Bot is not running")


async def telegram_config(call: Call) -> dict[str, Any]:
    return {
        "status": "success",
        "data": {
            "bot_token": None,
            "token": None,
            "bot_username": None,
            "is_active": False,
            "broadcast_enabled": True,
            "max_message_length": 4096,
            "rate_limit_per_minute": 30,
            "created_at": None,
            "updated_at": None,
        },
    }


async def telegram_users(call: Call) -> dict[str, Any]:
    return {"status": "success", "data": [], "count": 0}


async def telegram_stats(call: Call) -> dict[str, Any]:
    try:
        days = min(365, max(1, whole(call.data.get("days", 7))))
    except ValueError:
        raise ApiError(400, "days must be an integer") from None
    return {
        "status": "success",
        "data": {
            "total_commands": 0,
            "commands_by_type": {},
            "active_users": 0,
            "top_users": [],
            "period_days": days,
        },
    }


async def telegram_preferences(call: Call) -> dict[str, Any]:
    if not call.data.get("telegram_id"):
        raise ApiError(400, "telegram_id is required")
    return {
        "status": "success",
        "data": {
            "order_notifications": True,
            "trade_notifications": True,
            "pnl_notifications": True,
            "daily_summary": True,
            "summary_time": "18:00",
            "language": "en",
            "timezone": "Asia/Kolkata",
        },
    }


async def whatsapp_unpaired(call: Call) -> dict[str, Any]:
    raise ApiError(409, WHATSAPP_UNPAIRED)


async def flow_unknown(call: Call) -> dict[str, Any]:
    raise ApiError(404, "Invalid webhook token")
