"""Upstox as tables. Source: https://upstox.com/developer/api-documentation/ and its SDK 2.30."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

from openalgo_desktop.brokers.kit import spec as k
from openalgo_desktop.brokers.kit.spec import table
from openalgo_desktop.brokers.upstox.feed import LEVELS, MAX_FRAME, MODES, OrderCodec, UpstoxCodec
from openalgo_desktop.brokers.upstox.master import INDICES, SEGMENTS, read_row
from openalgo_desktop.core import enums as e
from openalgo_desktop.core import errors

_CASH = (e.Exchange.NSE, e.Exchange.BSE)
_FUTURES = tuple(exchange for exchange in SEGMENTS if exchange not in _CASH)
_WHY: dict[str, Any] = {
    "message": "errors.0.message",
    "code": "errors.0.errorCode|errors.0.error_code",
}
_JSON = {"accept": "application/json"}
_SESSION = {
    "authorization": "Bearer {access_token}", "Content-Type": "application/json", **_JSON,
}  # fmt: skip
_SETTLING = (
    "put order req received", "validation pending", "open pending", "modify pending",
    "modify validation pending", "modified", "not modified", "cancel pending", "not cancelled",
)  # fmt: skip
_AFTER_MARKET = (
    "after market order req received", "modify after market order req received",
    "modify AMO req received",
)  # fmt: skip
_ORDER = table(
    "quantity=$quantity:int validity=$wire_validity price=$price:float order_type=$wire_price_type"
    " disclosed_quantity=$disclosed_quantity:int trigger_price=$trigger_price:float"
    " market_protection=$protection?"
)
_ABOUT = table("instrument_token=$token transaction_type=$wire_action product=$wire_product")
_NEW = {**_ORDER, **_ABOUT, "tag": "$tag", "is_amo": False, "slice": False}
_CONVERT = table(
    "instrument_token=$token transaction_type=$wire_action quantity=$quantity:int"
    " old_product=$wire_product new_product=$wire_to_product"
)
_RULE = table("strategy=ENTRY trigger_type=$trigger_type trigger_price=$trigger_price:float")
_GTT = {"type": "SINGLE", "quantity": "$quantity:int", "rules": [_RULE]}
#: One leg of a margin request.
LEG = table(
    "instrument_key=$token quantity=$quantity:int transaction_type=$wire_action"
    " product=$wire_product price=$price:float?"
)
_READS = table(
    "profile=/v2/user/profile orders=/v2/order/retrieve-all gtt_orders=/v3/order/gtt"
    " trades=/v2/order/trades/get-trades-for-day positions=/v2/portfolio/short-term-positions"
    " holdings=/v2/portfolio/long-term-holdings"
    " history=/v3/historical-candle/{token}/{unit}/{step}/{to_date}/{from_date}"
    " history_today=/v3/historical-candle/intraday/{token}/{unit}/{step}"
)
_NAMES = table(
    "exchange=segment token=instrument_token|instrument_key product quantity"
    " brsymbol=trading_symbol|tradingsymbol"
)
_DEAL = _NAMES | table("order_id action=transaction_type")
#: Units and counts of candles by the most days of one request.
_CANDLES = {
    30: "1m=minutes/1 2m=minutes/2 3m=minutes/3 5m=minutes/5 10m=minutes/10 15m=minutes/15",
    90: "20m=minutes/20 30m=minutes/30 1h=hours/1 2h=hours/2 3h=hours/3 4h=hours/4",
    3650: "D=days/1",
    7300: "W=weeks/1 M=months/1",
}


def _read(path: str, **more: Any) -> k.Op:
    return k.Op(method="GET", path=path, **more)


def _write(method: str, path: str, body: Mapping[str, Any], **more: Any) -> k.Op:
    encoding = "json" if body else "none"
    return k.Op(method=method, path=path, encoding=encoding, body=body, write=True, **more)


def _order(method: str, path: str, body: Mapping[str, Any], **more: Any) -> k.Op:
    return _write(method, f"/v3/order/{path}", body, limit="orders", **more)


def _feed(path: str, name: str, **query: str) -> tuple[k.Call, ...]:
    """The address of a feed, good for one connection."""
    return (k.Call(_read(f"{path}/authorize", query=query), {name: "authorized_redirect_uri"}),)


_BROWSER = (
    k.Ask(
        (
            k.Field("api_key", "API key", stored=True),
            k.Field("api_secret", "API secret", secret=True, stored=True),
            k.Field(
                "redirect_uri", "Redirect URL", stored=True,
                help="As registered with the app: the address that this login shows.",
            ),
        )
    ),
    k.Browser(
        "https://api.upstox.com/v2/login/authorization/dialog?response_type=code"
        "&client_id={api_key}&redirect_uri={redirect_uri}&state={state}",
        {"code": "code"},
    ),
    k.Call(
        k.Op(
            method="POST", path="/v2/login/authorization/token", encoding="form", public=True,
            headers=_JSON, envelope=k.Envelope(**_WHY),
            body=table(
                "code=$code client_id=$api_key client_secret=$api_secret"
                " redirect_uri=$redirect_uri grant_type=authorization_code"
            ),
        ),
        {"access_token": "access_token", "client_id": "user_id"},
    ),
)  # fmt: skip
#: A token of the app's page, or one that came to its webhook after a yes on the phone.
_TOKEN = (
    k.Ask((k.Field("access_token", "Access token", secret=True),)),
    k.Call(_read("/v2/user/profile", public=True, headers=_SESSION), {"client_id": "user_id"}),
)
_OPS = {
    **{name: _read(path) for name, path in _READS.items()},
    "logout": k.Op(method="DELETE", path="/v2/logout"),
    "place": _order("POST", "place", _NEW, host="orders"),
    "modify": _order("PUT", "modify", {**_ORDER, "order_id": "$order_id"}, host="orders"),
    "cancel": _order("DELETE", "cancel", {}, query={"order_id": "$order_id"}, host="orders"),
    "convert": _write("PUT", "/v2/portfolio/convert-position", _CONVERT),
    "funds": _read("/v3/user/get-funds-and-margin", headers={"api-version": "3.0"}),
    "margin": k.Op(
        method="POST", path="/v2/charges/margin", encoding="json", body={"instruments": "$legs"}
    ),
    "gtt_place": _order("POST", "gtt/place", {**_GTT, **_ABOUT}),
    "gtt_modify": _order("PUT", "gtt/modify", {**_GTT, "gtt_order_id": "$trigger_id"}),
    "gtt_cancel": _order("DELETE", "gtt/cancel", {"gtt_order_id": "$trigger_id"}),
    "quotes": _read("/v3/market-quote/quotes", query={"instrument_key": "$keys"}),
    "ltp": _read("/v2/market-quote/ltp", query={"instrument_key": "$keys"}),
}  # fmt: skip
_ROWS = {
    "ack": table("order_id=order_ids.0|order_id trigger_id=gtt_order_ids.0"),
    "order": _DEAL
    | table(
        "price trigger_price disclosed_quantity validity price_type=order_type status"
        " filled_quantity pending_quantity average_price tag placed_at=order_timestamp"
        " rejection_reason=status_message|status_message_raw updated_at=exchange_timestamp"
    ),
    "trade": _DEAL
    | table("trade_id price=average_price traded_at=exchange_timestamp|order_timestamp"),
    "position": _NAMES
    | table(
        "average_price ltp=last_price pnl multiplier buy_quantity=day_buy_quantity"
        " sell_quantity=day_sell_quantity"
    ),
    "holding": table(
        "exchange=segment token=instrument_token brsymbol=trading_symbol|tradingsymbol"
        " quantity t1_quantity pledged=collateral_quantity average_price ltp=last_price"
    ),
    "margin": table("total=final_margin span exposure"),
    "quote": table(
        "ltp=last_price ltt=last_trade_time open=ohlc.open high=ohlc.high low=ohlc.low"
        " close=prev_close_price volume average_price oi total_buy_quantity total_sell_quantity"
        " upper_circuit=upper_circuit_limit lower_circuit=lower_circuit_limit buy=depth.buy"
        " sell=depth.sell week_52_high=year_high week_52_low=year_low prev_oi=previous_oi"
        " oi_high=oi_day_high oi_low=oi_day_low"
    ),
}  # fmt: skip

SPEC = k.BrokerSpec(
    id="upstox",
    title="Upstox",
    docs="https://upstox.com/developer/api-documentation/",
    hosts={
        "rest": "https://api.upstox.com",
        "orders": "https://api-hft.upstox.com",
        "assets": "https://assets.upstox.com",
        "stream": "{market_feed}",
        "pushes": "{order_feed}",
    },
    headers=_SESSION,
    logins=(
        k.Login("browser", "Browser login", _BROWSER),
        k.Login("token", "Paste an access token", _TOKEN),
    ),
    session_ends=time(3, 30),
    envelope=k.Envelope(state="status", ok=("success",), bad=("error",), data="data", **_WHY),
    errors=(
        k.ErrorRule(errors.RateLimited, status=429),
        k.ErrorRule(errors.SessionExpired, code="UDAPI100050"),
        k.ErrorRule(errors.BadCredentials, code="UDAPI100057"),
        # "Something went wrong", also with status 400 (the definition of Place Order V3): it says
        # nothing of what became of an order.
        k.ErrorRule(errors.NetError, code="UDAPI100500"),
        # Funds are not told from midnight to half past five.
        k.ErrorRule(errors.NotSupported, status=423),
        k.ErrorRule(errors.InsufficientFunds, pattern=r"insufficient (funds|margin)|margin insuff"),
        k.ErrorRule(errors.OrderNotWorking, code="UDAPI100040"),
        k.ErrorRule(errors.OrderNotWorking, code="UDAPI100041"),
    ),
    limits={"all": (k.Rate(50), k.Rate(500, 60), k.Rate(2000, 1800)), "orders": (k.Rate(10),)},
    exchanges=k.TwoWay(SEGMENTS),
    products=k.TwoWay(
        {e.Product.CNC: "D", e.Product.MIS: "I"},
        per=dict.fromkeys(_FUTURES, k.TwoWay({e.Product.NRML: "D", e.Product.MIS: "I"})),
    ),
    price_types=k.identity(list(e.PriceType)),
    actions=k.identity(list(e.Action)),
    statuses=k.identity(
        [
            e.OrderStatus.OPEN,
            e.OrderStatus.TRIGGER_PENDING,
            e.OrderStatus.COMPLETE,
            e.OrderStatus.CANCELLED,
            e.OrderStatus.REJECTED,
        ],
        also={
            "cancelled after market order": e.OrderStatus.CANCELLED,
            **dict.fromkeys((*_SETTLING, *_AFTER_MARKET), e.OrderStatus.OPEN),
        },
    ),
    settling=frozenset(_SETTLING),
    # "For commodity - number of lots is accepted. For other Futures & Options and equities - number
    # of units is accepted" (documentation of Place Order V3, field quantity). What a unit of a
    # currency is, it leaves open: the master has lots of 1 with a qty_multiplier of 1000.
    in_contracts=frozenset({e.Exchange.MCX}),
    doubted=frozenset({e.Exchange.CDS, e.Exchange.BCD}),
    ops=_OPS,
    rows=_ROWS,
    master=k.MasterSpec(
        files=(
            k.MasterFile(
                path="/market-quote/instruments/exchange/complete.json.gz",
                host="assets",
                name="complete.json.gz",
                pack="gz",
                form="json",
            ),
        ),
        reader=read_row,
        refresh=time(6, 30),
    ),
    streams=(
        k.StreamSpec(
            url="",
            fetch=_feed("/v3/feed/market-data-feed", "market_feed"),
            codec=UpstoxCodec,
            modes=MODES,
            levels=LEVELS,
            per_socket=1500,  # of the mode full beside others, on the one connection of an app
            ping=5.0,
            silence=0.0,
            max_frame=MAX_FRAME,
        ),
        k.StreamSpec(
            id="orders",
            url="",
            host="pushes",
            carries=frozenset({k.ORDERS}),
            fetch=_feed("/v2/feed/portfolio-stream-feed", "order_feed", update_types="order"),
            codec=OrderCodec,
            ping=5.0,
            silence=0.0,
        ),
    ),
    capabilities=k.Capabilities(
        validities={e.Validity.DAY: "DAY", e.Validity.IOC: "IOC"},
        discloses=True,
        exchanges=(*SEGMENTS, *INDICES),
        products=dict.fromkeys(_CASH, (e.Product.CNC, e.Product.MIS))
        | dict.fromkeys(_FUTURES, (e.Product.NRML, e.Product.MIS)),
        intervals={
            e.Interval(ours): k.IntervalRule(wire, days, today_from_quote=ours == "D")
            for days, words in _CANDLES.items()
            for ours, wire in table(words).items()
        },
        quote_batch=500,
        margin=True,
        gtt=True,
        gtt_oco=False,
        converts=True,
        market_protection=True,
        static_ip=True,
    ),
    evidence=dict.fromkeys("LMOBQPE", ("emulator", "vectors"))
    | {"F": ("emulator", "vectors", "sdk"), "G": ("emulator",)},
)
