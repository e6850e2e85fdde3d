"""Depth beyond the usual levels: on the market feed itself, or on a feed of its own beside it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from openalgo_desktop.brokers.kit.feed.stream import StreamClient, StreamState
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Part, Tick

log = logging.getLogger(__name__)


class Depths:
    """Knows which of the market feeds brings how many levels; ``streams`` has the main one first.

    While a feed of its own brings the book of an instrument, the main feed's is left out of its
    ticks: the two would take turns.
    """

    def __init__(self, streams: Sequence[StreamClient]) -> None:
        self._main, self._others = streams[0], streams[1:]
        self._held: dict[Key, tuple[StreamClient, Counter[int]]] = {}

    @property
    def offered(self) -> tuple[int, ...]:
        """Levels a side that some feed brings, fewest first."""
        return tuple(sorted({n for s in (self._main, *self._others) for n in s.spec.levels}))

    def deepen(self, key: Key, levels: int) -> Callable[[], None]:
        """Have at least so many levels of an instrument, as far as a feed offers them; the
        fullest wish holds. Gives the end of this wish. Raises what the feed refuses."""
        stream = self._offering(levels)
        if stream is self._main:
            return stream.deepen(key, levels)
        if refused := stream.subscribe({key: FeedMode.DEPTH}):
            raise refused[key]
        end = stream.deepen(key, levels)
        _, wishes = self._held.setdefault(key, (stream, Counter()))
        wishes[levels] += 1
        over = False

        def release() -> None:
            nonlocal over
            if over:
                return
            over = True
            end()
            wishes[levels] -= 1
            if not +wishes and self._held.get(key, (None, None))[1] is wishes:
                del self._held[key]
                stream.unsubscribe([key])

        return release

    def _offering(self, levels: int) -> StreamClient:
        fits = [s for s in (self._main, *self._others) if max(s.spec.levels) >= levels]
        return (
            fits[0]
            if fits
            else max((self._main, *self._others), key=lambda stream: max(stream.spec.levels))
        )

    def refused(self, key: Key, error: AppError) -> None:
        """A feed of its own will not bring an instrument: the main one's book counts again."""
        log.warning("no deeper book of %s:%s: %s", *key, error.message)
        self._held.pop(key, None)

    def shown(self, tick: Tick) -> Tick:
        """A tick of the main feed as it goes on."""
        if not self._held or tick.depth is None:
            return tick
        held = self._held.get((tick.exchange, tick.symbol))
        if held is None or held[0].state is not StreamState.LIVE:
            return tick
        return msgspec.structs.replace(tick, depth=None, unknown=tick.unknown | Part.BOOK)
