"""Rows of the model in the shapes of the API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from openalgo_desktop.core.clock import api_timestamp
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.model import Funds, Holding, Instrument, Order, Position, Trade
from openalgo_desktop.core.money import price_text, priced
from openalgo_desktop.core.symbols import format_expiry_dashed
from openalgo_desktop.core.ticks import Bars, Depth, Level, Part, Tick
from openalgo_desktop.trading.origins import Slice

DEPTH_LEVELS = 5


def success(mode: Mode, **fields: Any) -> dict[str, Any]:
    """A successful answer; carries ``mode`` exactly when it was simulated."""
    if mode is Mode.SANDBOX:
        return {"status": "success", "mode": mode.api_text, **fields}
    return {"status": "success", **fields}


def two(value: float) -> float:
    """Rounded to paise; never a negative zero."""
    return round(value, 2) + 0.0


# -- books ----------------------------------------------------------------------------------
class OrderRow(msgspec.Struct, gc=False):
    """A row of the order book. A structure is made and written in a third of the time of a
    dictionary."""

    orderid: str
    symbol: str
    exchange: str
    action: Action
    quantity: int
    price: float
    trigger_price: float
    pricetype: PriceType
    product: Product
    order_status: OrderStatus
    timestamp: str
    average_price: float
    filled_quantity: int
    pending_quantity: int
    rejection_reason: str
    strategy: str
    # Of parts of one order only: the same text in all of them, which part, of how many.
    parent: str | UnsetType = UNSET
    part: int | UnsetType = UNSET
    parts: int | UnsetType = UNSET


def order_row(order: Order, mode: Mode, part: Slice | None = None) -> OrderRow:
    """A row of the order book. A live MARKET order has price 0, a simulated one the last price
    when it was placed. Only a ``part`` of a larger order says which."""
    hide_price = mode is Mode.LIVE and order.price_type is PriceType.MARKET
    row = OrderRow(
        order.order_id,
        order.symbol,
        order.exchange,
        order.action,
        order.quantity,
        0.0 if hide_price else priced(order.price),
        priced(order.trigger_price),
        order.price_type,
        order.product,
        order.status,
        api_timestamp(order.placed_at) if order.placed_at else "",
        priced(order.average_price),
        order.filled_quantity,
        order.pending_quantity,
        order.rejection_reason,
        order.strategy,
    )
    if part is not None:
        row.parent, row.part, row.parts = part.parent, part.part, part.parts
    return row


class OrderCounts:
    """Counts of the order book, part by part."""

    def __init__(self) -> None:
        self._buys = self._all = 0
        self._states: Counter[OrderStatus] = Counter()

    def add(self, orders: Sequence[Order]) -> None:
        """Count these."""
        self._all += len(orders)
        self._buys += sum(order.action is Action.BUY for order in orders)
        self._states.update([order.status for order in orders])

    def row(self, mode: Mode) -> dict[str, int]:
        """As the API tells them."""
        states = self._states
        counts = {
            "total_buy_orders": self._buys,
            "total_sell_orders": self._all - self._buys,
            "total_completed_orders": states[OrderStatus.COMPLETE],
            "total_open_orders": states[OrderStatus.OPEN],
            "total_rejected_orders": states[OrderStatus.REJECTED],
        }
        if mode is Mode.SANDBOX:
            counts["total_trigger_pending_orders"] = states[OrderStatus.TRIGGER_PENDING]
        return counts


class TradeRow(msgspec.Struct, gc=False):
    """A row of the trade book."""

    orderid: str
    symbol: str
    exchange: str
    action: Action
    product: Product
    quantity: int
    average_price: float
    trade_value: float
    timestamp: str


class PaperTradeRow(TradeRow, gc=False):
    """A simulated one says more."""

    tradeid: str
    price: float
    strategy: str


def trade_row(trade: Trade, mode: Mode) -> TradeRow:
    """A row of the trade book."""
    price = priced(trade.price)
    row = (
        trade.order_id,
        trade.symbol,
        trade.exchange,
        trade.action,
        trade.product,
        trade.quantity,
        price,
        two(trade.value),
        api_timestamp(trade.traded_at),
    )
    if mode is Mode.SANDBOX:
        return PaperTradeRow(*row, trade.trade_id, price, trade.strategy)
    return TradeRow(*row)


def position_row(position: Position, mode: Mode) -> dict[str, Any]:
    """A row of the position book. Live average prices are texts, as the recorded broker sends
    them."""
    pnl = two(position.pnl)
    row: dict[str, Any] = {
        "symbol": position.symbol,
        "exchange": position.exchange,
        "product": position.product.value,
        "quantity": position.quantity,
        "ltp": priced(position.ltp),
        "pnl": pnl,
    }
    average = position.average_price if position.quantity else 0.0
    if mode is Mode.LIVE:
        return row | {"average_price": price_text(average)}
    invested = average * abs(position.quantity) * position.multiplier
    return row | {
        "average_price": priced(average),
        "pnlpercent": 100.0 * pnl / invested if invested else 0.0,
        "unrealized_pnl": two(position.unrealised),
        "today_realized_pnl": two(position.realised_today),
        "total_pnl_today": pnl,
        "lot_size": 1.0,
    }


class PositionTotals:
    """Sums of the simulated position book, part by part."""

    def __init__(self) -> None:
        self._unrealised = self._realised = self._pnl = 0.0

    def add(self, positions: Sequence[Position]) -> None:
        """Sum these up."""
        for position in positions:
            self._unrealised += position.unrealised
            self._realised += position.realised_today
            self._pnl += position.pnl

    def row(self) -> dict[str, float]:
        """As the API tells them."""
        total = two(self._pnl)
        return {
            "total_pnl": total,
            "total_unrealized_pnl": two(self._unrealised),
            "total_today_realized_pnl": two(self._realised),
            "total_pnl_today": total,
        }


def holding_row(holding: Holding, mode: Mode) -> dict[str, Any]:
    """A row of the holdings."""
    row: dict[str, Any] = {
        "symbol": holding.symbol,
        "exchange": holding.exchange,
        "product": holding.product.value,
        "quantity": holding.quantity,
        "average_price": priced(holding.average_price),
        "ltp": priced(holding.ltp),
        "pnl": two(holding.pnl),
        "pnlpercent": two(holding.pnl_percent),
    }
    if mode is Mode.SANDBOX:
        settled = holding.settlement_date
        row["current_value"] = two(holding.ltp * holding.quantity)
        row["settlement_date"] = settled.isoformat() if settled else ""
    return row


def holding_statistics(holdings: Iterable[Holding]) -> dict[str, float]:
    """Sums of the holdings."""
    value = invested = 0.0
    for holding in holdings:
        value += (holding.ltp or holding.average_price) * holding.quantity
        invested += holding.average_price * holding.quantity
    return {
        "totalholdingvalue": two(value),
        "totalinvvalue": two(invested),
        "totalprofitandloss": two(value - invested),
        "totalpnlpercentage": two(100.0 * (value - invested) / invested) if invested else 0.0,
    }


def funds_data(funds: Funds, mode: Mode) -> dict[str, Any]:
    """Money: two-decimal texts live, numbers and more fields when simulated."""
    data: dict[str, Any] = {
        "availablecash": funds.available_cash,
        "collateral": funds.collateral,
        "m2mrealized": funds.m2m_realised,
        "m2munrealized": funds.m2m_unrealised,
        "utiliseddebits": funds.utilised,
    }
    if mode is Mode.LIVE:
        return {name: f"{value:.2f}" for name, value in data.items()}
    data = {name: two(value) for name, value in data.items()}
    return data | {
        "grossexposure": two(funds.utilised),
        "total_realized_pnl": two(funds.realised_total),
        "today_realized_pnl": two(funds.m2m_realised),
        "totalpnl": two(funds.realised_total + funds.m2m_unrealised),
        "last_reset": api_timestamp(funds.last_reset) if funds.last_reset else "",
        "reset_count": funds.reset_count,
    }


# -- market data ----------------------------------------------------------------------------
def quote_data(tick: Tick) -> dict[str, Any]:
    """The ``data`` of quotes. What not even the source knows is null, not 0."""
    touch, oi = tick.knows(Part.TOUCH), tick.knows(Part.OI)
    return {
        "ltp": tick.ltp,
        **_day(tick),
        "bid": (tick.bid or 0) if touch else None,
        "ask": (tick.ask or 0) if touch else None,
        "oi": tick.oi if oi else None,
    }


def _day(tick: Tick) -> dict[str, float | int | None]:
    """The day's figures of quotes and depth; null where they are not known."""
    if not tick.knows(Part.DAY):
        return dict.fromkeys(("open", "high", "low", "prev_close", "volume"))
    return {
        "open": tick.open,
        "high": tick.high,
        "low": tick.low,
        "prev_close": tick.close,
        "volume": tick.volume,
    }


