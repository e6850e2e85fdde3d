"""What a chart shows and where: series, scales, panes. It paints nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntFlag, StrEnum, auto
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QRectF

from openalgo_desktop.ui.chart.canvas.labels import TIME_ROOM, value_labels
from openalgo_desktop.ui.chart.canvas.pane import (
    LEAST,
    PRICES,
    STUDY_WEIGHT,
    VOLUME,
    WEIGHTS,
    Label,
    Pane,
    share_out,
)
from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.paint.bars import merge_of
from openalgo_desktop.ui.chart.paint.kinds import BY_ID, KINDS, Kind
from openalgo_desktop.ui.chart.plots.study import Compared, Range, StudyView
from openalgo_desktop.ui.chart.scales import ticks
from openalgo_desktop.ui.chart.scales.price_scale import PriceScale, VolumeScale
from openalgo_desktop.ui.chart.scales.time_scale import TimeScale
from openalgo_desktop.ui.chart.series import CLOSE, Floats, Series
from openalgo_desktop.ui.kit import look

PRICE_WIDTH = 78
#: Part of the price pane that volumes at its foot take.
FOOT_SHARE = 0.2
#: A study over the prices may widen their range by this part of it, up and down each.
STUDY_REACH = 0.5
#: Decimals of the smallest step of a study's axis.
LEAST_PLACES = 6
TIME_HEIGHT = 24
#: The prices have at least this height before another pane is shown, at a text scale of 100 per
#: cent, pixels.
LEAST_PRICES = 110


class Dirty(IntFlag):
    """What changed since the last flush."""

    NOTHING = 0
    LAST = auto()  # the forming bar
    BARS = auto()  # closed bars, or what is drawn over them
    VIEW = auto()  # edges, prices, size, how they are drawn
    ALONG = auto()  # edges, prices: nothing else


class Volume(StrEnum):
    """Where volumes are drawn."""

    PANE = "pane"
    FOOT = "foot"  # at the foot of the prices
    NOWHERE = "nowhere"


class View(NamedTuple):
    """What is in view: edges, axes, the values of each pane and its labels."""

    left: float
    right: float
    times: tuple[list[int], list[str]]
    base: float
    panes: tuple[tuple[Pane, Range, tuple[Label, ...]], ...]


class Stage:
    """Owner of the view's state; the canvas and its painters read it."""

    def __init__(self) -> None:
        self.series = Series()
        self.scale_x = TimeScale()
        self.scale_y = PriceScale()
        self.places = 2
        self.tick = 0.01
        self.intraday = True
        self.kind: Kind = KINDS[0]
        self.ratio = 1.0  # device pixels of a logical one
        self.width, self.height = 1.0, 1.0  # of the widget
        self.gutter = 0  # pixels between bars and axis that tags of lines take
        self._volume = Pane(VOLUME, VolumeScale())
        self.volume = Volume.PANE
        self.panes = [Pane(PRICES, self.scale_y), self._volume]  # those that have room
        self._wanted = list(self.panes)  # all that there would be in a higher chart
        self.studies: tuple[StudyView, ...] = ()
        self.compared: tuple[Compared, ...] = ()
        self.gaps: tuple[tuple[float, float], ...] = ()  # moments between which bars are missing
        self.sessions = False  # whether days are divided by lines
        self.times: tuple[list[int], list[str]] = ([], [])  # bars that the time axis names
        self._weights: dict[int, float] = {}

    # -- places -------------------------------------------------------------------------------
    @property
    def prices(self) -> Pane:
        """The pane of the prices."""
        return self.panes[0]

    @property
    def foot(self) -> Pane | None:
        """The volumes at the foot of the prices, while they are there."""
        return self._volume if self.volume is Volume.FOOT else None

    def arrange(self) -> None:
        """Have the panes that volumes and studies need, in the order of their numbers."""
        known = {pane.number: pane for pane in self._wanted}
        wanted = sorted({view.pane for view in self.studies if view.pane > 0})
        panes = [self.prices]
        if self.volume is Volume.PANE:
            panes.append(self._volume)
        for number in wanted:
            pane = known.get(number)
            if pane is None:
                pane = Pane(number, PriceScale())
                pane.weight = self._weights.get(number, STUDY_WEIGHT)
            panes.append(pane)
        for pane in self._wanted:
            self._weights[pane.number] = pane.weight
        self._wanted = panes
        self.place(self.width, self.height)

    def views_of(self, pane: Pane) -> list[StudyView]:
        """The studies of a pane that are seen."""
        return [view for view in self.studies if view.pane == pane.number and not view.hidden]

    @property
    def area(self) -> QRectF:
        """All panes together."""
        first, last = self.panes[0].rect, self.panes[-1].rect
        return QRectF(first.left(), first.top(), first.width(), last.bottom() - first.top())

    @property
    def bottom(self) -> float:
        """Lower edge of the lowest pane."""
        return self.panes[-1].rect.bottom()

    def place(self, width: float, height: float) -> None:
        """Give the panes their places in a widget of this size. In a low one the lowest panes
        give way: candles that cannot be read help nobody."""
        self.width, self.height = width, height
        inner = max(1.0, width - look.px(PRICE_WIDTH) - self.gutter)
        room = max(1.0, height - look.px(TIME_HEIGHT))
        below = max(0, int((room - look.px(LEAST_PRICES)) // LEAST))
        lower = self._wanted[1:]
        if len(lower) > below:  # volumes first: a study was asked for by name
            studies = [pane for pane in lower if pane.number != VOLUME]
            lower = studies[:below] or lower[:below]
        self.panes = [self._wanted[0], *lower]
        share_out(self.panes, inner, room)
        if self.volume is Volume.FOOT:
            rect = self.prices.rect
            self._volume.rect = rect.adjusted(0, round(rect.height() * (1.0 - FOOT_SHARE)), 0, 0)

    def even_out(self) -> None:
        """Give all panes the heights that they have at first."""
        for pane in self._wanted:
            pane.weight = WEIGHTS.get(pane.number, STUDY_WEIGHT)
        self.place(self.width, self.height)

    def pane_at(self, y: float) -> Pane | None:
        """The pane at a height, none on the time axis."""
        return next((pane for pane in self.panes if y < pane.rect.bottom()), None)

    def pane(self, number: int) -> Pane | None:
        """A pane by its number."""
        return next((pane for pane in self.panes if pane.number == number), None)

    def at(self, pane: Pane) -> At:
        """The geometry of a pane."""
        scale, rect = self.scale_x, pane.rect
        return At(
            rect,
            pane.number,
            self.series,
            scale.left,
            scale.span,
            pane.scale.map(rect.top(), rect.height()),
            self.places,
            self.tick,
            self.ratio,
        )

    def bar_at(self, x: float) -> float:
        """Bar of a pixel, with its fraction."""
        scale, rect = self.scale_x, self.panes[0].rect
        return scale.left + (x - rect.left()) / rect.width() * scale.span

    def x_of(self, index: float) -> float:
        """Pixel of a bar."""
        scale, rect = self.scale_x, self.panes[0].rect
        return rect.left() + (index - scale.left) / scale.span * rect.width()

    @property
    def merge(self) -> int:
        """How many bars are drawn as one."""
        return merge_of(self._pitch)

    @property
    def line_merge(self) -> int:
        """The same for lines that are smooth: each bar has its point while it has a pixel, where
        columns of two would make stairs of it."""
        return 1 if self._pitch >= 1.0 else self.merge

    @property
    def _pitch(self) -> float:
        """Device pixels of a bar."""
        return self.panes[0].rect.width() / self.scale_x.span * self.ratio

    def pan(self, bars: float) -> None:
        """Move along the time, by whole device pixels: a picture of bars can be moved so, too."""
        scale = self.scale_x
        scale.pan(bars)
        pitch = self.prices.rect.width() / scale.span * self.ratio
        more = round(scale.left * pitch) / pitch - scale.left
        scale.left += more
        scale.right += more

    def view(self) -> View:
        """What is in view now."""
        scale, panes = self.scale_x, {*self.panes, self._volume}
        values = tuple((pane, pane.scale.range, pane.labels) for pane in panes)
        return View(scale.left, scale.right, self.times, self.scale_y.base, values)

    def wider(self, factor: float, anchor: float) -> View:
        """What would be in view after a zoom out; the bar at ``anchor`` stays."""
        with self.seen_as(self.view()):
            self.scale_x.zoom(factor, anchor)
            self.fit()
            self.label()
            return self.view()

    def _look(self, view: View) -> None:
        scale = self.scale_x
        scale.left, scale.right, self.times, self.scale_y.base, panes = view
        for pane, edges, labels in panes:
            pane.scale.range, pane.labels = edges, labels

    @contextmanager
    def seen_as(self, view: View) -> Iterator[None]:
        """As if another view were that of now. Panes are those of both."""
        now = self.view()
        self._look(view)
        try:
            yield
        finally:
            self._look(now)

    # -- fitting ------------------------------------------------------------------------------
    def fit(self) -> bool:
        """Let the scales follow what is in view; True when one moved."""
        if not len(self.series):
            return False
        first, last = self.scale_x.visible
        found = self.series.extremes(first, last)
        moved = False
        self._find_base()
        for pane in self.panes:
            height = pane.rect.height()
            if pane.number == PRICES:
                prices = None if found is None else self._with_others(found[:2], first, last)
                moved |= pane.scale.fit(prices, height, 10.0**-self.places)
            elif pane.number != VOLUME:
                moved |= self._fit_study(pane, first, last)
        traded = None if found is None else (0.0, found[2])
        return self._volume.scale.fit(traded, self._volume.rect.height(), 1.0) or moved

    def _fit_study(self, pane: Pane, first: int, last: int) -> bool:
        views = self.views_of(pane)
        ranges = [one for view in views if (one := view.extremes(first, last)) is not None]
        edges = next(((v.low, v.high) for v in views if (v.low, v.high) != (None, None)), None)
        pane.scale.fixed = edges or (None, None)
        pane.scale.set_lines(tuple(level.value for view in views for level in view.levels))
        if not ranges:
            return False
        found = (min(low for low, _ in ranges), max(high for _, high in ranges))
        return pane.scale.fit(found, pane.rect.height(), 10.0**-LEAST_PLACES)

    def _with_others(self, found: Range, first: int, last: int) -> Range:
        """The range of the bars, widened for what is drawn over them: studies that lie near, and
        all of what is compared."""
        low, high = found
        reach = (high - low) * STUDY_REACH
        for view in self.studies:
            one = view.extremes(first, last) if view.pane == PRICES else None
            if one is not None:
                low = min(low, max(one[0], found[0] - reach))
                high = max(high, min(one[1], found[1] + reach))
        for other in self.compared:
            ends, laid = other.extremes(first, last), self.scale_y.laid(other.start(first))
            if not other.own and ends is not None and laid is not None:
                factor, more = laid
                low, high = min(low, ends[0] * factor + more), max(high, ends[1] * factor + more)
        return low, high

    def _find_base(self) -> None:
        """The close that per cent and a baseline count from: that of the first bar in view."""
        first = min(self.scale_x.visible[0], len(self.series) - 1)
        self.scale_y.base = float(self.series.column(CLOSE)[first])

    def days(self) -> Floats:
        """Bars in view that are the first of their day (IST)."""
        first, last = self.scale_x.visible
        found = ticks.day_begins(self.series.time, max(0, first - 1), last, self.intraday)
        return found.astype(np.float64)

    def label(self) -> None:
        """Choose what the axes name."""
        for pane in self.panes:
            levels = [level.value for view in self.views_of(pane) for level in view.levels]
            pane.labels = value_labels(pane, self.places, levels)
        scale = self.scale_x
        first = max(0, math.ceil(scale.left))
        last = min(len(self.series), math.floor(scale.right) + 1)
        chosen: list[int] = []
        if first < last:
            share = (last - first) / max(1.0, scale.span)  # labels only where there are bars
            most = max(1, int(self.panes[0].rect.width() * share / look.px(TIME_ROOM)))
            chosen = ticks.time_ticks(self.series.time, first, last, most, self.intraday)
        self.times = (chosen, ticks.time_labels(self.series.time, chosen, self.intraday))

    # -- state --------------------------------------------------------------------------------
    def set_kind(self, kind: str) -> bool:
        """Draw the series in another way; False for one that there is not."""
        found = BY_ID.get(kind)
        if found is None:
            return False
        self.kind = found
        return True

    def save(self) -> dict[str, object]:
        """Heights of panes and kinds of scales, for a layout."""
        heights = {str(pane.number): round(pane.weight, 3) for pane in self._wanted}
        return {"heights": heights, "scale": self.scale_y.save(), "volume": self.volume.value}

    def restore(self, state: Mapping[str, object]) -> None:
        """Take what :meth:`save` gave; what is not understood is left out."""
        heights, scale = state.get("heights"), state.get("scale")
        if isinstance(heights, Mapping):
            self._weights = {
                int(number): float(weight)
                for number, weight in heights.items()
                if str(number).lstrip("-").isdigit()
                and isinstance(weight, int | float)
                and 0.05 <= weight <= 100.0
            }
            for pane in self._wanted:
                pane.weight = self._weights.get(pane.number, pane.weight)
        if isinstance(scale, Mapping):
            self.scale_y.restore(scale)
        modes = {mode.value: mode for mode in Volume}
        self.volume = modes.get(str(state.get("volume", "")), Volume.PANE)
        self.arrange()
