"""The door to price alerts. An alert tells and never sends, so no call takes a mode.

The words for what is wanted (:class:`AlertWish`, :class:`AlertWhen`) are in
:mod:`openalgo_desktop.core.alerts`. Calls raise :class:`AppError` with a sentence
(:class:`InvalidOrder` names the field).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.alerts import AlertWish, PriceAlert
from openalgo_desktop.core.events import PriceAlertChanged, PriceAlertFired
from openalgo_desktop.core.model import Key

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


class AlertsDoor(QObject):
    """``close`` with the bridge."""

    changed = Signal(object)  # PriceAlert: made, changed, told, ended or deleted
    fired = Signal(object)  # PriceAlert: it tells
    wanted = Signal(object, float)  # Key, price or 0: show the form of a new alert
    test_wanted = Signal()  # play the sound of an alert

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
        subscribe = terminal.bus.subscribe
        self._stops = [
            subscribe(PriceAlertChanged, lambda event: self.changed.emit(event.alert)),
            subscribe(PriceAlertFired, lambda event: self.fired.emit(event.alert)),
        ]

    def close(self) -> None:
        """Listen no more."""
        for stop in self._stops:
            stop()

    def all(self) -> list[PriceAlert]:
        """Every alert, newest first."""
        return self._terminal.alerts.all()

    def of(self, key: Key) -> list[PriceAlert]:
        """Those of an instrument."""
        return [alert for alert in self.all() if alert.key == key]

    def get(self, alert_id: str) -> PriceAlert:
        """One of them; raises :class:`AlertNotFound`."""
        return self._terminal.alerts.get(alert_id)

    def trouble(self, alert: PriceAlert) -> str:
        """Why an active alert hears nothing just now (market closed, price not known); empty when
        it does."""
        return self._terminal.alerts.trouble(alert)

    async def add(self, wish: AlertWish) -> PriceAlert:
        """Make an alert; one whose condition is true already tells at once."""
        return await self._terminal.alerts.add(wish)

    async def change(self, alert_id: str, wish: AlertWish) -> PriceAlert:
        """Give an alert another wish; it waits anew, a paused one stays paused."""
        return await self._terminal.alerts.change(alert_id, wish)

    async def pause(self, alert_id: str) -> PriceAlert:
        """Compare no more until it is resumed."""
        return await self._terminal.alerts.pause(alert_id)

    async def resume(self, alert_id: str) -> PriceAlert:
        """Watch a paused or fired alert (again)."""
        return await self._terminal.alerts.resume(alert_id)

    async def delete(self, alert_id: str) -> None:
        """End an alert for good."""
        await self._terminal.alerts.delete(alert_id)
