"""What the legend says of studies and compared series at one bar."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QRectF

from openalgo_desktop.core.charting.studies import Draw
from openalgo_desktop.ui.chart.over.legend import LegendPart, LegendRow
from openalgo_desktop.ui.chart.plots.study import Compared, StudyView
from openalgo_desktop.ui.kit import format as fmt

#: These have no value that can be read.
_SILENT = {Draw.BAND, Draw.BARS, Draw.MARKS}
#: Values from here on are said in short.
_LARGE = 1e6
#: Lines of the legend take so much of the prices' height at most, and so high is one, pixels at a
#: text scale of 100 per cent.
LEGEND_SHARE, LINE = 0.5, 20


def value_text(value: float, places: int) -> str:
    """A value of a study, or a dash."""
    if not math.isfinite(value):
        return "—"
    return fmt.short(value) if abs(value) >= _LARGE else fmt.price(value, places)


def fitted(rows: Sequence[LegendRow], prices: QRectF, line: float) -> tuple[LegendRow, ...]:
    """Those that a low chart has room for, under the line of its bar: candles need the rest. The
    last one says how many more there are; a pane below the prices has its own."""
    over = [row for row in rows if row.pane == prices]
    room = max(1, int(prices.height() * LEGEND_SHARE / line) - 1)
    if len(over) <= room:
        return tuple(rows)
    more = over[room - 1]
    last = more._replace(parts=(*more.parts, (f"+{len(over) - room}", "muted")))
    return (*over[: room - 1], last, *(row for row in rows if row.pane != prices))


def study_row(view: StudyView, pane: QRectF, index: int) -> LegendRow:
    """The name of a study and its values at a bar, in their colours."""
    parts: list[LegendPart] = [(view.title, "text")]
    if view.note:
        parts.append((view.note, "warning"))
        return LegendRow(view.ident, pane, tuple(parts), view.hidden)
    for number, output in enumerate(view.outputs):
        style = view.style(output)
        if output.draw in _SILENT or style.hidden or number >= len(view.values):
            continue
        value = view.value(number, index)
        role = style.colour or output.role
        if output.falling and not style.colour and value < 0.0:
            role = output.falling
        places = view.places if output.places is None else output.places
        parts.append((value_text(value, places), role))
    return LegendRow(view.ident, pane, tuple(parts), view.hidden)


def compared_row(other: Compared, pane: QRectF, index: int, first: int) -> LegendRow:
    """The name of a compared series, its close and its change since the first bar in view."""
    known = 0 <= index < len(other.closes)
    close = float(other.closes[index]) if known else math.nan
    change = other.change(index, first)
    percent = fmt.signed_percent(change) if math.isfinite(change) else "—"
    parts = ((other.title, other.colour), (value_text(close, other.places), other.colour))
    return LegendRow(other.ident, pane, (*parts, (percent, fmt.sign_role(change) or "muted")))
