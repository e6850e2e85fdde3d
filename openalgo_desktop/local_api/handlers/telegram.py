"""The ``telegram/*`` endpoints. Texts are those that clients of the reference know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec

from openalgo_desktop.core.acting import actor
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.numbers import whole
from openalgo_desktop.core.telegram import MAX_MESSAGE, USUAL, LinkedChat, Preferences, TelegramRoom
from openalgo_desktop.local_api.handlers.later import NOT_YET
from openalgo_desktop.local_api.table import ApiError, Call

STOPPED = "Telegram bot is stopped. Start the bot to send notifications."
NO_USER = "User not found or not linked to Telegram"
#: Users of the statistics that are named.
_TOP = 10


async def _room(call: Call) -> TelegramRoom:
    room = call.ctx.telegram
    if room is None:
        raise ApiError(501, NOT_YET)
    await room.load()
    return room


@contextmanager
def _acting(call: Call) -> Iterator[None]:
    """The audit trail names the client; a connection's next request is its own."""
    token = actor.set(call.source)
    try:
        yield
    finally:
        actor.reset(token)


def _done(message: str, **more: Any) -> dict[str, Any]:
    return {"status": "success", "message": message, **more}


# -- configuration --------------------------------------------------------------------------
async def config(call: Call) -> dict[str, Any]:
    """The configuration; the token only by its first letters."""
    room, settings = await _room(call), call.ctx.settings
    made, changed = (_rfc1123(at) for at in room.touched())
    status = room.status
    return {
        "status": "success",
        "data": {
            "bot_token": room.masked_token(),
            "token": room.masked_token(),
            "bot_username": status.bot or None,
            "is_active": status.is_active,
            "broadcast_enabled": settings["telegram.broadcast"],
            "max_message_length": MAX_MESSAGE,
            "rate_limit_per_minute": settings["telegram.commands_per_minute"],
            "created_at": made,
            "updated_at": changed,
        },
    }


def _rfc1123(at: datetime | None) -> str | None:
    return None if at is None else format_datetime(at.astimezone(UTC), usegmt=True)


async def configure(call: Call) -> dict[str, Any]:
    """Change it. All fields are looked at before the first one counts."""
    room, data, settings = await _room(call), call.data, call.ctx.settings
    changes: dict[str, Any] = {}
    if data.get("rate_limit_per_minute") is not None:
        changes["telegram.commands_per_minute"] = _rate(data["rate_limit_per_minute"])
    if data.get("broadcast_enabled") is not None:
        changes["telegram.broadcast"] = _flag("broadcast_enabled", data["broadcast_enabled"])
    token = data.get("token")
    if token is not None and not isinstance(token, str):
        raise ApiError(400, "token must be a text")
    if token:
        try:
            await room.set_token(token)
        except AppError as error:
            raise ApiError(400, error.message) from None
    with _acting(call):
        for key, value in changes.items():
            settings.set(key, value)
    await room.touch()
    notes = {}
    if data.get("webhook_url") or data.get("polling_mode") is False:
        notes["note"] = "Only long polling is used: webhook_url and polling_mode change nothing."
    return _done("Bot configuration updated", **notes)


def _rate(value: Any) -> int:
    try:
        rate = whole(value)
    except (TypeError, ValueError):
        raise ApiError(400, "rate_limit_per_minute must be an integer") from None
    if not 1 <= rate <= 120:
        raise ApiError(400, "rate_limit_per_minute must be between 1 and 120")
    return rate


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ApiError(400, f"{name} must be true or false")
    return value


async def start(call: Call) -> dict[str, Any]:
    """Switch the bot on."""
    room = await _room(call)
    try:
        with _acting(call):
            await room.switch(True)
    except AppError as error:
        raise ApiError(400, error.message) from None
    status = room.status
    return _done(status.text or "Bot started successfully")


async def stop(call: Call) -> dict[str, Any]:
    """Switch it off."""
    room = await _room(call)
    if not room.status.is_active:
        raise ApiError(500, "Bot is not running")
    with _acting(call):
        await room.switch(False)
    return _done("Bot stopped successfully")


# -- users ----------------------------------------------------------------------------------
def _selected(call: Call, room: TelegramRoom) -> list[LinkedChat]:
    """Chats by the filters of a request; every chat is of this program's broker."""
    filters = call.data.get("filters")
    data = filters if isinstance(filters, dict) else call.data
    broker, told = data.get("broker"), data.get("notifications_enabled")
    chats = room.chats()
    if broker and str(broker).casefold() != call.ctx.broker.casefold():
        return []
    if told is not None and str(told) != "":
        wanted = str(told).strip().lower() in ("1", "true", "yes", "on")
        chats = [chat for chat in chats if _is_told(chat) is wanted]
    return chats


def _is_told(chat: LinkedChat) -> bool:
    wish = chat.preferences
    return wish.order_notifications or wish.trade_notifications or wish.pnl_notifications


