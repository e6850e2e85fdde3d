"""What the paper account is worth now, and its statistics so far."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from openalgo_desktop.core.model import Key
from openalgo_desktop.exchange.ledger import ZERO, Ledger, decimal, paise
from openalgo_desktop.exchange.state import DayRow, PaperState
from openalgo_desktop.sandbox.statistics import Day, Summary, Tally, summarise

#: The last price of an instrument, or the given mark where none is known.
Prices = Callable[[Key, float], float]


def open_profit(state: PaperState, price: Prices) -> tuple[Decimal, Decimal]:
    """Open profit of positions and of holdings, rupees. Shares sold but not delivered yet have
    none: their profit was booked at the sale."""
    positions = sum(
        (row.unrealised(price(row.key, row.mark)) for row in state.positions.values()), ZERO
    )
    holdings = ZERO
    for key, row in state.holdings.items():
        sale = state.positions.get((*key, "CNC"))
        sold = sale if sale is not None and sale.from_holdings else None
        quantity = row.quantity + (sold.quantity if sold is not None else 0)
        cost = row.cost - (sold.delivered if sold is not None else ZERO)
        last = price(key, row.mark)
        if last:
            holdings += decimal(last) * quantity - cost
    return positions, paise(holdings)


def equity(state: PaperState, price: Prices) -> Decimal:
    """Everything at market: money free and reserved, shares held, open profit; rupees."""
    cost = sum((row.cost for row in state.holdings.values()), ZERO)
    ledger = state.ledger
    return ledger.cash + ledger.reserved + cost + sum(open_profit(state, price), ZERO)


class Reporter:
    """Works the statistics out; keeps the sums, so that each look costs only what is new."""

    def __init__(self) -> None:
        self._ledger: Ledger | None = None
        self._seen = 0
        self._tally = Tally()

    def summary(self, state: PaperState, today: date, price: Prices) -> Summary:
        """Statistics since the last manual reset: stored day ends and the running day."""
        tally = self._up_to_date(state.ledger)
        days = [_stored(row, tally) for row in state.days.values() if row.day != today]
        meta = state.meta
        running = Day(
            day=today,
            realised=meta.realised_today,
            unrealised=sum(open_profit(state, price), ZERO),
            charges=meta.charges_today,
            equity=equity(state, price),
            capital=tally.capital_on(today),
        )
        return summarise(tally, [*days, running], meta.capital, len(state.trades))

    def _up_to_date(self, ledger: Ledger) -> Tally:
        if ledger is not self._ledger:  # the account was loaded or reset
            self._ledger, self._seen, self._tally = ledger, 0, Tally()
        for entry in ledger.results[self._seen :]:
            self._tally.add(entry)
        self._seen = len(ledger.results)
        return self._tally


def _stored(row: DayRow, tally: Tally) -> Day:
    return Day(
        day=row.day,
        realised=decimal(row.realised),
        unrealised=decimal(row.positions_unrealised) + decimal(row.holdings_unrealised),
        charges=decimal(row.charges),
        equity=decimal(row.equity),
        capital=tally.capital_on(row.day),
    )
