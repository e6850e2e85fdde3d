"""Alerts: watched while the program runs, in every mode, with or without a window; an alert tells
and never sends.

Those that compare the last price (or the change of the day) with fixed levels are kept here: a tick
costs one comparison with the prices between which nothing happens. The others are looked after by
the :class:`Scout`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from openalgo_desktop.automation.alerts.ladder import Ladder
from openalgo_desktop.automation.alerts.ports import Sources
from openalgo_desktop.automation.alerts.scout import TURN, Scout
from openalgo_desktop.automation.alerts.telling import Teller
from openalgo_desktop.automation.alerts.words import Words
from openalgo_desktop.core import alert_judge as judge
from openalgo_desktop.core import alerts as rules
from openalgo_desktop.core.alert_judge import Sight
from openalgo_desktop.core.alerts import (
    AlertNotFound,
    AlertState,
    AlertWish,
    OfDrawing,
    PriceAlert,
)
from openalgo_desktop.core.charting.studies import StudySpec
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import InvalidOrder, StorageError
from openalgo_desktop.core.events import Bus, FeedChanged, Notice, PriceAlertChanged
from openalgo_desktop.core.exit_rules import exact
from openalgo_desktop.core.instruments import is_over
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import InstrumentLookup, PriceAlertStore, TickSource
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.trading.watch.prices import Prices

log = logging.getLogger(__name__)

#: So many alerts at most: each active one is streamed.
MAX_ALERTS = 5000
#: How often alerts are looked after between ticks (their last day, prices that came before they
#: were made), seconds.
LOOK = 2.0
#: Looks within which the last day of every alert was looked at.
ROUND = 30


class Alerts:
    """All alerts. ``start`` after the hub."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        instruments: InstrumentLookup,
        ticks: TickSource,
        store: PriceAlertStore,
        teller: Teller,
        is_open: Callable[[str], bool],
        sources: Sources,
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._instruments = instruments
        self._ticks = ticks
        self._store = store
        self.teller = teller
        self._levels, self._percents = Ladder(), Ladder()  # rupees, per cent of the day
        self._prices = Prices(clock, ticks, is_open, self._on_price, calm=self._calm_price)
        self._days = Prices(clock, ticks, is_open, self._on_day, FeedMode.QUOTE, self._calm_day)
        self._scout = Scout(clock, ticks, is_open, sources, self)
        self.words = Words(instruments, ticks, self._scout)
        self._lost = bus.subscribe(FeedChanged, self._on_feed)
        self._alerts: dict[str, PriceAlert] = {}
        self._here: dict[Key, dict[str, PriceAlert]] = {}  # all of them, by instrument
        self._unsaved: set[str] = set()
        self._to_look: Iterator[str] = iter(())  # whose last day is looked at next
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up the alerts of earlier runs."""
        await self.teller.start()
        kept = await self._store.load()
        await self._scout.prepare(alert.wish for alert in kept)
        for alert in kept:
            self._keep(alert)
        for _ in self._expiring():
            await asyncio.sleep(0)
        self._task = asyncio.create_task(self._run(), name="alerts")

    async def stop(self) -> None:
        """Watch no more; alerts stay."""
        self._lost()
        self._prices.close()
        self._days.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for _ in self._save_quiet():
            pass
        await self._scout.stop()
        await self.teller.stop()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            try:
                self._expire_some()
                for _ in self._looking():
                    await asyncio.sleep(0)
            except Exception:
                log.exception("looking after the alerts failed; going on")

    def look(self) -> None:
        """End what is over, and compare with the fresh prices of this moment."""
        for _ in self._expiring():
            pass
        for _ in self._looking():
            pass

    def _looking(self) -> Iterator[None]:
        """Store what changed without a word, and compare; in turns of the loop."""
        yield from self._save_quiet()
        self.teller.tidy()
        for number, key in enumerate((*self._levels, *self._percents), 1):
            self._look_at(key)
            if not number % TURN:
                yield
        yield from self._scout.looking()

    def _look_at(self, key: Key) -> None:
        tick = self._ticks.latest(key)
        if tick is None or (self._calm_price(tick) and self._calm_day(tick)):
            return
        if (price := self._prices.now(key)) is not None:
            self._on_price(key, price)
            self._on_day(key, price)

    # -- asking -----------------------------------------------------------------------------
    def all(self) -> list[PriceAlert]:
        """Every alert, newest first."""
        return list(reversed(self._alerts.values()))

    def of(self, key: Key) -> list[PriceAlert]:
        """Those of an instrument, newest first; it costs what there is of the instrument."""
        rows = reversed(self._here.get(key, {}).values())
        return sorted(rows, key=lambda alert: alert.created_at, reverse=True)

    def get(self, alert_id: str) -> PriceAlert:
        """One of them; raises :class:`AlertNotFound`."""
        if alert_id not in self._alerts:
            raise AlertNotFound("There is no such alert any more.")
        return self._alerts[alert_id]

    def current(self, alert: PriceAlert) -> float:
        """The value of the study that it looks at; NaN where it looks at none, or it is not
        known."""
        return self._scout.current(alert)

    def studies(self) -> list[StudySpec]:
        """The studies that an alert may look at, by family and title."""
        return self._scout.studies()

    def lines(self, key: Key) -> list[OfDrawing]:
        """The lines of an instrument's drawings, for a choice."""
        return self._scout.lines(key)

    def trouble(self, alert: PriceAlert) -> str:
        """Why an active alert hears nothing just now; empty when it does."""
        if not alert.is_active:
            return ""
        if not self._prices.trades(alert.wish.exchange):
            return f"{alert.wish.exchange} is closed."
        need = Part.LTP | Part.DAY if alert.wish.when.of_day else Part.LTP
        if self._ticks.fresh(alert.key, need) is None:
            return "The price is not known."
        return self._scout.trouble(alert)

    # -- commands ---------------------------------------------------------------------------
    async def add(self, wish: AlertWish) -> PriceAlert:
        """Make an alert; returns when it is stored. Raises :class:`InvalidOrder`."""
        await self._check(wish)
        if len(self._alerts) >= MAX_ALERTS:
            raise InvalidOrder(f"There are {MAX_ALERTS} alerts already. Delete old ones first.")
        now = self._clock.now()
        return await self._put(PriceAlert(f"{now:%y%m%d}-{secrets.token_hex(4)}", wish, now))

    async def change(self, alert_id: str, wish: AlertWish) -> PriceAlert:
        """Give an alert another wish; it waits anew, a paused one stays paused."""
        await self._check(wish)
        return await self._put(rules.changed(self.get(alert_id), wish))

    async def pause(self, alert_id: str) -> PriceAlert:
        """Compare no more until it is resumed."""
        alert = self.get(alert_id)
        return await self._put(rules.paused(alert)) if alert.is_active else alert

    async def resume(self, alert_id: str) -> PriceAlert:
        """Watch a paused or fired alert (again)."""
        alert = self.get(alert_id)
        if alert.is_active:
            return alert
        await self._check(alert.wish)
        return await self._put(rules.resumed(self.get(alert_id)))

    async def delete(self, alert_id: str) -> None:
        """End an alert for good."""
        alert = self.get(alert_id)
        self._drop(alert)
        try:
            await self._store.forget(alert_id)
        except StorageError as error:
            if alert_id not in self._alerts:
                rows = [*self._alerts.values(), alert]
                rows.sort(key=lambda row: row.created_at)
                self._alerts = {row.alert_id: row for row in rows}
                self._show(alert)
            raise StorageError.unchanged(error) from error

    def _drop(self, alert: PriceAlert) -> None:
        del self._alerts[alert.alert_id]
        self._forget_place(alert)
        self._unsaved.discard(alert.alert_id)
        self._index(alert, False)
        self._bus.publish(PriceAlertChanged(alert=alert, deleted=True))

    async def _check(self, wish: AlertWish) -> None:
        if self._instruments.get(wish.key) is None:
            raise InvalidOrder(f"{wish.symbol} is not known on {wish.exchange}.", field="symbol")
        rules.check(wish, self._clock.now())
        await self._scout.prepare([wish])
        self._scout.check(wish)

    async def _put(self, alert: PriceAlert) -> PriceAlert:
        """Raises :class:`StorageError`, and then the alert is what it was before."""
        before = self._alerts.get(alert.alert_id)
        self._show(alert)
        try:
            await self._store.save(alert)
        except StorageError as error:
            if self._alerts.get(alert.alert_id) is alert:
                if before is None:
                    self._drop(alert)
                else:
                    self._show(before)
            raise StorageError.unchanged(error) from error
        self._look_at(alert.key)
        return self._alerts.get(alert.alert_id, alert)

    def _show(self, alert: PriceAlert) -> None:
        before = self._alerts.get(alert.alert_id)
        self._keep(alert)
        if before is not None and before.key != alert.key:  # who shows that instrument hears of it
            self._bus.publish(PriceAlertChanged(alert=before, deleted=True))
        self._bus.publish(PriceAlertChanged(alert=alert))

    def _save(self, *alerts: PriceAlert) -> None:
        """Without waiting; what the disk did not take comes again."""
        names = tuple(alert.alert_id for alert in alerts)
        self._unsaved.difference_update(names)
        self._store.save(*alerts).add_done_callback(lambda done: self._saved(names, done))

    def _saved(self, names: Sequence[str], done: asyncio.Future[Any]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None:
            log.error("%d alerts are not stored yet: %s", len(names), error)
            self._unsaved.update(name for name in names if name in self._alerts)

    def _save_quiet(self) -> Iterator[None]:
        """What changed without a word, some at a time."""
        names = tuple(self._unsaved)
        for first in range(0, len(names), TURN):
            part = [self._alerts[name] for name in names[first : first + TURN]
                    if name in self._unsaved]  # fmt: skip
            if part:
                self._save(*part)
            yield

    # -- prices -----------------------------------------------------------------------------
    def _keep(self, alert: PriceAlert) -> None:
        before = self._alerts.get(alert.alert_id)
        if before is not None and before.key != alert.key:
            self._index(before, False)
            self._forget_place(before)
        self._alerts[alert.alert_id] = alert
        self._here.setdefault(alert.key, {})[alert.alert_id] = alert
        self._index(alert, alert.is_active)

    def _forget_place(self, alert: PriceAlert) -> None:
        here = self._here.get(alert.key, {})
        here.pop(alert.alert_id, None)
        if not here:
            self._here.pop(alert.key, None)

    def _index(self, alert: PriceAlert, active: bool) -> None:
        if not alert.wish.is_plain:
            if active:
                self._scout.watch(alert)
            else:
                self._scout.drop(alert.alert_id)
            active = False
        else:
            self._scout.drop(alert.alert_id)  # its wish may have been another one
        for ladder, prices, mine in (
            (self._levels, self._prices, not alert.wish.when.of_day),
            (self._percents, self._days, alert.wish.when.of_day),
        ):
            if active and mine:
                low, high = judge.calm(alert)
                ladder.put(alert.key, alert.alert_id, (float(low), float(high)))
            else:
                ladder.drop(alert.key, alert.alert_id)
            prices.want(alert.key, alert.key in ladder)

    def _on_price(self, key: Key, price: Decimal) -> None:
        self._walk(key, price, self._levels)

    def _on_day(self, key: Key, price: Decimal) -> None:
        tick = self._ticks.fresh(key, Part.DAY)
        change = judge.day_change(price, exact(tick.close)) if tick is not None else None
        if change is not None:
            self._walk(key, change, self._percents)

    def _calm_price(self, tick: Tick) -> bool:
        calm = self._levels.calm.get((tick.exchange, tick.symbol))
        return calm is None or calm[0] < tick.ltp < calm[1]

    def _calm_day(self, tick: Tick) -> bool:
        calm = self._percents.calm.get((tick.exchange, tick.symbol))
        if calm is None or not (tick.close > 0 and tick.knows(Part.DAY)):
            return calm is None
        change = (tick.ltp - tick.close) / tick.close * 100
        near = 1e-9 * (1 + abs(change))  # what the exact reckoning may differ by is not spared
        return calm[0] < change - near and change + near < calm[1]

    def _walk(self, key: Key, value: Decimal, ladder: Ladder) -> None:
        for alert_id in ladder.at(key, float(value)):
            alert = self._alerts.get(alert_id)
            if alert is not None and alert.is_active:
                self._decide(alert, judge.plain(alert.wish, value), None)

    def _decide(self, alert: PriceAlert, sight: Sight, bar: datetime | None) -> None:
        now = self._clock.now()
        if rules.over(alert.wish, now):
            self._end(alert)
            return
        after, tells = judge.look(alert, sight, now, bar)
        if after is alert:
            return
        text = self.words.text(after, now) if tells else ""  # before its bars are let go
        self._keep(after)
        if not tells:
            self._unsaved.add(after.alert_id)  # with the next look
        else:
            self._save(after)
            self.teller.tell(after, text, now)
            self._bus.publish(PriceAlertChanged(alert=after))

    # -- what the scout saw (:class:`Judge`) --------------------------------------------------
    def see(self, alert_id: str, sight: Sight, bar: datetime | None) -> None:
        """A fresh sight."""
        alert = self._alerts.get(alert_id)
        if alert is not None and alert.is_active:
            self._decide(alert, sight, bar)

    def seed(self, alert_id: str, sight: Sight) -> None:
        """The side on which it was before the first sight, unless one is remembered."""
        alert = self._alerts.get(alert_id)
        if alert is not None and not alert.side:
            self._remember(alert, judge.seeded(alert, sight))

    def unsee(self, alert_id: str) -> None:
        """Forget the side."""
        if (alert := self._alerts.get(alert_id)) is not None:
            self._remember(alert, msgspec.structs.replace(alert, side=0))

    def _remember(self, alert: PriceAlert, after: PriceAlert) -> None:
        if after != alert:
            self._keep(after)
            self._save(after)

    def halt(self, alert_id: str, why: str) -> None:
        """The program pauses it, and says so."""
        alert = self._alerts.get(alert_id)
        if alert is None or not alert.is_active:
            return
        after = rules.paused(alert, why)
        self._remember(alert, after)
        text = f"Alert on {alert.wish.symbol} is paused: {why}"
        log.warning("%s (%s)", text, alert_id)
        self._bus.publish(PriceAlertChanged(alert=after))
        self._bus.publish(Notice(level="warning", text=text))

    def _on_feed(self, event: FeedChanged) -> None:
        if not event.connected:
            self._scout.lose()

    # -- expiry -----------------------------------------------------------------------------
    def _expiring(self) -> Iterator[None]:
        """End whatever is over, in turns of the loop."""
        for number, alert_id in enumerate(tuple(self._alerts), 1):
            if not number % TURN:
                yield
            self._end_if_over(alert_id, self._clock.now())

    def _expire_some(self) -> None:
        """The next few of them: within :data:`ROUND` looks every one had its turn."""
        now = self._clock.now()
        for _ in range(max(TURN, len(self._alerts) // ROUND)):
            alert_id = next(self._to_look, None)
            if alert_id is None:
                self._to_look = iter(tuple(self._alerts))
                return
            self._end_if_over(alert_id, now)

    def _end_if_over(self, alert_id: str, now: datetime) -> None:
        alert = self._alerts.get(alert_id)
        if alert is None or alert.state not in (AlertState.ACTIVE, AlertState.PAUSED):
            return
        row = self._instruments.get(alert.key)
        if rules.over(alert.wish, now) or is_over(alert.key[1], row, now.date()):
            self._end(alert)

    def _end(self, alert: PriceAlert) -> None:
        after = rules.ended(alert)
        self._keep(after)
        self._save(after)
        self._bus.publish(PriceAlertChanged(alert=after))
