"""The door to made strategies, which our engine runs.

A start and a stop send orders, so each names what it is about; the mode of a run is given with its
start and stays. Calls raise :class:`AppError` with a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.events import StrategyChanged, StrategyTold
from openalgo_desktop.core.strategies.model import Definition
from openalgo_desktop.core.strategies.rows import (
    MadeStrategy,
    RunEvent,
    RunOrder,
    RunView,
    StartAnswer,
    StopAnswer,
)
from openalgo_desktop.core.strategies.words import TriggerSource

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Who starts and stops, for events and audit trail.
WINDOW = "window"
#: Rows of a run's log that a page shows.
EVENTS = 500


class StrategiesDoor(QObject):
    """``close`` with the bridge."""

    changed = Signal(int)  # id of a made strategy: it or its run is another
    told = Signal(object)  # RunEvent

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
        subscribe = terminal.bus.subscribe
        self._stops = [
            subscribe(StrategyChanged, lambda event: self.changed.emit(event.strategy_id)),
            subscribe(StrategyTold, lambda event: self.told.emit(event.event)),
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
