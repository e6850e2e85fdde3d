"""Fresh prices of what is held, for the limits on the day's result.

What is held is streamed while such a limit is set, whether a window shows it or not: an order then
waits for no answer of a broker. A price that is not fresh is asked for; a result is never worked
out from an old one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, RiskBlocked
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import TickSource
from openalgo_desktop.core.ticks import Part, Tick

#: A stream that has just been asked for gets this long before its prices are asked one by one;
#: seconds.
STREAM_WAIT = 1.0


class Valuation:
    """Streams the positions that limits look at, and knows their prices."""

    def __init__(self, ticks: TickSource) -> None:
        self._ticks = ticks
        self._stops: dict[Key, Callable[[], None]] = {}
        self._came = asyncio.Event()

    def follow(self, keys: Collection[Key]) -> bool:
        """Stream these and no others; True when some are new."""
        for key in self._stops.keys() - set(keys):
            self._stops.pop(key)()
        fresh = [key for key in keys if key not in self._stops]
        for key in fresh:
            self._stops[key] = self._ticks.watch(key, FeedMode.LTP, self._heard)
        return bool(fresh)

    def _heard(self, tick: Tick) -> None:
        self._came.set()

    def _fresh(self, key: Key) -> float | None:
        tick = self._ticks.fresh(key)
        return tick.ltp if tick is not None else None

    async def prices(self, keys: Collection[Key], held: Collection[Key]) -> dict[Key, float]:
        """Fresh prices of ``keys``, rupees, streaming all that is ``held``. Raises
        :class:`RiskBlocked` naming an instrument that nobody can price."""
        if self.follow(held):
            await self._first_ticks(keys)
        found = {key: price for key in keys if (price := self._fresh(key)) is not None}
        missing = [key for key in keys if key not in found]
        answers = await asyncio.gather(*map(self._ask, missing)) if missing else ()
        return found | dict(zip(missing, answers, strict=True))

    async def _first_ticks(self, keys: Collection[Key]) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + STREAM_WAIT
        while any(self._fresh(key) is None for key in keys) and loop.time() < end:
            self._came.clear()
            try:
                await asyncio.wait_for(self._came.wait(), end - loop.time())
            except TimeoutError:
                return

    async def _ask(self, key: Key) -> float:
        try:
            return (await self._ticks.snapshot(key, Part.LTP)).ltp
        except AppError as error:
            raise RiskBlocked(
                f"The price of {key[1]}, which is held, is not known ({error.message}), so the "
                "limits on the day's result cannot be checked. Orders that close are accepted."
            ) from error
