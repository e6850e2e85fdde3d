"""Studies of the registry over candles that an endpoint answered, for the tools of research."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from openalgo_desktop.analytics.indicators.running.library import INTERVAL, Library
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.studies import StudySpec, Value
from openalgo_desktop.core.charting.surroundings import Surroundings
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Key

#: Facts that candles do not have: what is in view on a chart, the recorded option chain.
_ELSEWHERE = ("chain", "view")
_LIBRARY = Library()


def known() -> list[StudySpec]:
    """Studies that candles are enough for."""
    return [spec for spec in _LIBRARY.specs() if spec.outputs and not _needs_more(spec)]


def _needs_more(spec: StudySpec) -> bool:
    return any(need in _ELSEWHERE for need in spec.needs)


def columns(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Rows of ``history`` in columns."""

    def column(name: str) -> Floats:
        return np.array([row.get(name) or 0 for row in rows], np.float64)

    time = np.array([int(row["timestamp"]) for row in rows], np.int64)
    prices = (column(name) for name in ("open", "high", "low", "close", "volume", "oi"))
    return Columns(time, *prices)


def computed(
    study: str, params: Mapping[str, Value], bars: Columns, key: Key, interval: str
) -> dict[str, Floats]:
    """The arrays of a study by the names of its outputs. Raises :class:`DataError` that names a
    wrong study or parameter."""
    spec = _LIBRARY.spec(study)
    if _needs_more(spec):
        raise DataError(f"{spec.title}: candles are not enough for it.")
    if INTERVAL.name in params:
        raise DataError("params: the interval is an argument of the tool.")
    around = Surroundings(key, Span.parse(interval))
    running = _LIBRARY.make(study, params, {}, around)
    running.load(bars)
    names = (output.name for output in spec.outputs)
    return dict(zip(names, running.values, strict=True))


def last_value(values: Floats, back: int = 0) -> float | None:
    """The newest value (``back`` bars before it), None where it is not known."""
    if len(values) <= back:
        return None
    value = float(values[-1 - back])
    return value if np.isfinite(value) else None


def rounded(value: float | None) -> float | None:
    """Six significant digits: what a chart shows, without the noise of computing."""
    return None if value is None else float(f"{value:.6g}")


def newest(arrays: Mapping[str, Floats], names: Iterable[str] = ()) -> dict[str, float | None]:
    """The newest value of each array (of ``names`` where given)."""
    return {name: rounded(last_value(arrays[name])) for name in names or arrays}
