"""The hotkey editor: every action and every key of a panel, changed by pressing another one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit import look
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.widgets import label, named, plain_tip, push_button, set_role
from openalgo_desktop.ui.shell.hotkeys import Hotkeys

NAME = "dialog-hotkeys"
FILE = "hotkeys.json"
NAME_ROLE = Qt.ItemDataRole.UserRole


class HotkeyDialog(QDialog):
    """Changes hold at once; a key that means something else already is refused with the reason."""

    def __init__(self, parent: QWidget, hotkeys: Hotkeys, spawn: Callable[..., object]) -> None:
        super().__init__(parent)
        self._hotkeys, self._spawn = hotkeys, spawn
        self.setWindowTitle("Keys")
        self.resize(look.px(640), look.px(560))
        named(self, NAME, "Keys of actions and panels")
        column = QVBoxLayout(self)
        self.filter = named(QLineEdit(), f"{NAME}-filter", "Show what contains")
        self.filter.setPlaceholderText("Find an action, a panel or a key")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(lambda _: self.reload())
        column.addWidget(self.filter)
        column.addWidget(self._build_table(), 1)
        column.addLayout(self._build_editor())
        self.message = label("", f"{NAME}-message", "muted")
        self.message.setWordWrap(True)
        column.addWidget(self.message)
        column.addLayout(self._build_bottom())
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)  # Enter belongs to the key field
        self.reload()
        self.table.selectRow(0)

    # -- building ---------------------------------------------------------------------------
    def _build_table(self) -> QTableWidget:
        self.table = named(QTableWidget(0, 3), f"{NAME}-table", "What has a key, and its key")
        self.table.setHorizontalHeaderLabels(["Does", "Key", "Changed"])
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setShowGrid(False)
        self.table.setColumnWidth(1, 150)
        self.table.setColumnWidth(2, 90)
        self.table.itemSelectionChanged.connect(self._on_selected)
        self.table.itemActivated.connect(lambda _: self.edit.setFocus())
        return self.table

    def _build_editor(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.edit = named(QKeySequenceEdit(), f"{NAME}-key", "Press the new key")
        self.edit.setMaximumSequenceLength(1)
        self.edit.setFinishingKeyCombinations([])
        inner = self.edit.findChild(QLineEdit)
        if inner is not None:
            named(inner, f"{NAME}-key-text", "Press the new key")
            inner.setPlaceholderText("Click here and press the new key")
        self.edit.editingFinished.connect(self._on_pressed)
        row.addWidget(self.edit, 1)
        self.clear_button = push_button("No key", f"{NAME}-clear", "No key", self._clear)
        self.reset_button = push_button(
            "Built-in key", f"{NAME}-reset", "Back to the built-in key", self._reset
        )
        row.addWidget(self.clear_button)
        row.addWidget(self.reset_button)
        return row

    def _build_bottom(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for text, name, call in (
            ("Reset all", "reset-all", self._reset_all),
            ("Export…", "export", lambda: self._spawn(self._export(), "export keys")),
            ("Import…", "import", lambda: self._spawn(self._import(), "import keys")),
        ):
            row.addWidget(push_button(text, f"{NAME}-{name}", text.rstrip("…"), call))
        row.addStretch(1)
        row.addWidget(push_button("Close", f"{NAME}-close", "Close", self.accept))
        return row

    # -- content ----------------------------------------------------------------------------
    def reload(self) -> None:
        """Show the rows that match the filter."""
        chosen, wanted = self.chosen(), self.filter.text().strip().lower()
        keys = self._hotkeys
        rows = [
            row
            for row in keys.rows.values()
            if wanted in f"{row.title} {row.text} {keys.text(row.name)}".lower()
        ]
        self.table.setRowCount(len(rows))
        for index, row in enumerate(rows):
            own = row.name in keys.own
            for place, text in enumerate(
                (
                    f"{row.title}: {row.text}" if row.title else row.text,
                    keys.text(row.name) or "–",
                    "by you" if own else "",
                )
            ):
                item = QTableWidgetItem(text)
                item.setData(NAME_ROLE, row.name)
                item.setToolTip(plain_tip(row.tip or row.text))
                self.table.setItem(index, place, item)
            if row.name == chosen:
                self.table.selectRow(index)

    def chosen(self) -> str:
        """Name of the chosen row, or empty."""
        row = self.table.currentRow()
        item = self.table.item(row, 0) if row >= 0 else None
        return str(item.data(NAME_ROLE)) if item is not None else ""

    def choose(self, name: str) -> None:
        """Choose a row by name."""
        for row in range(self.table.rowCount()):
            item = self.table.item(row, 0)
            if item is not None and item.data(NAME_ROLE) == name:
                self.table.selectRow(row)

    def _on_selected(self) -> None:
        self._say("")
        self.edit.clear()
        known = bool(self.chosen())
        for widget in (self.edit, self.clear_button, self.reset_button):
            widget.setEnabled(known)

    def _say(self, text: str, role: str = "muted") -> None:
        self.message.setText(text)
        set_role(self.message, role)

    # -- changes ----------------------------------------------------------------------------
    def _change(self, change: Callable[[], None], done: str) -> None:
        try:
            change()
        except ConfigError as error:
            self._say(error.message, "error")
            return
        self.reload()
        self._say(done, "success")

    def _on_pressed(self) -> None:
        name, pressed = self.chosen(), self.edit.keySequence()
        if not name or pressed.isEmpty():
            return
        text = pressed.toString(pressed.SequenceFormat.PortableText)
        row = self._hotkeys.rows[name]
        self.edit.clear()
        self._change(
            lambda: self._hotkeys.set(name, text),
            f"“{row.text}” now has the key {pressed.toString(pressed.SequenceFormat.NativeText)}.",
        )

    def _clear(self) -> None:
        name = self.chosen()
        self._change(
            lambda: self._hotkeys.set(name, ""), f"“{self._hotkeys.rows[name].text}” has no key."
        )

    def _reset(self) -> None:
        name = self.chosen()
        self._change(
            lambda: self._hotkeys.reset(name),
            f"“{self._hotkeys.rows[name].text}” has its built-in key.",
        )

    def _reset_all(self) -> None:
        self._change(self._hotkeys.reset_all, "All keys are the built-in ones.")

    # -- files ------------------------------------------------------------------------------
    async def _path(self, title: str, save: bool) -> Path | None:
        dialog = named(QFileDialog(self, title), f"{NAME}-file", title)
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        mode = QFileDialog.AcceptMode
        dialog.setAcceptMode(mode.AcceptSave if save else mode.AcceptOpen)
        dialog.setNameFilter("Keys (*.json)")
        dialog.setDefaultSuffix("json")
        if save:
            dialog.selectFile(FILE)
        chosen: list[str] = []
        dialog.fileSelected.connect(chosen.append)
        return Path(chosen[0]) if await ask(dialog) and chosen else None

    async def _export(self) -> None:
        if (path := await self._path("Export keys", True)) is not None:
            self.export_to(path)

    async def _import(self) -> None:
        if (path := await self._path("Import keys", False)) is not None:
            self.import_from(path)

    def export_to(self, path: Path) -> None:
        """Write the own keys into a file."""
        try:
            path.write_bytes(self._hotkeys.exported())
        except OSError as error:
            self._say(f"{path.name} cannot be written: {error.strerror}.", "error")
        else:
            self._say(f"{len(self._hotkeys.own)} own keys written to {path.name}.", "success")

    def import_from(self, path: Path) -> None:
        """Take the own keys of a file, in place of those before."""
        try:
            problems = self._hotkeys.take_file(path.read_bytes())
        except OSError as error:
            self._say(f"{path.name} cannot be read: {error.strerror}.", "error")
        except ConfigError as error:
            self._say(error.message, "error")
        else:
            self.reload()
            if problems:
                self._say("Taken, but for: " + " ".join(problems), "warning")
            else:
                self._say(f"The keys of {path.name} hold now.", "success")
