"""What the legend of a chart says of one bar."""

from __future__ import annotations

from openalgo_desktop.ui.chart.over.overlay import LegendPart
from openalgo_desktop.ui.chart.series import Series
from openalgo_desktop.ui.kit import format as fmt


def legend(series: Series, index: int, places: int) -> tuple[LegendPart, ...]:
    """Words and roles for the bar at ``index``: its prices, its change, its volume."""
    opened, high, low, close, volume = series.bar(index)
    before = series.bar(index - 1)[3] if index else opened
    change = close - before
    percent = 100.0 * change / before if before else 0.0
    role = "up" if close >= opened else "down"
    parts: list[LegendPart] = []
    for name, value in (("O", opened), ("H", high), ("L", low), ("C", close)):
        parts += [(name, "muted"), (f"{fmt.price(value, places)} ", role)]
    text = f"{fmt.signed(change, places)} ({fmt.signed_percent(percent)}) "
    parts.append((text, fmt.sign_role(change) or "muted"))
    if volume:
        parts += [("Vol", "muted"), (fmt.quantity(volume), "text")]
    return tuple(parts)
