"""DhanHQ v2 as tables. Sources: https://dhanhq.co/docs/v2/ and PyPI ``dhanhq`` 2.3.0."""

from __future__ import annotations

from datetime import time
from typing import Any

from openalgo_desktop.brokers.families.dhanhq.depth import DepthCodec, FullDepthCodec
from openalgo_desktop.brokers.families.dhanhq.feed import MODES, DhanCodec
from openalgo_desktop.brokers.families.dhanhq.master import read_row
from openalgo_desktop.brokers.families.dhanhq.member import Member
from openalgo_desktop.brokers.families.dhanhq.pushes import OrderCodec
from openalgo_desktop.brokers.kit import spec as k
from openalgo_desktop.core import enums as e
from openalgo_desktop.core import errors as err

_X = e.Exchange
_CASH = (_X.NSE, _X.BSE)
_DERIVATIVES = (_X.NFO, _X.BFO, _X.CDS, _X.BCD, _X.MCX)
_INDICES = (_X.NSE_INDEX, _X.BSE_INDEX)
_MASTER_HOST = "https://images.dhan.co"
_FEED = "token={access_token}&clientId={client_id}&authType=2"

# -- answers ----------------------------------------------------------------------------------
_WORDS: dict[str, Any] = {
    "message": "errorMessage|internalErrorMessage|message|data.*",
    "code": "errorCode|data.*",
}
_BARE = k.Envelope(**_WORDS)
_DATA = k.Envelope(state="status", ok=("success",), data="data", **_WORDS)
#: States of orders and triggers, which acknowledgements carry. Lists come bare: an object in
#: their place is an error, whatever its HTTP status.
_STATES = ("TRANSIT", "PENDING", "CONFIRM", "PART_TRADED", "TRADED", "TRIGGERED", "CANCELLED",
           "EXPIRED", "CLOSED")  # fmt: skip
_CHANGED = k.Envelope(state="orderStatus", ok=_STATES, bad=("REJECTED",), **_WORDS)
#: A new order that is rejected has an id, and its reason is in the book. One of a state that no
#: documentation names may well work: only what calls itself an error is refused.
_PLACED = k.Envelope(state="orderStatus", ok=(*_STATES, "REJECTED"), bad=("ERROR",), **_WORDS)
#: A conversion is accepted without a word; an error is one whatever its HTTP status.
_CONVERTED = k.Envelope(state="errorType|errorCode|status", ok=("success",), **_WORDS)
_ERRORS = (
    k.ErrorRule(err.RateLimited, status=429),
    k.ErrorRule(err.InsufficientFunds, pattern=r"insufficient (fund|balance|margin)"),
    k.ErrorRule(
        err.OrderNotWorking,
        code="DH-906",
        pattern=r"not (modifi|cancel)l?able|already (been )?(cancelled|traded|executed|rejected)",
    ),
    *(
        k.ErrorRule(error, code=code)
        for error, codes in {
            err.SessionExpired: "DH-901 807 808 809 810",
            err.NotSupported: "DH-902 DH-911 806",  # no access, no fixed IP, no data plan
            err.RateLimited: "DH-904 805",
            err.NetError: "DH-908 DH-909 800",
        }.items()
        for code in codes.split()
    ),
)

# -- logins -----------------------------------------------------------------------------------
_CLIENT = k.Field("client_id", "Client id", stored=True)
_SESSION = k.table("access_token=accessToken client_id=dhanClientId")
_APP = {"app_id": "{app_id}", "app_secret": "{app_secret}"}
_USER = {"access-token": "{access_token}", "dhanClientId": "{client_id}"}


def _call(method: str, path: str, gives: dict[str, str], **more: Any) -> k.Call:
    return k.Call(k.Op(method=method, path=path, public=True, **more), gives)


