"""The door to hosted programs. A start is of a mode that is named; live needs a promotion by a
human. Calls raise :class:`AppError` with a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.events import HostedChanged
from openalgo_desktop.core.strategies.hosted import HostedView, Promotion

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal
    from openalgo_desktop.ui.engine.program_rows import LogEntry, RunLog, Sample, Source

#: Who starts and stops, for logs and views.
WINDOW = "window"


class ProgramsDoor(QObject):
    """``close`` with the bridge."""

    changed = Signal(object)  # HostedView
    removed = Signal(object)  # HostedView

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
        self._stop = terminal.bus.subscribe(HostedChanged, self._on_change)

    def close(self) -> None:
        """Listen no more."""
        self._stop()

    def _on_change(self, event: HostedChanged) -> None:
        (self.removed if event.removed else self.changed).emit(event.view)

    # -- asking -------------------------------------------------------------------------------
    def all(self) -> Sequence[HostedView]:
        """By name."""
        return self._terminal.programs.all()

    def get(self, strategy_id: str) -> HostedView:
        """One of them; raises :class:`StrategyNotFound`."""
        return self._terminal.host.get(strategy_id)

    async def samples(self) -> list[Sample]:
        """Programs that come with us."""
        from openalgo_desktop.automation.host.catalog import samples

        return await asyncio.to_thread(samples.samples)

    # -- adding and changing ------------------------------------------------------------------
    async def add(self, path: Path, name: str = "", *, link: bool = False) -> HostedView:
        """Take in a file or a folder: a copy, or with ``link`` where it is. It does not start."""
        return await self._terminal.host.add(path, name, link=link)

    async def add_sample(self, name: str) -> HostedView:
        """Take in a copy of a sample."""
        return await self._terminal.host.add(Path(f"sample:{name}"))

    async def remove(self, strategy_id: str) -> None:
        """Stop and forget; a linked folder stays."""
        await self._terminal.host.remove(strategy_id, WINDOW)

    async def change(self, strategy_id: str, **fields: Any) -> HostedView:
        """Other hours, quotas and the like; what runs has them from its next start on."""
        return await self._terminal.host.change(strategy_id, **fields)

    async def set_parameter(self, strategy_id: str, name: str, text: str) -> HostedView:
        """Set a declared parameter; an empty text is its default."""
        return await self._terminal.host.set_parameter(strategy_id, name, text)

    # -- running ------------------------------------------------------------------------------
    async def start(self, strategy_id: str, mode: Mode) -> HostedView:
        """Start in ``mode``, wherever the switch of the window stands."""
        return await self._terminal.host.start(strategy_id, mode, WINDOW)

    async def stop(self, strategy_id: str, *, square_off: bool | None = None) -> HostedView:
        """End its process; ``square_off`` closes what it holds, by our engine."""
        return await self._terminal.host.stop(strategy_id, WINDOW, square_off=square_off)

    async def restart(self, strategy_id: str) -> HostedView:
        """Stop and start in the same mode; what it holds stays."""
        return await self._terminal.host.restart(strategy_id, WINDOW)

    async def promotion(self, strategy_id: str) -> Promotion:
        """What a human looks at before it may go live."""
        return await self._terminal.host.promotion(strategy_id)

    async def promote(self, strategy_id: str, digest: str) -> HostedView:
        """Let the content that was looked at go live."""
        return await self._terminal.host.promote(strategy_id, digest, WINDOW)

    async def demote(self, strategy_id: str) -> HostedView:
        """Back to the sandbox."""
        return await self._terminal.host.demote(strategy_id, WINDOW)

    # -- text and output ----------------------------------------------------------------------
    async def source(self, strategy_id: str) -> Source:
        """The text of its entry."""
        from openalgo_desktop.automation.host.catalog import source

        row = self._terminal.host.get(strategy_id).hosted
        return await asyncio.to_thread(source.read, row)

    async def save(self, strategy_id: str, text: str, seen: str) -> Source:
        """Write the entry unless somebody else changed it since ``seen``; what runs goes on with
        what it has."""
        from openalgo_desktop.automation.host.catalog import source

        row = self._terminal.host.get(strategy_id).hosted
        return await asyncio.to_thread(source.write, row, text, seen)

    async def runs(self, strategy_id: str) -> list[RunLog]:
        """Its runs, newest first."""
        return await self._terminal.host.logs.runs(strategy_id)

    def follow(self, strategy_id: str, run_id: str, last: int) -> AsyncIterator[list[LogEntry]]:
        """The last lines of a run, then new ones as they come; ends with the run."""
        return self._terminal.host.logs.follow(strategy_id, run_id, last)

    async def search(self, strategy_id: str, text: str) -> list[tuple[str, LogEntry]]:
        """(run, line) of the lines of all runs that contain ``text``, newest run first."""
        return await self._terminal.host.logs.search(strategy_id, text)
