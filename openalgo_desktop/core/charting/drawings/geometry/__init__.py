"""From a drawing to pixels. One function of a sheet for each geometry that the tables name."""

from __future__ import annotations

from collections.abc import Callable

from openalgo_desktop.core.charting.drawings.geometry import (
    channels,
    cycles,
    fibonacci,
    forms,
    gann,
    lines,
    measures,
    notes,
    patterns,
)
from openalgo_desktop.core.charting.drawings.geometry.sheet import At, Picture, Sheet
from openalgo_desktop.core.charting.drawings.model import Drawing, Family
from openalgo_desktop.core.charting.drawings.tools import tool

GEOMETRY: dict[str, Callable[[Sheet], None]] = {
    function.__name__: function
    for function in (
        lines.line,
        lines.horizontal,
        lines.vertical,
        lines.cross,
        lines.arrow,
        channels.parallel,
        channels.regression,
        channels.flat,
        channels.disjoint,
        channels.pitchfork,
        channels.pitchfan,
        fibonacci.retracement,
        fibonacci.extension,
        fibonacci.fib_channel,
        fibonacci.time_zones,
        fibonacci.trend_time,
        fibonacci.fib_circles,
        fibonacci.spiral,
        fibonacci.fib_fan,
        fibonacci.fib_arcs,
        fibonacci.wedge,
        gann.gann_box,
        gann.gann_square,
        gann.gann_fan,
        forms.rectangle,
        forms.rotated,
        forms.ellipse,
        forms.circle,
        forms.polygon,
        forms.polyline,
        forms.path,
        forms.curve,
        forms.arc,
        forms.stroke,
        notes.text,
        notes.note,
        notes.callout,
        notes.balloon,
        notes.signpost,
        notes.price_label,
        notes.price_note,
        notes.flag,
        notes.mark,
        notes.marker,
        measures.measure,
        measures.position,
        measures.forecast,
        measures.bars_pattern,
        measures.projection,
        cycles.cyclic,
        cycles.time_cycles,
        cycles.sine,
        patterns.pattern,
        patterns.shoulders,
        patterns.triangle_pattern,
    )
}
#: Families whose geometry writes the drawing's text itself.
_OWN_TEXT = frozenset({Family.NOTES, Family.ARROWS})


def picture(drawing: Drawing, at: At) -> Picture:
    """Strokes, texts and handles of a drawing. One that is not complete (being placed) is a line
    through the points it has. Raises :class:`DataError` for a tool that there is not."""
    row = tool(drawing.tool)
    sheet = Sheet(drawing, row, at)
    if len(sheet.points) < row.least:
        sheet.path(sheet.points)
        return sheet.picture()
    GEOMETRY[row.geometry](sheet)
    if drawing.text and row.family not in _OWN_TEXT:
        _caption(sheet)
    return sheet.picture()


def _caption(sheet: Sheet) -> None:
    """The text of a drawing without a place of its own: above its middle, or its only point."""
    a, b = sheet.points[0], sheet.points[min(1, len(sheet.points) - 1)]
    sheet.write(a.to(b, 0.5).by(0 if len(sheet.points) > 1 else 6, -4), sheet.drawing.text, 0.5, 1)
