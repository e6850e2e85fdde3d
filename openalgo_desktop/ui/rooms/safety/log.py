"""The log dock: what the program wrote, filtered by level, source and text."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping

from PySide6.QtCore import QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPlainTextEdit, QWidget

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.rows import LogLine
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.exporting import write_text
from openalgo_desktop.ui.kit.save_file import ask_path
from openalgo_desktop.ui.kit.tool_row import ToolRow
from openalgo_desktop.ui.kit.widgets import copy_text, named, push_button

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MAX_LINES = 2000
EVERYTHING = "All sources"
OTHER = "Other"
#: What a source is called, by the rooms of the program that write as it.
SOURCES: Mapping[str, tuple[str, ...]] = {
    "Orders": ("trading",),
    "Sandbox": ("sandbox", "exchange"),
    "Prices": ("market", "analytics"),
    "Brokers": ("brokers",),
    "Local API": ("local_api",),
    "Window": ("ui",),
    "Program": ("runtime", "storage", "config", "shell", "core"),
}
_SOURCE_OF = {room: source for source, rooms in SOURCES.items() for room in rooms}


def source_of(logger: str) -> str:
    """Who writes under the name of this logger; other libraries are :data:`OTHER`."""
    parts = logger.split(".")
    room = parts[1] if parts[0] == "openalgo_desktop" and len(parts) > 1 else ""
    return _SOURCE_OF.get(room, "Program" if parts[0] == "openalgo_desktop" else OTHER)


class LogDock(Dock):
    """Newest at the bottom. Lines are added once a frame, not once a record. A line that names an
    order leads to it: a double click, or the button."""

    name = "log"
    title = "Log"
    priority = 3

    def __init__(self, bridge: Bridge, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(bridge, name, parent)
        self._pending: deque[LogLine] = deque(maxlen=MAX_LINES)
        self.level = named(QComboBox(), "log-level", "Lowest level shown")
        self.level.addItems(LEVELS)
        self.level.setCurrentText("INFO")
        self.source = named(QComboBox(), "log-source", "Source shown")
        self.source.addItems([EVERYTHING, *SOURCES, OTHER])
        self.text = named(QLineEdit(), "log-filter", "Show lines that contain")
        self.text.setPlaceholderText("Filter")
        self.text.setClearButtonEnabled(True)
        self.pause = named(QCheckBox("Pause"), "log-pause", "Pause the log")
        self.order = push_button(
            "Order", "log-order", "Show the order of this line", self._to_order
        )
        self.order.setToolTip("Shows the order that the line names; a double click does, too")
        copy = push_button("Copy", "log-copy", "Copy the lines shown", self._copy)
        save = push_button("Save", "log-save", "Save the lines shown as a file", self._ask_save)
        tools = (self.level, self.source, self.text, self.pause, self.order, copy, save)
        self.content.addWidget(ToolRow("log-tools", tools, wide=self.text))
        self.lines = named(_Lines(self._to_order), "log-lines", "Log lines")
        self.content.addWidget(self.lines)
        for box in (self.level, self.source):
            box.currentTextChanged.connect(lambda _: self.reload())
        self._debounce = QTimer(self)
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(150)
        self._debounce.timeout.connect(self.reload)
        self.text.textChanged.connect(lambda _: self._debounce.start())
        self.pause.toggled.connect(lambda paused: None if paused else self.reload())
        self.lines.cursorPositionChanged.connect(self._on_line_chosen)
        self._unsubscribe: Callable[[], None] = bridge.logs.subscribe(self._on_line)
        self.listen(bridge.closing, self._unsubscribe)
        self.reload()
        self._on_line_chosen()

    def release(self) -> None:
        super().release()
        self._unsubscribe()

    def show_level(self, level: str) -> None:
        """Only lines of ``level`` and worse, of every source."""
        self.text.clear()
        self.source.setCurrentText(EVERYTHING)
        self.level.setCurrentText(level)

    def _shows(self, line: LogLine) -> bool:
        if line.level < logging.getLevelNamesMapping()[self.level.currentText()]:
            return False
        source = self.source.currentText()
        if source not in (EVERYTHING, source_of(line.source)):
            return False
        wanted = self.text.text().strip().lower()
        return not wanted or wanted in line.text.lower()

    def _on_line(self, line: LogLine) -> None:
        # Records come from any thread: only note them here, widgets are asked in ``flush``.
        self._pending.append(line)
        self.dirty = True

    def reload(self) -> None:
        """Show what the ring holds through the filters."""
        self._pending.clear()
        self._pending.extend(self.bridge.logs.lines())
        self.lines.clear()
        self._append()

    def flush(self) -> None:
        self.dirty = False
        if self.pause.isChecked():
            self._pending.clear()  # the ring keeps them; going on shows them again
        else:
            self._append()

    def _append(self) -> None:
        shown = []
        while self._pending:
            line = self._pending.popleft()
            if self._shows(line):
                shown.append(line.text)
        if shown:
            fresh = self.lines.document().isEmpty()
            self.lines.appendPlainText("\n".join(shown))
            if fresh:  # the view follows the cursor: the time and the level stay in sight
                cursor = self.lines.textCursor()
                cursor.movePosition(cursor.MoveOperation.End)
                cursor.movePosition(cursor.MoveOperation.StartOfBlock)
                self.lines.setTextCursor(cursor)

    # -- the order of a line ----------------------------------------------------------------
    def order_of(self, text: str) -> str:
        """The order that a line names, of those in the book; empty when there is none."""
        orders = self.bridge.books.orders
        words = (word.strip(":,.;()[]'\"") for word in text.split())
        return next((word for word in words if word in orders), "")

    def _order_here(self) -> str:
        return self.order_of(self.lines.textCursor().block().text())

    def _on_line_chosen(self) -> None:
        self.order.setEnabled(bool(self._order_here()))

    def _to_order(self) -> None:
        if order_id := self._order_here():
            self.bridge.order_wanted.emit(order_id)

    # -- taking it along --------------------------------------------------------------------
    def _copy(self) -> None:
        copy_text(self.lines.toPlainText())

    def _ask_save(self) -> None:
        self.spawn(self._save(), "save log")

    async def _save(self) -> None:
        name = f"log-{self.bridge.now():%Y-%m-%d-%H%M}.txt"
        path = await ask_path(self, "Save the lines shown", "Text files", "txt", name)
        if path is None:
            return
        text = self.lines.toPlainText()
        await write_text(path, lambda: f"{text}\n")
        self.bridge.notice.emit("info", f"{self.lines.blockCount()} lines written to {path}.")


class _Lines(QPlainTextEdit):
    """Lines as they are, none wrapped; ``opens`` is called after a double click chose one."""

    def __init__(self, opens: Callable[[], None]) -> None:
        super().__init__()
        self._opens = opens
        self.setReadOnly(True)
        self.setMaximumBlockCount(MAX_LINES)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setProperty("role", "mono")

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        self._opens()
