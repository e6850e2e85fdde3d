"""Alerts on the time: a moment, or one of each trading day.

What passed while the program did not run, or the computer slept, is not told as if it were now:
a moment of each day waits for the next one, a single one rests with the reason.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Iterator
from datetime import datetime
from math import nan

from openalgo_desktop.automation.alerts.ports import Judge
from openalgo_desktop.core.alert_subjects import OfTime, next_moment, time_words
from openalgo_desktop.core.alerts import ZERO, AlertWish, PriceAlert
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.errors import InvalidOrder

log = logging.getLogger(__name__)

#: How often it is looked whether a moment came, and how late it may be; seconds.
LOOK, LATE = 0.25, 30.0
#: Later than this it moves no money; seconds.
PROMPT = 5.0
MISSED = "Its time passed while it was not watched."


class Moments:
    """:class:`Watcher` of them; ``calendar`` has the sessions."""

    def __init__(self, clock: Clock, calendar: MarketCalendar, decider: Judge) -> None:
        self._clock = clock
        self._calendar = calendar
        self._judge = decider
        self._next: dict[str, tuple[datetime, OfTime]] = {}
        self._heap: list[tuple[datetime, str]] = []
        self._task: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def watch(self, alert: PriceAlert) -> None:
        """Wait for its next moment; nothing when that is waited for already."""
        subject, told = alert.wish.subject, alert.fired_at
        assert isinstance(subject, OfTime)
        known = self._next.get(alert.alert_id)
        if known is not None and known[1] == subject and (told is None or told < known[0]):
            return
        now = self._clock.now()
        moment = next_moment(subject, self._calendar, now if told is None else max(now, told))
        if moment is None:
            self._judge.halt(alert.alert_id, MISSED)
            return
        self._next[alert.alert_id] = (moment, subject)
        heapq.heappush(self._heap, (moment, alert.alert_id))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="alerts on the time")

    def drop(self, alert_id: str) -> None:
        """Wait no more."""
        self._next.pop(alert_id, None)

    def check(self, wish: AlertWish) -> None:
        """Raises :class:`InvalidOrder` for a moment that never comes."""
        subject = wish.subject
        assert isinstance(subject, OfTime)
        if next_moment(subject, self._calendar, self._clock.now()) is None:
            what = "is over" if subject.at else f"never comes: {subject.calendar} has no session"
            raise InvalidOrder(f"Time: it {what}.", field="subject")

    def trouble(self, alert: PriceAlert) -> str:
        """Time comes always."""
        return ""

    def current(self, alert: PriceAlert) -> float:
        """It has no value."""
        return nan

    def due(self, alert_id: str) -> datetime | None:
        """Its next moment."""
        known = self._next.get(alert_id)
        return None if known is None else known[0]

    def lose(self) -> None:
        """Time needs no feed."""

    def looking(self) -> Iterator[None]:
        """Whose moment came; the calendar may have been amended since."""
        self.look()
        yield

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            try:
                self.look()
            except Exception:
                log.exception("looking at the time failed; going on")

    def look(self) -> None:
        """Tell those whose moment came."""
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            moment, alert_id = heapq.heappop(self._heap)
            known = self._next.get(alert_id)
            if known is None or known[0] != moment:  # it has another one by now
                continue
            del self._next[alert_id]
            late = (now - moment).total_seconds()
            if late <= LATE:
                text = f"{moment.astimezone(IST):%H:%M} {time_words(known[1])}"
                self._judge.happened(alert_id, ZERO, text, late=late > PROMPT)
            else:
                log.warning("the alert %s missed its moment %s", alert_id, moment)
                self._missed(alert_id, known[1], now)

    def _missed(self, alert_id: str, source: OfTime, now: datetime) -> None:
        moment = next_moment(source, self._calendar, now)
        if moment is None:
            self._judge.halt(alert_id, MISSED)
            return
        self._next[alert_id] = (moment, source)
        heapq.heappush(self._heap, (moment, alert_id))
