"""Long polling: takes updates one by one, each of them once.

Before an update is acted on, its number is on disk: what a crash interrupts is not done again at
the next start. It may be lost instead, which costs a human another tap; a command that runs twice
costs money.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from openalgo_desktop.automation.telegram.outbox import FIRST_WAIT, LONGEST_WAIT, Pause
from openalgo_desktop.automation.telegram.ports import (
    Incoming,
    Store,
    TokenRefused,
    TwoPollers,
    Wire,
)
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError, NetError, RateLimited
from openalgo_desktop.core.telegram import BotState

log = logging.getLogger(__name__)

#: Seconds that Telegram holds a request without news.
HOLD = 50
#: After a week without updates Telegram numbers them anew (and keeps none longer than a day), so a
#: place that is older than this means nothing; seconds.
PLACE_LIFE = 6 * 86_400.0
_PLACE = ("telegram", "updates")

Told = Callable[[BotState, str], None]


class Poller:
    """``take`` gets each update and must not wait; ``told`` hears how it goes. ``bot`` is the
    number of the bot: another one counts its updates from elsewhere."""

    def __init__(
        self,
        bot: str,
        clock: Clock,
        wire: Wire,
        store: Store,
        pause: Pause,
        take: Callable[[Incoming], None],
        told: Told,
        hold: int = HOLD,
    ) -> None:
        self._bot = bot
        self._clock = clock
        self._wire = wire
        self._store = store
        self._pause = pause
        self._take = take
        self._told = told
        self._hold = hold
        self._next = 0
        self._last = clock.monotonic()  # when the last update came

    async def run(self) -> None:
        """Poll until cancelled, or until the token is refused."""
        kept = await self._store.get(*_PLACE)
        if kept and kept["bot"] == self._bot and self._clock.time() - kept["at"] < PLACE_LIFE:
            self._next = int(kept["next"])
        wait, hold = FIRST_WAIT, self._hold
        while True:
            if self._clock.monotonic() - self._last > PLACE_LIFE:
                self._next = 0
            try:
                found = await self._wire.updates(self._next, hold)
            except TokenRefused as error:
                self._told(BotState.REFUSED, error.message)
                return
            except RateLimited as error:
                await self._pause(error.retry_after)
                continue
            except Exception as error:
                self._told(BotState.WAITING, f"{_why(error)} It is tried again.")
                await self._pause(wait)
                # The next one is answered at once, so that it is known when it works again.
                wait, hold = min(LONGEST_WAIT, wait * 2), 0
                continue
            wait, hold = FIRST_WAIT, self._hold
            self._told(BotState.RUNNING, "")
            for update in found:
                await self._one(update)

    async def _one(self, update: Incoming) -> None:
        if update.update_id < self._next:
            log.info("an update of Telegram came twice")
            return
        self._next, self._last = update.update_id + 1, self._clock.monotonic()
        place = {"bot": self._bot, "next": self._next, "at": self._clock.time()}
        try:
            await self._store.put(*_PLACE, place)
        except AppError as error:
            # Nothing that moves money can be repeated: its question lives in memory only. So a
            # full disk does not keep the kill switch out of reach.
            log.error("the place in Telegram's updates is not stored: %s", error)
        try:
            self._take(update)
        except Exception:
            log.exception("an update of Telegram failed")


def _why(error: Exception) -> str:
    if isinstance(error, TwoPollers | NetError):
        return error.message
    log.exception("what Telegram answered cannot be used")
    return "Telegram's answer cannot be used; the log file says why."
