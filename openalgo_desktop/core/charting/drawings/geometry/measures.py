"""Measures, positions and forecasts. Nothing here trades: a position is a picture of a plan."""

from __future__ import annotations

from math import isfinite

import numpy as np

from openalgo_desktop.core.charting.drawings.geometry import curves, words
from openalgo_desktop.core.charting.drawings.geometry.sheet import Ink, Point, Sheet
from openalgo_desktop.core.charting.drawings.plan import plan_of

#: In a narrower pane the words of a position are short: they would cover its candles. Pixels.
ROOMY = 420.0


def measure(sheet: Sheet) -> None:
    """The box of two points with arrows and figures: price, per cent, bars, time, volume."""
    a, b = sheet.points
    variant = sheet.tool.variant
    middle = a.to(b, 0.5)
    corners = (a, Point(b.x, a.y), b, Point(a.x, b.y))
    falls = sheet.prices[1] < sheet.prices[0]
    colour = ("down" if falls else "up") if variant == "ruler" else sheet.style.colour
    ink = sheet.inked(colour)
    fill = colour if variant == "ruler" else sheet.style.fill
    sheet.path(corners, Ink("", 0.0, fill=fill, opacity=sheet.style.opacity), closed=True)
    lines = []
    if variant != "time":
        _arrow(sheet, Point(middle.x, a.y), Point(middle.x, b.y), ink)
        sheet.path((a, Point(b.x, a.y)), ink)
        sheet.path((Point(a.x, b.y), b), ink)
        first, second = sheet.prices
        moved = words.signed(second - first, sheet.at.places)
        lines.append(f"{moved} ({words.percent(first, second)})")
    if variant != "price":
        _arrow(sheet, Point(a.x, middle.y), Point(b.x, middle.y), ink)
        lines += _time(sheet)
    down = b.y >= a.y
    foot = Point(middle.x, b.y + (6 if down else -6))
    sheet.figure(foot, "\n".join(lines), 0.5, 0 if down else 1)


def _arrow(sheet: Sheet, a: Point, b: Point, ink: Ink) -> None:
    sheet.path((a, b), ink)
    if a.far(b) > 12:
        sheet.path(curves.head(a, b, ink.width), ink)


def _time(sheet: Sheet) -> list[str]:
    first, last = sheet.indexes
    begin, end = (anchor.time for anchor in sheet.drawing.anchors[:2])
    found = [f"{round(last - first)} bars, {words.lasting(end - begin)}"]
    low, high = sorted((round(first), round(last)))
    volume = sheet.at.bars.volume[max(low, 0) : max(high + 1, 0)]
    if volume.size and np.isfinite(volume).all():
        found.append(f"Volume {words.whole(float(volume.sum()))}")
    return found


def position(sheet: Sheet) -> None:
    """Entry, stop and target, from the entry's bar to the furthest of the others."""
    at, points = sheet.at, sheet.points
    left = points[0].x
    right = max(points[1].x, points[2].x, left + 4 * at.step)
    entry, stop, target = sheet.prices
    rows = (("stop", stop, "down"), ("target", target, "up"))
    y = at.y(entry)
    for _, price, colour in rows:
        other = at.y(price)
        corners = (Point(left, y), Point(right, y), Point(right, other), Point(left, other))
        ink = Ink("", 0.0, fill=colour, opacity=sheet.style.opacity)
        sheet.path(corners, ink, closed=True)
    for name, price, colour in (("entry", entry, sheet.style.colour), *rows):
        ends = (Point(left, at.y(price)), Point(right, at.y(price)))
        sheet.line(*ends, sheet.inked(colour), name=name, lasts=True)
    _position_words(sheet, (left + right) / 2)


def _position_words(sheet: Sheet, x: float) -> None:
    at = sheet.at
    entry, stop, target = sheet.prices
    plan = plan_of(sheet.drawing, sheet.tool)
    rows = (("Target", target, plan.gain), ("Stop", stop, -plan.loss))
    for name, price, result in rows:
        above = at.y(price) <= at.y(entry)  # on the screen: a scale may be upside down
        money = f"{words.signed(result, 0)} ₹" if isfinite(result) else "—"
        moved = f"{words.signed(price - entry, at.places)} ({words.percent(entry, price)})"
        text = f"{name} {at.price_text(price)}"
        if at.pane.wide >= ROOMY:
            text += f"  {moved}  {money}"
        sheet.figure(Point(x, at.y(price) + (-3 if above else 3)), text, 0.5, 1 if above else 0)
    text = f"{sheet.tool.title.split()[0]} {at.price_text(entry)}"
    if at.pane.wide >= ROOMY or not plan.is_sound:
        text += f"  {plan.words}"
    sheet.figure(Point(x, at.y(entry)), text, 0.5, 0.5)


def forecast(sheet: Sheet) -> None:
    """A line to an expected price."""
    a, b = sheet.points
    sheet.line(a, b, name="line")
    for point in (a, b):
        sheet.path(curves.ellipse(point, 3.0, 3.0), sheet.inked("")._replace(width=1), closed=True)
    first, second = sheet.prices
    begin, end = (anchor.time for anchor in sheet.drawing.anchors[:2])
    moved = f"{words.signed(second - first, sheet.at.places)} ({words.percent(first, second)})"
    over = b.y <= a.y
    place = b.by(0, -8 if over else 8)
    text = f"{sheet.at.price_text(second)}  {moved}\nin {words.lasting(end - begin)}"
    sheet.figure(place, text, 0.5, 1 if over else 0)


def bars_pattern(sheet: Sheet) -> None:
    """The bars between two points again from the third: the first of them stands there with its
    open at the third point's price."""
    at, bars = sheet.at, sheet.at.bars
    ends = sorted(int(index) for index in sheet.indexes[:2])
    first, last = max(ends[0], 0), min(ends[1], bars.size - 1, ends[0] + 500)
    sheet.path(sheet.points[:2], sheet.thin)
    if last < first:
        return
    start, price = sheet.indexes[2], sheet.prices[2]
    move = price - float(bars.open[first])
    half = max(1.0, at.step * 0.35)
    for index in range(first, last + 1):
        x = at.x(start + index - first)
        columns = (bars.open, bars.high, bars.low, bars.close)
        o, h, low, c = (at.y(float(column[index]) + move) for column in columns)
        sheet.path((Point(x, h), Point(x, low)))
        sheet.path((Point(x - half, o), Point(x, o)))
        sheet.path((Point(x, c), Point(x + half, c)))


def projection(sheet: Sheet) -> None:
    """A move again, from another point."""
    at = sheet.at
    a, b, c = sheet.points
    first, second, third = sheet.prices
    begin, end, again = sheet.indexes
    price = third + second - first
    goal = Point(at.x(again + end - begin), at.y(price))
    sheet.path((a, b))
    sheet.path((b, c), sheet.thin)
    sheet.line(c, goal, name="line")
    sheet.path(curves.head(c, goal, sheet.ink.width))
    sheet.area((c, goal, Point(goal.x, c.y)), sheet.style.fill)
    text = f"{at.price_text(price)}  {words.percent(third, price)}"
    sheet.figure(goal.by(6, 0), text, 0, 0.5)
