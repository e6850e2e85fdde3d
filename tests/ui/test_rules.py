"""House rules of the window that a reader of the code could break without noticing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QRawFont, QTextDocument
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import openalgo_desktop.ui
from openalgo_desktop.config.resources import resource_path
from openalgo_desktop.ui.kit import fonts
from openalgo_desktop.ui.kit.widgets import label, plain_tip
from openalgo_desktop.ui.shell.actions import ACTIONS

FILES = sorted(Path(openalgo_desktop.ui.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_nested_event_loop(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.stem == "symbol_drag":  # Qt drags in a loop of its own; it is out of a mouse handler
        text = text.replace("moving.exec(", "")
    assert not re.search(r"\.exec_?\(", text)
    assert "QMessageBox" not in text
    assert "processEvents" not in text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_texts_are_plain(path: Path) -> None:
    """Labels are made by ``widgets.label`` and tooltips by ``plain_tip``, so that no text from
    outside (a strategy's name) is rendered as HTML."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            assert "QLabel" not in {ast.unparse(base) for base in node.bases}
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        if called == "QLabel":
            assert path.stem == "widgets", f"line {node.lineno}: use widgets.label"
        assert called not in (
            "setHtml",
            "insertHtml",
            "setMarkdown",
            "setWhatsThis",
            "QTextBrowser",
        )
        if called == "showText" and ast.unparse(node.func).startswith("QToolTip"):
            assert ast.unparse(node.args[1]).startswith("plain_tip("), f"line {node.lineno}"
        if called == "setToolTip":
            tip = node.args[-1]
            plain = isinstance(tip, ast.Constant) or ast.unparse(tip).startswith("plain_tip(")
            assert plain, f"line {node.lineno}: use plain_tip"
    if "ToolTipRole" in text and "def data(" in text:
        assert "plain_tip(" in text
    assert "RichText" not in text


def test_every_sign_in_a_text_is_in_a_font_of_ours(qapp: QApplication) -> None:
    """Else the platform draws it in a font of its own, or as an emoji."""
    shipped = [QRawFont(str(resource_path(f"fonts/{name}")), 12.0) for name in fonts.FILES]
    foreign = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                foreign |= {
                    f"{sign} in {path.name}"
                    for sign in node.value
                    if not sign.isspace()
                    and sign.isprintable()
                    and not any(font.supportsCharacter(ord(sign)) for font in shipped)
                }
    assert foreign == set()


def test_html_in_a_text_is_shown_and_not_loaded(qtbot: QtBot) -> None:
    evil = "<img src='file:///etc/passwd'> & co"
    shown = label(evil, "evil")
    qtbot.addWidget(shown)
    assert shown.textFormat() is Qt.TextFormat.PlainText
    document = QTextDocument()
    document.setHtml(plain_tip(evil))
    assert document.toPlainText() == evil
    assert plain_tip("a > b") == "a > b"


def test_actions_have_unique_names_and_shortcuts() -> None:
    names = [row.name for row in ACTIONS]
    shortcuts = [row.shortcut for row in ACTIONS if row.shortcut]
    assert len(set(names)) == len(names)
    assert len(set(shortcuts)) == len(shortcuts)


def test_no_key_of_the_window_is_typed_or_moves_something() -> None:
    """Without Ctrl, Alt or a function key an action would run while somebody types or scrolls."""
    bare = [
        row.name
        for row in ACTIONS
        if row.shortcut and not re.match(r"(Ctrl|Alt|Shift\+F\d|F\d)", row.shortcut)
    ]
    assert bare == []
