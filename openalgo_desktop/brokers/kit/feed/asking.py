"""What one connection of a feed was asked for, and the asking: the difference between what is
wanted and what was sent, by frames or by requests, refusals sorted out to the instrument."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    Request,
    Sending,
    StreamCodec,
    StreamEvent,
)
from openalgo_desktop.brokers.kit.feed.links.base import Link
from openalgo_desktop.brokers.kit.rest.second import SecondSessionRefused
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import (
    AppError,
    AuthError,
    NetError,
    ProtocolError,
)
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick

if TYPE_CHECKING:
    from openalgo_desktop.brokers.kit.feed.stream import StreamClient

log = logging.getLogger(__name__)

#: What an instrument is asked for: a mode, and depth levels where it has depth.
Want: TypeAlias = tuple[FeedMode, int]
#: A request that was lost on its way is sent again after so many seconds, doubled up to the last.
_AGAIN = (1.0, 30.0)
#: A batch is halved for so many refused requests; then the refusal holds for the rest of it.
_MOST_REFUSALS = 64


class Asker:
    """The asking of one connection. ``wanted`` is the lane's own table; ``take`` passes events on
    as if a frame had brought them. :meth:`run` ends by the exception that ends the connection."""

    def __init__(
        self,
        client: StreamClient,
        link: Link,
        codec: StreamCodec,
        wanted: Mapping[Key, FeedMode],
        take: Callable[[Iterable[StreamEvent]], Awaitable[object]],
    ) -> None:
        self._client = client
        self._spec = client.spec
        self._link = link
        self._codec = codec
        self._wanted = wanted
        self._take = take
        self._sent: dict[Key, Want] = {}
        self._awaited: dict[Key, float] = {}  # not yet confirmed: when they were asked for
        self._asked_twice: set[Key] = set()
        self._later: list[Request] = []
        self._changed = asyncio.Event()
        self._refusals = 0
        self.ready = False

    # -- from the lane ----------------------------------------------------------------------
    def open(self) -> None:
        """The feed takes subscriptions now."""
        self.ready = True
        self.poke()

    def poke(self) -> None:
        """What is wanted may have changed."""
        self._changed.set()

    def again(self) -> None:
        """Ask for everything once more."""
        self._sent.clear()
        self.poke()

    def refused(self, key: Key) -> None:
        """The feed said that it will not stream this."""
        self._sent.pop(key, None)
        self._settled(key)

    # -- confirmations ----------------------------------------------------------------------
    @property
    def awaits(self) -> bool:
        """Whether any subscription is not confirmed yet."""
        return bool(self._awaited)

    def confirmed(self, key: Key) -> None:
        """The feed acknowledged this subscription."""
        self._settled(key)
        self._client.unconfirmed.discard(key)

    def came(self, tick: Tick) -> None:
        """A tick in the mode that was asked for says as much as an acknowledgement."""
        key = (tick.exchange, tick.symbol)
        if key in self._awaited and tick.mode >= self._wanted.get(key, tick.mode):
            self.confirmed(key)

    def overdue(self, now: float) -> list[Key]:
        """Instruments that were not confirmed in time though asked twice; those that were asked
        once are asked again."""
        late = [k for k, since in self._awaited.items() if now - since > self._spec.confirms]
        lost = [key for key in late if key in self._asked_twice]
        for key in late:
            del self._awaited[key]
            if key not in lost:
                self._sent.pop(key, None)
        self._asked_twice.update(late)
        self._asked_twice.difference_update(lost)
        if late:
            self.poke()
        return lost

    def _settled(self, key: Key) -> None:
        self._awaited.pop(key, None)
        self._asked_twice.discard(key)

    async def send(self, frames: Iterable[Sending]) -> None:
        """Frames at once; requests as soon as :meth:`run` gets to them, so that the reader does
        not wait for an answer."""
        for frame in frames:
            if isinstance(frame, Request):
                self._later.append(frame)
                self.poke()
            else:
                await self._link.send(frame)

    # -- the asking -------------------------------------------------------------------------
    async def run(self) -> None:
        """Send what is missing, whenever it changes: a new subscription, another mode,
        everything after a reconnect."""
        wait, longest = _AGAIN
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._round()
                wait = _AGAIN[0]
            except _Lost as error:
                pause = max(wait, error.retry_after)
                log.info("%s: asking again in %.0f s: %s", self._client.title, pause, error)
                await self._client.sleep(pause)
                wait = min(2 * wait, longest)
                self.poke()

    async def _round(self) -> None:
        size = self._spec.batch
        gone = [key for key in self._sent if key not in self._wanted] if self.ready else []
        for batch in _batches(gone, size):
            for key in batch:
                self.refused(key)
            await self.send(self._codec.unsubscribe(batch))
        while self._later:
            await self._unkeyed(self._later[0])
            self._later.pop(0)
        if not self.ready:
            return
        want = self._want
        new = [key for key, mode in self._wanted.items() if self._sent.get(key) != want(key, mode)]
        for batch in _batches(new, size):
            self._refusals = 0
            await self._ask(batch)

    async def _unkeyed(self, request: Request) -> None:
        """Execute what no instrument can be refused for."""
        try:
            events = await self._answer(request)
        except (AuthError, SecondSessionRefused, _Lost):
            raise
        except AppError as error:
            log.warning("%s: %s was refused: %s", self._client.title, request.op, error)
        else:
            await self._take(events)

    async def _ask(self, keys: Sequence[Key]) -> None:
        asked = {key: self._wanted[key] for key in keys if key in self._wanted}
        if not asked:
            return
        wants = {key: self._want(key, mode) for key, mode in asked.items()}
        if len(self._spec.levels) > 1:
            self._codec.deepen({key: levels for key, (_, levels) in wants.items()})
        try:
            frames = self._codec.subscribe(asked)
        except AppError as error:
            await self._halved(list(asked), error)
            return
        self._sent.update(wants)
        if self._spec.confirms > 0:
            self._awaited.update(dict.fromkeys(asked, self._client.clock.monotonic()))
        for frame in frames:
            if isinstance(frame, Request):
                await self._ask_by_request(frame)
            else:
                await self._link.send(frame)

    def _want(self, key: Key, mode: FeedMode) -> Want:
        return mode, self._client.levels(key) if mode is FeedMode.DEPTH else 0

    async def _ask_by_request(self, request: Request) -> None:
        try:
            events = await self._answer(request)
        except AppError as error:
            keys = [key for key in request.keys if self._sent.pop(key, None) is not None]
            for key in keys:
                self._awaited.pop(key, None)
            if isinstance(error, (AuthError, SecondSessionRefused, _Lost)):
                raise
            self._refusals += 1
            await self._halved(keys, error)
        else:
            await self._take(events)

    async def _halved(self, keys: Sequence[Key], error: AppError) -> None:
        """One of these is bad: the others must not suffer."""
        if len(keys) <= 1 or self._refusals > _MOST_REFUSALS:
            for key in keys:
                self._client.lane_refused(key, error)
            return
        middle = len(keys) // 2
        await self._ask(keys[:middle])
        await self._ask(keys[middle:])

    async def _answer(self, request: Request) -> Iterable[StreamEvent]:
        """Execute a request; what its answer says. Raises its refusal."""
        try:
            answer = await self._client.request(request.op, request.values)
        except NetError as error:  # the line of the feed itself is not concerned
            raise _Lost(error.message, getattr(error, "retry_after", 0.0)) from None
        except AppError as error:
            if isinstance(error, (AuthError, SecondSessionRefused)) or len(request.keys) > 1:
                raise
            answer = error
        try:
            return self._codec.answered(request, answer)
        except AppError:
            raise
        except Exception as error:
            log.exception("%s: the codec failed on an answer", self._client.title)
            return (Failure(ProtocolError(f"{type(error).__name__} in the codec")),)


class _Lost(AppError):
    """A request got no answer."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def _batches(keys: Sequence[Key], size: int) -> Iterable[Sequence[Key]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
