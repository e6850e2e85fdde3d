"""One replay: charts at a moment of the past, a clock that is stepped or played, and the practice
account that trades it.

The past is loaded through the same :class:`BarSource` as everything else. All that moves the clock
goes through one gate; whoever shows the replay hears :attr:`Replay.changed` after each move and
:attr:`Replay.rebuilt` when its bars have to be read anew (a step back, a jump).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.ports import BarSource
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Key, Order
from openalgo_desktop.core.trade_journal import TradeFigures
from openalgo_desktop.research.replay.labels import day_of, longest, midnight
from openalgo_desktop.research.replay.loading import Loader
from openalgo_desktop.research.replay.practice import Command, Practice
from openalgo_desktop.research.replay.practice_log import PracticeLog
from openalgo_desktop.research.replay.reel import Reel, TrackKey
from openalgo_desktop.research.replay.report import report_of
from openalgo_desktop.research.replay.source import ReplaySource
from openalgo_desktop.research.replay.speed import Pace, Speed
from openalgo_desktop.research.replay.track import Track

#: Seconds between two moves while it plays.
FRAME = 1 / 30
#: Longest time that one frame makes up for: after a stall the replay does not leap.
_STALL = 0.25
#: Days that can be played through with orders or positions open; a longer jump is refused.
_THROUGH = 40
#: How far back a random day may lie, days.
_RANDOM = 180

MakePractice = Callable[[Callable[[Key, float], float | None]], Practice]


class Replay:
    """``chart`` is the one that a step is counted in; others of the replay keep its time."""

    def __init__(
        self,
        bars: BarSource,
        clock: Clock,
        calendar: MarketCalendar,
        practice: MakePractice,
    ) -> None:
        self._clock = clock
        self._calendar = calendar
        self.reel = Reel(0.0)
        self._loader = Loader(bars, self.reel, clock, calendar)
        self.source = ReplaySource(bars, self.reel, self._loader.want, calendar)
        self.practice = practice(self.reel.price_at)
        self._log = PracticeLog(self.practice, self.reel)
        self.reel.cares, self.reel.ear = self.practice.cares, self.practice.hear
        self.changed: list[Callable[[], None]] = []
        self.rebuilt: list[Callable[[], None]] = []
        self.speed = Speed()
        self.undone = 0  # steps back that took something of the account back
        self._chart: TrackKey | None = None
        self._player: asyncio.Task[None] | None = None
        self._gate = asyncio.Lock()
        self._closed = False

    # -- what is shown ----------------------------------------------------------------------
    @property
    def now(self) -> datetime:
        """The moment of the replay, IST."""
        return datetime.fromtimestamp(self.reel.now, IST)

    @property
    def playing(self) -> bool:
        """Whether it moves by itself."""
        return self._player is not None and not self._player.done()

    @property
    def step_span(self) -> Span | None:
        """What a step is."""
        return None if self._chart is None else self._chart[1]

    def last(self, key: Key) -> float | None:
        """The last replayed price."""
        return self.reel.last(key)

    @property
    def profit(self) -> Decimal:
        """Realised and open profit of the practice account, after charges, rupees."""
        practice = self.practice
        return practice.realised + practice.unrealised(self.reel.now) - practice.charges

    def figures(self) -> TradeFigures:
        """What was traded so far."""
        practice = self.practice
        return report_of(practice.trades, practice.book.instrument, self.now.date())

    def _tell(self, listeners: list[Callable[[], None]]) -> None:
        for listener in tuple(listeners):
            listener()

    # -- life -------------------------------------------------------------------------------
    async def begin(self, charts: Sequence[TrackKey], at: float, step: Span | None = None) -> None:
        """Put the charts at a moment (epoch seconds). The first one is what steps are counted
        in, by ``step`` or, without one, the smallest span of all. Raises :class:`DataError` when
        there are no bars to play, and :class:`AppError` of the source."""
        if not charts:
            raise DataError("A replay needs a chart with an instrument.")
        if at >= self._clock.time():
            raise DataError("Replay: choose a moment in the past.")
        async with self._gate:
            self.reel.now = at
            self._loader.begin = midnight(day_of(at))
            for key, span in charts:
                await self._loader.want(key, span)
            spans = [span for _, span in charts]
            self._chart = (charts[0][0], step or min(spans, key=longest))
            await self._loader.want(*self._chart)
            if not any(tape.next_end(at) for tape in self.reel.tapes.values()):
                names = ", ".join(key[1] for key in self.reel.tapes)
                raise DataError(f"There are no bars of {names} from {self.now:%d %b %Y} on.")
        self._tell(self.changed)

    async def add(self, key: Key, span: Span) -> None:
        """Another chart comes into the replay."""
        await self._loader.want(key, span)

    async def set_step(self, key: Key, span: Span) -> None:
        """Count steps in bars of this span of this instrument."""
        await self._loader.want(key, span)
        self._chart = (key, span)
        self._tell(self.changed)

    async def close(self) -> None:
        """End: nothing moves and nobody is told any more. The account goes with it."""
        self._closed = True
        await self.pause()
        self.changed.clear()
        self.rebuilt.clear()
        await self.source.close()

    # -- steps ------------------------------------------------------------------------------
    def _track(self) -> Track | None:
        """What steps are counted in: the chosen chart, or the smallest that has bars."""
        tracks = self.reel.tracks
        chosen = tracks.get(self._chart) if self._chart is not None else None
        if chosen is not None and chosen.ends:
            return chosen
        able = [track for track in tracks.values() if track.ends]
        return min(able, key=lambda track: longest(track.span), default=None)

    def step_loaded(self) -> bool:
        """One step on within what is loaded; False at its end."""
        track = self._track()
        end = None if track is None else track.next_end(self.reel.now)
        if end is None:
            return False
        self.reel.forward(end)
        return True

    async def step(self) -> bool:
        """One bar on; False when the replay has reached the present."""
        async with self._gate:
            moved = self.step_loaded()
            if not moved and await self._loader.ahead():
                moved = self.step_loaded()
        self._tell(self.changed)
        return moved

    async def back(self) -> bool:
        """To the end of the bar before; charts and account are what they were then. False where
        there is none."""
        await self.pause()
        async with self._gate:
            to = await self._previous_end()
            if to is not None:
                await self._put_at(to)
        if to is not None:
            self._tell(self.rebuilt)
        self._tell(self.changed)
        return to is not None

    async def _previous_end(self) -> float | None:
        """The end of the bar before, also of an earlier day; the begin of the first bar there
        is, and None when nothing has come yet."""
        track, now = self._track(), self.reel.now
        to = None if track is None else track.previous_end(now)
        if track is None or (to is not None and to > track.begins[0]):
            return to
        if await self._loader.earlier(track.tape):
            track = self._track()
            to = None if track is None else track.previous_end(now)
        return to

    async def _put_at(self, to: float) -> None:
        self.reel.put_at(to)
        self.undone += await self._log.rewind(to)

    # -- jumps ------------------------------------------------------------------------------
    async def jump(self, to: float) -> None:
        """To a moment of the past (epoch seconds). Forward, orders and positions live through
        what lies between; back, they are what they were. Raises :class:`DataError`."""
        if to >= self._clock.time():
            raise DataError("Replay: choose a moment in the past.")
        await self.pause()
        async with self._gate:
            if to < self.reel.now:
                if to < self._loader.begin:
                    self.reel.now = to
                    await self._loader.put_at(to)
                await self._put_at(to)
            else:
                await self._on_to(to)
        self._tell(self.rebuilt)
        self._tell(self.changed)

    async def _on_to(self, to: float) -> None:
        if midnight(day_of(to)) - self.reel.now > 86_400 and self.practice.idle:
            self._log.seal()
            self.reel.now = to
            await self._loader.put_at(to)
            self.reel.put_at(to)
            return
        if to - self.reel.now > _THROUGH * 86_400:
            raise DataError(
                f"With orders or positions open a jump is at most {_THROUGH} days. Close all first."
            )
        await self._through(to)

    async def _through(self, to: float) -> None:
        """Play on quietly, hour by hour so that the account does not hold the loop."""
        while self.reel.now < to:
            if self._loader.due:
                await self._loader.ahead()
            at = self.reel.after_gap()
            self.reel.forward(min(to, (to if at is None else at) + 3600))
            await asyncio.sleep(0)

    async def next_session(self) -> bool:
        """To the opening of the next day that has bars; False at the present."""
        await self.pause()
        async with self._gate:
            track = self._track()
            today = day_of(self.reel.now)
            to = self._next_open(track, today)
            if to is None and await self._loader.ahead():
                to = self._next_open(self._track(), today)
            if to is not None:
                await self._through(to)
        if to is not None:
            self._tell(self.rebuilt)
        self._tell(self.changed)
        return to is not None

    @staticmethod
    def _next_open(track: Track | None, today: date) -> float | None:
        begins = () if track is None else track.tape.begins
        return next((begin for begin in begins if day_of(begin) > today), None)

    # -- playing ----------------------------------------------------------------------------
    def play(self) -> None:
        """Move by itself until :meth:`pause`, or until the present."""
        if not self.playing and not self._closed:
            self._player = asyncio.get_running_loop().create_task(self._play(), name="replay")
            self._tell(self.changed)

    async def pause(self) -> None:
        """Stand still; returns when nothing moves any more."""
        player, self._player = self._player, None
        if player is not None and player is not asyncio.current_task():
            player.cancel()
            await asyncio.gather(player, return_exceptions=True)
            self._tell(self.changed)

    async def _play(self) -> None:
        before = self._clock.monotonic()
        while True:
            await asyncio.sleep(FRAME)
            now = self._clock.monotonic()
            seconds, before = min(_STALL, now - before), now
            async with self._gate:
                on = self.advance(seconds)
                if (not on or self._loader.due) and await self._loader.ahead():
                    on = True
            if not on:
                break
            self._tell(self.changed)
        self._player = None
        self._tell(self.changed)

    def advance(self, seconds: float) -> bool:
        """Play on for so long by the user's clock, within what is loaded; False at its end."""
        if self.speed.pace is Pace.BARS:
            return self._by_bars(seconds * self.speed.rate)
        return self._by_time(seconds * self.speed.rate)

    def _by_bars(self, share: float) -> bool:
        while share > 1e-9:
            track = self._track()
            bar = None if track is None else track.bar_at(self.reel.now)
            if bar is None:
                return False
            begin, end = bar
            at, whole = max(begin, self.reel.now), end - begin
            room = (end - at) / whole
            self.reel.forward(end if share >= room else at + share * whole)
            share -= room
        return True

    def _by_time(self, seconds: float) -> bool:
        while seconds > 1e-6:
            at = self.reel.after_gap()
            if at is None:
                return False
            ends = (tape.next_end(at) for tape in self.reel.tapes.values())
            end = min((end for end in ends if end is not None), default=at + seconds)
            to = min(at + seconds, end)
            self.reel.forward(to)
            seconds -= to - at
        return True

    # -- trading ----------------------------------------------------------------------------
    def do(self, command: Command) -> Order | None:
        """Give the practice account a command; raises :class:`OrderError`."""
        if self._gate.locked():
            raise DataError("The replay is moving: give the order again in a moment.")
        try:
            return self._log.do(command)
        finally:
            self._tell(self.changed)

    def close_positions(self, key: Key) -> None:
        """Close what the practice account holds of an instrument."""
        for command in self.practice.closing(key):
            self.do(command)

    # -- where to begin ---------------------------------------------------------------------
    @staticmethod
    def random_moment(
        calendar: MarketCalendar,
        exchange: str,
        today: date,
        dice: random.Random,
        since: date = date.min,
    ) -> float:
        """The opening of a trading day of the last half year, chosen by chance; none before
        ``since``."""
        back = min(_RANDOM, (today - since).days + 1)
        days = [today - timedelta(days=number) for number in range(2, back)]
        windows = [window for day in days if (window := calendar.session(exchange, day))]
        if not windows:
            raise DataError(f"{exchange} has no trading days to choose from.")
        return dice.choice(windows)[0].timestamp()
