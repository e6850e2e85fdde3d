"""The Telegram bot of the program: its switch, its token, linked chats, and the doors of window,
commands and API.

While it is off nothing of it runs and nothing is imported but this module and what it stands on.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from openalgo_desktop.automation.telegram.chats import PLACE, ChatBook
from openalgo_desktop.automation.telegram.history import History
from openalgo_desktop.automation.telegram.ports import Store, Wire, WireMaker
from openalgo_desktop.automation.telegram.rooms import Rooms
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.core.events import SettingChanged, TelegramChanged
from openalgo_desktop.core.ports import SecretStore
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.telegram import (
    USUAL,
    BotState,
    BotStatus,
    CommandRow,
    ConfirmRequest,
    LinkCode,
    LinkedChat,
    Preferences,
    StrategyRoom,
)

if TYPE_CHECKING:
    from openalgo_desktop.automation.telegram.outbox import Pause
    from openalgo_desktop.automation.telegram.session import Session

log = logging.getLogger(__name__)

TOKEN = "telegram.token"
NO_TOKEN = "Bot token not configured"  # clients know these words
#: As @BotFather gives it: the number of the bot, a colon, a random text.
_TOKEN = re.compile(r"([0-9]{3,15}):[A-Za-z0-9_-]{20,100}", re.ASCII)
_PACKAGE = "openalgo_desktop.automation.telegram"
#: Seconds that :meth:`Telegram.switch` waits for Telegram's first answer, and ``tell`` for a send.
PATIENCE = 10.0
_RESTARTS = ("telegram.enabled", "telegram.api_url")


class Telegram:
    """``user`` is the name of this program's user. ``make_wire`` and ``pause`` are for tests."""

    def __init__(
        self,
        rooms: Rooms,
        settings: Settings,
        store: Store,
        vault: SecretStore,
        user: str,
        *,
        locked_vault: str = "",
        make_wire: WireMaker | None = None,
        pause: Pause = asyncio.sleep,
        hold: int | None = None,
    ) -> None:
        self.rooms = rooms
        self._settings = settings
        self._store = store
        self._vault = vault
        self._user = user
        self._locked_vault = locked_vault
        self._make_wire = make_wire
        self._pause = pause
        self._hold = hold
        self._chats = ChatBook(rooms.clock, store, vault, settings.__getitem__, self._publish)
        self._history = History(store)
        self._loading = asyncio.Lock()
        self._loaded = False
        self._mask = ""
        self._times: tuple[datetime | None, datetime | None] = (None, None)
        self._session: Session | None = None
        self._state, self._text, self._bot = BotState.OFF, "", ""
        self._known = asyncio.Event()  # how the start went
        self._switching = asyncio.Lock()
        self._work: set[asyncio.Task[None]] = set()
        self._unsubscribe = rooms.bus.subscribe(SettingChanged, self._setting_changed)
        self._closed = False

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Run if the setting says so; Telegram's answer is not waited for."""
        if self._settings["telegram.enabled"]:
            self._later()

    async def stop(self) -> None:
        """The program ends."""
        self._closed = True
        self._unsubscribe()
        async with self._switching:
            await self._close(BotState.OFF, "")
        await asyncio.gather(*self._work, return_exceptions=True)

    async def load(self) -> None:
        """Read what is kept, once."""
        async with self._loading:
            if self._loaded:
                return
            await self._chats.load()
            await self._history.load()
            await self._read_token()
            times = await self._store.get(PLACE, "configured") or [None, None]
            made, changed = (datetime.fromisoformat(at) if at else None for at in times)
            self._times = (made, changed)
            self._loaded = True

    def _setting_changed(self, event: SettingChanged) -> None:
        if event.key in _RESTARTS:
            self._later(anew=event.key != "telegram.enabled")

    def _later(self, *, anew: bool = False) -> None:
        task = asyncio.create_task(self._apply(anew=anew), name="telegram switch")
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _apply(self, *, anew: bool = False) -> None:
        """Bring the bot to what the setting says."""
        async with self._switching:
            wanted = bool(self._settings["telegram.enabled"]) and not self._closed
            if self._session is not None and (anew or not wanted):
                await self._close(BotState.OFF, "")
            if wanted and (self._session is None or self._state is BotState.REFUSED):
                await self._close(BotState.STARTING, "")
                try:
                    await self._open()
                except AppError as error:
                    self._told(BotState.REFUSED, error.message, "")
                except Exception:
                    log.exception("the Telegram bot did not start")
                    self._told(BotState.REFUSED, "It did not start; the log file says how.", "")

    async def _open(self) -> None:
        self._known.clear()
        await self.load()
        token = await self._read_token()
        if token is None:
            raise ConfigError(
                self._locked()
                or "There is no token: store the one of your bot (from @BotFather) with "
                "`openalgo-desktop telegram token`."
            )
        url = str(self._settings["telegram.api_url"])
        wire = await asyncio.to_thread(self._wire, token, url)
        module = await asyncio.to_thread(import_module, f"{_PACKAGE}.session")
        bot = token.reveal().partition(":")[0]
        hold = {} if self._hold is None else {"hold": self._hold}
        session: Session = module.Session(
            bot,
            self.rooms,
            self._chats,
            self._history,
            wire,
            self._store,
            self._settings.__getitem__,
            self._pause,
            self._told,
            self.unlink,
            **hold,
        )
        self._session = session
        await session.start()

    def _locked(self) -> str:
        reason = self._locked_vault
        return f"The vault is locked, so there is no token. {reason}" if reason else ""

    def _wire(self, token: Secret, url: str) -> Wire:
        """In a thread: the library takes a part of a second to import."""
        if self._make_wire is not None:
            return self._make_wire(token, url)
        wire: Wire = import_module(f"{_PACKAGE}.wire").BotWire(token, url)
        return wire

    async def _close(self, state: BotState, text: str) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.stop()
        self._told(state, text, "")

    def _told(self, state: BotState, text: str, bot: str) -> None:
        if state is not BotState.STARTING:
            self._known.set()
        if (state, text, bot or self._bot) == (self._state, self._text, self._bot):
            return
        level = logging.WARNING if text else logging.INFO
        log.log(level, "Telegram bot: %s. %s", state.value, text)
        self._state, self._text, self._bot = state, text, bot or self._bot
        self._publish()

    def _publish(self) -> None:
        self.rooms.bus.publish(TelegramChanged(status=self.status))

    # -- what it is -------------------------------------------------------------------------
    @property
    def status(self) -> BotStatus:
        """What it does now; chats and token are known once :meth:`load` was called."""
        box = self._session.outbox if self._session is not None else None
        return BotStatus(
            state=self._state,
            text=self._text,
            bot=self._bot,
            has_token=bool(self._mask),
            chats=len(self._chats.all()),
            refused=self._chats.refused,
            waiting=box.waiting if box is not None else 0,
            dropped=box.dropped if box is not None else 0,
        )

    def masked_token(self) -> str | None:
        """Its first letters, which are the public number of the bot, and dots."""
        return self._mask or None

    def touched(self) -> tuple[datetime | None, datetime | None]:
        """When a token was first stored, and the configuration changed last."""
        return self._times

    async def _read_token(self) -> Secret | None:
        token = await self._vault.get(TOKEN)
        self._mask = f"{token.reveal()[:10]}..." if token is not None else ""
        return token

    # -- switch and token -------------------------------------------------------------------
    async def switch(self, on: bool) -> None:
        """Switch on, stored, and wait until Telegram answered or it is known that it does not; or
        off. Raises :class:`ConfigError` without a token and where Telegram refuses it."""
        await self.load()
        if on and await self._read_token() is None:
            raise ConfigError(self._locked() or NO_TOKEN)
        if bool(self._settings["telegram.enabled"]) is not on:
            self._settings.set("telegram.enabled", on)  # the listener applies it
        await self._apply()
        if not on:
            return
        if self._state is BotState.STARTING:
            try:
                await asyncio.wait_for(self._known.wait(), PATIENCE)
            except TimeoutError:
                return  # it goes on trying, and its state says so
        if self._state is BotState.REFUSED:
            raise ConfigError(self._text)

    async def set_token(self, text: str) -> None:
        """Keep the token of a bot; one that runs starts anew with it. Raises
        :class:`ConfigError`."""
        await self.load()
        token = text.strip()
        if not _TOKEN.fullmatch(token):
            raise ConfigError(
                "token: this is no bot token. @BotFather gives it as 123456789:AA... (a number, a "
                "colon, 35 letters)."
            )
        await self._vault.set(TOKEN, Secret(token))
        await self._read_token()
        await self.touch()
        await self._apply(anew=True)

    async def forget_token(self) -> None:
        """Drop the token and stop."""
        await self.load()
        await self._vault.delete(TOKEN)
        await self._read_token()
        await self.touch()
        if self._settings["telegram.enabled"]:
            self._settings.set("telegram.enabled", False)
        await self._apply()

    async def touch(self) -> None:
        """The configuration changed now."""
        now = self.rooms.clock.now()
        self._times = (self._times[0] or now, now)
        made, changed = self._times
        texts = [at.isoformat() if at else None for at in (made, changed)]
        await self._store.put(PLACE, "configured", texts)
        self._publish()

    # -- chats ------------------------------------------------------------------------------
    def new_code(self) -> LinkCode:
        """A one-time code, to be sent to the bot as ``/link CODE`` within five minutes. Raises
        :class:`ConfigError` while the bot does not run."""
        if self._session is None or self._state is not BotState.RUNNING:
            raise ConfigError(
                f"The bot does not run ({self._text or self._state.value}). Switch it on first."
            )
        return self._chats.new_code(self._bot)

    def chats(self) -> list[LinkedChat]:
        """Linked chats, the first linked first."""
        return self._chats.all()

    async def unlink(self, chat_id: int) -> None:
        """It may ask no more and is told no more. Raises :class:`ConfigError`, and
        :class:`StorageError` where that holds in this run only."""
        await self.load()
        self._chats.unlink(chat_id)
        if self._session is not None:
            self._session.forget(chat_id)
        self.rooms.record("telegram unlink", str(chat_id), "ok")
        await self._chats.forget(chat_id)

    async def otpauth(self, chat_id: int) -> Secret:
        """What an authenticator app reads for the one-time codes of a chat. Raises
        :class:`ConfigError`."""
        await self.load()
        chat = self._chats.require(chat_id)
        secret = await self._chats.secret(chat_id)
        if secret is None:
            raise ConfigError(f"chat: the vault has no secret of {chat_id}. Unlink and link it.")
        label = quote(f"{self.rooms.program} Telegram:{chat.name}")
        issuer = quote(f"{self.rooms.program} Telegram")
        return Secret(f"otpauth://totp/{label}?secret={secret.reveal()}&issuer={issuer}")

    async def prefer(self, chat_id: int, wishes: Mapping[str, Any]) -> Preferences:
        """Change what a chat is told. Raises :class:`ConfigError` that names the field."""
        await self.load()
        return await self._chats.prefer(chat_id, wishes)

    def known_as(self, username: str) -> list[LinkedChat]:
        """The chats of a user: by the name of this program's user (all of them are his), a Telegram
        name with or without @, or a chat id."""
        wanted = username.strip().removeprefix("@").casefold()
        if wanted == self._user.casefold():
            return self._chats.all()
        return [
            chat
            for chat in self._chats.all()
            if wanted in (chat.username.casefold(), str(chat.chat_id))
        ]

    def commands_since(self, since: datetime) -> list[CommandRow]:
        """Commands of linked chats, oldest first."""
        return self._history.since(since)

    # -- the second factor ------------------------------------------------------------------
    def waiting(self) -> list[ConfirmRequest]:
        """What chats want that changes money, and a human here may confirm."""
        return [] if self._session is None else self._session.board.factor.waiting()

    def confirm(self, request_id: str, yes: bool, *, unlocked: bool = False) -> str:
        """Say yes or no to one; a sentence. What it does is told to the chat. Raises
        :class:`AppError` for one that is answered or too old, and while the program is locked
        (not where the password was given for this: ``unlocked``)."""
        if self._session is None:
            raise ConfigError("The bot does not run. Nothing was done.")
        return self._session.board.factor.confirm(request_id, yes, unlocked=unlocked)

    # -- telling ----------------------------------------------------------------------------
    async def tell(
        self,
        chats: Sequence[LinkedChat],
        text: str,
        *,
        wait: bool = False,
        priority: int = USUAL,
    ) -> int:
        """Send a text to chats; how many took it, or with no ``wait`` how many it is queued for.
        ``priority`` as in :class:`~openalgo_desktop.core.telegram.TelegramRoom`. Raises
        :class:`ConfigError` while the bot is off."""
        session = self._session
        if session is None or not self.status.is_active:
            raise ConfigError("The Telegram bot is off.")
        module = import_module(f"{_PACKAGE}.outbox")
        weight = module.weight_of(priority)
        messages = [
            session.outbox.put(module.Outgoing(chat.chat_id, text, weight)) for chat in chats
        ]
        if not wait or not messages:
            return len(messages)
        done, _ = await asyncio.wait([one.done for one in messages], timeout=PATIENCE)
        return sum(1 for one in done if not one.cancelled() and one.exception() is None)

    def news(self, kind: str, text: str) -> None:
        """A line of one of :data:`~openalgo_desktop.config.telegram_settings.TOLD`; nothing while
        the bot is off."""
        if self._session is not None:
            self._session.teller.news(kind, text)

    def alert(self, text: str) -> None:
        """An alert of the alerts engine. Raises :class:`ConfigError` when nobody would hear it."""
        if self._session is None or not self.status.is_active:
            raise ConfigError("The Telegram bot is off.")
        if not self._chats.all():
            raise ConfigError("No Telegram chat is linked.")
        self._session.teller.news("alerts", text)

    def add_strategies(self, room: StrategyRoom) -> None:
        """Strategies that chats list and stop."""
        self.rooms.strategies.append(room)
