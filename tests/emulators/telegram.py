"""A Bot API on loopback, as far as the bot uses it: long polling that can be cut, messages,
pictures, buttons, and Telegram's refusals.

Protocol: https://core.telegram.org/bots/api. Run in the test's own loop, or in a thread for a
program of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"
USER = 4711


@dataclass
class Said:
    """A message that the bot sent, or edited."""

    method: str
    chat: int
    text: str
    buttons: dict[str, str] = field(default_factory=dict)  # text: data
    png: bytes = b""
    message_id: int = 0


class TelegramEmulator:
    """``said`` is what the bot sent. ``refuse`` answers the next calls of a method so: status,
    and parameters of the answer."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token
        self.said: list[Said] = []
        self.answered: list[str] = []  # what was said of buttons
        self.log: list[str] = []  # methods, in order
        self.offsets: list[int] = []
        self.refuse: dict[str, deque[tuple[int, dict[str, Any]]]] = {}
        self.refuse_all: int = 0  # status of every answer
        self.repeat = False  # all updates come once more, as if nothing had been confirmed
        self.garbage: dict[str, int] = {}  # so many answers of a method are no JSON
        self.name = "Asha"
        self.cut = 0  # so many long polls end without an answer
        self._updates: list[dict[str, Any]] = []
        self._confirmed = 0  # the number of the first update that was not
        self._more = asyncio.Event()
        self._ids = itertools.count(1000)
        self._messages = itertools.count(1)
        self._runner: web.AppRunner | None = None
        self.port = 0

    # -- life -------------------------------------------------------------------------------
    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1."""
        app = web.Application(client_max_size=8 << 20)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close everything."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Address for the setting telegram.api_url."""
        return f"http://127.0.0.1:{self.port}"

    # -- what a user does -------------------------------------------------------------------
    def write(self, text: str, chat: int = USER, user: int = 0, group: str = "") -> int:
        """A message; the number of its update."""
        return self._update(message=self._message(text, chat, user or chat, group))

    def press(self, data: str, chat: int = USER, user: int = 0, message_id: int = 1) -> int:
        """A button."""
        message = self._message("", chat, user or chat, "") | {"message_id": message_id}
        query = {
            "id": f"q{next(self._messages)}",
            "from": self._user(user or chat),
            "message": message,
            "chat_instance": "1",
            "data": data,
        }
        return self._update(callback_query=query)

    def _update(self, **what: Any) -> int:
        number = next(self._ids)
        self._updates.append({"update_id": number, **what})
        self._more.set()
        return number

    def _message(self, text: str, chat: int, user: int, group: str) -> dict[str, Any]:
        place: dict[str, Any] = {"id": chat, "type": "private", "first_name": self.name}
        if group:
            place = {"id": chat, "type": "group", "title": group}
        return {
            "message_id": next(self._messages),
            "date": 1_800_000_000,
            "chat": place,
            "from": self._user(user),
            "text": text,
        }

    def _user(self, number: int) -> dict[str, Any]:
        name = f"asha{number}"
        return {"id": number, "is_bot": False, "first_name": self.name, "username": name}

    # -- what a test looks at ---------------------------------------------------------------
    def texts(self, chat: int = USER) -> list[str]:
        """What the bot said to a chat."""
        return [one.text for one in self.said if one.chat == chat]

    def calls(self, method: str) -> int:
        """How often it was called."""
        return self.log.count(method)

    # -- the wire ---------------------------------------------------------------------------
    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.log.append(method)
        if request.match_info["token"] != self.token:
            return _no(401, "Unauthorized")
        if self.refuse_all:
            return _no(self.refuse_all, "refused")
        if self.refuse.get(method):
            status, parameters = self.refuse[method].popleft()
            return _no(status, f"refused {method}", parameters)
        if self.garbage.get(method):
            self.garbage[method] -= 1
            return web.Response(text="<html>busy</html>")
        form = dict(await request.post()) if request.can_read_body else {}
        handler = getattr(self, f"_{method}", None)
        result = True if handler is None else await handler(form, request)
        return web.json_response({"ok": True, "result": result})

    async def _getMe(self, form: dict[str, Any], request: web.Request) -> Any:
        return {"id": 123456789, "is_bot": True, "first_name": "Desk", "username": "desk_bot"}

    async def _getUpdates(self, form: dict[str, Any], request: web.Request) -> Any:
        offset, seconds = int(form.get("offset", 0)), float(form.get("timeout", 0))
        self.offsets.append(offset)
        self._confirmed = max(self._confirmed, offset)
        if self.cut:
            self.cut -= 1
            assert request.transport is not None
            request.transport.abort()
            await asyncio.Event().wait()
        if self.repeat:
            self.repeat = False
            return list(self._updates)
        if not self._waiting():
            self._more.clear()
            try:
                await asyncio.wait_for(self._more.wait(), seconds)
            except TimeoutError:
                return []
        return self._waiting()

    def _waiting(self) -> list[dict[str, Any]]:
        return [row for row in self._updates if row["update_id"] >= self._confirmed]

    async def _sendMessage(self, form: dict[str, Any], request: web.Request) -> Any:
        return self._took("sendMessage", form, form["text"])

    async def _sendPhoto(self, form: dict[str, Any], request: web.Request) -> Any:
        photo = next(value for value in form.values() if hasattr(value, "file"))
        return self._took("sendPhoto", form, form.get("caption", ""), photo.file.read())

    async def _editMessageText(self, form: dict[str, Any], request: web.Request) -> Any:
        return self._took("editMessageText", form, form["text"])

    async def _answerCallbackQuery(self, form: dict[str, Any], request: web.Request) -> Any:
        self.answered.append(form.get("text", ""))
        return True

    def _took(self, method: str, form: dict[str, Any], text: str, png: bytes = b"") -> Any:
        rows = json.loads(form.get("reply_markup", "{}")).get("inline_keyboard", [])
        buttons = {one["text"]: one["callback_data"] for row in rows for one in row}
        number = int(form.get("message_id", 0)) or next(self._messages)
        self.said.append(Said(method, int(form["chat_id"]), text, buttons, png, number))
        chat = {"id": int(form["chat_id"]), "type": "private"}
        return {"message_id": number, "date": 1_800_000_000, "chat": chat, "text": text}


def _no(status: int, text: str, parameters: dict[str, Any] | None = None) -> web.Response:
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": text}
    if parameters:
        body["parameters"] = parameters
    return web.json_response(body, status=status)
