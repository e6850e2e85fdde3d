"""Starts what trades, in its order: paper account, desk, trade journal, safety, watched exits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from openalgo_desktop.analytics.trade_journal import TradeJournal
from openalgo_desktop.brokers.registry import SIMULATOR
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.events import (
    ModeChanged,
    PositionsChanged,
    SettingChanged,
)
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Key
from openalgo_desktop.runtime.mode_guard import ModeGuard
from openalgo_desktop.runtime.start_alerts import start_alerts
from openalgo_desktop.runtime.start_mcp import approval_sources
from openalgo_desktop.runtime.start_strategies import start_strategies
from openalgo_desktop.runtime.start_strategy_book import start_strategy_book
from openalgo_desktop.sandbox.account import Sandbox
from openalgo_desktop.sandbox.realism import Realism
from openalgo_desktop.storage.approvals import ApprovalRepository
from openalgo_desktop.storage.exit_plans import PlanRepository
from openalgo_desktop.storage.paper import PaperRepository
from openalgo_desktop.storage.trade_journal import ExecutionRepository, TradeNotes
from openalgo_desktop.trading.approvals import Approvals
from openalgo_desktop.trading.clockwatch import ClockWatch
from openalgo_desktop.trading.conversion import ConversionDesk
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.executions import SCOPE as JOURNAL_SCOPE
from openalgo_desktop.trading.executions import ExecutionRecorder
from openalgo_desktop.trading.idempotency import RequestMemory
from openalgo_desktop.trading.killswitch import KillSwitch
from openalgo_desktop.trading.limits import RiskRules
from openalgo_desktop.trading.policies import OrderPolicies
from openalgo_desktop.trading.preview import OrderPreviews
from openalgo_desktop.trading.square_off import WebhookSquareOff
from openalgo_desktop.trading.watch.service import Watch
from openalgo_desktop.trading.webhooks import WebhookStore

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


async def start_trading(terminal: Terminal) -> None:
    """Start the paper account, the desk and all around them; the market is there already."""
    settings = terminal.settings
    terminal.sandbox = Sandbox(
        f"sandbox:{_paper_name(terminal)}",
        terminal.clock,
        terminal.instruments,
        terminal.hub,
        PaperRepository(terminal.db),
        settings,
        calendar=terminal.calendar,
        market_always_open=terminal.always_open,
    )
    await terminal.sandbox.start()
    terminal.on_stop(terminal.sandbox.stop)
    terminal.realism = Realism(settings, terminal.state, lambda: terminal.sandbox.used)
    terminal.desk = OrderDesk(
        terminal.clock,
        terminal.bus,
        terminal.instruments,
        terminal.journal,
        ack_timeout=lambda: float(settings["trading.ack_timeout"]),
        reconcile_interval=lambda: float(settings["trading.reconcile_interval"]),
    )
    terminal.desk.policies = OrderPolicies(terminal.hub, settings.__getitem__)
    terminal.desk.set_gateway(Mode.SANDBOX, terminal.sandbox)
    terminal.accounts.attach_desk(terminal.desk)
    await _start_journal(terminal)
    terminal.previews = OrderPreviews(
        terminal.clock,
        terminal.desk,
        terminal.hub,
        terminal.instruments,
        lambda: terminal.sandbox.charging.estimator,
        settings.__getitem__,
    )
    await _start_safety(terminal)
    watch = ClockWatch(terminal.clock, terminal.bus)
    await watch.start()
    terminal.on_stop(watch.stop)
    await terminal.desk.start()
    terminal.on_stop(terminal.desk.stop)
    square_off = WebhookSquareOff(
        terminal.clock,
        terminal.bus,
        WebhookStore(terminal.state),
        terminal.desk,
        terminal.calendar,
        terminal.market_open,
    )
    await square_off.start()
    terminal.on_stop(square_off.stop)
    await _start_watching(terminal)
    start_strategy_book(terminal)
    await start_alerts(terminal)
    await start_strategies(terminal)
    terminal.sandbox.on_changed = terminal.sandbox_changed
    start_mode = terminal.options.mode or Mode(settings["trading.start_mode"])
    if terminal.vault.locked:
        start_mode = Mode.SANDBOX
    await terminal.desk.set_mode(start_mode, "start")
    terminal.on_stop(terminal.bus.subscribe(ModeChanged, partial(_mode_changed, terminal)))


async def _start_watching(terminal: Terminal) -> None:
    """Exits, and conversions that they move along with."""
    terminal.watch = Watch(
        terminal.clock,
        terminal.bus,
        terminal.desk,
        terminal.journal,
        terminal.instruments,
        terminal.hub,
        PlanRepository(terminal.db),
        terminal.market_open,
    )
    terminal.conversions = ConversionDesk(
        terminal.desk, terminal.instruments, terminal.bus, terminal.watch.moves
    )
    terminal.conversions.on_converted = terminal.trade_journal.corrected
    await terminal.watch.start()
    terminal.on_stop(terminal.watch.stop)


async def _start_journal(terminal: Terminal) -> None:
    """The trade journal; it hears the first books of the day, so it is there before them."""
    executions = ExecutionRepository(terminal.db)
    terminal.executions = ExecutionRecorder(
        terminal.clock,
        terminal.bus,
        executions,
        terminal.state.put_later(JOURNAL_SCOPE),
        lambda: terminal.desk.gateway_of(Mode.LIVE).trades(),
        partial(_contract_value, terminal.instruments),
    )
    terminal.trade_journal = TradeJournal(
        terminal.clock,
        terminal.sandbox,
        executions,
        TradeNotes(terminal.db, terminal.clock),
        terminal.instruments,
        terminal.sandbox.charging.table,
        lambda: str(terminal.settings["sandbox.brokerage_plan"]),
        terminal.journal,
    )
    terminal.executions.on_added = terminal.trade_journal.added
    terminal.executions.on_changed = terminal.trade_journal.corrected
    terminal.desk.books.begun = terminal.executions.begin
    terminal.settings.subscribe(partial(_estimate_anew, terminal.trade_journal))
    await terminal.executions.start(await terminal.state.all(JOURNAL_SCOPE))
    terminal.on_stop(terminal.executions.stop)


async def _start_safety(terminal: Terminal) -> None:
    """What stands between a source and the desk: limits, kill switch, approvals, ids."""
    settings = terminal.settings
    terminal.risk_rules = RiskRules(
        terminal.clock,
        terminal.hub,
        terminal.instruments,
        terminal.desk.books,
        settings.__getitem__,
        terminal.market_open,
        terminal.calendar,
    )
    terminal.risk_rules.load(await terminal.state.all("risk"))
    terminal.risk_rules.on_store = partial(_scope_changed, terminal)
    terminal.desk.risk.rules = terminal.risk_rules
    terminal.kill_switch = KillSwitch(terminal.clock, terminal.bus, terminal.desk, terminal.state)
    await terminal.kill_switch.start()
    terminal.requests = RequestMemory(terminal.clock, terminal.state)
    await terminal.requests.start()
    terminal.approvals = Approvals(
        terminal.clock,
        terminal.bus,
        ApprovalRepository(terminal.db),
        terminal.hub,
        sources=lambda: approval_sources(settings),
        expiry=lambda: float(settings["approvals.expiry"]),
        drift=lambda: float(settings["approvals.drift"]),
    )
    terminal.desk.approval = terminal.approvals.check
    guard = ModeGuard(terminal.vault, terminal.lock)
    terminal.desk.mode_guard = guard.check
    terminal.desk.set_bound_guard(guard.check_bound)
    await terminal.approvals.start()
    terminal.on_stop(terminal.approvals.stop)


def _paper_name(terminal: Terminal) -> str:
    """Whose paper account it is; the same before and after a first login."""
    name = terminal.accounts.data
    return terminal.account.status.account_id if name == SIMULATOR else name


def _estimate_anew(journal: TradeJournal, key: str, value: object) -> None:
    if key == "sandbox.brokerage_plan":
        journal.corrected()


def _contract_value(instruments: InstrumentTable, key: Key) -> float:
    row = instruments.get(key)
    return 1.0 if row is None else row.contract_value


def _scope_changed(terminal: Terminal, scope: str, limits: Mapping[str, Any]) -> None:
    """Limits of one account, symbol or strategy: kept, and in the audit trail as a setting."""
    terminal.state.put_later("risk")(scope, limits)
    terminal.bus.publish(SettingChanged(key=f"risk.{scope}", value=limits or "none"))


def _mode_changed(terminal: Terminal, event: ModeChanged) -> None:
    terminal.state.put_later("terminal")("mode", event.mode.value)
    terminal.bus.publish(PositionsChanged(account_id="", mode=event.mode))
