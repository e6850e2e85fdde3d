"""What a study may know beside the bars of its chart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from openalgo_desktop.core.charting.columns import Columns, Floats, Ints
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.sessions import Sessions, always_open
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.model import Key


class ChainPast(Protocol):
    """Figures of the option chain on an instrument as they were recorded, oldest first."""

    @property
    def time(self) -> Ints:
        """Epoch seconds of the samples, ascending."""

    def figure(self, name: str) -> Floats:
        """``pcr``, ``pcr_volume``, ``call_oi``, ``put_oi``, ``straddle``, ``atm_iv``,
        ``max_pain``: one value for each sample, NaN where it was not known."""


@dataclass(slots=True)
class InView:
    """Which bars the chart shows now: indexes, the last one included; none before it is told."""

    first: int = 0
    last: int = -1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Which instrument and bars a study is computed of. ``tick`` is rupees, 0 not known.

    ``days`` and ``minutes`` are daily and 1-minute bars of the same instrument where whoever
    opened the study gave some: levels of the previous day and profiles are exact with them.
    ``chain`` is there for studies that need it (:attr:`StudySpec.needs`). Whoever shows the bars
    moves ``in_view`` and reads the profiles of the studies that need the ``view`` again.
    """

    key: Key = ("", "")
    span: Span = field(default_factory=lambda: Span(SpanUnit.DAY))
    tick: float = 0.0
    sessions: Sessions = field(default_factory=always_open)
    days: Columns | None = None
    minutes: Columns | None = None
    chain: ChainPast | None = None
    in_view: InView = field(default_factory=InView)
    #: The beginnings of longer bars, for studies of another interval.
    rhythm: Callable[[Span], Rhythm] | None = None