_BROWSER = k.Login(
    id="browser",
    title="Browser login",
    steps=(
        k.Ask(
            (
                _CLIENT,
                k.Field("app_id", "API key", stored=True),
                k.Field("app_secret", "API secret", secret=True, stored=True),
            )
        ),
        _call("POST", "/app/generate-consent", {"consent_id": "consentAppId"}, host="auth",
              headers=_APP, query={"client_id": "$client_id"}),
        k.Browser("https://auth.dhan.co/login/consentApp-login?consentAppId={consent_id}",
                  {"tokenId": "token_id"}),
        _call("POST", "/app/consumeApp-consent", _SESSION, host="auth", headers=_APP,
              query={"tokenId": "$token_id"}),
    ),
)  # fmt: skip
_TOTP = k.Login(
    id="totp",
    title="PIN and one-time code",
    steps=(
        k.Ask(
            (
                _CLIENT,
                k.Field("pin", "PIN", secret=True, stored=True),
                k.Field("totp_secret", "Secret of the one-time codes", secret=True, stored=True,
                        optional=True, help="With it no code is asked, and sessions renew alone."),
            )
        ),
        k.Compute({"totp": "totp:{totp_secret}"}),
        k.Ask((k.Field("totp", "One-time code", digits=6),)),
        _call("POST", "/app/generateAccessToken", _SESSION, host="auth",
              query=k.table("dhanClientId=$client_id pin=$pin totp=$totp")),
    ),
)  # fmt: skip
_TOKEN_FIELD = k.Field("access_token", "Access token", secret=True)
_TOKEN = k.Login(
    id="token",
    title="Paste an access token",
    steps=(
        k.Ask((_CLIENT, _TOKEN_FIELD)),
        _call("GET", "/v2/profile", {"client_id": "dhanClientId"}, headers=_USER),
    ),
)
#: Another day for a token that was made on Dhan's site; it must not have ended yet.
_RENEW = k.Login(
    id="renew",
    title="Renew the token of Dhan's site",
    by_hand=True,
    steps=(k.Hook("renew_token"),),
)
RENEW = _call("GET", "/v2/RenewToken", _SESSION, headers=_USER)
_SANDBOX = k.Login(
    id="token",
    title="Sandbox token",
    steps=(
        k.Ask((_CLIENT, _TOKEN_FIELD)),
        _call("GET", "/v2/fundlimit", {"client_id": "dhanClientId"},
              headers={"access-token": "{access_token}", "client-id": "{client_id}"}),
    ),
)  # fmt: skip

# -- requests ---------------------------------------------------------------------------------
_INSTRUMENT = "exchangeSegment=$wire_exchange securityId=$token"
#: One leg of a margin request.
LEG = k.table(
    f"{_INSTRUMENT} transactionType=$wire_action quantity=$quantity:int "
    "productType=$wire_product price=$price:float triggerPrice=$trigger_price:float?"
)
_ORDER = (
    f"dhanClientId=$client_id correlationId=$tag transactionType=$wire_action {_INSTRUMENT} "
    "productType=$wire_product orderType=$wire_price_type validity=$wire_validity "
    "quantity=$quantity:int "
)
_OPTIONAL = (
    "disclosedQuantity=$disclosed_quantity:int? price=$price:float? "
    "triggerPrice=$trigger_price:float?"
)
_CHANGE = (
    "dhanClientId=$client_id orderId=$order_id orderType=$wire_price_type quantity=$quantity:int "
    "validity=$wire_validity disclosedQuantity=$disclosed_quantity:int price=$price:float? "
    "triggerPrice=$trigger_price:float?"
)
_CANDLES = f"{_INSTRUMENT} instrument=$instrument fromDate=$from_time toDate=$to_time"


def _write(method: str, path: str, body: dict[str, Any], **more: Any) -> k.Op:
    fields: dict[str, Any] = {"encoding": "json", "limit": "orders", "envelope": _CHANGED, **more}
    fields["encoding"] = fields["encoding"] if body else "none"
    return k.Op(method=method, path=path, write=True, body=body, **fields)


def _book(path: str, **more: Any) -> k.Op:
    return k.Op(method="GET", path=path, envelope=_CHANGED, **more)


