"""The peers: an empty plot, pyqtgraph's technique of one picture, vn.py, finplot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPicture
from PySide6.QtWidgets import QWidget
from worker import HEIGHT, WIDTH, Data

UP, DOWN = "#26a69a", "#ef5350"


class _Nothing(pg.GraphicsObject):
    """An item of the size of the bars that draws nothing."""

    def __init__(self, bars: Data) -> None:
        super().__init__()
        self._rect = QRectF(
            -1, float(bars.low.min()), len(bars.time) + 2, float(np.ptp(bars.close)) + 2
        )

    def boundingRect(self) -> QRectF:
        return self._rect

    def paint(self, painter: QPainter, *_: object) -> None:
        return


class _Picture(_Nothing):
    """The technique of pyqtgraph's example of an own item: all bars in one picture, drawn anew
    whenever one of them changes."""

    def __init__(self, bars: Data) -> None:
        super().__init__(bars)
        self._bars = bars
        self.draw()

    def draw(self) -> None:
        """All bars into the picture."""
        self._picture = QPicture()
        painter = QPainter(self._picture)
        pens = pg.mkPen(DOWN), pg.mkPen(UP)
        brushes = pg.mkBrush(DOWN), pg.mkBrush(UP)
        columns = (column.tolist() for column in self._bars[1:5])
        for index, (opened, high, low, close) in enumerate(zip(*columns, strict=True)):
            rises = close >= opened
            painter.setPen(pens[rises])
            painter.setBrush(brushes[rises])
            if high > low:
                painter.drawLine(QPointF(index, low), QPointF(index, high))
            painter.drawRect(QRectF(index - 0.3, opened, 0.6, close - opened))
        painter.end()

    def paint(self, painter: QPainter, *_: object) -> None:
        painter.drawPicture(0, 0, self._picture)


class Empty:
    """A plot with its axes: the cost of a frame of pyqtgraph. Two lines are its crosshair."""

    item_type = _Nothing

    def prepare(self, bars: Data) -> None:
        self.bars = bars

    def open(self) -> QWidget:
        self.plot = pg.PlotWidget()
        self.plot.hideButtons()
        self.item = self.item_type(self.bars)
        self.plot.addItem(self.item)
        self.lines = pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=0)
        for line in self.lines:
            self.plot.addItem(line, ignoreBounds=True)
        self.plot.scene().sigMouseMoved.connect(self._moved)
        self.show(0, len(self.bars.time))
        self.target = self.plot.viewport()
        return self.plot

    def show(self, left: float, right: float) -> None:
        """These bars, prices fitted."""
        self.left, self.right = left, right
        first, last = max(0, int(left)), min(len(self.bars.time), int(right) + 1)
        low, high = self.bars.low[first:last].min(), self.bars.high[first:last].max()
        self.plot.setRange(xRange=(left, right), yRange=(float(low), float(high)), padding=0)

    def _moved(self, place: QPointF) -> None:
        point = self.plot.getViewBox().mapSceneToView(place)
        self.lines[0].setPos(point.x())
        self.lines[1].setPos(point.y())

    def change(self, number: int) -> None:
        """The last bar."""
        self.bars.close[-1] += 0.01 if number % 2 else -0.01

    def tick(self, number: int) -> None:
        self.change(number)
        self.item.update()

    def pan(self, number: int) -> None:
        step = 1.3 if number % 20 < 10 else -1.3
        self.show(self.left - step, self.right - step)

    def zoom(self, number: int) -> None:
        span = self.right - self.left
        self.show(self.right - span / 1.18 if number % 2 else self.right - span * 1.18, self.right)

    def close(self, window: QWidget) -> None:
        window.hide()
        window.deleteLater()


class Picture(Empty):
    """The same plot with the candles of the example."""

    item_type = _Picture

    def tick(self, number: int) -> None:
        self.change(number)
        self.item.draw()
        self.item.update()


class VnPy:
    """The chart widget of vn.py with candles, volume and its cursor."""

    def prepare(self, bars: Data) -> None:
        from vnpy.trader.constant import Exchange, Interval
        from vnpy.trader.object import BarData

        start = datetime(2025, 1, 1, tzinfo=UTC)
        columns = (column.tolist() for column in bars[1:])
        self.rows = [
            BarData(
                symbol="X", exchange=Exchange.LOCAL, gateway_name="", interval=Interval.MINUTE,
                datetime=start + timedelta(minutes=index), open_price=opened, high_price=high,
                low_price=low, close_price=close, volume=volume,
            )
            for index, (opened, high, low, close, volume) in enumerate(zip(*columns, strict=True))
        ]  # fmt: skip

    def open(self) -> QWidget:
        from vnpy.chart import CandleItem, ChartWidget, VolumeItem

        chart = self.chart = ChartWidget()
        chart.add_plot("candle", hide_x_axis=True)
        chart.add_plot("volume", maximum_height=200)
        chart.add_item(CandleItem, "candle", "candle")
        chart.add_item(VolumeItem, "volume", "volume")
        chart.add_cursor()
        chart.resize(WIDTH, HEIGHT)
        chart._bar_count = len(self.rows)
        chart.update_history(self.rows)
        self.target = chart.viewport()
        return chart

    def tick(self, number: int) -> None:
        last = self.rows[-1]
        last.close_price += 0.01 if number % 2 else -0.01
        self.chart.update_bar(last)

    def pan(self, number: int) -> None:
        # Its own limits keep it from going where no bars are: a view a little smaller.
        chart = self.chart
        chart._bar_count = len(self.rows) - 30
        chart._right_ix = len(self.rows) - 1 - 1.3 * (number % 10)
        chart._update_x_range()

    def zoom(self, number: int) -> None:
        chart = self.chart
        (chart._on_key_up if number % 2 else chart._on_key_down)()

    def close(self, window: QWidget) -> None:
        window.hide()
        window.deleteLater()


class Finplot:
    """finplot with candles and volume."""

    def prepare(self, bars: Data) -> None:
        import pandas

        index = pandas.to_datetime(bars.time, unit="s")
        columns = {"open": bars.open, "close": bars.close, "high": bars.high, "low": bars.low}
        self.frame = pandas.DataFrame(columns, index=index)
        self.volume = self.frame[["open", "close"]].assign(volume=bars.volume)

    def open(self) -> QWidget:
        import finplot

        axis = finplot.create_plot("x", init_zoom_periods=len(self.frame), maximize=False)
        self.axis = axis[0] if isinstance(axis, list) else axis
        self.candles = finplot.candlestick_ochl(self.frame, ax=self.axis)
        finplot.volume_ocv(self.volume, ax=self.axis.overlay())
        finplot.show(qt_exec=False)
        window = self.axis.vb.win
        self.target = window.viewport()
        return window

    def tick(self, number: int) -> None:
        place = self.frame.columns.get_loc("close")
        self.frame.iloc[-1, place] += 0.01 if number % 2 else -0.01
        self.candles.update_data(self.frame)

    def pan(self, number: int) -> None:
        # As with vn.py: a view that is a little smaller can move.
        left = 20 + 1.3 * (number % 10)
        self.axis.vb.update_y_zoom(left, left + len(self.frame) - 40)

    def zoom(self, number: int) -> None:
        box = self.axis.vb
        view = box.targetRect()
        factor = 1 / 1.18 if number % 2 else 1.18
        box.update_y_zoom(view.right() - view.width() * factor, view.right())

    def close(self, window: QWidget) -> None:
        import finplot

        window.hide()  # as its own show() lets go of everything when the window was closed
        for kept in (finplot.windows, finplot.overlay_axs, finplot.master_data):
            kept.clear()
        finplot._clear_timers()
        finplot.last_ax = None


__all__ = ["Empty", "Finplot", "Picture", "VnPy"]
