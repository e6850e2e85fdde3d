"""Rows of the strategies dock, of every kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.strategies.hosted import HostedState, HostedView
from openalgo_desktop.core.strategies.rows import MadeStrategy, RunView
from openalgo_desktop.core.strategies.words import RunStatus, StrategyKind
from openalgo_desktop.core.strategy_book import StrategySummary
from openalgo_desktop.ui.engine.rows import WebhookKind, WebhookStrategy

#: Pages of the dock, and which rows each shows.
ALL, MADE, PROGRAMS, WEBHOOKS, SCRIPTS = "All", "Made", "Programs", "Webhooks", "Scripts"
PAGES = (ALL, MADE, PROGRAMS, WEBHOOKS, SCRIPTS)

_STATES = {
    RunStatus.STOPPED: ("Stopped", "muted"),
    RunStatus.RUNNING: ("Running", "up"),
    RunStatus.PAUSED: ("Paused", "warning"),
    RunStatus.ERRORED: ("Needs you", "down"),
}
_PROGRAMS = {
    HostedState.STOPPED: ("Stopped", "muted"),
    HostedState.PREPARING: ("Preparing…", "warning"),
    HostedState.RUNNING: ("Running", "up"),
    HostedState.STOPPING: ("Stopping…", "warning"),
    HostedState.PAUSED: ("Waits for its hours", "muted"),
    HostedState.WAITING: ("Crashed, starts again", "warning"),
    HostedState.CRASH_LOOP: ("Crash loop", "down"),
    HostedState.ERROR: ("Error", "down"),
    HostedState.LOST: ("Needs you", "down"),
}
_MADE_KINDS = {StrategyKind.BATCH: "Batch", StrategyKind.SIGNAL: "Signal"}
_ALERTS = {WebhookKind.STRATEGY: "Webhook", WebhookKind.CHARTINK: "Chartink"}


@dataclass(slots=True)
class StrategyRow:
    """One strategy. ``mode`` is that of its run, None while nothing runs; ``result`` rupees of the
    run or of today; numbers that are not known are None."""

    ident: str
    page: str
    kind: str
    name: str
    state: str
    tone: str = ""
    mode: Mode | None = None
    result: Decimal | None = None
    holds: str = ""
    cpu: float | None = None
    memory: float | None = None
    note: str = ""
    runs: bool = False
    paused: bool = False
    made: MadeStrategy | None = field(default=None, repr=False)
    program: HostedView | None = field(default=None, repr=False)
    webhook: WebhookStrategy | None = field(default=None, repr=False)


def counted(count: int, what: str) -> str:
    """``2 orders``; nothing for none."""
    return f"{count} {what}{'' if count == 1 else 's'}" if count else ""


def made_row(strategy: MadeStrategy, view: RunView | None) -> StrategyRow:
    """The row of a made strategy and of its run."""
    state, tone = _STATES[strategy.status]
    row = StrategyRow(
        f"made:{strategy.strategy_id}",
        MADE,
        _MADE_KINDS[strategy.definition.kind],
        strategy.definition.name,
        state,
        tone,
        runs=strategy.current_run_id is not None,
        paused=strategy.status is RunStatus.PAUSED,
        made=strategy,
    )
    if strategy.webhook_locked:
        row.note = "Webhook locked"
    if view is None:
        return row
    row.mode = view.run.mode
    row.result = view.result
    held = [leg for leg in view.legs if leg.units]
    row.holds = f"{len(held)} of {len(view.legs)} legs"
    if view.run.stop_requested_at is not None:
        row.state, row.tone = "Stopping…", "warning"
    if view.prices == "stale":
        row.note = "Prices are stale"
    return row


def program_row(view: HostedView) -> StrategyRow:
    """The row of a hosted program."""
    state, tone = _PROGRAMS[view.state]
    return StrategyRow(
        f"program:{view.hosted.strategy_id}",
        PROGRAMS,
        "Program",
        view.hosted.name,
        state,
        tone,
        mode=view.mode if view.state.is_up else None,
        result=view.pnl,
        holds=counted(view.orders, "order"),
        cpu=view.cpu_percent,
        memory=view.memory_mb,
        note=view.reason,
        runs=view.state.is_up,
        program=view,
    )


def webhook_row(strategy: WebhookStrategy) -> StrategyRow:
    """The row of a webhook strategy with a UUID."""
    active = strategy.active
    return StrategyRow(
        f"webhook:{strategy.webhook_id}",
        WEBHOOKS,
        _ALERTS[strategy.kind],
        strategy.name,
        "Listens" if active else "Off",
        "up" if active else "muted",
        holds=counted(len(strategy.symbols), "symbol"),
        runs=active,
        webhook=strategy,
    )


def script_row(name: str, summary: StrategySummary | None) -> StrategyRow:
    """The row of a name that only orders bear: a script outside, or a strategy that is gone."""
    row = StrategyRow(f"script:{name}", SCRIPTS, "Script", name, "Outside", "muted")
    if summary is not None:
        row.result = summary.day_realised - summary.day_charges
        row.holds = counted(summary.positions, "position")
        row.note = f"Today, in {summary.mode.value.upper()}; last trade {_day(summary.last_at)}"
    return row


def _day(at: datetime) -> str:
    return f"{at.astimezone(IST):%d %b %Y %H:%M}"