def _ops(member: Member) -> dict[str, k.Op]:
    place: dict[str, Any] = k.table(_ORDER + _OPTIONAL)
    change = {**k.table(_CHANGE), "legName": "ENTRY_LEG"}
    if not member.live:
        place = {**k.table(_ORDER + _OPTIONAL.replace("?", "")), "amoTime": "OPEN"}
        place["afterMarketOrder"] = False
        del change["legName"]
    ops = {
        "place": _write("POST", "/v2/orders", place, envelope=_PLACED),
        "modify": _write("PUT", "/v2/orders/{order_id}", change),
        "cancel": _write("DELETE", "/v2/orders/{order_id}", {}),
        "convert": _write(
            "POST", "/v2/positions/convert",
            k.table(f"dhanClientId=$client_id fromProductType=$wire_product {_INSTRUMENT} "
                    "positionType=$position_type convertQty=$quantity:int "
                    "toProductType=$wire_to_product"),
            envelope=_CONVERTED, form="empty",
        ),
        "orders": _book("/v2/orders"),
        "trades": _book("/v2/trades"),
        "positions": _book("/v2/positions"),
        "holdings": _book("/v2/holdings", empty=(r"^No holdings available\.?$",)),
        "funds": k.Op(method="GET", path="/v2/fundlimit"),
        "margin_multi": k.Op(method="POST", path="/v2/margincalculator/multi", encoding="json",
                             body="$basket"),
    }  # fmt: skip
    if member.live:
        ops |= _live_ops()
    else:
        ops["margin"] = ops.pop("margin_multi")
        ops["profile"] = ops["funds"]
    return ops


def _live_ops() -> dict[str, k.Op]:
    trigger = k.table(
        _ORDER + "orderFlag=$flag price=$price:float triggerPrice=$trigger_price:float "
        "price1=$price1:float? triggerPrice1=$trigger_price1:float? quantity1=$quantity1:int?"
    )
    moved = k.table(
        "dhanClientId=$client_id orderId=$trigger_id orderFlag=$flag orderType=$wire_price_type "
        "legName=$leg quantity=$quantity:int price=$price:float "
        "triggerPrice=$trigger_price:float validity=$wire_validity"
    )
    forever = "/v2/forever/orders"
    no_data = (r"no data( present| found| available)?\.?$",)
    candles: dict[str, Any] = {
        "method": "POST",
        "encoding": "json",
        "limit": "data",
        "empty": no_data,
    }
    one = {"oi": True, "expiryCode": 0}
    return {
        "profile": k.Op(method="GET", path="/v2/profile"),
        "margin": k.Op(method="POST", path="/v2/margincalculator", encoding="json",
                       body={"dhanClientId": "$client_id", **LEG}),
        "gtt_place": _write("POST", forever, trigger),
        "gtt_modify": _write("PUT", forever + "/{trigger_id}", moved),
        "gtt_cancel": _write("DELETE", forever + "/{trigger_id}", {}),
        "gtt_orders": _book(forever),
        "quotes": k.Op(method="POST", path="/v2/marketfeed/quote", encoding="json",
                       envelope=_DATA, limit="quotes", body="$instruments"),
        "history": k.Op(path="/v2/charts/intraday", **candles,
                        body={**k.table(_CANDLES + " interval=$wire_interval"), "oi": True}),
        "history_day": k.Op(path="/v2/charts/historical", **candles,
                            body={**k.table(_CANDLES), **one}),
    }  # fmt: skip


