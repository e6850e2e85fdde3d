"""The uniform form of the recordings: requests out of it, results into it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from openalgo_desktop.core.clock import api_timestamp
from openalgo_desktop.core.enums import Action, GttType, PriceType, Product
from openalgo_desktop.core.gtt import Gtt, GttRequest
from openalgo_desktop.core.model import (
    Holding,
    Instrument,
    ModifyRequest,
    Order,
    OrderRequest,
    Position,
    Trade,
)
from openalgo_desktop.core.symbols import parse_expiry
from openalgo_desktop.core.ticks import Bars, Tick


def instrument(row: dict[str, Any]) -> Instrument:
    """A symbol row of the recordings."""
    return Instrument(
        symbol=row["symbol"],
        exchange=row["exchange"],
        name=row.get("name") or "",
        instrument_type=row.get("instrumenttype") or "EQ",
        lot_size=int(row.get("lotsize") or 1),
        tick_size=float(row.get("tick_size") or 0.05),
        expiry=parse_expiry(row["expiry"]) if row.get("expiry") else None,
        strike=float(row.get("strike") or 0),
        token=str(row.get("token") or ""),
        brsymbol=row.get("brsymbol") or "",
        brexchange=row.get("brexchange") or "",
        contract_value=float(row.get("contract_value") or 1),
    )


# -- requests in unified vocabulary ---------------------------------------------------------
def order_request(given: dict[str, Any]) -> OrderRequest:
    """The unified order of an input."""
    return OrderRequest(
        symbol=given["symbol"],
        exchange=given["exchange"],
        action=Action(given["action"]),
        quantity=int(given["quantity"]),
        price_type=PriceType(given.get("pricetype", "MARKET")),
        product=Product(given.get("product", "MIS")),
        price=float(given.get("price") or 0),
        trigger_price=float(given.get("trigger_price") or 0),
        disclosed_quantity=int(given.get("disclosed_quantity") or 0),
        strategy=str(given.get("strategy", "")),
    )


def modify_request(given: dict[str, Any]) -> ModifyRequest:
    """The unified modification of an input."""

    def of(name: str, kind: Callable[[Any], Any]) -> Any:
        return kind(given[name]) if given.get(name) is not None else None

    return ModifyRequest(
        order_id=str(given["orderid"]),
        quantity=of("quantity", int),
        price=of("price", float),
        trigger_price=of("trigger_price", float),
        price_type=of("pricetype", PriceType),
        disclosed_quantity=of("disclosed_quantity", int),
        symbol=given.get("symbol"),
        exchange=given.get("exchange"),
        action=of("action", Action),
        product=of("product", Product),
    )


def gtt_request(given: dict[str, Any]) -> GttRequest:
    """The unified trigger of an input."""
    kind = GttType(given["trigger_type"])
    single = float(given.get("trigger_price") or 0)
    last = float(given.get("last_price") or 0)
    falls = single <= last if last else True
    return GttRequest(
        trigger_type=kind,
        symbol=given["symbol"],
        exchange=given["exchange"],
        action=Action(given["action"]),
        quantity=int(given["quantity"]),
        product=Product(given["product"]),
        price_type=PriceType(given["pricetype"]),
        price=float(given.get("price") or 0),
        trigger_below=float(given.get("triggerprice_sl") or 0) or (single if falls else 0.0),
        trigger_above=float(given.get("triggerprice_tg") or 0) or (0.0 if falls else single),
        stoploss=float(given.get("stoploss") or 0),
        target=float(given.get("target") or 0),
        last_price=last,
    )


# -- results in uniform form ----------------------------------------------------------------
def _time(moment: datetime | None) -> str:
    return api_timestamp(moment) if moment else ""


def order_row(order: Order) -> dict[str, Any]:
    """A row of the order book, or an order update."""
    return {
        "symbol": order.symbol,
        "exchange": str(order.exchange),
        "action": str(order.action),
        "quantity": order.quantity,
        "price": order.price,
        "trigger_price": order.trigger_price,
        "pricetype": str(order.price_type),
        "product": str(order.product),
        "orderid": order.order_id,
        "order_status": str(order.status),
        "timestamp": _time(order.placed_at),
        "filled_quantity": order.filled_quantity,
        "pending_quantity": order.pending_quantity,
        "average_price": order.average_price,
        "rejection_reason": order.rejection_reason,
    }


def trade_row(trade: Trade) -> dict[str, Any]:
    """A row of the trade book."""
    return {
        "symbol": trade.symbol,
        "exchange": str(trade.exchange),
        "product": str(trade.product),
        "action": str(trade.action),
        "quantity": trade.quantity,
        "average_price": trade.price,
        "trade_value": trade.value,
        "orderid": trade.order_id,
        "tradeid": trade.trade_id,
        "timestamp": _time(trade.traded_at),
    }


def position_row(position: Position) -> dict[str, Any]:
    """A row of the position book."""
    return {
        "symbol": position.symbol,
        "exchange": str(position.exchange),
        "product": str(position.product),
        "quantity": position.quantity,
        "average_price": position.average_price,
        "ltp": position.ltp,
        "pnl": position.pnl,
    }


def holding_row(holding: Holding) -> dict[str, Any]:
    """A row of the holdings."""
    return {
        "symbol": holding.symbol,
        "exchange": str(holding.exchange),
        "quantity": holding.quantity,
        "product": str(holding.product),
        "average_price": holding.average_price,
        "ltp": holding.ltp,
        "pnl": holding.pnl,
        "pnlpercent": holding.pnl_percent,
    }


def quote(tick: Tick) -> dict[str, Any]:
    """A quote."""
    return {
        "bid": tick.bid,
        "ask": tick.ask,
        "bid_quantity": tick.bid_quantity,
        "ask_quantity": tick.ask_quantity,
        "open": tick.open,
        "high": tick.high,
        "low": tick.low,
        "ltp": tick.ltp,
        "prev_close": tick.close,
        "volume": tick.volume,
        "oi": tick.oi,
    }


def depth(tick: Tick) -> dict[str, Any]:
    """A quote with the visible book."""
    assert tick.depth is not None

    def side(levels: Any) -> list[dict[str, Any]]:
        return [msgspec.structs.asdict(level) for level in levels]

    return quote(tick) | {
        "bids": side(tick.depth.buy),
        "asks": side(tick.depth.sell),
        "ltq": tick.last_quantity,
        "totalbuyqty": tick.total_buy_quantity,
        "totalsellqty": tick.total_sell_quantity,
    }


def candle_rows(bars: Bars) -> list[list[float]]:
    """Candles as rows."""
    columns = (bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.oi)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def gtt_row(gtt: Gtt) -> dict[str, Any]:
    """A row of the trigger book."""
    return {
        "trigger_id": gtt.trigger_id,
        "trigger_type": gtt.trigger_type.book_text,
        "status": str(gtt.status),
        "symbol": gtt.symbol,
        "exchange": str(gtt.exchange),
        "trigger_prices": [leg.trigger_price for leg in gtt.legs],
        "last_price": gtt.last_price,
        "legs": [
            {
                "action": str(gtt.action),
                "quantity": gtt.quantity,
                "price": leg.price,
                "pricetype": str(gtt.price_type),
                "product": str(gtt.product),
            }
            for leg in gtt.legs
        ],
        "created_at": _time(gtt.created_at),
        "updated_at": _time(gtt.updated_at),
        "expires_at": _time(gtt.expires_at),
    }
