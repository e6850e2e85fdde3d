"""What the paper account is worth now, and the report that its statistics are made of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from openalgo_desktop.core.model import Instrument, Key, Trade
from openalgo_desktop.exchange.ledger import ZERO, decimal, paise
from openalgo_desktop.exchange.state import DayRow, PaperState
from openalgo_desktop.sandbox.statistics import Day, Fill, Report

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


def build_report(
    state: PaperState, today: date, price: Prices, instrument: Callable[[Key], Instrument]
) -> Report:
    """Capital, fills since the last reset, stored day ends and the running day."""
    days = [_stored(row) for row in state.days.values() if row.day != today]
    positions, holdings = open_profit(state, price)
    meta = state.meta
    days.append(
        Day(
            day=today,
            realised=meta.realised_today,
            unrealised=positions + holdings,
            charges=meta.charges_today,
            equity=equity(state, price),
        )
    )
    fills = [_fill(trade, instrument(trade.key)) for trade in state.trades.values()]
    return Report(capital=meta.capital, fills=fills, days=days)


def _stored(row: DayRow) -> Day:
    return Day(
        day=row.day,
        realised=decimal(row.realised),
        unrealised=decimal(row.positions_unrealised) + decimal(row.holdings_unrealised),
        charges=decimal(row.charges),
        equity=decimal(row.equity),
    )


def _fill(trade: Trade, instrument: Instrument) -> Fill:
    return Fill(
        trade_id=trade.trade_id,
        order_id=trade.order_id,
        at=trade.traded_at,
        symbol=trade.symbol,
        exchange=trade.exchange,
        product=trade.product,
        action=trade.action,
        quantity=trade.quantity,
        price=decimal(trade.price),
        charges=decimal(trade.charges),
        multiplier=decimal(instrument.contract_value or 1.0),
        strategy=trade.strategy,
    )
