"""Price alerts (:class:`PriceAlertStore`): small JSON values by id; they survive the program."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec

from openalgo_desktop.core.alerts import PriceAlert
from openalgo_desktop.storage.state import KeyValueStore

log = logging.getLogger(__name__)

_SCOPE = "price-alerts"


class PriceAlertRepository:
    """One value for each alert."""

    def __init__(self, state: KeyValueStore) -> None:
        self._state = state

    async def load(self) -> list[PriceAlert]:
        """All of them, oldest first. One that cannot be read costs that one."""
        found = []
        for name, value in (await self._state.all(_SCOPE)).items():
            try:
                found.append(msgspec.convert(value, PriceAlert))
            except msgspec.ValidationError as error:
                log.error("the price alert %s cannot be read and is not watched: %s", name, error)
        return sorted(found, key=lambda alert: alert.created_at)

    def save(self, alert: PriceAlert) -> asyncio.Future[Any]:
        """Store an alert as it is now; done when it is durable."""
        return self._state.putting(_SCOPE, alert.alert_id, msgspec.to_builtins(alert))

    async def forget(self, alert_id: str) -> None:
        """Delete one; returns when that is durable."""
        await self._state.delete(_SCOPE, alert_id)
