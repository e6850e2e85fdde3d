"""Alerts: watched while the program runs, in every mode, with or without a window.

Who watches an alert says the table of rooms; what was seen is decided here, told by the
:class:`Teller` and done by :class:`Actors`. What moves money is in doubt, and not done, on what is
first seen after a start, a change of the alert, a lost feed or a night.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

import msgspec

from openalgo_desktop.automation.alerts.acts import Actors
from openalgo_desktop.automation.alerts.bar_times import BarTimes
from openalgo_desktop.automation.alerts.doubt import LATE_NEWS, Doubt
from openalgo_desktop.automation.alerts.ending import Ending
from openalgo_desktop.automation.alerts.gauges import Gauges
from openalgo_desktop.automation.alerts.keeping import Keeper
from openalgo_desktop.automation.alerts.levels import Levels
from openalgo_desktop.automation.alerts.moments import Moments
from openalgo_desktop.automation.alerts.order_news import OrderAlerts
from openalgo_desktop.automation.alerts.ports import Reach, Sources, Watcher
from openalgo_desktop.automation.alerts.scout import TURN, Scout
from openalgo_desktop.automation.alerts.telling import Teller
from openalgo_desktop.automation.alerts.words import Words
from openalgo_desktop.core import alert_judge as judge
from openalgo_desktop.core import alerts as rules
from openalgo_desktop.core.alert_checks import check
from openalgo_desktop.core.alert_deeds import as_told
from openalgo_desktop.core.alert_judge import Sight
from openalgo_desktop.core.alerts import (
    AlertNotFound,
    AlertWish,
    OfDrawing,
    PriceAlert,
    Room,
)
from openalgo_desktop.core.charting.studies import StudySpec
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import InvalidOrder, StorageError
from openalgo_desktop.core.events import (
    Bus,
    FeedChanged,
    KillSwitchChanged,
    Notice,
    PriceAlertChanged,
)
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import InstrumentLookup, PriceAlertStore, TickSource
from openalgo_desktop.core.ticks import Part

log = logging.getLogger(__name__)

#: So many alerts at most: each active one is streamed.
MAX_ALERTS = 5000
#: How often alerts are looked after between ticks (their last day, prices that came before they
#: were made), seconds.
LOOK = 2.0


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
        reach: Reach,
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._instruments = instruments
        self._ticks = ticks
        self._store = store
        self.teller = teller
        self._is_open = is_open
        self._scout = Scout(clock, ticks, is_open, sources, self)
        self._levels = Levels(clock, ticks, is_open, self)
        self._moments = Moments(clock, reach.calendar, self)
        self._rooms: dict[Room, Watcher] = {
            Room.LEVELS: self._levels,
            Room.BARS: self._scout,
            Room.GAUGES: Gauges(clock, bus, instruments, ticks, is_open, reach, self),
            Room.TIME: self._moments,
            Room.ORDERS: OrderAlerts(clock, bus, self),
        }
        self._bars = BarTimes(clock, reach.calendar)
        self._placed: dict[str, Watcher] = {}  # who watches an active alert
        self._doubt = Doubt(clock)
        self.words = Words(instruments, ticks, self._scout)
        self._stops = [
            bus.subscribe(FeedChanged, self._on_feed),
            bus.subscribe(KillSwitchChanged, self._on_kill_switch),
        ]
        self._alerts: dict[str, PriceAlert] = {}
        self._here: dict[Key, dict[str, PriceAlert]] = {}  # all of them, by instrument
        self._keeper = Keeper(store, self._alerts.get)
        self._ending = Ending(clock, instruments, self._alerts, self._end)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up the alerts of earlier runs."""
        await self.teller.start()
        kept = await self._store.load()
        await self._scout.prepare(alert.wish for alert in kept)
        if self.actors is not None:
            await self.actors.start()
            for row in self.actors.ended():
                self.teller.take_up(row)
        left = [] if self.actors is None else self.actors.earlier()
        for alert in kept:
            after = as_told(alert, left)
            if after is not alert:
                self._keeper.later(alert.alert_id)
            self._doubt.begin(after)
            self._keep(after)
        for _ in self._ending.all(TURN):
            await asyncio.sleep(0)
        self._task = asyncio.create_task(self._run(), name="alerts")

    @property
    def actors(self) -> Actors | None:
        """Who does the acts."""
        return self.teller.actors

    async def stop(self) -> None:
        """Watch no more; alerts stay."""
        for stop in self._stops:
            stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for _ in self._keeper.saving(TURN):
            pass
        for room in self._rooms.values():
            await room.stop()
        await self.teller.stop()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            try:
                self._ending.some(TURN)
                for _ in self._looking():
                    await asyncio.sleep(0)
                if self.actors is not None:
                    await self.actors.settle()
            except Exception:
                log.exception("looking after the alerts failed; going on")

    def look(self) -> None:
        """End what is over, and compare with the fresh prices of this moment."""
        for _ in self._ending.all(TURN):
            pass
        for _ in self._looking():
            pass

    def _looking(self) -> Iterator[None]:
        """Store what changed without a word, and compare; in turns of the loop."""
        yield from self._keeper.saving(TURN)
        self.teller.tidy()
        self._doubt.look()
        yield from self._showing()
        for room in self._rooms.values():
            yield from room.looking()

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

    def has(self, alert_id: str) -> bool:
        """Whether it was not deleted."""
        return alert_id in self._alerts

    def current(self, alert: PriceAlert) -> float:
        """The value of what it looks at, where that is no price; NaN where it is one, or is not
        known."""
        return self._rooms[alert.wish.room].current(alert)

    def due(self, alert: PriceAlert) -> datetime | None:
        """When the moment comes that it waits for; None for one that waits for something else."""
        return self._moments.due(alert.alert_id)

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
        if alert.wish.room not in (Room.LEVELS, Room.BARS):
            return self._rooms[alert.wish.room].trouble(alert)
        if not self._is_open(alert.wish.exchange):
            return f"{alert.wish.exchange} is closed."
        need = Part.LTP | Part.DAY if alert.wish.when.of_day else Part.LTP
        if self._ticks.fresh(alert.key, need) is None:
            return "The price is not known."
        return self._scout.trouble(alert)

    # -- commands ---------------------------------------------------------------------------
    async def add(self, wish: AlertWish) -> PriceAlert:
        """Make an alert; returns when it is stored. Raises :class:`InvalidOrder`."""
        await self.check(wish)
        if len(self._alerts) >= MAX_ALERTS:
            raise InvalidOrder(f"There are {MAX_ALERTS} alerts already. Delete old ones first.")
        now = self._clock.now()
        return await self._put(PriceAlert(f"{now:%y%m%d}-{secrets.token_hex(4)}", wish, now))

    async def change(self, alert_id: str, wish: AlertWish) -> PriceAlert:
        """Give an alert another wish; it waits anew, a paused one stays paused."""
        await self.check(wish)
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
        await self.check(alert.wish)
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
                self._alerts.clear()
                self._alerts.update((row.alert_id, row) for row in rows)
                self._show(alert)
            raise StorageError.unchanged(error) from error

    def _drop(self, alert: PriceAlert) -> None:
        del self._alerts[alert.alert_id]
        self._forget_place(alert)
        self._keeper.forget(alert.alert_id)
        self._doubt.forget(alert.alert_id)
        self._index(alert, False)
        self._bus.publish(PriceAlertChanged(alert=alert, deleted=True))

    async def check(self, wish: AlertWish) -> None:
        """Raises :class:`InvalidOrder` for a wish that cannot be."""
        named = bool(wish.symbol or wish.exchange)
        if (named or wish.needs_symbol) and self._instruments.get(wish.key) is None:
            raise InvalidOrder(f"{wish.symbol} is not known on {wish.exchange}.", field="symbol")
        check(wish, self._clock.now())
        await self._scout.prepare([wish])
        self._rooms[wish.room].check(wish)
        if self.actors is not None:
            await self.actors.check(wish)
        elif wish.acts:
            raise InvalidOrder("Action: nothing here does it.", field="acts")

    async def _put(self, alert: PriceAlert) -> PriceAlert:
        """Raises :class:`StorageError`, and then the alert is what it was before."""
        before = self._alerts.get(alert.alert_id)
        self._doubt.begin(alert)
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
        if alert.wish.room is Room.LEVELS:
            self._levels.look_at(alert.key)
        return self._alerts.get(alert.alert_id, alert)

    def _show(self, alert: PriceAlert) -> None:
        before = self._alerts.get(alert.alert_id)
        self._keep(alert)
        if before is not None and before.key != alert.key:  # who shows that instrument hears of it
            self._bus.publish(PriceAlertChanged(alert=before, deleted=True))
        self._bus.publish(PriceAlertChanged(alert=alert))

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
        room = self._rooms[alert.wish.room] if active else None
        self._doubt.watched(alert, active)
        before = self._placed.get(alert.alert_id)
        if before is not None and before is not room:
            before.drop(alert.alert_id)
            del self._placed[alert.alert_id]
        if room is not None:
            self._placed[alert.alert_id] = room
            room.watch(alert)

    def doubts(self, alert_id: str) -> bool:
        """Whether it has to be seen at the next price: until then what it sees is old news."""
        return alert_id in self._doubt

    def _showing(self) -> Iterator[None]:
        """Let the rooms see those that came into doubt at the next price; in turns."""
        for number, alert_id in enumerate(self._doubt.unseen(), 1):
            alert = self._alerts.get(alert_id)
            if alert is not None and alert.is_active:
                self._index(alert, True)
            if not number % TURN:
                yield

    def _decide(self, alert: PriceAlert, sight: Sight, bar: datetime | None) -> None:
        now = self._clock.now()
        if rules.over(alert.wish, now):
            self._end(alert)
            return
        doubt = self._doubt.seen(alert.alert_id) if judge.known(alert.wish.when, sight) else ""
        after, tells = judge.look(alert, sight, now, bar or self._bars.began(alert.wish))
        if tells:
            self._tell(after, self.words.text(after, now), now, doubt)
        elif after is not alert:
            self._keep(after)
            self._keeper.later(after.alert_id)  # with the next look
        elif doubt:
            self._index(alert, True)

    def _tell(self, after: PriceAlert, text: str, now: datetime, doubt: str = "") -> None:
        body = self.words.body(after, text, now)  # before its bars are let go
        self._keep(after)
        self.teller.tell(after, text, now, self._keeper.save(after), doubt, body)
        self._bus.publish(PriceAlertChanged(alert=after))

    # -- what the rooms saw (:class:`Judge`) --------------------------------------------------
    def happened(self, alert_id: str, value: Decimal, text: str, *, late: bool = False) -> None:
        """Its moment came, or an order had news."""
        alert, now = self._alerts.get(alert_id), self._clock.now()
        if alert is None or not alert.is_active:
            return
        if rules.over(alert.wish, now):
            self._end(alert)
            return
        after = judge.happened(alert, value, now)
        self._tell(after, self.words.news(after, text, now), now, LATE_NEWS if late else "")

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
            self._keeper.save(after)

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
            for room in self._rooms.values():
                room.lose()
            self._doubt.everybody()

    def _on_kill_switch(self, event: KillSwitchChanged) -> None:
        """It leaves nothing that may still open: what moves money waits for a human."""
        for alert_id in self._doubt.careful if event.tripped else ():
            self.halt(alert_id, "The kill switch was pulled.")

    def _end(self, alert: PriceAlert) -> None:
        after = rules.ended(alert)
        self._keep(after)
        self._keeper.save(after)
        self._bus.publish(PriceAlertChanged(alert=after))
