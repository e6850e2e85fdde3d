"""Fyers (API v3) as tables. Sources: myapi.fyers.in/docsv3 (as exported on 9 July 2026) and PyPI
``fyers-apiv3`` 3.2.0."""

from __future__ import annotations

from datetime import time
from typing import Any

from openalgo_desktop.brokers.fyers.feed import PING_FRAME, HsmCodec
from openalgo_desktop.brokers.fyers.master import COLUMNS, EXCHANGES, read_line, read_row
from openalgo_desktop.brokers.fyers.sockets import LEVELS, OrderCodec, TbtCodec
from openalgo_desktop.brokers.kit import spec as k
from openalgo_desktop.core import enums as e
from openalgo_desktop.core import errors as err

_AUTHORIZATION = {"Authorization": "{api_key}:{access_token}"}
_CASH, _DERIVATIVE = ((first, e.Product.MIS) for first in (e.Product.CNC, e.Product.NRML))
_DERIVATIVES = [e.Exchange(name) for name in ("NFO", "BFO", "CDS", "MCX", "NCO")]
_PRICES = k.table(
    "qty=$quantity:int type=$wire_price_type limitPrice=$price:float stopPrice=$trigger_price:float"
)
_SIDE = k.table("symbol=$brsymbol side=$wire_action productType=$wire_product")
_NO_LEGS = {"stopLoss": 0, "takeProfit": 0}
#: One leg of a margin request.
LEG = {**_SIDE, **_PRICES, **_NO_LEGS}


def _op(method: str, path: str, body: Any = None, **more: Any) -> k.Op:
    encoding = "none" if body is None else "json"
    return k.Op(method=method, path=path, encoding=encoding, body=body or {}, **more)


def _write(method: str, path: str, body: dict[str, Any], **more: Any) -> k.Op:
    return _op(method, f"/api/v3{path}", body, write=True, **more)


def _token(path: str, grant: str, gives: str, **more: str) -> tuple[k.LoginStep, ...]:
    """The request that gives the access token, and what the token says."""
    body = {"grant_type": grant, "appIdHash": "$app_id_hash", **more}
    ask = _op("POST", f"/api/v3/{path}", body, public=True, headers={"accept": "application/json"})
    return (
        k.Compute({"app_id_hash": "sha256:{api_key}:{api_secret}"}),
        k.Call(ask, k.table(gives)),
        k.Hook("claims"),
    )


_APP = (
    k.Field("api_key", "App id", stored=True, help="With its suffix, as ABCD1234XY-100."),
    k.Field("api_secret", "Secret id", secret=True, stored=True),
)
_EXTRAS = ("hsm_key", "refresh_token")
_LOGINS = (
    k.Login(
        id="browser",
        title="Browser login",
        steps=(
            k.Ask(_APP),
            k.Browser(
                "https://api-t1.fyers.in/api/v3/generate-authcode?client_id={api_key}"
                "&redirect_uri={redirect_url}&response_type=code&state={state}",
                {"auth_code": "auth_code"},
            ),
            *_token(
                "validate-authcode",
                "authorization_code",
                "access_token refresh_token",
                code="$auth_code",
            ),
        ),
        extras=_EXTRAS,
    ),
    # The documentation announces the end of refresh tokens; until then they live for 15 days.
    k.Login(
        id="refresh",
        title="PIN, within 15 days of a browser login",
        steps=(
            k.Ask(
                (
                    *_APP,
                    k.Field("refresh_token", "Refresh token", secret=True, stored=True),
                    k.Field("pin", "PIN", secret=True, stored=True),
                )
            ),
            *_token(
                "validate-refresh-token",
                "refresh_token",
                "access_token",
                refresh_token="$refresh_token",
                pin="$pin",
            ),
        ),
        extras=_EXTRAS,
        by_hand=True,
    ),
)
_ROWS = {
    "ack": k.table("order_id=id trigger_id=id"),
    # Pushed orders have the names of the OMS: map.json, order_mapper.
    "order": k.table(
        "order_id=id brsymbol=symbol exchange segment action=side|tran_side"
        " quantity=qty price=limitPrice|price_limit trigger_price=stopPrice|price_stop"
        " disclosed_quantity=disclosedQty|discloseQty|qty_disclosed"
        " validity=orderValidity|validity price_type=type|ord_type"
        " product=productType|product_type status=state filled_quantity=filledQty|qty_filled"
        " pending_quantity=remainingQuantity|qty_remaining"
        " average_price=tradedPrice|price_traded rejection_reason=message|oms_msg"
        " placed_at=orderDateTime|time_oms tag"
    ),
    "trade": k.table(
        "trade_id=tradeNumber order_id=orderNumber brsymbol=symbol exchange segment"
        " action=side product=productType quantity=tradedQty price=tradePrice"
        " traded_at=orderDateTime"
    ),
    "position": k.table(
        "brsymbol=symbol exchange segment product=productType quantity=netQty"
        " average_price=netAvg ltp pnl=pl buy_quantity=buyQty sell_quantity=sellQty"
    ),
    "holding": k.table(
        "brsymbol=symbol exchange segment quantity t1_quantity=t1"
        " pledged=collateralQuantity average_price=costPrice ltp"
    ),
    # Of these orders; ``margin_new_order`` is that of the existing positions as well.
    "margin": {"total": "margin_total"},
    "quote": k.table(
        "ltp=ltp|lp ltt open=o|open_price high=h|high_price low=l|low_price"
        " close=c|prev_close_price volume=v|volume last_quantity=ltq average_price=atp oi bid ask"
        " total_buy_quantity=totalbuyqty total_sell_quantity=totalsellqty"
        " upper_circuit=upper_ckt lower_circuit=lower_ckt buy=bids sell=asks"
    ),
    "level": k.table("price quantity=volume orders=ord"),
    "candle": {"list": "candles"},
}
_INDEX_NAMES = k.Call(
    k.Op(
        method="GET",
        path="/sym_details/index_hsm_mapping.json",
        host="public",
        public=True,
        envelope=k.Envelope(),
    ),
    {"index_names": ""},
    optional=True,
)
_MINUTES = {
    **{f"{n}m": str(n) for n in (1, 2, 3, 5, 10, 15, 20, 30)},
    **{f"{n}h": str(60 * n) for n in (1, 2, 3, 4)},
}

