"""The one table of endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.handlers import books, market, orders, symbols, system
from openalgo_desktop.local_api.schemas import data as d
from openalgo_desktop.local_api.schemas import orders as o
from openalgo_desktop.local_api.table import CRASH_API, Endpoint, ErrorForm, Need

_ORDER: dict[str, Any] = {
    "group": "Orders",
    "form": ErrorForm.TEXT,
    "need": Need.TRADE,
    "mode_in_errors": True,
    "mode_in_validation": True,
}
_BOOK: dict[str, Any] = {"group": "Account", "need": Need.ACCOUNT, "mode_in_errors": True}
_MARKET: dict[str, Any] = {"group": "Market data"}
_SYMBOL: dict[str, Any] = {"group": "Symbols"}
_SYSTEM: dict[str, Any] = {"group": "System"}

E = Endpoint
TABLE: tuple[Endpoint, ...] = (
    # -- orders
    E(
        "placeorder",
        orders.placeorder,
        o.PlaceOrder,
        "Place an order.",
        limit="limits.order",
        crash=CRASH_API,
        **(_ORDER | {"mode_in_validation": False}),
    ),
    E(
        "modifyorder",
        orders.modifyorder,
        o.ModifyOrder,
        "Change a working order.",
        limit="limits.order",
        **_ORDER,
    ),
    E(
        "cancelorder",
        orders.cancelorder,
        o.OneOrder,
        "Cancel a working order.",
        limit="limits.order",
        **_ORDER,
    ),
    E("cancelallorder", orders.cancelallorder, o.Strategy, "Cancel all working orders.", **_ORDER),
    E("closeposition", orders.closeposition, o.Strategy, "Close all open positions.", **_ORDER),
    E(
        "orderstatus",
        books.orderstatus,
        o.OneOrder,
        "One order.",
        **(_ORDER | {"need": Need.ACCOUNT}),
    ),
    E(
        "openposition",
        books.openposition,
        o.OpenPosition,
        "Net quantity of one symbol and product.",
        **(_ORDER | {"need": Need.ACCOUNT}),
    ),
    # -- account
    E("orderbook", books.orderbook, d.Key, "Orders of the session.", **_BOOK),
    E("tradebook", books.tradebook, d.Key, "Trades of the session.", **_BOOK),
    E("positionbook", books.positionbook, d.Key, "Positions.", **_BOOK),
    E("holdings", books.holdings, d.Key, "Delivered shares.", **_BOOK),
    E("funds", books.funds, d.Key, "Money of the account.", **_BOOK),
    # -- market data
    E("quotes", market.quotes, d.Symbol, "Last price, day range, best bid and ask.", **_MARKET),
    E("depth", market.depth, d.Symbol, "Five levels of the book.", **_MARKET),
    E("history", market.history, d.History, "Candles of a date range.", **_MARKET),
    E("intervals", market.intervals, d.Key, "Candle intervals that history serves.", **_MARKET),
    # -- symbols
    E("symbol", symbols.symbol, d.Symbol, "One row of the symbol master.", **_SYMBOL),
    E("search", symbols.search, d.Search, "Search the symbol master.", **_SYMBOL),
    E("expiry", symbols.expiry, d.Expiry, "Expiry dates of an underlying.", **_SYMBOL),
    # -- system
    E(
        "analyzer",
        system.analyzer,
        d.Key,
        "Whether orders are simulated.",
        form=ErrorForm.TEXT,
        **_SYSTEM,
    ),
    E(
        "analyzer/toggle",
        system.analyzer_toggle,
        d.AnalyzerToggle,
        "Switch between sandbox and live.",
        form=ErrorForm.TEXT,
        need=Need.TRADE,
        **_SYSTEM,
    ),
    E("ping", system.ping, d.Key, "Whether the API and the broker session are there.", **_SYSTEM),
)

CONTROL = E(
    "/simulator/control",
    system.simulator_control,
    None,
    "Move the simulated market.",
    limit="",
    **_SYSTEM,
)


def endpoints(ctx: ApiContext) -> Iterable[Endpoint]:
    """Rows that this terminal serves."""
    yield from TABLE
    if ctx.control is not None:
        yield CONTROL
