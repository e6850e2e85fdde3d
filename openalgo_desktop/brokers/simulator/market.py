"""The market source: subscriptions, the tick loop, snapshots and candles."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from openalgo_desktop.brokers.simulator.book import DEEP_LEVELS, LEVELS
from openalgo_desktop.brokers.simulator.frozen import frozen_bars
from openalgo_desktop.brokers.simulator.history import History
from openalgo_desktop.brokers.simulator.quotes import FrozenQuoter
from openalgo_desktop.brokers.simulator.world import AnyQuoter, World
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode, Interval
from openalgo_desktop.core.errors import AppError, NotConnected, SymbolUnknown
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Bars, Part, Tick

log = logging.getLogger(__name__)

BROKER = "simulator"
#: The tick loop gives the loop back after this; seconds.
_SLICE = 0.001
_PERIOD = 0.04  # between batches, seconds
#: Between batches while ticks are owed, seconds: an order must not wait behind them at each step.
_REST = 0.001
_MAX_BACKLOG = 0.1  # seconds of ticks that are made up for after a stall
#: No instrument ticks faster than this, or than a fortieth of the whole rate; per second.
_FASTEST = 5.0
_FASTEST_SHARE = 1.0 / 40.0


class SimulatorMarket:
    """Market data of the simulator (:class:`MarketSource`), and the prices its own exchange
    matches on (:class:`TickSource`).

    The rate is ticks per second over the whole universe. Only subscribed instruments tick; they
    share the rate in turn, each at most 5 times a second or a fortieth of the rate, whichever is
    more: few subscribed symbols stay lively without a storm, and with everything subscribed
    exactly ``rate`` ticks a second flow.
    """

    def __init__(self, clock: Clock, world: World, rate: float) -> None:
        self._clock = clock
        self._world = world
        self._rate = rate
        self._history = History(clock, world.sessions)
        self._sink: Callable[[Tick], None] = lambda tick: None
        self._modes: dict[Key, FeedMode] = {}
        self._deep: Counter[Key] = Counter()  # wishes for more levels than the usual
        self._turn: deque[Key] = deque()
        self._urgent: deque[Key] = deque()
        self._watchers: dict[Key, list[Callable[[Tick], None]]] = {}
        self._latest: dict[Key, Tick] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.connected = False

    @property
    def broker(self) -> str:
        return BROKER

    # -- life -------------------------------------------------------------------------------
    def start(self) -> None:
        """Open the feed."""
        self.connected = True
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="simulator-ticks")

    async def stop(self) -> None:
        """Close the feed and forget the subscriptions."""
        self.drop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def drop(self) -> None:
        """The connection is gone, and the subscriptions with it."""
        self.connected = False
        self._modes.clear()
        self._urgent.clear()
        self._requeue()

    def resume(self) -> None:
        """The connection is back; the exchange's own watchers never noticed."""
        self.connected = True
        self._requeue()

    def _require(self) -> None:
        if not self.connected:
            raise NotConnected("The simulator is disconnected.")

    def _quoter(self, key: Key) -> AnyQuoter:
        quoter = self._world.quoters.get(key)
        if quoter is None:
            raise SymbolUnknown(key[1], key[0])
        return quoter

    # -- subscriptions ----------------------------------------------------------------------
    def set_sink(self, sink: Callable[[Tick], None]) -> None:
        """Where streamed ticks go; called on the loop thread."""
        self._sink = sink

    def set_reports(
        self, muted: Callable[[str], None], refused: Callable[[Key, AppError], None]
    ) -> None:
        """Nothing is kept: it refuses at once, and a market inside the process is not mute."""

    async def subscribe(self, wanted: Mapping[Key, FeedMode]) -> dict[Key, AppError]:
        """Stream these; each gets a first tick at once. Unknown symbols are refused."""
        self._require()
        refused: dict[Key, AppError] = {}
        for key, mode in wanted.items():
            if key not in self._world.quoters:
                refused[key] = SymbolUnknown(key[1], key[0])
                continue
            self._modes[key] = mode
            self._urgent.append(key)
        self._requeue()
        return refused

    async def unsubscribe(self, keys: Sequence[Key]) -> None:
        """Stop streaming these."""
        self._require()
        for key in keys:
            self._modes.pop(key, None)
        self._requeue()

    @property
    def depth_levels(self) -> tuple[int, ...]:
        return (LEVELS, DEEP_LEVELS)

    def deepen(self, key: Key, levels: int) -> Callable[[], None]:
        """Stream twenty levels instead of five while somebody wishes for more."""
        if levels <= LEVELS:
            return lambda: None
        self._deep[key] += 1
        open_wishes = [key]

        def end() -> None:
            if open_wishes:
                self._deep[open_wishes.pop()] -= 1

        return end

    def _requeue(self) -> None:
        wanted = dict.fromkeys((*self._modes, *self._watchers))
        kept = dict.fromkeys(key for key in self._turn if key in wanted)
        self._turn = deque({**kept, **wanted})
        self._wake.set()

    # -- the exchange's own eyes ------------------------------------------------------------
    def latest(self, key: Key) -> Tick | None:
        """The market of a watched instrument as of its last tick."""
        return self._latest.get(key)

    def watch(
        self, key: Key, mode: FeedMode, listener: Callable[[Tick], None]
    ) -> Callable[[], None]:
        """Call ``listener`` on each tick of ``key``, at depth mode, connected or not."""
        self._watchers.setdefault(key, []).append(listener)
        self._requeue()

        def stop() -> None:
            listeners = self._watchers.get(key, [])
            if listener in listeners:
                listeners.remove(listener)
            if not listeners:
                self._watchers.pop(key, None)
                self._latest.pop(key, None)
            self._requeue()

        return stop

    def fresh(self, key: Key, need: int = Part.LTP, max_age: float | None = None) -> Tick | None:
        """As :meth:`latest`: what the exchange's own watchers saw is the market."""
        return self._latest.get(key)

    async def snapshot(self, key: Key, need: int = Part.QUOTE) -> Tick:
        """The market of ``key`` now, with depth, for the exchange itself."""
        return self._quoter(key).tick(FeedMode.DEPTH)

    # -- the tick loop ----------------------------------------------------------------------
    async def _run(self) -> None:
        owed, last = 0.0, time.monotonic()
        while True:
            if not self._turn:
                self._wake.clear()
                await self._wake.wait()
                last = time.monotonic()
            now = time.monotonic()
            owed += (now - last) * self._speed()
            owed = min(owed, max(1.0, self._speed() * _MAX_BACKLOG))
            last = now
            try:
                owed -= self._batch(int(owed))
            except Exception:
                log.exception("a tick of the simulated market failed")
                owed = 0.0
            await asyncio.sleep(_REST if owed >= 1.0 or self._urgent else _PERIOD)

    def _speed(self) -> float:
        """Ticks per second for the present subscriptions."""
        fastest = max(_FASTEST, self._rate * _FASTEST_SHARE)
        return min(self._rate, fastest * len(self._turn))

    def _batch(self, count: int) -> int:
        """First ticks, then up to ``count`` regular ones; returns how many regular ones."""
        deadline = time.perf_counter() + _SLICE
        while self._urgent and time.perf_counter() < deadline:
            self._emit(self._urgent.popleft())
        done = 0
        while done < count and self._turn and time.perf_counter() < deadline:
            key = self._turn[0]
            self._turn.rotate(-1)
            done += 1
            if self._world.sessions.is_open(key[0]):
                self._emit(key)
        return done

    def _emit(self, key: Key) -> None:
        mode, listeners = self._modes.get(key), self._watchers.get(key)
        quoter = self._world.quoters.get(key)
        if quoter is None or (mode is None and not listeners):
            return
        if listeners:
            full = quoter.tick(FeedMode.DEPTH)
            self._latest[key] = full
            for listener in tuple(listeners):
                listener(full)
        if mode is not None and self.connected:
            self._sink(quoter.tick(mode, None, DEEP_LEVELS if self._deep[key] else LEVELS))

    async def show(self) -> None:
        """Send a tick of everything streamed now, after a price was moved; returns when every
        reader had it, so that whoever moved it can count on it."""
        deadline = time.perf_counter() + _SLICE
        for key in tuple(self._turn):
            self._emit(key)
            if time.perf_counter() > deadline:
                await asyncio.sleep(0)
                deadline = time.perf_counter() + _SLICE

    # -- requests ---------------------------------------------------------------------------
    async def quotes(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        """Fresh snapshots at quote mode; unknown symbols come back as errors."""
        self._require()
        answers: dict[Key, Tick | AppError] = {}
        now = self._clock.time()  # one moment for all legs of an option chain
        deadline = time.perf_counter() + _SLICE
        for key in keys:
            try:
                answers[key] = self._quoter(key).tick(FeedMode.QUOTE, now)
            except SymbolUnknown as error:
                answers[key] = error
            if time.perf_counter() > deadline:
                await asyncio.sleep(0)
                deadline = time.perf_counter() + _SLICE
        return answers

    async def depth(self, key: Key) -> Tick:
        """A fresh snapshot with five levels a side; an index has none."""
        self._require()
        return self._quoter(key).tick(FeedMode.DEPTH)

    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars:
        """Candles of the inclusive IST date range, ascending."""
        self._require()
        quoter = self._quoter(key)
        pricer = self._world.pricers[key]
        bars = await self._history.bars(pricer, interval, start, end)
        if isinstance(quoter, FrozenQuoter):
            before = self._world.sessions.previous(key[0], self._clock.now().date())
            close = pricer.at(before.end - 0.001)
            return frozen_bars(bars, quoter, interval, self._clock, close)
        return bars

    def intervals(self) -> Sequence[Interval]:
        """All intervals of the vocabulary."""
        return self._history.intervals()

    def history_days(self, interval: Interval) -> int:
        """As much as is made in about a second."""
        return 365 if interval.seconds == 0 or interval.seconds >= 60 else 1
