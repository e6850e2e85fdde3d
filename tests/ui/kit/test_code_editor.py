"""The plain editor of programs: colours by words, indents by keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.kit import theme
from openalgo_desktop.ui.kit.code_editor import CodeEditor


@pytest.fixture
def editor(qtbot: QtBot) -> CodeEditor:
    made = CodeEditor()
    qtbot.addWidget(made)
    return made


def roles(editor: CodeEditor, line: int) -> dict[str, str]:
    """What is coloured on a line, with its role."""
    block = editor.document().findBlockByNumber(line)
    names = {
        theme.current().color(name).name(): name for name in ("muted", "up", "accent", "warning")
    }
    return {
        block.text()[part.start : part.start + part.length]: names[
            part.format.foreground().color().name()
        ]
        for part in block.layout().formats()
    }


def test_words_have_colours(editor: CodeEditor) -> None:
    editor.setPlainText(
        "def run(symbol):  # the rule\n"
        "    if price > 12.5 and name == 'def # no':\n"
        '    """Long\n'
        "    def no keyword here\n"
        '    """ or 3'
    )
    assert roles(editor, 0) == {"def": "accent", "# the rule": "muted"}
    assert roles(editor, 1) == {
        "if": "accent",
        "12.5": "warning",
        "and": "accent",
        "'def # no'": "up",
    }
    assert roles(editor, 3) == {"    def no keyword here": "up"}
    assert roles(editor, 4) == {'    """': "up", "or": "accent", "3": "warning"}


def test_a_quote_that_is_not_closed_ends_with_its_line(editor: CodeEditor) -> None:
    editor.setPlainText("a = 'open\nif b:")
    assert roles(editor, 1) == {"if": "accent"}


def test_keys_indent(editor: CodeEditor) -> None:
    QTest.keyClicks(editor, "if a:")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QTest.keyClicks(editor, "b")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QTest.keyClick(editor, Qt.Key.Key_Backtab)
    QTest.keyClicks(editor, "c")
    assert editor.toPlainText() == "if a:\n    b\nc"
    editor.selectAll()
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.toPlainText() == "    if a:\n        b\n    c"
    editor.selectAll()
    QTest.keyClick(editor, Qt.Key.Key_Backtab)
    assert editor.toPlainText() == "if a:\n    b\nc"
    editor.undo()
    assert editor.toPlainText() == "    if a:\n        b\n    c"  # one step


def test_a_line_is_gone_to(editor: CodeEditor) -> None:
    editor.setPlainText("\n".join(f"line {number}" for number in range(1, 500)))
    editor.go_to_line(321)
    assert editor.textCursor().block().text() == "line 321"
    editor.go_to_line(10_000)
    assert editor.textCursor().block().text() == "line 321"
