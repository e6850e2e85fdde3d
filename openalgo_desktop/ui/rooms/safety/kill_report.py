"""What the kill switch did and what is left."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from openalgo_desktop.core.reports import KillReport
from openalgo_desktop.ui.engine.rows import WHAT_RESET_DOES
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.plain_list import PlainList
from openalgo_desktop.ui.kit.widgets import label, named, push_button


class KillReportDialog(QDialog):
    """Counts, errors, and what a reset does and does not do."""

    def __init__(self, parent: QWidget, report: KillReport) -> None:
        super().__init__(parent)
        self.setWindowTitle("Kill switch")
        self.setMinimumWidth(look.px(460))
        named(self, "dialog-kill-report", "Kill switch report")
        column = QVBoxLayout(self)
        column.setSpacing(12)
        title = "Nothing is left working or open" if report.clean else "Not everything is closed"
        head = label(title, "dialog-kill-report-title", "heading")
        head.setProperty("tone", "up" if report.clean else "down")
        column.addWidget(head)
        where = report.mode.value.upper()
        column.addWidget(
            label(
                f"{where}, {report.at:%H:%M:%S} IST. New orders are blocked in both modes.",
                "dialog-kill-report-where",
                "muted",
            )
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        rows = (
            ("Orders cancelled", report.cancelled, ""),
            ("Positions closed", report.flattened, ""),
            ("Orders still working", report.resting, "down" if report.resting else ""),
            (
                "Positions still open",
                report.open_positions,
                "down" if report.open_positions else "",
            ),
        )
        for index, (caption, count, tone) in enumerate(rows):
            name = f"dialog-kill-report-{index}"
            grid.addWidget(label(caption, f"{name}-caption"), index, 0)
            number = label(str(count), name, "footer")
            number.setProperty("tone", tone)
            grid.addWidget(number, index, 1)
            grid.setRowMinimumHeight(index, look.px(18))
        grid.setColumnStretch(2, 1)
        column.addLayout(grid)
        for one in report.also:
            name = f"dialog-kill-report-also-{one.mode.value}"
            column.addWidget(label(one.text, name, "muted"))
        if report.errors:
            name = "dialog-kill-report-errors"
            column.addWidget(PlainList.to_read(name, "What went wrong", report.errors))
        reset = label(f"Reset: {WHAT_RESET_DOES}", "dialog-kill-report-reset", "muted")
        reset.setWordWrap(True)
        column.addWidget(reset)
        bottom = QHBoxLayout()
        bottom.addStretch(1)
        close = push_button("Close", "dialog-kill-report-close", "Close", self.accept)
        close.setDefault(True)
        bottom.addWidget(close)
        column.addLayout(bottom)
