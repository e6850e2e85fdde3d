"""Stores alerts without holding anybody up: what the disk did not take comes again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from openalgo_desktop.core.alerts import PriceAlert
from openalgo_desktop.core.ports import PriceAlertStore

log = logging.getLogger(__name__)


class Keeper:
    """``find`` gives an alert as it is now, None for one that is gone."""

    def __init__(self, store: PriceAlertStore, find: Callable[[str], PriceAlert | None]) -> None:
        self._store = store
        self._find = find
        self._unsaved: set[str] = set()

    def later(self, alert_id: str) -> None:
        """Store it with the next look: a change without a word."""
        self._unsaved.add(alert_id)

    def forget(self, alert_id: str) -> None:
        """It is gone."""
        self._unsaved.discard(alert_id)

    def save(self, *alerts: PriceAlert) -> asyncio.Future[Any]:
        """Store these now, in one write; done when they are durable."""
        names = tuple(alert.alert_id for alert in alerts)
        self._unsaved.difference_update(names)
        saved = self._store.save(*alerts)
        saved.add_done_callback(lambda done: self._saved(names, done))
        return saved

    def _saved(self, names: Sequence[str], done: asyncio.Future[Any]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None:
            log.error("%d alerts are not stored yet: %s", len(names), error)
            self._unsaved.update(name for name in names if self._find(name) is not None)

    def saving(self, turn: int) -> Iterator[None]:
        """Store what waits, so many in a turn."""
        names = tuple(self._unsaved)
        for first in range(0, len(names), turn):
            found = [self._find(name) for name in names[first : first + turn]
                     if name in self._unsaved]  # fmt: skip
            rows = [alert for alert in found if alert is not None]
            if rows:
                self.save(*rows)
            yield
