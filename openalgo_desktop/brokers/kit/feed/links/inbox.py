"""Frames that have come and wait to be read: what every link puts between its library and the lane.

Bounded by back-pressure: when too many wait, the link stops reading and the transport slows the
sender. Where a library reads on by itself, by loss: the oldest frames give way and are counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from openalgo_desktop.brokers.kit.feed.codec import Frame
from openalgo_desktop.brokers.kit.feed.links.base import MAX_QUEUE, LinkClosed

#: Frames that may wait where a library cannot be held back.
MAX_UNHELD = 1024


def _nothing() -> None:
    """For a transport that cannot be held back."""


class Inbox:
    """A queue of frames with an end. ``pause`` is called when ``limit`` frames wait, ``resume``
    when they were taken; frames that the library had read already may still be put in between."""

    __slots__ = ("_frames", "_limit", "_pause", "_resume", "_taken", "_waiter", "paused", "why")

    def __init__(
        self,
        pause: Callable[[], object] = _nothing,
        resume: Callable[[], object] = _nothing,
        limit: int = MAX_QUEUE,
    ) -> None:
        self._pause = pause
        self._resume = resume
        self._limit = limit
        self._frames: list[Frame] = []
        self._taken = 0
        self._waiter: asyncio.Future[None] | None = None
        #: Why it ended; '' while it has not.
        self.why = ""
        self.paused = False

    @property
    def count(self) -> int:
        """Frames that have come so far."""
        return self._taken + len(self._frames)

    def put(self, frame: Frame) -> None:
        """A frame has come."""
        frames = self._frames
        frames.append(frame)
        if self._waiter is not None:
            self._wake()
        if len(frames) >= self._limit and not self.paused:
            self.paused = True
            self._pause()

    def end(self, why: str) -> None:
        """No frame comes any more; the first reason counts. What waits can still be taken."""
        if not self.why:
            self.why = why
            self._wake()

    async def take(self) -> list[Frame]:
        """All frames that wait, at least one; raises :class:`LinkClosed` after the last."""
        while not self._frames:
            if self.why:
                raise LinkClosed(self.why)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        frames, self._frames = self._frames, []
        self._taken += len(frames)
        if self.paused:
            self.paused = False
            if not self.why:
                self._resume()
        return frames

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


class LossyInbox(Inbox):
    """For a library that reads on by itself: what is read is never older than its room allows."""

    __slots__ = ("lost",)

    def __init__(self, room: int = MAX_UNHELD) -> None:
        super().__init__(limit=room)
        self.lost = 0

    def put(self, frame: Frame) -> None:
        """A frame has come; the oldest one goes when there is no room."""
        if self.why:
            return
        if self.paused and len(self._frames) >= self._limit:
            del self._frames[0]
            self.lost += 1
        super().put(frame)
