"""Angel One (SmartAPI) as tables. Sources: https://smartapi.angelone.in/docs, PyPI
``smartapi-python`` 1.5.5, and the forum of the makers (smartapi.angelbroking.com/topic/...)."""

from __future__ import annotations

from datetime import time
from typing import Any

from openalgo_desktop.brokers.angel.feed import LEVELS, AngelCodec, OrderCodec
from openalgo_desktop.brokers.angel.master import read_row
from openalgo_desktop.brokers.kit import spec as k
from openalgo_desktop.core import enums as e
from openalgo_desktop.core import errors as x

_SECURE = "/rest/secure/angelbroking"
_E = e.Exchange
_WIRE = (_E.NSE, _E.BSE, _E.NFO, _E.BFO, _E.CDS, _E.MCX)
#: The client's addresses are the ones that the broker sees; these are wanted and not used.
_APP = {
    "Content-Type": "application/json",
    "accept": "application/json",
    "X-UserType": "USER",
    "X-SourceID": "WEB",
    "X-ClientLocalIP": "127.0.0.1",
    "X-ClientPublicIP": "127.0.0.1",
    "X-MACAddress": "02:00:00:00:00:00",
    "X-PrivateKey": "{api_key}",
}
_SESSION = {**_APP, "Authorization": "Bearer {access_token}"}
_SCRIP = "tradingsymbol=$brsymbol symboltoken=$token exchange=$wire_exchange "
_TERMS = (
    "variety=$variety ordertype=$wire_price_type producttype=$wire_product duration=$wire_validity "
    "price=$price:text triggerprice=$trigger_price:text stoploss=$trigger_price:text "
    "quantity=$quantity:text "
)
#: Legs take limits only; an OCO's main leg is the target, says the maker (topic/5155).
_RULE = k.table(
    _SCRIP + "producttype=$wire_product transactiontype=$wire_action price=$price qty=$quantity "
    "disclosedqty=$disclosed_quantity triggerprice=$trigger_price timeperiod=$days"
)
_OCO = k.table("gttType=$gtt_type? stoplossprice=$stop_price? stoplosstriggerprice=$stop_trigger?")
#: What a conversion repeats of the position's row.
HELD = (
    "symbolname", "instrumenttype", "priceden", "pricenum", "genden", "gennum", "precision",
    "multiplier", "boardlotsize", "buyqty", "sellqty", "buyamount", "sellamount",
)  # fmt: skip
#: One leg of a margin request.
LEG = k.table(
    "exchange=$wire_exchange qty=$quantity:int price=$price:float productType=$wire_product "
    "token=$token tradeType=$wire_action orderType=$wire_price_type"
)


def _op(path: str, body: Any = None, **more: Any) -> k.Op:
    """A read by GET, or by POST where it has a body."""
    path = path if "/rest/" in path else _SECURE + path
    if body is None:
        return k.Op(method="GET", path=path, **more)
    return k.Op(method="POST", path=path, encoding="json", body=body, **more)


def _write(path: str, body: Any, limit: str = "orders") -> k.Op:
    return _op(path, k.table(body) if " " in body else body, write=True, limit=limit)


