"""The keys of docks: every row is answered, edited ones hold at once, a held key sends nothing."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit.dock_keys import DockKeys
from openalgo_desktop.ui.kit.keys import DockKey, KeyGroup
from openalgo_desktop.ui.kit.kinds import groups_of, kinds
from openalgo_desktop.ui.rooms.market.ladder import LadderDock
from openalgo_desktop.ui.shell.keys_help import KeysDialog
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive

NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
GROUP = KeyGroup(
    "panel",
    "Panel",
    (
        DockKey("send", "Send", "Q", sends=True),
        DockKey("scroll", "Scroll", "Up", repeats=True),
        DockKey("zoom", "Zoom", "+", also=("=",)),
        DockKey("pass", "Only sometimes", "B"),
        DockKey("leave", "Leave", "Escape", fixed=True),
    ),
)


class Panel(QWidget):
    """Counts what its keys do; a field inside of it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.done: list[str] = []
        self.left_over: list[str] = []
        self.field = QLineEdit()
        QVBoxLayout(self).addWidget(self.field)
        self.hotkeys = DockKeys((GROUP,), self)
        answers = {
            row.id: lambda word=row.id: self.done.append(word)
            for row in GROUP.rows
            if not row.fixed
        }
        self.hotkeys.serve(self, answers | {"pass": lambda: False})

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.left_over.append(event.text())


@pytest.fixture
def panel(qtbot: QtBot) -> Panel:
    made = Panel()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    made.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() in (None, made))
    return made


def held(widget: QWidget, key: Qt.Key, text: str = "") -> None:
    """A key that repeats."""
    QApplication.sendEvent(widget, QKeyEvent(QEvent.Type.KeyPress, key, NONE, text, True))


def test_a_held_key_goes_on_only_where_its_row_says_so(panel: Panel) -> None:
    QTest.keyClick(panel, Qt.Key.Key_Q)
    held(panel, Qt.Key.Key_Q, "q")
    held(panel, Qt.Key.Key_Up)
    assert panel.done == ["send", "scroll"] and panel.left_over == []


def test_another_key_takes_the_place_of_the_built_in_ones(panel: Panel) -> None:
    QTest.keyClick(panel, Qt.Key.Key_Equal)
    QTest.keyClick(panel, "+", Qt.KeyboardModifier.ShiftModifier)  # where + needs Shift
    assert panel.done == ["zoom", "zoom"]
    own = {"panel.send": "Ctrl+Q", "panel.zoom": "Z"}
    panel.hotkeys.use(lambda name: own.get(name, ""))
    for key in (Qt.Key.Key_Q, Qt.Key.Key_Equal, Qt.Key.Key_Up):
        QTest.keyClick(panel, key)
    assert len(panel.done) == 2  # none of them means anything now
    QTest.keyClick(panel, Qt.Key.Key_Z)
    QTest.keyClick(panel, Qt.Key.Key_Q, CTRL)
    assert panel.done[2:] == ["zoom", "send"]
    assert panel.hotkeys.tip("Send it", "send") == "Send it (Ctrl+Q)"
    assert panel.hotkeys.tip("Scroll", "scroll") == "Scroll"
    assert [keys for keys, _ in panel.hotkeys.lines()] == ["Ctrl+Q", "Z", "Escape"]


def test_what_is_not_answered_goes_on_and_fields_keep_their_letters(panel: Panel) -> None:
    QTest.keyClick(panel, Qt.Key.Key_B)
    assert panel.left_over == ["b"] and panel.done == []
    panel.field.setFocus()
    QTest.keyClicks(panel.field, "qb")
    held(panel, Qt.Key.Key_Q, "q")
    QTest.keyClick(panel, Qt.Key.Key_Q)  # a field inside has the focus: not meant for the panel
    assert panel.field.text() == "qb" and panel.done == []


def test_an_answer_without_a_row_is_a_mistake(panel: Panel) -> None:
    with pytest.raises(KeyError, match="beyond"):
        panel.hotkeys.serve(panel, {"beyond": lambda: None})


def test_every_key_of_every_kind_is_answered_and_free_of_others(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        hotkeys = window.hands.hotkeys
        for row in hotkeys.rows.values():
            assert hotkeys.conflict(row.name, hotkeys.key(row.name)) == "", row.name
        for kind in kinds():
            dock = window.docking.show(kind)
            rows = [row for group in groups_of(kind) for row in group.rows if not row.fixed]
            assert dock.hotkeys.answered == {row.id for row in rows}, kind

    drive(scenario)


def test_an_edited_key_of_the_ladder_holds_at_once_and_after_a_restart(drive: Drive) -> None:
    async def change(session: Session) -> None:
        window = session.window
        ladder = window.docking.show("ladder")
        assert isinstance(ladder, LadderDock)
        done: list[str] = []
        ladder.run = lambda word, **_: done.append(word)  # type: ignore[method-assign]
        ladder._answer_keys()
        hotkeys = window.hands.hotkeys
        with pytest.raises(ConfigError, match="inside Ladder"):
            hotkeys.set("ladder.join-bid", "W")
        hotkeys.set("ladder.join-bid", "G")
        QTest.keyClick(ladder.view, Qt.Key.Key_Q)
        QTest.keyClick(ladder.view, Qt.Key.Key_G)
        assert done == ["join-bid"]
        assert "(G)" in ladder.foot.buttons["join-bid"].toolTip()
        dialog = KeysDialog(window, ladder.title, ladder.hotkeys.lines(), hotkeys)
        cells = [dialog.local.item(row, 0) for row in range(dialog.local.rowCount())]
        assert "G" in [cell.text() for cell in cells if cell is not None]
        dialog.deleteLater()
        hotkeys.set("ladder.size-2", "Alt+9")
        assert "(Alt+9)" in ladder.bar.size_buttons[1].toolTip()

    async def again(session: Session) -> None:
        ladder = session.window.docking.show("ladder")
        assert ladder.hotkeys.text("join-bid") == "G"

    drive(change)
    drive(again)
