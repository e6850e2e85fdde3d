"""A program as a screen shows it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from openalgo_desktop.automation.host.life.seat import Seat
from openalgo_desktop.core.strategies.hosted import HostedState, HostedView
from openalgo_desktop.core.strategies.hours import Verdict


class Numbers(NamedTuple):
    """What it did today in its mode."""

    breach: str = ""
    orders: int = 0
    pnl: Decimal | None = None


_QUIET = (HostedState.STOPPED, HostedState.PAUSED)


def view_of(
    seat: Seat,
    digest: str,
    verdict: Verdict | None,
    following: datetime | None,
    day: str,
    numbers: Numbers,
) -> HostedView:
    """``verdict`` is that of its schedule, None while that is off; ``following`` its next start,
    ``day`` today."""
    kept, row, running = seat.kept, seat.row, seat.running
    usage = running.usage() if running is not None else None
    state, paused = kept.state, None
    if state in _QUIET:
        state = HostedState.STOPPED
        if verdict is not None and not verdict.runs and kept.off_day != day:
            state, paused = HostedState.PAUSED, verdict.why
    return HostedView(
        hosted=row,
        state=state,
        mode=kept.mode,
        account_id=kept.account_id,
        reason=kept.reason,
        paused=paused,
        pid=running.pid if running is not None else None,
        run_id=kept.run_id,
        started_at=kept.started_at,
        next_start=following,
        restarts=len(kept.restarts),
        cpu_percent=usage.cpu_percent if usage is not None else None,
        memory_mb=usage.memory_mb if usage is not None else None,
        silent_seconds=usage.silent_seconds if usage is not None else None,
        stalled=seat.stalled,
        breached=numbers.breach,
        orders=numbers.orders,
        pnl=numbers.pnl,
        digest=digest,
        changed=bool(seat.is_up and digest and kept.digest and digest != kept.digest),
        promoted=bool(digest) and digest == row.promoted_hash,
        last_lines=kept.last_lines,
    )
