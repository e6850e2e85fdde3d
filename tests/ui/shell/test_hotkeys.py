"""Keys of actions: own ones, conflicts, export and import; the editor."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit.keys import DockKey, KeyGroup
from openalgo_desktop.ui.shell.actions import ActionRow
from openalgo_desktop.ui.shell.hotkey_editor import HotkeyDialog
from openalgo_desktop.ui.shell.hotkeys import Hotkeys

ROWS = (
    ActionRow("search", "Search", "Ctrl+K", "Find", "Edit"),
    ActionRow("flatten", "Flatten", "F6", "Close all", "Trade"),
    ActionRow("about", "About", "", "", "Help"),
)
GROUPS = (
    KeyGroup(
        "symbol", "Panels with a symbol", (DockKey("buy", "Ticket: buy", "B"),),
        frozenset({"ladder", "chart"}),
    ),
    KeyGroup(
        "ticket",
        "Order ticket",
        (
            DockKey("tick", "Move the price", "Ctrl+Up / Ctrl+Down", fixed=True),
            DockKey("size", "Take a size", "Alt+1", in_fields=True),
        ),
        frozenset({"ticket"}),
    ),
    KeyGroup(
        "ladder", "Ladder",
        (DockKey("join", "Buy at the bid", "Q", sends=True), DockKey("mid", "Centre", "Space")),
        frozenset({"ladder"}),
    ),
    KeyGroup(
        "chart", "Chart", (DockKey("zoom", "Zoom in", "+", also=("=",)),), frozenset({"chart"})
    ),
)  # fmt: skip


class Rig:
    def __init__(self) -> None:
        self.actions = {row.name: QAction(row.text) for row in ROWS}
        self.saved: list[dict[str, str]] = []
        self.keys = Hotkeys(self.actions, self.saved.append, GROUPS, ROWS)

    def key(self, name: str) -> str:
        return self.actions[name].shortcut().toString()


@pytest.fixture
def rig(qtbot: QtBot) -> Rig:
    return Rig()


def test_an_own_key_holds_is_kept_and_can_be_taken_back(rig: Rig) -> None:
    rig.keys.set("flatten", "Ctrl+Shift+F")
    assert rig.key("flatten") == "Ctrl+Shift+F"
    assert "Shift" in rig.actions["flatten"].toolTip()
    assert rig.saved == [{"flatten": "Ctrl+Shift+F"}]
    rig.keys.set("about", "F6")  # it is free now
    with pytest.raises(ConfigError, match="already the key of “About”"):
        rig.keys.reset("flatten")
    rig.keys.set("about", "")
    rig.keys.reset("flatten")
    assert rig.key("flatten") == "F6" and rig.saved[-1] == {}


@pytest.mark.parametrize(
    ("name", "key", "why"),
    [
        ("ladder.join", "B", "inside Panels with a symbol: ticket: buy"),  # both in a ladder
        ("ladder.join", "Space", "without thinking of an order"),
        ("ladder.join", "Up", "without thinking of an order"),
        ("ladder.join", "Return", "without thinking of an order"),
        ("ladder.mid", "Escape", "leaves what was begun"),
        ("ladder.mid", "Tab", "next field"),
        ("ladder.mid", "Q", "inside Ladder: buy at the bid"),
        ("ladder.mid", "F6", "“Flatten”"),
        ("ladder.mid", "Ctrl+F12", "fixed"),
        ("symbol.buy", "=", "inside Chart: zoom in"),
        ("ticket.size", "Ctrl+Down", "inside Order ticket: move the price"),
        ("ticket.size", "1", "typed into fields"),
        ("flatten", "Alt+1", "inside Order ticket: take a size"),
    ],
)
def test_a_key_of_a_panel_meets_those_of_its_panel_and_of_the_window(
    rig: Rig, name: str, key: str, why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        rig.keys.set(name, key)
    assert rig.saved == []


def test_a_key_of_a_panel_is_changed_kept_and_free_in_other_panels(rig: Rig) -> None:
    rig.keys.set("ladder.join", "Ctrl+Up")  # with Ctrl it may be an arrow
    rig.keys.set("ladder.mid", "=")  # that of the chart means nothing in a ladder
    rig.keys.set("ticket.size", "Alt+B")
    assert rig.saved[-1] == {"ladder.join": "Ctrl+Up", "ladder.mid": "=", "ticket.size": "Alt+B"}
    with pytest.raises(ConfigError, match="inside Ladder"):
        rig.keys.set("flatten", "Ctrl+Up")
    rig.keys.set("chart.zoom", "Z")
    rig.keys.set("symbol.buy", "+")  # with the key its other keys are free, too
    data = rig.keys.exported()
    rig.keys.reset_all()
    assert rig.keys.key("ladder.join") == "Q"
    assert rig.keys.take_file(data) == []
    assert rig.keys.key("ladder.join") == "Ctrl+Up" and rig.keys.key("symbol.buy") == "+"


def test_a_key_that_sends_never_repeats() -> None:
    with pytest.raises(ValueError, match="never send"):
        DockKey("x", "Sends", "Q", sends=True, repeats=True)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("Ctrl+K", "“Search”"),
        ("Ctrl+Up", "Order ticket"),
        ("Ctrl+F12", "fixed"),
        ("Alt+T", "opens the menu Trade"),
        ("B", "typed into fields"),
        ("Up", "moves in tables"),
        ("Shift+Return", "typed into fields"),
        ("nonsense key", "no key"),
    ],
)
def test_a_key_that_means_something_else_is_refused(rig: Rig, key: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        rig.keys.set("flatten", key)
    assert rig.keys.key("flatten") == "F6" and rig.saved == []


def test_stored_keys_come_back_also_exchanged_ones(rig: Rig) -> None:
    assert rig.keys.load({"search": "F6", "flatten": "Ctrl+K", "gone": "F5"}) == []
    assert (rig.key("search"), rig.key("flatten")) == ("F6", "Ctrl+K")
    problems = rig.keys.load({"about": "F6"})  # the built-in key of Flatten holds again
    assert len(problems) == 1 and "Flatten" in problems[0]
    assert (rig.key("search"), rig.key("flatten"), rig.key("about")) == ("Ctrl+K", "F6", "")


def test_export_and_import(rig: Rig) -> None:
    rig.keys.set("about", "Alt+Shift+A")
    data = rig.keys.exported()
    rig.keys.reset_all()
    assert rig.key("about") == ""
    assert rig.keys.take_file(data) == []
    assert rig.key("about") == "Alt+Shift+A"
    assert rig.keys.take_file(data.replace(b"about", b"beyond")) == [
        "Nothing here is called “beyond”."
    ]
    for bad in (b"{}", b"[1]", b'{"version": 9, "keys": {}}'):
        with pytest.raises(ConfigError):
            rig.keys.take_file(bad)


def test_the_editor_changes_refuses_and_writes_files(
    rig: Rig, qtbot: QtBot, tmp_path: Path
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = HotkeyDialog(parent, rig.keys, lambda work, name: work.close())
    dialog.show()
    assert dialog.table.rowCount() == 3 + 5
    dialog.choose("flatten")
    dialog.edit.setKeySequence(QKeySequence("Ctrl+K"))
    dialog.edit.editingFinished.emit()
    assert "Search" in dialog.message.text() and rig.key("flatten") == "F6"
    dialog.edit.setKeySequence(QKeySequence("F5"))
    dialog.edit.editingFinished.emit()
    assert rig.key("flatten") == "F5" and dialog.chosen() == "flatten"
    path = tmp_path / "keys.json"
    dialog.export_to(path)
    dialog.clear_button.click()
    assert rig.key("flatten") == ""
    dialog.import_from(path)
    assert rig.key("flatten") == "F5"
    dialog.filter.setText("about")
    assert dialog.table.rowCount() == 1
    dialog.export_to(tmp_path / "no" / "where.json")
    assert "cannot be written" in dialog.message.text()
