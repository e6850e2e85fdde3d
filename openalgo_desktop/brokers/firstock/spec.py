"""Firstock (Connect API V1) as tables. Sources: https://firstock.in/api/docs, PyPI ``firstock``."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.brokers.families.noren.words import (
    ACTIONS,
    PRICE_TYPES,
    PRODUCTS,
    SETTLING,
    STATUSES,
)
from openalgo_desktop.brokers.firstock.feed import FirstockCodec
from openalgo_desktop.brokers.firstock.master import read_index, read_row
from openalgo_desktop.brokers.kit.spec import (
    MARKET,
    ORDERS,
    Ask,
    BrokerSpec,
    Call,
    Capabilities,
    Compute,
    Envelope,
    ErrorRule,
    Field,
    IntervalRule,
    Login,
    MasterFile,
    MasterSpec,
    Op,
    Rate,
    StreamSpec,
    identity,
)
from openalgo_desktop.core.enums import Exchange, FeedMode, Interval, PriceType, Product
from openalgo_desktop.core.errors import (
    BadCredentials,
    InsufficientFunds,
    OrderNotWorking,
    RateLimited,
    SessionExpired,
)

_EXCHANGES = (Exchange.NSE, Exchange.BSE, Exchange.NFO, Exchange.BFO)
_CASH, _DERIVATIVE = (Product.CNC, Product.MIS), (Product.NRML, Product.MIS)
_USER = {"userId": "$client_id", "jKey": "$jkey"}
_NAMES = {"exchange": "$wire_exchange", "tradingSymbol": "$brsymbol"}
#: In orders the symbol's ``&`` is written ``%26``, says the documentation of placeOrder.
_ORDER_NAMES = {"exchange": "$wire_exchange", "tradingSymbol": "$order_symbol"}
_SIDE = {"product": "$wire_product", "transactionType": "$wire_action"}
_PRICES = {
    "quantity": "$quantity:text",
    "price": "$price:text",
    "triggerPrice": "$trigger_price:text",
    "priceType": "$wire_price_type",
}
_LEG = {**_ORDER_NAMES, **_PRICES, **_SIDE}
#: Limits need no protection; a market order is refused without one (per cent).
_VALIDITY = {"retention": "DAY", "mkt_protection": "$protection"}
_GTT = {
    **_USER,
    **_ORDER_NAMES,
    "validity": "GTT",
    "remarks": "$tag?",
    "OrderParams": {**_LEG, "retention": "DAY", "remarks": "$tag?"},
}


def _oco_leg(trigger: str, field: str, price: str) -> dict[str, Any]:
    return {
        **_SIDE,
        "priceType": "$wire_price_type",
        "retention": "DAY",
        "quantity": "$quantity:text",
        "triggerPrice": f"${trigger}:text",
        field: f"${price}:text",
    }


#: The stop-loss is the first leg.
_OCO = {
    **_USER,
    **_ORDER_NAMES,
    "OrderParamsLeg1": _oco_leg("below", "price", "stoploss"),
    "OrderParamsLeg2": _oco_leg("above", "targetPrice", "target"),
}


def _op(path: str, body: dict[str, Any] | None = None, **more: Any) -> Op:
    body = _USER if body is None else body
    return Op(method="POST", path=path, encoding="json", body=body, **more)


def _write(path: str, body: dict[str, Any]) -> Op:
    return _op(path, body, write=True, limit="orders")


_LOGIN = Login(
    id="password",
    title="Password and one-time code",
    steps=(
        Ask(
            (
                Field("client_id", "User id", stored=True),
                Field("password", "Password", secret=True, stored=True),
                Field("api_key", "API key", secret=True, stored=True),
                Field(
                    "vendor_code",
                    "Vendor code",
                    stored=True,
                    optional=True,
                    help="As issued; empty: the user id followed by _API.",
                ),
                Field(
                    "totp_secret",
                    "TOTP secret",
                    secret=True,
                    stored=True,
                    optional=True,
                    help="With it the login needs nobody.",
                ),
            )
        ),
        Compute(
            {
                "vendor_code": "{client_id}_API",
                "password_hash": "sha256:{password}",
                "totp": "totp:{totp_secret}",
            }
        ),
        Ask((Field("totp", "One-time code", digits=6),)),
        Call(
            _op(
                "/login",
                {
                    "userId": "$client_id",
                    "password": "$password_hash",
                    "TOTP": "$totp",
                    "vendorCode": "$vendor_code",
                    "apiKey": "$api_key",
                },
                public=True,
            ),
            {"jkey": "susertoken", "client_id": "actid"},
        ),
    ),
    session=("jkey",),
)
_OPS = {
    "profile": _op("/userDetails"),
    "logout": _op("/logout"),
    "place": _write("/placeOrder", {**_USER, **_LEG, **_VALIDITY, "remarks": "$tag"}),
    "modify": _write(
        "/modifyOrder",
        {
            **_USER,
            **_ORDER_NAMES,
            **_PRICES,
            **_VALIDITY,
            "orderNumber": "$order_id",
            "product": "$wire_product",
        },
    ),
    "cancel": _write("/cancelOrder", {**_USER, "orderNumber": "$order_id"}),
    "orders": _op("/orderBook"),
    "trades": _op("/tradeBook"),
    "positions": _op("/positionBook"),
    "holdings": _op("/holdingsDetails"),
    "funds": _op("/limit"),
    "margin": _op(
        "/orderMargin",
        {
            **_USER,
            **_ORDER_NAMES,
            **_SIDE,
            "quantity": "$quantity:text",
            "price": "$price:text",
            "priceType": "$wire_price_type",
        },
    ),
    "margin_basket": _op("/basketMargin", {**_USER, **_LEG, "BasketList_Params": "$others"}),
    "quotes": _op("/getQuote", {**_USER, **_NAMES}, limit="quotes"),
    "quotes_many": _op("/getMultiQuotes", {**_USER, "data": "$names"}, limit="quotes"),
    "history": _op(
        "/timePriceSeries",
        {
            **_USER,
            **_NAMES,
            "startTime": "$from_time",
            "endTime": "$to_time",
            "interval": "$wire_interval",
        },
        limit="history",
    ),
    "gtt_place": _write("/placeGttOrder", {**_GTT, "value": "$trigger_price:text"}),
    "gtt_modify": _write("/modifyGttOrder", {**_GTT, "GTTid": "$trigger_id"}),
    "gtt_cancel": _write("/cancelGttOrder", {**_USER, "GTTid": "$trigger_id"}),
    "gtt_orders": _op("/GttOrderBook"),
    "oco_place": _write("/placeOcoOrder", {**_OCO, "validity": "GTT"}),
    "oco_modify": _write("/modifyOcoOrder", {**_OCO, "OCOid": "$trigger_id"}),
    "oco_cancel": _write("/cancelOcoOrder", {**_USER, "OCOid": "$trigger_id"}),
}
_ROWS = {
    "ack": {
        "order_id": "orderNumber",
        "trigger_id": "GTTid|gttId|OCOid|ocoId|Al_id|al_id",
    },
    # Pushed orders have Noren's names.
    "order": {
        "order_id": "orderNumber|norenordno",
        "brsymbol": "tradingSymbol|tsym",
        "token": "token",
        "exchange": "exchange|exch",
        "action": "transactionType|trantype",
        "quantity": "quantity|qty",
        "price": "price|prc",
        "trigger_price": "triggerPrice|trgprc",
        "disclosed_quantity": "disclosedQuantity|dscqty",
        "price_type": "priceType|prctyp",
        "product": "product|prd|pcode",
        "status": "status",
        "filled_quantity": "fillShares|fillshares",
        "average_price": "averagePrice|avgprc",
        "rejection_reason": "rejectReason|rejreason",
        "placed_at": "orderTime|norentm",
        "updated_at": "orderTime|norentm",
        "tag": "remarks",
    },
    "trade": {
        "trade_id": "fillId",
        "order_id": "orderNumber",
        "brsymbol": "tradingSymbol",
        "token": "token",
        "exchange": "exchange",
        "action": "transactionType",
        "product": "product",
        "quantity": "fillQuantity",
        "price": "fillPrice",
        "traded_at": "fillTime|exchangeUpdateTime|orderTime",
    },
    "position": {
        "brsymbol": "tradingSymbol",
        "token": "token",
        "exchange": "exchange",
        "product": "product",
        "quantity": "netQuantity",
        "average_price": "netAveragePrice",
        "ltp": "lastTradedPrice",
        "realised": "RealizedPNL",
        "unrealised": "unrealizedMTOM|totalMTM",
        "buy_quantity": "dayBuyQuantity",
        "sell_quantity": "daySellQuantity",
    },
    "holding": {
        "brsymbol": "tradingSymbol",
        "token": "token",
        "exchange": "exchange",
        "quantity": "quantity",
        "t1_quantity": "BTSTQuantity",
        "average_price": "uploadPrice",
    },
    "funds": {
        "available_cash": "available",
        "collateral": "brkcollamt",
        "utilised": "marginused",
        "payin": "payin",
        "payout": "payout",
    },
    "candle": {
        "time": "time",
        "open": "open",
        "high": "high",
        "low": "low",
        "close": "close",
        "volume": "volume",
        "oi": "oi",
    },
    # What new orders block after hedges; of one order what it blocks by itself.
    "margin": {"total": "TradedMargin|marginOnNewOrder"},
    "quote": {
        "ltp": "lastTradedPrice",
        "open": "dayOpenPrice",
        "high": "dayHighPrice",
        "low": "dayLowPrice",
        "close": "dayClosePrice",
        "volume": "volume",
        "last_quantity": "lastTradedQuantity",
        "average_price": "VWAP",
        "oi": "openInterest",
        "total_buy_quantity": "totalBuyQuantity",
        "total_sell_quantity": "totalSellQuantity",
        "buy": "buy",
        "sell": "sell",
    },
}
_FILES = tuple(
    MasterFile(
        path=f"/symbols/{exchange}?ref=firstock.in",
        name=f"{exchange}_symbols.csv",
        exchange=exchange,
    )
    for exchange in _EXCHANGES
)
_INDICES = MasterFile(
    path="/indexList",
    method="POST",
    body=_USER,
    name="indices.json",
    form="json",
    rows="data",
    reader=read_index,
    auth=True,
)

SPEC = BrokerSpec(
    id="firstock",
    title="Firstock",
    docs="https://firstock.in/api/docs",
    hosts={"rest": "https://api.firstock.in/V1", "stream": "wss://socket.firstock.in"},
    logins=(_LOGIN,),
    envelope=Envelope(
        state="status",
        ok=("success", "Success"),
        bad=("failed", "Failed", "error"),
        data="data",
        message="error.message|message",
        code="name",
        empty=(r"\bno data\W*$",),
    ),
    errors=(
        ErrorRule(RateLimited, status=429),
        ErrorRule(RateLimited, code="RATE_LIMIT_EXCEEDED"),
        ErrorRule(RateLimited, pattern=r"rate limit"),
        ErrorRule(BadCredentials, code="INVALID_CREDENTIALS"),
        ErrorRule(SessionExpired, code="INVALID_JKEY"),
        ErrorRule(SessionExpired, code="UNAUTHORIZED"),
        ErrorRule(InsufficientFunds, pattern=r"insufficient (margin|balance|funds?)|shortfall"),
        ErrorRule(OrderNotWorking, pattern=r"not open"),
    ),
    limits={
        "all": (Rate(10),),
        "orders": (Rate(10),),
        "quotes": (Rate(1),),
        "history": (Rate(2),),
    },
    exchanges=identity(_EXCHANGES),
    products=PRODUCTS,
    price_types=PRICE_TYPES,
    actions=ACTIONS,
    statuses=STATUSES,
    settling=SETTLING,
    ops=_OPS,
    rows=_ROWS,
    master=MasterSpec(files=(*_FILES, _INDICES), reader=read_row),
    streams=(
        StreamSpec(
            url="/V2/ws?userId={client_id}&jKey={jkey}&source=developer-api",
            codec=FirstockCodec,
            carries=frozenset({MARKET, ORDERS}),
            modes=dict.fromkeys(FeedMode, "subscribe"),
            batch=100,
            ping=30.0,
            silence=0.0,  # a closed market is silent; WebSocket pings find a dead line
        ),
    ),
    capabilities=Capabilities(
        exchanges=(*_EXCHANGES, Exchange.NSE_INDEX, Exchange.BSE_INDEX),
        products={
            Exchange.NSE: _CASH,
            Exchange.BSE: _CASH,
            Exchange.NFO: _DERIVATIVE,
            Exchange.BFO: _DERIVATIVE,
        },
        # At most 30 days a request; the server is slow with more than some thousand rows.
        intervals={
            Interval.M1: IntervalRule("1mi", 1),
            Interval.M3: IntervalRule("3mi", 2),
            Interval.M5: IntervalRule("5mi", 3),
            Interval.M10: IntervalRule("10mi", 5),
            Interval.M15: IntervalRule("15mi", 7),
            Interval.M30: IntervalRule("30mi", 10),
            Interval.H1: IntervalRule("60mi", 15),
            Interval.H2: IntervalRule("120mi", 15),
            Interval.H4: IntervalRule("240mi", 15),
            Interval.DAY: IntervalRule("1d", 30, today_from_quote=True),
        },
        quote_batch=50,
        margin=True,
        gtt=True,
    ),
    protect={
        PriceType.MARKET: frozenset(_EXCHANGES),
        PriceType.SLM: frozenset(_EXCHANGES),
    },
    evidence={
        "L": ("emulator", "vectors"),
        "M": ("emulator", "vectors"),
        "O": ("emulator", "vectors"),
        "G": ("emulator",),
        "B": ("emulator", "vectors"),
        "Q": ("emulator", "vectors"),
        "F": ("emulator", "vectors"),
        "P": ("emulator",),
        "E": ("emulator", "vectors"),
    },
)
