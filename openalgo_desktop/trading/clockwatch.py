"""Tells of jumps of the wall clock: market hours follow it, durations do not."""

from __future__ import annotations

import asyncio
import logging

from openalgo_desktop.core.clock import Clock, JumpWatch
from openalgo_desktop.core.events import Bus, Notice

log = logging.getLogger(__name__)

#: Seconds between looks.
_EVERY = 1.0


class ClockWatch:
    """Looks each second; a jump is logged and published as a notice."""

    def __init__(self, clock: Clock, bus: Bus) -> None:
        self._clock = clock
        self._bus = bus
        self._watch = JumpWatch(clock)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="clock watch")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            self.look()

    def look(self) -> float:
        """Tell of a jump since the last look; its seconds."""
        jump = self._watch.look()
        if jump:
            way = "forward" if jump > 0 else "back"
            text = (
                f"The clock jumped {way} by {abs(jump):,.0f} s to "
                f"{self._clock.now():%d %b %Y %H:%M:%S} IST: it was set, or the computer slept. "
                "Sessions, square-off and expiry follow the new time."
            )
            log.warning("%s", text)
            self._bus.publish(Notice(level="warning", text=text, at=self._clock.now()))
        return jump
