"""OpenAlgo's REST and WebSocket API as tables: the wire is the unified vocabulary itself."""

from __future__ import annotations

from datetime import time
from typing import Any

import msgspec

from openalgo_desktop.brokers.kit.spec import (
    MARKET,
    ORDERS,
    Ask,
    BrokerSpec,
    Capabilities,
    Envelope,
    ErrorRule,
    Field,
    Hook,
    IntervalRule,
    Login,
    Op,
    Rate,
    StreamSpec,
    TwoWay,
    identity,
)
from openalgo_desktop.brokers.openalgo.codec import PING_FRAME, OpenAlgoCodec
from openalgo_desktop.brokers.openalgo.master import MASTER
from openalgo_desktop.core.enums import (
    CASH_EXCHANGES,
    DERIVATIVE_EXCHANGES,
    Action,
    Exchange,
    FeedMode,
    Interval,
    OrderStatus,
    PriceType,
    Product,
)
from openalgo_desktop.core.errors import (
    InsufficientFunds,
    NetError,
    NotSupported,
    OrderNotWorking,
    RateLimited,
    RejectedByBroker,
    RiskBlocked,
    SessionExpired,
)

DEFAULT_URL = "http://127.0.0.1:5000"
DEFAULT_WS_PORT = 8765
#: Strategy that orders without one, changes and cancellations are filed under.
STRATEGY = "OpenAlgo Desktop"

_KEY = {"apikey": "$api_key"}
_MINE = {**_KEY, "strategy": STRATEGY}
_INSTRUMENT = {"symbol": "$symbol", "exchange": "$exchange"}
_ORDER = {
    **_INSTRUMENT,
    "action": "$wire_action",
    "product": "$wire_product",
    "pricetype": "$wire_price_type",
    "quantity": "$quantity:int",
    "price": "$price:float",
    "trigger_price": "$trigger_price:float",
    "disclosed_quantity": "$disclosed_quantity:int",
}
_GTT = {
    **_INSTRUMENT,
    "trigger_type": "$trigger_type",
    "action": "$wire_action",
    "product": "$wire_product",
    "quantity": "$quantity:int",
    "pricetype": "$wire_price_type",
    "price": "$price:float",
    "triggerprice_sl": "$triggerprice_sl:float",
    "triggerprice_tg": "$triggerprice_tg:float",
    "stoploss": "$stoploss?",
    "target": "$target?",
}


def _post(path: str, body: dict[str, Any], **more: Any) -> Op:
    return Op(method="POST", path=f"/api/v1/{path}", encoding="json", body=body, **more)


def _write(path: str, body: dict[str, Any]) -> Op:
    return _post(path, body, limit="orders", write=True, timeout=12.0)


_CASH = (Product.CNC, Product.MIS)
_DERIVATIVE = (Product.NRML, Product.MIS)
#: Days of one history request: the server pages its broker itself, this keeps answers small.
_DAYS = {True: 30, False: 3650}

