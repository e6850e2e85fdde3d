"""The lock of one-click trading."""

from __future__ import annotations

import pytest

from openalgo_desktop.core.enums import AccountState, Mode
from openalgo_desktop.core.errors import OrderError, RiskBlocked
from openalgo_desktop.core.events import AccountChanged
from openalgo_desktop.core.model import AccountStatus
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive


def armed(session: Session) -> list[tuple[bool, str]]:
    """Arm it; what is told from then on."""
    told: list[tuple[bool, str]] = []
    session.bridge.arm.arm(session.bridge.mode)
    assert session.bridge.arm.armed
    session.bridge.arm.changed.connect(lambda on, why: told.append((on, why)))
    return told


def test_it_is_off_at_the_start_and_armed_for_the_mode_that_was_seen(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        arm = session.bridge.arm
        assert not arm.armed
        with pytest.raises(OrderError, match="SANDBOX now"):
            arm.arm(Mode.LIVE)
        assert not arm.armed
        told = armed(session)
        arm.disarm()
        assert not arm.armed and told == [(False, "")]

    drive(scenario)


def test_a_change_of_mode_disarms(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        told = armed(session)
        await session.bridge.set_mode(Mode.LIVE)
        assert told == [(False, "the mode is LIVE now")]
        await session.bridge.set_mode(Mode.SANDBOX)
        assert not session.bridge.arm.armed

    drive(scenario)


def test_idle_minutes_disarm_and_a_hand_on_the_window_does_not(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        told = armed(session)
        clock = session.terminal.clock
        begin = clock.monotonic()
        monkeypatch.setattr(clock, "monotonic", lambda: begin + 14 * 60.0)
        assert session.bridge.arm.armed
        session.bridge.arm.touch()
        monkeypatch.setattr(clock, "monotonic", lambda: begin + 28 * 60.0)
        assert session.bridge.arm.armed
        monkeypatch.setattr(clock, "monotonic", lambda: begin + 30 * 60.0)
        assert not session.bridge.arm.armed
        assert told == [(False, "nobody touched the window for 15 minutes")]

    drive(scenario)


def test_the_kill_switch_disarms_and_keeps_it_off(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        told = armed(session)
        await session.bridge.safety.kill()
        assert told == [(False, "the kill switch is on")]
        with pytest.raises(RiskBlocked):
            session.bridge.arm.arm(session.bridge.mode)

    drive(scenario)


def test_another_account_disarms_and_news_of_the_same_one_does_not(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(session: Session) -> None:
        told = armed(session)
        status = AccountStatus("x:1", "x", "1", "X", AccountState.CONNECTED)
        session.terminal.bus.publish(AccountChanged(status=status))
        assert session.bridge.arm.armed
        monkeypatch.setattr(session.bridge.arm, "_account", lambda: "other:1")
        session.terminal.bus.publish(AccountChanged(status=status))
        assert told == [(False, "orders go to another account now")]

    drive(scenario)
