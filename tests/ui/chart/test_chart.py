"""The candle chart on synthetic bars: what is drawn, where, and what a paint costs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView, PriceLine
from openalgo_desktop.ui.chart.paint.primitives import Lines, Rects
from openalgo_desktop.ui.chart.scales.ticks import price_ticks, time_labels, time_ticks
from openalgo_desktop.ui.chart.scales.time_scale import START_SPAN, TimeScale
from openalgo_desktop.ui.chart.series import Series
from openalgo_desktop.ui.kit import theme
from tests.costs import calls, times_dearer

T0 = 1_795_491_900  # 24 Nov 2026 09:15 IST


def walk(count: int, seed: int = 7, step: int = 60, start: int = T0) -> Bars:
    """A random walk of ``count`` bars."""
    random = np.random.default_rng(seed)
    close = 24_000 + np.cumsum(random.normal(0, 5, count))
    opened = np.concatenate(([24_000.0], close[:-1]))
    reach = np.abs(random.normal(0, 4, count))
    return Bars(
        start + step * np.arange(count, dtype=np.int64),
        opened,
        np.maximum(opened, close) + reach,
        np.minimum(opened, close) - reach,
        close,
        random.integers(1_000, 90_000, count),
        np.zeros(count, np.int64),
    )


def one_bar(opened: float, high: float, low: float, close: float) -> Bars:
    pair = [np.array([v, v]) for v in (opened, high, low, close)]
    return Bars(np.array([T0, T0 + 60]), *pair, np.array([10, 10], np.int64), np.zeros(2, np.int64))


def shown(chart: ChartView, bars: Bars, interval: Interval = Interval.M1) -> ChartView:
    chart.set_bars(bars, interval, 2)
    QTest.qWait(1)  # the layout gives the panes their sizes
    chart.flush()
    return chart


def point(canvas: QWidget, at: QPoint) -> None:
    """Bring the pointer there, whatever an earlier test of the process left over it."""
    none = Qt.MouseButton.NoButton
    place, everywhere = QPointF(at), QPointF(canvas.mapToGlobal(at))
    event = QMouseEvent(
        QEvent.Type.MouseMove, place, everywhere, none, none, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(canvas, event)


def picture(chart: ChartView) -> QImage:
    return chart.grab().toImage()


def colour_count(image: QImage, role: str) -> int:
    """Pixels of exactly this colour role."""
    wanted = theme.current().color(role).rgb()
    width, height = image.width(), image.height()
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    data = np.frombuffer(image.constBits(), np.uint32).reshape(height, image.bytesPerLine() // 4)
    return int((data[:, :width] == np.uint32(wanted)).sum())


# -- pictures ---------------------------------------------------------------------------------
def test_candles_have_both_colours_and_stay_in_their_pane(chart: ChartView) -> None:
    image = picture(shown(chart, walk(400)))
    assert colour_count(image, "up") > 1_000
    assert colour_count(image, "down") > 1_000
    frame = chart.canvas.overlay.frame
    strip = image.copy(0, 0, int(frame.pane.width()), 3)  # over the highest price
    assert colour_count(strip, "up") == 0


def test_a_rising_and_a_falling_bar_are_drawn_at_their_prices(chart: ChartView) -> None:
    for bars, role in ((one_bar(100, 110, 95, 108), "up"), (one_bar(108, 110, 95, 100), "down")):
        image = picture(shown(chart, bars))
        frame = chart.canvas.overlay.frame
        scale = chart.canvas.scale_x
        x = frame.pane.left() + (0 - scale.left) / scale.span * frame.pane.width()
        for price, inside in ((104.0, True), (97.0, False), (109.0, False)):
            y = round(frame.y(price))
            beside = image.pixelColor(int(x) + 6, y)
            middle = image.pixelColor(int(x), y)
            assert (beside == theme.current().color(role)) is inside, (role, price)
            # The wick runs from the high to the low through the middle of the bar.
            near = {image.pixelColor(int(x) + dx, y).rgb() for dx in (-1, 0, 1)}
            assert theme.current().color(role).rgb() in near, (role, price, middle)
        outside = image.pixelColor(int(x), round(frame.y(93.5)))
        assert outside != theme.current().color(role)


def test_the_live_bar_moves_without_redrawing_closed_ones(chart: ChartView) -> None:
    bars = walk(300)
    shown(chart, bars)
    before = picture(chart)
    last = float(bars.close[-1])
    chart.update_last(int(bars.time[-1]), last, last + 3, last - 3, last + 2.5, 5_000)
    chart.flush()
    after = picture(chart)
    frame, scale = chart.canvas.overlay.frame, chart.canvas.scale_x
    live_left = int(
        frame.pane.left() + (len(bars) - 2.4 - scale.left) / scale.span * frame.pane.width()
    )
    legend = 40
    closed = (0, legend, live_left, int(frame.pane.height()) - legend)
    # The dotted line of the last price may cross closed bars; compare away from both of its places.
    rows = [round(frame.y(last)), round(frame.y(last + 2.5))]
    old, new = before.copy(*closed), after.copy(*closed)
    changed = {
        y + legend
        for y in range(old.height())
        if any(old.pixel(x, y) != new.pixel(x, y) for x in range(0, old.width(), 3))
    }
    assert all(any(abs(y - row) <= 12 for row in rows) for y in changed)
    right = (live_left, legend, 40, int(frame.pane.height()) - legend)
    assert before.copy(*right) != after.copy(*right)


def test_a_new_bar_is_followed_only_at_the_right_edge(chart: ChartView) -> None:
    bars = walk(500)
    shown(chart, bars)
    scale = chart.canvas.scale_x
    edge = scale.right
    chart.append_bar(int(bars.time[-1]) + 60, 24_000, 24_001, 23_999, 24_000.5, 1)
    assert scale.right == edge + 1
    scale.pan(-200)
    edge = scale.right
    chart.append_bar(int(bars.time[-1]) + 120, 24_000, 24_001, 23_999, 24_000.5, 1)
    assert scale.right == edge
    assert len(chart.canvas.series) == 502


def test_without_history_the_first_live_bar_is_in_view(chart: ChartView) -> None:
    shown(chart, Bars.empty())
    chart.update_last(T0, 100.0, 101.0, 99.0, 100.5, 10)
    chart.flush()
    scale = chart.canvas.scale_x
    assert scale.left < 0 < scale.right
    assert colour_count(picture(chart), "up") > 20


def test_older_bars_come_in_front_without_moving_the_view(chart: ChartView) -> None:
    bars = walk(200)
    shown(chart, bars)
    before = picture(chart)
    added = chart.prepend(walk(100, seed=3, start=T0 - 6_000))
    chart.flush()
    assert added == 100
    frame = chart.canvas.overlay.frame
    area = (0, 0, int(frame.pane.width()), int(frame.pane.height()))
    assert before.copy(*area) == picture(chart).copy(*area)


def test_order_lines_are_shown_inside_the_prices_only(chart: ChartView) -> None:
    bars = walk(200)
    shown(chart, bars)
    middle = float(np.median(bars.close[-100:]))
    plain = colour_count(picture(chart), "buy")
    chart.set_lines([PriceLine("1", middle, "BUY 75 LIMIT", "buy")])
    with_line = colour_count(picture(chart), "buy")
    assert with_line - plain > 300
    chart.set_lines([PriceLine("1", middle * 2, "BUY 75 LIMIT", "buy")])
    assert colour_count(picture(chart), "buy") == plain


def test_a_line_near_the_bars_is_brought_into_view(chart: ChartView) -> None:
    bars = walk(200)
    shown(chart, bars)
    _, high = chart.canvas.scale_y.range
    span = float(bars.high[-100:].max() - bars.low[-100:].min())
    chart.set_lines([PriceLine("1", high + 0.1 * span, "SELL", "sell")])
    chart.flush()
    assert chart.canvas.scale_y.range[1] > high + 0.1 * span
    chart.set_lines([PriceLine("1", high + 50 * span, "SELL", "sell")])
    chart.flush()
    assert chart.canvas.scale_y.range[1] < high + 5 * span


def test_ctrl_click_alone_gives_the_price_and_a_drag_pans(chart: ChartView, qtbot: QtBot) -> None:
    shown(chart, walk(600))
    canvas = chart.canvas
    prices: list[float] = []
    chart.price_picked.connect(prices.append)
    at = QPoint(400, 300)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
    assert prices == []
    ctrl = Qt.KeyboardModifier.ControlModifier
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, ctrl, at)
    assert prices == [pytest.approx(canvas.overlay.frame.price(300.0))]
    left = canvas.scale_x.left
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at)
    event_at = QPoint(600, 300)
    QTest.mouseMove(canvas, event_at)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=event_at)
    assert canvas.scale_x.left < left - 10
    assert len(prices) == 1


def test_the_theme_changes_the_picture(chart: ChartView, qapp: QApplication) -> None:
    dark = picture(shown(chart, walk(200)))
    theme.apply(qapp, "light")
    light = picture(chart)
    panel = theme.current().color("panel")
    assert light.pixelColor(5, 300) == panel != dark.pixelColor(5, 300)
    assert colour_count(light, "up") > 500
    theme.apply(qapp, "dark")


def test_both_ways_of_drawing_batches_agree(qapp: QApplication) -> None:
    pictures = []
    for fast in (True, False):
        image = QImage(200, 100, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        painter.setPen(QColor("#ff0000"))
        lines, rects = Lines(fast), Rects(fast)
        lines.array(50)[:] = [[x * 4 + 0.5, 5, x * 4 + 0.5, 5 + x] for x in range(50)]
        lines.draw(painter)
        painter.setBrush(QColor("#00ff00"))
        painter.setPen(Qt.PenStyle.NoPen)
        rects.array(40)[:] = [[x * 5, 60, 3, x % 7 + 1] for x in range(40)]
        rects.draw(painter)
        painter.end()
        pictures.append(image)
    assert pictures[0] == pictures[1]
    assert QColor(pictures[0].pixel(4, 6)) != QColor("#000000")


# -- cost -------------------------------------------------------------------------------------
def repaint(chart: ChartView) -> None:
    chart.flush()
    QApplication.sendPostedEvents()
    chart.canvas.repaint(chart.canvas.visibleRegion().boundingRect())


class Moving:
    """A chart that shows its last 1,500 bars and is ticked, moved and repainted."""

    def __init__(self, chart: ChartView, bars: Bars) -> None:
        self.chart = shown(chart, bars)
        self.scale = chart.canvas.scale_x
        self.last, self.moment = float(bars.close[-1]), int(bars.time[-1])
        self.moves = count()
        self.zoom(1_500 / self.scale.span)

    def zoom(self, by: float) -> None:
        self.scale.zoom(by, self.scale.right)
        self.chart.canvas.changed_view()
        repaint(self.chart)

    def tick(self) -> None:
        close = self.last + next(self.moves) % 1000 * 0.003
        self.chart.update_last(self.moment, self.last, self.last + 3, self.last - 3, close, 5_000)
        repaint(self.chart)

    def pan(self) -> None:
        self.scale.pan(-1.3)
        self.chart.canvas.changed_view()
        repaint(self.chart)


def test_a_paint_costs_what_is_shown_not_what_is_there(
    chart: ChartView, make_chart: Callable[[], ChartView]
) -> None:
    many, few = Moving(chart, walk(50_000)), Moving(make_chart(), walk(2_000))
    for peer in (many, few):
        peer.tick()
        peer.pan()
    for many_acts, few_acts, most in ((many.tick, few.tick, 2_200), (many.pan, few.pan, 4_000)):
        made, peers = calls(many_acts), calls(few_acts)
        assert made < 1.25 * peers < 1.25 * most, (made, peers)
        assert times_dearer(many_acts, few_acts) < 2.5
    many.zoom(1e9)  # all 50,000, as many together as fit
    for many_acts, few_acts in ((many.tick, few.tick), (many.pan, few.pan)):
        assert calls(many_acts) < 1.25 * calls(few_acts)
        assert times_dearer(many_acts, few_acts) < 2.5


# -- parts without Qt ---------------------------------------------------------------------------
def test_merged_bars_keep_extremes_and_ends() -> None:
    series = Series(walk(1_000))
    merged = series.visible(0, 1_000, 7)
    plain = series.visible(0, 1_000)
    assert merged.high.max() == plain.high.max()
    assert merged.low.min() == plain.low.min()
    assert merged.open[0] == plain.open[0]
    assert merged.close[-1] == plain.close[-1]
    assert merged.high[1] == plain.high[7:14].max()
    assert merged.open[1] == plain.open[7]
    assert merged.close[1] == plain.close[13]


def test_groups_do_not_change_while_the_view_moves() -> None:
    series = Series(walk(1_000))
    one, two = series.visible(100, 900, 8), series.visible(103, 900, 8)
    shared = set(one.x.tolist()) & set(two.x.tolist())
    assert len(shared) >= len(two.x) - 1
    assert all(x % 8 == 3.5 for x in shared)


def test_prepend_leaves_out_what_is_known_and_appends_grow() -> None:
    series = Series(walk(300))
    assert series.prepend(walk(300, start=T0 - 60 * 290)) == 290
    assert len(series) == 590
    assert np.all(np.diff(series.time) == 60)
    for index in range(2_000):
        series.append(T0 + 60 * (300 + index), 1.0, 2.0, 0.5, 1.5, 3.0)
    assert len(series) == 2_590
    assert series.bar(2_589) == (1.0, 2.0, 0.5, 1.5, 3.0)


def test_the_view_never_loses_all_bars() -> None:
    scale = TimeScale()
    scale.reset(1_000)
    assert scale.span == pytest.approx(START_SPAN)
    scale.pan(1e6)
    assert scale.left < 1_000
    scale.pan(-1e6)
    assert scale.right > 0
    scale.zoom(1e-9, scale.right)
    assert scale.span >= 1


def test_round_prices() -> None:
    assert price_ticks(23_951, 24_052, 5, 0.05) == [23_975, 24_000, 24_025, 24_050]
    assert price_ticks(5, 5, 5, 0.05) == []
    assert price_ticks(10.0, 10.2, 50, 0.05)[:2] == pytest.approx([10.0, 10.05])


def test_times_are_labelled_in_ist() -> None:
    bars = walk(375)
    places = time_ticks(bars.time, 0, 375, 8, True)
    labels = time_labels(bars.time, places, True)
    assert labels[0] == "10:00"
    assert all(label.endswith(("00", "30")) for label in labels)
    two_days = Bars(
        np.concatenate((bars.time, bars.time + 86_400)),
        *(np.tile(column, 2) for column in (bars.open, bars.high, bars.low, bars.close)),
        np.tile(bars.volume, 2),
        np.tile(bars.oi, 2),
    )
    places = time_ticks(two_days.time, 0, 750, 8, True)
    assert "25 Nov" in time_labels(two_days.time, places, True)


def test_the_crosshair_names_the_bar(chart: ChartView) -> None:
    shown(chart, walk(300))
    overlay = chart.canvas.overlay
    point(chart.canvas, QPoint(300, 200))
    assert overlay._cross is not None
    assert "Nov" in overlay._cross_time
    index = round(chart.canvas.stage.bar_at(QPointF(overlay._cross).x()))
    text = " ".join(part for part, _ in overlay._legend)
    assert f"{chart.canvas.series.bar(index)[0]:,.2f}" in text


def test_labels_of_near_lines_do_not_cover_each_other(chart: ChartView) -> None:
    bars = walk(200)
    shown(chart, bars)
    middle = float(np.median(bars.close[-100:]))
    chart.set_lines([PriceLine("1", middle, "BUY 75 LIMIT", "buy")])
    chart.set_lines(
        [
            PriceLine("1", middle, "BUY 75 LIMIT", "buy"),
            PriceLine("2", middle, "150 NRML", "position"),
        ]
    )
    chart.flush()
    image, overlay = picture(chart), chart.canvas.overlay
    for line_id, role, other in (("1", "buy", "position"), ("2", "position", "buy")):
        chip, _ = overlay.chip_of(line_id)
        part = image.copy(chip.adjusted(1, 1, -1, -1))
        assert colour_count(part, role) > 4 and colour_count(part, other) == 0
