"""What a replay came to: the figures of the practice account's round trips."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from openalgo_desktop.analytics.round_trips import round_trips
from openalgo_desktop.analytics.trade_statistics import figures
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.model import Instrument, Key, Trade
from openalgo_desktop.core.trade_journal import Execution, RoundTrip, TradeFigures
from openalgo_desktop.exchange.ledger import decimal


def trips_of(
    trades: Iterable[Trade], instrument: Callable[[Key], Instrument], today: date
) -> list[RoundTrip]:
    """Round trips, oldest first. They are no rows of the trade journal and nothing stores them."""
    return round_trips((_execution(trade, instrument(trade.key)) for trade in trades), today)


def report_of(
    trades: Iterable[Trade], instrument: Callable[[Key], Instrument], today: date
) -> TradeFigures:
    """Their figures, net of charges, rupees."""
    return figures(trips_of(trades, instrument, today))


def _execution(trade: Trade, row: Instrument) -> Execution:
    # Not live; a journal knows no third mode.
    multiplier = decimal(row.contract_value or 1.0)
    return Execution.of(trade, trade.account_id, Mode.SANDBOX, multiplier)
