"""Quotes and depth of a broker that has no REST for them: subscribe, wait for the snapshot that
the feed sends for it, and give back what nobody else wants."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from openalgo_desktop.brokers.kit.feed.stream import StreamClient, StreamState
from openalgo_desktop.core.enums import INDEX_EXCHANGES, FeedMode
from openalgo_desktop.core.errors import AppError, DataError, NetTimeout, NotConnected
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import PARTS_OF, Part, Tick

#: What an index has: nobody offers it and nobody holds it open.
_INDEX_PARTS = Part.LTP | Part.DAY
#: Seconds within which a feed sends the snapshot of a new subscription.
DEADLINE = 4.0


class _Asked:
    """One instrument that is asked for, by one or several callers."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Tick | AppError] = asyncio.get_running_loop().create_future()
        self.callers = 0
        self.best: Tick | None = None  # so far, with parts missing

    def settle(self, answer: Tick | AppError) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


class FeedQuotes:
    """Shares the market feed between those who watch and those who ask once.

    ``watched`` are the subscriptions of the watchers, which are never lowered or ended here.
    What they stream in full is answered from the last tick, because a feed sends changes only.
    """

    def __init__(self, stream: StreamClient, deadline: float = DEADLINE) -> None:
        self._stream = stream
        self._deadline = deadline
        self._mode = max(stream.spec.modes, default=FeedMode.LTP)
        self._asked: dict[Key, _Asked] = {}
        self._last: dict[Key, Tick] = {}
        self.watched: dict[Key, FeedMode] = {}

    # -- the watchers -----------------------------------------------------------------------
    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> dict[Key, AppError]:
        """Stream these for the watchers; returns the refused."""
        refused = self._stream.subscribe({k: self._full(k, mode) for k, mode in wanted.items()})
        self.watched.update({k: mode for k, mode in wanted.items() if k not in refused})
        return refused

    def unsubscribe(self, keys: Sequence[Key]) -> None:
        """The watchers no longer want these."""
        for key in keys:
            self.watched.pop(key, None)
        self._release(keys)

    def _full(self, key: Key, mode: FeedMode) -> FeedMode:
        return max(mode, self._mode) if key in self._asked else mode

    # -- from the feed ----------------------------------------------------------------------
    def saw(self, tick: Tick) -> bool:
        """A tick came; whether the watchers want it."""
        key = (tick.exchange, tick.symbol)
        watched = key in self.watched
        whole = not self._need(key) & ~_known(tick)
        if watched and whole:
            self._last[key] = tick
        if self._asked and (asked := self._asked.get(key)) is not None:
            if whole:
                asked.settle(tick)
            elif asked.best is None or _known(tick).bit_count() >= _known(asked.best).bit_count():
                asked.best = tick
        return watched

    def _need(self, key: Key) -> int:
        """The parts that make a snapshot of an instrument whole."""
        parts = PARTS_OF[self._mode]
        return parts & _INDEX_PARTS if key[0] in INDEX_EXCHANGES else parts

    def refused(self, key: Key, error: AppError) -> bool:
        """The feed will not stream an instrument; whether a watcher has to hear of it."""
        if (asked := self._asked.get(key)) is not None:
            asked.settle(error)
        self._last.pop(key, None)
        return self.watched.pop(key, None) is not None

    def lost(self) -> None:
        """The feed is down, mute or at its end: what was seen is no answer any more, neither to
        those who ask next nor, in parts, to those who wait."""
        self._last.clear()
        waiting = {key: row for key, row in self._asked.items() if not row.answer.done()}
        self._asked = waiting
        for row in waiting.values():
            row.best = None

    # -- those who ask ----------------------------------------------------------------------
    async def quotes(self, keys: Iterable[Key]) -> dict[Key, Tick | AppError]:
        """A snapshot of each in the fullest mode of the feed; who sent none in time gets an
        error of its own. Raises :class:`NotConnected` while the feed is closed."""
        if self._stream.state is StreamState.CLOSED:
            raise NotConnected(f"The feed of {self._stream.title} is closed. Nothing was asked.")
        wanted = list(dict.fromkeys(keys))
        answers: dict[Key, Tick | AppError] = {
            key: tick for key in wanted if (tick := self._current(key)) is not None
        }
        left = [key for key in wanted if key not in answers]
        while left:  # as many at a time as there is room on the feed
            size = max(1, self._stream.room)
            answers.update(await self._batch(left[:size]))
            left = left[size:]
        return {key: answers[key] for key in wanted}

    async def _batch(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        asked = self._ask(keys)
        try:
            futures = [row.answer for row in asked.values()]
            await asyncio.wait(futures, timeout=self._deadline)
            return {key: self._found(key, row) for key, row in asked.items()}
        finally:
            self._leave(asked)

    def _current(self, key: Key) -> Tick | None:
        """The last tick of what is watched in full, while the feed says every change."""
        streamed = PARTS_OF[self.watched[key]] if key in self.watched else 0
        if self._stream.state is not StreamState.LIVE or self._need(key) & ~streamed:
            return None
        return self._last.get(key)

    def _ask(self, keys: Sequence[Key]) -> dict[Key, _Asked]:
        new = [key for key in keys if key not in self._asked]
        for key in new:
            self._asked[key] = _Asked()
        asked = {key: self._asked[key] for key in keys}
        for row in asked.values():
            row.callers += 1
        refused = self._stream.subscribe(dict.fromkeys(new, self._mode)) if new else {}
        for key, error in refused.items():
            self._asked[key].settle(error)
        return asked

    def _found(self, key: Key, asked: _Asked) -> Tick | AppError:
        if asked.answer.done():
            return asked.answer.result()
        if asked.best is not None:  # what the feed has not said is unknown in it
            return asked.best
        return NetTimeout(
            f"{self._stream.title} sent no quote of {key[0]}:{key[1]} within {self._deadline:g} s."
        )

    def _leave(self, asked: Mapping[Key, _Asked]) -> None:
        for key, row in asked.items():
            row.callers -= 1
            if row.callers == 0 and self._asked.get(key) is row:
                del self._asked[key]
        self._release(asked)

    def _release(self, keys: Iterable[Key]) -> None:
        """Stream these only as far as somebody still wants them."""
        free = [key for key in keys if key not in self._asked]
        gone = [key for key in free if key not in self.watched]
        self._stream.unsubscribe(gone)
        for key in gone:
            self._last.pop(key, None)
        lower = {k: self.watched[k] for k in free if k in self.watched}
        self._stream.subscribe(
            {k: mode for k, mode in lower.items() if self._stream.mode(k) != mode}
        )


def _known(tick: Tick) -> int:
    """The parts that a tick has."""
    return PARTS_OF[FeedMode(tick.mode)] & ~tick.unknown


def depth_of(answer: Tick | AppError) -> Tick:
    """A snapshot that has a book; raises what stands in its place."""
    if isinstance(answer, AppError):
        raise answer
    if answer.depth is None:
        raise DataError(f"The feed has no depth of {answer.exchange}:{answer.symbol}.")
    return answer
