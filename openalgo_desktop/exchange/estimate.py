"""What an order would cost before it trades: charges, and the price at which they are earned. Pure.

Each order is taken as the first of its day and as filled in one piece. With the caps of brokerage
and the depository fee per scrip the day's real note can only be lower.
"""

from __future__ import annotations

from datetime import date

from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.money import nearest_ticks
from openalgo_desktop.exchange.charges import ChargeDay, ChargeTable, Fill
from openalgo_desktop.exchange.ledger import decimal, paise

#: Charges grow with the price by far less than one: a few steps find the price to a paisa.
_STEPS = 8
#: It is found when a step moves it by less, rupees.
_NEAR = 0.001


class Estimator:
    """Charges of one brokerage plan."""

    def __init__(self, table: ChargeTable, plan_id: str) -> None:
        """Raises :class:`ConfigError` for an unknown plan."""
        table.plan(plan_id)
        self._table, self._plan = table, plan_id

    def charges(
        self,
        row: Instrument,
        product: Product,
        action: Action,
        quantity: int,
        price: float,
        day: date,
    ) -> float:
        """Rupees, to the paisa, of a trade of ``quantity`` units at ``price``, on the IST day."""
        fill = Fill.of(row, product, action, quantity, decimal(price), day)
        return float(paise(ChargeDay(self._table, self._plan).add(fill).total))

    def break_even(
        self,
        row: Instrument,
        product: Product,
        action: Action,
        quantity: int,
        price: float,
        day: date,
    ) -> float:
        """The price on the tick at which leaving what was entered at ``price`` pays the charges of
        both ways: above it for a BUY, below it (not below one tick) for a SELL."""
        sign = action.sign
        units = quantity * (row.contract_value or 1.0)
        entry = self.charges(row, product, action, quantity, price, day)
        leave = price
        for _ in range(_STEPS):
            way_out = self.charges(row, product, action.opposite, quantity, leave, day)
            before, leave = leave, max(0.0, price + sign * (entry + way_out) / units)
            if abs(leave - before) < _NEAR:
                break
        tick = row.tick_size or 0.01
        below, above = nearest_ticks(round(leave, 6), tick)
        return above if sign > 0 else max(below, tick)
