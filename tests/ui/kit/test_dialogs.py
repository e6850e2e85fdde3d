"""Who opens a dialog types into it."""

from __future__ import annotations

import asyncio

from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

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
