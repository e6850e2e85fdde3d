"""The market hub: one door for ticks, reference-counted subscriptions, conflated readers.

A tick costs one dict write, a call per watcher and a dirty mark per channel. Watchers (WebSocket
fan-out, resting sandbox orders) see every tick; channels (the window) see the latest per
instrument whenever they drain.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import date

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode, Interval
from openalgo_desktop.core.errors import AppError, NotConnected
from openalgo_desktop.core.model import Bars, Key, Tick
from openalgo_desktop.core.ports import InstrumentLookup, MarketSource
from openalgo_desktop.core.stopwatch import upstream

log = logging.getLogger(__name__)

TickListener = Callable[[Tick], None]

#: A busy feed that says nothing for this long while its market is open is mute; seconds. A slow
#: one (few, illiquid instruments) may be quiet for some of its usual gaps.
MUTE_AFTER = 4.0
MUTE_GAPS = 8.0
_LOOK = 0.5  # the watchdog looks so often, seconds
_RETRY = 1.0  # a subscription that failed is asked again after this, seconds

#: A streamed tick older than this is not used as a snapshot for an order; seconds.
SNAPSHOT_MAX_AGE = 2.0


class Channel:
    """A conflating reader: :meth:`drain` gives the latest tick of each key that changed."""

    def __init__(self, hub: MarketHub) -> None:
        self._hub = hub
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
        self._hub._channel_added(self, key)
        cached = self._hub.latest(key)
        if cached is not None:
            self._dirty[key] = cached

    def remove(self, key: Key) -> None:
        """Stop following ``key``."""
        if self._modes.pop(key, None) is not None:
            self._dirty.pop(key, None)
            self._hub._channel_removed(self, key)

    def mode(self, key: Key) -> FeedMode | None:
        """The mode asked for ``key``."""
        return self._modes.get(key)

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

    def _push(self, key: Key, tick: Tick) -> None:
        self._dirty[key] = tick


class MarketHub:
    """Feeds ticks of the data account to all readers and answers quote and history requests."""

    def __init__(self, clock: Clock, instruments: InstrumentLookup) -> None:
        self._clock = clock
        self._instruments = instruments
        self._source: MarketSource | None = None
        self._latest: dict[Key, Tick] = {}
        self._received: dict[Key, float] = {}
        self._watchers: dict[Key, list[tuple[FeedMode, TickListener]]] = {}
        self._channels: dict[Key, list[Channel]] = {}
        self._upstream: dict[Key, FeedMode] = {}
        self._changed: set[Key] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._last_tick = 0.0
        self._gap = 0.0  # usual seconds between ticks, smoothed
        self._asked_at = 0.0  # when a mute feed was last asked again
        self._lost_at: float | None = None  # monotonic moment of the last loss of the feed
        self._connected = False
        self._watchdog: asyncio.Task[None] | None = None
        self.tick_count = 0
        self.mute = False
        self.expects: Callable[[str], bool] = lambda exchange: False
        self.on_mute: Callable[[bool, str], None] = lambda mute, message: None

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Begin to pass subscriptions upstream."""
        self._task = asyncio.create_task(self._sync_upstream(), name="market-hub")
        self._watchdog = asyncio.create_task(self._watch_feed(), name="feed-watchdog")

    async def stop(self) -> None:
        """Stop; readers keep their last values."""
        tasks = [task for task in (self._task, self._watchdog) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = self._watchdog = None
        self.set_source(None)

    def set_source(self, source: MarketSource | None) -> None:
        """Change the data account; all subscriptions are asked anew from it."""
        self._source = source
        self._upstream.clear()
        self.connected = source is not None
        if source is not None:
            source.set_sink(self.publish)
            self.resubscribe()

    def resubscribe(self) -> None:
        """Ask all wanted instruments again, for example after a reconnect."""
        self._upstream.clear()
        self._changed.update(self._watchers, self._channels)
        self._wake.set()

    # -- health of the feed -----------------------------------------------------------------
    @property
    def connected(self) -> bool:
        """Whether the source says that its feed is up."""
        return self._connected

    @connected.setter
    def connected(self, value: bool) -> None:
        if self._connected and not value:
            self._lost_at = self._clock.monotonic()
        self._connected = value
        if value:
            self._last_tick = self._clock.monotonic()  # silence counts from here
        self.mute = False

    def is_stale(self, key: Key) -> bool:
        """Whether the last price of ``key`` must not be traded on: the feed is down or mute, or
        was lost since that price came."""
        received = self._received.get(key)
        if received is None or not self._connected or self.mute:
            return True
        return self._lost_at is not None and received <= self._lost_at

    async def _watch_feed(self) -> None:
        """Say when the feed goes mute while a market is open, ask again, and say when it is
        back. ``expects`` tells whether an exchange should tick now."""
        while True:
            await asyncio.sleep(_LOOK)
            if not self._connected or not self._upstream:
                continue
            silence = self._clock.monotonic() - max(self._last_tick, self._asked_at)
            if silence <= max(MUTE_AFTER, MUTE_GAPS * self._gap):
                continue
            if not any(self.expects(exchange) for exchange in {key[0] for key in self._upstream}):
                self._last_tick = self._clock.monotonic()  # the count begins when it opens
                continue
            self._asked_at = self._clock.monotonic()
            self.resubscribe()
            if self.mute:
                continue
            self.mute = True
            self._lost_at = self._asked_at
            message = f"The feed has been silent for {silence:.0f} s; asking again."
            log.warning("%s", message)
            self.on_mute(True, message)

    def _ticked(self) -> None:
        now = self._clock.monotonic()
        self._gap += 0.05 * (min(now - self._last_tick, 60.0) - self._gap)
        self._last_tick = now
        if self.mute:
            self.mute = False
            log.warning("the feed is back")
            self.on_mute(False, "")

    # -- ticks ------------------------------------------------------------------------------
    def publish(self, tick: Tick) -> None:
        """One tick from the data account."""
        key = (tick.exchange, tick.symbol)
        previous = self._latest.get(key)
        if previous is not None and tick.mode < previous.mode:
            # A poorer tick must not wipe the book that a richer one brought.
            self._latest[key] = msgspec.structs.replace(
                previous, ltp=tick.ltp, ltt=tick.ltt, timestamp=tick.timestamp
            )
        else:
            self._latest[key] = tick
        self._ticked()
        self._received[key] = self._last_tick
        self.tick_count += 1
        watchers = self._watchers.get(key)
        if watchers:
            for _, listener in tuple(watchers):
                try:
                    listener(tick)
                except Exception:
                    log.exception("a reader of %s:%s failed", *key)
        for channel in self._channels.get(key, ()):
            channel._push(key, self._latest[key])

    def latest(self, key: Key) -> Tick | None:
        """The last tick, or None when the instrument was never streamed."""
        return self._latest.get(key)

    def age(self, key: Key | None = None) -> float | None:
        """Seconds since the last tick of ``key`` (of any instrument when None)."""
        if key is None:
            return self._clock.monotonic() - self._last_tick if self.tick_count else None
        received = self._received.get(key)
        return None if received is None else self._clock.monotonic() - received

    # -- readers ----------------------------------------------------------------------------
    def watch(self, key: Key, mode: FeedMode, listener: TickListener) -> Callable[[], None]:
        """Call ``listener`` on each tick of ``key``; returns the stop call."""
        entry = (mode, listener)
        self._watchers.setdefault(key, []).append(entry)
        self._touch(key)

        def stop() -> None:
            entries = self._watchers.get(key)
            if entries and entry in entries:
                entries.remove(entry)
                if not entries:
                    del self._watchers[key]
                self._touch(key)

        return stop

    def open_channel(self) -> Channel:
        """A conflating reader for a consumer that reads at its own pace."""
        return Channel(self)

    @property
    def subscribed(self) -> int:
        """Instruments streamed from the source."""
        return len(self._upstream)

    def _channel_added(self, channel: Channel, key: Key) -> None:
        channels = self._channels.setdefault(key, [])
        if channel not in channels:
            channels.append(channel)
        self._touch(key)

    def _channel_removed(self, channel: Channel, key: Key) -> None:
        channels = self._channels.get(key, [])
        if channel in channels:
            channels.remove(channel)
        if not channels:
            self._channels.pop(key, None)
        self._touch(key)

    def _touch(self, key: Key) -> None:
        self._changed.add(key)
        self._wake.set()

    def _wanted(self, key: Key) -> FeedMode | None:
        modes = [mode for mode, _ in self._watchers.get(key, ())]
        for channel in self._channels.get(key, ()):
            mode = channel.mode(key)
            if mode is not None:
                modes.append(mode)
        return max(modes) if modes else None

    async def _sync_upstream(self) -> None:
        """Pass the difference between wanted and streamed to the source, in batches."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            changed, self._changed = self._changed, set()
            source = self._source
            if source is None:
                continue
            wanted: dict[Key, FeedMode] = {}
            gone: list[Key] = []
            for key in changed:
                mode = self._wanted(key)
                if mode is None:
                    if self._upstream.pop(key, None) is not None:
                        gone.append(key)
                        self._latest.pop(key, None)
                        self._received.pop(key, None)
                elif self._upstream.get(key) != mode:
                    wanted[key] = mode
            await self._send(source, wanted, gone)

    async def _send(
        self, source: MarketSource, wanted: dict[Key, FeedMode], gone: list[Key]
    ) -> None:
        try:
            if gone:
                await source.unsubscribe(gone)
            if wanted:
                refused = await source.subscribe(wanted)
                for key, error in refused.items():
                    log.warning("no feed for %s:%s: %s", *key, error)
                self._upstream.update({k: m for k, m in wanted.items() if k not in refused})
        except AppError as error:
            log.warning("feed subscription failed, asking again: %s", error)
            asyncio.get_running_loop().call_later(_RETRY, self._ask_again, source, (*wanted, *gone))

    def _ask_again(self, source: MarketSource, keys: Sequence[Key]) -> None:
        if source is self._source:
            self._changed.update(keys)
            self._wake.set()

    # -- requests ---------------------------------------------------------------------------
    def _connected_source(self) -> MarketSource:
        if self._source is None:
            raise NotConnected("No data account is connected. Log in to a broker first.")
        return self._source

    async def snapshot(self, key: Key) -> Tick:
        """The market of ``key`` now: the streamed tick when fresh, else asked from the source.

        Raises :class:`AppError` when the source cannot say.
        """
        cached = self._latest.get(key)
        age = self.age(key)
        if (
            cached is not None
            and not self.is_stale(key)
            and cached.mode >= FeedMode.QUOTE
            and age is not None
            and age < SNAPSHOT_MAX_AGE
        ):
            return cached
        self._instruments.require(key[1], key[0])
        answer = (await self.quotes([key]))[key]
        if isinstance(answer, AppError):
            raise answer
        return answer

    async def quotes(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        """Fresh snapshots; unknown symbols come back as errors."""
        with upstream():
            return await self._connected_source().quotes(keys)

    async def depth(self, key: Key) -> Tick:
        """A snapshot with the five best levels of each side."""
        self._instruments.require(key[1], key[0])
        with upstream():
            return await self._connected_source().depth(key)

    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars:
        """Candles of the inclusive IST date range, ascending."""
        self._instruments.require(key[1], key[0])
        with upstream():
            return await self._connected_source().history(key, interval, start, end)

    def intervals(self) -> Sequence[Interval]:
        """Intervals that the data account serves."""
        return self._connected_source().intervals()
