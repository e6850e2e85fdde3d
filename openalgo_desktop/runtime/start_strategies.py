"""Starts the engine of made strategies, after the desk and the watch that it stands on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from openalgo_desktop.analytics.chain import ChainBook
from openalgo_desktop.automation.strategies.ground import Ground
from openalgo_desktop.automation.strategies.service import Engine
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import RiskBlocked
from openalgo_desktop.runtime.mode_guard import ModeGuard
from openalgo_desktop.runtime.strategy_names import beside_made
from openalgo_desktop.storage.strategies import StrategyRepository

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


async def start_strategies(terminal: Terminal) -> None:
    """Make ``terminal.strategies``, and take up the runs of an earlier run of the program."""
    guard = ModeGuard(terminal.vault, terminal.lock)

    def may_trade(mode: Mode) -> None:
        if blocked := terminal.desk.risk.blocked:
            raise RiskBlocked(f"New orders are blocked: {blocked}")
        guard.check_bound(mode)

    chains = ChainBook(terminal.hub, terminal.instruments, terminal.clock)
    terminal.on_stop(chains.close)
    engine = Engine(
        Ground(
            clock=terminal.clock,
            bus=terminal.bus,
            store=StrategyRepository(terminal.db),
            desk=terminal.desk,
            legs=terminal.watch.legs,
            journal=terminal.journal,
            instruments=terminal.instruments,
            ticks=terminal.hub,
            chains=chains,
            calendar=terminal.calendar,
            days=terminal.state,
            is_open=terminal.market_open,
            may_trade=may_trade,
            estimator=lambda: terminal.sandbox.charging.estimator,
            taken=partial(beside_made, terminal),
        )
    )
    await engine.begin()
    terminal.on_stop(engine.end)
    terminal.strategies = engine
