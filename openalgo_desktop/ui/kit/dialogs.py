"""Dialogs. None of them runs a nested event loop: ``await ask(dialog)`` opens and waits."""

from __future__ import annotations

import asyncio

from PySide6.QtWidgets import QDialog

from openalgo_desktop.ui.kit.widgets import name_inner_controls


async def ask(dialog: QDialog) -> bool:
    """Open ``dialog`` and wait until it is finished; True when it was accepted."""
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def finished(code: int) -> None:
        if not answer.done():
            answer.set_result(code)

    dialog.finished.connect(finished)
    name_inner_controls(dialog)
    dialog.open()
    try:
        return await answer == QDialog.DialogCode.Accepted
    finally:
        dialog.finished.disconnect(finished)
        dialog.close()
        dialog.deleteLater()
