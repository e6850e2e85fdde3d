"""The question before a program may go live: its sandbox record, and what a yes means."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtWidgets import QWidget

from openalgo_desktop.core.strategies.hosted import Promotion, TradeRecord
from openalgo_desktop.ui.kit import format as fmt
from openalgo_desktop.ui.kit.confirm import confirm

NO_RECORD = "It has not traded in the sandbox yet: nobody knows what it will do."


def record_lines(record: TradeRecord) -> list[str]:
    """The record, a line each; what is unknown says so."""

    def money(value: Decimal | None) -> str:
        return "unknown" if value is None else fmt.signed_money(float(value))

    if not record.orders:
        return [NO_RECORD]
    days = f"{record.first_day} to {record.last_day}" if record.first_day else ""
    return [
        f"Days  {record.days}  {days}".rstrip(),
        f"Orders  {fmt.quantity(record.orders)}",
        f"Trades  {fmt.quantity(record.trades)}",
        f"Net P&L after charges  {money(record.net_pnl)}",
        f"Largest drawdown  {money(record.drawdown)}",
        f"Charges  {money(record.charges)}",
    ]


async def ask_promotion(parent: QWidget, seen: Promotion) -> bool:
    """Whether the content that was looked at may go live."""
    text = (
        "Its record in the sandbox is below. Promoted, it may be started with real money, here and "
        "by its schedule, until its files change."
    )
    if seen.again:
        text = "Its files are others than those that were promoted before. " + text
    return await confirm(
        parent,
        f"Promote {seen.name} to live?",
        text,
        "Promote to LIVE",
        record_lines(seen.record),
        danger=True,
    )
