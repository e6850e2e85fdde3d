"""What is on disk about a program's life, written before anything is done: after a crash of the
engine it says what was meant to run.

A disk that is full takes no row any more, but it lets go of a file: each program that is to run has
an empty one, and a row counts as a wish only while that is there. So a stop holds over a crash of
the engine even where nothing can be written.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.strategies.hosted import HostedState

SCOPE = "hosted-runs"
#: Key of the last moment at which an engine looked after the programs (epoch seconds).
SEEN = "seen"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """That it is to run, until somebody says otherwise. ``window`` is that of its schedule which
    began it; empty by hand."""

    mode: Mode
    account_id: str
    by: str
    since: datetime
    window: str = ""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Where a program stands. ``run_id`` is the present run, else the last; ``digest`` the content
    that it was started with. ``off_day`` is the day (ISO) on which its schedule leaves it alone,
    ``window`` the one that its schedule has dealt with. ``restarts`` are epoch seconds.
    ``closing``: what it holds is being closed, and that is not confirmed yet. ``live_account`` is
    the account for which its live schedule was switched on."""

    wanted: Wanted | None = None
    run_id: str = ""
    digest: str = ""
    mode: Mode | None = None
    account_id: str = ""
    started_at: datetime | None = None
    state: HostedState = HostedState.STOPPED
    reason: str = ""
    last_lines: tuple[str, ...] = ()
    restarts: tuple[float, ...] = ()
    off_day: str = ""
    window: str = ""
    breach_day: str = ""
    breach: str = ""
    closing: bool = False
    live_account: str = ""


class JsonStore(Protocol):
    """Small JSON values by scope and key."""

    async def all(self, scope: str) -> dict[str, Any]: ...
    async def put(self, scope: str, key: str, value: Any) -> None: ...
    async def delete(self, scope: str, key: str) -> None: ...
    def put_later(self, scope: str) -> Callable[[str, Any], None]: ...


class Wishes:
    """An empty file for each program that is to run, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, strategy_id: str) -> None:
        """Raises :class:`StorageError`. Blocks."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / strategy_id).touch()
        except OSError as error:
            text = f"{self._folder} takes no file ({error.strerror}); make room there."
            raise StorageError(text) from None

    def take_back(self, strategy_id: str) -> None:
        """A disk that is full lets it go; one that cannot be written at all keeps it."""
        with contextlib.suppress(OSError):
            (self._folder / strategy_id).unlink()

    def stands(self, strategy_id: str) -> bool:
        """Whether it is to run."""
        return (self._folder / strategy_id).exists()

    def changed(self) -> date | None:
        """The day (IST) on which a wish was made or taken back last."""
        try:
            return datetime.fromtimestamp(self._folder.stat().st_mtime, IST).date()
        except OSError:
            return None


class KeptRows:
    """The rows by strategy id; ``folder`` is that of the wishes."""

    def __init__(self, store: JsonStore, folder: Path) -> None:
        self._store = store
        self._later = store.put_later(SCOPE)
        self._wishes = Wishes(folder)

    async def load(self) -> tuple[dict[str, Kept], float]:
        """All rows, and when an engine saw the programs last (0: never). A row that cannot be read
        is one of a program that does not run: its process, if any, is ended."""
        rows = await self._store.all(SCOPE)
        seen = float(rows.pop(SEEN, 0.0))
        kept: dict[str, Kept] = {}
        for key, row in rows.items():
            try:
                kept[key] = self._meant(key, msgspec.convert(row, Kept))
            except msgspec.ValidationError:
                kept[key] = Kept(state=HostedState.ERROR, reason="What was kept of it is damaged.")
        return kept, seen

    def _meant(self, strategy_id: str, kept: Kept) -> Kept:
        """What it says, but for a wish that was taken back when it could not be written."""
        if kept.wanted is None or self._wishes.stands(strategy_id):
            return kept
        day = self._wishes.changed()
        return msgspec.structs.replace(
            kept,
            wanted=None,
            state=HostedState.STOPPED,
            reason="It was stopped while the disk took nothing; look at its positions.",
            off_day=kept.off_day if day is None else day.isoformat(),
        )

    async def wish(self, strategy_id: str) -> None:
        """Before the row of a new start. Raises :class:`StorageError`."""
        await asyncio.to_thread(self._wishes.make, strategy_id)

    def take_back(self, strategy_id: str) -> None:
        """It is not to run any more, and the row that says so could not be written."""
        self._wishes.take_back(strategy_id)

    async def put(self, strategy_id: str, kept: Kept) -> None:
        """Returns when it is durable."""
        await self._store.put(SCOPE, strategy_id, msgspec.to_builtins(kept))

    def put_later(self, strategy_id: str, kept: Kept) -> None:
        """What a start after a crash could do without."""
        self._later(strategy_id, msgspec.to_builtins(kept))

    def seen(self, at: float) -> None:
        """An engine looks after the programs at ``at``."""
        self._later(SEEN, at)

    async def forget(self, strategy_id: str) -> None:
        """The program is gone."""
        self._wishes.take_back(strategy_id)
        await self._store.delete(SCOPE, strategy_id)
