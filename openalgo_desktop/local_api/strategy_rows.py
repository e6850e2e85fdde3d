"""Rows of the ``strategy/*`` endpoints: the names that clients know. What only our strategies have
stands under ``extended`` of a row, so that the row itself has the known fields and no others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from openalgo_desktop.core.strategies.model import (
    BatchLeg,
    Definition,
    Distance,
    DistanceUnit,
    Leg,
    LockProfit,
    QuantityMode,
    Segment,
    SignalLeg,
    StrikeMode,
)
from openalgo_desktop.core.strategies.rows import (
    LegAnswer,
    MadeStrategy,
    Run,
    RunEvent,
    RunOrder,
)

_MARKET = "MARKET"


def strategy_row(made: MadeStrategy, last: Run | None, *, legs: bool) -> dict[str, Any]:
    """A strategy; ``last`` is its last run that is over. Lists leave the legs out."""
    given = made.definition
    row: dict[str, Any] = {
        "id": made.strategy_id,
        "name": given.name,
        "strategy_kind": given.kind.value,
        "direction": given.direction,
        "universe_tab": given.universe_tab or None,
        "underlying": given.underlying or None,
        "underlying_exchange": given.underlying_exchange or None,
        "strategy_type": "intraday" if given.intraday else "positional",
        "entry_time": given.entry_time,
        "exit_time": given.exit_time,
        "product": given.product.value,
        "pricetype": _MARKET,
        "overall_sl_mtm": _money(given.overall_sl),
        "overall_target_mtm": _money(given.overall_target),
        "lock_profit": _lock(given.lock_profit),
        "trail_sl_to_entry": given.trail_sl_to_entry,
        "scheduler": _scheduler(given),
        "live_enabled": made.live_enabled,
        "webhook_locked": made.webhook_locked,
        "webhook_ip_allowlist": list(given.webhook_ip_allowlist),
        "daily_loss_limit_inr": _money(given.daily_loss_limit),
        "status": made.status.value,
        "current_run_id": made.current_run_id,
        "last_finalized_run": None if last is None else run_row(last),
        "created_at": _moment(made.created_at),
        "updated_at": _moment(made.updated_at),
        "extended": {
            "square_off": given.square_off.value,
            "net_of_charges": given.net_of_charges,
            "overall_reentries": given.overall_reentries,
            "no_reentry_after": given.no_reentry_after or None,
            "range_breakout": _plain(given.range_breakout),
            "expiry_days": list(given.scheduler.expiry_days),
            "has_webhook": made.has_webhook,
            "notes": given.notes,
        },
    }
    if legs:
        row["legs"] = [leg_row(leg) for leg in given.legs]
    return row


def leg_row(leg: Leg) -> dict[str, Any]:
    """A leg. Distances that are no points have None where clients expect points, and stand with
    their unit under ``extended``."""
    match leg:
        case BatchLeg():
            row = _batch(leg)
        case SignalLeg():
            row = _signal(leg)
    rules = leg.rules
    trail = rules.trail
    in_points = trail is not None and trail.unit is DistanceUnit.POINTS
    row |= {
        "sl_pts": _points(rules.sl),
        "target_pts": _points(rules.target),
        "trail": {"x": _money(trail.x), "y": _money(trail.y)} if trail and in_points else None,
    }
    row["extended"] |= {
        "sl": _plain(rules.sl),
        "target": _plain(rules.target),
        "trail": _plain(trail),
        "after_sl": _plain(rules.after_sl),
        "after_target": _plain(rules.after_target),
    }
    return row


def _batch(leg: BatchLeg) -> dict[str, Any]:
    option = leg.segment is Segment.OPTIONS
    lots = leg.quantity_mode is QuantityMode.LOTS
    return {
        "id": leg.leg_id,
        "segment": leg.segment.value,
        "position": leg.position,
        "lots": leg.quantity if lots else None,
        "option_type": leg.option_type or None,
        "strike_mode": leg.strike_mode.value if option else None,
        "atm_offset": leg.atm_offset if option and leg.strike_mode is StrikeMode.ATM else None,
        "strike": _money(leg.strike) if option and leg.strike_mode is StrikeMode.STRIKE else None,
        "expiry": None if leg.segment is Segment.CASH else leg.expiry.value,
        "extended": {
            "quantity": leg.quantity,
            "quantity_mode": leg.quantity_mode.value,
            "value": _money(leg.value),
            "upper": _money(leg.upper),
            "momentum": _plain(leg.momentum),
        },
    }


def _signal(leg: SignalLeg) -> dict[str, Any]:
    return {
        "id": leg.leg_id,
        "symbol": leg.symbol,
        "exchange": leg.exchange,
        "side": leg.side,
        "qty": leg.quantity,
        "segment": leg.segment.value,
        "expiry": leg.expiry.value if leg.segment is Segment.FUTURES else None,
        "extended": {},
    }


def run_row(run: Run) -> dict[str, Any]:
    """A run; its results are gross, as clients know them."""
    return {
        "id": run.run_id,
        "strategy_id": run.strategy_id,
        "mode": run.mode.value,
        "broker": run.broker,
        "started_at": _moment(run.started_at),
        "stopped_at": _moment(run.stopped_at),
        "stop_reason": _word(run.stop_reason),
        "stop_requested_at": _moment(run.stop_requested_at),
        "stop_requested_reason": _word(run.stop_requested_reason),
        "pnl_realized": _money(run.pnl_realized),
        "pnl_peak": _money(run.pnl_peak),
        "pnl_trough": _money(run.pnl_trough),
        "trigger_source": run.trigger_source.value,
        "webhook_event_id": run.webhook_event_id,
        "resolved_expiries": {str(leg): day.isoformat() for leg, day in run.expiries.items()},
        "extended": {"account_id": run.account_id, "charges": _money(run.charges)},
    }


def order_row(order: RunOrder) -> dict[str, Any]:
    """An order of a run: always at market. ``filled_qty`` above 0 counts in every status."""
    return {
        "id": order.row_id,
        "run_id": order.run_id,
        "leg_id": order.leg_id,
        "kind": order.kind.value,
        "position_ref": order.position_ref,
        "broker_order_id": order.broker_order_id or None,
        "symbol": order.symbol,
        "exchange": order.exchange,
        "action": order.action.value,
        "qty": order.quantity,
        "product": order.product.value,
        "pricetype": _MARKET,
        "price": 0.0,
        "trigger_price": 0.0,
        "status": order.status.value,
        "placed_at": _moment(order.placed_at),
        "filled_at": _moment(order.filled_at),
        "avg_fill_price": order.average_price if order.filled else None,
        "filled_qty": order.filled,
        "reject_reason": order.reject_reason or None,
    }


def event_row(event: RunEvent) -> dict[str, Any]:
    """An event."""
    return {
        "id": event.event_id,
        "run_id": event.run_id,
        "strategy_id": event.strategy_id,
        "ts": _moment(event.at),
        "kind": event.kind.value,
        "severity": event.severity.value,
        "leg_id": event.leg_id,
        "message": event.message,
        "payload": _plain(dict(event.payload)) or None,
    }


def entry_rows(legs: Iterable[LegAnswer]) -> list[dict[str, Any]]:
    """What became of the legs of a start. ``acknowledged`` false beside ``ok``: a real order whose
    id could not be stored."""
    return [
        {
            "leg_id": leg.leg_id,
            "ok": leg.ok,
            **({"acknowledged": leg.acknowledged} if leg.ok else {}),
            "symbol": leg.symbol or None,
            "broker_order_id": leg.order_id or None,
            "error": leg.error or None,
        }
        for leg in legs
    ]


def exit_rows(legs: Iterable[LegAnswer]) -> list[dict[str, Any]]:
    """What became of the exits of a stop."""
    return [
        {
            "leg_id": leg.leg_id,
            "ok": leg.ok,
            "position_ref": leg.position_ref or None,
            "exit_owner": leg.exit_owner or None,
            "error": leg.error or None,
        }
        for leg in legs
    ]


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _money(value: Decimal | None) -> float | None:
    return None if value is None else float(value) + 0.0


def _word(value: object) -> str | None:
    return None if value is None else str(value)


def _points(distance: Distance | None) -> float | None:
    if distance is None or distance.unit is not DistanceUnit.POINTS:
        return None
    return _money(distance.value)


def _lock(lock: LockProfit | None) -> dict[str, Any] | None:
    if lock is None:
        return None
    return {
        "mode": lock.mode.value,
        "if_profit_reaches": _money(lock.if_profit_reaches),
        "lock_profit": _money(lock.lock_profit),
        "trail_step": _money(lock.trail_step) if lock.trail_step else None,
    }


def _scheduler(given: Definition) -> dict[str, Any]:
    plan = given.scheduler
    return {
        "enabled": plan.enabled,
        "days": list(plan.days),
        "start_time": plan.start_time,
        "auto_stop_time": plan.auto_stop_time,
        "default_mode": plan.default_mode,
    }


def _plain(value: Any) -> Any:
    """Of structures and Decimals: what JSON has, numbers as numbers."""
    if isinstance(value, Decimal):
        return _money(value)
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, msgspec.Struct):
        return _plain(msgspec.structs.asdict(value))
    if isinstance(value, datetime):
        return _moment(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)
