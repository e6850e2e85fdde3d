"""Alerts (:class:`PriceAlertStore`), what they told (:class:`ToldAlertStore`) and did: small JSON
values by id; they survive the program."""

from __future__ import annotations

import asyncio
import logging
from decimal import Decimal
from typing import Any

import msgspec

from openalgo_desktop.core.alert_deeds import DeedRow
from openalgo_desktop.core.alerts import PriceAlert, ToldAlert
from openalgo_desktop.storage.state import KeyValueStore

log = logging.getLogger(__name__)

_SCOPE, _TOLD, _DEEDS = "price-alerts", "alerts-told", "alert-deeds"


def _check_finite(*values: Decimal | None) -> None:
    """A number that is none would end the comparison of every alert of its symbol."""
    for value in values:
        if value is not None and not value.is_finite():
            raise msgspec.ValidationError(f"{value} is no number")


class PriceAlertRepository:
    """One value for each alert."""

    def __init__(self, state: KeyValueStore) -> None:
        self._state = state

    async def load(self) -> list[PriceAlert]:
        """All of them, oldest first. One that cannot be read costs that one."""
        found = []
        for name, value in (await self._state.all(_SCOPE)).items():
            try:
                alert = msgspec.convert(value, PriceAlert)
                wish = alert.wish
                _check_finite(wish.level, wish.upper, alert.fired_value, alert.fired_line)
                found.append(alert)
            except msgspec.ValidationError as error:
                log.error("the alert %s cannot be read and is not watched: %s", name, error)
        return sorted(found, key=lambda alert: alert.created_at)

    def save(self, *alerts: PriceAlert) -> asyncio.Future[Any]:
        """Store alerts as they are now, in one write; done when it is durable."""
        rows = {alert.alert_id: msgspec.to_builtins(alert) for alert in alerts}
        return self._state.putting_all(_SCOPE, rows)

    async def forget(self, alert_id: str) -> None:
        """Delete one; returns when that is durable."""
        await self._state.delete(_SCOPE, alert_id)


class ToldAlertRepository:
    """One value for each time that an alert told."""

    def __init__(self, state: KeyValueStore) -> None:
        self._state = state
        self._put = state.put_later(_TOLD)
        self._forget = state.forget_later(_TOLD)

    async def load(self) -> list[ToldAlert]:
        """All of them, oldest first. One that cannot be read costs that one."""
        found = []
        for name, value in (await self._state.all(_TOLD)).items():
            try:
                told = msgspec.convert(value, ToldAlert)
                _check_finite(told.value, told.line)
                found.append(told)
            except msgspec.ValidationError as error:
                log.error("what an alert told (%s) cannot be read: %s", name, error)
        return sorted(found, key=lambda told: told.at)

    def save(self, told: ToldAlert) -> None:
        """Store a row without waiting."""
        self._put(told.told_id, msgspec.to_builtins(told))

    def forget(self, told_id: str) -> None:
        """Delete one without waiting."""
        self._forget(told_id)


class DeedRepository:
    """One value for each time that an alert did something that must not be done twice."""

    def __init__(self, state: KeyValueStore) -> None:
        self._state = state
        self._forget = state.forget_later(_DEEDS)

    async def load(self) -> list[DeedRow]:
        """All of them, oldest first. One that cannot be read costs that one."""
        found = []
        for name, value in (await self._state.all(_DEEDS)).items():
            try:
                found.append(msgspec.convert(value, DeedRow))
            except msgspec.ValidationError as error:
                log.error("what an alert did (%s) cannot be read: %s", name, error)
        return sorted(found, key=lambda row: row.at)

    async def save(self, row: DeedRow) -> None:
        """Store a row as it is now; returns when that is durable."""
        await self._state.put(_DEEDS, row.deed_id, msgspec.to_builtins(row))

    def forget(self, deed_id: str) -> None:
        """Delete one without waiting."""
        self._forget(deed_id)
