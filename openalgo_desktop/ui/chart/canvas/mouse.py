"""What the mouse does on a chart. Layers are asked first, from the top down, then lines of orders,
then dividers and axes; what is left pans and zooms."""

from __future__ import annotations

from enum import Enum
from math import nan
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QWheelEvent

from openalgo_desktop.ui.chart.canvas.pane import LEAST, Pane
from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.over.fold_menu import offer
from openalgo_desktop.ui.kit.widgets import plain_tip

if TYPE_CHECKING:
    from openalgo_desktop.ui.chart.canvas.widget import Canvas

#: A press that moves less than this is a click, pixels.
CLICK_SLACK = 4
#: So near a divider takes the press, pixels.
DIVIDER_REACH = 3
#: Part of the axis's values that a pixel of a drag adds.
STRETCH = 1.006
#: Part of what is seen that a step of a sideways wheel moves.
SIDEWAYS = 0.08


class Drag(Enum):
    """What a drag with the left button does."""

    PAN = "pan"
    VALUES = "values"  # stretches the value axis
    TIMES = "times"  # stretches the time axis
    DIVIDER = "divider"  # moves the edge between two panes


class Mouse:
    """One of a canvas."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._pressed: QPointF | None = None
        self._from: QPointF | None = None
        self._drag = Drag.PAN
        self._pane: Pane | None = None  # whose axis or upper edge is dragged

    # -- where -------------------------------------------------------------------------------
    def _layer_at(self, point: QPointF) -> At | None:
        """The geometry for layers: of the pane with the gesture, else of that under the pointer."""
        canvas = self._canvas
        stage = canvas.stage
        if not len(stage.series):
            return None
        taken = canvas.layers.taken
        if taken is not None:
            held = stage.pane(taken)
            return None if held is None else stage.at(held)
        pane = stage.pane_at(point.y())
        if pane is None or not pane.rect.contains(point):
            return None
        return stage.at(pane)

    def _divider(self, point: QPointF) -> Pane | None:
        """The pane whose upper edge is under the pointer."""
        area = self._canvas.stage.area
        if not area.left() <= point.x() <= area.right():
            return None
        lower = self._canvas.stage.panes[1:]
        near = (p for p in lower if abs(p.rect.top() - point.y()) <= DIVIDER_REACH)
        return next(near, None)

    def _meant(self, point: QPointF) -> tuple[Drag, Pane | None]:
        stage = self._canvas.stage
        if point.x() > stage.area.right():
            return Drag.VALUES, stage.pane_at(point.y())
        if point.y() > stage.bottom:
            return Drag.TIMES, None
        divider = self._divider(point)
        if divider is not None:
            return Drag.DIVIDER, divider
        return Drag.PAN, stage.pane_at(point.y())

    # -- gestures ----------------------------------------------------------------------------
    def let_go(self) -> None:
        """What was pressed meant what is not shown any more."""
        self._pressed = self._from = None

    def press(self, event: QMouseEvent) -> None:
        """A button went down."""
        canvas, point = self._canvas, event.position()
        if canvas.hand.busy or canvas.layers.taken is not None:
            canvas.cancel()  # a second button: nothing is meant
            return
        at = self._layer_at(point)
        if at is not None and canvas.layers.press(event, at):
            canvas.overlay.choose("")
            return
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if self._press_row(event) or self._press_fold(event):
            return
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if plain and canvas.hand.press(point.toPoint()):
            return
        canvas.overlay.choose("")
        self._pressed = self._from = point
        self._drag, self._pane = self._meant(point)

    def move(self, event: QMouseEvent) -> None:
        """The pointer moved, with a button or without."""
        canvas, point = self._canvas, event.position()
        if canvas.layers.taken is not None:
            at = self._layer_at(point)
            if at is not None:
                canvas.layers.move(event, at)
        elif canvas.hand.busy:
            dragged = canvas.hand.move(point.toPoint())
            if dragged is not None and dragged.price is not None:
                canvas.line_dragged.emit(dragged.line.line_id, dragged.price)
        elif self._from is not None and event.buttons() & Qt.MouseButton.LeftButton:
            moved, self._from = point - self._from, point
            self._move_by(moved)
        else:
            self._show_cursor(point)
        canvas.at = point.toPoint()
        canvas.overlay.hold(canvas.at)
        canvas.show_cross()

    def _move_by(self, moved: QPointF) -> None:
        canvas, pane = self._canvas, self._pane
        if self._drag is Drag.VALUES and pane is not None:
            pane.scale.stretch(STRETCH ** moved.y())
        elif self._drag is Drag.TIMES:
            canvas.fitted = False
            canvas.scale_x.zoom(STRETCH ** -moved.x(), canvas.scale_x.right)
            canvas.moved_by_hand()
            return
        elif self._drag is Drag.DIVIDER and pane is not None:
            self._move_divider(pane, moved.y())
        elif self._drag is Drag.PAN:
            area = canvas.stage.area
            canvas.fitted = canvas.fitted and not moved.x()
            canvas.stage.pan(-moved.x() / max(1.0, area.width()) * canvas.scale_x.span)
            if pane is not None:
                pane.scale.pan(moved.y() / max(1.0, pane.rect.height()))
            canvas.moved_by_hand()
            return
        canvas.changed_view()

    def _move_divider(self, lower: Pane, by: float) -> None:
        """Give what one pane loses to the other."""
        stage = self._canvas.stage
        upper = stage.panes[stage.panes.index(lower) - 1]
        both = upper.rect.height() + lower.rect.height()
        high = min(max(upper.rect.height() + by, LEAST), both - LEAST)
        if both < 2 * LEAST:
            return
        weight = upper.weight + lower.weight
        upper.weight, lower.weight = weight * high / both, weight * (both - high) / both
        stage.place(stage.width, stage.height)

    def _press_row(self, event: QMouseEvent) -> bool:
        """A press in the legend; True when it was on a row that can be asked something."""
        canvas = self._canvas
        ident, spot = canvas.overlay.row_at(event.position().toPoint())
        if ident and spot == "text":
            canvas.study_menu.emit(ident, event.globalPosition().toPoint())
        elif ident:
            canvas.study_asked.emit(ident, spot)
        return bool(ident)

    def _press_fold(self, event: QMouseEvent) -> bool:
        """A press on a folded tag offers its lines: it means none of them."""
        canvas = self._canvas
        lines = canvas.overlay.fold_at(event.position().toPoint())
        if lines:
            offer(canvas, canvas.overlay, lines, event.globalPosition().toPoint())
        return bool(lines)

    def _show_cursor(self, point: QPointF) -> None:
        canvas = self._canvas
        at = self._layer_at(point)
        shape = canvas.layers.hover(point, at) if at is not None else None
        row, _ = canvas.overlay.row_at(point.toPoint())
        canvas.overlay.hover_row(row)
        tag = canvas.overlay.words_at(point.toPoint())
        if canvas.toolTip() != plain_tip(tag):
            canvas.setToolTip(plain_tip(tag))
        if shape is None and (row or canvas.overlay.fold_at(point.toPoint())):
            shape = Qt.CursorShape.PointingHandCursor
        if shape is None:
            over = canvas.hand.over(point.toPoint())
            shape = {
                "close": Qt.CursorShape.PointingHandCursor,
                "drag": Qt.CursorShape.SizeVerCursor,
            }.get(over)
        if shape is None and self._divider(point) is not None:
            shape = Qt.CursorShape.SplitVCursor
        canvas.pointer(shape or Qt.CursorShape.ArrowCursor)

    def release(self, event: QMouseEvent) -> None:
        """A button was let go."""
        canvas, point = self._canvas, event.position()
        if canvas.layers.taken is not None:
            at = self._layer_at(point)
            if at is not None:
                canvas.layers.release(event, at)
            return
        if canvas.hand.busy:
            self._let_line_go(event)
            return
        pressed, self._pressed, self._from = self._pressed, None, None
        if pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        moved = point - pressed
        frame = canvas.overlay.frame
        still = abs(moved.x()) + abs(moved.y()) < CLICK_SLACK
        wanted = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if wanted and still and len(canvas.series) and frame.pane.contains(pressed):
            canvas.price_picked.emit(frame.price(point.y()))

    def _let_line_go(self, event: QMouseEvent) -> None:
        canvas = self._canvas
        left = event.button() == Qt.MouseButton.LeftButton
        meant = canvas.hand.release(event.position().toPoint()) if left else None
        if meant is not None and meant.price is None:
            canvas.line_closed.emit(meant.line.line_id)
        elif meant is not None and meant.price is not None:
            canvas.line_moved.emit(meant.line.line_id, meant.price)

    def double_click(self, event: QMouseEvent) -> None:
        """Fit what is under the pointer: an axis, the panes at a divider, else the whole view."""
        canvas, point = self._canvas, event.position()
        at = self._layer_at(point)
        if at is not None and canvas.layers.double_click(event, at):
            return
        drag, pane = self._meant(point)
        if drag is Drag.VALUES and pane is not None:
            pane.scale.reset()
            canvas.changed_view()
        elif drag is Drag.DIVIDER:
            canvas.stage.even_out()
            canvas.changed_view()
        else:
            canvas.autofit()

    def menu(self, event: QContextMenuEvent) -> None:
        """A right click."""
        canvas, point = self._canvas, QPointF(event.pos())
        at = self._layer_at(point)
        if at is not None and canvas.layers.menu(point, at):
            return
        row, _ = canvas.overlay.row_at(event.pos())
        if row:
            canvas.study_menu.emit(row, event.globalPos())
            return
        frame = canvas.overlay.frame
        inside = frame.pane.left() <= point.x() < frame.pane.right()
        if len(canvas.series) and frame.pane.contains(point):
            canvas.menu_wanted.emit(frame.price(point.y()), event.globalPos())
        elif len(canvas.series) and inside and frame.other_at(point.y()) is not None:
            canvas.menu_wanted.emit(nan, event.globalPos())

    def wheel(self, event: QWheelEvent) -> None:
        """Zoom at the pointer, or move sideways."""
        canvas, steps = self._canvas, event.angleDelta()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        sideways = steps.x() or (steps.y() if shift else 0)
        event.accept()
        if sideways:
            canvas.scroll_by(-sideways / 120.0 * SIDEWAYS)
            return
        anchor = canvas.stage.bar_at(event.position().x())
        if canvas.scale_x.at_end:
            # Zooming at the live edge keeps the newest bar where it is.
            anchor = max(anchor, canvas.scale_x.count - 0.5)
        canvas.zoom_by(steps.y() / 120.0, anchor)

    def leave(self) -> None:
        """The pointer left the chart."""
        canvas = self._canvas
        canvas.at = None
        canvas.overlay.hold(None)
        canvas.overlay.hover_row("")
        canvas.overlay.set_cross(None)
        canvas.show_legend()
        canvas.cross_moved.emit(None, 0.0)
