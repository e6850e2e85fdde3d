"""Zerodha (Kite Connect v3) as tables. Source: https://kite.trade/docs/connect/v3/"""

from __future__ import annotations

from datetime import time

from openalgo_desktop.brokers.kit.spec import (
    MARKET,
    ORDERS,
    Ask,
    BrokerSpec,
    Browser,
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
    Repeat,
    StreamSpec,
    TwoWay,
    identity,
)
from openalgo_desktop.brokers.zerodha.master import read_row
from openalgo_desktop.brokers.zerodha.ticker import KiteCodec
from openalgo_desktop.core.enums import (
    Action,
    Exchange,
    FeedMode,
    Interval,
    OrderStatus,
    PriceType,
    Product,
    Validity,
)
from openalgo_desktop.core.errors import (
    AuthError,
    InsufficientFunds,
    InvalidOrder,
    NetError,
    NotSupported,
    OrderNotWorking,
    RateLimited,
    RejectedByBroker,
    SessionExpired,
)

_JSON = {"Content-Type": "application/json"}
_CASH = (Product.CNC, Product.MIS)
_DERIVATIVE = (Product.NRML, Product.MIS)

_ORDER_BODY = {
    "order_type": "$wire_price_type",
    "quantity": "$quantity:text",
    "price": "$price:text",
    "trigger_price": "$trigger_price:text",
    "disclosed_quantity": "$disclosed_quantity:text",
    "validity": "$wire_validity",
}
#: One leg of a margin request.
LEG = {
    "exchange": "$wire_exchange",
    "tradingsymbol": "$brsymbol",
    "transaction_type": "$wire_action",
    "variety": "regular",
    "product": "$wire_product",
    "order_type": "$wire_price_type",
    "quantity": "$quantity:int",
    "price": "$price:float",
    "trigger_price": "$trigger_price:float",
}
_GTT_BODY = {"type": "$gtt_type", "condition": "$condition:json", "orders": "$orders:json"}

_PENDING = (
    "PUT ORDER REQ RECEIVED",
    "VALIDATION PENDING",
    "OPEN PENDING",
    "MODIFY VALIDATION PENDING",
    "MODIFY PENDING",
    "MODIFIED",
    "CANCEL PENDING",
    "AMO REQ RECEIVED",
    "AMO MODIFIED",
    "UPDATE",  # of a push: part filled or changed
)

