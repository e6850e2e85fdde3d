"""The output of the chosen program, live, and what is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from openalgo_desktop.core.clock import from_epoch
from openalgo_desktop.core.strategies.hosted import HostedView
from openalgo_desktop.ui.engine.program_rows import LogEntry, RunLog
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit import look, theme
from openalgo_desktop.ui.kit.tool_row import ToolRow
from openalgo_desktop.ui.kit.widgets import copy_text, label, named, push_button

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.automation.strategies.dock import StrategiesDock

NAME = "strategies-program"
#: Lines of a run that are shown, and those that a page begins with.
MAX_LINES, BEGIN = 5000, 500
#: Colour role of each stream.
_TONES = {"out": "text", "err": "down", "note": "muted"}


class ProgramDetail(QWidget):
    """Of one program at a time; :meth:`leave` ends the reading."""

    def __init__(self, dock: StrategiesDock) -> None:
        super().__init__()
        named(self, NAME, "The chosen program")
        self._dock = dock
        self._view: HostedView | None = None
        self._job: asyncio.Task[None] | None = None
        self._runs: list[RunLog] = []
        self._shown = ""  # the run whose lines are shown
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.run = named(QComboBox(), f"{NAME}-run", "Run whose output is shown")
        self.run.setMinimumWidth(look.px(230))
        self.run.activated.connect(lambda _: self._choose())
        self.text = named(QLineEdit(), f"{NAME}-search", "Search the output of all runs")
        self.text.setPlaceholderText("Search all runs")
        self.text.setClearButtonEnabled(True)
        self.text.returnPressed.connect(self._search)
        self.text.textChanged.connect(self._on_text)
        self.heading = label("", f"{NAME}-name", "caption")
        copy = push_button("Copy", f"{NAME}-copy", "Copy the lines shown", self._copy)
        tools = (self.heading, self.run, self.text, copy)
        column.addWidget(ToolRow(f"{NAME}-tools", tools, wide=self.text))
        self.facts = label("", f"{NAME}-facts", "muted")
        self.facts.setWordWrap(True)
        self.facts.setContentsMargins(10, 2, 10, 4)
        column.addWidget(self.facts)
        self.lines = named(QPlainTextEdit(), f"{NAME}-lines", "Output of the program")
        self.lines.setReadOnly(True)
        self.lines.setMaximumBlockCount(MAX_LINES)
        self.lines.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.lines.setProperty("role", "mono")
        column.addWidget(self.lines, 1)

    # -- content ------------------------------------------------------------------------------
    @property
    def strategy_id(self) -> str:
        """Whose it is; empty for none."""
        return "" if self._view is None else self._view.hosted.strategy_id

    def show_program(self, view: HostedView) -> None:
        """Show another program, or the same as it is now."""
        other = self.strategy_id != view.hosted.strategy_id
        news = other or (self._view is not None and self._view.run_id != view.run_id)
        self._view = view
        self.heading.setText(view.hosted.name)
        self.facts.setText(self._dock.bridge.clean(facts(view)))
        if news:
            self.text.clear()
            self._shown = ""
            self._read()

    def leave(self) -> None:
        """Nobody looks any more."""
        self._end()
        self._view = None
        self._shown = ""

    def _end(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _read(self) -> None:
        self._end()
        self._job = self._dock.spawn(self._follow(self.strategy_id), "output of a program")

    async def _follow(self, strategy_id: str) -> None:
        door = self._dock.bridge.programs
        self._runs = await door.runs(strategy_id)
        self.run.clear()
        for row in self._runs:
            self.run.addItem(run_words(row), row.run_id)
        self.run.setEnabled(bool(self._runs))
        wanted = self._shown or (self._runs[0].run_id if self._runs else "")
        self.run.setCurrentIndex(max(0, self.run.findData(wanted)))
        self._shown = wanted
        self.lines.clear()
        if not wanted:
            self._append([LogEntry(0.0, "note", "It has never run.")])
            return
        async for part in door.follow(strategy_id, wanted, BEGIN):
            self._append(part)

    def _append(self, entries: Sequence[LogEntry], before: Sequence[str] = ()) -> None:
        """At the end; who has scrolled up stays where they are."""
        bar = self.lines.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 2
        cursor = QTextCursor(self.lines.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for number, entry in enumerate(entries):
            form = QTextCharFormat()
            form.setForeground(theme.current().color(_TONES.get(entry.stream, "text")))
            mark = f"{before[number]}  " if before else ""
            at = f"{fmt.clock_text(from_epoch(entry.at))}  " if entry.at else ""
            if not self.lines.document().isEmpty():
                cursor.insertBlock()
            cursor.insertText(f"{mark}{at}{entry.text}", form)
        cursor.endEditBlock()
        if at_end:
            bar.setValue(bar.maximum())

    def _choose(self) -> None:
        self._shown = str(self.run.currentData() or "")
        self.text.clear()
        self._read()

    # -- searching ----------------------------------------------------------------------------
    def _search(self) -> None:
        words = self.text.text().strip()
        if words and self.strategy_id:
            self._end()
            self._job = self._dock.spawn(self._find(self.strategy_id, words), "search output")

    async def _find(self, strategy_id: str, words: str) -> None:
        found = await self._dock.bridge.programs.search(strategy_id, words)
        self.lines.clear()
        if found:
            runs, entries = zip(*found, strict=True)
            self._append(entries, runs)
        else:
            self._append([LogEntry(0.0, "note", f"No line of any run has “{words}”.")])

    def _on_text(self, text: str) -> None:
        if not text and self._view is not None and self.text.hasFocus():
            self._read()

    def _copy(self) -> None:
        copy_text(self.lines.toPlainText())


def run_words(row: RunLog) -> str:
    """A run in the list: when it began and how it ended."""
    began = fmt.date_time_text(from_epoch(row.started))
    return f"{began}  {'runs' if row.ended is None else row.ended.why}"


def facts(view: HostedView) -> str:
    """What is known of a program, in a line or two."""
    parts = []
    if view.reason:
        parts.append(view.reason)
    if view.breached:
        parts.append(f"Quota broken today: {view.breached}.")
    if view.stalled:
        parts.append("It has given no sign of life for long.")
    if view.changed:
        parts.append("Its files were edited since it started: restart it to apply them.")
    if view.restarts:
        parts.append(f"Started again {view.restarts} times after crashes.")
    if view.next_start is not None:
        parts.append(f"Next start {fmt.date_time_text(view.next_start)}.")
    parts.append(
        "Promoted: it may trade live as it is now."
        if view.promoted
        else "Sandbox only, until it is promoted."
    )
    return "  ".join(parts)
