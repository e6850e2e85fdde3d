"""Deeper books for docks that show them: which numbers of levels there are, and who wants one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from openalgo_desktop.core.model import Key

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


class DepthsDoor:
    """One wish of each dock at a time."""

    def __init__(self, terminal: Terminal) -> None:
        self._hub = terminal.hub
        self._wishes: dict[str, tuple[Key, int, Callable[[], None]]] = {}

    @property
    def offered(self) -> tuple[int, ...]:
        """Levels a side that the data account streams, fewest first."""
        return self._hub.depth_levels

    def want(self, owner: str, key: Key, levels: int) -> None:
        """``owner`` shows so many levels of ``key``; it takes the place of its former wish."""
        known = self._wishes.get(owner)
        if known is not None and known[:2] == (key, levels):
            return
        self.forget(owner)
        self._wishes[owner] = (key, levels, self._hub.deepen(key, levels))

    def forget(self, owner: str) -> None:
        """``owner`` needs no deeper book any more."""
        if (known := self._wishes.pop(owner, None)) is not None:
            known[2]()
