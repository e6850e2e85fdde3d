"""The price in the head of a chart: last, change, age; what a combination costs; bar countdown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.chart.series import CLOSE
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import quote
from openalgo_desktop.ui.kit.widgets import label, plain_tip, set_role

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell


#: Of arithmetic: two highs need not meet.
BODIES = "Highs and lows of past bars are those of their bodies: two highs need not meet"


def countdown_text(seconds: float) -> str:
    """``4:05``, ``1:02:09``: what is left of a bar, rounded up."""
    whole = math.ceil(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class QuoteWords:
    """One of a chart; it says on the view, too, what is stale."""

    def __init__(self, cell: ChartCell) -> None:
        self._cell, self._bridge = cell, cell.bridge
        self.label = label("", f"{cell.name}-quote", "number")

    def show(self) -> None:
        """What is known now."""
        cell = self._cell
        if cell.key is not None:
            self._show_quote(cell.key)
            cell.view.set_countdown(self._countdown(cell.key))
        elif cell.expression is not None:
            self._show_combined()

    def _show_combined(self) -> None:
        """What the combination costs, and what is not known of its bars."""
        cell, bars = self._cell, self._cell.data.market
        close = float(bars.column(CLOSE)[-1]) if len(bars) else math.nan
        text = fmt.price(close, cell.places) if math.isfinite(close) else fmt.MISSING
        keys = () if cell.expression is None else cell.expression.keys
        exact = cell.expression is not None and cell.expression.exact_extremes
        said = "" if exact else "   past bars: bodies only"
        lacks = cell.view.canvas.scale_y.lacks
        self._say(text + said + (f"   {lacks}" if lacks else ""))
        self.label.setToolTip(plain_tip(BODIES if said else ""))
        one = len({exchange for exchange, _ in keys}) == 1  # their bars end together
        cell.view.set_countdown(self._countdown(keys[0]) if one else "")
        live = not cell.replay.active
        stale = live and any(self._bridge.feed.is_stale(key) for key in keys)
        set_role(self.label, "stale" if stale else "", "tone")
        cell.view.set_stale(stale)

    def _say(self, text: str) -> None:
        """Show a text; a longer one may have no room."""
        before = len(self.label.text())
        self.label.setText(text)
        if len(text) != before:
            self._cell.fit_head()

    def _countdown(self, key: Key) -> str:
        cell = self._cell
        bars = cell.replay.source or self._bridge.bars
        left = bars.countdown(key, cell.span) if cell.span.is_intraday else None
        return "" if left is None else countdown_text(left)

    def _show_quote(self, key: Key) -> None:
        cell = self._cell
        if cell.replay.active:
            self.label.setText(cell.replay.show_price())
            cell.view.set_stale(False)
            return
        feed, tick = self._bridge.feed, self._bridge.latest(key)
        stale = feed.is_stale(key)
        parts = [quote.price_text(tick, "ltp", cell.places), feed.note(key)]
        if tick is not None:
            change = f"{quote.change_text(tick, cell.places)}  {quote.percent_text(tick)}"
            parts.insert(1, change)
        cell.sides.show_prices(tick)
        self._say("   ".join(part for part in parts if part))
        if cell.appearance.look.touch:
            bid, ask = (quote.price(tick, side) or 0.0 for side in ("bid", "ask"))
            cell.view.set_touch(bid, ask)
        self.label.setToolTip(plain_tip(feed.tip(key)))
        set_role(self.label, "stale" if stale else quote.tone(tick), "tone")
        cell.view.set_stale(stale)
