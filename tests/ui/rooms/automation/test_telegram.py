"""The Telegram dialog, and what a chat asks of the window: nothing is allowed but by a yes here."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openalgo_desktop.core.events import TelegramAsks
from openalgo_desktop.core.telegram import ConfirmRequest
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.automation.telegram import TelegramDialog
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, click
from tests.waiting import until

pytestmark = pytest.mark.docks("orders")
TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


def test_a_token_is_kept_and_never_shown(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        session.window.actions_by_name["telegram"].trigger()
        await until(
            lambda: [d for d in session.window.findChildren(TelegramDialog) if d.isVisible()],
            "the dialog",
        )
        (dialog,) = session.window.findChildren(TelegramDialog)
        assert dialog.state.text() == "The bot is off."
        assert not dialog.on.isEnabled() and not dialog.link.isEnabled()
        click(dialog.keep)
        assert "Paste the token" in dialog.message.text()
        dialog.token.setText("no token")
        click(dialog.keep)
        await until(lambda: "Paste" not in dialog.message.text(), "the refusal")
        assert dialog.message.property("role") == "error"
        dialog.token.setText(TOKEN)
        click(dialog.keep)
        await until(dialog.on.isEnabled, "the token is kept")
        assert dialog.token.text() == "" and "vault" in dialog.message.text()
        assert session.bridge.telegram.status().has_token
        click(dialog.forget)
        await until(lambda: not dialog.on.isEnabled(), "forgotten")
        dialog.accept()

    drive(scenario)


def asks(session: Session, number: str) -> ConfirmRequest:
    until_then = session.bridge.now() + timedelta(seconds=60)
    return ConfirmRequest(number, 7, "Asha", "close all positions in SANDBOX", until_then)


def questions(session: Session) -> list[ConfirmDialog]:
    return [one for one in session.window.findChildren(ConfirmDialog) if one.isVisible()]


def test_a_chat_is_answered_here_once(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(session: Session) -> None:
        answers: list[tuple[str, bool]] = []

        def confirm(request_id: str, yes: bool) -> str:
            answers.append((request_id, yes))
            return "Done."

        monkeypatch.setattr(session.terminal.telegram, "confirm", confirm)
        bus = session.terminal.bus
        first, second = asks(session, "a"), asks(session, "b")
        bus.publish(TelegramAsks(request=first))
        bus.publish(TelegramAsks(request=first))
        (question,) = questions(session)
        assert "Asha wants: close all positions in SANDBOX" in question.question.text()
        assert question.no.isDefault() and not question.isModal()
        click(question.yes)
        assert answers == [("a", True)]
        bus.publish(TelegramAsks(request=first, over=True))

        bus.publish(TelegramAsks(request=second))
        (question,) = questions(session)
        bus.publish(TelegramAsks(request=second, over=True))  # by a code, or too late
        await until(lambda: not questions(session), "it is gone")
        assert answers == [("a", True)]

        bus.publish(TelegramAsks(request=second))
        click(questions(session)[0].no)
        assert answers == [("a", True), ("b", False)]

    drive(scenario)


def test_a_locked_window_asks_when_it_is_opened(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        request = asks(session, "c")
        monkeypatch.setattr(session.terminal.telegram, "waiting", lambda: [request])
        monkeypatch.setattr(type(session.bridge.lock), "locked", True)
        session.terminal.bus.publish(TelegramAsks(request=request))
        assert questions(session) == []
        monkeypatch.setattr(type(session.bridge.lock), "locked", False)
        session.window.remote_questions._on_lock(False)
        assert len(questions(session)) == 1
        session.window.remote_questions._on_lock(True)
        await until(lambda: not questions(session), "nobody can answer now")

    drive(scenario)