TOKENS = k.table("access_token=jwtToken refresh_token=refreshToken feed_token=feedToken")
#: Its answer is tokens, and a refusal is of the refresh token: not of a session that is open.
RENEW = _op(
    "/rest/auth/angelbroking/jwt/v1/generateTokens", {"refreshToken": "$refresh_token"},
    public=True, headers=_SESSION, limit="login",
)  # fmt: skip
_KEPT: dict[str, Any] = {
    "session": ("access_token", "feed_token"),
    "extras": ("refresh_token",),
}
_KEY = k.Field("api_key", "API key", secret=True, stored=True)
_CLIENT = k.Field("client_id", "Client code", stored=True)
_LOGINS = (
    k.Login(
        id="pin",
        title="PIN and one-time code",
        steps=(
            k.Ask((
                _KEY,
                _CLIENT,
                k.Field("pin", "PIN", secret=True, stored=True),
                k.Field(
                    "totp_secret", "TOTP secret", secret=True, stored=True, optional=True,
                    help="With it the login needs nobody.",
                ),
            )),
            k.Compute({"totp": "totp:{totp_secret}"}),
            k.Ask((k.Field("totp", "One-time code", digits=6),)),
            k.Call(
                _op("/rest/auth/angelbroking/user/v1/loginByPassword",
                    k.table("clientcode=$client_id password=$pin totp=$totp"),
                    public=True, headers=_APP, limit="login"),
                TOKENS,
            ),
            k.Hook("bare"),
        ),
        **_KEPT,
    ),
    k.Login(
        id="browser",
        title="Browser login (an app of type Publisher)",
        steps=(
            k.Ask((_KEY,)),
            k.Browser(
                "https://smartapi.angelone.in/publisher-login?api_key={api_key}&state={state}",
                k.table("auth_token=access_token feed_token"),
            ),
            k.Hook("bare"),
            k.Call(
                _op("/user/v1/getProfile", public=True, headers=_SESSION),
                {"client_id": "clientcode"},
            ),
        ),
        **_KEPT,
    ),
    k.Login(
        id="renewal",
        title="A new token for the last session",
        steps=(
            k.Ask((_KEY, _CLIENT, k.Field("refresh_token", "Refresh token", secret=True,
                                          stored=True))),
            k.Hook("renewed"),
            k.Hook("bare"),
        ),
        **_KEPT,
    ),
)  # fmt: skip
_CANDLES = k.table(
    "exchange=$wire_exchange symboltoken=$token interval=$wire_interval fromdate=$from_time "
    "todate=$to_time"
)
_GTT = "/gtt-service" + _SECURE + "/gtt/v1"
_OPS = {
    "profile": _op("/user/v1/getProfile"),
    "logout": _op("/user/v1/logout", k.table("clientcode=$client_id")),
    "place": _write(
        "/order/v1/placeOrder",
        f"{_SCRIP}{_TERMS} transactiontype=$wire_action squareoff=0 ordertag=$tag "
        "disclosedquantity=$disclosed_quantity:text?",
    ),
    "modify": _write(
        "/order/v1/modifyOrder",
        f"{_SCRIP}{_TERMS} orderid=$order_id disclosedquantity=$disclosed_quantity:text",
    ),
    "cancel": _write("/order/v1/cancelOrder", "variety=$variety orderid=$order_id"),
    "convert": _write(
        "/order/v1/convertPosition",
        f"{_SCRIP} oldproducttype=$wire_product newproducttype=$wire_to_product type=DAY "
        f"transactiontype=$wire_action quantity=$quantity {' '.join(f'{n}=${n}' for n in HELD)}",
    ),
    "orders": _op("/order/v1/getOrderBook", limit="orderbook"),
    "trades": _op("/order/v1/getTradeBook", limit="tradebook"),
    "positions": _op("/order/v1/getPosition", limit="positions"),
    "holdings": _op("/portfolio/v1/getAllHolding", reply="holdings", limit="holdings"),
    "funds": _op("/user/v1/getRMS", limit="funds"),
    "margin": _op("/margin/v1/batch", {"positions": "$legs"}, limit="margin"),
    "quotes": _op(
        "/market/v1/quote/", {"mode": "FULL", "exchangeTokens": "$tokens"}, limit="quotes"
    ),
    "history": _op("/historical/v1/getCandleData", _CANDLES, limit="history"),
    "history_oi": _op("/historical/v1/getOIData", _CANDLES, limit="history"),
    "gtt_place": _write(f"{_GTT}/createRule", {**_RULE, **_OCO}, "gtt"),
    "gtt_modify": _write(f"{_GTT}/modifyRule", {**_RULE, "id": "$trigger_id"}, "gtt"),
    "gtt_cancel": _write(
        f"{_GTT}/cancelRule", "id=$trigger_id symboltoken=$token exchange=$wire_exchange", "gtt"
    ),
    "orders_rule": _op("/gtt/v1/ruleDetails", {"id": "$trigger_id"}, limit="gtt"),
    "gtt_orders": _op(
        "/gtt/v1/ruleList",
        {"status": ["NEW", "ACTIVE"], "page": "$page", "count": 50},
        limit="gtt",
        pages=k.Pages(value="page", first=1),
    ),
}
_NAMES = "brsymbol=tradingsymbol exchange product=producttype action=transactiontype "
_ROWS = {
    "ack": k.table("order_id=orderid trigger_id=id"),
    "order": k.table(
        f"{_NAMES} token=symboltoken order_id=orderid quantity price trigger_price=triggerprice "
        "disclosed_quantity=disclosedquantity validity=duration price_type=ordertype "
        "status filled_quantity=filledshares pending_quantity=unfilledshares "
        "average_price=averageprice rejection_reason=text placed_at=updatetime "
        "updated_at=exchorderupdatetime|updatetime tag=ordertag"
    ),
    "trade": k.table(
        f"{_NAMES} trade_id=fillid order_id=orderid quantity=fillsize price=fillprice "
        "traded_at=filltime"
    ),
    "position": k.table(
        "brsymbol=tradingsymbol token=symboltoken exchange product=producttype quantity=netqty "
        "average_price=avgnetprice ltp pnl buy_quantity=buyqty sell_quantity=sellqty"
    ),
    "holding": k.table(
        "brsymbol=tradingsymbol token=symboltoken exchange quantity=realisedquantity|quantity "
        "t1_quantity=t1quantity pledged=collateralquantity average_price=averageprice ltp"
    ),
    "margin": k.table("total=totalMarginRequired span=marginComponents.spanMargin"),
    "quote": k.table(
        "ltp ltt=exchTradeTime open high low close volume=tradeVolume last_quantity=lastTradeQty "
        "average_price=avgPrice oi=opnInterest total_buy_quantity=totBuyQuan "
        "total_sell_quantity=totSellQuan upper_circuit=upperCircuit lower_circuit=lowerCircuit "
        "week_52_high=52WeekHigh week_52_low=52WeekLow buy=depth.buy sell=depth.sell"
    ),
}
#: Between two states.
_SETTLING = frozenset((
    "open pending", "validation pending", "put order req received", "modify pending",
    "modify validation pending", "cancel pending",
))  # fmt: skip
_WORKING = (
    *_SETTLING, "after market order req received", "modify after market order req received",
    "modified", "not modified", "not cancelled",
)  # fmt: skip
_FILES, _FILE = "/OpenAPI_File/files", "OpenAPIScripMaster.json"
#: Requests by seconds, as documented; of orders the exchanges' ten for programs that have no id.
_LIMITS: dict[str, tuple[tuple[int, float], ...]] = {
    **dict.fromkeys(("login", "orderbook", "tradebook", "positions", "holdings"), ((1, 1),)),
    **dict.fromkeys(("gtt", "margin", "quotes"), ((10, 1),)),
    "funds": ((2, 1),),
    "orders": ((10, 1), (500, 60), (1000, 3600)),
    "history": ((3, 1), (180, 60)),
}
_CASH, _CARRIED = (e.Product.CNC, e.Product.MIS), (e.Product.NRML, e.Product.MIS)
_S = e.OrderStatus
#: Candles by the most days of one request.
_INTERVALS = {
    30: "1m=ONE_MINUTE",
    60: "3m=THREE_MINUTE",
    100: "5m=FIVE_MINUTE 10m=TEN_MINUTE",
    200: "15m=FIFTEEN_MINUTE 30m=THIRTY_MINUTE",
    400: "1h=ONE_HOUR",
    2000: "D=ONE_DAY",
}

