"""The ``telegram/*`` endpoints over a bot that runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.emulators.telegram import TOKEN, USER
from tests.unit.automation.telegram.room import Room, room
from tests.unit.local_api.rest_world import World, running
from tests.waiting import until


class Api:
    def __init__(self, world: World, bot: Room) -> None:
        self.world = world
        self.bot = bot

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        return await self.world.post(f"telegram/{path}", body)

    async def get(self, path: str, **query: Any) -> tuple[int, Any]:
        found = await self.world.http.get(
            f"/api/v1/telegram/{path}", params={"apikey": "good", **query}
        )
        return found.status_code, found.json()


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    free = {"api.rest_port": 0, "api.ws_port": 0, "limits.api": ""}
    async with room(**free) as bot, running(telegram=bot.bot, settings=bot.settings) as world:
        yield Api(world, bot)


def refusal(text: str) -> dict[str, str]:
    return {"status": "error", "message": text}


STOPPED = "Telegram bot is stopped. Start the bot to send notifications."


async def test_from_nothing_to_a_message(api: Api):
    assert await api.post("start") == (400, refusal("Bot token not configured"))
    assert await api.post("stop") == (500, refusal("Bot is not running"))
    assert await api.post("notify") == (409, refusal(STOPPED))
    status, body = await api.post("config", token="nonsense")
    assert status == 400 and "no bot token" in body["message"]
    assert await api.post("config", token=TOKEN, webhook_url="https://x") == (
        200,
        {
            "status": "success",
            "message": "Bot configuration updated",
            "note": "Only long polling is used: webhook_url and polling_mode change nothing.",
        },
    )
    assert (await api.post("start"))[0] == 200
    _, body = await api.get("config")
    data = body["data"]
    assert (data["bot_token"], data["token"], data["bot_username"], data["is_active"]) == (
        "123456789:...",
        "123456789:...",
        "desk_bot",
        True,
    )
    assert data["created_at"] == "Tue, 01 Dec 2026 04:45:00 GMT"
    assert await api.post("notify", username="trader") == (
        400,
        refusal("Username and message are required"),
    )
    nobody = refusal("User not found or not linked to Telegram")
    assert await api.post("notify", username="trader", message="hi") == (404, nobody)
    await api.bot.link()
    for name in ("trader", "@Asha4711", str(USER)):
        status, body = await api.post(
            "notify", username=name, message=f"to {name}", wait_for_delivery=True
        )
        assert (status, body["message"]) == (200, "Notification sent successfully")
        assert api.bot.api.texts()[-1] == f"to {name}"
    assert await api.post("notify", username="asha", message="hi") == (404, nobody)
    status, body = await api.post("notify", username="trader", message="later", priority="odd")
    assert (status, body["message"]) == (200, "Notification queued for delivery")
    await until(lambda: api.bot.api.texts()[-1] == "later", "the message")
    assert (await api.post("stop"))[0] == 200
    assert await api.post("stop") == (500, refusal("Bot is not running"))
    assert TOKEN not in str([row.body for row in api.world.api.monitor.recent(100)])


async def test_settings_broadcast_users_statistics_and_preferences(api: Api):
    for value, text in (
        (0, "rate_limit_per_minute must be between 1 and 120"),
        ("x", "rate_limit_per_minute must be an integer"),
    ):
        assert await api.post("config", rate_limit_per_minute=value) == (400, refusal(text))
    await api.post("config", rate_limit_per_minute=60, broadcast_enabled=False)
    assert api.bot.settings["telegram.commands_per_minute"] == 60
    assert await api.post("broadcast", message="") == (400, refusal("Message is required"))
    assert await api.post("broadcast", message="x") == (403, refusal("Broadcast is disabled"))
    await api.post("config", broadcast_enabled=True)
    await api.bot.on()
    await api.bot.link()
    await api.bot.ask("/mode")
    status, body = await api.post("broadcast", message="to all")
    assert (status, body["success_count"], body["fail_count"]) == (200, 1, 0)
    _, body = await api.get("users", notifications_enabled="true")
    assert body["count"] == 1 and body["data"][0]["telegram_id"] == USER
    assert (await api.get("users", broker="nobody"))[1]["count"] == 0
    _, body = await api.get("stats", days=400)
    assert body["data"] == {
        "total_commands": 2,
        "commands_by_type": {"link": 1, "mode": 1},
        "active_users": 1,
        "top_users": [{"telegram_id": USER, "count": 2}],
        "period_days": 365,
    }
    assert await api.get("preferences") == (400, refusal("telegram_id is required"))
    assert await api.post("preferences", telegram_id=USER, daily_summary=False) == (
        200,
        {"status": "success", "message": "Preferences updated successfully"},
    )
    _, body = await api.get("preferences", telegram_id=USER)
    assert body["data"]["daily_summary"] is False and body["data"]["summary_time"] == "18:00"
    assert (await api.post("preferences", telegram_id=5, language="en"))[0] == 404
    assert (await api.post("preferences", telegram_id=USER, language="hi"))[0] == 400


async def test_a_key_that_may_only_read_tells_and_changes_nothing(api: Api):
    await api.bot.on()
    await api.bot.link()
    post = api.world.post
    said = {"username": "trader", "message": "x", "wait_for_delivery": True}
    assert (await post("telegram/notify", said, "read"))[0] == 200
    for path in ("start", "stop", "config", "preferences", "broadcast"):
        assert (await post(f"telegram/{path}", {"message": "x"}, "read"))[0] == 403
        assert (await post(f"telegram/{path}", {"message": "x"}, "wrong"))[0] == 401
    assert api.bot.bot.status.is_active


#: What a client may send by mistake or on purpose.
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 2**63, 10**400, "", " ", "NaN", "1e999", "\x00", "x" * 5000, [], {},
    [1, 2], {"a": 1}, "9" * 400,
)  # fmt: skip
FIELDS = {
    "notify": ("username", "message", "priority", "wait_for_delivery"),
    "broadcast": ("message", "filters"),
    "config": ("token", "rate_limit_per_minute", "broadcast_enabled", "webhook_url"),
    "preferences": ("telegram_id", "daily_summary", "summary_time", "language", "timezone"),
}


async def test_odd_bodies_get_answers_and_change_nothing(
    api: Api, caplog: pytest.LogCaptureFixture
):
    await api.bot.on()
    await api.bot.link()
    good = {"username": "trader", "message": "x", "telegram_id": USER}
    api.bot.settings.set("telegram.broadcast", False)
    for path, names in FIELDS.items():
        for name in names:
            for value in ODD:
                status, body = await api.post(path, **{**good, name: value})
                assert status < 500 and "status" in body, (path, name, value, status, body)
    for path in ("users", "stats", "preferences"):
        for value in ("", "x", "-1", "9" * 400, "\x00"):
            query = {"broker": value, "days": value, "telegram_id": value}
            assert (await api.get(path, **query))[0] < 500
    assert (await api.bot.vault.get("telegram.token")).reveal() == TOKEN  # type: ignore[union-attr]
    assert [chat.chat_id for chat in api.bot.bot.chats()] == [USER]
    assert [row.message for row in caplog.records if row.levelname == "ERROR"] == []
