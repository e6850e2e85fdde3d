"""What stands at the bars of a pane: bars, volumes, studies, compared series. Painted by ranges of
bars, so that closed ones go into the kept picture and the forming one over it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from openalgo_desktop.core.charting.studies import Draw
from openalgo_desktop.ui.chart.canvas.pane import PRICES, VOLUME, Pane
from openalgo_desktop.ui.chart.canvas.projection import HAIR, At
from openalgo_desktop.ui.chart.canvas.stage import Stage
from openalgo_desktop.ui.chart.paint import bars, curves
from openalgo_desktop.ui.chart.paint.ink import Ink
from openalgo_desktop.ui.chart.plots.draws import BEHIND, JOINS, PAINT, Part
from openalgo_desktop.ui.chart.plots.profiles import paint_profile
from openalgo_desktop.ui.chart.plots.study import Compared, StudyView
from openalgo_desktop.ui.chart.scales.value_map import ValueMap

#: First bar and one past the last.
Span: TypeAlias = tuple[int, int]

#: Room over and under a series with a scale of its own, as a part of the pane.
OWN_ROOM = 0.1
COMPARED_WIDTH = 1.5
#: Colours of the parts of a profile: bought and sold, or one kind.
PROFILE_ROLES = ("up", "down")


class Content:
    """Reads the stage."""

    def __init__(self, stage: Stage, ink: Ink) -> None:
        self._stage = stage
        self._ink = ink
        self._seen: Span = (0, 0)
        self._tight: Span = (0, 0)
        self._merge, self._line_merge, self._start = 1, 1, 0  # while it paints

    @property
    def start(self) -> int:
        """First bar that is drawn with the forming one."""
        return bars.live_start(len(self._stage.series), self._stage.merge)

    def closed(
        self, painter: QPainter, at: At, seen: Span, tight: Span, bare: bool
    ) -> Iterator[None]:
        """All but the forming bar, of the bars ``seen``: first and one past the last. ``tight`` is
        enough for lines: they reach no further to the sides than to the next value. ``bare`` are
        bars and volumes alone. Yields after each part; another may be painted meanwhile."""
        for part in self._parts(painter, at, False, bare):
            self._aim()
            self._seen, self._tight = seen, tight
            part()
            yield

    def forming(self, painter: QPainter, at: At) -> None:
        """The forming bar, and the last piece of each line."""
        self._aim()
        for part in self._parts(painter, at, True, False):
            part()

    # -- order --------------------------------------------------------------------------------
    def _aim(self) -> None:
        self._merge, self._line_merge = self._stage.merge, self._stage.line_merge
        self._start = bars.live_start(len(self._stage.series), self._merge)

    def _parts(
        self, painter: QPainter, at: At, live: bool, bare: bool
    ) -> list[Callable[[], object]]:
        """What is painted, in its order."""
        views = [] if bare else self._views(at.number)
        parts: list[Callable[[], object]] = []
        if not live:
            roles = PROFILE_ROLES if at.number == PRICES else ("study-1",)
            for profile in (one for view in views for one in view.profiles):
                parts.append(partial(paint_profile, painter, at, profile, roles, self._ink))
        parts += [partial(self._study, painter, at, view, live, behind=True) for view in views]
        if at.number in (VOLUME, PRICES):
            parts.append(partial(self._bars, painter, at, live))
        if at.number == PRICES:
            others = self._stage.compared
            parts += [partial(self._compare, painter, at, other, live) for other in others]
        parts += [partial(self._study, painter, at, view, live, behind=False) for view in views]
        return parts

    def _views(self, number: int) -> list[StudyView]:
        studies = self._stage.studies
        return [view for view in studies if view.pane == number and not view.hidden]

    def _bars(self, painter: QPainter, at: At, live: bool) -> None:
        stage = self._stage
        if at.number == VOLUME:
            first, last = self._range(live, False, self._merge)
            bars.volume(painter, at, first, last, self._merge, self._ink)
            return
        merge = self._line_merge if stage.kind.smooth else self._merge
        first, last = self._range(live, stage.kind.joins, merge)
        self._tone(self._views(PRICES))
        self._ink.base = stage.scale_y.base
        stage.kind.paint(painter, at, first, last, merge, self._ink)

    def _range(self, live: bool, joins: bool, merge: int) -> tuple[int, int]:
        """Bars to draw, ``merge`` of them as one: the forming group, with the one before where it
        is joined to it, or the closed ones in view."""
        stage, start = self._stage, self._start
        if live:
            return max(0, start - merge if joins else start), len(stage.series)
        first, last = self._seen
        return max(0, first - self._merge), min(start, last)

    def _tone(self, views: list[StudyView]) -> None:
        """Let the last study that colours bars do so."""
        self._ink.tones = None
        for view in views:
            for number, output in enumerate(view.outputs):
                if view.draw(output) is Draw.BARS and len(view.values[number]):
                    ink = self._ink
                    ink.tones = view.values[number]
                    role = view.style(output).colour or output.role
                    pairs = ((1.0, role), (-1.0, output.falling or "down"), (0.0, "muted"))
                    more = ((n + 1.0, f"study-{n}") for n in range(1, 9))
                    ink.palette = [(value, ink.colour(name)) for value, name in (*pairs, *more)]

    # -- studies ------------------------------------------------------------------------------
    def _study(self, painter: QPainter, at: At, view: StudyView, live: bool, behind: bool) -> None:
        for number, output in enumerate(view.outputs):
            draw = view.draw(output)
            if (draw in BEHIND) is not behind or number >= len(view.values):
                continue
            merge = self._line_merge if draw is Draw.LINE else self._merge
            offset = view.offset(number)
            if live:
                first = self._start - merge if draw in JOINS else self._start
                last = len(view.values[number])
            else:
                left, right = self._tight if draw in JOINS else self._seen
                first = left - offset - self._merge
                last = min(self._start, right - offset + self._merge)
            first = max(0, first)
            if first < last:
                PAINT[draw](Part(painter, at, view, number, first, last, merge, self._ink))

    def _compare(self, painter: QPainter, at: At, other: Compared, live: bool) -> None:
        stage = self._stage
        begin, last = self._range(live, True, self._line_merge)
        first = stage.scale_x.visible[0]
        shown, values, factor = at, other.closes, 1.0
        if other.own:
            found = other.extremes(*stage.scale_x.visible)
            if found is None:
                return
            room = (found[1] - found[0] or abs(found[1]) * 0.01 or 1.0) * OWN_ROOM
            pane = at.pane
            edges = ValueMap(found[0] - room, found[1] + room, pane.top(), pane.height())
            shown = at.with_map(edges)
        else:
            laid = stage.scale_y.laid(other.start(first))
            if laid is None:
                return
            factor, more = laid
            if more:  # of prices below 0, which are on no logarithmic scale
                edges = at.map
                shown = at.with_map(edges._replace(low=edges.low - more, high=edges.high - more))
        colour, merge = self._ink.colour(other.colour), self._line_merge
        if merge > 1:
            span, paints = (begin, last, merge), [(colour, None)]
            curves.dense(painter, shown, values, span, paints, COMPARED_WIDTH, factor=factor)
            return
        x, y = curves.points_of(shown, values, begin, last, merge, factor)
        curves.strokes(painter, x, y, curves.pen_of(colour, COMPARED_WIDTH, at.ratio))

    # -- where the forming bar is ---------------------------------------------------------------
    def live_rect(self, pane: Pane) -> QRectF:
        """Where the forming bar, and what a study draws with it, can be."""
        stage = self._stage
        offsets = [0]
        for view in stage.studies:
            if view.pane == pane.number and not view.hidden:
                offsets += [view.offset(number) for number in range(len(view.outputs))]
        left = stage.x_of(self.start - stage.merge - 0.5 + min(offsets))
        right = stage.x_of(len(stage.series) + 0.5 + max(offsets))
        rect = pane.rect
        begin = max(rect.left(), math.floor(left) - 3.0)
        end = min(rect.right(), math.ceil(right) + 3.0)
        return QRectF(begin, rect.top(), max(0.0, end - begin), rect.height())

    # -- behind all -----------------------------------------------------------------------------
    def ground(self, painter: QPainter, at: At, pane: Pane) -> None:
        """Gaps in the history, borders of days, levels of studies."""
        stage, ink = self._stage, self._ink
        top, height = pane.rect.top() * at.ratio, pane.rect.height() * at.ratio
        for start, end in stage.gaps:
            # Of what is missing between two bars all that is between them, else it were a hair.
            begins, ends = map(stage.series.index_of, (start, end))
            left, right = at.x(math.floor(begins)), at.x(math.ceil(ends))
            if right >= pane.rect.left() and left <= pane.rect.right():
                shade = QColor(ink.colour("warning"))
                shade.setAlpha(36)
                width = max(3.0, right - left) * at.ratio
                begin = math.floor(left * at.ratio + HAIR)
                painter.fillRect(QRectF(begin, top, math.ceil(width - HAIR), height), shade)
        if stage.sessions and stage.intraday:
            x = at.columns(stage.days() - 0.5)
            tops, heights = np.full(len(x), top), np.full(len(x), height)
            bars.fill(painter, ink.colour("border-strong"), x, tops, 1.0, heights)
        for view in stage.views_of(pane):
            for level in view.levels:
                self._level(painter, at, level.value)

    def _level(self, painter: QPainter, at: At, value: float) -> None:
        """A dashed line over the pane. Its dashes move with the bars."""
        thick = max(1.0, round(at.ratio))
        dash, period = 4.0 * thick, 7.0 * thick
        begin = float(at.columns(np.zeros(1))[0]) % period - period
        left = np.arange(begin, at.pane.right() * at.ratio, period)
        top = np.full(len(left), float(at.rows(np.array([value]))[0]) - thick // 2)
        bars.fill(painter, self._ink.label, left, top, dash, np.full(len(left), thick))

    def stays(self, pane: Pane) -> bool:
        """Whether something in a pane does not move with the bars when the view moves along the
        time."""
        stage = self._stage
        if pane.number == PRICES and (stage.compared or stage.kind.based):
            return True
        return any(len(view.profiles) for view in stage.views_of(pane))
