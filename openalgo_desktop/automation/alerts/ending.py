"""Ends alerts whose last day, or whose contract, is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from openalgo_desktop.core.alerts import AlertState, PriceAlert, over
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.instruments import is_over
from openalgo_desktop.core.ports import InstrumentLookup

#: Looks within which every alert had its turn.
ROUND = 30


class Ending:
    """Looks through ``alerts`` and brings those that are over to ``end``."""

    def __init__(
        self,
        clock: Clock,
        instruments: InstrumentLookup,
        alerts: Mapping[str, PriceAlert],
        end: Callable[[PriceAlert], None],
    ) -> None:
        self._clock = clock
        self._instruments = instruments
        self._alerts = alerts
        self._end = end
        self._rest: Iterator[str] = iter(())

    def all(self, turn: int) -> Iterator[None]:
        """Every one, in turns of the loop."""
        for number, alert_id in enumerate(tuple(self._alerts), 1):
            if not number % turn:
                yield
            self._look_at(alert_id, self._clock.now())

    def some(self, least: int) -> None:
        """The next few: within :data:`ROUND` calls every one had its turn."""
        now = self._clock.now()
        for _ in range(max(least, len(self._alerts) // ROUND)):
            alert_id = next(self._rest, None)
            if alert_id is None:
                self._rest = iter(tuple(self._alerts))
                return
            self._look_at(alert_id, now)

    def _look_at(self, alert_id: str, now: datetime) -> None:
        alert = self._alerts.get(alert_id)
        if alert is None or alert.state not in (AlertState.ACTIVE, AlertState.PAUSED):
            return
        symbol = alert.wish.symbol
        row = self._instruments.get(alert.key) if symbol else None
        if over(alert.wish, now) or (symbol and is_over(symbol, row, now.date())):
            self._end(alert)
