"""Our chart, alone and with studies and drawings."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtWidgets import QWidget
from worker import HEIGHT, WIDTH, Data

from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.drawings.book import DrawingBook
from openalgo_desktop.core.charting.drawings.model import Anchor
from openalgo_desktop.core.charting.drawings.tools import tools
from openalgo_desktop.core.charting.history import History
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView
from openalgo_desktop.ui.chart.drawings.board import Board
from openalgo_desktop.ui.chart.drawings.layer import DrawingsLayer
from openalgo_desktop.ui.chart.plots.study import StudyView
from openalgo_desktop.ui.engine.drawings import DrawingsDoor

KEY = ("NSE", "X")
#: Two over the prices, three in panes or with bands: what a busy chart has.
STUDIES = ("ema", "bollinger", "vwap", "rsi", "macd")
#: Twenty drawings of the kinds that most charts have.
DRAWINGS = {
    "trend": 6, "ray": 2, "arrow-line": 1, "info-line": 1, "fib-retracement": 3, "rectangle": 3,
    "regression-trend": 1, "ellipse": 1, "price-range": 1, "fib-fan": 1,
}  # fmt: skip


class Plain:
    """Candles and volume."""

    def prepare(self, bars: Data) -> None:
        self.bars = bars
        units = bars.volume.astype(np.int64)
        self.table = Bars(*bars[:5], units, np.zeros_like(units))

    def open(self) -> QWidget:
        view = self.view = ChartView()
        view.resize(WIDTH, HEIGHT)
        view.set_bars(self.table, Interval.M1, 2)
        self.target = view.canvas
        self.fill()
        self.target.scale_x.show(0, len(self.table))
        self.target.fitted = False
        self.target.changed_view()
        view.flush()
        return view

    def fill(self) -> None:
        """What lies over the candles."""

    def tick(self, number: int) -> None:
        bars = self.bars
        close = bars.close[-1] + 0.01 * (number % 7 - 3)
        close = min(max(close, bars.low[-1]), bars.high[-1])
        last = (bars.open[-1], bars.high[-1], bars.low[-1], close, bars.volume[-1] + number)
        self.view.update_last(int(bars.time[-1]), *(float(value) for value in last))
        self.view.flush()

    def pan(self, number: int) -> None:
        sign = 1 if number % 20 < 10 else -1
        share = max(1.3 / self.target.scale_x.span, 1.0 / WIDTH)  # less than a pixel is no move
        self.target.scroll_by(-share * sign)

    def zoom(self, number: int) -> None:
        self.target.zoom_by(1 if number % 2 else -1)

    def close(self, window: QWidget) -> None:
        window.close()
        window.deleteLater()


class Filled(Plain):
    """The same with five studies, which are renewed at each tick, and twenty drawings."""

    def fill(self) -> None:
        self.columns = Columns.of(self.table)
        self.studies = {name: registry.make(name) for name in STUDIES}
        views, pane = [], 0
        for name, study in self.studies.items():
            study.load(self.columns)
            spec = registry.spec(name)
            pane += not spec.over
            own = 0 if spec.over else pane
            views.append(StudyView(name, spec.title, spec.outputs, study.values, own))
        self.view.set_studies(views)
        self._draw()

    def _draw(self) -> None:
        async def nothing(_scope: str) -> dict[str, object]:
            return {}

        state = SimpleNamespace(
            put_later=lambda _scope: lambda *_: None, all=nothing, texts=nothing
        )
        terminal = SimpleNamespace(
            drawings=DrawingBook(), clock=SimpleNamespace(time=lambda: 5.0), state=state
        )
        door = DrawingsDoor(terminal, lambda work, _name: asyncio.run(work), self.view)
        board = Board(door, History(door.apply), self.view)
        layer, canvas = DrawingsLayer(board, parent=self.view), self.target
        canvas.add_layer(layer)
        layer.base_changed.connect(lambda: canvas.layer_changed(layer))
        layer.top_changed.connect(lambda: canvas.layer_moved(layer))
        board.set_chart(KEY, Span.of(Interval.M1))
        wanted = [tools()[name] for name, count in DRAWINGS.items() for _ in range(count)]
        board.put("", [door.made(tool, self._anchors(at)) for at, tool in enumerate(wanted)])

    def _anchors(self, number: int) -> tuple[Anchor, Anchor]:
        bars, count = self.bars, len(self.bars.time)
        first, second = count * (number + 1) // 40, count * (number + 15) // 40
        one, two = (Anchor(float(bars.time[at]), float(bars.close[at])) for at in (first, second))
        return one, two

    def tick(self, number: int) -> None:
        for name, study in self.studies.items():
            study.last(self.columns)
            self.view.set_study_values(name, study.values)
        super().tick(number)
