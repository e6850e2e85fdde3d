"""Charges that belong to no trade, posted to the ledger of the paper account."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from openalgo_desktop.exchange.ledger import EntryKind
from openalgo_desktop.exchange.paper import PaperBook
from openalgo_desktop.exchange.records import PaperPosition
from openalgo_desktop.sandbox.charging import Charging
from openalgo_desktop.sandbox.portfolio import complete


class ChargePosts:
    """Posts what :class:`Charging` works out at the end of a day and at an exercise."""

    def __init__(self, book: PaperBook, charging: Charging) -> None:
        self._book = book
        self._charging = charging

    def resume(self, now: datetime) -> None:
        """Go on after a restart with what the trades of today have paid."""
        trades = self._book.state.trades.values()
        today = [trade for trade in trades if trade.traded_at.date() == now.date()]
        self._charging.resume(today, self._book.instrument)

    def end_day(self, now: datetime) -> None:
        """Post what rounding per contract note adds at the end of a day."""
        self._post(self._charging.close_day(), now, "contract note")

    def exercise(self, position: PaperPosition, price: Decimal, at: datetime) -> None:
        """Post the tax on a bought option that expires with a value; before it is settled."""
        instrument = complete(self._book.instrument(position.key))
        amount = self._charging.exercise(instrument, position.quantity, price, at.date())
        self._post(amount, at, "|".join(position.position_key))

    def _post(self, amount: Decimal, at: datetime, ref: str) -> None:
        if not amount:
            return
        state = self._book.state
        state.ledger.post(at, EntryKind.CHARGE, -amount, ref=ref)
        state.meta.charges += amount
        state.meta.charges_today += amount
        state.mark_meta()
