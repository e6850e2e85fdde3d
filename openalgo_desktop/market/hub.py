"""The market hub: one door for ticks, reference-counted subscriptions, conflated readers.

A tick costs one look-up, a call per watcher and a dirty mark per channel. Watchers (WebSocket
fan-out, resting sandbox orders) see every tick as it came; channels (the window) see what is known
of an instrument (:mod:`openalgo_desktop.market.record`) whenever they drain.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import date

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import DERIVATIVE_EXCHANGES, FeedMode, Interval
from openalgo_desktop.core.errors import AppError, NotConnected
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import InstrumentLookup, MarketSource
from openalgo_desktop.core.stopwatch import upstream
from openalgo_desktop.core.ticks import Bars, Part, Tick
from openalgo_desktop.market.channel import Channel
from openalgo_desktop.market.deeper import DeepBooks
from openalgo_desktop.market.record import Record

log = logging.getLogger(__name__)

TickListener = Callable[[Tick], None]

_RETRY = 1.0  # a subscription that failed is asked again after this, seconds

#: A streamed part older than this is not used as a snapshot for an order; seconds.
SNAPSHOT_MAX_AGE = 2.0


class MarketHub:
    """Feeds ticks of the data account to all readers and answers quote and history requests."""

    def __init__(self, clock: Clock, instruments: InstrumentLookup) -> None:
        self._clock = clock
        self._instruments = instruments
        self._source: MarketSource | None = None
        self._records: dict[Key, Record] = {}
        self._ended: set[Key] = set()  # unsubscribed: late ticks of them are no news
        self._refused: dict[Key, str] = {}
        self._watchers: dict[Key, list[tuple[FeedMode, TickListener]]] = {}
        self._channels: dict[Key, list[Channel]] = {}
        self._upstream: dict[Key, FeedMode] = {}
        self._deep = DeepBooks()
        self._changed: set[Key] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._last_tick = 0.0
        self._connected = False
        self.tick_count = 0
        self.mute = False
        #: How often prices that somebody reads ceased to be fresh, of one instrument or of all.
        self.losses = 0
        #: Hears that the source's feed went mute, or (with an empty text) speaks again.
        self.on_mute: Callable[[bool, str], None] = lambda mute, message: None
        #: Hears why an instrument is not streamed; an empty text: that is over.
        self.on_refused: Callable[[Key, str], None] = lambda key, reason: None

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Begin to pass subscriptions upstream."""
        self._task = asyncio.create_task(self._sync_upstream(), name="market-hub")

    async def stop(self) -> None:
        """Stop; readers keep their last values."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self.set_source(None)

    def set_source(self, source: MarketSource | None) -> None:
        """Change the data account; all subscriptions are asked anew from it."""
        if self._source is not None and self._source is not source:
            # The former account may stay logged in; its prices are nobody's now.
            self._source.set_sink(lambda tick: None)
            self._source.set_reports(lambda message: None, lambda key, error: None)
        self._source = source
        self._deep.ask(source)
        self._upstream.clear()
        self._spoil()
        self._connected = source is not None
        self.mute = False
        if source is not None:
            source.set_sink(self.publish)
            source.set_reports(self.muted, self.refused)
            self.resubscribe()

    def resubscribe(self) -> None:
        """Ask all wanted instruments again, for example after a reconnect."""
        self._upstream.clear()
        for key in tuple(self._refused):
            self._admitted(key)
        self._changed.update(self._watchers, self._channels)
        self._wake.set()

    # -- health of the feed -----------------------------------------------------------------
    @property
    def connected(self) -> bool:
        """Whether the source says that its feed is up."""
        return self._connected

    @connected.setter
    def connected(self, value: bool) -> None:
        if value == self._connected:
            return
        self._connected = value
        self.mute = False
        if not value:
            self._spoil()

    def _spoil(self) -> None:
        self.losses += 1
        for record in self._records.values():
            record.spoil()

    @property
    def sound(self) -> bool:
        """Whether prices come: the feed is up and not mute."""
        return self._connected and not self.mute

    def is_stale(self, key: Key) -> bool:
        """Whether the last price of ``key`` must not be traded on: the feed is down or mute, or
        was lost since that price came."""
        return self.fresh(key) is None

    def muted(self, message: str) -> None:
        """The source says that its feed is mute (it asks again by itself), or with an empty text
        that it speaks again."""
        mute = bool(message)
        if mute == self.mute or not self._connected:
            return
        self.mute = mute
        if mute:
            self._spoil()
        log.warning("%s", message or "the feed is back")
        self.on_mute(mute, message)

    # -- what is not streamed ---------------------------------------------------------------
    def refused(self, key: Key, error: AppError) -> None:
        """The source does not stream ``key``, now or any more. Its readers stay; it is asked
        again when the feed comes back or somebody wants another mode."""
        self._upstream.pop(key, None)
        self._records.pop(key, None)
        self.losses += 1
        self._refused[key] = error.message
        log.warning("no feed for %s:%s: %s", *key, error.message)
        self.on_refused(key, error.message)

    def _admitted(self, key: Key) -> None:
        if self._refused.pop(key, None) is not None:
            self.on_refused(key, "")

    def refusal(self, key: Key) -> str:
        """Why ``key`` is not streamed; empty when it is, or nobody asked."""
        return self._refused.get(key, "")

    # -- ticks ------------------------------------------------------------------------------
    def publish(self, tick: Tick) -> None:
        """One tick from the data account. One whose price is no number is none."""
        if tick.ltp - tick.ltp:  # NaN, or infinite
            return
        key = (tick.exchange, tick.symbol)
        self._last_tick = now = self._clock.monotonic()
        record = self._records.get(key)
        if record is not None:
            record.take(tick, now)
        elif key in self._ended:
            return
        else:
            record = self._records[key] = Record(tick, now)
            self._admitted(key)
        self.tick_count += 1
        watchers = self._watchers.get(key)
        if watchers:
            for _, listener in tuple(watchers):
                try:
                    listener(tick)
                except Exception:
                    log.exception("a reader of %s:%s failed", *key)
        for channel in self._channels.get(key, ()):
            channel.push(key, record.tick)

    def latest(self, key: Key) -> Tick | None:
        """What was last heard of an instrument, or None when it is not streamed: to be shown,
        and to value what is held. Parts that no longer come are unknown in it."""
        record = self._records.get(key)
        return None if record is None else record.view(self._clock.monotonic())

    def fresh(self, key: Key, need: int = Part.LTP, max_age: float | None = None) -> Tick | None:
        """:meth:`latest` when it may be traded on: the feed is sound, and each part in ``need``
        is known and at most ``max_age`` seconds old; else None."""
        record = self._records.get(key)
        if record is None or not self._connected or self.mute:
            return None
        return record.fresh(self._applicable(key, need), self._clock.monotonic(), max_age)

    def _applicable(self, key: Key, need: int) -> int:
        """Without the parts that the instrument has not got at all."""
        exchange = key[0]
        if exchange.endswith("_INDEX"):
            return need & (Part.LTP | Part.DAY)
        return need if exchange in DERIVATIVE_EXCHANGES else need & ~Part.OI

    def age(self, key: Key | None = None, part: int = Part.LTP) -> float | None:
        """Seconds since a part of ``key`` (since any tick of any instrument when None) came."""
        now = self._clock.monotonic()
        if key is None:
            return now - self._last_tick if self.tick_count else None
        record = self._records.get(key)
        return None if record is None else record.age(part, now)

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
        return Channel(self._channel_added, self._channel_removed, self.latest)

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
                    self._admitted(key)
                    if self._upstream.pop(key, None) is not None:
                        gone.append(key)
                        self._records.pop(key, None)
                        self._ended.add(key)
                elif self._upstream.get(key) != mode:
                    wanted[key] = mode
                    self._ended.discard(key)
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
                    self.refused(key, error)
                for key, mode in wanted.items():
                    if key not in refused:
                        self._asked(key, mode)
        except AppError as error:
            log.warning("feed subscription failed, asking again: %s", error)
            asyncio.get_running_loop().call_later(_RETRY, self._ask_again, source, (*wanted, *gone))

    def _asked(self, key: Key, mode: FeedMode) -> None:
        before, self._upstream[key] = self._upstream.get(key), mode
        record = self._records.get(key)
        if before is not None and mode < before and record is not None:
            record.lower(mode, self._clock.monotonic())
            for channel in self._channels.get(key, ()):
                channel.push(key, record.tick)

    def _ask_again(self, source: MarketSource, keys: Sequence[Key]) -> None:
        if source is self._source:
            self._changed.update(keys)
            self._wake.set()

    # -- deeper books -----------------------------------------------------------------------
    @property
    def depth_levels(self) -> tuple[int, ...]:
        """Levels a side that the data account streams, fewest first; empty without one."""
        return () if self._source is None else self._source.depth_levels

    def deepen(self, key: Key, levels: int) -> Callable[[], None]:
        """Have at least so many levels of an instrument whenever its depth is streamed, as far
        as the data account has them, also after a change of it. Gives the end of the wish."""
        return self._deep.add(key, levels)

    # -- requests ---------------------------------------------------------------------------
    def _connected_source(self) -> MarketSource:
        if self._source is None:
            raise NotConnected("No data account is connected. Log in to a broker first.")
        return self._source

    async def snapshot(self, key: Key, need: int = Part.QUOTE) -> Tick:
        """The market of ``key`` now: streamed when every part in ``need`` is fresh, else asked
        from the source.

        Raises :class:`AppError` when the source cannot say.
        """
        cached = self.fresh(key, need, SNAPSHOT_MAX_AGE)
        if cached is not None:
            return cached
        if need & Part.BOOK:
            return await self.depth(key)
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

    def history_days(self, interval: Interval) -> int:
        """Days of candles that the data account gives in one request."""
        return self._connected_source().history_days(interval)

    @property
    def broker(self) -> str:
        """Whose prices these are; empty without a data account."""
        return "" if self._source is None else self._source.broker
