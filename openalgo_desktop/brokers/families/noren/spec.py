"""The tables of the family, filled with what a member says.

Sources: NorenApi of PyPI ``norenrestapi`` (OAuth generation), https://pi.flattrade.in/docs,
https://github.com/Shoonya-Dev/ShoonyaApi-py.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from openalgo_desktop.brokers.families.noren.feed import PING_FRAME, NorenCodec
from openalgo_desktop.brokers.families.noren.member import (
    CASH,
    CHUNKS,
    DERIVATIVES,
    TOKEN_CALL,
    TRIGGERS,
    Member,
)
from openalgo_desktop.brokers.families.noren.words import (
    ACTIONS,
    ERRORS,
    EXCHANGES,
    PRICE_TYPES,
    PRODUCTS,
    ROWS,
    SETTLING,
    STATUSES,
)
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
    Field,
    IntervalRule,
    Login,
    Op,
    StreamSpec,
    identity,
)
from openalgo_desktop.core.enums import (
    FeedMode,
    Interval,
    PriceType,
    Product,
    Validity,
)

_USER = {"uid": "$client_id"}
_ACCOUNT = {"uid": "$client_id", "actid": "$client_id"}
_NAMES = {"exch": "$wire_exchange", "tsym": "$brsymbol"}
_SIDE = {"prd": "$wire_product", "trantype": "$wire_action", "prctyp": "$wire_price_type"}
_LEG = {
    **_NAMES,
    "qty": "$quantity:text",
    "prc": "$price:text",
    "trgprc": "$trigger_price:text",
    **_SIDE,
}


def _oco_leg(price: str) -> dict[str, Any]:
    return {
        **_ACCOUNT,
        **_NAMES,
        **_SIDE,
        "qty": "$quantity:text",
        "prc": f"${price}:text",
        "ret": "DAY",
        "ordersource": "API",
    }


#: Of the two values ``x`` is the one above the price and belongs to the first order.
_OCO = {
    **_USER,
    **_NAMES,
    "ai_t": "LMT_BOS_O",
    "validity": "GTT",
    "remarks": "$tag?",
    "oivariable": [
        {"d": "$above:text", "var_name": "x"},
        {"d": "$below:text", "var_name": "y"},
    ],
    "place_order_params": _oco_leg("target"),
    "place_order_params_leg2": _oco_leg("stoploss"),
}
_WIRE_INTERVALS = {
    Interval.M1: "1",
    Interval.M3: "3",
    Interval.M5: "5",
    Interval.M10: "10",
    Interval.M15: "15",
    Interval.M30: "30",
    Interval.H1: "60",
    Interval.H2: "120",
    Interval.H4: "240",
}


def operations(m: Member) -> dict[str, Op]:
    """The requests; every one is a POST of ``jData``."""

    def op(path: str, body: dict[str, Any], **more: Any) -> Op:
        return Op(method="POST", path=path, encoding="jdata", body=body, **more)

    def write(path: str, body: dict[str, Any]) -> Op:
        return op(path, body, write=True, limit="orders")

    def trigger(path: str, body: dict[str, Any]) -> Op:
        return op(path, body, write=True, limit="orders", envelope=TRIGGERS, unwrap=True)

    protection = {"mkt_protection": "0"} if m.protection else {}
    data = _ACCOUNT if m.data_account else _USER
    # A chart's key is in the body: the session's header must not go with it.
    chart: dict[str, Any] = {"public": True} if m.chart_key else {}
    series = {"exch": "$wire_exchange", "token": "$token", "st": "$from_epoch:text",
              "et": "$to_epoch:text", "intrv": "$wire_interval"}  # fmt: skip
    alert = {"al_id": "$trigger_id"}
    single = {
        **_ACCOUNT,
        **_LEG,
        "trgprc": "0",
        "ai_t": "$alert",
        "validity": "GTT",
        "d": "$alert_price:text",
        "ret": "DAY",
        "dscqty": "0",
        "remarks": "$tag?",
    }
    limits = op("/Limits", _ACCOUNT)
    margins = {
        "margin": op("/GetBasketMargin", {**_ACCOUNT, **_LEG, "basketlists": "$basketlists?"})
        if m.basket
        else op("/GetOrderMargin", {**_ACCOUNT, **_LEG, "rorgqty": "0", "rorgprc": "0"})
    }
    return {
        "profile": limits,
        "logout": op("/Logout", _USER),
        "place": write(
            "/PlaceOrder",
            {
                **_ACCOUNT,
                **_LEG,
                "dscqty": "$disclosed_quantity:text",
                **protection,
                "ret": "$wire_validity",
                "ordersource": "API",
                "remarks": "$tag",
            },
        ),
        # A limit order with a trigger price is refused, even with one of 0.
        "modify": write(
            "/ModifyOrder",
            {
                **_USER,
                **_NAMES,
                "norenordno": "$order_id",
                "prctyp": "$wire_price_type",
                "prc": "$price:text",
                "qty": "$quantity:text",
                "ret": "$wire_validity",
                "dscqty": "$disclosed_quantity:text",
                "trgprc": "$trigger_price:text?",
            },
        ),
        "cancel": write("/CancelOrder", {**_USER, "norenordno": "$order_id"}),
        "convert": write(
            "/ProductConversion",
            {
                **_ACCOUNT,
                **_NAMES,
                "qty": "$quantity:text",
                "prd": "$wire_to_product",
                "prevprd": "$wire_product",
                "trantype": "$wire_action",
                "postype": "$position_type",
                "ordersource": "API",
            },
        ),
        "orders": op("/OrderBook", _ACCOUNT),
        "trades": op("/TradeBook", _ACCOUNT),
        "positions": op("/PositionBook", _ACCOUNT),
        "holdings": op("/Holdings", {**_ACCOUNT, "prd": "C"}),
        "funds": limits,
        **margins,
        "quotes": op("/GetQuotes", {**data, "exch": "$wire_exchange", "token": "$token"}),
        "history": op("/TPSeries", {**data, **series}, **chart),
        "history_day": op(
            "/EODChartData",
            {**data, "sym": "$chart_symbol", "from": "$from_epoch:text", "to": "$to_epoch:text"},
            **chart,
        ),
        "gtt_place": trigger("/PlaceGTTOrder", single),
        "gtt_modify": trigger("/ModifyGTTOrder", {**single, **alert}),
        "gtt_cancel": trigger("/CancelGTTOrder", {**_USER, **alert}),
        "oco_place": trigger("/PlaceOCOOrder", _OCO),
        "oco_modify": trigger("/ModifyOCOOrder", {**_OCO, **alert}),
        "oco_cancel": trigger("/CancelOCOOrder", {**_USER, **alert}),
        "gtt_orders": op("/GetPendingGTTOrder", _USER),
    }


def logins(m: Member) -> tuple[Login, ...]:
    """The browser login; where a token may be pasted, that too."""
    client = Field("client_id", "Client id", stored=True, help="The id that you trade with.")
    call = m.token_call or TOKEN_CALL
    browser = Login(
        id="browser",
        title="Browser login",
        steps=(
            Ask(
                (
                    client,
                    Field("app_key", "App key", stored=True, help="The OAuth client id."),
                    Field("api_secret", "App secret", secret=True, stored=True),
                )
            ),
            Browser(m.authorize, dict.fromkeys(m.callback, "code")),
            Compute({"checksum": m.checksum}),
            call,
        ),
        session=("access_token", "jkey") if m.body_key else ("access_token",),
    )
    if not m.pasted:
        return (browser,)
    check = Op(
        method="POST",
        path="/Limits",
        encoding="jdata",
        headers={"Content-Type": "text/plain", "Authorization": "Bearer {access_token}"},
        public=True,
        body=_ACCOUNT,
    )
    token = Field("access_token", "Access token", secret=True)
    pasted = Login(
        id="token", title="Paste an access token", steps=(Ask((client, token)), Call(check, {}))
    )
    return (browser, pasted)


def intervals(m: Member) -> dict[Interval, IntervalRule]:
    """Candles by the member's intervals; daily ones come from a request of their own, without
    today's."""
    rules: dict[Interval, IntervalRule] = {}
    for interval in m.intervals:
        if interval is not Interval.DAY:
            rules[interval] = IntervalRule(_WIRE_INTERVALS[interval], CHUNKS[interval])
    days = CHUNKS[Interval.DAY]
    rules[Interval.DAY] = IntervalRule("D", days, "history_day", today_from_quote=True)
    return rules


