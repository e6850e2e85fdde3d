"""The audit trail: who did what, when, with which answer; searched and exported."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from openalgo_desktop.core.reports import AuditEntry
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.save_file import ask_csv_path
from openalgo_desktop.ui.kit.table_dock import Col, TableDock
from openalgo_desktop.ui.kit.trader_words import Said
from openalgo_desktop.ui.kit.widgets import named, push_button

SHOWN = 500
#: Caption and days back; None is all that is kept.
SPANS: tuple[tuple[str, float | None], ...] = (
    ("Today", 1),
    ("7 days", 7),
    ("30 days", 30),
    ("A year", 365),
    ("Everything", None),
)


def _columns(said: Said) -> tuple[Col[AuditEntry], ...]:
    """In words; the tooltips have what was written down."""
    return (
        Col(
            "time",
            "Time",
            146,
            lambda a: a.at.timestamp(),
            lambda a: fmt.date_time_text(a.at),
            numeric=False,
        ),
        Col("who", "Who", 160, said.who, tip=lambda a: a.who, numeric=False),
        Col("what", "What", 120, said.what, tip=lambda a: a.what, numeric=False),
        Col("subject", "Which", 140, said.subject, tip=lambda a: a.subject, numeric=False),
        Col("answer", "Answer", 130, said.answer, tip=lambda a: a.answer, numeric=False),
        Col("detail", "Detail", 320, said.detail, tip=lambda a: a.detail, numeric=False),
        Col("mode", "Mode", 70, lambda a: a.mode, numeric=False),
        Col("account", "Account", 150, lambda a: a.account_id, numeric=False),
    )


class AuditDock(TableDock[AuditEntry]):
    """Looks when it is shown or asked; nothing runs while it is hidden."""

    name = "audit"
    title = "Audit"
    empty_text = "Nothing was done in this time."

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        self.columns = _columns(Said(bridge.name))
        super().__init__(bridge, name, parent)
        self.text = named(QLineEdit(), "audit-text", "Words that an entry contains")
        self.text.setPlaceholderText("Search")
        self.text.setClearButtonEnabled(True)
        self.span = named(QComboBox(), "audit-span", "How far back")
        for caption, days in SPANS:
            self.span.addItem(caption, days)
        refresh = push_button("Refresh", "audit-refresh", "Look again", self.search)
        export = push_button("Export", "audit-export", "Export as CSV", self._ask_export)
        head = QHBoxLayout()
        head.setContentsMargins(6, 4, 6, 4)
        head.setSpacing(6)
        head.addWidget(self.text, 1)
        for widget in (self.span, refresh, export):
            head.addWidget(widget)
        self.content.insertLayout(0, head)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(200)
        self._soon.timeout.connect(self.search)
        self.text.textChanged.connect(lambda _: self._soon.start())
        self.span.activated.connect(lambda _: self.search())
        self.visibilityChanged.connect(lambda shown: self._soon.start() if shown else None)

    def row_id(self, row: AuditEntry) -> int:
        return id(row)

    def search(self) -> None:
        """Show what is kept."""
        self.spawn(self._search(), "audit trail")

    def _days(self) -> float | None:
        days = self.span.currentData()
        return None if days is None else float(days)

    async def _search(self) -> None:
        days, words = self._days(), self.text.text().strip()
        start = None if days is None else self.bridge.now() - timedelta(days=days)
        rows = await self.bridge.safety.audit(words, start, SHOWN)
        if (days, words) != (self._days(), self.text.text().strip()):
            return  # its answer may have come already, or comes
        self.set_rows(rows)
        more = " (the newest)" if len(rows) == SHOWN else ""
        self.set_subject(f"{len(rows)} entries{more}" if rows else "")

    # -- export -----------------------------------------------------------------------------
    def _ask_export(self) -> None:
        self.spawn(self._export(), "export audit trail")

    async def _export(self) -> None:
        path = await ask_csv_path(self, "audit.csv")
        if path is not None:
            await self.export(path)

    async def export(self, path: Path) -> None:
        """Write what the search finds, all of it, to a file."""
        days = self._days()
        start = None if days is None else self.bridge.now() - timedelta(days=days)
        count = await self.bridge.safety.export_audit(path, self.text.text().strip(), start)
        self.bridge.notice.emit("info", f"{fmt.quantity(count)} entries written to {path}.")
