"""A picture of one view as another view sees it: which part of it, stretched to which place. It
holds for the moment in which a hand zooms; the exact picture follows at once.

Along the time, and along linear and logarithmic values, views differ by a shift and a factor: what
is stretched is where it would be drawn, its lines a little wider or narrower.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF

from openalgo_desktop.ui.chart.canvas.ground import CLOSE, Seen, SeenPane
from openalgo_desktop.ui.chart.canvas.pane import Pane

#: At most so many times of a length are made of it: then strokes are no longer what they stand for.
MOST = 4.0
#: What is drawn anew beside a stretched place, device pixels: its edge is smooth.
SEAM = 2.0


class Piece(NamedTuple):
    """One pane: what of the picture (device pixels) goes where, and what is left over beside,
    over and under it."""

    pane: Pane
    place: QRectF
    source: QRectF
    rest: Sequence[QRectF]


class Stretched(NamedTuple):
    """All panes, and by how much lengths along the time are stretched."""

    pieces: Sequence[Piece]
    wide: float

    @property
    def whole(self) -> bool:
        """Whether nothing is left over."""
        return not any(piece.rest for piece in self.pieces)


def stretched(before: Seen, now: Seen, panes: Sequence[Pane]) -> Stretched | None:
    """How a picture of the view ``before`` shows the view ``now``; None where it cannot."""
    if before[:3] != now[:3] or [one[:2] for one in before.panes] != [one[:2] for one in now.panes]:
        return None
    wide = now.pitch / before.pitch
    if not 1.0 / MOST <= wide <= MOST:
        return None
    shift = None
    if abs(wide - 1.0) <= 1e-12:
        shift = round((now.left - before.left) * now.pitch)
        if abs(shift - (now.left - before.left) * now.pitch) > CLOSE:
            shift = None
    pieces = []
    for pane, one, two in zip(panes, before.panes, now.panes, strict=True):
        edges = _edges(one, two)
        if edges is None:
            return None
        if shift is not None and one.values == two.values:
            pieces.append(_moved(pane, shift, now.ratio))
        else:
            pieces.append(_piece(pane, before, now, edges))
    return Stretched(pieces, wide)


def _moved(pane: Pane, shift: int, ratio: float) -> Piece:
    """The same picture some device pixels on."""
    rect = pane.rect
    wide, high = math.ceil(rect.width() * ratio), rect.height() * ratio
    shift = max(-wide, min(shift, wide))
    size = wide - abs(shift)
    source = QRectF(max(0, shift), rect.top() * ratio, size, high)
    place = QRectF(max(0, -shift) / ratio, rect.top(), size / ratio, rect.height())
    return Piece(pane, place, source, tuple(_rest(rect, place, ratio)))


def _edges(one: SeenPane, two: SeenPane) -> tuple[float, float] | None:
    """Pixels of the picture that are at the upper and lower edge now."""
    stays = one.left is not None or two.left is not None or one.foot is not None
    a, b = one.values, two.values
    if stays or (a.log, a.inverted) != (b.log, b.inverted) or two.foot is not None:
        return None
    if a == b:
        return a.top, a.top + a.height
    top, foot = (a.y(b.value(y)) for y in (b.top, b.top + b.height))
    if not 1.0 / MOST <= b.height / max(1e-9, foot - top) <= MOST:
        return None
    return top, foot


def _piece(pane: Pane, before: Seen, now: Seen, edges: tuple[float, float]) -> Piece:
    rect, ratio = pane.rect, now.ratio
    step = before.pitch / ratio
    left = rect.left() + (now.left - before.left) * step
    right = rect.left() + (now.right - before.left) * step
    seen = QRectF(left, edges[0], right - left, edges[1] - edges[0])
    source = seen & rect  # what of it there is
    wide, high = rect.width() / seen.width(), rect.height() / seen.height()
    place = QRectF(
        rect.left() + (source.left() - seen.left()) * wide,
        rect.top() + (source.top() - seen.top()) * high,
        source.width() * wide,
        source.height() * high,
    )
    device = QRectF(
        source.left() * ratio, source.top() * ratio, source.width() * ratio, source.height() * ratio
    )
    return Piece(pane, place, device, tuple(_rest(rect, place, ratio)))


def _rest(rect: QRectF, place: QRectF, ratio: float) -> Iterator[QRectF]:
    """What of a pane is beside a place, with a seam: its edges are smooth."""
    seam, least = SEAM / ratio, 0.5 / ratio
    if place.left() > rect.left() + least:
        yield QRectF(rect.topLeft(), QPointF(place.left() + seam, rect.bottom())) & rect
    if place.right() < rect.right() - least:
        yield QRectF(QPointF(place.right() - seam, rect.top()), rect.bottomRight()) & rect
    if place.top() > rect.top() + least:
        yield QRectF(rect.topLeft(), QPointF(rect.right(), place.top() + seam)) & rect
    if place.bottom() < rect.bottom() - least:
        yield QRectF(QPointF(rect.left(), place.bottom() - seam), rect.bottomRight()) & rect