def spec(m: Member) -> BrokerSpec:
    """The whole table of a member."""
    bearer = {"Authorization": "Bearer {access_token}", "Content-Type": "text/plain"}
    cash, derivative = (Product.CNC, Product.MIS), (Product.NRML, Product.MIS)
    exchanges = frozenset(EXCHANGES)
    return BrokerSpec(
        id=m.id,
        title=m.title,
        family="noren",
        docs=m.docs,
        hosts={"rest": m.root, "site": m.site, "stream": m.feed, **m.hosts},
        headers={} if m.body_key else bearer,
        logins=logins(m),
        envelope=Envelope(
            state="stat", ok=("Ok",), bad=("Not_Ok",), message="emsg", empty=(r"\bno data\W*$",)
        ),
        errors=ERRORS,
        limits=m.limits,
        exchanges=identity(EXCHANGES),
        products=PRODUCTS,
        price_types=PRICE_TYPES,
        actions=ACTIONS,
        statuses=STATUSES,
        settling=SETTLING,
        ops=operations(m),
        rows=ROWS,
        master=m.master,
        streams=(
            StreamSpec(
                url="/",
                codec=partial(NorenCodec, asks_orders=m.asks_orders),
                carries=frozenset({MARKET, ORDERS}),
                modes={FeedMode.LTP: "t", FeedMode.QUOTE: "t", FeedMode.DEPTH: "d"},
                batch=100,
                confirms=10.0,
                ping=10.0,
                ping_frame=PING_FRAME,
                silence=35.0,
            ),
        ),
        capabilities=Capabilities(
            validities={Validity.DAY: "DAY", Validity.IOC: "IOC"},
            discloses=True,
            exchanges=(*EXCHANGES, *m.indices),
            products={**dict.fromkeys(CASH, cash), **dict.fromkeys(DERIVATIVES, derivative)},
            intervals=intervals(m),
            quote_batch=m.quotes_at_once,
            margin=True,
            gtt=True,
            converts=True,
        ),
        # The exchanges refuse both over an API.
        protect={PriceType.MARKET: exchanges, PriceType.SLM: exchanges},
        evidence=m.evidence,
    )
