"""The Bot API by python-telegram-bot. The only module that imports it; nobody imports this one
before the bot is switched on."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from openalgo_desktop.automation.telegram.ports import (
    ChatGone,
    Incoming,
    Rows,
    TokenRefused,
    TwoPollers,
    Unsendable,
)
from openalgo_desktop.core.errors import NetError, NetTimeout, RateLimited
from openalgo_desktop.core.redact import MASK
from openalgo_desktop.core.secret import Secret

T = TypeVar("T")

# The library warns of itself that the type of this will change; both types are read here.
warnings.filterwarnings("ignore", ".*attribute `retry_after`", DeprecationWarning)

#: Every address has the token in it: these tell addresses below WARNING.
TALKATIVE = ("httpx", "httpcore", "telegram")
#: Seconds for a connection and for an answer.
CONNECT, ANSWER = 10.0, 15.0
_NOT_FOUND = ("chat not found", "user is deactivated", "group chat was upgraded")
_KINDS = ["message", "callback_query"]


class BotWire:
    """One bot. Making it reads the certificates: not on the loop."""

    def __init__(self, token: Secret, base_url: str) -> None:
        for name in TALKATIVE:
            logger = logging.getLogger(name)
            logger.setLevel(max(logging.WARNING, logger.level))
        self._token = token
        self._bot = Bot(
            token.reveal(),
            base_url=f"{base_url.rstrip('/')}/bot",
            request=_request(4, base_url),
            get_updates_request=_request(1, base_url),
        )

    async def open(self) -> str:
        """Connect; the bot's name."""
        await self._asked(self._bot.initialize())
        return self._bot.username

    async def close(self) -> None:
        """Drop the connections."""
        await self._asked(self._bot.shutdown())

    async def menu(self, commands: Sequence[tuple[str, str]]) -> None:
        """What Telegram offers while a user types."""
        await self._asked(self._bot.set_my_commands(list(commands)))

    async def updates(self, offset: int, seconds: int) -> list[Incoming]:
        """Long polling."""
        wait = self._bot.get_updates(offset=offset, timeout=seconds, allowed_updates=_KINDS)
        return [_incoming(update) for update in await self._asked(wait)]

    async def send(self, chat_id: int, text: str, rows: Rows = ()) -> None:
        """A plain text, with buttons below it."""
        markup = _markup(rows) if rows else None
        await self._asked(self._bot.send_message(chat_id, text, reply_markup=markup))

    async def photo(self, chat_id: int, png: bytes, caption: str) -> None:
        """A picture."""
        await self._asked(self._bot.send_photo(chat_id, png, caption=caption, filename="chart.png"))

    async def edit(self, chat_id: int, message_id: int, text: str) -> None:
        """Another text in place of a message, without buttons."""
        await self._asked(self._bot.edit_message_text(text, chat_id, message_id))

    async def answer(self, button_id: str, text: str) -> None:
        """The button was heard."""
        await self._asked(self._bot.answer_callback_query(button_id, text[:200]))

    async def _asked(self, answer: Awaitable[T]) -> T:
        """The answer, with errors in our words; the library's own may have the token in them, and
        so may what caused them."""
        try:
            return await answer
        except TelegramError as error:
            raise self._ours(error) from None

    def _ours(self, error: TelegramError) -> Exception:
        said = error.message.replace(self._token.reveal(), MASK)
        if isinstance(error, RetryAfter):
            wait = error.retry_after
            seconds = float(wait if isinstance(wait, int) else wait.total_seconds())
            return RateLimited(f"Telegram takes no more for {seconds:.0f} s.", retry_after=seconds)
        if isinstance(error, InvalidToken):
            return TokenRefused(
                "Telegram does not take the token (it was revoked, or mistyped). Make a new one "
                "with @BotFather and store it."
            )
        if isinstance(error, Conflict):
            return TwoPollers(
                "Another program, or a webhook that it set, receives the messages of this bot. "
                "Stop it, or make a bot of its own for this program with @BotFather."
            )
        if isinstance(error, (Forbidden, ChatMigrated)):
            return ChatGone(f"The chat takes no messages of the bot: {said}.")
        if isinstance(error, BadRequest):
            gone = any(text in said.lower() for text in _NOT_FOUND)
            return (ChatGone if gone else Unsendable)(
                f"Telegram does not take the message: {said}."
            )
        if isinstance(error, TimedOut):
            return NetTimeout("Telegram does not answer.")
        if isinstance(error, NetworkError):
            return NetError(f"Telegram cannot be reached: {said}.")
        return NetError(f"Telegram answers what cannot be read: {said}.")


def _request(connections: int, base_url: str) -> HTTPXRequest:
    # Of this machine alone nothing is encrypted, and redirects are not followed: no certificates.
    secure = not base_url.startswith("http://")
    return HTTPXRequest(
        connection_pool_size=connections,
        connect_timeout=CONNECT,
        read_timeout=ANSWER,
        write_timeout=ANSWER,
        pool_timeout=ANSWER,
        httpx_kwargs={} if secure else {"verify": False, "trust_env": False},
    )


def _markup(rows: Rows) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(one.text, callback_data=one.data) for one in row] for row in rows]
    )


def _incoming(update: Update) -> Incoming:
    user, chat = update.effective_user, update.effective_chat
    if user is None or chat is None:
        return Incoming(update.update_id)
    message, query = update.message, update.callback_query
    text = message.text or "" if message is not None else ""
    return Incoming(
        update_id=update.update_id,
        chat_id=chat.id,
        private=chat.type == "private",
        user_id=user.id,
        username=_clean(user.username or ""),
        name=_clean(chat.title or user.full_name),
        text=text,
        button=query.data or "" if query is not None else "",
        button_id=query.id if query is not None else "",
        message_id=query.message.message_id if query is not None and query.message else 0,
    )


def _clean(name: str) -> str:
    """A name that anybody may give himself, for one line of a log or a table."""
    shown = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(shown.split())[:64]
