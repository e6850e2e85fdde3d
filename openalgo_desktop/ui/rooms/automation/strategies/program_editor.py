"""The text of a program, edited in place. Saving starts nothing: what runs goes on with what it
has until it is started again."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.strategies.hosted import HostedView
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.program_rows import Source
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.code_editor import CodeEditor
from openalgo_desktop.ui.kit.confirm import confirm
from openalgo_desktop.ui.kit.dialogs import come_up, is_open
from openalgo_desktop.ui.kit.widgets import label, named, push_button, set_role

NAME = "dialog-program"
_LINE = re.compile(r", line (\d+):")


class ProgramEditor(QDialog):
    """Not modal; gone when closed. Load with :meth:`load`."""

    def __init__(self, parent: QWidget, bridge: Bridge, view: HostedView) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.strategy_id = view.hosted.strategy_id
        self._name = view.hosted.name
        self._source: Source | None = None
        self._leaving = False
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(False)
        self.resize(look.px(900), look.px(640))
        named(self, NAME, f"Program {self._name}")
        self.setWindowTitle(f"{self.accessibleName()}[*]")
        column = QVBoxLayout(self)
        column.setSpacing(8)
        self.where = label("", f"{NAME}-path", "caption")
        self.where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.where)
        self.text = named(CodeEditor(), f"{NAME}-text", "Text of the program")
        self.text.setReadOnly(True)
        column.addWidget(self.text, 1)
        row = QHBoxLayout()
        self.message = label("", f"{NAME}-message", "muted")
        self.message.setWordWrap(True)
        row.addWidget(self.message, 1)
        row.addWidget(push_button("Load again", f"{NAME}-load", "Load the file again", self._again))
        row.addWidget(push_button("Close", f"{NAME}-close", "Close", self.close))
        self.save = push_button("Save", f"{NAME}-save", "Save the file", self._save)
        self.save.setProperty("role", "primary")
        row.addWidget(self.save)
        column.addLayout(row)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        keys = QShortcut(QKeySequence.StandardKey.Save, self)
        keys.activated.connect(self._save)
        self.text.document().modificationChanged.connect(self._on_change)
        self._on_change(False)

    def _on_change(self, changed: bool) -> None:
        self.save.setEnabled(changed)
        self.setWindowModified(changed)

    def _say(self, text: str, role: str) -> None:
        self.message.setText(self._bridge.clean(text))
        set_role(self.message, role)

    # -- loading and saving -------------------------------------------------------------------
    async def load(self) -> None:
        """Show the file as it is on the disk."""
        try:
            self._take(await self._bridge.programs.source(self.strategy_id))
        except AppError as error:
            self._say(error.message, "error")

    def _take(self, source: Source) -> None:
        self._source = source
        self.where.setText(source.path)
        self.text.setPlainText(source.text)
        self.text.setReadOnly(False)
        self.text.document().setModified(False)
        self._say("", "muted")

    def _again(self) -> None:
        self._bridge.spawn(self._load_again(), "load program")

    async def _load_again(self) -> None:
        changed = self.text.document().isModified()
        text = "What was typed here is lost."
        if not changed or await confirm(self, "Load the file again?", text, "Load again"):
            await self.load()

    def _save(self) -> None:
        if self._source is not None and self.text.document().isModified():
            self._bridge.spawn(self._write(self._source), "save program")

    async def _write(self, source: Source) -> None:
        text = self.text.toPlainText()
        try:
            saved = await self._bridge.programs.save(self.strategy_id, text, source.digest)
        except AppError as error:
            if not is_open(self):
                raise
            self._say(error.message, "error")
            if (line := _LINE.search(error.message)) is not None:
                self.text.go_to_line(int(line[1]))
            return
        if not is_open(self):
            return
        self._source = saved
        if self.text.toPlainText() == text:
            self.text.document().setModified(False)
        view = self._bridge.programs.get(self.strategy_id)
        said = "Saved."
        if view.pid is not None:
            said += " It runs on with the text of before: restart it to apply this one."
        if view.hosted.promoted_hash:
            said += " The changed text may only trade in the sandbox until it is promoted again."
        self._say(said, "success")

    # -- leaving ------------------------------------------------------------------------------
    def reject(self) -> None:
        """Escape closes like the button: what was typed is not lost by it."""
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._leaving or not self.text.document().isModified():
            super().closeEvent(event)
            return
        event.ignore()
        self._bridge.spawn(self._ask_leave(), "close program")

    async def _ask_leave(self) -> None:
        text = f"What was typed into {self._name} is not saved."
        if await confirm(self, "Close without saving?", text, "Close without saving", danger=True):
            self._leaving = True
            self.close()


def show_program(parent: QWidget, bridge: Bridge, view: HostedView) -> ProgramEditor:
    """Open the editor; that of a program is there once."""
    for known in parent.findChildren(ProgramEditor):
        if known.strategy_id == view.hosted.strategy_id and known.isVisible():
            come_up(known)
            return known
    dialog = ProgramEditor(parent, bridge, view)
    bridge.spawn(dialog.load(), "load program")
    come_up(dialog)
    return dialog
