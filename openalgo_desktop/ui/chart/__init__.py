"""Charts: one widget of our own that draws bars, studies, lines and drawings."""

from openalgo_desktop.ui.chart.lines import PriceLine
from openalgo_desktop.ui.chart.view import ChartView

__all__ = ["ChartView", "PriceLine"]
