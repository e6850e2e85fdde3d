"""A strategy takes no name by which what another one holds is known."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.runtime.hands import access
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.strategy_names import beside_made, beside_programs, check_webhook
from openalgo_desktop.runtime.terminal import Terminal
from openalgo_desktop.storage.strategies import StrategyRepository
from openalgo_desktop.trading.webhooks import (
    WebhookKind,
    WebhookMode,
    WebhookStore,
    WebhookStrategy,
)
from tests.unit.automation.strategies.room import straddle


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
async def test_a_webhook_strategy_takes_none_of_them(name: str, tmp_path: Path):
    terminal = Terminal(TerminalOptions(data_dir=tmp_path, vault_key_file=tmp_path / "key"))
    await terminal.start_storage()  # no engine runs
    try:
        now = datetime(2026, 11, 24, 10, tzinfo=IST)
        await StrategyRepository(terminal.db).add(straddle(name="Straddle"), now)
        await terminal.state.put("hosted", "idle-1", {"name": "idle"})
        await refuses(terminal, name)
    finally:
        await terminal.stop()


async def refuses(terminal: Terminal, name: str) -> None:
    with pytest.raises(ConfigError, match="name of another strategy"):
        await check_webhook(terminal, name)
    row = {"name": name, "kind": "strategy", "side": "LONG", "symbol": ["SBIN:NSE:1:MIS"]}
    hours = {"positional": False, "start": "", "end": "", "square_off": ""}
    with pytest.raises(ConfigError, match="name of another strategy"):
        await access.webhooks_create(terminal, row | hours)
    server = WebhookStrategy("an-id", name, WebhookKind.STRATEGY, WebhookMode.LONG, ())
    with pytest.raises(ConfigError, match="name of another strategy"):
        await access.webhooks_adopt(terminal, {"row": msgspec.json.encode(server).decode()})
    assert await WebhookStore(terminal.state).all() == []
    await check_webhook(terminal, "Breakout")
