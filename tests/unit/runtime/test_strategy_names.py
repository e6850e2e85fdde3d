"""A strategy takes no name by which what another one holds is known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.runtime.strategy_names import beside_made, beside_programs, check_webhook
from openalgo_desktop.runtime.terminal import Terminal


class Parts:
    """The lists of a terminal."""

    def __init__(self) -> None:
        self.state = self.strategies = self.keys = self

    async def all(self, scope: str = "") -> Any:
        if scope == "hosted":
            return {"idle-1": {"name": "idle"}}
        return {} if scope else [SimpleNamespace(strategy="Outside"), SimpleNamespace(strategy="")]

    async def find(self) -> Any:
        return [SimpleNamespace(definition=SimpleNamespace(name="Straddle"))]


async def test_names_of_other_kinds_are_taken():
    terminal = cast(Terminal, Parts())
    assert await beside_programs(terminal) == {"MCP", "Outside", "Straddle"}
    assert await beside_made(terminal) == {"MCP", "idle"}


@pytest.mark.parametrize("name", ["Straddle", "idle", "MCP"])
async def test_a_webhook_strategy_takes_none_of_them(name: str):
    terminal = cast(Terminal, Parts())
    with pytest.raises(ConfigError, match="name of another strategy"):
        await check_webhook(terminal, name)
    await check_webhook(terminal, "Breakout")
