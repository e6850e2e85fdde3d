"""Charges of the sandbox: which rates and plan apply, trade by trade, from the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.model import Instrument, Key, Trade
from openalgo_desktop.exchange.charges import NO_CHARGES, ChargeDay, Charges, ChargeTable, Fill
from openalgo_desktop.exchange.estimate import Estimator
from openalgo_desktop.exchange.ledger import ZERO, decimal, paise


class Charging:
    """Gives the charges of each trade (a ``Charger``) and the correction at the end of the day.

    ``setting`` reads ``sandbox.charges`` and ``sandbox.brokerage_plan`` anew for each trade; a
    day keeps the plan of its first trade. After a restart :meth:`resume` takes the trades of the
    running day, because brokerage and depository fees depend on what came before.
    """

    def __init__(self, table: ChargeTable, setting: Callable[[str], Any]) -> None:
        self._table = table
        self._setting = setting
        self._day: date | None = None
        self._state: ChargeDay | None = None

    @property
    def table(self) -> ChargeTable:
        """All rates and plans."""
        return self._table

    @property
    def enabled(self) -> bool:
        """Whether the settings ask for charges."""
        return bool(self._setting("sandbox.charges"))

    @property
    def estimator(self) -> Estimator:
        """What orders would cost by the plan in force, charged or not."""
        return Estimator(self._table, self._setting("sandbox.brokerage_plan"))

    def __call__(self, trade: Trade, instrument: Instrument) -> Decimal:
        """Rupees that the trade costs, rounded to the paisa."""
        return paise(self.lines(trade, instrument).total)

    def lines(self, trade: Trade, instrument: Instrument) -> Charges:
        """The lines of what the trade costs; counts it into its day."""
        if not self.enabled:
            return NO_CHARGES
        day = trade.traded_at.astimezone(IST).date()
        if self._state is None or day != self._day:
            self._state = ChargeDay(self._table, self._setting("sandbox.brokerage_plan"))
            self._day = day
        fill = Fill.of(
            instrument,
            trade.product,
            trade.action,
            trade.quantity,
            decimal(trade.price),
            day,
            trade.order_id,
        )
        return self._state.add(fill)

    def resume(self, trades: Iterable[Trade], instrument: Callable[[Key], Instrument]) -> None:
        """Start from the trades of the running day, oldest first; those that were not charged
        (the setting was off) do not count."""
        self._state = None
        for trade in trades:
            if trade.charges:
                self.lines(trade, instrument(trade.key))

    def exercise(
        self, instrument: Instrument, quantity: int, settled_at: Decimal, day: date
    ) -> Decimal:
        """Rupees of STT that the holder of an option pays when it expires with a value; the
        settlement price stands for the intrinsic value."""
        if not self.enabled or quantity <= 0 or not instrument.is_option:
            return ZERO
        return paise(self._table.exercise(instrument, quantity, settled_at, day).total)

    def close_day(self) -> Decimal:
        """End the day: rupees that rounding STT to the rupee adds (negative: takes)."""
        state, self._state = self._state, None
        return paise(state.close().total) if state is not None else ZERO
