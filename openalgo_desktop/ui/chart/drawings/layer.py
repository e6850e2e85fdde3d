"""The layer of drawings: what is finished lies in the kept picture, what is in hand on top.

Two clicks or one drag place a line; Shift makes ways straight, Escape gives up, a right click ends
what has any number of points. A press on a drawing chooses and moves it, with Ctrl or Alt a copy
of it. Tags of lines are beside the panes, where no layer is asked.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from openalgo_desktop.core.charting.drawings.geometry.sheet import Point
from openalgo_desktop.core.charting.drawings.model import Drawing, Tool
from openalgo_desktop.core.charting.drawings.tools import title
from openalgo_desktop.ui.chart.drawings.board import Board
from openalgo_desktop.ui.chart.drawings.drawn import PRICES, DrawnLayer
from openalgo_desktop.ui.chart.drawings.moving import Grab, moved
from openalgo_desktop.ui.chart.drawings.pane import DrawingPane
from openalgo_desktop.ui.chart.drawings.placing import Placing, anchor_at
from openalgo_desktop.ui.chart.layer import Projection

#: A press that moves less than this is a click, pixels.
SLACK = 4.0
_COPY = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}


class DrawingsLayer(DrawnLayer):
    """A :class:`~openalgo_desktop.ui.chart.layer.Layer`. Its owner puts it on a canvas and
    forwards ``base_changed`` and ``top_changed`` to ``layer_changed`` and ``layer_moved``."""

    base_changed = Signal()
    top_changed = Signal()
    price_picked = Signal(float)  # Ctrl+click without a drag: it means the ticket, as elsewhere
    text_wanted = Signal(str)  # ident: ask what it says
    first_text_wanted = Signal(str)  # the same of one that was just placed
    settings_wanted = Signal(str)  # ident
    menu_wanted = Signal(str, QPoint)  # ident, place in the canvas
    study_wanted = Signal(str, object)  # id of a study, its parameters: the chart adds it

    def __init__(
        self,
        board: Board,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(board, parent)
        self._pressed: Point | None = None
        self._dragged = False
        self._picks = False  # the press is a Ctrl+click until it moves
        self._ended = False  # by this very right click
        self._last_at: Projection | None = None
        board.changed.connect(self.base_changed)
        board.chosen_changed.connect(self.top_changed)
        board.tool_changed.connect(self._on_tool)

    def _on_tool(self) -> None:
        placing = self._placing
        if placing is not None and placing.tool is not self.board.tool:
            self._placing = None
        if self.board.tool is not None:
            self._passing = None
        self.top_changed.emit()

    # -- mouse ------------------------------------------------------------------------------
    def press(self, event: QMouseEvent, at: Projection) -> bool:
        self._ended = False
        self._last_at = at
        if self._passing is not None:
            self._passing = None
            self.top_changed.emit()
        if at.number != PRICES:
            self.board.choose(())
            return False
        if self.board.tool is not None:
            return self._press_tool(event, at)
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        return self._press_drawing(event, at)

    def _press_tool(self, event: QMouseEvent, at: Projection) -> bool:
        if event.button() == Qt.MouseButton.RightButton:
            placing = self._placing
            self._ended = True
            if placing is None or not placing.finish():
                self.cancel()
            else:
                self._finish(placing)
            return True
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        self._pressed, self._dragged = _place(event), False
        self._click(event, at)
        return True

    def _click(self, event: QMouseEvent, at: Projection) -> None:
        tool = self.board.tool
        if tool is None:
            return
        pane, place = DrawingPane(at), _place(event)
        if self._placing is None:
            self._placing = Placing(tool, self.board.made(tool))
        placing = self._placing
        origin = placing.last_place(pane) if event.modifiers() & _SHIFT else None
        placing.click(anchor_at(place, pane, tool, self.board.magnet, origin), place, pane)
        if placing.done:
            self._finish(placing)
        self.top_changed.emit()

    def _press_drawing(self, event: QMouseEvent, at: Projection) -> bool:
        board, place = self.board, _place(event)
        handle = self._handle(place, at)
        row = handle[0] if handle is not None else self.drawing_at(event.position(), at)
        if row is None:
            board.choose(())
            return False
        if event.modifiers() & _SHIFT and handle is None:
            rest = tuple(one for one in board.chosen if one != row.ident)
            board.choose(rest if row.ident in board.chosen else (*rest, row.ident))
            return True
        if row.ident not in board.chosen:
            board.choose((row.ident,))
        copies = bool(event.modifiers() & _COPY) and handle is None
        self._picks = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        rows = [one for one in board.chosen_ones if board.can_move(one)]
        if handle is not None:
            rows = [row] if board.can_move(row) else []
        if not rows:
            return False  # what cannot be moved lets the chart be dragged
        if copies:
            rows = board.copy(rows)
        self._pressed, self._dragged = place, False
        self._grab = Grab(rows, handle[1] if handle is not None else None, place, copies)
        return True

    def move(self, event: QMouseEvent, at: Projection) -> None:
        place = _place(event)
        if self._pressed is not None and self._pressed.far(place) >= SLACK:
            started, self._dragged = not self._dragged, True
            if started and self._grab is not None:
                self._held = list(self._grab.drawings)
                self.base_changed.emit()
        straight = bool(event.modifiers() & _SHIFT)
        if self._placing is not None:
            self._ahead(place, at, straight)
        elif self._grab is not None and self._dragged:
            pane = DrawingPane(at)
            self._held = self._grab.to(place, pane, self.board.magnet, straight)
            self.top_changed.emit()

    def _ahead(self, place: Point, at: Projection, straight: bool) -> None:
        placing, pane = self._placing, DrawingPane(at)
        if placing is None:
            return
        origin = placing.last_place(pane) if straight else None
        anchor = anchor_at(place, pane, placing.tool, self.board.magnet, origin)
        if placing.tool.hand:
            placing.stroke(anchor, place)
        else:
            placing.ahead = anchor
        self.top_changed.emit()

    def release(self, event: QMouseEvent, at: Projection) -> None:
        dragged, self._pressed, self._dragged = self._dragged, None, False
        placing, grab = self._placing, self._grab
        if placing is not None:
            if placing.tool.hand:
                if placing.finish():
                    self._finish(placing)
                else:
                    self._placing = None
            elif dragged:  # press, drag, release is a line of two points
                self._click(event, at)
        elif grab is not None:
            held, self._held, self._grab = self._held, [], None
            if dragged and held:
                self._let_go(grab, held)
            elif self._picks:
                self.price_picked.emit(at.value(event.position().y()))
            self.base_changed.emit()

    def _let_go(self, grab: Grab, held: list[Drawing]) -> None:
        name = title(held[0]) if len(held) == 1 else "drawings"
        self.board.put(f"Copy {name}" if grab.copies else f"Move {name}", held)
        if grab.copies:
            self.board.choose(row.ident for row in held)

    def _finish(self, placing: Placing) -> None:
        """What was placed becomes a drawing, a study of the chart, or a passing measure."""
        board, tool, drawing = self.board, placing.tool, placing.drawing
        self._placing = None
        if tool.study:
            board.take(None)
            times = sorted(int(anchor.time) for anchor in drawing.anchors)
            self.study_wanted.emit(tool.study, dict(zip(tool.params, times, strict=True)))
        elif tool.passing:
            board.take(tool if board.stay else None)
            self._passing = drawing
        else:
            board.put(f"Draw {tool.title}", [drawing])
            if not board.stay:
                board.take(None)
                board.choose((drawing.ident,))
            if tool.written:
                self.first_text_wanted.emit(drawing.ident)
        self.top_changed.emit()

    def hover(self, point: QPointF, at: Projection) -> Qt.CursorShape | None:
        self._last_at = at
        if at.number != PRICES:
            self._mark("")
            return None
        if self.board.tool is not None:
            if self._placing is not None:
                place = Point(point.x(), point.y())
                if not self._placing.tool.hand:
                    straight = bool(QApplication.keyboardModifiers() & _SHIFT)
                    self._ahead(place, at, straight)
            return Qt.CursorShape.CrossCursor
        place = Point(point.x(), point.y())
        handle = self._handle(place, at)
        row = handle[0] if handle is not None else self.drawing_at(point, at)
        self._mark(row.ident if row is not None else "")
        if row is None:
            return None
        if not self.board.can_move(row):
            return Qt.CursorShape.ArrowCursor
        return Qt.CursorShape.SizeAllCursor if handle is None else Qt.CursorShape.PointingHandCursor

    def _mark(self, ident: str) -> None:
        if ident != self._hovered:
            self._hovered = ident
            self.top_changed.emit()

    def double_click(self, event: QMouseEvent, at: Projection) -> bool:
        if at.number != PRICES:
            return False
        placing = self._placing
        if self.board.tool is not None:
            if placing is not None and not placing.tool.limit and placing.finish():
                self._finish(placing)
            else:
                self._click(event, at)
            return True
        row = self.drawing_at(event.position(), at)
        if row is None:
            return False
        written = self.board.tool_of(row).written
        (self.text_wanted if written else self.settings_wanted).emit(row.ident)
        return True

    def menu(self, point: QPointF, at: Projection) -> bool:
        if self._ended:
            self._ended = False
            return True
        if at.number != PRICES:
            return False
        row = self.drawing_at(point, at)
        if row is None:
            return False
        if row.ident not in self.board.chosen:
            self.board.choose((row.ident,))
        self.menu_wanted.emit(row.ident, point.toPoint())
        return True

    # -- keys -------------------------------------------------------------------------------
    def key(self, event: QKeyEvent) -> bool:
        """Arrows move the chosen drawings by a bar or a tick; with Shift by ten."""
        step = _ARROWS.get(Qt.Key(event.key()))
        if step is None or event.modifiers() & ~(_SHIFT | Qt.KeyboardModifier.KeypadModifier):
            return False
        many = 10 if event.modifiers() & _SHIFT else 1
        return self.nudge(step[0] * many, step[1] * many)

    def nudge(self, bars: int, ticks: int) -> bool:
        """Move the chosen drawings; False when none can be."""
        at = self._last_at
        rows = [row for row in self.board.chosen_ones if self.board.can_move(row)]
        if not rows or at is None:
            return False
        pane = DrawingPane(at)
        anchor = rows[0].anchors[0]
        down = at.y(anchor.price + ticks * at.tick) - at.y(anchor.price)
        self.board.put("Move", [moved(row, pane, bars, down) for row in rows], "nudge")
        return True

    def delete_chosen(self) -> bool:
        """Take the chosen drawings away; False when none is chosen."""
        chosen = self.board.chosen_ones
        self.board.delete([row for row in chosen if self.board.can_move(row)])
        return bool(chosen)

    def cancel(self) -> bool:
        """Give up what is in hand: first what is being placed or moved, then the tool. What is
        chosen stays: a menu or a bar that takes the focus is about it."""
        if self._placing is not None or self._grab is not None or self._passing is not None:
            self._placing = self._grab = self._passing = self._pressed = None
            self._held = []
            self.base_changed.emit()
            return True
        if self.board.tool is not None:
            self.board.take(None)
            return True
        return False

    @property
    def in_hand(self) -> Tool | None:
        """The tool that is being placed."""
        return self._placing.tool if self._placing is not None else None


def _place(event: QMouseEvent) -> Point:
    return Point(event.position().x(), event.position().y())
