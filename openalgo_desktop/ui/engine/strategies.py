"""The door to made strategies, which our engine runs.

A start and a stop send orders, so each names what it is about; the mode of a run is given with its
start and stays. Calls raise :class:`AppError` with a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.events import StrategyBookChanged, StrategyChanged, StrategyTold
from openalgo_desktop.core.strategies.model import Definition
from openalgo_desktop.core.strategies.payloads import Paste
from openalgo_desktop.core.strategies.rows import (
    MadeStrategy,
    RunEvent,
    RunOrder,
    RunView,
    StartAnswer,
    StopAnswer,
)
from openalgo_desktop.core.strategies.words import TriggerSource
from openalgo_desktop.core.strategy_book import StrategyBooks
from openalgo_desktop.core.webhook_log import WebhookEvent
from openalgo_desktop.local_api.webhook_desk import Tried, WebhookDesk
from openalgo_desktop.trading.webhooks import WebhookStrategy

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Who starts and stops, for events and audit trail.
WINDOW = "window"
#: Rows of a run's log, and alerts, that a page shows.
EVENTS, ALERTS = 500, 100
API_OFF = "The local API is off, so no alert can come. Switch it on in Settings, Local API."


class StrategiesDoor(QObject):
    """``close`` with the bridge."""

    changed = Signal(int)  # id of a made strategy: it or its run is another
    told = Signal(object)  # RunEvent
    booked = Signal(object, object)  # Mode, names whose books changed

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
        subscribe = terminal.bus.subscribe
        self._stops = [
            subscribe(StrategyChanged, lambda event: self.changed.emit(event.strategy_id)),
            subscribe(StrategyTold, lambda event: self.told.emit(event.event)),
            subscribe(StrategyBookChanged, lambda e: self.booked.emit(e.mode, e.names)),
        ]

    def close(self) -> None:
        """Listen no more."""
        for stop in self._stops:
            stop()

    # -- made strategies ----------------------------------------------------------------------
    async def made(self) -> Sequence[MadeStrategy]:
        """All of them, newest first."""
        return await self._terminal.strategies.find()

    async def get(self, strategy_id: int) -> MadeStrategy:
        """One of them; raises :class:`StrategyNotFound`."""
        return await self._terminal.strategies.get(strategy_id)

    def view(self, strategy_id: int) -> RunView | None:
        """Live state of its run; None when it does not run."""
        return self._terminal.strategies.view(strategy_id)

    async def create(self, definition: Definition) -> MadeStrategy:
        """Keep a new one; it sends nothing."""
        return await self._terminal.strategies.create(definition, WINDOW)

    async def update(self, strategy_id: int, definition: Definition) -> MadeStrategy:
        """Change one that does not run."""
        return await self._terminal.strategies.update(strategy_id, definition, WINDOW)

    async def delete(self, strategy_id: int) -> None:
        """Forget one that does not run; its runs stay in the journal."""
        await self._terminal.strategies.delete(strategy_id, WINDOW)

    async def enable_live(self, strategy_id: int, enabled: bool) -> MadeStrategy:
        """Let it be started live, or no more."""
        return await self._terminal.strategies.enable_live(strategy_id, enabled, WINDOW)

    async def lock_webhook(self, strategy_id: int, locked: bool) -> MadeStrategy:
        """Refuse its alerts and close what it holds, or listen again."""
        return await self._terminal.strategies.lock_webhook(strategy_id, locked, WINDOW)

    async def rotate_token(self, strategy_id: int) -> str:
        """A new webhook token; it is shown once."""
        return await self._terminal.strategies.rotate_token(strategy_id, WINDOW)

    async def start(self, strategy_id: int, mode: Mode) -> StartAnswer:
        """Begin a run in ``mode``, wherever the switch of the window stands."""
        return await self._terminal.strategies.start(
            strategy_id, mode, TriggerSource.MANUAL, WINDOW
        )

    async def stop(self, strategy_id: int) -> StopAnswer:
        """End the run: what its legs hold is closed at market."""
        return await self._terminal.strategies.stop(strategy_id, WINDOW)

    async def pause(self, strategy_id: int, paused: bool) -> MadeStrategy:
        """Enter nothing new, or go on entering; stops and targets go on either way."""
        return await self._terminal.strategies.pause(strategy_id, paused, WINDOW)

    async def close_leg(self, strategy_id: int, leg_id: int) -> StopAnswer:
        """Close one leg at market."""
        return await self._terminal.strategies.close_leg(strategy_id, leg_id, WINDOW)

    async def orders(self, strategy_id: int) -> Sequence[RunOrder]:
        """Orders of all runs, newest first."""
        return list(reversed(await self._terminal.strategies.orders(strategy_id, None)))

    async def events(self, strategy_id: int) -> Sequence[RunEvent]:
        """What happened, newest first."""
        return await self._terminal.strategies.events(strategy_id, None, None, None, EVENTS)

    # -- book -----------------------------------------------------------------------------------
    @property
    def books(self) -> StrategyBooks:
        """What each name did and holds, in either mode: to be read."""
        return self._terminal.strategy_book

    # -- alerts from outside --------------------------------------------------------------------
    @property
    def _hooks(self) -> WebhookDesk:
        if self._terminal.api is None:
            raise ConfigError(API_OFF)
        return self._terminal.api.webhooks

    def pastes_of_made(self, made: MadeStrategy, token: str = "") -> list[Paste]:
        """What to paste into a sender for a made strategy; ``token`` right after its rotation."""
        return self._hooks.pastes_of_made(made, token)

    def pastes_of_hook(self, strategy: WebhookStrategy) -> list[Paste]:
        """The same for a webhook strategy."""
        return self._hooks.pastes_of_hook(strategy)

    async def came_to_made(self, strategy_id: int) -> Sequence[WebhookEvent]:
        """Alerts to a made strategy, newest first, with what became of each."""
        return await self._hooks.came_to_made(strategy_id, ALERTS)

    async def came_to_hook(self, webhook_id: str) -> Sequence[WebhookEvent]:
        """The same of a webhook strategy."""
        return await self._hooks.came_to_hook(webhook_id, ALERTS)

    async def try_made(self, strategy_id: int) -> Tried:
        """Send an alert of its own to a made strategy: in the sandbox, or refused."""
        return await self._hooks.try_made(strategy_id)

    async def try_hook(self, strategy: WebhookStrategy) -> Tried:
        """Send an entry of its own to a webhook strategy, in the sandbox."""
        return await self._hooks.try_hook(strategy)
