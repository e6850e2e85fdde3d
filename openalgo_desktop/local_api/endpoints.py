"""The one table of endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.examples import EXAMPLES
from openalgo_desktop.local_api.handlers import (
    account,
    books,
    bulk,
    calendar,
    gtt,
    later,
    market,
    options,
    orders,
    pages,
    symbols,
    system,
    webhooks,
)
from openalgo_desktop.local_api.handlers.callback import callback_rows
from openalgo_desktop.local_api.later_rows import LATER
from openalgo_desktop.local_api.strategy_endpoints import STRATEGIES
from openalgo_desktop.local_api.table import BAD_KEY, CRASH_API, Endpoint, ErrorForm, Need
from openalgo_desktop.local_api.telegram_rows import TELEGRAM

_NO_PRICE = "Failed to fetch LTP for {underlying}. " + BAD_KEY
_ORDER: dict[str, Any] = {
    "group": "Orders",
    "form": ErrorForm.TEXT,
    "need": Need.TRADE,
    "mode_in_errors": True,
    "mode_in_validation": True,
}
_READ_ORDER = _ORDER | {"need": Need.ACCOUNT}
_LIMITED = _ORDER | {"limit": "limits.order"}
_GTT = _LIMITED | {"group": "GTT"}
_OPTION_ORDER = _LIMITED | {
    "form": ErrorForm.ERRORS,
    "mode_in_validation": False,
    "crash": CRASH_API,
    "queued": True,
}
_BOOK: dict[str, Any] = {"group": "Account", "need": Need.ACCOUNT, "mode_in_errors": True}
_MARKET: dict[str, Any] = {"group": "Market data"}
_SYMBOL: dict[str, Any] = {"group": "Symbols"}
_OPTION: dict[str, Any] = {"group": "Options", "form": ErrorForm.ERRORS}
_GREEKS: dict[str, Any] = {
    "group": "Options",
    "form": ErrorForm.FAILED,
    "bad_key": (401, BAD_KEY),
    "crash": "Internal server error while calculating option Greeks",
}
_SYSTEM: dict[str, Any] = {"group": "System"}
_HOOK: dict[str, Any] = {
    "group": "Webhooks",
    "need": Need.NOTHING,
    "limit": "limits.webhook",
    "error_key": "error",
    "crash": "Internal server error",
}
#: The limit of these counts for each id, not for each sender: the handler knows the ids.
_ALERT = _HOOK | {"alert": True, "limit": ""}


def _not_in_semi_auto(what: str, verb: str) -> str:
    return (
        f"{what} operation is not allowed in Semi-Auto mode. Please switch to Auto mode to {verb}."
    )


E = Endpoint
ORDERS: tuple[Endpoint, ...] = (
    E(
        "placeorder",
        orders.placeorder,
        "orders.PlaceOrder",
        "Place an order.",
        crash=CRASH_API,
        queued=True,
        forms=True,
        **(_LIMITED | {"mode_in_validation": False}),
    ),
    E(
        "placesmartorder",
        bulk.placesmartorder,
        "orders.SmartOrder",
        "Bring the position of a symbol to a wanted size.",
        limit="limits.smart",
        queued=True,
        forms=True,
        **_ORDER,
    ),
    E(
        "modifyorder",
        orders.modifyorder,
        "orders.ModifyOrder",
        "Change a working order.",
        refused_in_semi_auto=_not_in_semi_auto("Modify order", "modify orders"),
        **_LIMITED,
    ),
    E(
        "cancelorder",
        orders.cancelorder,
        "orders.OneOrder",
        "Cancel a working order.",
        refused_in_semi_auto=_not_in_semi_auto("Cancel order", "cancel orders"),
        **_LIMITED,
    ),
    E(
        "cancelallorder",
        orders.cancelallorder,
        "orders.Strategy",
        "Cancel all working orders of the account, whatever their strategy.",
        refused_in_semi_auto=_not_in_semi_auto("Cancel all orders", "cancel orders"),
        **_ORDER,
    ),
    E(
        "closeposition",
        orders.closeposition,
        "orders.Strategy",
        "Close all open positions at market.",
        refused_in_semi_auto=_not_in_semi_auto("Close position", "close positions"),
        **_ORDER,
    ),
    E(
        "basketorder",
        bulk.basketorder,
        "orders.Basket",
        "Several orders, buys first.",
        queued=True,
        **_ORDER,
    ),
    E(
        "splitorder",
        bulk.splitorder,
        "orders.Split",
        "A large order in parts.",
        queued=True,
        **_ORDER,
    ),
    E(
        "optionsorder",
        options.optionsorder,
        "options.OptionsOrder",
        "Order on an option found by its offset from the money.",
        bad_key=(403, _NO_PRICE),
        **_OPTION_ORDER,
    ),
    E(
        "optionsmultiorder",
        options.optionsmultiorder,
        "options.OptionsMultiOrder",
        "Several option legs on one underlying, bought legs first.",
        **_OPTION_ORDER,
    ),
    E("orderstatus", books.orderstatus, "orders.OneOrder", "One order.", **_READ_ORDER),
    E(
        "openposition",
        books.openposition,
        "orders.OpenPosition",
        "Net quantity of one symbol and product.",
        **_READ_ORDER,
    ),
    E(
        "margin",
        account.margin,
        "data.Margin",
        "Margin of up to 50 orders together: in analyze mode what the sandbox will block, "
        "in live mode what the account says.",
        group="Account",
        form=ErrorForm.TEXT,
        need=Need.ACCOUNT,
        crash=CRASH_API,
    ),
    E(
        "placegttorder",
        gtt.placegttorder,
        "gtt.PlaceGtt",
        "Place a good-till-triggered order.",
        queued=True,
        **_GTT,
    ),
    E(
        "modifygttorder",
        gtt.modifygttorder,
        "gtt.ModifyGtt",
        "Replace triggers, prices and quantity of a GTT.",
        refused_in_semi_auto="Modify GTT order is not allowed in Semi-Auto mode. "
        "Switch to Auto mode.",
        **_GTT,
    ),
    E(
        "cancelgttorder",
        gtt.cancelgttorder,
        "gtt.OneGtt",
        "Cancel a GTT.",
        refused_in_semi_auto="Cancel GTT order is not allowed in Semi-Auto mode. "
        "Switch to Auto mode.",
        **_GTT,
    ),
)

ACCOUNT: tuple[Endpoint, ...] = (
    E("gttorderbook", gtt.gttorderbook, "data.Key", "Active GTTs.", **(_BOOK | {"group": "GTT"})),
    E("orderbook", books.orderbook, "data.Key", "Orders of the session.", **_BOOK),
    E("tradebook", books.tradebook, "data.Key", "Trades of the session.", **_BOOK),
    E("positionbook", books.positionbook, "data.Key", "Positions.", **_BOOK),
    E("holdings", books.holdings, "data.Key", "Delivered shares.", **_BOOK),
    E("funds", books.funds, "data.Key", "Money of the account.", **_BOOK),
    E(
        "pnl/symbols",
        account.pnl_symbols,
        "data.Key",
        "Simulated profit by symbol.",
        sandbox_only=True,
        **(_BOOK | {"bad_key": (403, "Invalid API key")}),
    ),
)

DATA: tuple[Endpoint, ...] = (
    E(
        "quotes",
        market.quotes,
        "data.Symbol",
        "Last price, day range, best bid and ask.",
        **_MARKET,
    ),
    E("multiquotes", market.multiquotes, "data.MultiQuotes", "Quotes of many symbols.", **_MARKET),
    E("depth", market.depth, "data.Symbol", "Five levels of the book.", **_MARKET),
    E("history", market.history, "data.History", "Candles of a date range.", **_MARKET),
    E(
        "intervals",
        market.intervals,
        "data.Key",
        "Candle intervals that history serves.",
        **_MARKET,
    ),
    E(
        "ticker/*",
        market.ticker,
        "data.Ticker",
        "Candles for charting programs: ticker/NSE:SBIN, JSON or text.",
        method="GET",
        prepare=market.ticker_fields,
        text_errors={"format": "txt"},
        both_slashes=False,
        **_MARKET,
    ),
    E("symbol", symbols.symbol, "data.Symbol", "One row of the symbol master.", **_SYMBOL),
    E("search", symbols.search, "data.Search", "Search the symbol master.", **_SYMBOL),
    E("expiry", symbols.expiry, "data.Expiry", "Expiry dates of an underlying.", **_SYMBOL),
    E(
        "instruments",
        symbols.instruments,
        "data.Instruments",
        "The symbol master of an exchange (all without one), JSON or CSV.",
        method="GET",
        prepare=symbols.instruments_fields,
        text_errors={"format": "csv"},
        **_SYMBOL,
    ),
    E(
        "optionsymbol",
        options.optionsymbol,
        "options.OptionSymbol",
        "The option at an offset from the money.",
        bad_key=(403, _NO_PRICE),
        **_OPTION,
    ),
    E(
        "optionchain",
        options.optionchain,
        "options.OptionChain",
        "Calls and puts of one expiry, with greeks if wanted.",
        bad_key=(403, "Failed to fetch LTP for {underlying}: " + BAD_KEY),
        **_OPTION,
    ),
    E(
        "syntheticfuture",
        options.syntheticfuture,
        "options.SyntheticFuture",
        "At-the-money strike plus call minus put.",
        bad_key=(403, _NO_PRICE),
        crash=CRASH_API,
        **_OPTION,
    ),
    E(
        "optiongreeks",
        options.optiongreeks,
        "options.OptionGreeks",
        "Volatility and greeks of one option.",
        limit="limits.greeks",
        **_GREEKS,
    ),
    E(
        "multioptiongreeks",
        options.multioptiongreeks,
        "options.MultiGreeks",
        "Volatility and greeks of up to 50 options.",
        **_GREEKS,
    ),
    E("market/holidays", calendar.holidays, "data.Holidays", "Holidays of a year.", **_MARKET),
    E("market/timings", calendar.timings, "data.Timings", "Sessions of a day.", **_MARKET),
)

SYSTEM: tuple[Endpoint, ...] = (
    E(
        "analyzer",
        system.analyzer,
        "data.Key",
        "Whether orders are simulated.",
        form=ErrorForm.TEXT,
        **_SYSTEM,
    ),
    E(
        "analyzer/toggle",
        system.analyzer_toggle,
        "data.AnalyzerToggle",
        "Switch between sandbox and live.",
        form=ErrorForm.TEXT,
        need=Need.TRADE,
        owner=True,
        refused_in_semi_auto="Operation analyzer/toggle is not allowed in Semi-Auto mode. "
        "Please switch to Auto mode to change the analyzer mode.",
        **_SYSTEM,
    ),
    E(
        "ping",
        system.ping,
        "data.Key",
        "Whether the API and the broker session are there.",
        **_SYSTEM,
    ),
    E(
        "chart",
        account.chart_get,
        None,
        "Stored chart preferences.",
        method="GET",
        prepare=account.chart_key,
        **_SYSTEM,
    ),
    E(
        "chart",
        account.chart_update,
        "data.ChartUpdate",
        "Store chart preferences: any keys beside apikey.",
        prepare=account.chart_body,
        **_SYSTEM,
    ),
)

HOOKS: tuple[Endpoint, ...] = (
    E(
        "/strategy/webhook/*",
        webhooks.strategy_webhook,
        None,
        "Alert of a webhook strategy, or of a made strategy; the id is the credential.",
        **_ALERT,
    ),
    E(
        "/chartink/webhook/*",
        webhooks.chartink_webhook,
        None,
        "Alert of a Chartink scan; the id is the credential.",
        **_ALERT,
    ),
    E(
        "/flow/webhook/*",
        later.flow_unknown,
        None,
        "Flows come later: always 404.",
        stub=True,
        **_HOOK,
    ),
    E(
        "/health/status",
        system.health,
        None,
        "Whether the server runs.",
        method="GET",
        need=Need.NOTHING,
        **_SYSTEM,
    ),
)

PAGES: tuple[Endpoint, ...] = (
    E(
        "/docs",
        pages.docs,
        None,
        "This API as an interactive page.",
        method="GET",
        need=Need.NOTHING,
        **_SYSTEM,
    ),
)

TABLE: tuple[Endpoint, ...] = (
    ORDERS + ACCOUNT + DATA + STRATEGIES + SYSTEM + HOOKS + PAGES + TELEGRAM + LATER
)

CONTROL = E(
    "/simulator/control",
    system.simulator_control,
    None,
    "Move the simulated market.",
    limit="",
    owner=True,
    example=EXAMPLES["/simulator/control"],
    **_SYSTEM,
)


def endpoints(ctx: ApiContext) -> Iterable[Endpoint]:
    """Rows that this terminal serves."""
    yield from (replace(row, example=EXAMPLES.get(row.path, {})) for row in TABLE)
    if ctx.control is not None:
        yield CONTROL
    if ctx.callbacks is not None:
        yield from callback_rows(ctx, ctx.callbacks)
