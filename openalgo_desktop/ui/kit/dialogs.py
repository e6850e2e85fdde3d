"""Dialogs. None of them runs a nested event loop: ``await ask(dialog)`` opens and waits.

A dialog blocks the windows below it, and with them the buttons and keys that get a trader out. So
the keys of actions marked with :func:`keep_key` work in every dialog as well.
"""

from __future__ import annotations

import asyncio

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QDialog
from shiboken6 import isValid

from openalgo_desktop.ui.kit.widgets import name_inner_controls

#: Property of an action whose key works in dialogs, too.
KEPT = "key-in-dialogs"


def keep_key(action: QAction) -> QAction:
    """Cancel all, flatten, kill: the key works whatever dialog is open."""
    action.setProperty(KEPT, True)
    return action


def _lend_keys(dialog: QDialog) -> None:
    for window in QApplication.topLevelWidgets():
        dialog.addActions([action for action in window.actions() if action.property(KEPT)])


def is_open(dialog: QDialog) -> bool:
    """Whether it is still there and shown. An answer that comes later is told as a notice: who
    closed the form must hear of a refusal, and never of a window that is gone."""
    return isValid(dialog) and dialog.isVisible()


def come_up(dialog: QDialog) -> None:
    """Show a dialog that is not modal, in front and with the keys: what its user types next is
    meant for it, and a letter that came to the chart below would fill the ticket. Not every
    window manager gives a new window the keys by itself."""
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()


async def ask(dialog: QDialog, *, lends_keys: bool = True, modal: bool = True) -> bool:
    """Open ``dialog`` and wait until it is finished; True when it was accepted. ``lends_keys``:
    the keys of :func:`keep_key` work in it; the lock screen has its own. One that only tells
    something is not ``modal``: what is held may need a hand."""
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def finished(code: int) -> None:
        if not answer.done():
            answer.set_result(code)

    dialog.finished.connect(finished)
    name_inner_controls(dialog)
    if lends_keys:
        _lend_keys(dialog)
    if modal:
        dialog.open()
    else:
        come_up(dialog)
    try:
        return await answer == QDialog.DialogCode.Accepted
    finally:
        dialog.finished.disconnect(finished)
        dialog.close()
        dialog.deleteLater()
