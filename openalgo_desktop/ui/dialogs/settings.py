"""The settings dialog, generated from the settings table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.settings import SETTINGS, Setting
from openalgo_desktop.ui.bridge import Bridge
from openalgo_desktop.ui.widgets import label, named, push_button, slug


def _editor(row: Setting, value: Any) -> tuple[QWidget, Callable[[], Any]]:
    """The widget for one setting and how to read it."""
    if row.kind is bool:
        box = QCheckBox()
        box.setChecked(bool(value))
        return box, box.isChecked
    if row.choices:
        combo = QComboBox()
        combo.addItems([str(choice) for choice in row.choices])
        combo.setCurrentText(str(value))
        return combo, combo.currentText
    if row.kind is int:
        whole = QSpinBox()
        whole.setRange(int(row.low or 0), int(row.high if row.high is not None else 2**31 - 1))
        whole.setValue(int(value))
        return whole, whole.value
    if row.kind is float:
        number = QDoubleSpinBox()
        number.setRange(row.low or 0.0, row.high if row.high is not None else 1e12)
        number.setDecimals(2)
        number.setValue(float(value))
        return number, number.value
    line = QLineEdit(str(value))
    return line, line.text


class SettingsDialog(QDialog):
    """One tab per group; values are checked and stored on *Save*."""

    def __init__(self, parent: QWidget, bridge: Bridge) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._readers: dict[str, Callable[[], Any]] = {}
        self.setWindowTitle("Settings")
        self.resize(680, 520)
        named(self, "dialog-settings", "Settings")
        layout = QVBoxLayout(self)
        tabs = named(QTabWidget(), "dialog-settings-tabs", "Groups of settings")
        named(tabs.tabBar(), "dialog-settings-tab-bar", "Groups of settings")
        for group in dict.fromkeys(row.group for row in SETTINGS.values()):
            tabs.addTab(self._page(group), group)
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

    def _page(self, group: str) -> QScrollArea:
        page = QWidget()
        form = QFormLayout(page)
        form.setHorizontalSpacing(18)
        for row in SETTINGS.values():
            if row.group != group:
                continue
            editor, reader = _editor(row, self._bridge.setting(row.key))
            named(editor, f"setting-{slug(row.key)}", row.help, row.key)
            editor.setToolTip(row.key)
            self._readers[row.key] = reader
            caption = label(
                row.help + (" (at the next start)" if row.restart else ""),
                f"setting-{slug(row.key)}-label",
            )
            caption.setWordWrap(True)
            caption.setBuddy(editor)
            caption.setMinimumWidth(320)
            form.addRow(caption, editor)
        area = named(QScrollArea(), f"dialog-settings-{slug(group)}", group)
        area.setWidgetResizable(True)
        area.setWidget(page)
        return area

    def _save(self) -> None:
        for key, reader in self._readers.items():
            value = reader()
            if value == self._bridge.setting(key):
                continue
            try:
                self._bridge.set_setting(key, value)
            except ConfigError as error:
                self.error.setText(error.message)
                return
        self.accept()
