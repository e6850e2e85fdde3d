"""L: the end of a session while the terminal runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openalgo_desktop.brokers.kit.account import account as kit_account
from openalgo_desktop.core.enums import AccountState, FeedMode
from openalgo_desktop.core.errors import AppError, AuthError
from tests.contract.rig import Rig
from tests.waiting import until


async def test_l05_the_session_ends_at_its_time_and_the_workspace_stays(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six in the morning, for example: the state changes by itself, what was subscribed comes
    back with the next login."""
    ends = rig.account.session.ends
    if ends is None:  # a session without an end ends by the broker's word alone: see l03
        assert rig.account.spec.session_ends is None and not rig.account.spec.session_hours
        return
    monkeypatch.setattr(kit_account, "WATCH_INTERVAL", 0.02)
    await rig.account.disconnect()
    await rig.account.connect()  # with the short interval
    row = rig.row("NSE")
    await rig.account.market.subscribe({row.key: FeedMode.LTP})
    await until(lambda: bool(rig.ticks), "ticks")
    rig.clock.jump(ends + timedelta(seconds=1))
    await until(lambda: rig.account.status.state is AccountState.LOGIN_NEEDED, "the end")
    assert rig.account.status.valid_until is None
    with pytest.raises(AuthError):
        await rig.gateway.orders()
    await until(lambda: not rig.emulator.sockets, "the end of the feed")
    await rig.login()
    late = rig.account.session.ends - ends - timedelta(days=1)  # so many hours from the login
    assert timedelta(0) <= late < timedelta(minutes=1)
    rig.ticks.clear()
    await until(lambda: any(t.symbol == row.symbol for t in rig.ticks), "ticks again")


async def test_l07_the_broker_ends_it_between_two_calls(rig: Rig) -> None:
    """No call of ours is needed to notice: the order book is read anyway."""
    states = []
    rig.account.set_status_listener(lambda status: states.append(status.state))
    rig.emulator.expire_sessions()  # type: ignore[attr-defined]
    with pytest.raises(AppError):
        await rig.gateway.positions()
    await until(lambda: AccountState.LOGIN_NEEDED in states, "the login state")
    assert states.count(AccountState.LOGIN_NEEDED) == 1
