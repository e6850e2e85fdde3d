"""The Telegram bot as other rooms see it: linked chats, its state, what waits for a human, and the
protocols by which rooms that may not import each other meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

import msgspec

#: Who the journal and the audit trail name.
WHO = "telegram"
#: Priority of a message that says none.
USUAL = 5
#: Letters of one message at most; a rule of Telegram.
MAX_MESSAGE = 4096


class BotState(StrEnum):
    """Life of the bot."""

    OFF = "off"
    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"  # no connection, or another program polls: it tries again
    REFUSED = "refused"  # Telegram does not take the token: it tries no more


class BotStatus(msgspec.Struct, frozen=True):
    """What the bot does now. ``text`` is a sentence; ``bot`` its name at Telegram, empty while it
    never answered. Counts are of this run, but ``refused`` (messages of chats that are not linked)
    is of all."""

    state: BotState
    text: str = ""
    bot: str = ""
    has_token: bool = False
    chats: int = 0
    refused: int = 0
    waiting: int = 0  # messages that have not left yet
    dropped: int = 0  # messages that never will

    @property
    def is_active(self) -> bool:
        """Whether it is on, be it without a connection just now."""
        return self.state in (BotState.STARTING, BotState.RUNNING, BotState.WAITING)


class Preferences(msgspec.Struct, frozen=True):
    """What one chat is told. ``summary_time`` is ``HH:MM`` IST, empty: that of the settings."""

    order_notifications: bool = True
    trade_notifications: bool = True
    pnl_notifications: bool = True
    daily_summary: bool = True
    summary_time: str = ""
    language: str = "en"
    timezone: str = "Asia/Kolkata"


class LinkedChat(msgspec.Struct, frozen=True):
    """A chat that may ask and is told. In a group only ``user_id``, who linked it, may ask.
    ``step`` is the half minute of the last one-time code that was taken: a code works once."""

    chat_id: int
    user_id: int
    name: str
    username: str = ""
    private: bool = True
    linked_at: datetime | None = None
    preferences: Preferences = Preferences()
    step: int = -1
    last_command_at: datetime | None = None


class LinkCode(msgspec.Struct, frozen=True):
    """A one-time code that links a chat: sent to the bot as ``/link CODE``."""

    code: str
    expires_at: datetime
    bot: str = ""


class ConfirmRequest(msgspec.Struct, frozen=True):
    """A chat wants something that changes money, and waits for a code or for a human here."""

    request_id: str
    chat_id: int
    chat: str  # its name
    text: str  # what will be done, with the mode
    expires_at: datetime


class CommandRow(msgspec.Struct, frozen=True):
    """One command of a chat, as it is kept. No codes, no arguments of ``/link``."""

    at: datetime
    chat_id: int
    command: str
    arguments: str = ""
    outcome: str = ""


class StrategyLine(msgspec.Struct, frozen=True):
    """A strategy as a chat lists it. ``pnl`` in rupees, None where it is not known."""

    strategy_id: str
    name: str
    state: str
    running: bool
    mode: str = ""
    pnl: Decimal | None = None


class StrategyRoom(Protocol):
    """Strategies of one kind: made ones, hosted ones."""

    async def listed(self) -> Sequence[StrategyLine]:
        """All of them."""

    async def stop(self, strategy_id: str, by: str) -> str:
        """Stop one; a sentence on what was done. Raises :class:`AppError`."""


class TelegramRoom(Protocol):
    """The bot behind the ``telegram/*`` endpoints."""

    @property
    def status(self) -> BotStatus: ...
    async def load(self) -> None:
        """Read what is kept; once, before anything else is asked."""

    def masked_token(self) -> str | None:
        """The first letters of the token, for a human to know it again; None without one."""

    def touched(self) -> tuple[datetime | None, datetime | None]:
        """When the configuration was made, and changed last."""

    async def set_token(self, text: str) -> None:
        """Keep a token. Raises :class:`AppError` for one that cannot be right."""

    async def touch(self) -> None:
        """The configuration changed now."""

    async def switch(self, on: bool) -> None:
        """Switch on (returns when Telegram answered, or it is known that it does not yet) or off.
        Raises :class:`AppError` where it cannot be on."""

    def chats(self) -> list[LinkedChat]:
        """Linked chats, the first linked first."""

    def known_as(self, username: str) -> list[LinkedChat]:
        """The chats of a user: by the name of this program's user, a Telegram name or a chat id."""

    async def prefer(self, chat_id: int, wishes: Mapping[str, Any]) -> Preferences:
        """Change what a chat is told. Raises :class:`AppError`, also for a chat not linked."""

    async def tell(
        self,
        chats: Sequence[LinkedChat],
        text: str,
        *,
        wait: bool = False,
        priority: int = USUAL,
    ) -> int:
        """Send a text; the number of chats that took it (with ``wait``), or of those that it is
        queued for. ``priority`` 1 to 10: of too many messages that wait, low ones go first."""

    def commands_since(self, since: datetime) -> list[CommandRow]:
        """Commands of linked chats, oldest first."""
