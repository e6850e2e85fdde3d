"""What the overlay of a chart is told of its stage: where the panes are, what the legend says."""

from __future__ import annotations

import math
from collections.abc import Iterator

from PySide6.QtCore import QRectF

from openalgo_desktop.ui.chart.canvas.pane import VOLUME
from openalgo_desktop.ui.chart.canvas.stage import Stage
from openalgo_desktop.ui.chart.over.frame import Frame, OtherPane
from openalgo_desktop.ui.chart.over.legend import LegendRow
from openalgo_desktop.ui.chart.plots.rows import LINE, compared_row, fitted, study_row
from openalgo_desktop.ui.kit import look


def frame_of(stage: Stage) -> Frame:
    """Where the panes are and what their edges mean."""
    pane = stage.prices
    values = pane.scale.map(pane.rect.top(), pane.rect.height())
    return Frame(
        QRectF(pane.rect),
        stage.bottom,
        float(stage.width),
        values.low,
        values.high,
        tuple(label.value for label in pane.labels),
        values.log,
        values.inverted,
        tuple(_others(stage)),
        stage.gutter,
    )


def _others(stage: Stage) -> Iterator[OtherPane]:
    for pane in stage.panes[1:]:
        values = pane.scale.map(pane.rect.top(), pane.rect.height())
        span = values.high - values.low
        places = None if pane.number == VOLUME or span >= 1e5 else 2
        if places is not None and 0 < span < 1.0:
            places = min(6, 2 - math.floor(math.log10(span)))
        yield OtherPane(QRectF(pane.rect), values, places)


def rows_of(stage: Stage, index: int) -> tuple[LegendRow, ...]:
    """What the legend says of studies and compared series at a bar."""
    first, prices = stage.scale_x.visible[0], stage.prices.rect
    rows = [compared_row(other, prices, index, first) for other in stage.compared]
    for view in stage.studies:
        pane = stage.pane(view.pane)
        if pane is not None:
            rows.append(study_row(view, pane.rect, index))
    return fitted(rows, prices, look.px(LINE)) if rows else ()
