"""One run of the bot, from switching on to switching off: the tasks, and what they share.
Imported when the bot is switched on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from openalgo_desktop.automation.telegram.chats import ChatBook
from openalgo_desktop.automation.telegram.commands import COMMANDS
from openalgo_desktop.automation.telegram.history import History
from openalgo_desktop.automation.telegram.outbox import FIRST_WAIT, LONGEST_WAIT, Outbox, Pause
from openalgo_desktop.automation.telegram.poller import HOLD, Poller
from openalgo_desktop.automation.telegram.ports import Store, TokenRefused, Wire
from openalgo_desktop.automation.telegram.rooms import Rooms
from openalgo_desktop.automation.telegram.switchboard import Switchboard
from openalgo_desktop.automation.telegram.telling import Teller
from openalgo_desktop.core.errors import AppError, NetError
from openalgo_desktop.core.telegram import BotState

log = logging.getLogger(__name__)


class Session:
    """``told`` hears of each state with its sentence and the bot's name."""

    def __init__(
        self,
        bot: str,
        rooms: Rooms,
        chats: ChatBook,
        history: History,
        wire: Wire,
        store: Store,
        setting: Callable[[str], Any],
        pause: Pause,
        told: Callable[[BotState, str, str], None],
        unlink: Callable[[int], Coroutine[Any, Any, None]],
        hold: int = HOLD,
    ) -> None:
        self._wire = wire
        self._pause = pause
        self._told = told
        self._name = ""
        self.outbox = Outbox(rooms.clock, wire, pause, self._refused)
        self.board = Switchboard(rooms, chats, history, wire, self.outbox, setting, unlink)
        self.teller = Teller(rooms, chats, self.outbox, store, setting, pause)
        self._poller = Poller(
            bot, rooms.clock, wire, store, pause, self.board.take, self._state, hold
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin; whether Telegram answers is told by ``told``."""
        await self.teller.start()
        self._tasks = [
            asyncio.create_task(self._run(), name="telegram poller"),
            asyncio.create_task(self.teller.run(), name="telegram news"),
        ]

    async def stop(self) -> None:
        """Poll no more, let come to its end what was confirmed, close the connections."""
        self.teller.stop()
        poll = self._tasks[:1]  # none of a start that failed
        for task in poll:
            task.cancel()
        await asyncio.gather(*poll, return_exceptions=True)
        await self.board.stop()
        rest = self._tasks[1:]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        self.outbox.close()
        try:
            await self._wire.close()
        except AppError as error:
            log.info("the connection to Telegram was not closed: %s", error.message)

    def forget(self, chat_id: int) -> None:
        """A chat was unlinked."""
        self.outbox.forget(chat_id)
        self.board.factor.forget(chat_id)

    async def _run(self) -> None:
        if not await self._open():
            return
        sender = asyncio.create_task(self.outbox.run(), name="telegram sender")
        self._tasks.append(sender)
        await self._menu()
        await self._poller.run()

    async def _open(self) -> bool:
        wait = FIRST_WAIT
        while True:
            try:
                self._name = await self._wire.open()
            except TokenRefused as error:
                self._refused(error.message)
                return False
            except AppError as error:
                self._state(BotState.WAITING, f"{error.message} It is tried again.")
                await self._pause(wait)
                wait = min(LONGEST_WAIT, wait * 2)
            else:
                self._state(BotState.RUNNING, "")
                return True

    async def _menu(self) -> None:
        """Telegram offers the commands while a user types; without that it works as well."""
        try:
            await self._wire.menu([(row.name, row.help) for row in COMMANDS])
        except TokenRefused as error:
            self._refused(error.message)
        except (NetError, AppError) as error:
            log.info("the commands were not told to Telegram: %s", error.message)

    def _refused(self, text: str) -> None:
        self._state(BotState.REFUSED, text)

    def _state(self, state: BotState, text: str) -> None:
        self._told(state, text, self._name)
