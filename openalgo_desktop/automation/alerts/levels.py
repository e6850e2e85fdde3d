"""Alerts on the last price, or the change of the day, at fixed levels: a tick that changes none of
them costs two comparisons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from math import nan

from openalgo_desktop.automation.alerts.ladder import RESTLESS, Ladder
from openalgo_desktop.automation.alerts.ports import Judge
from openalgo_desktop.automation.alerts.scout import TURN
from openalgo_desktop.core import alert_judge as judge
from openalgo_desktop.core.alerts import AlertWish, PriceAlert
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.exit_rules import exact
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import TickSource
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.trading.watch.prices import Prices


class Levels:
    """:class:`Watcher` of them."""

    def __init__(
        self, clock: Clock, ticks: TickSource, is_open: Callable[[str], bool], decider: Judge
    ) -> None:
        self._ticks = ticks
        self._judge = decider
        self._rows: dict[str, AlertWish] = {}
        self._levels, self._percents = Ladder(), Ladder()  # rupees, per cent of the day
        self._prices = Prices(clock, ticks, is_open, self._on_price, calm=self._calm_price)
        self._days = Prices(clock, ticks, is_open, self._on_day, FeedMode.QUOTE, self._calm_day)

    async def stop(self) -> None:
        """Stream nothing more."""
        self._prices.close()
        self._days.close()

    def watch(self, alert: PriceAlert) -> None:
        """Look for it as it is now."""
        name, wish = alert.alert_id, alert.wish
        known = self._rows.get(name)
        if known is not None and (known.key, known.when.of_day) != (wish.key, wish.when.of_day):
            self.drop(name)
        self._rows[name] = wish
        low, high = judge.calm(alert)
        calm = RESTLESS if self._judge.doubts(name) else (float(low), float(high))
        ladder, prices = self._place(wish)
        ladder.put(wish.key, name, calm)
        prices.want(wish.key, True)

    def drop(self, alert_id: str) -> None:
        """Look for it no more."""
        wish = self._rows.pop(alert_id, None)
        if wish is not None:
            ladder, prices = self._place(wish)
            ladder.drop(wish.key, alert_id)
            prices.want(wish.key, wish.key in ladder)

    def _place(self, wish: AlertWish) -> tuple[Ladder, Prices]:
        of_day = wish.when.of_day
        return (self._percents, self._days) if of_day else (self._levels, self._prices)

    def check(self, wish: AlertWish) -> None:
        """Any level is one."""

    def trouble(self, alert: PriceAlert) -> str:
        """Nothing beside the price."""
        return ""

    def current(self, alert: PriceAlert) -> float:
        """It is the price."""
        return nan

    def lose(self) -> None:
        """Prices come again by themselves."""

    def look_at(self, key: Key) -> None:
        """Compare with the fresh price of this moment."""
        tick = self._ticks.latest(key)
        if tick is None or (self._calm_price(tick) and self._calm_day(tick)):
            return
        if (price := self._prices.now(key)) is not None:
            self._on_price(key, price)
            self._on_day(key, price)

    def looking(self) -> Iterator[None]:
        """Prices that came before their alert, or while the market was closed."""
        for number, key in enumerate((*self._levels, *self._percents), 1):
            self.look_at(key)
            if not number % TURN:
                yield

    # -- prices -----------------------------------------------------------------------------
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
            wish = self._rows.get(alert_id)
            if wish is not None:
                self._judge.see(alert_id, judge.plain(wish, value), None)
