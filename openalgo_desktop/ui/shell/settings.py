"""The settings dialog, generated from the settings table."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit.settings_page import SettingsPage
from openalgo_desktop.ui.kit.widgets import label, named, push_button, slug


class SettingsDialog(QDialog):
    """One tab per group; values are checked and stored on *Save*."""

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self._pages: list[SettingsPage] = []
        self.setWindowTitle("Settings")
        self.resize(680, 520)
        named(self, "dialog-settings", "Settings")
        layout = QVBoxLayout(self)
        tabs = named(QTabWidget(), "dialog-settings-tabs", "Groups of settings")
        named(tabs.tabBar(), "dialog-settings-tab-bar", "Groups of settings")
        for group in dict.fromkeys(row.group for row in SETTINGS.values()):
            page = SettingsPage(bridge, group)
            named(page, f"dialog-settings-{slug(group)}", group)
            self._pages.append(page)
            tabs.addTab(page, group)
        layout.addWidget(tabs)
        self.error = label("", "dialog-settings-error", "error")
        self.error.setWordWrap(True)
        buttons = QHBoxLayout()
        buttons.addWidget(self.error, 1)
        buttons.addWidget(push_button("Cancel", "dialog-settings-cancel", "Cancel", self.reject))
        save = push_button("Save", "dialog-settings-save", "Save settings", self._save)
        save.setProperty("role", "primary")
        save.setDefault(True)
        buttons.addWidget(save)
        layout.addLayout(buttons)

    def _save(self) -> None:
        try:
            for page in self._pages:
                page.store()
        except ConfigError as error:
            self.error.setText(error.message)
            return
        self.accept()