# -- rows -------------------------------------------------------------------------------------
_ABOUT = "brsymbol=tradingSymbol token=securityId exchange=exchangeSegment "
_SIDE = "action=transactionType product=productType order_id=orderId "
_ROWS = {
    "ack": k.table("order_id=orderId trigger_id=orderId"),
    "order": k.table(
        _ABOUT + _SIDE + "quantity price trigger_price=triggerPrice validity "
        "disclosed_quantity=disclosedQuantity price_type=orderType status=orderStatus "
        "filled_quantity=filledQty average_price=averageTradedPrice tag=correlationId "
        "rejection_reason=omsErrorDescription placed_at=createTime updated_at=updateTime"
    ),
    "trade": k.table(
        _ABOUT + _SIDE + "trade_id=exchangeTradeId quantity=tradedQuantity price=tradedPrice "
        "traded_at=exchangeTime|updateTime|createTime"
    ),
    "position": k.table(
        _ABOUT + "product=productType quantity=netQty average_price=costPrice "
        "buy_quantity=buyQty sell_quantity=sellQty realised=realizedProfit "
        "unrealised=unrealizedProfit"
    ),
    "holding": k.table(
        "brsymbol=tradingSymbol token=securityId exchange quantity t1_quantity=t1Qty "
        "pledged=collateralQty average_price=avgCostPrice ltp=lastTradedPrice"
    ),
    "funds": k.table(
        "available_cash=availabelBalance collateral=collateralAmount utilised=utilizedAmount "
        "payout=blockedPayoutAmount"
    ),
    "margin": k.table(
        "total=totalMargin|total_margin span=spanMargin|span_margin "
        "exposure=exposureMargin|exposure_margin"
    ),
    "quote": k.table(
        "ltp=last_price ltt=last_trade_time open=ohlc.open high=ohlc.high low=ohlc.low "
        "close=ohlc.close volume last_quantity average_price oi oi_high=oi_day_high "
        "oi_low=oi_day_low total_buy_quantity=buy_quantity total_sell_quantity=sell_quantity "
        "upper_circuit=upper_circuit_limit lower_circuit=lower_circuit_limit buy=depth.buy "
        "sell=depth.sell"
    ),
}


def _streams() -> tuple[k.StreamSpec, ...]:
    """At most five connections of prices in all: with a sixth the first one is closed. The server
    pings; what is silent is pinged by us."""
    deep: dict[str, Any] = {"modes": {e.FeedMode.DEPTH: "23"}, "silence": 0.0, "ping": 10.0}
    return (
        k.StreamSpec(url="?version=2&" + _FEED, codec=DhanCodec, modes=MODES, per_socket=5000,
                     sockets=2, batch=100, silence=0.0, ping=10.0),
        k.StreamSpec(id="depth20", host="depth20", url="/twentydepth?" + _FEED, codec=DepthCodec,
                     levels=(20,), per_socket=50, batch=50, **deep),
        k.StreamSpec(id="depth200", host="depth200", url="/twohundreddepth?" + _FEED,
                     codec=FullDepthCodec, levels=(200,), per_socket=1, sockets=2, batch=1, **deep),
        k.StreamSpec(id="orders", host="orders", url="", codec=OrderCodec,
                     carries=frozenset({k.ORDERS}), silence=0.0, ping=10.0),
    )  # fmt: skip


def _can(live: bool) -> k.Capabilities:
    cash, derivative = (e.Product.CNC, e.Product.MIS), (e.Product.NRML, e.Product.MIS)
    intervals = {
        e.Interval.M1: "1", e.Interval.M5: "5", e.Interval.M15: "15",
        e.Interval.H1: "60",
    }  # fmt: skip
    day = k.IntervalRule("", 365, op="history_day", today_from_quote=True)
    rules = {interval: k.IntervalRule(wire, 90) for interval, wire in intervals.items()}
    return k.Capabilities(
        exchanges=(*_CASH, *_DERIVATIVES, *_INDICES),
        products={**dict.fromkeys(_CASH, cash), **dict.fromkeys(_DERIVATIVES, derivative)},
        validities={e.Validity.DAY: "DAY", e.Validity.IOC: "IOC"},
        discloses=True,
        converts=True,
        margin=True,
        gtt=live,
        intervals={**rules, e.Interval.DAY: day} if live else {},
        quote_batch=1000 if live else 0,
        static_ip=live,
    )