def depth_data(tick: Tick) -> dict[str, Any]:
    """The ``data`` of depth: exactly five levels on each side, padded with zeros."""
    book = tick.depth or Depth()
    return {
        "ltp": tick.ltp,
        "ltq": tick.last_quantity,
        **_day(tick),
        "oi": tick.oi if tick.knows(Part.OI) else None,
        "totalbuyqty": tick.total_buy_quantity,
        "totalsellqty": tick.total_sell_quantity,
        "bids": _levels(book.buy),
        "asks": _levels(book.sell),
    }


def _levels(levels: Sequence[Level]) -> list[dict[str, float | int]]:
    rows: list[dict[str, float | int]] = [
        {"price": level.price, "quantity": level.quantity} for level in levels[:DEPTH_LEVELS]
    ]
    rows += [{"price": 0, "quantity": 0} for _ in range(DEPTH_LEVELS - len(rows))]
    return rows


def candle_rows(
    bars: Bars, first: int = 0, last: int | None = None
) -> list[dict[str, float | int]]:
    """The ``data`` of history, ascending; of a part of the candles if wanted."""
    columns = (bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.oi)
    names = ("timestamp", "open", "high", "low", "close", "volume", "oi")
    lists = [column[first:last].tolist() for column in columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*lists, strict=True)]


# -- symbols --------------------------------------------------------------------------------
def instrument_row(row: Instrument) -> dict[str, Any]:
    """A master row. Indices have neither lot nor tick size."""
    index = row.is_index
    return {
        "symbol": row.symbol,
        "brsymbol": row.brsymbol,
        "name": row.name,
        "exchange": row.exchange,
        "brexchange": row.brexchange,
        "token": row.token,
        "expiry": format_expiry_dashed(row.expiry),
        "strike": row.strike,
        "lotsize": 0 if index else row.lot_size,
        "instrumenttype": row.instrument_type,
        "tick_size": 0.0 if index else row.tick_size,
    }


def freeze_quantity(row: Instrument) -> int:
    """Freeze limit in units; 0 where none is known, also where a master writes 1 for that."""
    return row.freeze_qty if row.freeze_qty > 1 else 0
