"""The instruments whose prices a paper account follows, and their last prices."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import TickSource
from openalgo_desktop.core.ticks import Tick


class PriceWatch:
    """Streams what the account needs and nothing else. ``last`` has the prices that came."""

    def __init__(
        self,
        ticks: TickSource,
        on_tick: Callable[[Tick], None],
        needed: Callable[[Key], bool],
        mode: Callable[[], FeedMode],
    ) -> None:
        self._ticks = ticks
        self._on_tick = on_tick
        self._needed = needed
        self._mode = mode
        self._stops: dict[Key, Callable[[], None]] = {}
        self.last: dict[Key, float] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._stops

    @property
    def keys(self) -> list[Key]:
        """What is streamed now."""
        return list(self._stops)

    def look(self, keys: Iterable[Key]) -> None:
        """Begin or end to stream each of these, as it is needed now."""
        for key in keys:
            wanted = self._needed(key)
            if wanted and key not in self._stops:
                self._stops[key] = self._ticks.watch(key, self._mode(), self._on_tick)
            elif not wanted and key in self._stops:
                self._stops.pop(key)()
                self.last.pop(key, None)

    def stop(self) -> None:
        """Let go of every instrument; the last prices stay known."""
        for stop in self._stops.values():
            stop()
        self._stops.clear()

    def price(self, key: Key, mark: float) -> float:
        """The last price of an instrument: streamed, else last asked for, else ``mark``."""
        tick = self._ticks.latest(key)
        if tick is not None and tick.ltp > 0:
            return tick.ltp
        return self.last.get(key) or mark
