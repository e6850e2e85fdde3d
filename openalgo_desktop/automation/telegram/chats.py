"""Which chats may ask and are told: linked ones, and the one-time code that links one.

Nothing of a code is kept: it lives some minutes, in memory, and dies by too many wrong tries.
"""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from openalgo_desktop.automation.telegram.ports import Incoming, Store
from openalgo_desktop.config.setting_kinds import clock_time
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError, BadCredentials, ConfigError, StorageError
from openalgo_desktop.core.ports import SecretStore
from openalgo_desktop.core.secret import Secret, same_text
from openalgo_desktop.core.telegram import LinkCode, LinkedChat, Preferences

log = logging.getLogger(__name__)

#: Life of a code, and wrong tries (of all chats together) that end it.
CODE_LIFE, CODE_TRIES = timedelta(minutes=5), 5
#: Chats that can be linked.
MAX_CHATS = 20
SCOPE, PLACE = "telegram.chats", "telegram"
_BOOLS = ("order_notifications", "trade_notifications", "pnl_notifications", "daily_summary")


class UnknownCode(BadCredentials):
    """The code of ``/link`` is wrong, used or too old."""


def totp_name(chat_id: int) -> str:
    """Where the vault has the one-time-code secret of a chat."""
    return f"telegram.totp.{chat_id}"


