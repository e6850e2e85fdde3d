"""What the candles of days tell of an instrument where its feed does not: the open interest at the
end of the day before, the high and the low of 52 weeks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Bars, TickExtras

#: Days of candles that are asked for: a year of shares and indices; of derivatives enough for the
#: last session, whatever holidays lie between.
YEAR, SOME = 365, 12


def first_day(row: Instrument, today: date) -> date:
    """From when on candles are needed."""
    return today - timedelta(days=SOME if row.expiry is not None else YEAR)


def day_facts(row: Instrument, bars: Bars, today: date | None) -> TickExtras:
    """What daily candles up to ``today`` tell; what they do not tell stays unknown. None is a day
    without trading: prices are still those of the last session, so that is the day that counts."""
    if not len(bars):
        return TickExtras()
    if row.expiry is None:
        return TickExtras(week_52_high=float(bars.high.max()), week_52_low=float(bars.low.min()))
    days = [datetime.fromtimestamp(int(moment), UTC).date() for moment in bars.time]
    before = [place for place, day in enumerate(days) if day < (today or days[-1])]
    if not before:
        return TickExtras()
    interest = int(bars.oi[before[-1]])
    return TickExtras(prev_oi=interest) if interest > 0 else TickExtras()
