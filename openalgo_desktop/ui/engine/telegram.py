"""The door to the Telegram bot: its state, linked chats, and what chats want of this window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.events import TelegramAsks, TelegramChanged
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.telegram import BotStatus, ConfirmRequest, LinkCode, LinkedChat

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


class TelegramDoor(QObject):
    """``close`` with the bridge."""

    changed = Signal()  # state or chats
    asked = Signal(object)  # ConfirmRequest: the user may say yes or no
    settled = Signal(str)  # id of a request that needs no answer any more

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
        self._stops = [
            terminal.bus.subscribe(TelegramChanged, lambda _: self.changed.emit()),
            terminal.bus.subscribe(TelegramAsks, self._on_ask),
        ]

    def close(self) -> None:
        """Listen no more."""
        for stop in self._stops:
            stop()

    def _on_ask(self, event: TelegramAsks) -> None:
        if event.over:
            self.settled.emit(event.request.request_id)
        else:
            self.asked.emit(event.request)

    async def load(self) -> None:
        """Read what is kept, before anything else is asked."""
        await self._terminal.telegram.load()

    def status(self) -> BotStatus:
        """What the bot does now."""
        return self._terminal.telegram.status

    def chats(self) -> list[LinkedChat]:
        """Linked chats, the first linked first."""
        return self._terminal.telegram.chats()

    def waiting(self) -> list[ConfirmRequest]:
        """What waits for a code or for this window."""
        return self._terminal.telegram.waiting()

    async def set_token(self, token: Secret) -> None:
        """Keep the token of a bot in the vault; raises :class:`AppError` where it cannot be one."""
        await self._terminal.telegram.set_token(token.reveal())

    async def forget_token(self) -> None:
        """Drop the token; the bot is off."""
        await self._terminal.telegram.forget_token()

    async def switch(self, on: bool) -> None:
        """Switch the bot on or off."""
        await self._terminal.telegram.switch(on)

    def new_code(self) -> LinkCode:
        """A code that links one chat within a few minutes."""
        return self._terminal.telegram.new_code()

    async def unlink(self, chat_id: int) -> None:
        """A chat is asked and told no more."""
        await self._terminal.telegram.unlink(chat_id)

    async def authenticator(self, chat_id: int) -> Secret:
        """The ``otpauth`` address of a chat's one-time codes."""
        return await self._terminal.telegram.otpauth(chat_id)

    async def test(self) -> int:
        """A test message to all chats; how many took it."""
        bot = self._terminal.telegram
        return await bot.tell(bot.chats(), "A test message of your trading terminal.", wait=True)

    def confirm(self, request_id: str, yes: bool) -> str:
        """Do what a chat wants, or refuse it; a sentence."""
        return self._terminal.telegram.confirm(request_id, yes)
