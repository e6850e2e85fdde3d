"""Made strategies and hosted programs as a chat sees them."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from openalgo_desktop.automation.telegram.strategies import HostedRoom, MadeRoom, hosted_news
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.strategies.hosted import Hosted, HostedState, HostedView
from openalgo_desktop.core.strategies.ports import StrategyNotFound
from openalgo_desktop.core.strategies.rows import LegAnswer, StopAnswer
from openalgo_desktop.core.strategies.words import RunStatus
from openalgo_desktop.core.telegram import StrategyLine
from tests.unit.automation.telegram.room import NOW


class Engine:
    def __init__(self) -> None:
        self.stops: list[tuple[int, str]] = []
        self.answer = StopAnswer(run_id=1, pending=True, exits=())

    async def find(self) -> list[Any]:
        made = SimpleNamespace(strategy_id=7, definition=SimpleNamespace(name="Straddle"))
        idle = SimpleNamespace(strategy_id=3, definition=SimpleNamespace(name="Idle"))
        made.status, idle.status = RunStatus.PAUSED, RunStatus.STOPPED
        return [made, idle]

    def view(self, strategy_id: int) -> Any:
        if strategy_id != 7:
            return None
        return SimpleNamespace(run=SimpleNamespace(mode=Mode.LIVE), result=Decimal("-12.5"))

    async def stop(self, strategy_id: int, by: str) -> StopAnswer:
        self.stops.append((strategy_id, by))
        return self.answer


async def test_made_strategies():
    engine: Any = Engine()
    room = MadeRoom(engine)
    assert await room.listed() == [
        StrategyLine("7", "Straddle", "paused", True, "live", Decimal("-12.5")),
        StrategyLine("3", "Idle", "stopped", False),
    ]
    assert await room.stop("7", "telegram") == "Straddle: its exits are on the way."
    bad = LegAnswer(leg_id=1, ok=False, symbol="SBIN", error="no margin")
    engine.answer = StopAnswer(run_id=1, pending=False, exits=(bad,))
    said = await room.stop("7", "telegram")
    assert said == "Straddle: stopped; 1 exits were refused (SBIN: no margin)."
    assert engine.stops == [(7, "telegram")] * 2
    with pytest.raises(StrategyNotFound):
        await room.stop("9", "telegram")


async def test_hosted_programs():
    view = HostedView(
        hosted=Hosted(strategy_id="s", name="cross", entry="m.py", folder="x", added_at=NOW),
        state=HostedState.RUNNING,
        mode=Mode.SANDBOX,
        pnl=Decimal(5),
    )
    stopped = msgspec.structs.replace(view, state=HostedState.STOPPED, reason="by telegram")

    class Host:
        def all(self) -> list[HostedView]:
            return [view]

        async def stop(self, name: str, by: str) -> HostedView:
            assert (name, by) == ("cross", "telegram")
            return stopped

    host: Any = Host()
    room = HostedRoom(host)
    assert await room.listed() == [
        StrategyLine("cross", "cross", "running", True, "sandbox", Decimal(5))
    ]
    assert await room.stop("cross", "telegram") == "cross: stopped (by telegram)."
    assert hosted_news(msgspec.structs.replace(view, state=HostedState.PAUSED)) == ""