SPEC = k.BrokerSpec(
    id="angel",
    title="Angel One",
    docs="https://smartapi.angelone.in/docs",
    hosts={
        "rest": "https://apiconnect.angelone.in",
        "stream": "wss://smartapisocket.angelone.in",
        "orders": "wss://tns.angelone.in",
        "files": "https://margincalculator.angelbroking.com",
    },
    headers=_SESSION,
    logins=_LOGINS,
    session_ends=time(0, 0),
    session_end_value="access_token",
    envelope=k.Envelope(
        state="status|success",
        ok=("True",),
        bad=("False",),
        data="data",
        code="errorcode|errorCode",
    ),
    errors=(
        k.ErrorRule(x.RateLimited, status=403, pattern=r"exceeding access rate"),
        k.ErrorRule(x.RateLimited, status=429),
        k.ErrorRule(x.RateLimited, code="AB1021"),  # "Too many requests", with status 200
        *(
            k.ErrorRule(x.SessionExpired, code=code)
            for code in ("AG8001", "AG8002", "AG8003", "AB1010", "AB1011", "AB8050", "AB8051")
        ),
        k.ErrorRule(x.BadCredentials, code="AB1050", field="totp"),
        # The makers' words for trouble of their own: nobody knows what became of an order.
        *(k.ErrorRule(x.NetError, code=code) for code in ("AB1004", "AB2000", "AB2001")),
        k.ErrorRule(x.InsufficientFunds, pattern=r"insufficient (fund|margin|bal)|margin exceed"),
        k.ErrorRule(
            x.OrderNotWorking,
            pattern=r"already (cancelled|complete|reject|exec)|cannot be (modif|cancel)|"
            r"order (is )?not (in )?open",
        ),
    ),
    limits={name: tuple(k.Rate(*rate) for rate in rates) for name, rates in _LIMITS.items()},
    exchanges=k.identity(_WIRE),
    products=k.TwoWay(
        {
            e.Product.CNC: "DELIVERY",
            e.Product.MIS: "INTRADAY",
            e.Product.NRML: "CARRYFORWARD",
        }
    ),
    price_types=k.TwoWay(
        {
            e.PriceType.MARKET: "MARKET",
            e.PriceType.LIMIT: "LIMIT",
            e.PriceType.SL: "STOPLOSS_LIMIT",
            e.PriceType.SLM: "STOPLOSS_MARKET",
        }
    ),
    actions=k.identity(list(e.Action)),
    statuses=k.identity(
        [_S.OPEN, _S.TRIGGER_PENDING, _S.COMPLETE, _S.CANCELLED, _S.REJECTED],
        {"cancelled after market order": _S.CANCELLED, **dict.fromkeys(_WORKING, _S.OPEN)},
    ),
    settling=_SETTLING,
    repeats={"variety": k.Repeat("variety")},
    # NFO and BFO want multiples of the lot (topic/4534). Neither the documentation nor an SDK says
    # what is counted on MCX and CDS.
    doubted=frozenset((_E.MCX, _E.CDS)),
    ops=_OPS,
    rows=_ROWS,
    master=k.MasterSpec(
        files=(k.MasterFile(path=f"{_FILES}/{_FILE}", host="files", name=_FILE, form="json"),),
        reader=read_row,
    ),
    streams=(
        k.StreamSpec(
            url="/smart-stream",
            codec=AngelCodec,
            headers=k.table(
                "Authorization={access_token} x-api-key={api_key} x-client-code={client_id} "
                "x-feed-token={feed_token}"
            ),
            modes={e.FeedMode.LTP: "1", e.FeedMode.QUOTE: "2", e.FeedMode.DEPTH: "3"},
            levels=(5, LEVELS),
            sockets=3,
            ping=10.0,
            ping_frame="ping",
            silence=30.0,
        ),
        k.StreamSpec(
            id="orders",
            url="/smart-order-update",
            host="orders",
            codec=OrderCodec,
            headers={"Authorization": "Bearer {access_token}"},
            carries=frozenset({k.ORDERS}),
            ping=10.0,
            silence=0.0,  # no order, no frame; WebSocket pings find a dead line
        ),
    ),
    capabilities=k.Capabilities(
        validities={e.Validity.DAY: "DAY", e.Validity.IOC: "IOC"},
        discloses=True,
        exchanges=(*_WIRE, _E.NSE_INDEX, _E.BSE_INDEX, _E.MCX_INDEX),
        products={
            exchange: _CASH if exchange in e.CASH_EXCHANGES else _CARRIED for exchange in _WIRE
        },
        intervals={
            e.Interval(ours): k.IntervalRule(theirs, days)
            for days, text in _INTERVALS.items()
            for ours, theirs in k.table(text).items()
        },
        quote_batch=50,
        margin=True,
        gtt=True,
        converts=True,
        static_ip=True,
    ),
    evidence={
        **dict.fromkeys("LMOBQPE", ("emulator", "vectors")),
        "F": ("emulator", "vectors", "sdk"),
        "G": ("emulator",),
    },
)