SPEC = BrokerSpec(
    id="openalgo",
    title="OpenAlgo server",
    docs="https://docs.openalgo.in/api-documentation/v1",
    hosts={"rest": "{rest_url}", "stream": "{ws_url}"},
    logins=(
        Login(
            id="key",
            title="API key",
            steps=(
                Ask(
                    (
                        Field(
                            "rest_url",
                            "Server address",
                            stored=True,
                            optional=True,
                            help=f"For example https://algo.example.in; empty is {DEFAULT_URL}",
                        ),
                        Field(
                            "ws_url",
                            "WebSocket address",
                            stored=True,
                            optional=True,
                            help=f"Empty: port {DEFAULT_WS_PORT} of the server, or /ws with https",
                        ),
                        # Kept with the session, not as a credential: a logout forgets it.
                        Field("api_key", "API key", secret=True),
                    )
                ),
                Hook("find_server"),
            ),
            session=("api_key", "rest_url", "ws_url", "served_intervals"),
        ),
    ),
    session_ends=None,
    envelope=Envelope(state="status", ok=("success",), bad=("error",), message="message"),
    errors=(
        ErrorRule(RateLimited, status=429),
        ErrorRule(SessionExpired, pattern=r"invalid openalgo apikey"),
        ErrorRule(RejectedByBroker, pattern=r"semi-auto"),
        ErrorRule(InsufficientFunds, pattern=r"insufficient (funds|margin|balance)"),
        ErrorRule(OrderNotWorking, pattern=r"cannot (modify|cancel) order in"),
        ErrorRule(RiskBlocked, status=403),
        ErrorRule(NotSupported, status=501),
        ErrorRule(NotSupported, pattern=r"broker-specific module not found", status=404),
        ErrorRule(NetError, status=503),
    ),
    limits={"all": (Rate(40),), "orders": (Rate(10),)},
    exchanges=identity(list(Exchange)),
    products=identity(list(Product)),
    price_types=identity(list(PriceType)),
    actions=identity(list(Action)),
    statuses=TwoWay(
        {status: status.value for status in OrderStatus},
        also={
            "trigger_pending": OrderStatus.TRIGGER_PENDING,
            "canceled": OrderStatus.CANCELLED,
            "filled": OrderStatus.COMPLETE,
            "completed": OrderStatus.COMPLETE,
        },
    ),
    ops={
        "profile": _post("ping", _KEY, reply="data"),
        "mode": _post("analyzer", _KEY, reply="data"),
        "place": _write("placeorder", {**_KEY, "strategy": "$strategy", **_ORDER}),
        "modify": _write("modifyorder", {**_MINE, "orderid": "$order_id", **_ORDER}),
        "cancel": _write("cancelorder", {**_MINE, "orderid": "$order_id"}),
        "orders": _post("orderbook", _KEY, reply="data.orders"),
        "trades": _post("tradebook", _KEY, reply="data"),
        "positions": _post("positionbook", _KEY, reply="data"),
        "holdings": _post("holdings", _KEY, reply="data.holdings"),
        "funds": _post("funds", _KEY, reply="data"),
        "margin": _post("margin", {**_KEY, "positions": "$positions"}, reply="data"),
        "gtt_place": _write("placegttorder", {**_KEY, "strategy": "$strategy", **_GTT}),
        "gtt_modify": _write(
            "modifygttorder",
            {**_KEY, "strategy": "$strategy", "trigger_id": "$trigger_id", **_GTT},
        ),
        "gtt_cancel": _write("cancelgttorder", {**_MINE, "trigger_id": "$trigger_id"}),
        "gtt_orders": _post("gttorderbook", _KEY, reply="data"),
        "quotes": _post("multiquotes", {**_KEY, "symbols": "$symbols"}, reply="results"),
        "depth": _post("depth", {**_KEY, **_INSTRUMENT}, reply="data"),
        "history": _post(
            "history",
            {
                **_KEY,
                **_INSTRUMENT,
                "interval": "$wire_interval",
                "start_date": "$from_date",
                "end_date": "$to_date",
            },
            reply="data",
            timeout=30.0,
        ),
        "intervals": _post("intervals", _KEY, reply="data"),
    },
    rows={
        "ack": {"order_id": "orderid", "trigger_id": "trigger_id"},
        "order": {
            "order_id": "orderid",
            "brsymbol": "symbol",
            "exchange": "exchange",
            "action": "action",
            "quantity": "quantity",
            "price": "price",
            "trigger_price": "trigger_price",
            "price_type": "pricetype|price_type",
            "product": "product",
            "status": "order_status",
            "filled_quantity": "filled_quantity",
            "pending_quantity": "pending_quantity",
            "average_price": "average_price",
            "rejection_reason": "rejection_reason",
            "placed_at": "timestamp",
        },
        "trade": {
            "trade_id": "tradeid|trade_id",
            "order_id": "orderid",
            "brsymbol": "symbol",
            "exchange": "exchange",
            "action": "action",
            "product": "product",
            "quantity": "quantity",
            "price": "average_price|price",
            "traded_at": "timestamp",
        },
        "position": {
            "brsymbol": "symbol",
            "exchange": "exchange",
            "product": "product",
            "quantity": "quantity",
            "average_price": "average_price",
            "ltp": "ltp",
            "pnl": "pnl",
        },
        "holding": {
            "brsymbol": "symbol",
            "exchange": "exchange",
            "quantity": "quantity",
            "average_price": "average_price",
            "ltp": "ltp",
        },
        "funds": {
            "available_cash": "availablecash",
            "collateral": "collateral",
            "m2m_realised": "m2mrealized",
            "m2m_unrealised": "m2munrealized",
            "utilised": "utiliseddebits",
        },
        "margin": {
            "total": "total_margin_required",
            "span": "span_margin",
            "exposure": "exposure_margin",
        },
        "quote": {
            "ltp": "ltp",
            "open": "open",
            "high": "high",
            "low": "low",
            "close": "prev_close",
            "volume": "volume",
            "oi": "oi",
            "bid": "bid",
            "ask": "ask",
            "bid_quantity": "bid_qty",
            "ask_quantity": "ask_qty",
            "last_quantity": "ltq",
            "total_buy_quantity": "totalbuyqty",
            "total_sell_quantity": "totalsellqty",
            "buy": "bids",
            "sell": "asks",
        },
    },
    # The server's own file changes when its master does; it may also sit on another broker.
    master=msgspec.structs.replace(MASTER, refresh=time(8, 30)),
    streams=(
        StreamSpec(
            url="",
            codec=OpenAlgoCodec,
            modes={mode: str(int(mode)) for mode in FeedMode},
            per_socket=3000,
            batch=500,
            ping=4.0,
            ping_frame=PING_FRAME,
            silence=12.0,
            carries=frozenset({MARKET, ORDERS}),
        ),
    ),
    capabilities=Capabilities(
        discloses=True,
        exchanges=tuple(Exchange),
        products={
            **dict.fromkeys(sorted(CASH_EXCHANGES), _CASH),
            **dict.fromkeys(sorted(DERIVATIVE_EXCHANGES), _DERIVATIVE),
        },
        intervals={
            interval: IntervalRule(interval.value, _DAYS[interval.is_intraday])
            for interval in Interval
        },
        quote_batch=200,
        margin=True,
        gtt=True,
        tags=False,
    ),
    http2=False,
    # A second instance of this program is the server of the tests.
    evidence=dict.fromkeys("LMOGBQFPE", ("emulator", "server")),
)
