"""The widget of a chart: what the mouse, the keys and other charts do with what it shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart.canvas.mouse import Mouse
from openalgo_desktop.ui.chart.canvas.surface import Surface
from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.over.line_hand import LineHand
from openalgo_desktop.ui.chart.scales import ticks

ZOOM_STEP = 1.18


class Canvas(Surface):
    """A surface that is scrolled, zoomed and pointed at."""

    price_picked = Signal(float)  # Ctrl+click: a plain click means nothing
    menu_wanted = Signal(float, QPoint)  # price there (NaN below the prices), place on the screen
    line_dragged = Signal(str, float)  # id of a line, the price where it is held now
    line_moved = Signal(str, float)  # id of a line, the price where it was let go
    line_closed = Signal(str)  # id of a line whose x was pressed and released
    cross_moved = Signal(object, float)  # moment (epoch seconds) or None, price under the pointer
    resized = Signal()
    taken_up = Signal()  # the hand or the keys came here
    study_menu = Signal(str, QPoint)  # id of a legend's row, place on the screen
    study_asked = Signal(str, str)  # id of a legend's row and its spot: hide, settings, close

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.hand = LineHand(self.overlay)
        self.mouse = Mouse(self)

    def set_bars(
        self, bars: Bars, interval: Interval | Span, places: int, tick: float = 0.0
    ) -> None:
        """Show a new series from its end; what the mouse holds is given up."""
        self.cancel()
        super().set_bars(bars, interval, places, tick)

    def set_lines(self, lines: Sequence[PriceLine]) -> None:
        """Order and position lines."""
        super().set_lines(lines)
        self.hand.lines_changed()

    # -- geometry ---------------------------------------------------------------------------
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.overlay.resize(self.size())
        self.stage.gutter = self.overlay.room_wanted(self.width(), self.stage.gutter)
        self.stage.place(self.width(), self.height())
        if self.fitted and len(self.series):
            self.scale_x.reset(len(self.series), self.stage.prices.rect.width())
        self.changed_view()
        self.resized.emit()

    # -- what is in view --------------------------------------------------------------------
    def show_range(self, start: float, end: float) -> None:
        """Bring these moments to the edges."""
        left, right = self.series.index_of(start), self.series.index_of(end)
        if right > left and len(self.series):
            self.fitted = False
            self.scale_x.show(left, right)
            self.moved_along()

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
        self.stage.pan(self.scale_x.span * share)
        self.moved_by_hand()

    def show_time(self, moment: float) -> bool:
        """Bring the bar of a moment (epoch seconds) to the middle; False where there is none."""
        index = int(np.searchsorted(self.series.time, moment, side="right")) - 1
        if index < 0:
            return False
        self.fitted = False
        self.stage.pan(index - (self.scale_x.left + self.scale_x.right) / 2)
        self.moved_along()
        return True

    def zoom_by(self, steps: float, anchor: float | None = None) -> None:
        """Fewer (positive) or more bars at once; the bar at ``anchor`` stays, the last one that is
        seen where none is given."""
        self.fitted = False
        stays = self.scale_x.right if anchor is None else anchor
        self.scale_x.zoom(ZOOM_STEP**-steps, stays)
        self.moved_by_hand(stays if steps < 0 else None)

    # -- mouse and keys ---------------------------------------------------------------------
    def wheelEvent(self, event: QWheelEvent) -> None:
        self.mouse.wheel(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.taken_up.emit()
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
        at, stage = self.at, self.stage
        if at is None or not len(self.series):
            return
        pane = stage.prices.rect
        if not pane.left() <= at.x() <= pane.right():
            self.overlay.set_cross(None)
            self.cross_moved.emit(
                None, 0.0
            )  # over the scale: no bar is meant, nor is one elsewhere
            return
        index = max(0, min(len(self.series) - 1, round(stage.bar_at(at.x()))))
        place = QPoint(round(stage.x_of(index)), at.y())
        time = self.series.time[index]
        self.overlay.set_cross(place, ticks.moment_text(time, stage.intraday))
        self.show_legend()
        self.cross_moved.emit(float(time), self.overlay.frame.price(at.y()))

    def set_cross_time(self, moment: float | None) -> None:
        """Show where the pointer is in another chart (epoch seconds): at the bar that holds that
        moment. None shows nothing."""
        index = -1 if moment is None else math.floor(self.series.index_of(moment) + 1e-6)
        if moment is None or self.at is not None or not 0 <= index < len(self.series):
            self.overlay.set_far_cross(None)
            return
        x, pane = self.stage.x_of(index), self.stage.prices.rect
        text = ticks.moment_text(self.series.time[index], self.stage.intraday)
        inside = pane.left() <= x <= pane.right()
        self.overlay.set_far_cross(round(x) if inside else None, text)

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
        self.mouse.let_go()
        held = self.layers.cancel()
        return self.hand.give_up() or held

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.taken_up.emit()
        super().focusInEvent(event)

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
