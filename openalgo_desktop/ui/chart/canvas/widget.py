"""The widget of a chart: data comes in, a mask says what has to be drawn again, one paint does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart.canvas.layers import Layers
from openalgo_desktop.ui.chart.canvas.mouse import Mouse
from openalgo_desktop.ui.chart.canvas.picture import Picture
from openalgo_desktop.ui.chart.canvas.stage import Dirty, Stage
from openalgo_desktop.ui.chart.layer import Layer
from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.over.frame import Frame
from openalgo_desktop.ui.chart.over.legend import legend
from openalgo_desktop.ui.chart.over.line_hand import LineHand
from openalgo_desktop.ui.chart.over.overlay import Overlay
from openalgo_desktop.ui.chart.scales import ticks
from openalgo_desktop.ui.chart.scales.price_scale import PriceScale
from openalgo_desktop.ui.chart.scales.time_scale import TimeScale
from openalgo_desktop.ui.chart.series import Series

ZOOM_STEP = 1.18


class Canvas(QWidget):
    """Panes over one time scale.

    What is closed is kept as a picture; a tick copies it and draws the forming bar, the pointer
    moves the overlay alone.
    """

    price_picked = Signal(float)  # Ctrl+click: a plain click means nothing
    menu_wanted = Signal(float, QPoint)  # price under the pointer, place on the screen
    line_moved = Signal(str, float)  # id of a line, the price where it was let go
    line_closed = Signal(str)  # id of a line whose x was pressed and released
    older_wanted = Signal()  # the first bar is near: bars before it are wanted
    cross_moved = Signal(object, float)  # moment (epoch seconds) or None, price under the pointer
    range_moved = Signal(float, float)  # moments at the edges

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.stage = Stage()
        self.layers = Layers()
        self.picture_kept = Picture(self.stage, self.layers)
        self._dirty = Dirty.NOTHING
        self.fitted = True  # nobody has scrolled or zoomed: as many bars as fit
        self._asked_older = False
        self._edges = (0.0, 0.0)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.overlay = Overlay(self)
        self.hand = LineHand(self.overlay)
        self.mouse = Mouse(self)
        self.restyle()

    # -- data -------------------------------------------------------------------------------
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
        return self.picture_kept.renders

    def set_bars(
        self, bars: Bars, interval: Interval | Span, places: int, tick: float = 0.0
    ) -> None:
        """Show a new series from its end. ``tick``: size in rupees, 0 for the last decimal."""
        self.cancel()
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

    def prepend(self, bars: Bars) -> int:
        """Older bars; what is in view stays where it is. Returns how many were added."""
        added = self.series.prepend(bars)
        self.scale_x.shift(added)
        self._asked_older = self._asked_older and not added
        self._dirty |= Dirty.BARS | Dirty.VIEW
        return added

    def no_more(self) -> None:
        """There are no older bars: they are not asked for again."""
        self._asked_older = True

    def set_lines(self, lines: Sequence[PriceLine]) -> None:
        """Order and position lines."""
        self.overlay.set_lines(lines)
        self.hand.lines_changed()
        if self.scale_y.set_lines(tuple(line.price for line in lines)):
            self._dirty |= Dirty.VIEW

    def set_kind(self, kind: str) -> None:
        """Draw the series in another way."""
        if self.stage.set_kind(kind):
            self.changed_view()

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
        self.redraw()

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
        moved = self.stage.fit() or bool(dirty & Dirty.VIEW)
        if moved:
            self.stage.label()
            self._show_frame()
        if moved or dirty & Dirty.BARS:
            self.redraw()
        else:
            self._update_live()
        self._show_last()
        self.show_legend()
        if moved:
            self._tell_range()

    def redraw(self) -> None:
        """Draw the kept picture again at the next paint."""
        self.picture_kept.valid = False
        self.overlay.update()

    def _update_live(self) -> None:
        for pane in self.stage.panes:
            rect = self.picture_kept.live_rect(pane)
            if rect.width() > 0:
                self.overlay.update(rect.toAlignedRect())

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if ratio != self.stage.ratio:
            self.stage.ratio = ratio
            self.picture_kept.valid = False
        pixmap = self.picture_kept.pixmap()
        painter = QPainter(self)
        for rect in event.region():
            # One rectangle at a time: Qt copies into one, but composes into a region.
            painter.setClipRect(rect)
            painter.drawPixmap(0, 0, pixmap)
        painter.setClipping(False)
        shown = QRectF(event.rect())
        self.picture_kept.paint_live(painter, shown)
        if len(self.layers):
            for pane in self.stage.panes:
                if pane.rect.intersects(shown):
                    painter.setClipRect(pane.rect)
                    self.layers.paint_top(painter, self.stage.at(pane))
        painter.end()

    def picture(self) -> QPixmap:
        """The chart as it is seen, without the pointer."""
        self.overlay.set_cross(None)
        return self.grab()

    def restyle(self) -> None:
        """Take the colours of the theme and the sizes of the look in force."""
        self.picture_kept.restyle()
        self.overlay.restyle()
        self.stage.place(self.width(), self.height())
        self._dirty |= Dirty.VIEW
        self.update()

    def _show_frame(self) -> None:
        stage, scale = self.stage, self.scale_y
        pane = stage.prices
        values = scale.map(pane.rect.top(), pane.rect.height())
        self.overlay.set_frame(
            Frame(
                QRectF(pane.rect),
                stage.bottom,
                float(self.width()),
                values.low,
                values.high,
                tuple(label.value for label in pane.labels),
                values.log,
                values.inverted,
            )
        )

    def _show_last(self) -> None:
        opened, _, _, close, _ = self.series.bar(len(self.series) - 1)
        self.overlay.set_last(close, "up" if close >= opened else "down")

    def show_legend(self) -> None:
        """Say the values of the bar under the pointer, or of the last one."""
        if not len(self.series):
            return
        index = len(self.series) - 1
        if self.mouse.at is not None:
            index = max(0, min(index, round(self.stage.bar_at(self.mouse.at.x()))))
        self.overlay.set_legend(legend(self.series, index, self.places))

    def _tell_range(self) -> None:
        scale = self.scale_x
        if scale.left < scale.span and not self._asked_older:
            self._asked_older = True
            self.older_wanted.emit()
        edges = self.visible_times()
        if edges != self._edges:
            self._edges = edges
            self.range_moved.emit(*edges)

    # -- geometry ---------------------------------------------------------------------------
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.overlay.resize(self.size())
        self.stage.place(self.width(), self.height())
        if self.fitted and len(self.series):
            self.scale_x.reset(len(self.series), self.stage.prices.rect.width())
        self.picture_kept.valid = False
        self.changed_view()

    def changed_view(self) -> None:
        """The user moved the view: that is shown at once."""
        self._dirty |= Dirty.VIEW
        self.flush()

    def visible_times(self) -> tuple[float, float]:
        """Moments at the left and right edge, epoch seconds."""
        scale = self.scale_x
        return self.series.time_of(scale.left), self.series.time_of(scale.right)

    def show_range(self, start: float, end: float) -> None:
        """Bring these moments to the edges."""
        left, right = self.series.index_of(start), self.series.index_of(end)
        if right > left and len(self.series):
            self.fitted = False
            self.scale_x.show(left, right)
            self.changed_view()

    def autofit(self) -> None:
        """Newest bars, prices fitted."""
        self.fitted = True
        self.scale_x.reset(len(self.series), self.stage.prices.rect.width())
        for pane in self.stage.panes:
            pane.scale.reset()
        self.changed_view()

    def scroll_by(self, share: float) -> None:
        """Move by a part of what is seen; positive is later."""
        self.fitted = False
        self.scale_x.pan(self.scale_x.span * share)
        self.changed_view()

    def show_time(self, moment: float) -> bool:
        """Bring the bar of a moment (epoch seconds) to the middle; False where there is none."""
        index = int(np.searchsorted(self.series.time, moment, side="right")) - 1
        if index < 0:
            return False
        self.fitted = False
        self.scale_x.pan(index - (self.scale_x.left + self.scale_x.right) / 2)
        self.changed_view()
        return True

    def zoom_by(self, steps: float, anchor: float | None = None) -> None:
        """Fewer (positive) or more bars at once; the bar at ``anchor`` stays, the last one that is
        seen where none is given."""
        self.fitted = False
        self.scale_x.zoom(ZOOM_STEP**-steps, self.scale_x.right if anchor is None else anchor)
        self.changed_view()

    # -- mouse and keys ---------------------------------------------------------------------
    def wheelEvent(self, event: QWheelEvent) -> None:
        self.mouse.wheel(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.mouse.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.mouse.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.mouse.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mouse.double_click(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.mouse.menu(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.mouse.leave()

    def show_cross(self) -> None:
        """Put the crosshair on the bar under the pointer."""
        at, stage = self.mouse.at, self.stage
        if at is None or not len(self.series):
            return
        pane = stage.prices.rect
        if not pane.left() <= at.x() <= pane.right():
            self.overlay.set_cross(None)
            return
        index = max(0, min(len(self.series) - 1, round(stage.bar_at(at.x()))))
        place = QPoint(round(stage.x_of(index)), at.y())
        time = self.series.time[index]
        self.overlay.set_cross(place, ticks.moment_text(time, stage.intraday))
        self.show_legend()
        self.cross_moved.emit(float(time), self.overlay.frame.price(at.y()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # The keys of the chart are the dock's.
        if event.key() == Qt.Key.Key_Escape:
            self.overlay.choose("")
            if not self.cancel():
                event.ignore()
        elif not self.layers.key(event):
            event.ignore()

    def cancel(self) -> bool:
        """Give up what the mouse holds; whether something was held."""
        held = self.layers.cancel()
        return self.hand.give_up() or held

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.overlay.choose("")  # a key must not mean what nobody looks at any more
        self.layers.cancel()
        super().focusOutEvent(event)

    def end_chosen_line(self) -> None:
        """As if the x of the chosen line was clicked."""
        line = self.overlay.chosen_line()
        self.overlay.choose("")
        if line is not None:
            self.line_closed.emit(line.line_id)

    def pointer(self, shape: Qt.CursorShape) -> None:
        """Show a shape of the cursor."""
        if self.cursor().shape() != shape:
            self.setCursor(shape)
