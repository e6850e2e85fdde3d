"""Doors of the strategy engine and of the host, for the local API, the bots and the window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.core.strategies.hosted import HostedView
from openalgo_desktop.core.strategies.model import Definition
from openalgo_desktop.core.strategies.rows import (
    MadeStrategy,
    Run,
    RunEvent,
    RunOrder,
    RunView,
    SignalAnswer,
    StartAnswer,
    StopAnswer,
)
from openalgo_desktop.core.strategies.words import (
    EventKind,
    RunStatus,
    Severity,
    Signal,
    TriggerSource,
)


class StrategyNotFound(AppError):
    """There is no such strategy."""

    http_status = 404


class NotNow(ConfigError):
    """It cannot be done in the state in which the strategy is (running already, not running, live
    not enabled, exits refused)."""

    http_status = 409


class EveryEntryRejected(AppError):
    """A run was begun and closed, because nothing could be entered."""

    http_status = 400


class StrategyEngine(Protocol):
    """Made strategies. Every write is durable when it returns. Unknown ids raise
    :class:`StrategyNotFound`, bad fields :class:`ConfigError` that names them."""

    async def create(self, definition: Definition, by: str) -> MadeStrategy: ...
    async def update(self, strategy_id: int, definition: Definition, by: str) -> MadeStrategy:
        """Raises :class:`NotNow` while it runs."""

    async def delete(self, strategy_id: int, by: str) -> None: ...
    async def export(self, strategy_id: int) -> bytes:
        """Its definition as a file (JSON), to be kept and versioned."""

    async def import_file(self, text: bytes | str, by: str) -> MadeStrategy:
        """A new strategy from such a file. Raises :class:`ConfigError` with the place and fix."""

    async def enable_live(self, strategy_id: int, enabled: bool, by: str) -> MadeStrategy:
        """In the account that takes live orders now. Raises :class:`NotNow` while it runs, and
        where no account takes them."""

    async def lock_webhook(self, strategy_id: int, locked: bool, by: str) -> MadeStrategy:
        """Locking also closes what the running run holds: the lock first, then the exits."""

    async def rotate_token(self, strategy_id: int, by: str) -> str:
        """A new webhook token; its text is given only here."""

    async def by_token(self, token: str) -> MadeStrategy | None:
        """The strategy of a webhook token."""

    async def find(
        self, status: RunStatus | None = None, words: str = ""
    ) -> Sequence[MadeStrategy]:
        """Newest first."""

    async def get(self, strategy_id: int) -> MadeStrategy: ...
    async def start(
        self,
        strategy_id: int,
        mode: Mode,
        source: TriggerSource,
        by: str,
        *,
        webhook_event_id: int | None = None,
    ) -> StartAnswer:
        """Begin a run. Raises :class:`NotNow` when it runs or may not go live, and
        :class:`EveryEntryRejected`."""

    async def stop(self, strategy_id: int, by: str, *, close_all: bool = False) -> StopAnswer: ...
    async def close_leg(self, strategy_id: int, leg_id: int, by: str) -> StopAnswer: ...
    async def pause(self, strategy_id: int, paused: bool, by: str) -> MadeStrategy:
        """Enter nothing new (rules and exits go on), or go on entering."""

    async def signal(
        self,
        strategy_id: int,
        signal: Signal,
        by: str,
        *,
        leg_id: int | None = None,
        symbol: str = "",
        exchange: str = "",
        webhook_event_id: int | None = None,
    ) -> SignalAnswer: ...

    async def run(self, run_id: int) -> Run | None: ...
    async def runs(self, strategy_id: int, limit: int) -> Sequence[Run]:
        """Newest first."""

    async def orders(self, strategy_id: int, run_id: int | None) -> Sequence[RunOrder]:
        """Oldest first."""

    async def events(
        self,
        strategy_id: int,
        run_id: int | None,
        kind: EventKind | None,
        severity: Severity | None,
        limit: int,
    ) -> Sequence[RunEvent]:
        """Newest first."""

    def view(self, strategy_id: int) -> RunView | None:
        """Live state of the run; None when it does not run."""


class StrategyStore(Protocol):
    """Where made strategies, their runs, orders and events are kept. Each call is durable when it
    returns; raises :class:`StorageError` where nothing was stored."""

    async def add(self, definition: Definition, at: datetime) -> MadeStrategy: ...
    async def define(self, strategy_id: int, definition: Definition, at: datetime) -> bool:
        """Another definition, unless a run is on; whether it was stored."""

    async def remove(self, strategy_id: int, at: datetime) -> bool:
        """Take it off the list, unless a run is on. Its runs, orders and events stay."""

    async def live(self, strategy_id: int, account: str, at: datetime) -> bool:
        """The opt-in to live in an account (empty: in none), unless a run is on."""

    async def lock(self, strategy_id: int, locked: bool, at: datetime) -> None: ...
    async def token(self, strategy_id: int, digest: str, at: datetime) -> None:
        """The SHA-256 (hex) of a new webhook token."""

    async def strategy(self, strategy_id: int) -> MadeStrategy | None: ...
    async def of_token(self, digest: str) -> MadeStrategy | None: ...
    async def strategies(self) -> list[MadeStrategy]:
        """Newest first."""

    async def claim(self, run: Run) -> int | None:
        """Begin a run by one conditional update: its id, or None where one is on already (or live
        is not enabled any more). ``run.run_id`` is not looked at."""

    async def paused(self, strategy_id: int, run_id: int, status: RunStatus) -> bool:
        """Running or paused, of the run that is on; whether it still is."""

    async def keep(self, run: Run, state: bytes) -> None:
        """A run as it is now, with its checkpoint."""

    async def finish(self, run: Run, state: bytes, status: RunStatus) -> None:
        """A run is over; its strategy is ``status`` and free for another one."""

    async def run(self, run_id: int) -> Run | None: ...
    async def runs(self, strategy_id: int, limit: int) -> list[Run]:
        """Newest first."""

    async def runs_since(self, strategy_id: int, moment: datetime) -> list[Run]:
        """Those that began or ended since, newest first."""

    async def open_runs(self) -> list[tuple[Run, bytes]]:
        """Runs that are not over, with their checkpoints, oldest first."""

    async def add_order(self, order: RunOrder, strategy_id: int) -> int:
        """Its row id; ``order.row_id`` is not looked at."""

    async def put_order(self, order: RunOrder) -> None: ...
    async def orders(self, strategy_id: int, run_id: int | None) -> list[RunOrder]:
        """Oldest first."""

    async def tell(self, event: RunEvent) -> RunEvent:
        """Keep an event; it comes back with its id."""

    async def events(
        self,
        strategy_id: int,
        run_id: int | None,
        kind: EventKind | None,
        severity: Severity | None,
        limit: int,
    ) -> list[RunEvent]:
        """Newest first."""


class ProgramHost(Protocol):
    """Hosted programs. Names are unique; unknown ones raise :class:`StrategyNotFound`."""

    def all(self) -> Sequence[HostedView]: ...
    def get(self, name: str) -> HostedView: ...
    async def start(self, name: str, mode: Mode, by: str) -> HostedView:
        """Raises :class:`NotNow` where it runs, or is not promoted to ``mode``. An environment that
        takes long to make is made on: the answer says *preparing* then."""

    async def stop(self, name: str, by: str, *, square_off: bool | None = None) -> HostedView:
        """Ends its process; nothing where it does not run. Without ``square_off`` the program's own
        ``at_stop`` counts. What could not be confirmed is in ``reason``."""

    async def stop_all(self, by: str) -> Sequence[HostedView]: ...
