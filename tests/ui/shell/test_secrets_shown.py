"""What a screenshot could show: no secret is readable in any widget of window and dialogs."""

from __future__ import annotations

import logging

from PySide6.QtCore import QAbstractListModel
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from openalgo_desktop.core.events import Notice
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.ui.rooms.safety.log import LogDock
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.scene import dialogs, place_some
from tests.ui.driving import Drive, priced

PLANTED = {"zerodha.password": "Planted-Pass-8731", "zerodha.access_token": "plantedtoken01234567"}


def readable(root: QWidget) -> str:
    """Every text that can be read on ``root`` and below."""
    texts: list[str] = []
    for widget in (root, *root.findChildren(QWidget)):
        texts += [widget.toolTip(), widget.windowTitle(), widget.accessibleName()]
        if isinstance(widget, QLineEdit):
            texts.append(widget.displayText())
        elif isinstance(widget, QLabel | QAbstractButton):
            texts.append(widget.text())
        elif isinstance(widget, QPlainTextEdit | QTextEdit):
            texts.append(widget.toPlainText())
        elif isinstance(widget, QAbstractItemView) and (model := widget.model()) is not None:
            for row in range(model.rowCount()):
                # A list has one column, and Qt does not let one ask it.
                wide = 1 if isinstance(model, QAbstractListModel) else model.columnCount()
                for column in range(wide):
                    texts.append(str(model.index(row, column).data()))
    return "\n".join(texts)


def test_no_secret_is_readable_anywhere(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        terminal, window = session.terminal, session.window
        key = await terminal.keys.default()
        assert key is not None
        for name, value in PLANTED.items():
            await terminal.vault.set(name, Secret(value))
        await priced(session)
        await place_some(session)  # one of the dialogs is the list before closing them
        secrets = [key.reveal(), *PLANTED.values()]
        # An error: of other messages there may be too many at once just now.
        terminal.bus.publish(Notice(level="error", text=f"login said {' '.join(secrets)}"))
        logging.getLogger("openalgo_desktop.test").warning("got %s", secrets)
        found = await dialogs(session)
        log_dock = window.docks["log"]
        assert isinstance(log_dock, LogDock)
        log_dock.flush()
        shown = "\n".join(readable(root) for root in (window, *found))
        assert "login said" in shown and "got [" in shown, "toast and log dock are seen"
        assert [secret for secret in secrets if secret in shown] == []

    drive(scenario)
