"""Figures in words: distances, spans of time, ratios."""

from __future__ import annotations

from math import isfinite

from openalgo_desktop.core.money import group_indian

MINUTE, HOUR, DAY = 60, 3600, 86400


def lasting(seconds: float) -> str:
    """``2d 3h``, ``45m``: the two largest parts."""
    rest = abs(round(seconds))
    days, rest = divmod(rest, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    parts = [
        f"{n}{unit}" for n, unit in zip((days, hours, minutes, rest), "dhms", strict=True) if n
    ]
    return ("-" if seconds < 0 else "") + (" ".join(parts[:2]) or "0s")


def percent(first: float, second: float) -> str:
    """The change from ``first`` to ``second``, or a dash where it is not known."""
    if not first or not isfinite(first) or not isfinite(second):
        return "—"
    return f"{(second / first - 1) * 100:+.2f}%"


def signed(value: float, places: int) -> str:
    """With its sign and ``places`` decimals, grouped; what rounds to zero has no sign."""
    text = f"{value:+.{places}f}"
    sign = text[0] if text.strip("+-0.") else ""
    return sign + group_indian(text[1:])


def whole(value: float) -> str:
    """Units or rupees without decimals: ``1,24,000``."""
    return group_indian(f"{value:.0f}")


def ratio(over: float, under: float) -> str:
    """``0.618``, or a dash where it is not known."""
    return f"{abs(over / under):.3f}" if under else "—"
