"""What a scale of prices cannot be, and how another series is laid over it."""

from __future__ import annotations

import math

from openalgo_desktop.ui.chart.scales.price_scale import PriceScale, ScaleKind


def test_a_scale_says_why_it_is_not_of_its_kind_and_lays_others_over_it() -> None:
    scale = PriceScale()
    scale.kind, scale.range, scale.base = ScaleKind.LOG, (-1500.0, -1300.0), -1430.0
    assert scale.lacks and not scale.log
    scale.range = (100.0, 200.0)
    assert not scale.lacks and scale.log
    scale.kind = ScaleKind.PERCENT
    assert not scale.lacks and scale.laid(715.0) == (2.0, -2860.0)  # 715 lies at -1430
    scale.base = 0.0
    assert scale.lacks and scale.laid(715.0) is None
    scale.base = 1430.0
    assert scale.laid(715.0) == (2.0, 0.0) and scale.laid(math.nan) is None
