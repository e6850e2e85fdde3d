"""The pyqtgraph side of a chart: panes, axes, mouse; a mask says what has to be drawn again."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag, auto

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart.axes import PriceAxis, TimeAxis, VolumeAxis
from openalgo_desktop.ui.chart.candles import BarsItem, CandleItem, VolumeItem, merge_of
from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.over.legend import legend
from openalgo_desktop.ui.chart.over.line_hand import LineHand
from openalgo_desktop.ui.chart.over.overlay import Frame, Overlay
from openalgo_desktop.ui.chart.scales import ticks
from openalgo_desktop.ui.chart.scales.price_scale import PriceScale
from openalgo_desktop.ui.chart.scales.time_scale import TimeScale
from openalgo_desktop.ui.chart.series import Series
from openalgo_desktop.ui.kit import theme

ZOOM_STEP = 1.18
#: A press that moves less than this is a click, pixels.
CLICK_SLACK = 4


class Dirty(IntFlag):
    """What changed since the last flush."""

    NOTHING = 0
    LAST = auto()  # the forming bar
    BARS = auto()  # closed bars
    VIEW = auto()  # edges, prices, size


class Canvas(pg.GraphicsView):  # type: ignore[misc]
    """Price pane, volume pane, one time scale."""

    price_picked = Signal(float)  # Ctrl+click: a plain click means nothing
    menu_wanted = Signal(float, QPoint)  # price under the pointer, place on the screen
    line_moved = Signal(str, float)  # id of a line, the price where it was let go
    line_closed = Signal(str)  # id of a line whose x was pressed and released

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, background=None)
        self.series = Series()
        self.scale_x = TimeScale()
        self.scale_y = PriceScale()
        self.places = 2
        self.intraday = True
        self._dirty = Dirty.NOTHING
        self._fitted = True  # nobody has scrolled or zoomed: as many bars as fit
        self._pressed: QPointF | None = None
        self._dragged_from: QPointF | None = None
        self._drag_axis = False
        self._mouse: QPoint | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._build()
        self.overlay = Overlay(self.viewport())
        self.hand = LineHand(self.overlay)
        self.restyle()

    def _build(self) -> None:
        layout = pg.GraphicsLayout(border=None)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._layout = layout
        self._price_box = self._pane()
        self._volume_box = self._pane()
        self._price_axis = PriceAxis()
        self._volume_axis = VolumeAxis()
        self._time_axis = TimeAxis(self.series)
        layout.addItem(self._price_box, 0, 0)
        layout.addItem(self._price_axis, 0, 1)
        layout.addItem(self._volume_box, 1, 0)
        layout.addItem(self._volume_axis, 1, 1)
        layout.addItem(self._time_axis, 2, 0)
        layout.layout.setRowStretchFactor(0, 5)
        layout.layout.setRowStretchFactor(1, 1)
        self._price_axis.linkToView(self._price_box)
        self._volume_axis.linkToView(self._volume_box)
        self._time_axis.linkToView(self._price_box)  # its grid spans both panes
        self._candles = [CandleItem(self.series, live) for live in (False, True)]
        self._volumes = [VolumeItem(self.series, live) for live in (False, True)]
        for box, items in ((self._price_box, self._candles), (self._volume_box, self._volumes)):
            for item in items:
                box.addItem(item, ignoreBounds=True)
        self.setCentralItem(layout)

    @staticmethod
    def _pane() -> pg.ViewBox:
        box = pg.ViewBox(enableMenu=False, enableMouse=False, defaultPadding=0.0)
        box.disableAutoRange()
        box.setMinimumHeight(40)
        return box

    @property
    def _items(self) -> list[BarsItem]:
        return [*self._candles, *self._volumes]

    # -- data -------------------------------------------------------------------------------
    def set_bars(self, bars: Bars, interval: Interval, places: int) -> None:
        """Show a new series from its end."""
        self.series.load(bars)
        self.places = places
        self.intraday = interval.is_intraday
        self._price_axis.places = places
        self._time_axis.intraday = interval.is_intraday
        self.overlay.places = places
        self.scale_x.reset(len(bars), self._price_box.width())
        self.scale_y.auto = self._fitted = True
        self._dirty |= Dirty.BARS | Dirty.VIEW | Dirty.LAST

    def append_bar(
        self, time: int, open_: float, high: float, low: float, close: float, volume: float
    ) -> None:
        """A new bar began."""
        follow = self.scale_x.at_end
        self.series.append(time, open_, high, low, close, volume)
        self.scale_x.grow()
        self._dirty |= Dirty.BARS | Dirty.LAST | (Dirty.VIEW if follow else Dirty.NOTHING)

    def update_last(
        self, time: int, open_: float, high: float, low: float, close: float, volume: float
    ) -> None:
        """The forming bar changed."""
        if not len(self.series):
            self.append_bar(time, open_, high, low, close, volume)
            return
        self.series.update_last(time, open_, high, low, close, volume)
        self._dirty |= Dirty.LAST

    def prepend(self, bars: Bars) -> int:
        """Older bars; what is in view stays where it is. Returns how many were added."""
        added = self.series.prepend(bars)
        self.scale_x.shift(added)
        self._dirty |= Dirty.BARS | Dirty.VIEW
        return added

    def set_lines(self, lines: Sequence[PriceLine]) -> None:
        """Order and position lines."""
        self.overlay.set_lines(lines)
        self.hand.lines_changed()
        if self.scale_y.set_lines(tuple(line.price for line in lines)):
            self._dirty |= Dirty.VIEW

    # -- drawing ----------------------------------------------------------------------------
    def flush(self) -> None:
        """Bring the picture up to date with what changed."""
        dirty, self._dirty = self._dirty, Dirty.NOTHING
        if not dirty or not len(self.series):
            return
        height = self._price_box.height()
        moved = self.scale_y.fit(self.series, self.scale_x.visible, height, self.places)
        moved = moved or bool(dirty & Dirty.VIEW)
        if moved:
            self._show_view()
        elif dirty & Dirty.BARS:
            self._bound_items()
        for item in self._items:
            if item.live:
                item.update()
            elif moved or dirty & Dirty.BARS:
                item.forget()
        self._show_last()
        self._show_legend()

    def restyle(self) -> None:
        """Take the colours of the theme in force."""
        self.setBackground(theme.current().color("panel"))
        for axis in (self._price_axis, self._volume_axis, self._time_axis):
            axis.restyle()
        for item in self._items:
            item.restyle()
        self.overlay.restyle()
        self._dirty |= Dirty.VIEW

    def _show_view(self) -> None:
        scale = self.scale_x
        low, high = self.scale_y.range
        self._bound_items()
        self._price_box.setRange(
            xRange=(scale.left, scale.right), yRange=(low, high), padding=0, update=True
        )
        self._volume_box.setRange(
            xRange=(scale.left, scale.right),
            yRange=(0.0, self.scale_y.top_volume),
            padding=0,
            update=True,
        )
        self._show_frame()

    def _bound_items(self) -> None:
        merge = merge_of(self._price_box.width() / self.scale_x.span)
        for candles in self._candles:
            candles.set_bounds(*self.scale_y.range, merge)
        for volumes in self._volumes:
            volumes.set_bounds(0.0, self.scale_y.top_volume, merge)

    def _show_frame(self) -> None:
        pane = self._price_box.sceneBoundingRect()
        low, high = self.scale_y.range
        bottom = self._volume_box.sceneBoundingRect().bottom()
        labels = tuple(self._price_axis.tickValues(low, high, pane.height())[0][1])
        right = float(self.viewport().width())
        self.overlay.set_frame(Frame(QRectF(pane), bottom, right, low, high, labels))

    def _show_last(self) -> None:
        opened, _, _, close, _ = self.series.bar(len(self.series) - 1)
        self.overlay.set_last(close, "up" if close >= opened else "down")

    def _show_legend(self) -> None:
        index = len(self.series) - 1
        if self._mouse is not None:
            index = max(0, min(index, round(self._bar_at(self._mouse.x()))))
        self.overlay.set_legend(legend(self.series, index, self.places))

    # -- geometry ---------------------------------------------------------------------------
    def _bar_at(self, x: float) -> float:
        pane = self.overlay.frame.pane
        scale = self.scale_x
        return scale.left + (x - pane.left()) / max(1.0, pane.width()) * scale.span

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "overlay"):
            self.overlay.resize(self.viewport().size())
            self._layout.layout.activate()
            if self._fitted and len(self.series):
                self.scale_x.reset(len(self.series), self._price_box.width())
            self._changed_view()

    def _changed_view(self) -> None:
        """The user moved the view: that is shown at once."""
        self._dirty |= Dirty.VIEW
        self.flush()

    # -- mouse and keys ---------------------------------------------------------------------
    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = event.angleDelta()
        sideways = steps.x() or (
            steps.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0
        )
        if sideways:
            self.scale_x.pan(-sideways / 120.0 * self.scale_x.span * 0.08)
        else:
            anchor = self._bar_at(event.position().x())
            if self.scale_x.at_end:
                # Zooming at the live edge keeps the newest bar where it is.
                anchor = max(anchor, self.scale_x.count - 0.5)
            self.scale_x.zoom(ZOOM_STEP ** (-steps.y() / 120.0), anchor)
        self._fitted = False
        event.accept()
        self._changed_view()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if self.hand.busy:  # a second button: nothing is meant
            self.hand.give_up()
        elif event.button() == Qt.MouseButton.LeftButton:
            plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
            if plain and self.hand.press(event.position().toPoint()):
                return
            self.overlay.choose("")
            self._pressed = self._dragged_from = event.position()
            self._drag_axis = event.position().x() > self.overlay.frame.pane.right()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = event.position()
        if self.hand.busy:
            self.hand.move(position.toPoint())
        self._show_cursor(position.toPoint())
        if self._dragged_from is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._drag(position - self._dragged_from)
            self._dragged_from = position
        self._mouse = position.toPoint()
        self._show_cross()

    def _drag(self, moved: QPointF) -> None:
        pane = self.overlay.frame.pane
        if self._drag_axis:  # stretches prices around the middle
            self.scale_y.stretch(1.006 ** moved.y())
        else:
            self._fitted = self._fitted and not moved.x()
            self.scale_x.pan(-moved.x() / max(1.0, pane.width()) * self.scale_x.span)
            self.scale_y.pan(moved.y() / max(1.0, pane.height()))
        self._changed_view()

    def _show_cursor(self, at: QPoint) -> None:
        shapes = {"close": Qt.CursorShape.PointingHandCursor, "drag": Qt.CursorShape.SizeVerCursor}
        shape = shapes.get(self.hand.over(at), Qt.CursorShape.ArrowCursor)
        if self.viewport().cursor().shape() != shape:
            self.viewport().setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.hand.busy:
            left = event.button() == Qt.MouseButton.LeftButton
            meant = self.hand.release(event.position().toPoint()) if left else None
            if meant is not None and meant.price is None:
                self.line_closed.emit(meant.line.line_id)
            elif meant is not None and meant.price is not None:
                self.line_moved.emit(meant.line.line_id, meant.price)
            return
        pressed, self._pressed, self._dragged_from = self._pressed, None, None
        if pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        moved = event.position() - pressed
        frame = self.overlay.frame
        still = abs(moved.x()) + abs(moved.y()) < CLICK_SLACK
        wanted = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if wanted and still and len(self.series) and frame.pane.contains(pressed):
            self.price_picked.emit(frame.price(event.position().y()))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        frame = self.overlay.frame
        if len(self.series) and frame.pane.contains(QPointF(event.pos())):
            self.menu_wanted.emit(frame.price(event.pos().y()), event.globalPos())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.autofit()

    def autofit(self) -> None:
        """Newest bars, prices fitted."""
        self._fitted = True
        self.scale_x.reset(len(self.series), self._price_box.width())
        self.scale_y.reset()
        self._changed_view()

    def leaveEvent(self, event: QEvent) -> None:
        self._mouse = None
        self.overlay.set_cross(None)
        if len(self.series):
            self._show_legend()

    def _show_cross(self) -> None:
        if self._mouse is None or not len(self.series):
            return
        pane = self.overlay.frame.pane
        if not pane.left() <= self._mouse.x() <= pane.right():
            self.overlay.set_cross(None)
            return
        index = max(0, min(len(self.series) - 1, round(self._bar_at(self._mouse.x()))))
        share = (index - self.scale_x.left) / self.scale_x.span
        at = QPoint(round(pane.left() + share * pane.width()), self._mouse.y())
        self.overlay.set_cross(at, ticks.moment_text(self.series.time[index], self.intraday))
        self._show_legend()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # The keys of the chart are the dock's; Qt's own scrolling of a view means nothing here.
        escape = event.key() == Qt.Key.Key_Escape
        if escape:
            self.overlay.choose("")
        if not escape or not self.hand.give_up():
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.overlay.choose("")  # a key must not mean what nobody looks at any more
        super().focusOutEvent(event)

    def end_chosen_line(self) -> None:
        """As if the x of the chosen line was clicked."""
        line = self.overlay.chosen_line()
        self.overlay.choose("")
        if line is not None:
            self.line_closed.emit(line.line_id)

    def scroll_by(self, share: float) -> None:
        """Move by a part of what is seen; positive is later."""
        self._fitted = False
        self.scale_x.pan(self.scale_x.span * share)
        self._changed_view()

    def show_time(self, moment: float) -> bool:
        """Bring the bar of a moment (epoch seconds) to the middle; False where there is none."""
        index = int(np.searchsorted(self.series.time, moment, side="right")) - 1
        if index < 0:
            return False
        self._fitted = False
        self.scale_x.pan(index - (self.scale_x.left + self.scale_x.right) / 2)
        self._changed_view()
        return True

    def zoom_by(self, steps: int) -> None:
        """Fewer (positive) or more bars at once; the last one that is seen stays."""
        self._fitted = False
        self.scale_x.zoom(ZOOM_STEP**-steps, self.scale_x.right)
        self._changed_view()
