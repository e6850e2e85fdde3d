"""Help > Diagnostics: what the program knows of itself, to read, copy and save as one file."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget
from shiboken6 import isValid

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import fonts, look
from openalgo_desktop.ui.kit.dialogs import ask, is_open
from openalgo_desktop.ui.kit.save_file import ask_path
from openalgo_desktop.ui.kit.widgets import copy_text, label, named, push_button, set_role

NAME = "dialog-diagnostics"
ABOUT = (
    "For somebody who helps you: versions, settings, state and figures, and in the file today's "
    "log and reports of crashes too. Keys, passwords and tokens are taken out. Nothing is sent "
    "anywhere: you save the file and give it to whom you like. Look through it before."
)


class DiagnosticsDialog(QDialog):
    """Reads when it is opened; *Save* writes what is shown."""

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._texts: dict[str, str] = {}
        self.setWindowTitle("Diagnostics")
        self.resize(look.px(760), look.px(560))
        named(self, NAME, "Diagnostics")
        column = QVBoxLayout(self)
        column.setSpacing(10)
        about = label(ABOUT, f"{NAME}-about")
        about.setWordWrap(True)
        column.addWidget(about)
        self.text = named(QPlainTextEdit(), f"{NAME}-text", "What the file begins with")
        self.text.setReadOnly(True)
        self.text.setFont(fonts.mono_font())
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        column.addWidget(self.text, 1)
        self.said = label("", f"{NAME}-said", "muted")
        self.said.setWordWrap(True)
        bottom = QHBoxLayout()
        bottom.addWidget(self.said, 1)
        self.copy = push_button("Copy", f"{NAME}-copy", "Copy what is shown", self._copy)
        self.save = push_button("Save…", f"{NAME}-save", "Save as one file", self._ask_save)
        self.save.setProperty("role", "primary")
        close = push_button("Close", f"{NAME}-close", "Close", self.accept)
        close.setDefault(True)
        for button in (self.copy, self.save):
            button.setEnabled(False)
            button.setAutoDefault(False)
        for button in (self.copy, close, self.save):
            bottom.addWidget(button)
        column.addLayout(bottom)

    async def load(self) -> None:
        """Look at everything and show it."""
        self._texts = await self._bridge.diagnostics.texts()
        self.text.setPlainText("\n\n".join(self._texts.values()))
        self.copy.setEnabled(True)
        self.save.setEnabled(True)

    def _copy(self) -> None:
        copy_text(self.text.toPlainText())
        self._say("Copied.", "muted")

    def _ask_save(self) -> None:
        self._bridge.spawn(self._save(), "save diagnostics")

    async def _save(self) -> None:
        name = f"openalgo-desktop-{self._bridge.now():%Y-%m-%d-%H%M}.zip"
        path = await ask_path(self, "Save diagnostics", "Zip files", "zip", name)
        if path is None:
            return
        self.save.setEnabled(False)
        try:
            names = await self._bridge.diagnostics.save(path, self._texts)
        finally:
            if isValid(self):  # also while the window is hidden in the tray: it comes back
                self.save.setEnabled(True)
        text = f"{len(names)} files in {path}."
        if is_open(self):
            self._say(text, "muted")
        else:
            self._bridge.notice.emit("info", text)

    def _say(self, text: str, role: str) -> None:
        self.said.setText(text)
        set_role(self.said, role)


async def show_diagnostics(window: QWidget, bridge: Bridge) -> None:
    """The dialog with everything in it."""
    dialog = DiagnosticsDialog(window, bridge)
    await dialog.load()
    await ask(dialog)