_LIVE_HOSTS = {
    "auth": "https://auth.dhan.co",
    "stream": "wss://api-feed.dhan.co",
    "depth20": "wss://depth-api-feed.dhan.co",
    "depth200": "wss://full-depth-api.dhan.co",
    "orders": "wss://api-order-update.dhan.co",
}


def _limits(live: bool) -> dict[str, tuple[k.Rate, ...]]:
    orders = (k.Rate(10), k.Rate(250, 60), k.Rate(1000, 3600), k.Rate(7000, 86_400))
    data = {"quotes": (k.Rate(1),), "data": (k.Rate(5), k.Rate(100_000, 86_400))}
    return {"all": (k.Rate(20),), "orders": orders, **(data if live else {})}


def spec_of(member: Member) -> k.BrokerSpec:
    """The tables of an environment."""
    live = member.live
    S, P = e.OrderStatus, e.PriceType
    shown = ("emulator", "vectors") if live else ("family", "vectors")
    return k.BrokerSpec(
        id=member.id,
        title=member.title,
        family="dhanhq",
        docs=member.docs,
        hosts={"rest": member.rest, "images": _MASTER_HOST, **(_LIVE_HOSTS if live else {})},
        headers={"access-token": "{access_token}", "client-id": "{client_id}",
                 "Content-Type": "application/json", "accept": "application/json"},
        logins=(_BROWSER, _TOTP, _TOKEN, _RENEW) if live else (_SANDBOX,),
        session_ends=None,
        session_hours=24.0 if live else 0.0,
        session_end_value="access_token",  # a JWT
        envelope=_BARE,
        errors=_ERRORS,
        limits=_limits(live),
        exchanges=k.TwoWay({
            _X.NSE: "NSE_EQ", _X.BSE: "BSE_EQ", _X.NFO: "NSE_FNO", _X.BFO: "BSE_FNO",
            _X.CDS: "NSE_CURRENCY", _X.BCD: "BSE_CURRENCY", _X.MCX: "MCX_COMM",
        }),
        products=k.TwoWay({
            e.Product.CNC: "CNC", e.Product.MIS: "INTRADAY", e.Product.NRML: "MARGIN",
        }),
        price_types=k.TwoWay({
            P.MARKET: "MARKET", P.LIMIT: "LIMIT", P.SL: "STOP_LOSS", P.SLM: "STOP_LOSS_MARKET",
        }),
        actions=k.identity(list(e.Action)),
        statuses=k.TwoWay(
            {S.OPEN: "PENDING", S.TRIGGER_PENDING: "TRIGGER_PENDING", S.COMPLETE: "TRADED",
             S.CANCELLED: "CANCELLED", S.REJECTED: "REJECTED"},
            also={**dict.fromkeys(("TRANSIT", "PART_TRADED", "TRIGGERED"), S.OPEN),
                  **dict.fromkeys(("EXPIRED", "CLOSED"), S.CANCELLED)},
        ),
        # The documentation calls a quantity "number of shares" everywhere (docs/v2/orders), and
        # neither it nor the SDK says what is counted of commodities and currencies.
        doubted=frozenset({_X.MCX, _X.CDS, _X.BCD}),
        ops=_ops(member),
        rows=_ROWS,
        master=k.MasterSpec(
            files=(k.MasterFile(path="/api-data/api-scrip-master.csv", host="images",
                                name="api-scrip-master.csv"),),
            reader=read_row,
            refresh=time(8, 0),
        ),
        streams=_streams() if live else (),
        capabilities=_can(live),
        # Exchanges refuse stop-market orders of programs; market orders Dhan makes limits itself.
        protect={P.SLM: frozenset((*_CASH, *_DERIVATIVES))} if live else {},
        evidence={
            **dict.fromkeys("LMOBE", shown), "P": shown if live else shown[:1],
            **({"Q": shown, "G": shown, "F": (*shown, "sdk")} if live else {}),
        },
    )  # fmt: skip
