"""The audit trail: who did what, when, and the answer; searched, and exported as CSV."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.clock import api_timestamp
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.plain_table import PlainTable
from openalgo_desktop.ui.kit.trader_words import Said
from openalgo_desktop.ui.kit.widgets import label, named, push_button

NAME = "dialog-audit"
COLUMNS = ("Time", "Who", "Mode", "What", "Which", "Answer", "Detail")
#: Answers and details are long; they are whole in their tooltips. Pixels.
WIDEST = 240
SPANS = (("Today", 1), ("7 days", 7), ("30 days", 30), ("1 year", 365), ("Everything", 36_500))
MOST = 500


class AuditDialog(QDialog):
    """The newest entries that contain the words; the export has all of them."""

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self._bridge, self._said = bridge, Said(bridge.name)
        self.setWindowTitle("Audit trail")
        self.resize(look.px(1280), look.px(620))
        named(self, NAME, "Audit trail")
        column = QVBoxLayout(self)
        head = QHBoxLayout()
        self.text = named(QLineEdit(), f"{NAME}-text", "Words that an entry contains")
        self.text.setPlaceholderText("Search: symbol, order id, key, setting…")
        self.text.setClearButtonEnabled(True)
        self.span = named(QComboBox(), f"{NAME}-span", "How far back")
        self.span.addItems([title for title, _ in SPANS])
        self.span.setCurrentIndex(1)
        head.addWidget(self.text, 1)
        head.addWidget(self.span)
        column.addLayout(head)
        self.table = PlainTable(f"{NAME}-table", "Entries", COLUMNS, widest=WIDEST)
        column.addWidget(self.table, 1)
        bottom = QHBoxLayout()
        self.message = label("", f"{NAME}-message", "muted")
        bottom.addWidget(self.message, 1)
        bottom.addWidget(
            push_button(
                "Export CSV", f"{NAME}-export", "Export CSV", lambda: self._run(self._ask())
            )
        )
        bottom.addWidget(push_button("Close", f"{NAME}-close", "Close", self.accept))
        column.addLayout(bottom)
        self._debounce = QTimer(self)
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(200)
        self._debounce.timeout.connect(self.reload)
        self.text.textChanged.connect(lambda _: self._debounce.start())
        self.span.currentIndexChanged.connect(lambda _: self.reload())

    def _start(self) -> datetime:
        return self._bridge.now() - timedelta(days=SPANS[self.span.currentIndex()][1])

    def reload(self) -> None:
        """Search again."""
        self._run(self.load())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        async def told() -> None:
            try:
                await work
            except AppError as error:
                self.message.setText(error.message)

        task = self._bridge.spawn(told(), "audit trail")
        self.finished.connect(lambda _: task.cancel())

    async def load(self) -> None:
        """Search and show."""
        asked = self.text.text(), self.span.currentIndex()
        rows = await self._bridge.audit.search(asked[0], start=self._start(), limit=MOST)
        if asked != (self.text.text(), self.span.currentIndex()):
            return  # the answer of another search may have come already, or comes
        said = self._said
        self.table.show_rows(
            [
                (api_timestamp(row.at), said.who(row), row.mode.capitalize(), said.what(row),
                 said.subject(row), said.answer(row), said.detail(row))
                for row in rows
            ],
            [("", row.who, "", row.what, row.subject, row.answer, row.detail) for row in rows],
        )  # fmt: skip
        more = f", the newest {MOST} are shown" if len(rows) == MOST else ""
        self.message.setText(f"{len(rows)} entries{more}")

    def _export(self) -> None:
        self._run(self._ask())

    async def _ask(self) -> None:
        dialog = QFileDialog(self, "Export the audit trail")
        named(dialog, f"{NAME}-file", "File to write")
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.selectFile("audit.csv")
        if await ask(dialog):
            await self.export(Path(dialog.selectedFiles()[0]))

    async def export(self, path: Path) -> None:
        """Write everything that the search finds."""
        count = await self._bridge.audit.export_csv(path, self.text.text(), start=self._start())
        self.message.setText(f"{count} entries written to {path}")
