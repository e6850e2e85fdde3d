"""The settings dialog, generated from the settings table."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.settings_page import SettingsPage
from openalgo_desktop.ui.kit.widgets import label, named, push_button, slug

NAME = "dialog-settings"


class SettingsDialog(QDialog):
    """Groups at the left, their settings at the right, a search over all of them. Values are
    checked and stored on *Save*."""

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self._pages: list[SettingsPage] = []
        self.setWindowTitle("Settings")
        self.resize(look.px(860), look.px(560))
        named(self, NAME, "Settings")
        layout = QVBoxLayout(self)
        self.search = named(QLineEdit(), f"{NAME}-search", "Search settings")
        self.search.setPlaceholderText("Search: theme, freeze, port ...")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.filter_rows)
        layout.addWidget(self.search)
        middle = QHBoxLayout()
        self.groups = named(QListWidget(), f"{NAME}-groups", "Groups of settings")
        self.groups.setProperty("role", "popup")
        self.stack = QStackedWidget()
        for group in dict.fromkeys(row.group for row in SETTINGS.values()):
            page = SettingsPage(bridge, group)
            named(page, f"{NAME}-{slug(group)}", group)
            self._pages.append(page)
            self.groups.addItem(group)
            self.stack.addWidget(page)
        self.groups.currentRowChanged.connect(self._show_page)
        self.groups.setFixedWidth(self.groups.sizeHintForColumn(0) + look.px(40))
        self.groups.setCurrentRow(0)
        middle.addWidget(self.groups)
        middle.addWidget(self.stack, 1)
        layout.addLayout(middle, 1)
        self.error = label("", f"{NAME}-error", "error")
        self.error.setWordWrap(True)
        buttons = QHBoxLayout()
        buttons.addWidget(self.error, 1)
        buttons.addWidget(push_button("Cancel", f"{NAME}-cancel", "Cancel", self.reject))
        save = push_button("Save", f"{NAME}-save", "Save settings", self._save)
        save.setProperty("role", "primary")
        save.setDefault(True)
        buttons.addWidget(save)
        layout.addLayout(buttons)
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_page(self, row: int) -> None:
        if row >= 0:
            self.stack.setCurrentIndex(row)

    def filter_rows(self, text: str) -> None:
        """Show only settings whose words or key contain all of ``text``'s words."""
        counts = [page.filter_rows(text) for page in self._pages]
        for row, count in enumerate(counts):
            item = self.groups.item(row)
            assert item is not None
            item.setHidden(not count)
        current = self.groups.currentRow()
        if not counts[current] and any(counts):
            self.groups.setCurrentRow(next(row for row, count in enumerate(counts) if count))
        found = sum(counts)
        self.error.setText("" if found else f"No setting has {text!r} in its words.")

    def _save(self) -> None:
        try:
            for page in self._pages:
                page.store()
        except ConfigError as error:
            self.error.setText(error.message)
            return
        self.accept()
