"""The log dock: what the program wrote, filtered by level and text."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QPlainTextEdit

from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.rows import LogLine
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.kit.widgets import copy_text, named, push_button

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MAX_LINES = 2000


class LogDock(Dock):
    """Newest at the bottom. Lines are added once a frame, not once a record."""

    name = "log"
    title = "Log"
    priority = 3

    def __init__(self, bridge: Bridge, name: str = "") -> None:
        super().__init__(bridge, name)
        self._pending: deque[LogLine] = deque(maxlen=MAX_LINES)
        self.level = named(QComboBox(), "log-level", "Lowest level shown")
        self.level.addItems(LEVELS)
        self.level.setCurrentText("INFO")
        self.text = named(QLineEdit(), "log-filter", "Show lines that contain")
        self.text.setPlaceholderText("Filter")
        self.text.setClearButtonEnabled(True)
        self.pause = named(QCheckBox("Pause"), "log-pause", "Pause the log")
        copy = push_button("Copy", "log-copy", "Copy the lines shown", self._copy)
        head = QHBoxLayout()
        head.setContentsMargins(6, 4, 6, 4)
        head.setSpacing(6)
        for widget in (self.level, self.text, self.pause, copy):
            head.addWidget(widget, 1 if widget is self.text else 0)
        self.content.addLayout(head)
        self.lines = named(QPlainTextEdit(), "log-lines", "Log lines")
        self.lines.setReadOnly(True)
        self.lines.setMaximumBlockCount(MAX_LINES)
        self.lines.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.lines.setProperty("role", "mono")
        self.content.addWidget(self.lines)
        self.level.currentTextChanged.connect(lambda _: self.reload())
        self._debounce = QTimer(self)
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(150)
        self._debounce.timeout.connect(self.reload)
        self.text.textChanged.connect(lambda _: self._debounce.start())
        self.pause.toggled.connect(lambda paused: None if paused else self.reload())
        self._unsubscribe: Callable[[], None] = bridge.logs.subscribe(self._on_line)
        self.listen(bridge.closing, self._unsubscribe)
        self.reload()

    def release(self) -> None:
        super().release()
        self._unsubscribe()

    def _shows(self, line: LogLine) -> bool:
        if line.level < logging.getLevelNamesMapping()[self.level.currentText()]:
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

    def _copy(self) -> None:
        copy_text(self.lines.toPlainText())
