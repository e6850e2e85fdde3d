"""What a reader of the market hub that reads at its own pace has not read yet."""

from __future__ import annotations

from collections.abc import Callable

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick


class Channel:
    """A conflating reader: :meth:`drain` gives the latest tick of each key that changed."""

    def __init__(
        self,
        added: Callable[[Channel, Key], None],
        removed: Callable[[Channel, Key], None],
        latest: Callable[[Key], Tick | None],
    ) -> None:
        self._added, self._removed, self._latest = added, removed, latest
        self._dirty: dict[Key, Tick] = {}
        self._modes: dict[Key, FeedMode] = {}

    @property
    def keys(self) -> frozenset[Key]:
        """Instruments this reader follows."""
        return frozenset(self._modes)

    def add(self, key: Key, mode: FeedMode) -> None:
        """Follow ``key`` at least at ``mode``; the cached tick is delivered at the next drain."""
        if self._modes.get(key, 0) >= mode:
            return
        self._modes[key] = mode
        self._added(self, key)
        cached = self._latest(key)
        if cached is not None:
            self._dirty[key] = cached

    def remove(self, key: Key) -> None:
        """Stop following ``key``."""
        if self._modes.pop(key, None) is not None:
            self._dirty.pop(key, None)
            self._removed(self, key)

    def mode(self, key: Key) -> FeedMode | None:
        """The mode asked for ``key``."""
        return self._modes.get(key)

    @property
    def dirty(self) -> bool:
        """Whether :meth:`drain` has something to give."""
        return bool(self._dirty)

    def drain(self) -> list[Tick]:
        """Latest ticks since the last drain, one per instrument."""
        if not self._dirty:
            return []
        ticks = list(self._dirty.values())
        self._dirty.clear()
        return ticks

    def close(self) -> None:
        """Stop following everything."""
        for key in tuple(self._modes):
            self.remove(key)

    def push(self, key: Key, tick: Tick) -> None:
        """The hub has news of an instrument."""
        self._dirty[key] = tick
