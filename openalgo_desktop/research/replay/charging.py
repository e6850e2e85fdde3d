"""Charges of practice trades, by the same table as those of the sandbox."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.model import Instrument, Trade
from openalgo_desktop.exchange.charges import ChargeDay, ChargeTable, Fill
from openalgo_desktop.exchange.ledger import decimal, paise


class PracticeCharges:
    """A ``Charger``: rupees of each trade, counted into its IST day. The rounding of STT at the
    end of a day is left out: at most half a rupee a day."""

    def __init__(self, table: ChargeTable, plan_id: str) -> None:
        """Raises :class:`ConfigError` for an unknown plan."""
        table.plan(plan_id)
        self._table, self._plan = table, plan_id
        self._day: date | None = None
        self._state = ChargeDay(table, plan_id)

    def __call__(self, trade: Trade, instrument: Instrument) -> Decimal:
        day = trade.traded_at.astimezone(IST).date()
        if day != self._day:
            self._day, self._state = day, ChargeDay(self._table, self._plan)
        price = decimal(trade.price)
        fill = Fill.of(
            instrument, trade.product, trade.action, trade.quantity, price, day, trade.order_id
        )
        return paise(self._state.add(fill).total)

    def fresh(self) -> PracticeCharges:
        """The same rates for an account that begins anew."""
        return PracticeCharges(self._table, self._plan)
