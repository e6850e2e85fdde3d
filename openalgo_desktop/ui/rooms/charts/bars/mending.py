"""What was missed while the feed was lost, put into the bars of a chart. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np

from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import IST, IST_OFFSET_SECONDS
from openalgo_desktop.core.ticks import Bars

_DAY = 86_400
_MINUTE = 60
#: A source may have its last bars so much later, seconds.
_LATE = 180


def day_of(time: int, span: Span) -> date:
    """The IST date of a bar's time."""
    return datetime.fromtimestamp(time, IST if span.is_intraday else UTC).date()


def may_lack(before: int, time: int, span: Span) -> bool:
    """Whether bars may have been missed before the one that begins at ``time``, after that at
    ``before``: another day has begun, or there was no trade for a bar."""
    if not span.is_intraday:
        return True
    days = ((moment + IST_OFFSET_SECONDS) // _DAY for moment in (before, time))
    return len(set(days)) > 1 or (span.seconds >= _MINUTE and time - before > span.seconds)


def mended(shown: Columns, told: Bars, span: Span, *, exact: bool) -> Bars | None:
    """The bars that a chart has to show in place of ``shown``, its last ones: those that were
    ``told``, and what began later. None where nothing is other.

    Of seconds, which no source has, and of the last minutes, which one may not have yet, none is
    left out. Without ``exact`` highs and lows of both are
    parts of the truth: those of the shown bars are of more ticks.
    """
    if not len(told):
        return None
    kept = shown.time > told.time[-1]
    kept |= shown.time < told.time[0]
    if span.is_intraday:
        since = 0 if span.seconds < _MINUTE else told.time[-1] - _LATE
        kept |= (shown.time > since) & ~np.isin(shown.time, told.time)
    old = Columns._make(np.asarray(column)[kept] for column in shown)
    prices = [told.open, told.high.copy(), told.low.copy(), told.close]
    if not exact and shown.size:
        _, here, there = np.intersect1d(told.time, shown.time, True, return_indices=True)
        prices[1][here] = np.fmax(prices[1][here], shown.high[there])
        prices[2][here] = np.fmin(prices[2][here], shown.low[there])
    time = np.concatenate([told.time, old.time])
    order = np.argsort(time, kind="stable")
    units = [
        np.concatenate([column, np.nan_to_num(more).astype(np.int64)])[order]
        for column, more in ((told.volume, old.volume), (told.oi, old.oi))
    ]
    o, h, low, c = (
        np.concatenate([column, more])[order] for column, more in zip(prices, old[1:5], strict=True)
    )
    found = Bars(time[order], o, h, low, c, units[0], units[1])
    return None if _same(found, shown) else found


def _same(bars: Bars, shown: Columns) -> bool:
    found = Columns.of(bars)
    if found.size != shown.size or not np.array_equal(found.time, shown.time):
        return False
    return all(
        np.array_equal(np.nan_to_num(one), np.nan_to_num(two))
        for one, two in zip(found[1:], shown[1:], strict=True)
    )
