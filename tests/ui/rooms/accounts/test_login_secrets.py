"""A login in the window leaves its secrets nowhere: not in what is shown or told, not on disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QPlainTextEdit

from openalgo_desktop.core.enums import AccountState
from openalgo_desktop.ui.rooms.accounts.login import LoginDialog
from openalgo_desktop.ui.shell.main import Session
from tests.emulators.kite import API_KEY, API_SECRET
from tests.ui.driving import Drive, click, priced
from tests.ui.rooms.accounts.test_login_window import Browser, kite
from tests.waiting import until

WRONG = "marked-and-wrong-99"


def shown() -> Iterator[str]:
    """Everything that widgets of the program say, seen or not."""
    for widget in QApplication.allWidgets():
        yield from (widget.windowTitle(), widget.toolTip(), widget.accessibleName())
        if isinstance(widget, QLabel | QLineEdit | QAbstractButton):
            yield widget.text()
        elif isinstance(widget, QPlainTextEdit):
            yield widget.toPlainText()


async def typed(session: Session, name: str, browser: Browser, secret: str) -> LoginDialog:
    """The form, filled and sent."""
    dialog = LoginDialog(session.window, session.bridge, name, browser)
    dialog.show()
    await until(lambda: "/zerodha/callback" in dialog.redirect.text(), "the address")
    dialog._inputs["api_key"].setText(API_KEY)
    dialog._inputs["api_secret"].setText(secret)
    click(dialog.go)
    return dialog


def test_nothing_shows_tells_or_keeps_what_was_typed(
    drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        bridge = session.bridge
        notices: list[str] = []
        bridge.notice.connect(lambda level, text: notices.append(text))
        async with kite(session) as emulator:
            name = await bridge.accounts.add("zerodha")
            state = bridge.accounts.status
            dialog = await typed(session, name, Browser(emulator), WRONG)
            await until(lambda: "invalid" in dialog.message.text(), "the refusal")
            dialog.reject()
            await typed(session, name, Browser(emulator), API_SECRET)
            await until(lambda: state(name).state is AccountState.CONNECTED, "the login")
            secrets = (WRONG, API_KEY, API_SECRET, *emulator._tokens)
            assert len(secrets) > 3
            await until(lambda: not QApplication.activeModalWidget(), "the end of the dialog")
            await until(lambda: not any(s in t for t in shown() for s in secrets), "empty fields")
            texts = [*shown(), *notices, *(await bridge.diagnostics.texts()).values()]
            texts += [QGuiApplication.clipboard().text(), caplog.text]
            assert [(s, t) for t in texts for s in secrets if s in t] == []
            await session.terminal.db.flush()
            files = [p for p in session.terminal.data_dir.path.rglob("*") if p.is_file()]
            assert any(path.suffix == ".db" for path in files)
            kept = {path: path.read_bytes() for path in files}
            assert [(p, s) for p, raw in kept.items() for s in secrets if s.encode() in raw] == []

    drive(scenario)