class ChatBook:
    """Linked chats. ``load`` before anything else."""

    def __init__(
        self,
        clock: Clock,
        store: Store,
        vault: SecretStore,
        setting: Callable[[str], Any],
        changed: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._store = store
        self._vault = vault
        self._setting = setting
        self._changed = changed
        self._chats: dict[int, LinkedChat] = {}
        self._code: LinkCode | None = None
        self._wrong = 0
        self.refused = 0  # messages of chats that are not linked, ever

    async def load(self) -> None:
        """Take up what earlier runs linked."""
        for key, value in (await self._store.all(SCOPE)).items():
            try:
                chat = msgspec.convert(value, LinkedChat)
            except msgspec.ValidationError as error:
                log.warning("the linked chat %s cannot be read: %s", key, error)
                continue
            self._chats[chat.chat_id] = chat
        self.refused = int(await self._store.get(PLACE, "refused") or 0)

    # -- asking -----------------------------------------------------------------------------
    def all(self) -> list[LinkedChat]:
        """Linked chats, the first linked first."""
        return list(self._chats.values())

    def get(self, chat_id: int) -> LinkedChat | None:
        """A linked chat."""
        return self._chats.get(chat_id)

    def require(self, chat_id: int) -> LinkedChat:
        """A linked chat; raises :class:`ConfigError`."""
        chat = self._chats.get(chat_id)
        if chat is None:
            raise ConfigError(f"chat: {chat_id} is not linked.")
        return chat

    def may_be_linked(self, incoming: Incoming) -> bool:
        """Whether the settings let this chat in."""
        allowed = str(self._setting("telegram.allowed_chats"))
        if allowed and str(incoming.chat_id) not in allowed.split(", "):
            return False
        return incoming.private or bool(self._setting("telegram.groups"))

    def count_refused(self) -> None:
        """A chat that is not linked wrote; :meth:`keep_refused` keeps the count."""
        self.refused += 1

    def keep_refused(self) -> None:
        """Keep how many there were: now and then, for anybody may write a thousand of them."""
        self._store.put_later(PLACE)("refused", self.refused)

    # -- linking ----------------------------------------------------------------------------
    def new_code(self, bot: str) -> LinkCode:
        """A fresh code; one before it does not work any more."""
        self._wrong = 0
        code = f"{secrets.randbelow(10**6):06d}"
        self._code = LinkCode(code, self._clock.now() + CODE_LIFE, bot)
        return self._code

    @property
    def code(self) -> LinkCode | None:
        """The code that works now."""
        if self._code is not None and self._clock.now() >= self._code.expires_at:
            self._code = None
        return self._code

    async def link(self, incoming: Incoming, code: str) -> LinkedChat:
        """Link the chat by a code, with a one-time-code secret of its own. Raises
        :class:`UnknownCode`; :class:`AppError` when it cannot be kept."""
        known = self.code
        if known is None:
            raise UnknownCode("There is no code. Ask for one in the program and send it here.")
        if not same_text(known.code, code):
            self._wrong += 1
            if self._wrong >= CODE_TRIES:
                self._code = None
                log.warning("the link code of the bot is void after %d wrong tries", self._wrong)
            raise UnknownCode("The code is wrong or too old. Ask for a new one in the program.")
        if len(self._chats) >= MAX_CHATS and incoming.chat_id not in self._chats:
            raise ConfigError(f"{MAX_CHATS} chats are linked already. Unlink one first.")
        self._code = None  # once, whatever follows
        text = base64.b32encode(secrets.token_bytes(20)).decode()
        await self._vault.set(totp_name(incoming.chat_id), Secret(text))
        chat = LinkedChat(
            chat_id=incoming.chat_id,
            user_id=incoming.user_id,
            name=incoming.name,
            username=incoming.username,
            private=incoming.private,
            linked_at=self._clock.now(),
        )
        await self._keep(chat)
        log.warning("the Telegram chat %d (%s) is linked", chat.chat_id, chat.name)
        return chat

    def unlink(self, chat_id: int) -> None:
        """It may ask no more and is told no more, at once; :meth:`forget` follows."""
        chat = self.require(chat_id)
        del self._chats[chat_id]
        self._changed()
        log.warning("the Telegram chat %d (%s) is unlinked", chat_id, chat.name)

    async def forget(self, chat_id: int) -> None:
        """Have the disk forget it. Raises :class:`StorageError` where that does not take it, and
        goes on trying: whatever was stored, this run knows the chat no more."""
        try:
            await self._store.delete(SCOPE, str(chat_id))
            await self._vault.delete(totp_name(chat_id))
        except StorageError as error:
            self._store.forget_later(SCOPE)(str(chat_id))
            raise StorageError(
                f"The chat is unlinked, but the disk does not take it: {error.message} It is tried "
                "again; until the disk took it, a start of the program links the chat again.",
                detail=error.detail,
            ) from error

    async def secret(self, chat_id: int) -> Secret | None:
        """The secret of its one-time codes; None when the vault has it not."""
        try:
            return await self._vault.get(totp_name(chat_id))
        except AppError as error:
            log.warning("the one-time codes of chat %d cannot be checked: %s", chat_id, error)
            return None

    # -- changing ---------------------------------------------------------------------------
    async def code_used(self, chat_id: int, step: int) -> None:
        """The code of that half minute works no more. A disk that takes nothing keeps no exit
        in: the code is dead for this run then."""
        chat = self.require(chat_id)
        try:
            await self._keep(msgspec.structs.replace(chat, step=step))
        except AppError as error:
            log.error("that a one-time code was used is not stored: %s", error)

    def commanded(self, chat_id: int) -> None:
        """It sent a command now."""
        if (chat := self._chats.get(chat_id)) is not None:
            self._chats[chat_id] = msgspec.structs.replace(chat, last_command_at=self._clock.now())
            self._store.put_later(SCOPE)(str(chat_id), _plain(self._chats[chat_id]))

    async def prefer(self, chat_id: int, wishes: Mapping[str, Any]) -> Preferences:
        """Change what a chat is told; unknown fields are ignored, as clients are used to. Raises
        :class:`ConfigError` that names the field."""
        chat = self.require(chat_id)
        changes = {name: _flag(name, wishes[name]) for name in _BOOLS if name in wishes}
        texts: dict[str, str] = {}
        if "summary_time" in wishes:
            try:
                texts["summary_time"] = clock_time(wishes["summary_time"])
            except ValueError:
                raise ConfigError("summary_time must be HH:MM, such as 18:00") from None
        for name, only in (("language", "en"), ("timezone", "Asia/Kolkata")):
            if name in wishes and wishes[name] != only:
                raise ConfigError(f"{name} can only be {only}")
        chosen = msgspec.structs.replace(chat.preferences, **changes, **texts)
        await self._keep(msgspec.structs.replace(chat, preferences=chosen))
        return chosen

    async def _keep(self, chat: LinkedChat) -> None:
        self._chats[chat.chat_id] = chat
        self._changed()
        await self._store.put(SCOPE, str(chat.chat_id), _plain(chat))


def _plain(chat: LinkedChat) -> Any:
    return msgspec.to_builtins(chat)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{name} must be true or false")
    return value
