"""Longer bars of shorter ones, and bars of ticks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from openalgo_desktop.core.charting.columns import Floats, Ints
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.span import Span, SpanUnit
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.ticks import Bars

#: Longer intraday bars are anchored differently from broker to broker (at the opening, at the
#: full hour); up to here both are the same. Seconds.
_SAME_EVERYWHERE = 15 * 60
#: Units of days and longer whose periods are whole ones of a shorter unit, that one counted once.
_WHOLE = {
    SpanUnit.DAY: (SpanUnit.DAY,),
    SpanUnit.WEEK: (SpanUnit.WEEK, SpanUnit.DAY),
    SpanUnit.MONTH: (SpanUnit.MONTH, SpanUnit.DAY),
    SpanUnit.QUARTER: (SpanUnit.QUARTER, SpanUnit.MONTH, SpanUnit.DAY),
    SpanUnit.YEAR: (SpanUnit.YEAR, SpanUnit.QUARTER, SpanUnit.MONTH, SpanUnit.DAY),
}


def makes(source: Span, span: Span) -> bool:
    """Whether bars of ``source`` can be joined to bars of ``span``."""
    if source == span:
        return True
    if span.is_intraday:
        return source.is_intraday and span.seconds % source.seconds == 0
    return source.is_intraday or (source.count == 1 and source.unit in _WHOLE[span.unit])


def source_of(span: Span, offered: Iterable[Interval]) -> Span | None:
    """Of which bars that an account offers those of ``span`` are made: itself where it is
    offered, else the longest that makes them and begins the same way at every broker. None when
    only ticks can make them."""
    spans = [Span.of(interval) for interval in offered]
    if span in spans:
        return span
    short = [
        row
        for row in spans
        if makes(row, span) and row.is_intraday and row.seconds <= _SAME_EVERYWHERE
    ]
    if span.is_intraday:
        return max(short, key=lambda row: row.seconds, default=None)
    for unit in _WHOLE[span.unit]:
        if Span(unit) in spans:
            return Span(unit)
    return max(short, key=lambda row: row.seconds, default=None)


def resample(bars: Bars, source: Span, rhythm: Rhythm) -> Bars:
    """``bars`` of ``source`` (ascending) joined to bars of the rhythm's span, which never reach
    over a session; the last one has what there is of it. Volumes are added; open interest is the
    last known one of each bar (0 is not known). Raises :class:`DataError` where ``source`` makes
    no such bars."""
    if not makes(source, rhythm.span):
        raise DataError(f"Interval: {rhythm.span.text} cannot be made of bars of {source.text}.")
    if source == rhythm.span or not len(bars):
        return bars
    return joined(bars, rhythm.starts(bars.time, source))


def joined(bars: Bars, start: Ints) -> Bars:
    """Neighbours of the same ``start`` become one bar, which begins there."""
    first, last = _runs(start)
    return Bars(
        start[first],
        bars.open[first],
        np.fmax.reduceat(bars.high, first),
        np.fmin.reduceat(bars.low, first),
        bars.close[last],
        np.add.reduceat(bars.volume, first),
        _last_known(bars.oi, first, last),
    )


def from_ticks(time: Floats, price: Floats, traded: Ints, oi: Ints, rhythm: Rhythm) -> Bars:
    """Bars of trades: ``time`` epoch seconds with a fraction, ``price`` rupees, ``traded`` units
    of each, ``oi`` units (0 not known). A tick that comes late counts where it was heard."""
    if not len(time):
        return Bars.empty()
    seconds = np.maximum.accumulate(np.floor(time)).astype(np.int64)
    start = rhythm.starts(seconds, Span(SpanUnit.SECOND))
    return joined(Bars(seconds, price, price, price, price, traded, oi), start)


def _runs(start: Ints) -> tuple[Ints, Ints]:
    """First and last index of each run of equal values."""
    first = np.flatnonzero(np.concatenate([[True], start[1:] != start[:-1]]))
    return first, np.append(first[1:], len(start)) - 1


def _last_known(oi: Ints, first: Ints, last: Ints) -> Ints:
    known = np.maximum.accumulate(np.where(oi > 0, np.arange(len(oi)), -1))[last]
    found: Ints = np.where(known >= first, oi[known], 0)
    return found