SPEC = k.BrokerSpec(
    id="fyers",
    title="Fyers",
    docs="https://myapi.fyers.in/docsv3",
    hosts={
        "rest": "https://api-t1.fyers.in",
        "public": "https://public.fyers.in",
        "stream": "wss://socket.fyers.in",
        "books": "wss://rtsocket-api.fyers.in",
    },
    headers={**_AUTHORIZATION, "Content-Type": "application/json"},
    logins=_LOGINS,
    session_ends=time(6, 0),
    session_end_value="access_token",
    envelope=k.Envelope(state="s", ok=("ok",), bad=("error",), code="code"),
    errors=(
        k.ErrorRule(err.NetError, code="201"),  # made and not acknowledged: see ``_ack``
        k.ErrorRule(err.RateLimited, status=429),
        k.ErrorRule(err.RateLimited, code="-429"),
        *(k.ErrorRule(err.SessionExpired, code=code) for code in ("-8", "-15", "-16", "-17")),
        k.ErrorRule(err.InsufficientFunds, pattern=r"margin shortfall|insufficient (funds|margin)"),
        k.ErrorRule(err.OrderNotWorking, code="-52"),
        k.ErrorRule(err.OrderNotWorking, pattern=r"not a pending order"),
        k.ErrorRule(err.InvalidOrder, code="-50"),
        k.ErrorRule(err.RejectedByBroker, code="-99"),
    ),
    limits={"all": (k.Rate(10), k.Rate(200, 60), k.Rate(100_000, 86_400))},
    exchanges=k.TwoWay({e.Exchange(name): wire for wire, name in EXCHANGES.items()}),
    products=k.TwoWay({e.Product.CNC: "CNC", e.Product.NRML: "MARGIN", e.Product.MIS: "INTRADAY"}),
    price_types=k.TwoWay(
        {e.PriceType.LIMIT: 1, e.PriceType.MARKET: 2, e.PriceType.SLM: 3, e.PriceType.SL: 4}
    ),
    actions=k.TwoWay({e.Action.BUY: 1, e.Action.SELL: -1}),
    # A pending stop order is told by its type and trigger: the API class makes ``state``.
    statuses=k.TwoWay(
        {
            e.OrderStatus.CANCELLED: "1",
            e.OrderStatus.COMPLETE: "2",
            e.OrderStatus.REJECTED: "5",
            e.OrderStatus.OPEN: "6",
            e.OrderStatus.TRIGGER_PENDING: "STOP",
        },
        also={"3": e.OrderStatus.OPEN, "4": e.OrderStatus.OPEN, "7": e.OrderStatus.CANCELLED},
    ),
    # Order Placement Guide, Quantity Validations: "Currency Derivatives: The quantity will be in
    # multiples of 1", "Commodity Derivatives: The quantity will be in multiples of 1", unlike
    # equity derivatives (the lot size); its samples order MCX:SILVERM (5 kg a lot) with qty 1.
    in_contracts=frozenset(e.Exchange(name) for name in ("CDS", "BCD", "MCX", "NCO")),
    ops={
        "profile": _op("GET", "/api/v3/profile"),
        "logout": _op("POST", "/api/v3/logout"),
        "place": _write(
            "POST",
            "/orders/sync",
            {
                **_SIDE,
                **_PRICES,
                **_NO_LEGS,
                "validity": "$wire_validity",
                "disclosedQty": "$disclosed_quantity:int",
                "offlineOrder": False,
                "orderTag": "$tag",
            },
        ),
        "modify": _write(
            "PATCH",
            "/orders/sync",
            {"id": "$order_id", **_PRICES, "disclosedQty": "$disclosed_quantity:int?"},
            keeps=("wire_validity",),
        ),
        "cancel": _write("DELETE", "/orders/sync", {"id": "$order_id"}),
        "convert": _write(
            "POST",
            "/positions",
            k.table(
                "symbol=$position_id positionSide=$wire_action convertQty=$quantity:int"
                " convertFrom=$wire_product convertTo=$wire_to_product overnight=$overnight"
            ),
        ),
        "orders": _op("GET", "/api/v3/orders", reply="orderBook"),
        "trades": _op("GET", "/api/v3/tradebook", reply="tradeBook"),
        "positions": _op("GET", "/api/v3/positions", reply="netPositions"),
        "holdings": _op("GET", "/api/v3/holdings", reply="holdings"),
        "funds": _op("GET", "/api/v3/funds", reply="fund_limit"),
        "margin": _op("POST", "/api/v3/multiorder/margin", {"data": "$legs"}, reply="data"),
        "gtt_place": _write(
            "POST", "/gtt/orders/sync", {**_SIDE, "orderInfo": "$legs", "orderTag": "$tag"}
        ),
        "gtt_modify": _write(
            "PATCH", "/gtt/orders/sync", {"id": "$trigger_id", "orderInfo": "$legs"}
        ),
        "gtt_cancel": _write("DELETE", "/gtt/orders/sync", {"id": "$trigger_id"}),
        "gtt_orders": _op("GET", "/api/v3/gtt/orders", reply="orderBook"),
        "quotes": _op("GET", "/data/quotes", query={"symbols": "$symbols"}, reply="d"),
        "depth": _op(
            "GET", "/data/depth", query={"symbol": "$brsymbol", "ohlcv_flag": "1"}, reply="d"
        ),
        "history": _op(
            "GET",
            "/data/history",
            query=k.table(
                "symbol=$brsymbol resolution=$wire_interval date_format=1 range_from=$from_date"
                " range_to=$to_date cont_flag=1 oi_flag=$oi_flag?"
            ),
            envelope=k.Envelope(state="s", ok=("ok", "no_data"), bad=("error",), code="code"),
        ),
    },
    rows=_ROWS,
    master=k.MasterSpec(
        files=(
            *(
                k.MasterFile(
                    path=f"/sym_details/{name}.csv",
                    host="public",
                    name=name,
                    header=COLUMNS,
                    reader=read_line,
                )
                for name in ("NSE_CM", "BSE_CM", "NSE_FO", "BSE_FO")
            ),
            *(
                k.MasterFile(
                    path=f"/sym_details/{name}_sym_master.json",
                    host="public",
                    name=name,
                    form="json",
                    rows="*",
                )
                for name in ("NSE_CD", "MCX_COM", "NSE_COM")
            ),
        ),
        reader=read_row,
    ),
    streams=(
        k.StreamSpec(
            url="/hsm/v1-5/prod",
            codec=HsmCodec,
            fetch=(_INDEX_NAMES,),
            modes={e.FeedMode.LTP: "sf", e.FeedMode.QUOTE: "sf", e.FeedMode.DEPTH: "sf dp"},
            per_socket=5000,
            batch=500,
            confirms=5.0,
            ping=10.0,
            ping_frame=PING_FRAME,
            silence=0.0,  # its beat may find no answer; WebSocket pings find a dead line
        ),
        k.StreamSpec(
            id="books",
            host="books",
            url="/versova",
            codec=TbtCodec,
            headers=_AUTHORIZATION,
            modes={e.FeedMode.DEPTH: "depth"},
            levels=(LEVELS,),
            per_socket=5,
            sockets=3,
            batch=5,
            ping=10.0,
            ping_frame="ping",
            silence=30.0,
        ),
        k.StreamSpec(
            id="orders",
            url="/trade/v3",
            codec=OrderCodec,
            headers=_AUTHORIZATION,
            carries=frozenset({k.ORDERS}),
            ping=10.0,
            ping_frame="ping",
            silence=30.0,
        ),
    ),
    capabilities=k.Capabilities(
        exchanges=(*map(e.Exchange, ("NSE", "BSE", *_DERIVATIVES, "NSE_INDEX", "BSE_INDEX")),),
        products={
            e.Exchange.NSE: _CASH,
            e.Exchange.BSE: _CASH,
            **dict.fromkeys(_DERIVATIVES, _DERIVATIVE),
        },
        intervals={
            **{e.Interval(f"{n}s"): k.IntervalRule(f"{n}S", 25) for n in (5, 10, 15, 30, 45)},
            # 100 days are allowed; 60 keep an answer small.
            **{e.Interval(name): k.IntervalRule(wire, 60) for name, wire in _MINUTES.items()},
            e.Interval.DAY: k.IntervalRule("1D", 366),
        },
        validities={e.Validity.DAY: "DAY", e.Validity.IOC: "IOC"},
        discloses=True,
        quote_batch=50,
        margin=True,
        gtt=True,
        converts=True,
        static_ip=True,
    ),
    evidence={
        **dict.fromkeys("LMOBQPE", ("emulator", "vectors")),
        "G": ("emulator",),
        "F": ("emulator", "vectors", "sdk"),
    },
)
