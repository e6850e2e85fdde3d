"""F1: the keys of the panel with the focus, and those that work everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.keys import DockKey
from openalgo_desktop.ui.kit.widgets import label, named, push_button, shortcut_text
from openalgo_desktop.ui.shell.hotkeys import FIXED, Hotkeys

NAME = "dialog-keys"


def written(keys: str) -> str:
    """Keys of a help line as this platform writes them."""
    return "  /  ".join(shortcut_text(key.strip()) or key.strip() for key in keys.split(" / "))


class KeysDialog(QDialog):
    """``title`` and ``keys`` of the panel (each with its row); empty where none has the focus."""

    def __init__(
        self, parent: QWidget, title: str, keys: Sequence[tuple[str, DockKey]], hotkeys: Hotkeys
    ) -> None:
        super().__init__(parent)
        self.change_wanted = False
        self.setWindowTitle(f"Keys: {title}" if title else "Keys")
        self.resize(look.px(720), look.px(600))
        named(self, NAME, "Keys")
        column = QVBoxLayout(self)
        if title:
            column.addWidget(label(title, f"{NAME}-panel", "heading"))
            if keys:
                lines = [(text, f"⚠ {row.text}" if row.sends else row.text) for text, row in keys]
                self.local = self._table("local", f"Keys of {title}", lines)
                column.addWidget(self.local, 3)
                if any(row.sends for _, row in keys):
                    column.addWidget(label("⚠ sends at once", f"{NAME}-sends", "warning"))
            else:
                column.addWidget(label("It has no keys of its own.", f"{NAME}-none", "muted"))
        column.addWidget(label("Everywhere", f"{NAME}-everywhere", "heading"))
        rows = [
            (" / ".join(hotkeys.held(row.name)), row.tip or row.text)
            for row in hotkeys.everywhere()
            if hotkeys.key(row.name)
        ]
        rows += FIXED.items()
        column.addWidget(self._table("all", "Keys that work everywhere", rows), 2)
        bottom = QHBoxLayout()
        bottom.addWidget(push_button("Change…", f"{NAME}-change", "Change keys", self._change))
        bottom.addStretch(1)
        close = push_button("Close", f"{NAME}-close", "Close", self.accept)
        close.setDefault(True)
        bottom.addWidget(close)
        column.addLayout(bottom)

    def _table(self, name: str, title: str, rows: Sequence[tuple[str, str]]) -> QTableWidget:
        table = named(QTableWidget(len(rows), 2), f"{NAME}-{name}", title)
        table.setHorizontalHeaderLabels(["Key", "Does"])
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        table.setShowGrid(False)
        for index, (keys, does) in enumerate(rows):
            table.setItem(index, 0, QTableWidgetItem(written(keys)))
            table.setItem(index, 1, QTableWidgetItem(does))
        table.resizeColumnToContents(0)
        return table

    def _change(self) -> None:
        self.change_wanted = True
        self.accept()
