"""What is stored of made strategies and their runs. Times are aware; money Decimals in rupees."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.strategies.model import ZERO, Definition
from openalgo_desktop.core.strategies.words import (
    EventKind,
    OrderKind,
    OrderState,
    RunStatus,
    Severity,
    StopReason,
    TriggerSource,
)


class MadeStrategy(msgspec.Struct, frozen=True, kw_only=True):
    """A stored strategy. The webhook token is stored as its SHA-256 only (not here). It may trade
    live in ``live_account`` and in no other."""

    strategy_id: int
    definition: Definition
    live_enabled: bool = False
    live_account: str = ""
    webhook_locked: bool = False
    has_webhook: bool = False
    status: RunStatus = RunStatus.STOPPED
    current_run_id: int | None = None
    last_finalized_run: int | None = None
    created_at: datetime
    updated_at: datetime


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One activation of a strategy with a fixed mode and account. ``expiries`` are the resolved
    ones, by leg id. ``charges`` are what its fills cost; the pnl fields are gross."""

    run_id: int
    strategy_id: int
    mode: Mode
    account_id: str
    broker: str
    started_at: datetime
    stopped_at: datetime | None = None
    stop_reason: StopReason | None = None
    stop_requested_at: datetime | None = None
    stop_requested_reason: StopReason | None = None
    pnl_realized: Decimal = ZERO
    pnl_peak: Decimal = ZERO
    pnl_trough: Decimal = ZERO
    charges: Decimal = ZERO
    trigger_source: TriggerSource = TriggerSource.MANUAL
    webhook_event_id: int | None = None
    expiries: Mapping[int, date] = {}


class RunOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order of a run: written before it is sent. ``position_ref`` is the position that it
    opens or closes: a flip has two under one leg."""

    row_id: int
    run_id: int
    leg_id: int
    kind: OrderKind
    position_ref: str
    broker_order_id: str
    symbol: str
    exchange: str
    action: Action
    quantity: int
    product: Product
    status: OrderState
    placed_at: datetime
    filled_at: datetime | None = None
    average_price: float = 0.0
    filled: int = 0
    reject_reason: str = ""


class RunEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened."""

    event_id: int
    strategy_id: int
    run_id: int | None
    at: datetime
    kind: EventKind
    severity: Severity = Severity.INFO
    leg_id: int | None = None
    message: str = ""
    payload: Mapping[str, Any] = {}


class LegView(msgspec.Struct, frozen=True, kw_only=True):
    """Live state of one leg of a run, for a screen; None is unknown. ``state`` is waiting,
    entering, open, exiting or closed; ``units`` signed."""

    leg_id: int
    state: str
    symbol: str = ""
    exchange: str = ""
    units: int = 0
    entry: Decimal | None = None
    ltp: Decimal | None = None
    stop: Decimal | None = None
    target: Decimal | None = None
    best: Decimal | None = None
    pnl: Decimal | None = None
    message: str = ""


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """Live state of a run, for a screen. ``result`` is what the rules look at (net of charges where
    the strategy says so)."""

    run: Run
    legs: tuple[LegView, ...] = ()
    realised: Decimal = ZERO
    unrealised: Decimal | None = None
    charges: Decimal = ZERO
    result: Decimal | None = None
    floor: Decimal | None = None  # of the locked profit
    prices: str = ""  # stream, polling, stale


class LegAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one leg of a start or an exit."""

    leg_id: int
    ok: bool
    acknowledged: bool = True
    symbol: str = ""
    order_id: str = ""
    position_ref: str = ""
    exit_owner: str = ""
    error: str = ""


class StartAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A started run."""

    run_id: int
    mode: Mode
    legs: tuple[LegAnswer, ...]


class StopAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A run whose exits were sent; ``pending`` while they have not filled."""

    run_id: int
    pending: bool
    exits: tuple[LegAnswer, ...]
    run_stopped: bool = False
    leg_id: int | None = None


class SignalAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a signal did: ``result`` is ok, or the word why nothing changed (already_long,
    already_short, no_matching_position, outside_entry_window, outside_trading_window)."""

    result: str
    run_id: int | None = None
    message: str = ""
