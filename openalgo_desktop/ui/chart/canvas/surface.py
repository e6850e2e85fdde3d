"""The part of a chart's widget that has data and paints: a mask says what has to be drawn again,
one paint does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from PySide6.QtCore import QPoint, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.charting.studies import Profile
from openalgo_desktop.ui.chart.canvas.fed import Fed
from openalgo_desktop.ui.chart.canvas.readout import frame_of, rows_of
from openalgo_desktop.ui.chart.canvas.stage import Dirty, Volume
from openalgo_desktop.ui.chart.layer import Layer
from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.over.legend import legend
from openalgo_desktop.ui.chart.plots.study import Compared, StudyView
from openalgo_desktop.ui.chart.scales.price_scale import ScaleKind
from openalgo_desktop.ui.chart.series import Floats

#: A hand that has not zoomed for so long rests, milliseconds.
REST = 70
#: Between two turns that draw the loop goes round, milliseconds.
ROUND = 1


class Surface(Fed):
    """Panes over one time scale.

    What is closed is kept as a picture; a tick copies it and draws the forming bar, the pointer
    moves the overlay alone.
    """

    older_wanted = Signal()  # the first bar is near: bars before it are wanted
    range_moved = Signal(float, float)  # moments at the edges

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.at: QPoint | None = None  # the pointer, None outside
        self._edges = (0.0, 0.0)
        self._rest = QTimer(self, singleShot=True)
        self._rest.timeout.connect(self._turn)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.restyle()

    # -- lines ------------------------------------------------------------------------------
    def set_lines(self, lines: Sequence[PriceLine]) -> None:
        """Order and position lines."""
        self.overlay.set_lines(lines)
        if self.scale_y.set_lines(tuple(line.price for line in lines)):
            self._dirty |= Dirty.LAST  # the scale follows where they lie near
        self._make_room()

    def _make_room(self) -> None:
        """The tags of lines stand beside the bars, never over them: the bars give them a strip, at
        once, as without it there are no tags."""
        stage = self.stage
        wanted = self.overlay.room_wanted(stage.width, stage.gutter)
        if wanted == stage.gutter:
            return
        stage.gutter = wanted
        if stage.width > 1:
            stage.place(stage.width, stage.height)
            if self.fitted and len(self.series):
                self.scale_x.reset(len(self.series), stage.prices.rect.width())
            self.changed_view()

    # -- how it is shown --------------------------------------------------------------------
    def set_kind(self, kind: str) -> None:
        """Draw the series in another way, by an id of :data:`~...paint.kinds.KINDS`."""
        if self.stage.set_kind(kind):
            self.changed_view()

    def set_scale(self, kind: ScaleKind, inverted: bool = False) -> None:
        """How prices become heights."""
        if (kind, inverted) == (self.scale_y.kind, self.scale_y.inverted):
            return
        self.scale_y.kind, self.scale_y.inverted = kind, inverted
        self.scale_y.reset()
        self.changed_view()

    def lock_scale(self, edges: tuple[float, float] | None) -> None:
        """Keep these prices at the edges, or (None) let them follow the bars."""
        self.scale_y.auto = edges is None
        if edges is not None:
            self.scale_y.range = edges
        self.changed_view()

    def set_volume(self, where: Volume) -> None:
        """Volumes in a pane of their own, at the foot of the prices, or nowhere."""
        self.stage.volume = where
        self._arrange()

    def set_sessions(self, shown: bool) -> None:
        """Divide days by lines."""
        self.stage.sessions = shown
        self.redraw()

    def set_gaps(self, gaps: Sequence[tuple[float, float]]) -> None:
        """Shade where history is missing: moments (epoch seconds) of its edges."""
        if tuple(gaps) != self.stage.gaps:
            self.stage.gaps = tuple(gaps)
            self.redraw()

    def restore(self, state: Mapping[str, object]) -> None:
        """Take heights of panes, scale, kind and place of volumes from a layout."""
        self.stage.restore(state)
        self.set_kind(str(state.get("kind", "")))
        self.changed_view()

    def _arrange(self) -> None:
        self.stage.arrange()
        self.changed_view()

    # -- studies and compared series --------------------------------------------------------
    def set_studies(self, views: Sequence[StudyView]) -> None:
        """Show these studies and no others, each in its pane."""
        self.stage.studies = tuple(views)
        for view in views:
            view.forget()
        self._arrange()

    def set_study_values(
        self,
        ident: str,
        values: Sequence[Floats] | None = None,
        profiles: Sequence[Profile] | None = None,
        *,
        closed: bool = False,
    ) -> None:
        """Values of a study changed: those of the forming bar, or ``closed`` ones too. None leaves
        the arrays that it has, which were changed in place."""
        view = next((one for one in self.stage.studies if one.ident == ident), None)
        if view is None:
            return
        if values is not None:
            view.values = values
        if profiles is not None and not _same(view.profiles, profiles):
            view.profiles, closed = profiles, True
        if closed:
            view.forget()
            self._dirty |= Dirty.BARS
        self._dirty |= Dirty.LAST

    def set_compared(self, others: Sequence[Compared]) -> None:
        """Show these series beside the main one."""
        self.stage.compared = tuple(others)
        for other in others:
            other.forget()
        self.changed_view()

    def compared_changed(self, *, closed: bool = False) -> None:
        """Closes of compared series changed: the last ones, or ``closed`` ones too."""
        if closed:
            for other in self.stage.compared:
                other.forget()
        self._dirty |= Dirty.BARS if closed else Dirty.LAST

    # -- layers -----------------------------------------------------------------------------
    def add_layer(self, layer: Layer) -> None:
        """Put a layer on top of the others."""
        self.layers.add(layer)
        self.layer_changed(layer)

    def remove_layer(self, layer: Layer) -> None:
        """Take a layer away."""
        self.layers.remove(layer)
        self.layer_changed(layer)

    def layer_changed(self, layer: Layer) -> None:
        """What a layer paints into the kept picture is another now."""
        self.kept.layers_changed()
        self.overlay.update()

    def layer_moved(self, layer: Layer, where: QRectF | None = None) -> None:
        """Only what a layer paints on top changed, all of it or within ``where``."""
        if where is None:
            self.overlay.update()
        else:
            self.overlay.update(where.toAlignedRect())

    # -- drawing ----------------------------------------------------------------------------
    def flush(self) -> None:
        """Bring the picture up to date with what changed."""
        dirty, self._dirty = self._dirty, Dirty.NOTHING
        if not dirty or not len(self.series):
            return
        moved = self.stage.fit() or bool(dirty & (Dirty.VIEW | Dirty.ALONG))
        if moved:
            self.stage.label()
            self.overlay.set_frame(frame_of(self.stage))
        live = self.kept.find_live()
        if dirty & (Dirty.VIEW | Dirty.BARS):
            self.redraw()
        elif moved:
            self.kept.touch()
            self.overlay.update()
            self._rest.stop()  # it begins when this is seen
        for rect in live:
            self.overlay.update(rect.toAlignedRect())
        self._show_last()
        self.show_legend()
        if moved:
            self._tell_range()

    def redraw(self) -> None:
        """Draw the kept picture again at the next paint."""
        self.kept.forget()
        self.overlay.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if ratio != self.stage.ratio:
            self.stage.ratio = ratio
            self.kept.forget()
        front = self.kept.front()
        pixmap = self.kept.pixmap() if front is None else front
        painter = QPainter(self)
        for rect in cast(Any, event.region()):
            # One rectangle at a time: Qt copies into one, but composes into a region.
            painter.setClipRect(rect)
            painter.drawPixmap(0, 0, pixmap)
        painter.setClipping(False)
        shown = QRectF(event.rect())
        if front is None:
            self.kept.paint_live(painter, shown)
        if len(self.layers):
            for pane in self.stage.panes:
                if pane.rect.intersects(shown):
                    painter.setClipRect(pane.rect)
                    self.layers.paint_top(painter, self.stage.at(pane))
        painter.end()
        if self.kept.hasty and not self._rest.isActive():
            self._rest.start(ROUND if self.kept.rough else REST)

    def picture(self) -> QPixmap:
        """The chart as it is seen, without the pointer."""
        self.overlay.set_cross(None)
        self._settle()
        return self.grab()

    def restyle(self) -> None:
        """Take the colours of the theme and the sizes of the look in force."""
        self.kept.restyle()
        self.overlay.restyle()
        self.stage.place(self.width(), self.height())
        self._dirty |= Dirty.VIEW
        self.update()

    def _show_last(self) -> None:
        opened, _, _, close, _ = self.series.bar(len(self.series) - 1)
        price = close if self._market is None else self._market
        self.overlay.set_last(price, "up" if price >= opened else "down")

    def show_legend(self) -> None:
        """Say the values of the bar under the pointer, or of the last one."""
        if not len(self.series):
            return
        index = len(self.series) - 1
        if self.at is not None:
            index = max(0, min(index, round(self.stage.bar_at(self.at.x()))))
        self.overlay.set_legend(legend(self.series, index, self.places))
        self.overlay.set_rows(rows_of(self.stage, index))

    def _tell_range(self) -> None:
        scale = self.scale_x
        if scale.left < scale.span and not self._asked_older:
            self._asked_older = True
            self.older_wanted.emit()
        edges = self.visible_times()
        if edges != self._edges:
            self._edges = edges
            self.range_moved.emit(*edges)

    def changed_view(self) -> None:
        """The user moved the view: that is shown at once."""
        self._dirty |= Dirty.VIEW
        self.flush()

    def moved_by_hand(self, out: float | None = None) -> None:
        """The user pans or zooms along the time: shown at once, as a draft where the picture takes
        long; the exact one follows in turns. ``out``: bar that stays while he zooms out."""
        self.kept.out = out
        self.kept.hasty = self.kept.hasty or self.kept.slow
        self.moved_along()

    def _turn(self) -> None:
        """Draw the exact picture, a part of it in each turn of the loop."""
        if self._dirty & (Dirty.BARS | Dirty.VIEW):
            self.flush()  # other bars than it is of
        elif self.kept.turn():
            self.overlay.update()
        else:
            self._rest.start(ROUND)

    def _settle(self) -> None:
        if self.kept.settle():
            self.overlay.update()

    def moved_along(self) -> None:
        """The user moved the view along the time, or a pane along its values: shown at once."""
        self._dirty |= Dirty.ALONG
        self.flush()

    def visible_times(self) -> tuple[float, float]:
        """Moments at the left and right edge, epoch seconds."""
        scale = self.scale_x
        return self.series.time_of(scale.left), self.series.time_of(scale.right)


def _same(before: Sequence[Profile], now: Sequence[Profile]) -> bool:
    """Whether no profile is another one: the kept picture holds then."""
    return len(before) == len(now) and all(a is b for a, b in zip(before, now, strict=True))
