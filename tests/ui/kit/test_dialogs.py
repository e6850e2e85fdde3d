"""Who opens a dialog types into it."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from openalgo_desktop.ui.kit.ask_text import TextDialog
from openalgo_desktop.ui.kit.dialogs import ask


class Form(QDialog):
    """Counts how often it asked for the keys."""

    taken = 0

    def activateWindow(self) -> None:
        self.taken += 1


async def test_a_dialog_that_is_not_modal_takes_the_keys(qtbot: QtBot) -> None:
    form = Form()
    qtbot.addWidget(form)
    answer = asyncio.ensure_future(ask(form, modal=False))
    await asyncio.sleep(0)
    assert form.isVisible() and form.taken == 1
    form.accept()
    assert await answer


def test_a_name_that_exists_is_replaced_by_a_press_on_replace_only(qtbot: QtBot) -> None:
    taken: list[str] = []
    window = QWidget()
    qtbot.addWidget(window)
    dialog = TextDialog(window, "Template", "Name", "Mine", taken.append, ["Mine"].__contains__)
    dialog.show()
    qtbot.keyClick(dialog.line, Qt.Key.Key_Return)
    assert taken == [] and dialog.yes.text() == "Replace" and not dialog.error.isHidden()
    assert dialog.no.isDefault()  # a second Enter keeps what there is
    qtbot.keyClick(dialog.line, Qt.Key.Key_End)
    qtbot.keyClick(dialog.line, Qt.Key.Key_2)
    assert dialog.yes.text() == "OK" and dialog.yes.isDefault() and dialog.error.isHidden()
    qtbot.keyClick(dialog.line, Qt.Key.Key_Backspace)
    dialog.yes.click()
    assert taken == []
    dialog.yes.click()
    assert taken == ["Mine"]
