"""Text, notes and arrows."""

from __future__ import annotations

from openalgo_desktop.core.charting.drawings.geometry.lines import normal
from openalgo_desktop.core.charting.drawings.geometry.sheet import Ink, Point, Sheet

#: Signs on a filled box are in the theme's colour for that.
ON = "on-fill"


def _solid(sheet: Sheet) -> Ink:
    style = sheet.style
    return Ink(style.colour, style.width, style.dash, style.fill, style.opacity)


def _boxed(sheet: Sheet, at: Point, text: str, across: float, down: float) -> None:
    """A text on the fill of the style; without one in the colour of the line."""
    style = sheet.style
    fill = style.fill
    sheet.write(at, text, across, down, ON if fill else style.colour, fill, style.opacity)


def text(sheet: Sheet) -> None:
    """A text whose left upper corner is the anchor."""
    style = sheet.style
    sheet.write(sheet.points[0], sheet.drawing.text, box=style.fill, opacity=style.opacity)


def note(sheet: Sheet) -> None:
    """A pin with its text above."""
    tip = sheet.points[0]
    head = tip.by(0, -14)
    pin = (tip, head.by(-6, -2), head.by(-4, -8), head.by(4, -8), head.by(6, -2))
    sheet.path(pin, _solid(sheet), closed=True)
    _boxed(sheet, head.by(0, -12), sheet.drawing.text, 0.5, 1)


def callout(sheet: Sheet) -> None:
    """A text at the second point that shows the first."""
    a, b = sheet.points
    side = normal(a, b)
    foot = (b.by(side.x * 7, side.y * 7), a, b.by(-side.x * 7, -side.y * 7))
    sheet.path(foot, _solid(sheet), closed=True)
    _boxed(sheet, b, sheet.drawing.text, 0.5, 0.5)


def balloon(sheet: Sheet) -> None:
    """A text above its point."""
    tip = sheet.points[0]
    sheet.path((tip, tip.by(-5, -10), tip.by(6, -10)), _solid(sheet), closed=True)
    _boxed(sheet, tip.by(-14, -10), sheet.drawing.text, 0, 1)


def signpost(sheet: Sheet) -> None:
    """A text on a pole."""
    foot = sheet.points[0]
    top = foot.by(0, -46)
    sheet.path((foot, top))
    _boxed(sheet, top, sheet.drawing.text, 0.5, 1)


def price_label(sheet: Sheet) -> None:
    """Its own price beside it."""
    tip = sheet.points[0]
    sheet.path((tip, tip.by(10, -12), tip.by(18, -12)), _solid(sheet), closed=True)
    _boxed(sheet, tip.by(10, -12), sheet.at.price_text(sheet.prices[0]), 0, 1)


def price_note(sheet: Sheet) -> None:
    """The price of the first point, written at the second."""
    a, b = sheet.points
    sheet.path((a, b))
    dot = (a.by(-3, 0), a.by(0, -3), a.by(3, 0), a.by(0, 3))
    sheet.path(dot, _solid(sheet), closed=True)
    lead = f"{sheet.drawing.text} " if sheet.drawing.text else ""
    _boxed(sheet, b, f"{lead}{sheet.at.price_text(sheet.prices[0])}", 0.5, 0.5)


def flag(sheet: Sheet) -> None:
    """A flag on a pole."""
    foot = sheet.points[0]
    top = foot.by(0, -24)
    sheet.path((foot, top))
    cloth = (top, top.by(16, 0), top.by(12, 6), top.by(16, 12), top.by(0, 12))
    sheet.path(cloth, _solid(sheet)._replace(opacity=1.0), closed=True)
    sheet.write(top.by(8, -3), sheet.drawing.text, 0.5, 1)


#: Where each mark comes from, as steps right and down.
_FROM = {"up": (0, 1), "down": (0, -1), "left": (1, 0), "right": (-1, 0)}


def mark(sheet: Sheet) -> None:
    """An arrow that ends at its point."""
    tip = sheet.points[0]
    x, y = _FROM[sheet.tool.variant]
    tail = tip.by(x * 26, y * 26)
    _broad(sheet, tail, tip, 5.0, 11.0, 12.0)
    sheet.write(tail.by(x * 4, y * 4), sheet.drawing.text, 0.5 - x / 2, 0.5 - y / 2)


def marker(sheet: Sheet) -> None:
    """A broad arrow."""
    a, b = sheet.points
    size = max(10.0, min(34.0, a.far(b) / 5))
    _broad(sheet, a, b, size * 0.4, size, size * 1.2)


def _broad(sheet: Sheet, a: Point, b: Point, shaft: float, wide: float, long: float) -> None:
    """An arrow with an inside: half widths of shaft and head, length of the head."""
    side = normal(a, b)
    neck = a.to(b, max(0.0, 1 - long / (a.far(b) or 1.0)))

    def off(point: Point, by: float) -> Point:
        return point.by(side.x * by, side.y * by)

    points = (
        off(a, shaft),
        off(neck, shaft),
        off(neck, wide),
        b,
        off(neck, -wide),
        off(neck, -shaft),
        off(a, -shaft),
    )
    sheet.path(points, _solid(sheet), closed=True)
