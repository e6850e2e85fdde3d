"""What waits to be sent: in the order of its importance, at the pace that Telegram allows.

Bounded: a message that does not fit drops the least important one, which is counted and told.
Putting one in never waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from enum import IntEnum

from openalgo_desktop.automation.telegram.ports import (
    ChatGone,
    Rows,
    TokenRefused,
    Unsendable,
    Wire,
)
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError, NetError, RateLimited
from openalgo_desktop.core.telegram import MAX_MESSAGE

log = logging.getLogger(__name__)

#: Messages that wait at most.
ROOM = 500
#: Telegram's limits: messages of a bot in a second, and seconds between two of one chat (a group
#: takes 20 in a minute).
A_SECOND, CHAT_GAP, GROUP_GAP = 30, 1.0, 3.0
#: Seconds before the next try without a connection, the first and the longest.
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
_UNLINKED = "The chat was unlinked."

Pause = Callable[[float], Awaitable[None]]


class Weight(IntEnum):
    """Importance; a greater number is dropped first."""

    ANSWER = 0  # to a command
    ALARM = 1
    NEWS = 2
    CHATTER = 3


def weight_of(priority: int) -> Weight:
    """The importance of a message whose sender says 1 (least) to 10."""
    return Weight.ALARM if priority >= 8 else Weight.CHATTER if priority <= 3 else Weight.NEWS


class Outgoing:
    """A message on its way. ``done`` is set when it was taken; it fails when it never will be."""

    __slots__ = ("chat_id", "done", "edits", "png", "rows", "text", "weight")

    def __init__(
        self,
        chat_id: int,
        text: str,
        weight: Weight = Weight.ANSWER,
        *,
        rows: Rows = (),
        png: bytes = b"",
        edits: int = 0,
    ) -> None:
        self.chat_id = chat_id
        self.text = text
        self.weight = weight
        self.rows = rows
        self.png = png
        self.edits = edits  # the message whose text and buttons this replaces
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done.add_done_callback(_seen)

    def fail(self, reason: str) -> None:
        """Say that it never leaves."""
        if not self.done.done():
            self.done.set_exception(NetError(reason))


def _seen(done: asyncio.Future[None]) -> None:
    """Nobody has to look at what became of a message."""
    if not done.cancelled():
        done.exception()


class Outbox:
    """``pause`` sleeps; ``refused`` is called when the token is not taken any more."""

    def __init__(
        self,
        clock: Clock,
        wire: Wire,
        pause: Pause,
        refused: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._wire = wire
        self._pause = pause
        self._refused = refused
        self._queues: dict[Weight, deque[Outgoing]] = {weight: deque() for weight in Weight}
        self._free_at: dict[int, float] = {}  # by chat, monotonic
        self._sent: deque[float] = deque(maxlen=A_SECOND)
        self._lost: dict[int, int] = {}  # dropped and not told yet, by chat
        self._more = asyncio.Event()
        self._leaving: Outgoing | None = None
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """Messages that have not left."""
        return sum(map(len, self._queues.values()))

    def put(self, message: Outgoing) -> Outgoing:
        """Queue it; at once."""
        if self.waiting >= ROOM:
            last = next(queue for _, queue in reversed(self._queues.items()) if queue)
            if message.weight > last[0].weight:
                self._drop(message)
                return message
            self._drop(last.popleft())
        self._queues[message.weight].append(message)
        self._more.set()
        return message

    def _drop(self, message: Outgoing) -> None:
        self.dropped += 1
        if len(self._lost) > ROOM:
            self._lost.clear()
        self._lost[message.chat_id] = self._lost.get(message.chat_id, 0) + 1
        message.fail("Too many messages wait.")

    def forget(self, chat_id: int) -> None:
        """A chat was unlinked: nothing that waits goes there any more."""
        for queue in self._queues.values():
            for message in [one for one in queue if one.chat_id == chat_id]:
                queue.remove(message)
                message.fail(_UNLINKED)
        if self._leaving is not None and self._leaving.chat_id == chat_id:
            self._leaving.fail(_UNLINKED)  # where it does not leave now it does not come back

    def close(self) -> None:
        """Nothing leaves any more."""
        for queue in self._queues.values():
            while queue:
                queue.popleft().fail("The bot was stopped.")

    # -- sending ----------------------------------------------------------------------------
    async def run(self) -> None:
        """Send until cancelled, or until the token is refused."""
        wait = FIRST_WAIT
        while True:
            message, seconds = self._next()
            if message is None:
                await self._idle(seconds)
                continue
            self._leaving = message
            try:
                await self._send(message)
            except RateLimited as error:
                log.info("%s", error.message)
                self._free_at[message.chat_id] = self._clock.monotonic() + error.retry_after
                self._back(message)
            except TokenRefused as error:
                self._back(message)
                self._refused(error.message)
                return
            except NetError:
                self._back(message)
                await self._pause(wait)
                wait = min(LONGEST_WAIT, wait * 2)
            except (ChatGone, Unsendable) as error:
                log.warning("a message to chat %d is lost: %s", message.chat_id, error.message)
                message.fail(error.message)
            except Exception:
                log.exception("a message to chat %d is lost", message.chat_id)
                message.fail("It could not be sent; the log file says how.")
            else:
                wait = FIRST_WAIT

    def _next(self) -> tuple[Outgoing | None, float | None]:
        """The message that may leave now; else seconds until one may, None when none waits."""
        now = self._clock.monotonic()
        if len(self._sent) == A_SECOND and (left := self._sent[0] + 1.0 - now) > 0:
            return None, left
        soonest: float | None = None
        for queue in self._queues.values():
            for message in queue:
                left = self._free_at.get(message.chat_id, 0.0) - now
                if left <= 0:
                    queue.remove(message)
                    return message, None
                soonest = left if soonest is None else min(soonest, left)
        return None, soonest

    async def _idle(self, seconds: float | None) -> None:
        if seconds is None:
            self._more.clear()
            await self._more.wait()
        else:
            await self._pause(seconds)

    def _back(self, message: Outgoing) -> None:
        if message.done.done():
            return
        self._queues[message.weight].appendleft(message)

    async def _send(self, message: Outgoing) -> None:
        chat = message.chat_id
        text = message.text
        lost = self._lost.pop(chat, 0)
        if lost:
            text = f"({lost} messages before this one were dropped: too many waited.)\n{text}"
        now = self._clock.monotonic()
        try:
            await self._give(message, chat, text)
        except AppError:
            if lost:
                self._lost[chat] = self._lost.get(chat, 0) + lost
            raise
        self._sent.append(now)
        self._free_at[chat] = now + (CHAT_GAP if chat > 0 else GROUP_GAP)
        if len(self._free_at) > ROOM:
            self._free_at = {key: at for key, at in self._free_at.items() if at > now}
        if not message.done.done():
            message.done.set_result(None)

    async def _give(self, message: Outgoing, chat: int, text: str) -> None:
        if message.png:
            await self._wire.photo(chat, message.png, text[:1024])
        elif message.edits:
            await self._wire.edit(chat, message.edits, text[:MAX_MESSAGE])
        else:
            await self._wire.send(chat, cut(text), message.rows)


def cut(text: str) -> str:
    """A text that fits into one message: whole lines, and how many there are more."""
    if len(text) <= MAX_MESSAGE:
        return text
    lines = text.split("\n")
    kept: list[str] = []
    room = MAX_MESSAGE - 30
    for line in lines:
        if len(line) + 1 > room:
            break
        kept.append(line)
        room -= len(line) + 1
    if not kept:
        return text[: MAX_MESSAGE - 1] + "…"
    return "\n".join([*kept, f"… and {len(lines) - len(kept)} more lines"])
