"""A plain editor for Python: colours, four spaces for a tab, the indent of the line before."""

from __future__ import annotations

import keyword
import re

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import (
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from openalgo_desktop.ui.kit import theme
from openalgo_desktop.ui.kit.widgets import named

INDENT = "    "
_KEYWORDS = "|".join((*keyword.kwlist, *keyword.softkwlist))
#: Colour role of each kind of word; the first that matches at a place counts.
_TOKENS = (
    ("muted", re.compile(r"#.*")),
    ("up", re.compile(r"[rbfuRBFU]{0,2}(?:'(?:\\.|[^'\\])*'?|\"(?:\\.|[^\"\\])*\"?)")),
    ("accent", re.compile(rf"\b(?:{_KEYWORDS})\b")),
    ("warning", re.compile(r"@\w+|\b\d[\d_]*(?:\.\d+)?\b")),
)
_TRIPLE = re.compile(r"'''|\"\"\"")
_QUOTES = ("'''", '"""')


class PythonColours(QSyntaxHighlighter):
    """Keywords, strings, numbers and comments. State of a block: 0, or 1 and 2 inside a string
    of three quotes."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._formats: dict[str, QTextCharFormat] = {}
        self.take_theme()

    def take_theme(self) -> None:
        """The colours of the theme in force."""
        colours = theme.current()
        for role, _ in _TOKENS:
            form = QTextCharFormat()
            form.setForeground(colours.color(role))
            self._formats[role] = form
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        place, inside = 0, max(0, self.previousBlockState())
        while place < len(text):
            if inside:
                end = text.find(_QUOTES[inside - 1], place)
                stop = len(text) if end < 0 else end + 3
                self.setFormat(place, stop - place, self._formats["up"])
                place, inside = stop, inside if end < 0 else 0
                continue
            triple = _TRIPLE.match(text, place)
            if triple is not None:
                inside = _QUOTES.index(triple[0]) + 1
                self.setFormat(place, 3, self._formats["up"])
                place += 3
                continue
            found = next(
                ((role, hit) for role, rule in _TOKENS if (hit := rule.match(text, place))), None
            )
            if found is None:
                word = _WORD.match(text, place)
                place = word.end() if word is not None else place + 1
            else:
                role, hit = found
                self.setFormat(place, hit.end() - place, self._formats[role])
                place = hit.end()
        self.setCurrentBlockState(inside)


_WORD = re.compile(r"\w+")


class _Numbers(QWidget):
    """The numbers of the lines, left of them."""

    def __init__(self, editor: CodeEditor) -> None:
        super().__init__(editor)
        named(self, "code-editor-numbers", "Numbers of the lines")
        self._editor = editor

    def sizeHint(self) -> QSize:
        return QSize(self._editor.number_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._editor.paint_numbers(self, event)


class CodeEditor(QPlainTextEdit):
    """Text of a program. Nothing is sent or saved here."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "mono")
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._numbers = _Numbers(self)
        self.colours = PythonColours(self.document())
        self.blockCountChanged.connect(lambda _: self._make_room())
        self.updateRequest.connect(self._scroll_numbers)
        self._make_room()

    # -- numbers ------------------------------------------------------------------------------
    def number_width(self) -> int:
        """Room for the number of the last line, pixels."""
        digits = max(3, len(str(self.blockCount())))
        return 12 + self.fontMetrics().horizontalAdvance("9") * digits

    def _make_room(self) -> None:
        self.setViewportMargins(self.number_width(), 0, 0, 0)

    def _scroll_numbers(self, area: QRect, moved: int) -> None:
        if moved:
            self._numbers.scroll(0, moved)
        else:
            self._numbers.update(0, area.y(), self._numbers.width(), area.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        inside = self.contentsRect()
        self._numbers.setGeometry(inside.x(), inside.y(), self.number_width(), inside.height())

    def paint_numbers(self, on: QWidget, event: QPaintEvent) -> None:
        """Numbers of the lines in sight."""
        painter = QPainter(on)
        painter.setFont(self.font())
        painter.setPen(theme.current().color("muted"))
        block = self.firstVisibleBlock()
        area = self.blockBoundingGeometry(block).translated(self.contentOffset())
        height = self.blockBoundingRect(block).height()
        top = area.top()
        while block.isValid() and top <= event.rect().bottom():
            painter.drawText(
                QRect(0, round(top), on.width() - 6, round(height)),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                str(block.blockNumber() + 1),
            )
            block, top = block.next(), top + height
        painter.end()

    def go_to_line(self, number: int) -> None:
        """Put the cursor on a line, counted from 1."""
        block = self.document().findBlockByNumber(max(0, number - 1))
        if block.isValid():
            self.setTextCursor(QTextCursor(block))
            self.centerCursor()

    # -- keys ---------------------------------------------------------------------------------
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.isReadOnly():
            super().keyPressEvent(event)
        elif event.key() == Qt.Key.Key_Tab:
            self._indent()
        elif event.key() == Qt.Key.Key_Backtab:
            self._outdent()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self._new_line()
        else:
            super().keyPressEvent(event)

    def _chosen_lines(self) -> range:
        cursor, document = self.textCursor(), self.document()
        first = document.findBlock(cursor.selectionStart()).blockNumber()
        return range(first, document.findBlock(cursor.selectionEnd()).blockNumber() + 1)

    def _indent(self) -> None:
        cursor = self.textCursor()
        if not cursor.hasSelection():
            column = cursor.positionInBlock()
            cursor.insertText(" " * (len(INDENT) - column % len(INDENT)))
            return
        cursor.beginEditBlock()
        for number in self._chosen_lines():
            QTextCursor(self.document().findBlockByNumber(number)).insertText(INDENT)
        cursor.endEditBlock()

    def _outdent(self) -> None:
        cursor = self.textCursor()
        cursor.beginEditBlock()
        for number in self._chosen_lines():
            block = self.document().findBlockByNumber(number)
            text = block.text()
            spaces = min(len(INDENT), len(text) - len(text.lstrip(" ")))
            line = QTextCursor(block)
            move = QTextCursor.MoveOperation.NextCharacter
            line.movePosition(move, QTextCursor.MoveMode.KeepAnchor, spaces)
            line.removeSelectedText()
        cursor.endEditBlock()

    def _new_line(self) -> None:
        cursor = self.textCursor()
        before = cursor.block().text()[: cursor.positionInBlock()]
        indent = before[: len(before) - len(before.lstrip(" "))]
        if before.rstrip().endswith(":"):
            indent += INDENT
        cursor.insertText(f"\n{indent}")
        self.ensureCursorVisible()
