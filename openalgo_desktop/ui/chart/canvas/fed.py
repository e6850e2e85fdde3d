"""The part of a chart that takes bars. What they change is noted; nothing is drawn here."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.transforms.rows import TransformedBars
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart.canvas.layers import Layers
from openalgo_desktop.ui.chart.canvas.picture import Picture
from openalgo_desktop.ui.chart.canvas.stage import Dirty, Stage
from openalgo_desktop.ui.chart.over.overlay import Overlay
from openalgo_desktop.ui.chart.scales.price_scale import PriceScale
from openalgo_desktop.ui.chart.scales.time_scale import TimeScale
from openalgo_desktop.ui.chart.series import Series


class Fed(QWidget):
    """Owner of the stage, of its picture and of what lies over it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.stage = Stage()
        self.layers = Layers()
        self.kept = Picture(self.stage, self.layers)
        self.overlay = Overlay(self)
        self.fitted = True  # nobody has scrolled or zoomed: as many bars as fit
        self._dirty = Dirty.NOTHING
        self._asked_older = False
        self._market: float | None = None

    @property
    def series(self) -> Series:
        """The bars."""
        return self.stage.series

    @property
    def scale_x(self) -> TimeScale:
        """Which bars are in view."""
        return self.stage.scale_x

    @property
    def scale_y(self) -> PriceScale:
        """Which prices are in view."""
        return self.stage.scale_y

    @property
    def places(self) -> int:
        """Decimals of prices."""
        return self.stage.places

    @property
    def renders(self) -> int:
        """How often the kept picture was drawn."""
        return self.kept.renders

    def set_bars(
        self, bars: Bars, interval: Interval | Span, places: int, tick: float = 0.0
    ) -> None:
        """Show a new series from its end. ``tick``: size in rupees, 0 for the last decimal."""
        stage = self.stage
        stage.series.load(bars)
        if interval.seconds and len(bars) < 2:
            stage.series.length = float(interval.seconds)
        stage.places, stage.tick = places, tick or 10.0**-places
        stage.intraday = interval.is_intraday
        self.overlay.places = places
        stage.scale_x.reset(len(bars), stage.prices.rect.width())
        stage.scale_y.auto = self.fitted = True
        self._asked_older = False
        self._market = None
        self._dirty |= Dirty.BARS | Dirty.VIEW | Dirty.LAST

    def append_bar(self, time: int, *values: float) -> None:
        """A new bar began: open, high, low, close, volume and, where known, open interest."""
        follow = self.scale_x.at_end
        self.series.append(time, *values)
        self.scale_x.grow()
        self._dirty |= Dirty.BARS | Dirty.LAST | (Dirty.VIEW if follow else Dirty.NOTHING)

    def update_last(self, time: int, *values: float) -> None:
        """The forming bar changed."""
        if not len(self.series):
            self.append_bar(time, *values)
            return
        self.series.update_last(time, *values)
        self._dirty |= Dirty.LAST

    def set_rows(
        self,
        rows: TransformedBars,
        interval: Interval | Span,
        places: int,
        tick: float = 0.0,
        box: float = 0.0,
    ) -> None:
        """Show what a transform made, from its end; ``box`` is that of point and figure."""
        self.set_bars(Bars.empty(), interval, places, tick)
        self.kept.ink.box = box
        self.series.replace(0, rows)
        self.scale_x.reset(rows.size, self.stage.prices.rect.width())

    def rows_changed(self, first: int, rows: TransformedBars) -> None:
        """Rows from index ``first`` on are others now, more or fewer."""
        before = len(self.series)
        self.series.replace(first, rows)
        self._dirty |= Dirty.LAST
        if rows.size != before or first < rows.size - 1:
            self.scale_x.resize(rows.size)
            self._dirty |= Dirty.BARS | Dirty.VIEW

    def rows_put_before(self, rows: TransformedBars) -> None:
        """Rows of older bars came before; what is in view stays where it is."""
        added = rows.size - len(self.series)
        self.series.replace(0, rows)
        self.scale_x.shift(added)
        self._asked_older = False
        self._dirty |= Dirty.BARS | Dirty.VIEW | Dirty.LAST

    def set_market(self, price: float | None) -> None:
        """The last price where it is not the close of the last bar: that of a brick is none that
        was traded. None: it is."""
        self._market = price
        self._dirty |= Dirty.LAST

    def prepend(self, bars: Bars) -> int:
        """Older bars; what is in view stays where it is. Returns how many were added."""
        added = self.series.prepend(bars)
        self.scale_x.shift(added)
        self._asked_older = False
        self._dirty |= Dirty.BARS | Dirty.VIEW
        return added

    def splice(self, first: int, bars: Bars) -> None:
        """Other bars from index ``first`` on; what is in view stays, at the end it follows."""
        self.series.splice(first, bars)
        self.scale_x.resize(len(self.series))
        self._dirty |= Dirty.BARS | Dirty.VIEW | Dirty.LAST

    def no_more(self) -> None:
        """There are no older bars: they are not asked for again."""
        self._asked_older = True
