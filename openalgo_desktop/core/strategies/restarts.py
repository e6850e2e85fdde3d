"""When a crashed program is started again. Pure."""

from __future__ import annotations

from collections.abc import Sequence

#: Seconds before the first, second, third and each further restart.
DELAYS = (1.0, 5.0, 30.0, 120.0)
#: Restarts within an hour; one more is a crash loop.
PER_HOUR = 6
HOUR = 3600.0
#: A run of this long forgets the crashes before it; seconds.
STEADY = 600.0


def recent(restarts: Sequence[float], now: float) -> tuple[float, ...]:
    """Those of the last hour; epoch seconds. A clock that was put back keeps them."""
    return tuple(at for at in restarts if now - at < HOUR)


def delay(restarts: Sequence[float], now: float, ran: float) -> float | None:
    """Seconds to wait before the next restart of a program that ran for ``ran`` seconds; None when
    it crashed too often. ``restarts`` are the times of those before."""
    known = recent(restarts, now)
    if len(known) >= PER_HOUR:
        return None
    if ran >= STEADY:
        return DELAYS[0]
    return DELAYS[min(len(known), len(DELAYS) - 1)]
