"""The chart as the docks see it. The canvas is built when the first bars arrive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QSize, Signal, SignalInstance
from PySide6.QtGui import QAccessible, QPixmap, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import Profile
from openalgo_desktop.core.charting.transforms.rows import TransformedBars
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart.layer import Layer
from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.plots.study import Compared, StudyView
from openalgo_desktop.ui.chart.scales.price_scale import ScaleKind
from openalgo_desktop.ui.chart.series import Floats
from openalgo_desktop.ui.kit import format as fmt

if TYPE_CHECKING:
    from openalgo_desktop.ui.chart.canvas.stage import Volume
    from openalgo_desktop.ui.chart.canvas.widget import Canvas


#: Theme, density or text scale are others now.
RESTYLE = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)


#: Part of what is seen that a key scrolls.
SCROLL = 0.1


class ChartView(QWidget):
    """Candles with volume.

    Wheel zooms, drag pans, dragging the price axis stretches prices, a double click fits again.
    Data calls only note what changed; :meth:`flush` draws it, once a frame.
    """

    price_picked = Signal(float)
    menu_wanted = Signal(float, QPoint)
    line_dragged = Signal(str, float)  # id, price under the pointer: it is on its way
    line_moved = Signal(str, float)
    line_closed = Signal(str)
    older_wanted = Signal()  # the first bar is near; until prepend or no_more it is not said again
    range_moved = Signal(float, float)  # moments at the edges, epoch seconds
    cross_moved = Signal(object, float)  # moment under the pointer or None, the price there
    far_cross_moved = Signal(object)  # moment under the pointer in another chart, or None
    taken_up = Signal()  # the hand or the keys came here
    study_menu = Signal(str, QPoint)  # id of a legend's row, place on the screen
    study_asked = Signal(str, str)  # id of a legend's row; hide, settings or close
    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._canvas: Canvas | None = None
        self._lines: Sequence[PriceLine] = ()
        self._layers: list[tuple[Layer, SignalInstance, SignalInstance]] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._left = 0  # widgets before the canvas

    def sizeHint(self) -> QSize:
        return QSize(720, 420)

    @property
    def canvas(self) -> Canvas:
        """The drawing part, built when it is first asked for."""
        if self._canvas is None:
            from openalgo_desktop.ui.chart.canvas.widget import Canvas

            self._canvas = Canvas(self)
            self._canvas.setObjectName(f"{self.objectName() or 'chart'}-canvas")
            self._canvas.setAccessibleName(self.accessibleName() or "Chart")
            self._connect(self._canvas)
            self._canvas.set_lines(self._lines)
            self.setFocusProxy(self._canvas)
            self._row.insertWidget(self._left, self._canvas, 1)
            for row in self._layers:
                self._attach(*row)
        return self._canvas

    @property
    def has_bars(self) -> bool:
        """Whether there is a series to be seen."""
        return self._canvas is not None and len(self._canvas.series) > 0

    def _connect(self, canvas: Canvas) -> None:
        canvas.resized.connect(self.resized)
        canvas.price_picked.connect(self.price_picked)
        canvas.menu_wanted.connect(self.menu_wanted)
        canvas.line_dragged.connect(self.line_dragged)
        canvas.line_moved.connect(self.line_moved)
        canvas.line_closed.connect(self.line_closed)
        canvas.older_wanted.connect(self.older_wanted)
        canvas.range_moved.connect(self.range_moved)
        canvas.cross_moved.connect(self.cross_moved)
        canvas.taken_up.connect(self.taken_up)
        canvas.study_menu.connect(self.study_menu)
        canvas.study_asked.connect(self.study_asked)

    # -- beside the canvas ------------------------------------------------------------------
    def put_left(self, widget: QWidget) -> None:
        """A widget at the left of the canvas."""
        self._row.insertWidget(self._left, widget)
        self._left += 1

    def put_right(self, widget: QWidget) -> None:
        """A widget at the right of the canvas."""
        self._row.addWidget(widget)

    def add_layer(self, layer: Layer, changed: SignalInstance, moved: SignalInstance) -> None:
        """Put a layer on the canvas, now or when it is built; ``changed`` tells that its part of
        the kept picture is another, ``moved`` that of what is on top."""
        self._layers.append((layer, changed, moved))
        if self._canvas is not None:
            self._attach(layer, changed, moved)

    def _attach(self, layer: Layer, changed: SignalInstance, moved: SignalInstance) -> None:
        canvas = self.canvas
        canvas.add_layer(layer)
        changed.connect(lambda: canvas.layer_changed(layer))
        moved.connect(lambda: canvas.layer_moved(layer))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    # -- data -------------------------------------------------------------------------------
    def set_bars(
        self, bars: Bars, interval: Interval | Span, places: int, tick: float = 0.0
    ) -> None:
        """Show a new series; ``places`` are the decimals of its tick size, ``tick`` that size in
        rupees (0: the last decimal)."""
        self.canvas.set_bars(bars, interval, places, tick)

    def append_bar(self, time: int, *values: float) -> None:
        """A new bar began: open, high, low, close, volume and, where known, open interest. The
        view follows when it is at the right edge."""
        self.canvas.append_bar(time, *values)

    def update_last(self, time: int, *values: float) -> None:
        """The forming bar changed."""
        self.canvas.update_last(time, *values)

    def prepend(self, bars: Bars) -> int:
        """Put older bars in front; the view stays. Returns how many were added."""
        return self.canvas.prepend(bars)

    def splice(self, first: int, bars: Bars) -> None:
        """Have ``bars`` in place of all from index ``first`` on; the view does not jump."""
        self.canvas.splice(first, bars)

    def set_rows(
        self,
        rows: TransformedBars,
        interval: Interval | Span,
        places: int,
        tick: float = 0.0,
        box: float = 0.0,
    ) -> None:
        """Show what a transform made of the bars; ``box`` is that of point and figure, rupees."""
        self.canvas.set_rows(rows, interval, places, tick, box)

    def rows_put_before(self, rows: TransformedBars) -> None:
        """The same with rows of older bars in front; the view stays."""
        self.canvas.rows_put_before(rows)

    def rows_changed(self, first: int, rows: TransformedBars) -> None:
        """Rows from index ``first`` on are others now, more or fewer; ``rows`` has all of them."""
        self.canvas.rows_changed(first, rows)

    def set_market(self, price: float | None) -> None:
        """The last price where it is not the close of the last bar; None: it is."""
        self.canvas.set_market(price)

    def no_more(self) -> None:
        """There are no older bars."""
        self.canvas.no_more()

    # -- what is shown beside the bars --------------------------------------------------------
    def set_kind(self, kind: str) -> None:
        """Draw the series in another way, by an id of ``paint.kinds.KINDS``."""
        self.canvas.set_kind(kind)

    def set_scale(self, kind: ScaleKind, inverted: bool = False) -> None:
        """Linear, logarithmic or in per cent of the first bar in view; upside down."""
        self.canvas.set_scale(kind, inverted)

    @property
    def price_edges(self) -> tuple[float, float] | None:
        """Prices at the edges while they do not follow the bars; None while they do."""
        scale = self.canvas.scale_y
        return None if scale.auto else scale.range

    def keep_prices(self, edges: tuple[float, float] | None = None) -> None:
        """Keep prices at the edges: these, else those of now."""
        self.canvas.lock_scale(edges or self.canvas.scale_y.range)

    def follow_prices(self) -> None:
        """Let the edges follow the bars."""
        self.canvas.lock_scale(None)

    def set_volume(self, where: Volume) -> None:
        """Where volumes are drawn."""
        self.canvas.set_volume(where)

    def set_studies(self, views: Sequence[StudyView]) -> None:
        """Show these studies and no others."""
        self.canvas.set_studies(views)

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
        self.canvas.set_study_values(ident, values, profiles, closed=closed)

    def set_overlays(self, others: Sequence[Compared]) -> None:
        """Show these series beside the main one."""
        self.canvas.set_compared(others)

    def compared_moved(self, *, closed: bool = False) -> None:
        """Closes of compared series changed in place: the last ones, or ``closed`` ones too."""
        self.canvas.compared_changed(closed=closed)

    def set_countdown(self, text: str) -> None:
        """What is said under the last price; empty for nothing."""
        self.canvas.overlay.set_countdown(text)

    def set_touch(self, bid: float, ask: float) -> None:
        """Show best bid and ask, rupees; 0 shows none."""
        self.canvas.overlay.set_touch(bid, ask)

    def set_gaps(self, gaps: Sequence[tuple[float, float]]) -> None:
        """Shade where history is missing (epoch seconds)."""
        self.canvas.set_gaps(gaps)

    def set_sessions(self, shown: bool) -> None:
        """Divide days by lines."""
        self.canvas.set_sessions(shown)

    # -- other charts -------------------------------------------------------------------------
    def visible_times(self) -> tuple[float, float]:
        """Moments at the left and right edge, epoch seconds."""
        return self.canvas.visible_times()

    def show_range(self, start: float, end: float) -> None:
        """Bring these moments to the edges."""
        self.canvas.show_range(start, end)

    def set_cross_time(self, moment: float | None) -> None:
        """Show where the pointer is in another chart; None shows nothing."""
        self.canvas.set_cross_time(moment)
        self.far_cross_moved.emit(moment)

    def picture(self) -> QPixmap:
        """The chart as it is seen, without the pointer."""
        return self.canvas.picture()

    def save(self) -> dict[str, object]:
        """Heights of panes, kind of scale, place of volumes: what a layout keeps."""
        return self.canvas.stage.save() | {"kind": self.canvas.stage.kind.kind}

    def restore(self, state: Mapping[str, object]) -> None:
        """Take what :meth:`save` gave."""
        self.canvas.restore(state)

    def set_lines(self, lines: Sequence[PriceLine]) -> None:
        """Replace the order and position lines."""
        self._lines = tuple(lines)
        if self._canvas is not None:
            self._canvas.set_lines(self._lines)

    def set_ghost(self, line: PriceLine | None, price: float = 0.0) -> None:
        """Show where a line would go; None shows none, and a line that is held is let go."""
        if self._canvas is not None:
            if line is None:
                self._canvas.hand.give_up()
            self._canvas.overlay.set_ghost(line, price)

    def set_ghost_note(self, text: str) -> None:
        """Say something beside the line that is dragged; empty says nothing."""
        if self._canvas is not None:
            self._canvas.overlay.set_ghost_note(text)

    def place_of(self, price: float) -> QPoint:
        """Right end of a price's line, in this widget's coordinates."""
        frame = self.canvas.overlay.frame
        inner = QPoint(round(frame.pane.right()), round(frame.y(price)))
        return self.canvas.mapTo(self, inner)

    @property
    def shown_lines(self) -> Sequence[PriceLine]:
        """The lines of now."""
        return self._lines

    def set_stale(self, stale: bool) -> None:
        """Whether the last price is too old: it turns grey then."""
        if self._canvas is not None:
            self._canvas.overlay.set_stale(stale)

    def go_to_now(self) -> None:
        """Show the newest bars, prices fitted."""
        if self._canvas is not None:
            self._canvas.autofit()

    def answers(self) -> dict[str, Callable[[], object]]:
        """What is done at the keys that every chart has, by their ids."""
        return {
            "back": lambda: self.scroll_by(-SCROLL),
            "forward": lambda: self.scroll_by(SCROLL),
            "zoom-in": lambda: self.zoom_by(1),
            "zoom-out": lambda: self.zoom_by(-1),
            "now": self.go_to_now,
        }

    def choose_next_line(self) -> None:
        """Choose a line by key."""
        if self._canvas is not None:
            self._canvas.overlay.choose_next()

    def leave_line(self) -> None:
        """Choose no line any more."""
        if self._canvas is not None:
            self._canvas.overlay.choose("")

    def end_chosen_line(self) -> None:
        """Ask for the end of the line that is chosen, if one is."""
        if self._canvas is not None:
            self._canvas.end_chosen_line()

    def scroll_by(self, share: float) -> None:
        """Move by a part of what is seen; positive is later."""
        if self._canvas is not None:
            self._canvas.scroll_by(share)

    def show_time(self, moment: float) -> bool:
        """Bring the bar of a moment (epoch seconds) to the middle; False where there is none."""
        return self._canvas is not None and self._canvas.show_time(moment)

    def zoom_by(self, steps: int) -> None:
        """Fewer (positive) or more bars at once."""
        if self._canvas is not None:
            self._canvas.zoom_by(steps)

    # -- drawing ----------------------------------------------------------------------------
    def flush(self) -> None:
        """Draw what changed since the last call."""
        if self._canvas is None:
            return
        self._canvas.flush()
        series = self._canvas.series
        # With nobody who reads, a text from when the chart was opened does.
        read = QAccessible.isActive() or not self._canvas.accessibleDescription()
        if len(series) and read:
            last = series.bar(len(series) - 1)
            names = ("open", "high", "low", "close")
            texts = (fmt.price(value, self._canvas.places) for value in last[:4])
            told = "Last bar: " + ", ".join(map(" ".join, zip(names, texts, strict=True)))
            places = self._canvas.places
            for line in self._lines:
                told += f"; {line.text} at {fmt.price(line.price, places)}"
            self._canvas.setAccessibleDescription(told)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in RESTYLE and self._canvas is not None:
            self._canvas.restyle()
        super().changeEvent(event)
