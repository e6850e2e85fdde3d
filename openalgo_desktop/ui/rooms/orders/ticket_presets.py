"""Presets of the ticket: type, product, size and bracket under a name. Never a side or a symbol: a
preset must not decide what is bought."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.dock import Spawn
from openalgo_desktop.ui.kit.widgets import label, named

SCOPE, KEY = "ticket", "presets"
#: Letters of a name, and names, at most: they stand in a menu.
LONGEST, MOST = 40, 30

Preset = dict[str, object]


class NameDialog(QDialog):
    """Asks for the name of a preset; an existing one is overwritten, which the button says."""

    def __init__(self, parent: QWidget, taken: Mapping[str, object]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save preset")
        named(self, "dialog-preset", "Save preset")
        self._taken = taken
        column = QVBoxLayout(self)
        caption = label("Name", "dialog-preset-caption", "caption")
        column.addWidget(caption)
        self.text = named(QLineEdit(), "dialog-preset-name", "Name of the preset")
        self.text.setMaxLength(LONGEST)
        caption.setBuddy(self.text)
        column.addWidget(self.text)
        buttons = named(QDialogButtonBox(), "dialog-preset-buttons", "Answers")
        self.yes = named(QPushButton("Save"), "dialog-preset-save", "Save")
        self.yes.setProperty("role", "primary")
        self.no = named(QPushButton("Cancel"), "dialog-preset-cancel", "Cancel")
        buttons.addButton(self.yes, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.no, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.text.textChanged.connect(self._on_text)
        self._on_text("")

    def _on_text(self, text: str) -> None:
        name = text.strip()
        self.yes.setEnabled(bool(name))
        self.yes.setText("Overwrite" if name in self._taken else "Save")


class PresetButton(QToolButton):
    """A menu of presets; ``current`` gives what is to be saved, ``use`` takes a chosen one."""

    def __init__(
        self,
        bridge: Bridge,
        spawn: Spawn,
        current: Callable[[], Preset],
        use: Callable[[Preset], None],
    ) -> None:
        super().__init__()
        self._bridge, self._spawn = bridge, spawn
        self._current, self._use = current, use
        self.presets: dict[str, Preset] = {}
        named(self, "ticket-presets", "Presets of the ticket")
        self.setText("Presets")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setProperty("role", "chip-tool")
        self.setToolTip("Type, product, size and bracket under a name")
        self.clicked.connect(lambda _: self._spawn(self._open(), "presets"))

    async def load(self) -> None:
        """Read what is stored."""
        stored = await self._bridge.load_state(SCOPE, KEY)
        if isinstance(stored, dict):
            self.presets = {str(n): p for n, p in stored.items() if isinstance(p, dict)}

    async def _open(self) -> None:
        await self.load()  # another ticket may have saved one
        menu = self.menu_of_presets()
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def menu_of_presets(self) -> QMenu:
        """The menu as it would open now."""
        menu = named(QMenu(self), "ticket-presets-menu", "Presets")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in self.presets:
            action = menu.addAction(name.replace("&", "&&"))
            action.triggered.connect(lambda _checked, name=name: self._use(self.presets[name]))
        if self.presets:
            menu.addSeparator()
        save = menu.addAction("Save as…")
        save.setEnabled(len(self.presets) < MOST)
        save.triggered.connect(lambda _: self._spawn(self._save(), "save preset"))
        if self.presets:
            gone = named(menu.addMenu("Delete"), "ticket-presets-delete", "Delete a preset")
            for name in self.presets:
                action = gone.addAction(name.replace("&", "&&"))
                action.triggered.connect(
                    lambda _checked, name=name: self._spawn(self.delete(name), "delete preset")
                )
        return menu

    async def _save(self) -> None:
        preset = self._current()  # as it was when the menu was opened
        dialog = NameDialog(self, self.presets)
        if await ask(dialog):
            await self.save(dialog.text.text().strip(), preset)

    async def save(self, name: str, preset: Preset) -> None:
        """Keep a preset."""
        self.presets[name] = preset
        await self._bridge.save_state(SCOPE, KEY, self.presets)

    async def delete(self, name: str) -> None:
        """Forget one."""
        self.presets.pop(name, None)
        await self._bridge.save_state(SCOPE, KEY, self.presets)
