"""Looks for the alerts that need more than a comparison: bars, studies, drawings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import isnan, nan
from typing import TypeVar

import numpy as np

from openalgo_desktop.automation.alerts import depth
from openalgo_desktop.automation.alerts.message import Scene
from openalgo_desktop.automation.alerts.ports import Judge, Need, Sources
from openalgo_desktop.automation.alerts.series import FAILED, Series
from openalgo_desktop.core.alert_judge import Sight
from openalgo_desktop.core.alerts import (
    PRICE,
    AlertTrigger,
    AlertWish,
    OfDrawing,
    OfStudy,
    PriceAlert,
    Source,
)
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import StudySpec
from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import TickSource
from openalgo_desktop.trading.watch.prices import Prices

K = TypeVar("K", bound=Hashable)

#: Alerts that look at every price do so at most this often for one instrument, seconds; no price
#: between two looks is left out.
EVERY = 0.1
#: Alerts, instruments or series that are looked at before others get the loop.
TURN = 50
#: So many prices are not kept between two looks: then it looks at once.
MANY = 256
GONE = "Its drawing or line was deleted."


@dataclass(slots=True, eq=False)
class Watched:
    """An alert that is looked after. ``runs`` are its studies with the names under which they run
    and the numbers of their arrays, ``drawn`` its drawings as they were last seen; ``trouble`` is
    why it cannot be watched."""

    alert_id: str
    wish: AlertWish
    series: Series | None = None
    runs: tuple[tuple[OfStudy, Hashable, int], ...] = ()
    drawn: tuple[Hashable, ...] = ()
    trouble: str = ""


class Scout:
    """Watches active alerts and brings what they see to ``judge``."""

    def __init__(
        self,
        clock: Clock,
        ticks: TickSource,
        is_open: Callable[[str], bool],
        sources: Sources,
        judge: Judge,
    ) -> None:
        self._clock = clock
        self._sources = sources
        self._judge = judge
        self._prices = Prices(clock, ticks, is_open, self._on_price)
        self._watched: dict[str, Watched] = {}
        self._touch: dict[Key, dict[str, Watched]] = {}
        self._drawers: dict[Key, dict[str, Watched]] = {}  # those that look at drawings
        self._series: dict[tuple[Key, Span], Series] = {}
        self._users: dict[tuple[Key, Span], dict[str, Watched]] = {}  # of each series
        self._heard: dict[Key, list[float]] = {}  # prices since the last look
        self._looked: dict[Key, float] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._stop = sources.drawings.watch(self._on_drawings)

    async def stop(self) -> None:
        """Look no more."""
        self._stop()
        self._prices.close()
        for timer in self._timers.values():
            timer.cancel()
        for series in self._series.values():
            self._end(series)
        await asyncio.gather(*self._closing, return_exceptions=True)

    # -- what is watched --------------------------------------------------------------------
    async def prepare(self, wishes: Iterable[AlertWish]) -> None:
        """Before these are checked or watched."""
        if any(wish.studies for wish in wishes):
            await self._sources.studies.prepare()

    def check(self, wish: AlertWish) -> None:
        """Raises :class:`AppError` for a study or drawing that there is not."""
        for study in wish.studies:
            self._sources.studies.output(study)
        for drawing in wish.drawings:
            if self._sources.drawings.drawn(wish.key, drawing) is None:
                raise InvalidOrder("Its drawing is not there any more. Choose another one.")

    def watch(self, alert: PriceAlert) -> None:
        """Look for an active alert from now on; nothing when its wish is watched already: it is
        seen at each look."""
        known = self._watched.get(alert.alert_id)
        if known is not None and known.wish == alert.wish:
            return
        self.drop(alert.alert_id)
        row = self._watched[alert.alert_id] = Watched(alert.alert_id, alert.wish)
        if row.wish.drawings:
            self._drawers.setdefault(alert.key, {})[alert.alert_id] = row
        row.drawn = self._drawn(row.wish)
        if None in row.drawn:
            self._judge.halt(row.alert_id, GONE)
            return
        try:
            series = self._open(row)
        except AppError as error:
            row.trouble = error.message
            return
        if alert.wish.trigger is AlertTrigger.TOUCH:
            self._touch.setdefault(alert.key, {})[alert.alert_id] = row
            self._prices.want(alert.key, True)
        if series.is_ready:
            self._on_ready(series)

    def _open(self, row: Watched) -> Series:
        key, studies = row.wish.key, self._sources.studies
        place = (key, Span.parse(row.wish.span))
        runs = tuple((one, studies.name(one), studies.output(one)) for one in row.wish.studies)
        made = {name: studies.make(one, *place) for one, name, _ in runs}
        series = self._series.get(place)
        if series is None:
            series = self._series[place] = Series(
                self._sources.bars, self._clock, *place,
                self._start, self._on_closed, self._on_ready,
            )  # fmt: skip
        row.series, row.runs = series, runs
        self._users.setdefault(place, {})[row.alert_id] = row
        for name, study in made.items():
            if not series.runs(name):
                series.add(name, study)
        if not series.is_ready or self._start(series) < series.start:
            series.load()
        return series

    def _start(self, series: Series) -> int:
        """From when on the alerts of a series want bars."""
        needs, sources = [], self._sources
        for row in self._of(series):
            needs.append(Need(row.wish.bars))
            needs += [sources.studies.need(one) for one in row.wish.studies]
            needs += [sources.drawings.need(series.key, one) for one in row.wish.drawings]
        return depth.start(series.span, self._clock.time(), needs)

    def drop(self, alert_id: str) -> None:
        """Look for an alert no more; bars and studies that nobody needs end."""
        row = self._watched.pop(alert_id, None)
        if row is None:
            return
        _take_out(self._drawers, row.wish.key, alert_id)
        if _take_out(self._touch, row.wish.key, alert_id):
            self._heard.pop(row.wish.key, None)
            self._prices.want(row.wish.key, False)
        if row.series is not None:
            _take_out(self._users, (row.series.key, row.series.span), alert_id)
            self._let_go(row.series)

    def _let_go(self, series: Series) -> None:
        rest = self._of(series)
        series.keep({name for row in rest for _, name, _ in row.runs})
        if not rest:
            del self._series[(series.key, series.span)]
            self._end(series)

    def _end(self, series: Series) -> None:
        """At once: a bar that is told in the same moment finds nobody."""
        task = series.close()
        if task is not None:
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _of(self, series: Series) -> list[Watched]:
        return list(self._users.get((series.key, series.span), {}).values())

    # -- asking -----------------------------------------------------------------------------
    def trouble(self, alert: PriceAlert) -> str:
        """Why it sees nothing, beside the price."""
        row = self._watched.get(alert.alert_id)
        series = None if row is None else row.series
        if row is None or series is None:
            return "" if row is None else row.trouble
        if series.trouble:
            return series.trouble
        for study, name, output in row.runs:
            if series.failed(name):
                return FAILED
            if isnan(series.value(name, output, series.bars.size - 1)):
                return f"{self._sources.studies.title(study)} has no value yet."
        bars, now = series.bars.columns, self._clock.time()
        for one in row.wish.drawings:
            if isnan(self._sources.drawings.level(series.key, one, now, bars)):
                return "The line of its drawing does not reach to now."
        return ""

    def name(self, key: Key, subject: Source) -> str:
        """What a study or a drawing is called."""
        if isinstance(subject, OfStudy):
            return self._sources.studies.title(subject)
        if isinstance(subject, OfDrawing):
            return self._sources.drawings.title(key, subject)
        return "LTP"

    def current(self, alert: PriceAlert) -> float:
        """The value of its subject as it was last looked at, where that is a study; else NaN."""
        row = self._watched.get(alert.alert_id)
        if row is None or row.series is None or not isinstance(row.wish.subject, OfStudy):
            return nan
        _, name, output = row.runs[0]
        return row.series.value(name, output, row.series.bars.size - 1)

    def studies(self) -> list[StudySpec]:
        """The studies that there are to look at."""
        return self._sources.studies.specs()

    def lines(self, key: Key) -> list[OfDrawing]:
        """What an instrument's drawings have to hang an alert on."""
        return self._sources.drawings.lines(key)

    def scene(self, alert: PriceAlert) -> Scene | None:
        """The bar that an alert looks at; None for one without bars."""
        row = self._watched.get(alert.alert_id)
        series = None if row is None else row.series
        if series is None or not series.bars.size:
            return None
        closes = alert.wish.trigger is AlertTrigger.CLOSE
        at = series.last_closed if closes else series.bars.size - 1
        bars = series.bars.columns
        return Scene(
            float(bars.close[-1]),
            float(bars.open[at]),
            float(bars.high[at]),
            float(bars.low[at]),
            float(bars.close[at]),
            float(bars.volume[at]),
            float(series.time(at)),
        )

    # -- looking ----------------------------------------------------------------------------
    def looking(self) -> Iterator[None]:
        """What nobody told of: histories to be asked for again, prices that are there already; in
        turns of the loop."""
        for number, place in enumerate(tuple(self._series), 1):
            if (series := self._series.get(place)) is not None:
                series.look_after()
            if not number % TURN:
                yield
        for number, key in enumerate(tuple(self._touch), 1):
            if key in self._touch and (price := self._prices.now(key)) is not None:
                self._on_price(key, price)
            if not number % TURN:
                yield

    def lose(self) -> None:
        """The feed was lost."""
        for series in self._series.values():
            series.lose()

    def _on_price(self, key: Key, price: Decimal) -> None:
        heard = self._heard.setdefault(key, [])
        value = float(price)
        if not heard or heard[-1] != value:
            heard.append(value)
        if len(heard) >= MANY:
            self._look_at(key)
        elif key not in self._timers:
            wait = self._looked.get(key, -EVERY) + EVERY - self._clock.monotonic()
            loop = asyncio.get_running_loop()
            # Never at once: whoever builds bars hears this tick first.
            self._timers[key] = loop.call_later(max(0.0, wait), self._look_at, key)

    def _look_at(self, key: Key) -> None:
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()
        self._looked[key] = self._clock.monotonic()
        prices = self._heard.pop(key, [])
        for row in tuple(self._touch.get(key, {}).values()):
            self._see(row, prices)

    def _see(self, row: Watched, prices: list[float]) -> None:
        series = row.series
        if series is None or not series.is_ready:
            return
        series.renew()
        index = series.bars.size - 1
        bar = datetime.fromtimestamp(series.time(index), IST)
        for price in prices if row.wish.subject == PRICE else prices[-1:]:
            if row.alert_id not in self._watched:  # it may tell once, and be dropped
                return
            sight = self._sight(row, series, index, price, self._clock.time())
            self._judge.see(row.alert_id, sight, bar)

    def _on_ready(self, series: Series) -> None:
        last = series.last_closed
        for row in self._closers(series):
            if last >= 0:
                self._judge.seed(row.alert_id, self._closed_sight(row, series, last))
        if series.key in self._touch and (price := self._prices.now(series.key)) is not None:
            self._on_price(series.key, price)

    def _on_closed(self, series: Series, index: int) -> None:
        # A bar closes once: whatever was told before was told of another one.
        now = self._clock.now()
        for row in self._closers(series):
            self._judge.see(row.alert_id, self._closed_sight(row, series, index), now)

    def _closers(self, series: Series) -> list[Watched]:
        return [row for row in self._of(series) if row.wish.trigger is AlertTrigger.CLOSE]

    def _closed_sight(self, row: Watched, series: Series, index: int) -> Sight:
        price, at = float(series.bars.columns.close[index]), float(series.time(index))
        return self._sight(row, series, index, price, at)

    def _sight(self, row: Watched, series: Series, index: int, price: float, at: float) -> Sight:
        """What it sees at a bar, a price and a time."""
        wish = row.wish

        def value(subject: Source | None, level: Decimal | None) -> float:
            if subject is None:
                return nan if level is None else float(level)
            if isinstance(subject, OfDrawing):
                return self._sources.drawings.level(wish.key, subject, at, series.bars.columns)
            for study, name, output in row.runs:
                if study == subject:
                    return series.value(name, output, index)
            return price

        subject = value(wish.subject, None)
        if wish.when.of_move:
            return Sight(subject, *_extremes(row, series, index, price))
        return Sight(subject, value(wish.against, wish.level), value(wish.beside, wish.upper))

    # -- drawings ---------------------------------------------------------------------------
    def _on_drawings(self, key: Key) -> None:
        """Those of an instrument changed: alerts on one that is gone rest; on one that was moved
        the price is seen anew."""
        for row in tuple(self._drawers.get(key, {}).values()):
            known = self._drawn(row.wish)
            if None in known:
                self._judge.halt(row.alert_id, GONE)
            elif known != row.drawn:
                row.drawn = known
                self._judge.unsee(row.alert_id)

    def _drawn(self, wish: AlertWish) -> tuple[Hashable, ...]:
        return tuple(self._sources.drawings.drawn(wish.key, one) for one in wish.drawings)


def _take_out(index: dict[K, dict[str, Watched]], place: K, alert_id: str) -> bool:
    """Forget one there; whether nothing is left of the place."""
    here = index.get(place, {})
    here.pop(alert_id, None)
    if not here:
        index.pop(place, None)
    return not here


def _extremes(row: Watched, series: Series, index: int, price: float) -> tuple[float, float]:
    """Lowest and highest of the subject within the bars of a move."""
    bars = row.wish.bars
    if row.wish.subject != PRICE:
        _, name, output = row.runs[0]
        return series.extremes(name, output, index, bars)
    part = series.bars.columns.cut(max(0, index + 1 - bars), index + 1)
    if not part.size:
        return nan, nan
    return min(price, float(np.min(part.low))), max(price, float(np.max(part.high)))
