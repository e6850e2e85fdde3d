"""Profiles: sizes at prices drawn sideways, and the letters of a TPO. In device pixels."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from openalgo_desktop.core.charting.studies import Profile
from openalgo_desktop.ui.chart.canvas.projection import At
from openalgo_desktop.ui.chart.paint import bars, curves
from openalgo_desktop.ui.chart.paint.ink import Ink
from openalgo_desktop.ui.chart.series import Floats
from openalgo_desktop.ui.kit import fonts

ALPHA, ALPHA_OUTSIDE = 110, 55
#: Letters are written in rows at least this high, logical pixels.
LETTER_ROOM = 8.0


def paint_profile(
    painter: QPainter, at: At, profile: Profile, roles: tuple[str, ...], ink: Ink
) -> None:
    """One profile; ``roles`` are the colours of its parts. Rows outside the value area are paler,
    the largest row has a line."""
    if not len(profile.prices):
        return
    left = at.x(profile.first - 0.5) * at.ratio
    right = at.x(profile.last + 0.5) * at.ratio
    pane = at.pane
    if right < pane.left() * at.ratio or left > pane.right() * at.ratio:
        return
    edges = (at.rows(profile.prices), at.rows(profile.prices + profile.height))
    top, foot = np.minimum(*edges), np.maximum(*edges)
    heights = np.maximum(1.0, foot - top - 1.0)
    if profile.texts and float(np.median(heights)) >= LETTER_ROOM * at.ratio:
        _letters(painter, at, profile, left, (top + foot) / 2.0, ink, float(np.median(heights)))
    else:
        _rows(painter, profile, left, right, top, heights, roles, ink)
    y = round(at.y(profile.point) * at.ratio) + 0.5
    pen = curves.pen_of(ink.colour("accent"), 1.0, at.ratio)
    curves.strokes(painter, np.array([left, right]), np.array([y, y]), pen, smooth=False)


def _rows(
    painter: QPainter,
    profile: Profile,
    left: float,
    right: float,
    top: Floats,
    heights: Floats,
    roles: tuple[str, ...],
    ink: Ink,
) -> None:
    total = np.sum(np.asarray(profile.parts), axis=0)
    most = float(np.nanmax(total)) if len(total) else 0.0
    if not most > 0.0:
        return
    scale = (right - left) * profile.share / most
    middle = profile.prices + profile.height / 2.0
    inside = (middle >= profile.value_low) & (middle <= profile.value_high)
    x = np.full(len(total), math.floor(left))
    for number, part in enumerate(profile.parts):
        width = np.round(np.nan_to_num(part) * scale)
        role = roles[number % len(roles)]
        for mask, alpha in ((inside, ALPHA), (~inside, ALPHA_OUTSIDE)):
            colour = QColor(ink.colour(role))
            colour.setAlpha(alpha)
            chosen = mask & (width > 0)
            bars.fill_rows(painter, colour, x[chosen], top[chosen], width[chosen], heights[chosen])
        x = x + width


def _letters(
    painter: QPainter,
    at: At,
    profile: Profile,
    left: float,
    middles: Floats,
    ink: Ink,
    height: float,
) -> None:
    font = QFont(fonts.mono_font())
    font.setPixelSize(max(6, round(min(height, 12.0 * at.ratio))))
    painter.save()
    painter.setFont(font)
    down = QFontMetricsF(font).capHeight() / 2.0
    for number, text in enumerate(profile.texts):
        middle = float(profile.prices[number]) + profile.height / 2.0
        inside = profile.value_low <= middle <= profile.value_high
        painter.setPen(ink.colour("accent" if inside else "muted"))
        painter.drawText(QPointF(left + 2.0, float(middles[number]) + down), text)
    painter.restore()
