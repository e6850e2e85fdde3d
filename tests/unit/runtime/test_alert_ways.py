"""Strategies that alerts start: in the account for which the alert was made, and in no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import NotConnected, RiskBlocked
from openalgo_desktop.runtime.alert_ways import AlertStrategies


class Both:
    """One hosted program, ``orb``, and one made strategy, ``straddle``; what was started."""

    def __init__(self) -> None:
        self.started: list[tuple[object, Mode]] = []
        self.serving = "kite:A"

    def all(self) -> list[Any]:
        return [SimpleNamespace(hosted=SimpleNamespace(name="orb"))]

    async def find(self, words: str = "") -> list[Any]:
        return [SimpleNamespace(strategy_id=7, definition=SimpleNamespace(name="straddle"))]

    async def start(self, which: object, mode: Mode, *_: object) -> None:
        self.started.append((which, mode))

    def account(self, mode: Mode) -> str:
        if not self.serving:
            raise NotConnected("No account takes live orders.")
        return self.serving


@pytest.mark.parametrize(("name", "which"), [("orb", "orb"), ("straddle", 7)])
async def test_a_live_start_is_refused_where_another_account_takes_the_orders(
    name: str, which: object
) -> None:
    both = Both()
    ways = AlertStrategies(both, both, both.account)  # type: ignore[arg-type]
    await ways.run(name, Mode.LIVE, "alert:1", "kite:A")
    assert both.started == [(which, Mode.LIVE)]
    both.serving = "kite:B"
    with pytest.raises(RiskBlocked, match=r"account kite:B now .* in kite:A; it was not started"):
        await ways.run(name, Mode.LIVE, "alert:1", "kite:A")
    with pytest.raises(RiskBlocked, match="one that it does not name"):  # made by an older program
        await ways.run(name, Mode.LIVE, "alert:1", "")
    both.serving = ""
    with pytest.raises(NotConnected):
        await ways.run(name, Mode.LIVE, "alert:1", "kite:A")
    await ways.run(name, Mode.SANDBOX, "alert:1", "")
    assert both.started == [(which, Mode.LIVE), (which, Mode.SANDBOX)]
