"""House rules of the window that a reader of the code could break without noticing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import openalgo_desktop.ui
from openalgo_desktop.ui.actions import ACTIONS

FILES = sorted(Path(openalgo_desktop.ui.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_nested_event_loop(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\.exec_?\(", text)
    assert "QMessageBox" not in text
    assert "processEvents" not in text


def test_actions_have_unique_names_and_shortcuts() -> None:
    names = [row.name for row in ACTIONS]
    shortcuts = [row.shortcut for row in ACTIONS if row.shortcut]
    assert len(set(names)) == len(names)
    assert len(set(shortcuts)) == len(shortcuts)


def test_only_the_focused_ticket_sends() -> None:
    local = [row.name for row in ACTIONS if row.local]
    assert local == ["send-ticket"]