async def users(call: Call) -> dict[str, Any]:
    """Linked chats."""
    rows = [
        {
            "telegram_id": chat.chat_id,
            "openalgo_username": call.ctx.user_id,
            "telegram_username": chat.username or None,
            "first_name": chat.name,
            "broker": call.ctx.broker,
            "notifications_enabled": _is_told(chat),
            "created_at": _rfc1123(chat.linked_at),
            "last_command_at": _rfc1123(chat.last_command_at),
        }
        for chat in _selected(call, await _room(call))
    ]
    return {"status": "success", "data": rows, "count": len(rows)}


# -- messages -------------------------------------------------------------------------------
async def notify(call: Call) -> dict[str, Any]:
    """Send a text to the chats of a user."""
    room, data = await _room(call), call.data
    if not room.status.is_active:
        raise ApiError(409, STOPPED)
    username, message = data.get("username"), data.get("message")
    if not username or not message:
        raise ApiError(400, "Username and message are required")
    if not isinstance(username, str) or not isinstance(message, str):
        raise ApiError(400, "Username and message must be texts")
    if len(message) > MAX_MESSAGE:
        raise ApiError(400, f"Message is too long: {MAX_MESSAGE} characters at most")
    chats = room.known_as(username)
    if not chats:
        raise ApiError(404, NO_USER)
    wait = data.get("wait_for_delivery") is True
    count = await room.tell(chats, message, wait=wait, priority=_priority(data.get("priority")))
    if not wait:
        return _done("Notification queued for delivery")
    if not count:
        raise ApiError(500, "Failed to send notification")
    return _done("Notification sent successfully")


def _priority(value: Any) -> int:
    """1 to 10; anything else is the usual one, as clients are used to."""
    try:
        number = whole(value)
    except (TypeError, ValueError):
        return USUAL
    return number if 1 <= number <= 10 else USUAL


async def broadcast(call: Call) -> dict[str, Any]:
    """Send a text to all linked chats."""
    message = call.data.get("message")
    if not message:
        raise ApiError(400, "Message is required")
    room = await _room(call)
    if not isinstance(message, str) or len(message) > MAX_MESSAGE:
        raise ApiError(400, f"Message must be a text of {MAX_MESSAGE} characters at most")
    if not call.ctx.settings["telegram.broadcast"]:
        raise ApiError(403, "Broadcast is disabled")
    if not room.status.is_active:
        raise ApiError(409, STOPPED)
    chats = _selected(call, room)
    taken = await room.tell(chats, message, wait=True)
    return _done(
        f"Broadcast sent to {taken} users",
        success_count=taken,
        fail_count=len(chats) - taken,
    )


# -- statistics and preferences -------------------------------------------------------------
async def stats(call: Call) -> dict[str, Any]:
    """How the bot was used in the last days."""
    try:
        days = min(365, max(1, whole(call.data.get("days", 7))))
    except (TypeError, ValueError):
        raise ApiError(400, "days must be an integer") from None
    room = await _room(call)
    kinds: dict[str, int] = {}
    by_chat: dict[int, int] = {}
    rows = room.commands_since(call.ctx.clock.now() - timedelta(days=days))
    for row in rows:
        kinds[row.command] = kinds.get(row.command, 0) + 1
        by_chat[row.chat_id] = by_chat.get(row.chat_id, 0) + 1
    top = sorted(by_chat.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
    return {
        "status": "success",
        "data": {
            "total_commands": len(rows),
            "commands_by_type": kinds,
            "active_users": len(by_chat),
            "top_users": [{"telegram_id": chat, "count": count} for chat, count in top],
            "period_days": days,
        },
    }


def _telegram_id(call: Call) -> int:
    value = call.data.get("telegram_id")
    if not value:
        raise ApiError(400, "telegram_id is required")
    try:
        return whole(value)
    except (TypeError, ValueError):
        raise ApiError(400, "telegram_id must be an integer") from None


async def preferences(call: Call) -> dict[str, Any]:
    """What a chat is told; of one that is not linked, what it would be."""
    chat_id = _telegram_id(call)
    room = await _room(call)
    wish = next((chat.preferences for chat in room.chats() if chat.chat_id == chat_id), None)
    data = msgspec.to_builtins(wish or Preferences())
    data["summary_time"] = data["summary_time"] or call.ctx.settings["telegram.summary_time"]
    return {"status": "success", "data": data}


async def prefer(call: Call) -> dict[str, Any]:
    """Change it."""
    chat_id = _telegram_id(call)
    room = await _room(call)
    if all(chat.chat_id != chat_id for chat in room.chats()):
        raise ApiError(404, NO_USER)
    try:
        await room.prefer(chat_id, call.data)
    except AppError as error:
        raise ApiError(400, error.message) from None
    return _done("Preferences updated successfully")
