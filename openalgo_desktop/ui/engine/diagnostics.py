"""The door to what the program knows of itself: versions, settings, state, figures, logs, and the
reports of runs that did not end properly. Nothing secret leaves it, and nothing is sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.runtime import crash, diagnostics
from openalgo_desktop.runtime.hands.state import engine_status, protection
from openalgo_desktop.ui.engine.performance import Figures, PerformanceDoor

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Where it is kept which report was seen last.
SEEN = ("crash", "seen")
UNKNOWN = "not measured"


class DiagnosticsDoor:
    """``figures`` are asked of the performance door, which counts while somebody looks."""

    def __init__(self, terminal: Terminal, performance: PerformanceDoor) -> None:
        self._terminal = terminal
        self._performance = performance

    async def texts(self) -> dict[str, str]:
        """What the bundle begins with, by file name: a summary and the figures. Without secrets."""
        terminal = self._terminal
        status = await engine_status(terminal, {})
        running = {str(row["what"]): str(row["is"]) for row in status.rows}
        found = diagnostics.engine_findings(terminal, running, protection(terminal.vault))
        clean = terminal.logs.redactor
        shown = await asyncio.to_thread(found.cleaned, clean)
        summary = "\n".join(diagnostics.lines(shown))
        try:
            figures = "\n".join(performance_lines(self._performance.figures()))
        except AppError as error:  # no account takes orders
            figures = f"{UNKNOWN}: {error.message}"
        return {"summary.txt": summary, "performance.txt": clean.clean(figures)}

    async def save(self, path: Path, texts: dict[str, str]) -> list[str]:
        """Write the zip with these texts, today's log and the reports of crashes; the names of
        the files in it. Raises :class:`StorageError`."""
        terminal = self._terminal
        folder, clean = terminal.data_dir.logs, terminal.logs.redactor
        today = terminal.clock.now().date()
        return await asyncio.to_thread(diagnostics.write_bundle, path, folder, texts, clean, today)

    # -- crashes ----------------------------------------------------------------------------
    def reports(self) -> list[Path]:
        """Reports that are kept, newest first."""
        return crash.reports(self._terminal.data_dir.logs)

    async def read(self, report: Path) -> str:
        """The text of a report; it was cleaned when it was made."""
        return await asyncio.to_thread(report.read_text, encoding="utf-8", errors="replace")

    async def unseen(self) -> Path | None:
        """The newest report, where nobody has seen it yet."""
        found = self.reports()
        if not found or await self._terminal.state.get(*SEEN) == found[0].name:
            return None
        return found[0]

    async def seen(self, report: Path) -> None:
        """Somebody was shown it: it is not offered again."""
        await self._terminal.state.put(*SEEN, report.name)


def performance_lines(figures: Figures) -> list[str]:
    """The figures of this moment, a line each, milliseconds."""
    lag = figures.lag
    lines = [
        f"running for      {figures.uptime:,.0f} s",
        f"memory           {_number(figures.memory)} MB",
        "loop lag         "
        + (
            UNKNOWN if lag is None else f"median {lag[0]:.1f}, 95 % {lag[1]:.1f}, most {lag[2]:.1f}"
        ),
        f"paints           median {figures.paint[0]:.1f}, 95 % {figures.paint[1]:.1f}",
        f"ticks a second   {_number(figures.ticks)}",
        f"last tick        {_number(figures.tick_age)} s ago",
        f"subscribed       {figures.subscribed}",
        f"order answer     last {_number(figures.order_last)}, median "
        f"{_number(figures.order_median)}",
        f"tasks            {figures.tasks}",
    ]
    docks = (
        f"  {one.name}: median {one.median:.1f}, 95 % {one.high:.1f} of {one.paints} paints"
        for one in figures.docks
    )
    return [*lines, *docks]


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.1f}"
