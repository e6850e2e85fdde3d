"""Alerts on what is reckoned: combinations of prices, figures of options, results of the day.

What moves marks the gauges that stand on it; they are read in turns, ten times a second at most
(figures once, results twice), and their alerts look at what was read. Alerts on the same thing
share a gauge.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from math import isnan, nan

from openalgo_desktop.automation.alerts import gauge_kinds as kinds
from openalgo_desktop.automation.alerts.ports import Judge, Reach
from openalgo_desktop.automation.alerts.scout import TURN
from openalgo_desktop.core.alert_judge import Sight
from openalgo_desktop.core.alert_subjects import OfCombination, OfGreek, OfResult, ResultOf
from openalgo_desktop.core.alerts import AlertWish, PriceAlert, Source
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.events import Bus, InstrumentsLoaded, OrderUpdated, PositionsChanged
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import InstrumentLookup, TickSource
from openalgo_desktop.trading.watch.prices import Prices

log = logging.getLogger(__name__)

#: Pause between two rounds of reading, seconds.
PACE = 0.1
#: A price of a combination or an option that is older than this is none; seconds.
MAX_AGE = 60.0


@dataclass(slots=True, eq=False)
class _Gauge:
    """A gauge with its last value (NaN: not known), whom it serves and the prices it stands on."""

    kind: kinds.Kind
    value: float = nan
    users: set[str] = field(default_factory=set)
    keys: frozenset[Key] = frozenset()


@dataclass(slots=True, eq=False)
class _Row:
    """An alert: the gauges of its subject and lines, by the order of :attr:`AlertWish.sources`."""

    wish: AlertWish
    gauges: tuple[Hashable, ...] = ()
    trouble: str = ""


class Gauges:
    """:class:`Watcher` of them."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        instruments: InstrumentLookup,
        ticks: TickSource,
        is_open: Callable[[str], bool],
        reach: Reach,
        decider: Judge,
    ) -> None:
        self._clock = clock
        self._instruments = instruments
        self._judge = decider
        self._reach = reach
        self._prices = Prices(clock, ticks, is_open, self._on_price)
        self._options = reach.options(self._price)
        self._rows: dict[str, _Row] = {}
        self._gauges: dict[Hashable, _Gauge] = {}
        self._by_key: dict[Key, dict[Hashable, None]] = {}
        self._by_mode: dict[Mode | None, set[Hashable]] = {}
        self._moved: dict[Hashable, None] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stops = [
            bus.subscribe(OrderUpdated, self._on_order),
            bus.subscribe(PositionsChanged, self._on_positions),
            bus.subscribe(InstrumentsLoaded, self._on_instruments),
        ]

    async def stop(self) -> None:
        """Read no more."""
        for stop in self._stops:
            stop()
        self._prices.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    # -- what is watched --------------------------------------------------------------------
    def watch(self, alert: PriceAlert) -> None:
        """Look for it from now on; nothing when its wish is watched already."""
        known = self._rows.get(alert.alert_id)
        if known is not None and known.wish == alert.wish:
            return
        self.drop(alert.alert_id)
        row = self._rows[alert.alert_id] = _Row(alert.wish)
        self._place(alert.alert_id, row)
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="gauges of alerts")

    def _place(self, alert_id: str, row: _Row) -> None:
        """Give it its gauges; one that there cannot be is its trouble."""
        wish = row.wish
        try:
            made = {self._name(wish, one): self._kind(wish, one) for one in wish.sources}
        except AppError as error:
            row.trouble = error.message
            return
        row.trouble = ""
        for name, kind in made.items():
            if name not in self._gauges:
                self._add(name, kind)
            self._gauges[name].users.add(alert_id)
            self._touch(name)
        row.gauges = tuple(self._name(wish, one) for one in wish.sources)

    def _on_instruments(self, event: InstrumentsLoaded) -> None:
        """What was not known may be now."""
        for alert_id, row in self._rows.items():
            if row.trouble:
                self._place(alert_id, row)

    def _add(self, name: Hashable, kind: kinds.Kind) -> None:
        gauge = self._gauges[name] = _Gauge(kind)
        self._by_mode.setdefault(kind.mode, set()).add(name)
        self._want(name, gauge)

    def _want(self, name: Hashable, gauge: _Gauge) -> None:
        """Stream what it stands on now."""
        keys = frozenset(gauge.kind.keys())
        for key in keys - gauge.keys:
            self._by_key.setdefault(key, {})[name] = None
            self._prices.want(key, True)
        for key in gauge.keys - keys:
            self._let_go(key, name)
        gauge.keys = keys

    def _let_go(self, key: Key, name: Hashable) -> None:
        here = self._by_key[key]
        del here[name]
        if not here:
            del self._by_key[key]
            self._prices.want(key, False)

    def drop(self, alert_id: str) -> None:
        """Look for it no more; gauges that nobody needs end."""
        row = self._rows.pop(alert_id, None)
        for name in set(row.gauges) if row is not None else ():
            gauge = self._gauges[name]
            gauge.users.discard(alert_id)
            if not gauge.users:
                del self._gauges[name]
                self._by_mode[gauge.kind.mode].discard(name)
                self._moved.pop(name, None)
                for key in gauge.keys:
                    self._let_go(key, name)

    @staticmethod
    def _name(wish: AlertWish, subject: Source) -> Hashable:
        if isinstance(subject, OfCombination):
            return subject
        if isinstance(subject, OfResult):
            return (subject, wish.key) if subject.of is ResultOf.SYMBOL else subject
        return (subject, wish.key)

    def _kind(self, wish: AlertWish, subject: Source) -> kinds.Kind:
        if isinstance(subject, OfCombination):
            return kinds.Combination(kinds.formula(subject, self._instruments), self._price)
        if isinstance(subject, OfGreek):
            return kinds.Greek(wish.key, subject.figure, self._options)
        if isinstance(subject, OfResult):
            return kinds.Result(self._clock, wish.key, subject, self._reach.book, self._held_price)
        return kinds.Price(wish.key, self._price)

    def check(self, wish: AlertWish) -> None:
        """Raises :class:`AppError` for a formula that cannot be read, or figures of no option."""
        for subject in wish.sources:
            if isinstance(subject, OfCombination):
                kinds.formula(subject, self._instruments)
            elif isinstance(subject, OfGreek):
                row = self._instruments.get(wish.key)
                if row is None or not row.is_option or self._options.source(wish.key) is None:
                    raise InvalidOrder(
                        f"{wish.symbol} is no option whose figures are known.", field="symbol"
                    )

    # -- asking -----------------------------------------------------------------------------
    def trouble(self, alert: PriceAlert) -> str:
        """Why it sees nothing."""
        row = self._rows.get(alert.alert_id)
        if row is None or row.trouble:
            return "" if row is None else row.trouble
        for name in row.gauges:
            gauge = self._gauges[name]
            if isnan(gauge.value):
                return gauge.kind.trouble()
        return ""

    def current(self, alert: PriceAlert) -> float:
        """Its subject as it was last read."""
        row = self._rows.get(alert.alert_id)
        return self._gauges[row.gauges[0]].value if row is not None and row.gauges else nan

    def looking(self) -> Iterator[None]:
        """What is not known may be by now; in turns."""
        for number, (name, gauge) in enumerate(tuple(self._gauges.items()), 1):
            if isnan(gauge.value):
                self._touch(name)
            if not number % TURN:
                yield

    def lose(self) -> None:
        """The feed was lost: nothing is known."""
        for name, gauge in self._gauges.items():
            gauge.value = nan
            self._touch(name)

    # -- what moves -------------------------------------------------------------------------
    def _price(self, key: Key) -> float | None:
        found = self._prices.now(key, MAX_AGE)
        return None if found is None else float(found)

    def _held_price(self, key: Key) -> float | None:
        found = self._prices.value(key)
        return None if found is None else float(found)

    def _on_price(self, key: Key, price: Decimal) -> None:
        for name in self._by_key.get(key, ()):
            self._touch(name)

    def _on_order(self, event: OrderUpdated) -> None:
        if event.trade is not None:
            self._on_mode(event.mode)

    def _on_positions(self, event: PositionsChanged) -> None:
        self._on_mode(event.mode)

    def _on_mode(self, mode: Mode) -> None:
        for name in self._by_mode.get(mode, ()):
            self._touch(name)

    def _touch(self, name: Hashable) -> None:
        self._moved[name] = None
        self._wake.set()

    # -- reading ----------------------------------------------------------------------------
    async def _work(self) -> None:
        number = 0
        while True:
            await self._wake.wait()
            number += 1
            try:
                await self.read(number)
            except Exception:
                log.exception("reading what alerts look at failed; going on")
            if not self._moved:
                self._wake.clear()
            await asyncio.sleep(PACE)

    async def read(self, number: int) -> None:
        """A round: read what moved and is due in the round of that number, then let the alerts on
        it look."""
        due = [name for name in self._moved
               if name in self._gauges and not number % self._gauges[name].kind.rounds]  # fmt: skip
        for name in due:
            del self._moved[name]
        for first in range(0, len(due), TURN):
            part = [name for name in due[first : first + TURN] if name in self._gauges]
            self._options.solve([key for name in part for key in self._gauges[name].kind.solves])
            seen: dict[str, None] = {}
            for name in part:
                gauge = self._gauges.get(name)
                if gauge is not None:
                    gauge.value = await gauge.kind.read()
                    if self._gauges.get(name) is gauge:
                        self._want(name, gauge)
                        seen |= dict.fromkeys(gauge.users)
            for alert_id in seen:
                self._see(alert_id)
            await asyncio.sleep(0)

    def _see(self, alert_id: str) -> None:
        row = self._rows.get(alert_id)
        if row is None or not row.gauges:
            return
        wish = row.wish
        rest = [self._gauges[name].value for name in row.gauges]
        value = rest.pop(0)
        line = rest.pop(0) if wish.against is not None else float(wish.level)
        upper = rest.pop(0) if wish.beside is not None else float(wish.upper or nan)
        self._judge.see(alert_id, Sight(value, line, upper), None)
