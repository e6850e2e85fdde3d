"""What a run that did not end properly left: offered at the next start, and in the Help menu."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import fonts, look
from openalgo_desktop.ui.kit.dialogs import is_open
from openalgo_desktop.ui.kit.exporting import write_bytes
from openalgo_desktop.ui.kit.save_file import ask_path
from openalgo_desktop.ui.kit.widgets import (
    copy_text,
    label,
    name_inner_controls,
    named,
    push_button,
)

NAME = "dialog-crash-report"
ENDED_BADLY = "The program did not end properly last time."
ABOUT = (
    f"{ENDED_BADLY} Orders and positions are compared with the "
    "broker's at each start, so check the Orders and Positions panels first. Below is what that "
    "run left, without secrets. It stays on this machine and is sent to nobody; you may save it "
    "and give it to whom you like."
)


class CrashReportDialog(QDialog):
    """One report, to read, copy and save."""

    def __init__(self, parent: QWidget, bridge: Bridge, report: Path, text: str) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._report = report
        self.setModal(False)
        self.setWindowTitle("Crash report")
        self.resize(look.px(760), look.px(520))
        named(self, NAME, "Crash report")
        column = QVBoxLayout(self)
        column.setSpacing(10)
        about = label(ABOUT, f"{NAME}-about")
        about.setWordWrap(True)
        column.addWidget(about)
        self.text = named(QPlainTextEdit(text), f"{NAME}-text", "The report")
        self.text.setReadOnly(True)
        self.text.setFont(fonts.mono_font())
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        column.addWidget(self.text, 1)
        self.said = label("", f"{NAME}-said", "muted")
        self.said.setWordWrap(True)
        bottom = QHBoxLayout()
        bottom.addWidget(self.said, 1)
        copy = push_button(
            "Copy", f"{NAME}-copy", "Copy the report", lambda: copy_text(self.text.toPlainText())
        )
        self.save = push_button("Save…", f"{NAME}-save", "Save the report", self._ask_save)
        close = push_button("Close", f"{NAME}-close", "Close", self.accept)
        close.setDefault(True)
        for button in (copy, self.save, close):
            bottom.addWidget(button)
        column.addLayout(bottom)

    def _ask_save(self) -> None:
        self._bridge.spawn(self._save(), "save crash report")

    async def _save(self) -> None:
        path = await ask_path(self, "Save crash report", "Text files", "txt", self._report.name)
        if path is not None:
            text = self.text.toPlainText()
            await write_bytes(path, text.encode)
            if is_open(self):
                self.said.setText(f"Saved as {path}.")


async def show_crash_report(window: QWidget, bridge: Bridge, report: Path) -> None:
    """Show a report; it is not offered again. Not modal: what is held may need a hand first."""
    door = bridge.diagnostics
    dialog = CrashReportDialog(window, bridge, report, await door.read(report))
    await door.seen(report)
    name_inner_controls(dialog)
    dialog.finished.connect(dialog.deleteLater)
    dialog.show()


async def offer_crash_report(window: QWidget, bridge: Bridge) -> None:
    """After a start: show the report of the run before, where it did not end properly. Behind the
    app lock there is a word only: the report tells of orders."""
    report = await bridge.diagnostics.unseen()
    if report is None:
        return
    if bridge.lock.locked:
        bridge.notice.emit("warning", f"{ENDED_BADLY} Help > Crash report shows what it left.")
    else:
        await show_crash_report(window, bridge, report)


async def show_last_report(window: QWidget, bridge: Bridge) -> None:
    """The newest report, if there is one."""
    reports = bridge.diagnostics.reports()
    if reports:
        await show_crash_report(window, bridge, reports[0])
    else:
        bridge.notice.emit("info", "No crash report: every run so far ended properly.")
