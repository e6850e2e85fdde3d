"""What is drawn again and when, who hears the mouse, and how charts follow one another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import Draw, Output
from openalgo_desktop.ui.chart import ChartView, PriceLine
from openalgo_desktop.ui.chart.layer import Projection
from openalgo_desktop.ui.chart.over.legend import LegendRow
from openalgo_desktop.ui.chart.plots.rows import fitted
from openalgo_desktop.ui.chart.plots.study import StudyView
from tests.ui.chart.test_chart import T0, colour_count, picture, point, shown, walk

LEFT = Qt.MouseButton.LeftButton


def painted(chart: ChartView) -> int:
    """Bring everything to the screen; how often the kept picture was drawn by now."""
    chart.flush()
    chart.canvas.repaint()
    QApplication.sendPostedEvents()
    return chart.canvas.renders


# -- what is drawn again ------------------------------------------------------------------------
def test_a_tick_a_pointer_and_a_line_draw_no_history(chart: ChartView) -> None:
    bars = walk(400)
    shown(chart, bars)
    study = StudyView("s", "S", (Output("a", "A", Draw.LINE),), (bars.close.copy(),))
    chart.set_studies((study,))
    last, moment = float(bars.close[-1]), int(bars.time[-1])
    chart.set_lines([PriceLine("1", last, "BUY 9", "buy")])  # the first one takes room
    before = painted(chart)
    for step in range(4):
        chart.update_last(moment, last, last + 1, last - 1, last + step / 4, 10)
        study.values[0][-1] = last + step / 4
        chart.set_study_values("s")
        chart.set_touch(last - 1, last + 1)
        chart.set_countdown(f"00:0{step}")
        QTest.mouseMove(chart.canvas, QPoint(200 + 30 * step, 200))
        chart.set_lines([PriceLine("1", last, f"BUY {step}", "buy")])
        painted(chart)
    assert chart.canvas.renders == before
    chart.set_study_values("s", closed=True)
    assert painted(chart) == before + 1
    chart.append_bar(moment + 60, last, last + 1, last - 1, last, 1)
    assert painted(chart) == before + 2
    chart.scroll_by(-0.1)
    chart.scroll_by(-0.1)
    assert painted(chart) == before + 3  # two moves of one frame are one picture


def test_the_forming_bar_and_its_line_are_as_in_a_new_picture(chart: ChartView) -> None:
    bars = walk(300)
    shown(chart, bars)
    study = StudyView("s", "S", (Output("a", "A", Draw.LINE, "study-3", 1.5),), (bars.close + 2,))
    chart.set_studies((study,))
    painted(chart)
    last, moment = float(bars.close[-1]), int(bars.time[-1])
    chart.update_last(moment, last, last + 4, last - 4, last + 3, 70_000)
    study.values[0][-1] = last + 1
    chart.set_study_values("s")
    painted(chart)
    after_ticks = picture(chart)
    chart.canvas.redraw()
    assert picture(chart) == after_ticks


@pytest.mark.parametrize("kind", ["candles", "line", "area", "step", "kagi"])
def test_older_bars_do_not_move_the_picture_by_a_pixel(chart: ChartView, kind: str) -> None:
    chart.set_kind(kind)
    shown(chart, walk(200))
    scale = chart.canvas.scale_x
    scale.pan(-7.3)
    chart.canvas.changed_view()
    painted(chart)
    before, rect = picture(chart), chart.canvas.stage.prices.rect.toRect()
    assert chart.prepend(walk(1_234, seed=3, start=T0 - 60 * 1_234)) == 1_234
    chart.flush()
    assert picture(chart).copy(rect) == before.copy(rect)


def test_older_bars_are_wanted_once_until_they_come(chart: ChartView) -> None:
    asked: list[int] = []
    chart.older_wanted.connect(lambda: asked.append(1))
    shown(chart, walk(1_000))
    chart.scroll_by(-1.0)
    assert asked == []
    chart.scroll_by(-6.0)
    chart.scroll_by(-0.1)
    chart.scroll_by(-0.1)
    assert len(asked) == 1
    chart.prepend(walk(0))  # a window without trade: the next one is asked for
    chart.flush()
    assert len(asked) == 2
    chart.no_more()
    chart.scroll_by(-0.2)
    assert len(asked) == 2
    shown(chart, walk(30))
    assert len(asked) == 3


def test_a_span_is_as_good_as_an_interval(chart: ChartView) -> None:
    chart.set_bars(walk(50), Span.parse("7m"), 2)
    assert chart.canvas.stage.intraday
    chart.set_bars(walk(50), Span.parse("3D"), 2, 0.05)
    assert not chart.canvas.stage.intraday and chart.canvas.stage.tick == 0.05


def test_bars_stand_on_whole_pixels_at_fractional_ratios(chart: ChartView) -> None:
    shown(chart, walk(120))
    stage = chart.canvas.stage
    for ratio in (1.0, 1.25, 1.5, 2.0):
        stage.ratio = ratio
        at = stage.at(stage.prices)
        columns, rows = at.columns(np.arange(100.0)), at.rows(np.array([23_990.3, 24_001.7]))
        assert np.array_equal(columns, np.floor(columns)) and np.array_equal(rows, np.floor(rows))
        assert columns[50] / ratio == pytest.approx(at.x(50), abs=1.0)
        pixmap = chart.canvas.kept
        pixmap.forget()
        kept = pixmap.pixmap()
        assert kept.devicePixelRatio() == ratio
        assert kept.width() == int(np.ceil(stage.width * ratio))
        # No pixel is a mixture: colours of candles come whole.
        image = kept.toImage().copy(at.pane.toRect())
        assert colour_count(image, "up") > 100


# -- layers -------------------------------------------------------------------------------------
class Recorder:
    """A layer that writes down what it hears; it takes presses in its half of the pane."""

    def __init__(self, name: str, heard: list[str], takes: bool = True) -> None:
        self.name, self.heard, self.takes = name, heard, takes
        self.held = False
        self.base = self.top = 0
        self.panes: list[int] = []

    def say(self, what: str) -> None:
        self.heard.append(f"{self.name} {what}")

    def paint_base(self, painter: QPainter, at: Projection) -> Iterator[None]:
        self.base += 1
        self.panes.append(at.number)
        painter.fillRect(10, round(at.pane.top()) + 60, 5, 5, Qt.GlobalColor.magenta)
        yield

    def shifted(self, at: Projection, way: float) -> None:
        """Nothing of it moves with the bars."""

    def paint_again(self, painter: QPainter, at: Projection) -> None:
        raise AssertionError("it never said that anything is right")

    def paint_top(self, painter: QPainter, at: Projection) -> None:
        self.top += 1

    def press(self, event: QMouseEvent, at: Projection) -> bool:
        self.say("press")
        self.held = self.takes
        return self.takes

    def move(self, event: QMouseEvent, at: Projection) -> None:
        self.say(f"move {at.number}")

    def release(self, event: QMouseEvent, at: Projection) -> None:
        self.say("release")
        self.held = False

    def hover(self, point: QPointF, at: Projection) -> Qt.CursorShape | None:
        self.say("hover")
        return Qt.CursorShape.CrossCursor if self.takes else None

    def double_click(self, event: QMouseEvent, at: Projection) -> bool:
        self.say("double")
        return self.takes

    def menu(self, point: QPointF, at: Projection) -> bool:
        self.say("menu")
        return self.takes

    def key(self, event: QKeyEvent) -> bool:
        self.say("key")
        return self.takes

    def cancel(self) -> bool:
        held, self.held = self.held, False
        self.say("cancel")
        return held


def test_layers_are_asked_from_the_top_and_painted_from_the_bottom(chart: ChartView) -> None:
    shown(chart, walk(300))
    canvas, heard = chart.canvas, []
    low, high = Recorder("low", heard), Recorder("high", heard, takes=False)
    canvas.add_layer(low)
    canvas.add_layer(high)
    painted(chart)
    assert low.base == high.base == 2 and set(low.panes) == {0, -1}
    left = canvas.scale_x.left
    QTest.mousePress(canvas, LEFT, pos=QPoint(300, 200))
    assert heard == ["high press", "low press"]
    heard.clear()
    QTest.mouseMove(canvas, QPoint(340, 650))  # over another pane: still the first one's
    QTest.mouseRelease(canvas, LEFT, pos=QPoint(340, 650))
    assert heard == ["low move 0", "low release"]
    assert canvas.scale_x.left == left  # the chart did not pan
    heard.clear()
    QTest.mouseMove(canvas, QPoint(341, 200))
    assert heard == ["high hover", "low hover"]
    assert canvas.cursor().shape() is Qt.CursorShape.CrossCursor
    QTest.keyClick(canvas, Qt.Key.Key_T)
    assert heard[-2:] == ["high key", "low key"]
    low.takes = False
    QTest.mousePress(canvas, LEFT, pos=QPoint(300, 200))
    QTest.mouseMove(canvas, QPoint(400, 200))
    QTest.mouseRelease(canvas, LEFT, pos=QPoint(400, 200))
    assert canvas.scale_x.left < left
    canvas.remove_layer(low)
    heard.clear()
    QTest.mouseClick(canvas, LEFT, pos=QPoint(300, 200))
    assert heard == ["high press"]


def test_a_gesture_of_a_layer_ends_with_escape_a_second_button_or_the_symbol(
    chart: ChartView,
) -> None:
    shown(chart, walk(300))
    canvas, heard = chart.canvas, []
    layer = Recorder("one", heard)
    canvas.add_layer(layer)
    ends = (
        lambda: QTest.keyClick(canvas, Qt.Key.Key_Escape),
        lambda: QTest.mousePress(canvas, Qt.MouseButton.RightButton, pos=QPoint(300, 200)),
        lambda: chart.set_bars(walk(50), Span.parse("5m"), 2),
        lambda: canvas.remove_layer(layer),
    )
    for end in ends:
        QTest.mousePress(canvas, LEFT, pos=QPoint(300, 200))
        assert layer.held
        heard.clear()
        end()
        assert "one cancel" in heard and not layer.held
        QTest.mouseRelease(canvas, LEFT, pos=QPoint(300, 200))
        assert "one release" not in heard


def test_only_what_a_layer_keeps_draws_the_picture_again(chart: ChartView) -> None:
    shown(chart, walk(300))
    layer = Recorder("one", [])
    chart.canvas.add_layer(layer)
    before, top = painted(chart), layer.top
    chart.canvas.layer_moved(layer)
    QApplication.sendPostedEvents()
    assert chart.canvas.renders == before and layer.top > top
    chart.canvas.layer_changed(layer)
    assert painted(chart) == before + 1


# -- other charts ---------------------------------------------------------------------------------
def test_a_range_and_a_pointer_go_from_chart_to_chart(chart: ChartView) -> None:
    shown(chart, walk(600))
    moved: list[tuple[float, float]] = []
    crossed: list[object] = []
    chart.range_moved.connect(lambda start, end: moved.append((start, end)))
    chart.cross_moved.connect(lambda moment, _price: crossed.append(moment))
    chart.show_range(T0 + 60 * 100, T0 + 60 * 160)
    assert moved[-1] == pytest.approx((T0 + 6_000, T0 + 9_600))
    assert chart.visible_times() == moved[-1]
    chart.show_range(T0, T0)  # no range
    assert len(moved) == 1
    at = QPoint(round(chart.canvas.stage.x_of(130)), 200)
    point(chart.canvas, at)
    assert crossed[-1] == T0 + 60 * 130
    QApplication.sendEvent(chart.canvas, QEvent(QEvent.Type.Leave))
    assert crossed[-1] is None
    chart.set_cross_time(T0 + 60 * 150)
    far = chart.canvas.overlay._far_cross
    assert far is not None and far[0] == round(chart.canvas.stage.x_of(150))
    before = painted(chart)
    chart.set_cross_time(T0 + 60 * 500)  # out of view
    assert chart.canvas.overlay._far_cross is None
    assert painted(chart) == before


def test_bid_ask_and_countdown_stand_beside_the_last_price(chart: ChartView) -> None:
    bars = walk(200)
    shown(chart, bars)
    last = float(bars.close[-1])
    chart.set_touch(last - 0.05, last + 0.05)
    chart.set_countdown("01:23")
    chart.flush()
    overlay = chart.canvas.overlay
    places = overlay._places_of(last).others
    y, tall = overlay.frame.y(last), overlay._rows.tag_height
    for place in places:
        assert place is not None
        assert place <= y - tall + 1 or place >= y + 2 * tall - 1
    image = picture(chart)
    right = round(overlay.frame.pane.right())
    beneath = image.copy(right + 2, round(y) + tall // 2 + 2, 60, tall - 3)
    count = beneath.width() * beneath.height()
    assert 40 < count - colour_count(beneath, "panel") < count / 2
    assert colour_count(image, "sell") > 100 and colour_count(image, "buy") > 100


def test_missing_history_and_days_can_be_seen(chart: ChartView) -> None:
    two_days = walk(750)
    two_days.time[375:] += 86_400 - 375 * 60
    shown(chart, two_days)
    chart.show_range(float(two_days.time[340]), float(two_days.time[420]))
    plain = picture(chart)
    chart.set_sessions(True)
    divided = picture(chart)
    assert colour_count(divided, "border-strong") > colour_count(plain, "border-strong") + 300
    chart.set_gaps([(float(two_days.time[380]), float(two_days.time[390]))])
    shaded = picture(chart)
    at = chart.canvas.stage.at(chart.canvas.stage.prices)
    place = QPoint(int(at.x(385.5)), int(at.pane.bottom()) - 3)
    assert shaded.pixelColor(place) != plain.pixelColor(place)
    # Days that are missing between two bars shade all that is between them.
    night = float(two_days.time[374]) + 3600.0, float(two_days.time[375]) - 3600.0
    chart.set_gaps([night])
    between = picture(chart)
    place.setX(round(at.x(374.5)))
    assert between.pixelColor(place) != plain.pixelColor(place)


def test_in_a_low_chart_the_lowest_panes_give_way_and_come_back(chart: ChartView) -> None:
    shown(chart, walk(300))
    values = np.linspace(10.0, 90.0, 300)
    output = Output("a", "A", Draw.LINE)
    chart.set_studies([StudyView(str(n), "One", (output,), (values,), n) for n in (1, 2, 3)])
    stage = chart.canvas.stage
    stage.place(600.0, 520.0)
    assert [pane.number for pane in stage.panes] == [0, -1, 1, 2, 3]
    saved = stage.save()
    stage.place(600.0, 200.0)
    assert [pane.number for pane in stage.panes] == [0, 1]  # volumes first
    assert stage.prices.rect.height() >= 110 and stage.save() == saved
    stage.place(600.0, 110.0)
    assert [pane.number for pane in stage.panes] == [0]
    chart.canvas.redraw()
    chart.flush()  # what has no pane is not drawn
    stage.place(600.0, 520.0)
    assert len(stage.panes) == 5


def test_the_legend_leaves_a_low_chart_to_the_candles(chart: ChartView) -> None:
    prices, below = QRectF(0, 0, 400, 120), QRectF(0, 120, 400, 60)
    rows = [LegendRow(str(n), prices, (("One", "text"),)) for n in range(4)]
    lower = LegendRow("r", below, (("RSI", "text"),))
    found = fitted([*rows, lower], prices, 20.0)
    assert [row.ident for row in found] == ["0", "1", "r"]
    assert found[1].parts[-1] == ("+2", "muted") and found[0] == rows[0]
    assert fitted([*rows, lower], prices.adjusted(0, 0, 0, 120), 20.0) == (*rows, lower)
