"""What the axes say: values at the right of each pane, IST times at the bottom. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Sequence

from openalgo_desktop.ui.chart.canvas.pane import PRICES, VOLUME, Label, Pane
from openalgo_desktop.ui.chart.scales import ticks
from openalgo_desktop.ui.chart.scales.price_scale import ScaleKind
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look

#: Room for one label, pixels.
PRICE_ROOM = 46
TIME_ROOM = 92
#: Room for the label of a level that a study has, pixels.
LEVEL_ROOM = 14
#: Volumes over this part of the axis are not named: the label would not be whole.
VOLUME_LABELS = 0.9
#: Decimals of a study's axis: of 0.001 and less, as many as tell neighbours apart.
MOST_PLACES = 6


def value_labels(pane: Pane, places: int, levels: Sequence[float]) -> tuple[Label, ...]:
    """Labels of a pane's axis, in its values; ``levels`` are those of its studies."""
    low, high = pane.scale.range
    most = max(1, int(pane.rect.height() / look.px(PRICE_ROOM)))
    if pane.number == VOLUME:
        found = ticks.price_ticks(0.0, high * VOLUME_LABELS, max(2, most), 1.0)
        return tuple(Label(value, fmt.short(value)) for value in found if value > 0)
    if pane.number != PRICES:
        named = [level for level in sorted(levels) if low <= level <= high]
        if len(named) > 1:  # the study says what matters
            least = (high - low) * look.px(LEVEL_ROOM) / max(1.0, pane.rect.height())
            return tuple(Label(level, study_text(level, named)) for level in _apart(named, least))
        found = ticks.price_ticks(low, high, max(2, most), 10.0**-MOST_PLACES)
        return tuple(Label(value, study_text(value, found)) for value in found)
    base = pane.scale.base
    if pane.scale.kind is ScaleKind.PERCENT and abs(base) > 0:
        whole = abs(base)  # a spread may be below 0: up is up all the same
        ends = ((low - base) / whole, (high - base) / whole)
        parts = ticks.price_ticks(100.0 * ends[0], 100.0 * ends[1], most, 0.01)
        return tuple(Label(base + whole * part / 100.0, fmt.signed_percent(part)) for part in parts)
    step = 10.0**-places
    find = ticks.log_ticks if pane.scale.log else ticks.price_ticks
    return tuple(Label(value, fmt.price(value, places)) for value in find(low, high, most, step))


def _apart(levels: Sequence[float], least: float) -> list[float]:
    """Those of ascending levels that have room beside one another; the outer ones first."""
    kept: list[float] = []
    for level in (levels[-1], *levels[:-1]):
        if all(abs(level - other) >= least for other in kept):
            kept.append(level)
    return sorted(kept)


def study_text(value: float, beside: list[float]) -> str:
    """A value of a study's axis with the decimals that its neighbours need."""
    step = beside[1] - beside[0] if len(beside) > 1 else abs(value) or 1.0
    if abs(value) >= 100_000:
        return fmt.short(value)
    places = min(MOST_PLACES, max(0, math.ceil(-math.log10(step) - 1e-9)))
    if places < MOST_PLACES and abs(step * 10**places - round(step * 10**places)) > 1e-6:
        places += 1  # steps of 2.5
    return fmt.price(value, places)
