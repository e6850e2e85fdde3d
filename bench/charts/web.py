"""lightweight-charts in a web engine, as programs in Python show it."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = "--no-sandbox --disable-gpu"

from PySide6.QtCore import QEventLoop, QPointF, QTimer
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QWidget
from worker import HEIGHT, WIDTH, Data

_PAGE = """<html><body style="margin:0"><div id="c"></div><script>%s</script><script>
const chart = LightweightCharts.createChart(document.getElementById("c"),
  {width: %d, height: %d, timeScale: {minBarSpacing: 0.001}});
const candles = chart.addCandlestickSeries ? chart.addCandlestickSeries()
  : chart.addSeries(LightweightCharts.CandlestickSeries);
let last = null;
function done(n) { requestAnimationFrame(() => requestAnimationFrame(() => {
  document.title = "done " + n; })); }
function fill(rows, n) { candles.setData(rows); last = rows[rows.length - 1];
  chart.timeScale().setVisibleLogicalRange({from: 0, to: rows.length}); done(n); }
function tick(n) { last.close += n %% 2 ? 0.01 : -0.01; candles.update(last); done(n); }
function move(step, n) { const r = chart.timeScale().getVisibleLogicalRange();
  chart.timeScale().setVisibleLogicalRange({from: r.from - step, to: r.to - step}); done(n); }
function zoom(f, n) { const r = chart.timeScale().getVisibleLogicalRange();
  chart.timeScale().setVisibleLogicalRange({from: r.to - (r.to - r.from) * f, to: r.to}); done(n); }
function cross(i, p, n) { chart.setCrosshairPosition(p, i, candles); done(n); }
</script></body></html>"""


class Pane(QWidget):
    """Painted when the page says that it has drawn: that ends a step. The pointer is moved by the
    library's own call, so that the web engine's handling of events is not counted."""

    def __init__(self, web: Web) -> None:
        super().__init__()
        self._web = web

    def mapToGlobal(self, place: QPointF) -> QPointF:
        self._web.cross(place)
        return super().mapToGlobal(place)


class Web:
    """Candles in a page."""

    def prepare(self, bars: Data) -> None:
        self.bars = bars
        columns = zip(*(column.tolist() for column in bars[:5]), strict=True)
        names = ("time", "open", "high", "low", "close")
        self.rows = json.dumps([dict(zip(names, row, strict=True)) for row in columns])
        self.number = 0

    def open(self) -> QWidget:
        place = importlib.util.find_spec("lightweight_charts")
        assert place is not None and place.origin is not None
        library = next(Path(place.origin).parent.glob("js/lightweight-charts*.js"))
        window = QWidget()
        window.resize(WIDTH, HEIGHT)
        self.view = QWebEngineView(window)
        self.view.resize(WIDTH, HEIGHT)
        self.target = Pane(self)
        self.target.resize(20, 20)
        self.target.show()
        self.view.titleChanged.connect(self._told)
        loaded = QEventLoop()
        self.view.loadFinished.connect(loaded.quit)
        QTimer.singleShot(20_000, loaded.quit)
        self.view.setHtml(_PAGE % (library.read_text(), WIDTH, HEIGHT))
        window.show()
        loaded.exec()
        self.run(f"fill({self.rows}, %d)")
        return window

    def _told(self, title: str) -> None:
        if title == f"done {self.number}":
            self.target.repaint()

    def run(self, script: str) -> None:
        """Run it; it is told when it was drawn."""
        self.number += 1
        self.view.page().runJavaScript(script % self.number)

    def tick(self, number: int) -> None:
        self.run("tick(%d)")

    def pan(self, number: int) -> None:
        self.run(f"move({1.3 if number % 20 < 10 else -1.3}, %d)")

    def zoom(self, number: int) -> None:
        self.run(f"zoom({1 / 1.18 if number % 2 else 1.18}, %d)")

    def cross(self, place: QPointF) -> None:
        """The crosshair on the bar at that place."""
        bar = int(self.bars.time[int(place.x() / WIDTH * (len(self.bars.time) - 1))])
        self.run(f"cross({bar}, {float(self.bars.close.mean())}, %d)")

    def close(self, window: QWidget) -> None:
        self.target.close()
        window.close()
        window.deleteLater()
