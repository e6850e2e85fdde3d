"""Endpoints of made strategies: rows of the table."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.local_api.handlers import strategies
from openalgo_desktop.local_api.table import Endpoint as E
from openalgo_desktop.local_api.table import Need

_READ: dict[str, Any] = {"group": "Strategies", "need": Need.ACCOUNT}
_WRITE: dict[str, Any] = {"group": "Strategies", "need": Need.STRATEGY}

STRATEGIES: tuple[E, ...] = (
    E(
        "strategy/list",
        strategies.strategy_list,
        "strategies.StrategyList",
        "Strategies that were made in the window, newest first, without their legs.",
        **_READ,
    ),
    E(
        "strategy/status",
        strategies.strategy_status,
        "strategies.OneStrategy",
        "One strategy with its legs, and its run (null when it does not run).",
        **_READ,
    ),
    E(
        "strategy/start",
        strategies.strategy_start,
        "strategies.StartStrategy",
        "Begin a run of a batch strategy: every leg is entered. The mode is never guessed. Some "
        "legs may be refused: look at `ok` of each.",
        **_WRITE,
    ),
    E(
        "strategy/stop",
        strategies.strategy_stop,
        "strategies.OneStrategy",
        "Leave every position of the run at market. With `stop_pending` the exits are still at "
        "work.",
        **_WRITE,
    ),
    E(
        "strategy/close_all",
        strategies.strategy_close_all,
        "strategies.OneStrategy",
        "The same, noted as a human's wish to be flat.",
        **_WRITE,
    ),
    E(
        "strategy/close_leg",
        strategies.strategy_close_leg,
        "strategies.OneLeg",
        "Leave one leg of the run at market; the others go on.",
        **_WRITE,
    ),
    E(
        "strategy/runs",
        strategies.strategy_runs,
        "strategies.StrategyRuns",
        "Runs of a strategy, newest first.",
        **_READ,
    ),
    E(
        "strategy/orders",
        strategies.strategy_orders,
        "strategies.StrategyOrders",
        "Orders of its runs, oldest first.",
        **_READ,
    ),
    E(
        "strategy/events",
        strategies.strategy_events,
        "strategies.StrategyEvents",
        "What happened to it and its runs, newest first.",
        **_READ,
    ),
)
