"""Candle charts. pyqtgraph is imported when the first chart gets bars, not before."""

from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.view import ChartView

__all__ = ["ChartView", "PriceLine"]
