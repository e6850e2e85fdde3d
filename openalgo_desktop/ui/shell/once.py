"""A command that is still running (its dialog may be open) is not started twice."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from openalgo_desktop.ui.engine.bridge import Bridge


class Once:
    """Starts tasks of the bridge, each name once at a time."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._running: set[str] = set()

    def __call__(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if name in self._running:
            return
        self._running.add(name)
        task = self._bridge.spawn(work(), name)
        task.add_done_callback(lambda _: self._running.discard(name))

    def __contains__(self, name: object) -> bool:
        return name in self._running