SPEC = BrokerSpec(
    id="zerodha",
    title="Zerodha (Kite Connect v3)",
    docs="https://kite.trade/docs/connect/v3/",
    hosts={"rest": "https://api.kite.trade", "stream": "wss://ws.kite.trade"},
    headers={"X-Kite-Version": "3", "Authorization": "token {api_key}:{access_token}"},
    logins=(
        Login(
            id="browser",
            title="Browser login",
            steps=(
                Ask(
                    (
                        Field("api_key", "API key", stored=True),
                        Field("api_secret", "API secret", secret=True, stored=True),
                    )
                ),
                # Kite gives redirect_params back; its value is a query string of its own.
                Browser(
                    "https://kite.zerodha.com/connect/login?v=3&api_key={api_key}"
                    "&redirect_params=state%3D{state}",
                    {"request_token": "request_token"},
                ),
                Compute({"checksum": "sha256:{api_key}{request_token}{api_secret}"}),
                Call(
                    Op(
                        method="POST",
                        path="/session/token",
                        encoding="form",
                        headers={"X-Kite-Version": "3"},
                        public=True,
                        body={
                            "api_key": "$api_key",
                            "request_token": "$request_token",
                            "checksum": "$checksum",
                        },
                    ),
                    {"access_token": "access_token", "client_id": "user_id"},
                ),
            ),
        ),
        Login(
            id="token",
            title="Paste an access token",
            steps=(
                Ask(
                    (
                        Field("api_key", "API key", stored=True),
                        Field("access_token", "Access token", secret=True),
                    )
                ),
                Call(
                    Op(
                        method="GET",
                        path="/user/profile",
                        public=True,
                        headers={
                            "X-Kite-Version": "3",
                            "Authorization": "token {api_key}:{access_token}",
                        },
                    ),
                    {"client_id": "user_id"},
                ),
            ),
        ),
    ),
    session_ends=time(6, 0),
    envelope=Envelope(
        state="status",
        ok=("success",),
        bad=("error",),
        data="data",
        message="message",
        code="error_type",
    ),
    errors=(
        ErrorRule(RateLimited, status=429),
        ErrorRule(SessionExpired, code="TokenException"),
        ErrorRule(AuthError, code="TwoFAException"),
        ErrorRule(NotSupported, code="PermissionException"),
        ErrorRule(InsufficientFunds, code="MarginException"),
        ErrorRule(InsufficientFunds, pattern=r"^insufficient funds", status=400),
        ErrorRule(
            OrderNotWorking,
            code="OrderException",
            pattern=r"cannot be (modified|cancelled)|not in an? open",
        ),
        ErrorRule(RejectedByBroker, code="OrderException"),
        ErrorRule(RejectedByBroker, code="HoldingException"),
        ErrorRule(InvalidOrder, code="InputException"),
        ErrorRule(NetError, code="NetworkException"),
        ErrorRule(NetError, code="DataException"),
        ErrorRule(NetError, code="GeneralException"),
    ),
    limits={
        "all": (Rate(10),),
        "orders": (Rate(10), Rate(400, 60), Rate(5000, 86_400)),
        "quotes": (Rate(1),),
        "history": (Rate(3),),
    },
    exchanges=identity(
        [
            Exchange.NSE,
            Exchange.BSE,
            Exchange.NFO,
            Exchange.BFO,
            Exchange.CDS,
            Exchange.BCD,
            Exchange.MCX,
            Exchange.NCO,
        ]
    ),
    products=identity([Product.CNC, Product.NRML, Product.MIS]),
    price_types=identity(list(PriceType)),
    actions=identity(list(Action)),
    statuses=TwoWay(
        {
            OrderStatus.OPEN: "OPEN",
            OrderStatus.TRIGGER_PENDING: "TRIGGER PENDING",
            OrderStatus.COMPLETE: "COMPLETE",
            OrderStatus.CANCELLED: "CANCELLED",
            OrderStatus.REJECTED: "REJECTED",
        },
        also={
            "CANCELLED AMO": OrderStatus.CANCELLED,
            "LAPSED": OrderStatus.CANCELLED,
            **dict.fromkeys(_PENDING, OrderStatus.OPEN),
        },
    ),
    in_contracts=frozenset({Exchange.MCX}),
    repeats={"variety": Repeat("variety", "regular")},  # in the address of a change
    settling=frozenset(_PENDING) - {"AMO REQ RECEIVED", "AMO MODIFIED"},
    ops={
        "profile": Op(method="GET", path="/user/profile"),
        "logout": Op(
            method="DELETE",
            path="/session/token",
            query={"api_key": "$api_key", "access_token": "$access_token"},
        ),
        "place": Op(
            method="POST",
            path="/orders/{variety}",
            encoding="form",
            limit="orders",
            write=True,
            body={
                "tradingsymbol": "$brsymbol",
                "exchange": "$wire_exchange",
                "transaction_type": "$wire_action",
                "product": "$wire_product",
                **_ORDER_BODY,
                "market_protection": "-1",  # automatic; orders without protection are refused
                "tag": "$tag",
            },
        ),
        "modify": Op(
            method="PUT",
            path="/orders/{variety}/{order_id}",
            encoding="form",
            limit="orders",
            write=True,
            body={**_ORDER_BODY, "market_protection": "$market_protection?"},
        ),
        "cancel": Op(
            method="DELETE", path="/orders/{variety}/{order_id}", limit="orders", write=True
        ),
        "convert": Op(
            method="PUT",
            path="/portfolio/positions",
            encoding="form",
            write=True,
            body={
                "tradingsymbol": "$brsymbol",
                "exchange": "$wire_exchange",
                "transaction_type": "$wire_action",
                "position_type": "$position_type",
                "quantity": "$quantity:text",
                "old_product": "$wire_product",
                "new_product": "$wire_to_product",
            },
        ),
        "orders": Op(method="GET", path="/orders"),
        "trades": Op(method="GET", path="/trades"),
        "positions": Op(method="GET", path="/portfolio/positions", reply="net"),
        "holdings": Op(method="GET", path="/portfolio/holdings"),
        "funds": Op(method="GET", path="/user/margins"),
        "margin": Op(
            method="POST", path="/margins/orders", encoding="json", headers=_JSON, body="$legs"
        ),
        "margin_basket": Op(
            method="POST",
            path="/margins/basket?consider_positions=true",
            encoding="json",
            headers=_JSON,
            reply="final",
            body="$legs",
        ),
        "gtt_place": Op(
            method="POST", path="/gtt/triggers", encoding="form", write=True, body=_GTT_BODY
        ),
        "gtt_modify": Op(
            method="PUT",
            path="/gtt/triggers/{trigger_id}",
            encoding="form",
            write=True,
            body=_GTT_BODY,
        ),
        "gtt_cancel": Op(method="DELETE", path="/gtt/triggers/{trigger_id}", write=True),
        "gtt_orders": Op(method="GET", path="/gtt/triggers"),
        "quotes": Op(
            method="GET", path="/quote", query={"i": "$keys"}, headers=_JSON, limit="quotes"
        ),
        "ltp": Op(method="GET", path="/quote/ltp", query={"i": "$keys"}, limit="quotes"),
        "history": Op(
            method="GET",
            path="/instruments/historical/{instrument_token}/{wire_interval}",
            query={"from": "$from_time", "to": "$to_time", "oi": "1"},
            headers=_JSON,
            limit="history",
        ),
    },
    rows={
        "order": {
            "order_id": "order_id",
            "brsymbol": "tradingsymbol",
            "exchange": "exchange",
            "action": "transaction_type",
            "quantity": "quantity",
            "price": "price",
            "trigger_price": "trigger_price",
            "disclosed_quantity": "disclosed_quantity",
            "validity": "validity",
            "price_type": "order_type",
            "product": "product",
            "status": "status",
            "filled_quantity": "filled_quantity",
            "pending_quantity": "pending_quantity",
            "average_price": "average_price",
            "rejection_reason": "status_message|status_message_raw",
            "placed_at": "order_timestamp",
            "updated_at": "exchange_update_timestamp|exchange_timestamp",
            "tag": "tag",
        },
        "trade": {
            "trade_id": "trade_id",
            "order_id": "order_id",
            "brsymbol": "tradingsymbol",
            "exchange": "exchange",
            "action": "transaction_type",
            "product": "product",
            "quantity": "quantity",
            "price": "average_price",
            "traded_at": "fill_timestamp|exchange_timestamp|order_timestamp",
        },
        "position": {
            "brsymbol": "tradingsymbol",
            "exchange": "exchange",
            "product": "product",
            "quantity": "quantity",
            "average_price": "average_price",
            "ltp": "last_price",
            "pnl": "pnl",
            "buy_quantity": "buy_quantity",
            "sell_quantity": "sell_quantity",
            "multiplier": "multiplier",
        },
        "holding": {
            "brsymbol": "tradingsymbol",
            "exchange": "exchange",
            "quantity": "quantity",
            "t1_quantity": "t1_quantity",
            "pledged": "collateral_quantity",
            "average_price": "average_price",
            "ltp": "last_price",
        },
        "margin": {"total": "total", "span": "span", "exposure": "exposure"},
        "quote": {
            "key": "{brexchange}:{brsymbol}",
            "ltp": "last_price",
            "ltt": "last_trade_time|timestamp",
            "open": "ohlc.open",
            "high": "ohlc.high",
            "low": "ohlc.low",
            "close": "ohlc.close",
            "volume": "volume",
            "last_quantity": "last_quantity",
            "average_price": "average_price",
            "oi": "oi",
            "total_buy_quantity": "buy_quantity",
            "total_sell_quantity": "sell_quantity",
            "upper_circuit": "upper_circuit_limit",
            "lower_circuit": "lower_circuit_limit",
            "buy": "depth.buy",
            "sell": "depth.sell",
        },
        "candle": {"list": "candles"},
    },
    master=MasterSpec(
        files=(MasterFile(path="/instruments", name="instruments.csv", auth=True),),
        reader=read_row,
        refresh=time(8, 0),
    ),
    streams=(
        StreamSpec(
            url="?api_key={api_key}&access_token={access_token}",
            codec=KiteCodec,
            headers={"X-Kite-Version": "3"},
            modes={FeedMode.LTP: "ltp", FeedMode.QUOTE: "quote", FeedMode.DEPTH: "full"},
            per_socket=3000,
            sockets=3,
            batch=200,
            ping=2.5,
            silence=5.0,
            carries=frozenset({MARKET, ORDERS}),
        ),
    ),
    capabilities=Capabilities(
        validities={Validity.DAY: "DAY", Validity.IOC: "IOC"},
        discloses=True,
        exchanges=(
            Exchange.NSE,
            Exchange.BSE,
            Exchange.NFO,
            Exchange.BFO,
            Exchange.CDS,
            Exchange.BCD,
            Exchange.MCX,
            Exchange.NCO,
            Exchange.NSE_INDEX,
            Exchange.BSE_INDEX,
            Exchange.MCX_INDEX,
            Exchange.GLOBAL_INDEX,
        ),
        products={
            Exchange.NSE: _CASH,
            Exchange.BSE: _CASH,
            **dict.fromkeys(
                (
                    Exchange.NFO,
                    Exchange.BFO,
                    Exchange.CDS,
                    Exchange.BCD,
                    Exchange.MCX,
                    Exchange.NCO,
                ),
                _DERIVATIVE,
            ),
        },
        # Kite allows 100 to 400 days of the longer intraday bars; 60 holds for all of them.
        intervals={
            Interval.M1: IntervalRule("minute", 60),
            Interval.M3: IntervalRule("3minute", 60),
            Interval.M5: IntervalRule("5minute", 60),
            Interval.M10: IntervalRule("10minute", 60),
            Interval.M15: IntervalRule("15minute", 60),
            Interval.M30: IntervalRule("30minute", 60),
            Interval.H1: IntervalRule("60minute", 60),
            Interval.DAY: IntervalRule("day", 2000),
        },
        quote_batch=500,
        margin=True,
        gtt=True,
        converts=True,
        market_protection=True,
        static_ip=True,
    ),
    evidence={
        "L": ("emulator", "vectors"),
        "M": ("emulator", "vectors"),
        "O": ("emulator", "vectors"),
        "G": ("emulator", "vectors"),
        "B": ("emulator", "vectors"),
        "Q": ("emulator", "vectors"),
        "F": ("emulator", "vectors", "sdk"),
        "P": ("emulator", "vectors"),
        "E": ("emulator", "vectors"),
    },
)
