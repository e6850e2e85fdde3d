"""When bars begin, for alerts that tell once in a bar and look at none."""

from __future__ import annotations

from datetime import datetime

from openalgo_desktop.core.alerts import AlertWish
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.charting.rhythm import Rhythm
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import IST, Clock


class BarTimes:
    """Counts bars as the charts do."""

    def __init__(self, clock: Clock, calendar: MarketCalendar) -> None:
        self._clock = clock
        self._calendar = calendar
        self._rhythms: dict[tuple[str, str], Rhythm] = {}

    def began(self, wish: AlertWish) -> datetime | None:
        """When the bar of now began; None for an alert that does not tell by the bar."""
        if not (wish.again and wish.per_bar):
            return None
        place = (wish.exchange or "NSE", wish.span)
        rhythm = self._rhythms.get(place)
        if rhythm is None:
            rhythm = Rhythm(Span.parse(wish.span), place[0], self._calendar)
            self._rhythms[place] = rhythm
        return datetime.fromtimestamp(rhythm.start(self._clock.time()), IST)
