"""Our chart, alone and with studies and drawings."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtWidgets import QWidget
from worker import HEIGHT, WIDTH, Data

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.ticks import Bars
from openalgo_desktop.ui.chart import ChartView


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
        self.target.scroll_by(-1.3 * sign / self.target.scale_x.span)

    def zoom(self, number: int) -> None:
        self.target.zoom_by(1 if number % 2 else -1)

    def close(self, window: QWidget) -> None:
        window.close()
        window.deleteLater()
