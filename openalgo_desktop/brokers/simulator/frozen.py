"""Candles of the frozen market: the process's past, scaled to the frozen prices."""

from __future__ import annotations

import numpy as np

from openalgo_desktop.brokers.simulator.history import period_start
from openalgo_desktop.brokers.simulator.process import day_of
from openalgo_desktop.brokers.simulator.quotes import FrozenQuoter
from openalgo_desktop.brokers.simulator.sessions import ist_midnight
from openalgo_desktop.core.clock import Clock, ist_date
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.core.money import to_tick_array
from openalgo_desktop.core.ticks import Bars


def frozen_bars(
    bars: Bars, quoter: FrozenQuoter, interval: Interval, clock: Clock, process_close: float
) -> Bars:
    """Past candles end at the frozen previous close (``process_close`` is that of the process);
    today's run from its open to the last price and touch its high and low in the first bar."""
    today = ist_date(clock.time())
    if interval.is_intraday:
        label = ist_midnight(today)
    else:
        label = day_of(period_start(today, interval)) * 86_400
    running = bars.time >= label
    past, prices = ~running, (bars.open, bars.high, bars.low, bars.close)
    scale = quoter.stat("close") / process_close
    tick = quoter.instrument.tick_size
    for column in prices:
        column[past] = to_tick_array(column[past] * scale, tick)
    rows = np.flatnonzero(running)
    if len(rows):
        last = quoter.last()
        for column in prices:
            column[rows] = last
        bars.open[rows[0]] = quoter.stat("open")
        bars.high[rows[0]] = max(quoter.stat("high"), last)
        bars.low[rows[0]] = min(quoter.stat("low"), last)
    return bars
