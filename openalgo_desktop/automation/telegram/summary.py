"""The summary of the day, once for each chat at its time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from openalgo_desktop.automation.telegram.books import day_result
from openalgo_desktop.automation.telegram.chats import PLACE, ChatBook
from openalgo_desktop.automation.telegram.outbox import Outbox, Outgoing, Weight
from openalgo_desktop.automation.telegram.ports import Store
from openalgo_desktop.automation.telegram.rooms import Rooms, other, title
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.telegram import LinkedChat

log = logging.getLogger(__name__)

#: Exchanges of which one at least trades on a day that has a summary.
_EXCHANGES = ("NSE", "MCX", "CDS")


class Summaries:
    """Looked at every now and then. What was told on a day is on disk before it is told."""

    def __init__(
        self,
        rooms: Rooms,
        chats: ChatBook,
        outbox: Outbox,
        store: Store,
        setting: Callable[[str], Any],
    ) -> None:
        self._rooms = rooms
        self._chats = chats
        self._outbox = outbox
        self._store = store
        self._setting = setting
        self._told: dict[str, str] = {}  # chat id: day

    async def load(self) -> None:
        """Which days were told."""
        self._told = dict(await self._store.get(PLACE, "summaries") or {})

    async def look(self) -> None:
        """Tell those whose time has come."""
        now = self._rooms.clock.now()
        due = [chat for chat in self._chats.all() if self._is_due(chat, now)]
        if not due:
            return
        day = now.date().isoformat()
        kept = {str(chat.chat_id) for chat in self._chats.all()}
        self._told = {key: value for key, value in self._told.items() if key in kept}
        self._told |= {str(chat.chat_id): day for chat in due}
        await self._store.put(PLACE, "summaries", self._told)
        try:
            text = await summary(self._rooms)
        except AppError as error:
            text = f"The summary of {now:%d %b %Y} cannot be made: {error.message}"
        for chat in due:
            self._outbox.put(Outgoing(chat.chat_id, text, Weight.NEWS))

    def _is_due(self, chat: LinkedChat, now: datetime) -> bool:
        wish = chat.preferences
        if not (self._setting("telegram.summary") and wish.daily_summary):
            return False
        at = time.fromisoformat(wish.summary_time or str(self._setting("telegram.summary_time")))
        if now.time() < at or self._told.get(str(chat.chat_id)) == now.date().isoformat():
            return False
        linked = chat.linked_at
        if linked is not None and linked.date() == now.date() and linked.time() >= at:
            return False  # it was not there yet
        return self._is_trading_day(now.date())

    def _is_trading_day(self, day: date) -> bool:
        calendar = self._rooms.calendar
        return self._rooms.always_open() or any(
            calendar.is_trading_day(day, exchange) for exchange in _EXCHANGES
        )


async def summary(rooms: Rooms) -> str:
    """The day of the current mode with charges, and of the other one if anything was done there:
    programs that are bound to it trade wherever the switch stands."""
    now = rooms.desk.mode
    lines = [f"Summary of {rooms.clock.now():%d %b %Y}", *await _day(rooms, now)]
    try:
        lines += await _day(rooms, other(now), quiet=True)
    except AppError as error:
        log.info("the summary has no %s: %s", other(now), error.message)
    return "\n".join(lines)


async def _day(rooms: Rooms, mode: Mode, *, quiet: bool = False) -> list[str]:
    """The day of a mode; nothing (``quiet``) where there was nothing."""
    result = await day_result(rooms, mode)
    if quiet and not (result.trades or result.positions):
        return []
    orders = await rooms.desk.bound(mode).read.orders()
    counts = f"orders {len(orders)} · trades {result.trades} · open positions {result.positions}"
    return [title(mode), *result.lines(), counts]
