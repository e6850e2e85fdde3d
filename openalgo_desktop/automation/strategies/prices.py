"""The prices of runs: the stream; where it is silent, polls in batches; where both are, stale.

Only fresh prices of an open market count, from either source, and both move the same rules.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from openalgo_desktop.automation.strategies.ground import Ground
from openalgo_desktop.automation.strategies.live import LiveRun
from openalgo_desktop.automation.strategies.runs import Runs
from openalgo_desktop.core.errors import AppError, RateLimited
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.strategies.words import EventKind, Severity
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.trading.watch.prices import Prices

log = logging.getLogger(__name__)

#: A price that was not streamed for so long is polled, so often, so many in one request; seconds.
SILENT, POLL, BATCH = 10.0, 2.0, 50
#: Nothing from either source for so long: nobody looks after the position; seconds.
STALE = 60.0
#: Pauses after the broker said that we ask too often; seconds.
BACK_OFF = (2.0, 5.0, 10.0, 30.0)


class _Source(msgspec.Struct):
    """When a price was heard last, monotonic; ``polled`` is where it comes from now."""

    streamed: float
    heard: float
    polled: bool = False


class RunPrices:
    """Prices of all instruments of runs."""

    def __init__(
        self,
        ground: Ground,
        runs: Runs,
        heard: Callable[[Key, Decimal], None],
        stale: Callable[[LiveRun, Key], None],
    ) -> None:
        self._ground = ground
        self.clock = ground.clock  # for durations
        self._runs = runs
        self._heard = heard
        self._stale = stale
        self._prices = Prices(ground.clock, ground.ticks, ground.is_open, self._streamed)
        self._sources: dict[Key, _Source] = {}
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._refused = 0  # times in a row that the broker said 429

    def start(self) -> None:
        """Watch, and poll where the stream is silent."""
        self._task = asyncio.create_task(self._run(), name="strategy prices")

    async def stop(self) -> None:
        """Let go of everything."""
        self.abandon()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def abandon(self) -> None:
        """Stop where it stands."""
        self._prices.close()
        if self._task is not None:
            self._task.cancel()

    def want(self, key: Key, wanted: bool) -> None:
        """An instrument is looked at by a run, or not any more."""
        if wanted:
            now = self.clock.monotonic()
            self._sources.setdefault(key, _Source(now, now))
            self._some.set()
        else:
            self._sources.pop(key, None)
        self._prices.want(key, wanted)
        if wanted and (price := self._prices.now(key)) is not None:
            self._heard(key, price)

    def _streamed(self, key: Key, price: Decimal) -> None:
        source = self._sources.get(key)
        if source is not None:
            source.streamed = source.heard = self.clock.monotonic()
            if source.polled:
                self._switch(key, source, polled=False)
        self._heard(key, price)

    # -- polling ----------------------------------------------------------------------------
    async def _run(self) -> None:
        while True:
            if not self._sources:
                self._some.clear()
                await self._some.wait()
            await asyncio.sleep(self.pause)
            try:
                await self.look()
            except Exception:
                log.exception("looking after the prices of strategies failed; going on")

    @property
    def pause(self) -> float:
        """Seconds to the next look."""
        return BACK_OFF[min(self._refused, len(BACK_OFF)) - 1] if self._refused else POLL

    async def look(self) -> None:
        """Poll what is silent, and tell what is stale."""
        now = self.clock.monotonic()
        silent: list[Key] = []
        for key, source in self._sources.items():
            if not self._ground.is_open(key[0]):  # a closed market is silent rightly
                source.streamed = source.heard = now
            elif now - source.streamed >= SILENT:
                silent.append(key)
        for first in range(0, len(silent), BATCH):
            await self._poll(silent[first : first + BATCH])
        now = self.clock.monotonic()
        for key in silent:
            found = self._sources.get(key)
            if found is not None and now - found.heard >= STALE:
                self._gone(key)

    async def _poll(self, keys: Sequence[Key]) -> None:
        for key in keys:
            source = self._sources.get(key)
            if source is not None and not source.polled:
                self._switch(key, source, polled=True)
        try:
            rows = await self._ground.ticks.quotes(keys)
        except RateLimited:
            self._refused += 1
            return
        except AppError as error:
            log.warning("prices of strategies could not be asked for: %s", error)
            return
        limited = False
        for key, row in rows.items():
            match row:
                case Tick():
                    self._polled(key, row)
                case RateLimited():
                    limited = True
        self._refused = self._refused + 1 if limited else 0

    def _polled(self, key: Key, tick: Tick) -> None:
        price = self._ground.legs.told(tick)
        source = self._sources.get(key)
        if price is None or source is None:
            return
        source.heard = self.clock.monotonic()
        for live in self._runs.of_key(key):
            live.prices = "polling"
        self._heard(key, price)

    def _switch(self, key: Key, source: _Source, *, polled: bool) -> None:
        source.polled = polled
        for live in self._runs.of_key(key):
            others = [self._sources.get(row) for row in live.instruments() if row != key]
            if any(row is not None and row.polled for row in others):
                continue  # told with the first of them, and when the last one is streamed again
            live.prices = "polling" if polled else "stream"
            if polled:
                kind = EventKind.TICK_SOURCE_SWITCHED_TO_POLLING
                text = f"{key[1]} was not streamed for {SILENT:g} s: it is asked for."
                self._runs.tell(live, kind, text, Severity.WARN)
            else:
                text = f"{key[1]} is streamed again."
                self._runs.tell(live, EventKind.TICK_SOURCE_SWITCHED_TO_WS, text)

    def _gone(self, key: Key) -> None:
        for live in self._runs.of_key(key):
            if live.prices != "stale":
                live.prices = "stale"
                text = f"The price of {key[1]} is not known for {STALE:g} s, from no source."
                self._runs.tell(live, EventKind.TICK_SOURCE_STALE, text, Severity.CRITICAL)
            self._stale(live, key)
