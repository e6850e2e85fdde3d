"""The tables below a strategy: legs, orders and events."""

from __future__ import annotations

from decimal import Decimal

from openalgo_desktop.core.strategies.rows import LegView, RunEvent, RunOrder
from openalgo_desktop.core.strategies.words import OrderState, Severity
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.names import contract_tip
from openalgo_desktop.ui.kit.tables import Column, RowAction

_ORDERS = {
    OrderState.PENDING: "warning",
    OrderState.OPEN: "warning",
    OrderState.COMPLETE: "up",
    OrderState.CANCELLED: "muted",
    OrderState.REJECTED: "down",
}
_EVENTS = {Severity.INFO: "", Severity.WARN: "warning", Severity.CRITICAL: "down"}


def _tone(value: Decimal | None) -> str:
    return "" if not value else "up" if value > 0 else "down"


def words(value: str) -> str:
    """``exit_overall_sl`` as a trader says it."""
    text = value.replace("_", " ").replace(" sl", " SL")
    return text[:1].upper() + text[1:]


def leg_columns(bridge: Bridge) -> tuple[Column[LegView], ...]:
    """Live state of each leg."""

    def price(row: LegView, value: Decimal | None) -> str:
        if value is None:
            return fmt.MISSING
        return fmt.exact(float(value), bridge.places((row.exchange, row.symbol)))

    def closes(row: LegView) -> tuple[RowAction, ...]:
        return (RowAction("close", "Close", "down"),) if row.units else ()

    return (
        Column("leg", "Leg", 40, lambda r: r.leg_id),
        Column(
            "symbol", "Symbol", 150,
            lambda r: bridge.name((r.exchange, r.symbol)) if r.symbol else fmt.MISSING,
            numeric=False, tip=lambda r: contract_tip((r.exchange, r.symbol)) if r.symbol else "",
            copied=lambda r: r.symbol,
        ),
        Column("state", "State", 76, lambda r: words(r.state), numeric=False),
        Column("units", "Quantity", 76, lambda r: r.units, lambda r: fmt.quantity(r.units),
               tone=lambda r: _tone(Decimal(r.units))),
        Column("entry", "Entry", 80, lambda r: r.entry, lambda r: price(r, r.entry)),
        Column("ltp", "LTP", 80, lambda r: r.ltp, lambda r: price(r, r.ltp), flash=True, live=True),
        Column("stop", "Stop", 80, lambda r: r.stop, lambda r: price(r, r.stop)),
        Column("target", "Target", 80, lambda r: r.target, lambda r: price(r, r.target)),
        Column("pnl", "P&L", 90, lambda r: r.pnl,
               lambda r: fmt.MISSING if r.pnl is None else fmt.signed_money(float(r.pnl)),
               tone=lambda r: _tone(r.pnl)),
        Column("action", "", 60, lambda r: bool(r.units), numeric=False, actions=closes),
        Column("message", "Note", 240, lambda r: r.message, numeric=False, elides=True),
    )  # fmt: skip


def order_columns(bridge: Bridge) -> tuple[Column[RunOrder], ...]:
    """Orders of the runs, newest first."""
    return (
        Column("at", "Time", 140, lambda r: r.placed_at, lambda r: fmt.date_time_text(r.placed_at),
               numeric=False),
        Column("run", "Run", 46, lambda r: r.run_id),
        Column("leg", "Leg", 40, lambda r: r.leg_id),
        Column("kind", "For", 120, lambda r: words(r.kind), numeric=False),
        Column("symbol", "Symbol", 150, lambda r: bridge.name((r.exchange, r.symbol)),
               numeric=False, tip=lambda r: contract_tip((r.exchange, r.symbol)),
               copied=lambda r: r.symbol),
        Column("action", "Side", 50, lambda r: r.action.value, numeric=False,
               tone=lambda r: "up" if r.action.sign > 0 else "down"),
        Column("quantity", "Quantity", 80, lambda r: r.quantity,
               lambda r: f"{fmt.quantity(r.filled)} / {fmt.quantity(r.quantity)}"),
        Column("average", "Average", 80, lambda r: r.average_price or None,
               lambda r: fmt.exact(r.average_price) if r.average_price else fmt.MISSING),
        Column("status", "State", 90, lambda r: words(r.status), numeric=False,
               tone=lambda r: _ORDERS[r.status]),
        Column("id", "Order", 130, lambda r: r.broker_order_id or fmt.MISSING, numeric=False),
        Column("reason", "Reason", 240, lambda r: r.reject_reason, numeric=False, elides=True),
    )  # fmt: skip


def event_columns(bridge: Bridge) -> tuple[Column[RunEvent], ...]:
    """What happened, newest first."""
    return (
        Column("at", "Time", 140, lambda r: r.at, lambda r: fmt.date_time_text(r.at),
               numeric=False),
        Column("run", "Run", 46, lambda r: r.run_id),
        Column("leg", "Leg", 40, lambda r: r.leg_id),
        Column("kind", "Event", 170, lambda r: words(r.kind), numeric=False,
               tone=lambda r: _EVENTS[r.severity]),
        Column("message", "What", 420, lambda r: bridge.names.spoken(bridge.clean(r.message)),
               numeric=False, elides=True),
    )  # fmt: skip
