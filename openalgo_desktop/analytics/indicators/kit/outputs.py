"""Outputs that many studies share."""

from __future__ import annotations

from openalgo_desktop.core.charting.studies import Draw, Output


def line(name: str, label: str, role: str = "study-1", **more: object) -> Output:
    """A line."""
    return Output(name, label, Draw.LINE, role, **more)  # type: ignore[arg-type]


def marks(name: str, label: str, role: str = "up", falling: str = "down", **more: object) -> Output:
    """Signs at bars: below the bar at 1, above it at -1."""
    return Output(name, label, Draw.MARKS, role, falling=falling, **more)  # type: ignore[arg-type]


def histogram(name: str, label: str, role: str = "up", falling: str = "down") -> Output:
    """Bars from 0, in a second colour below it."""
    return Output(name, label, Draw.HISTOGRAM, role, falling=falling)


def channel(role: str = "study-1", middle: bool = True) -> tuple[Output, ...]:
    """Upper line, middle, lower, and the band between: give the upper line again for it."""
    lines = [line("upper", "Upper", role)]
    if middle:
        lines.append(line("middle", "Middle", "muted", dash=True))
    lines.append(line("lower", "Lower", role))
    return (*lines, Output("band", "Band", Draw.BAND, role, fill_to="lower"))
