"""Supertrend, once and twice."""

from __future__ import annotations

from collections.abc import Mapping

from openalgo_desktop.analytics.indian.supertrend import Supertrend
from openalgo_desktop.analytics.indicators.kit.outputs import line, marks
from openalgo_desktop.analytics.indicators.kit.params import length, number
from openalgo_desktop.analytics.indicators.kit.shelf import Givens, Shelf
from openalgo_desktop.core.charting.studies import Draw, Output, Param, StudySpec, Value

STUDIES = Shelf("Trend")
_RULE = "Seban: (H + L) / 2 ± factor x Wilder's ATR; a band moves towards the price only"


def _outputs(name: str = "", label: str = "", width: float = 1.5) -> tuple[Output, ...]:
    return (
        line(f"{name}rising", f"{label}Rising", "up", width=width),
        line(f"{name}falling", f"{label}Falling", "down", width=width),
        Output(f"{name}trend", f"{label}Trend", Draw.NOTHING, "muted", places=0),
        marks(f"{name}turns", f"{label}Turns"),
    )


def _params(name: str, label: str, bars: int, factor: float) -> tuple[Param, ...]:
    return (
        length(bars, f"{name}length", f"{label}ATR length"),
        number(f"{name}factor", f"{label}Factor", factor, 0.1, 50.0),
    )


def _rule(params: Mapping[str, Value], name: str) -> tuple[int, float]:
    return int(params[f"{name}length"]), float(params[f"{name}factor"])


def _one(params: Mapping[str, Value], given: Givens) -> Supertrend:
    return Supertrend(_rule(params, ""))


def _two(params: Mapping[str, Value], given: Givens) -> Supertrend:
    return Supertrend(_rule(params, "fast_"), _rule(params, "slow_"))


STUDIES.add(
    StudySpec(
        "supertrend",
        "Supertrend",
        "ST",
        STUDIES.family,
        _outputs(),
        _params("", "", 10, 3.0),
        over=True,
        source=_RULE,
        words=("super trend", "atr"),
    ),
    _one,
)
STUDIES.add(
    StudySpec(
        "supertrend-double",
        "Double Supertrend",
        "2 ST",
        STUDIES.family,
        (
            *_outputs("fast_", "Fast ", 1.0),
            *_outputs("slow_", "Slow "),
            Output("agreed", "Agreed", Draw.NOTHING, "muted", places=0),
        ),
        (*_params("fast_", "Fast ", 10, 1.0), *_params("slow_", "Slow ", 21, 3.0)),
        over=True,
        source=f"{_RULE}; twice, and where both agree",
        words=("super trend", "two supertrends"),
    ),
    _two,
)
