"""The straddle chart: what call and put of a strike cost together, then and now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from functools import partial

from PySide6.QtWidgets import QHBoxLayout

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.legs import combined, sum_of
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import FeedMode, Interval
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.naming import expiry_text
from openalgo_desktop.core.ticks import Bars, Part, Tick
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.history import ChartHistory, Report
from openalgo_desktop.ui.chart.live_bar import LiveBar, moment_of
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.chain import Pair
from openalgo_desktop.ui.engine.frames import Ticks
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.one_line import OneLine
from openalgo_desktop.ui.kit.segments import Segments
from openalgo_desktop.ui.kit.widgets import label, named, set_role
from openalgo_desktop.ui.rooms.options.chain_rows import strike_text

#: Intervals, and how many days of history each loads.
DAYS: dict[Interval, int] = {
    Interval.M1: 4,
    Interval.M5: 10,
    Interval.M15: 30,
    Interval.H1: 60,
}


def _days(span: Span) -> int:
    return DAYS[Interval(span.text)]


LOADING = "Loading the history"
NOTHING = "No call and put of one strike here.\nPick an option, or what it rests on."


class StraddleDock(Dock):
    """Shows the strike of the linked option, or the one at the money of the linked underlying."""

    name = "straddle"
    title = "Straddle chart"
    linkable = True
    empty_text = NOTHING
    priority = 2

    def __init__(self, bridge: Bridge, name: str = "") -> None:
        super().__init__(bridge, name)
        self.pair: Pair | None = None
        self._key: Key | None = None
        self._places = 2
        self._live: LiveBar | None = None
        self.interval = Segments(
            f"{self.name}-interval", "Interval", tuple(row.value for row in DAYS), compact=True
        )
        self.interval.choose(Interval.M5.value)
        self.interval.changed.connect(lambda _text: self.load())
        self.figures = label("", f"{self.name}-figures", "number")
        self.figures.setToolTip(
            "Call and put together, also as a part of the underlying; between which prices of the "
            "underlying whoever sells both now wins at the expiry, before charges"
        )
        self.history = ChartHistory(self, _days, self.load)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 8, 0)
        self._bar = OneLine(f"{self.name}-bar", self.interval, (self.figures,))
        head.addWidget(self._bar, 1)
        head.addWidget(self.history.message)
        head.addWidget(self.history.retry)
        self.content.addLayout(head)
        self.view = named(ChartView(), f"{self.name}-view", "Candles of call and put together")
        self.content.addWidget(self.view, 1)
        self.place_empty_over(self.view)
        self.set_empty(True)
        self.answer_keys(self.view, self.view.answers())
        for changed in (bridge.feed.changed, bridge.feed.refused, bridge.feed.aged):
            self.listen(changed, self._look_again)

    # -- which pair -------------------------------------------------------------------------
    def show_symbol(self, key: Key) -> None:
        self._key = key
        pair = self.bridge.chains.pair(key)
        if pair is not None and pair == self.pair:
            return
        self.pair = pair
        self._live = None
        if pair is None:
            self.set_subject(self.bridge.name(key))
            quoted = self.bridge.chains.quoted(key)  # with its price the money is known
            self.want({} if quoted is None else {quoted: FeedMode.QUOTE})
            self.figures.setText("")
            self.history.message.show_text("")
            self.set_empty(True, NOTHING)
            return
        day = expiry_text(pair.expiry, self.bridge.now().date())
        self.set_subject(f"{pair.name} {day} {strike_text(pair.strike)}")
        self._places = decimals(pair.call.tick_size)
        self.want(dict.fromkeys((pair.call.key, pair.put.key, pair.quoted), FeedMode.QUOTE))
        self.set_empty(True, LOADING)  # not the candles of another pair under this one's name
        self.load()

    # -- history ----------------------------------------------------------------------------
    def load(self) -> None:
        """Load the history of the pair; a load under way is given up."""
        if self.pair is None:
            return
        self._live = None
        interval = Interval(self.interval.value())
        ask = partial(self._ask, self.pair, interval)
        self.history.load(Span.of(interval), ask, self._show_history)

    async def _ask(
        self, pair: Pair, interval: Interval, first: date, last: date, tell: Report
    ) -> Bars:
        span, bars = Span.of(interval), self.bridge.bars
        keys = (pair.call.key, pair.put.key)
        legs = await asyncio.gather(*(bars.of_days(key, span, first, last, tell) for key in keys))
        columns = dict(zip(keys, map(Columns.of, legs), strict=True))
        return combined(sum_of("straddle", *keys), columns).bars

    def _show_history(self, span: Span, bars: Bars) -> None:
        interval = Interval(span.text)
        self._live = LiveBar(interval, bars)
        self.view.set_bars(bars, interval, self._places)
        self.set_empty(not len(bars), self.history.message.text())
        self.dirty = True

    # -- live -------------------------------------------------------------------------------
    def _ticks(self) -> tuple[Tick, Tick] | None:
        """The last ticks of both, where both have a price that may be used."""
        if self.pair is None:
            return None
        found = []
        for leg in (self.pair.call, self.pair.put):
            tick = self.bridge.latest(leg.key)
            usable = tick is not None and tick.knows(Part.LTP) and tick.ltp > 0
            if tick is None or not usable or self.bridge.feed.is_stale(leg.key):
                return None
            found.append(tick)
        return found[0], found[1]

    def take(self, ticks: Ticks) -> None:
        pair = self.pair
        if pair is None and self._key is not None:  # perhaps the money is known now
            self.show_symbol(self._key)
        if pair is None or not (pair.call.key in ticks or pair.put.key in ticks):
            return
        self.dirty = True
        both = self._ticks()
        if both is None or self._live is None:
            return
        moment = max(moment_of(tick, Interval(self.interval.value())) for tick in both)
        started = self._live.price(moment, both[0].ltp + both[1].ltp)
        candle = self._live.candle
        if candle is not None:
            self.view.take(candle, began=started)
            if self.view.isHidden():  # no history, but the market goes on
                self.set_empty(False)

    def _look_again(self, *_: object) -> None:
        self.dirty = True

    def flush(self) -> None:
        self.dirty = False
        both = self._ticks()
        self.view.set_stale(both is None)
        set_role(self.figures, "stale" if both is None else "", "tone")
        if self.pair is not None:
            before = len(self.figures.text())
            self.figures.setText(self._words(self.pair, both))
            if len(self.figures.text()) != before:
                self._bar.fit()
        self.view.flush()

    def _words(self, pair: Pair, both: tuple[Tick, Tick] | None) -> str:
        """What both cost, and the prices of the underlying between which a seller wins at the
        expiry: the strike less and plus that."""
        if both is None:
            return fmt.MISSING
        price = both[0].ltp + both[1].ltp
        parts = [fmt.price(price, self._places)]
        spot = quote.price(self.bridge.latest(pair.quoted))
        if spot:
            parts.append(f"{fmt.percent(100.0 * price / spot, 1)} of spot")
        low, high = (fmt.price(pair.strike + sign * price, self._places) for sign in (-1, 1))
        parts.append(f"breaks even at {low} and {high}")
        return "   ".join(parts)

    # -- state ------------------------------------------------------------------------------
    def save_state(self) -> dict[str, object]:
        return super().save_state() | {"interval": self.interval.value()}

    def restore_state(self, state: Mapping[str, object]) -> None:
        super().restore_state(state)
        interval = state.get("interval")
        if isinstance(interval, str) and interval in self.interval.options:
            self.interval.choose(interval)


__all__ = ["StraddleDock"]
