"""The straddle chart: what call and put of a strike cost together, then and now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QWidget

from openalgo_desktop.core.charting.legs import sum_of
from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import FeedMode, Interval
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.naming import expiry_text
from openalgo_desktop.core.ticks import Bars, Part, Tick
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.history import ChartHistory
from openalgo_desktop.ui.chart.subjects import Combination
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

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self.pair: Pair | None = None
        self._key: Key | None = None
        self._places = 2
        self._subject: Combination | None = None
        self._stop: Callable[[], None] | None = None
        self._heard_bars: list[LiveBar] = []  # the last state of each since the last paint
        self._last: int | None = None  # beginning of the last bar; None before the history
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
        self.history.gaps_changed = self.view.set_gaps
        self.history.refilled = self._put
        self.place_empty_over(self.view)
        self.set_empty(True)
        self.answer_keys(self.view, self.view.answers())
        for changed in (bridge.feed.changed, bridge.feed.refused, bridge.feed.aged):
            self.listen(changed, self._on_feed)

    def release(self) -> None:
        self._leave()
        super().release()

    # -- which pair -------------------------------------------------------------------------
    def show_symbol(self, key: Key) -> None:
        self._key = key
        pair = self.bridge.chains.pair(key)
        if pair is not None and pair == self.pair:
            return
        self.pair = pair
        self._leave()
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
        self._leave()
        if self.pair is None:
            return
        legs = sum_of("straddle", self.pair.call.key, self.pair.put.key)
        span = Span.of(Interval(self.interval.value()))
        subject = self._subject = Combination(self.bridge.bars, legs)
        self._stop = subject.follow(span, self._hear)
        self.history.load(
            span,
            partial(subject.bars, span),
            self._show_history,
            partial(subject.kept, span),
            partial(subject.missing, span),
        )

    def _leave(self) -> None:
        """Hear no more of the pair."""
        if self._stop is not None:
            self._stop()
        self._stop = self._subject = self._last = None
        self._heard_bars.clear()

    def _show_history(self, span: Span, bars: Bars) -> None:
        self._put(bars)
        self.set_empty(not len(bars), self.history.message.text())
        self.dirty = True

    def _put(self, bars: Bars) -> None:
        self._last = int(bars.time[-1]) if len(bars) else 0
        self.view.set_bars(bars, Interval(self.interval.value()), self._places)

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

    def _hear(self, bar: LiveBar) -> None:
        """A bar of both, at every tick of one: the last state of each is drawn."""
        heard = self._heard_bars
        if heard and heard[-1].time == bar.time:
            heard[-1] = bar
        else:
            heard.append(bar)
        self.dirty = True

    def _draw_heard(self) -> None:
        if self._last is None:
            return
        heard, self._heard_bars = self._heard_bars, []
        for bar in heard:
            if bar.time < self._last:
                continue
            values = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.oi)
            if bar.time > self._last:
                self.view.append_bar(bar.time, *values)
            else:
                self.view.update_last(bar.time, *values)
            self._last = bar.time
            if self.view.isHidden():  # no history, but the market goes on
                self.set_empty(False)

    def _on_feed(self, *_: object) -> None:
        """The price of a leg that is not known any more makes none of both."""
        self.dirty = True
        if self._subject is not None:
            for key in self._subject.expression.keys:
                if self.bridge.feed.is_stale(key):
                    self._subject.lose(key)

    def flush(self) -> None:
        self.dirty = False
        self._draw_heard()
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
