"""A question does not outlive the order account that it was asked for."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from openalgo_desktop.core.events import AccountChanged
from openalgo_desktop.ui.kit.confirm import ConfirmDialog, confirm
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive
from tests.waiting import until

pytestmark = pytest.mark.docks()


def test_a_question_is_withdrawn_when_orders_go_to_another_account(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        bridge, bus = session.bridge, session.terminal.bus
        status = bridge.accounts.orders_status()
        notices: list[str] = []
        bridge.notice.connect(lambda _level, text: notices.append(text))
        answer = asyncio.ensure_future(confirm(session.window, "Send?", "To this one", "Send"))
        await until(lambda: bool(session.window.findChildren(ConfirmDialog)), "the question")
        bus.publish(AccountChanged(status=status))  # nothing else than before
        assert not answer.done() and session.window.findChildren(ConfirmDialog)[0].isVisible()
        other = msgspec.structs.replace(status, account_id="another:1")
        monkeypatch.setattr(bridge.accounts, "orders_status", lambda: other)
        bus.publish(AccountChanged(status=other))
        assert await answer is False
        assert any("withdrawn" in text for text in notices)

    drive(scenario)
