"""An XTS server as tables. Sources: Symphony's xts-pythonclient-api-sdk (Connect, Example),
https://symphonyfintech.com/xts-trading-front-end-api-v2/ and
https://symphonyfintech.com/xts-market-data-front-end-api/

An account has two key pairs and two sessions: trading (``access_token``) and market data
(``feed_token``, ``feed_user``). A market login ends the market session before it, so there is one
of them, begun anew by whoever finds it over.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import msgspec

from openalgo_desktop.brokers.families.xts.codec import XtsCodec
from openalgo_desktop.brokers.families.xts.logins import JSON, logins_of, market_login
from openalgo_desktop.brokers.families.xts.master import master_of
from openalgo_desktop.brokers.families.xts.member import BINARY_MARKET, Member
from openalgo_desktop.brokers.families.xts.orders import XtsOrders
from openalgo_desktop.brokers.families.xts.segments import NAMES
from openalgo_desktop.brokers.kit.spec import (
    ORDERS,
    BrokerSpec,
    Call,
    Capabilities,
    Envelope,
    ErrorRule,
    IntervalRule,
    Op,
    Rate,
    StreamSpec,
    TwoWay,
    identity,
)
from openalgo_desktop.core.enums import (
    CASH_EXCHANGES,
    INDEX_EXCHANGES,
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
    BadCredentials,
    InsufficientFunds,
    NetError,
    OrderNotWorking,
    RateLimited,
    SessionExpired,
)

MARKET_SESSION: Final = "market data"
FEED_SESSION: Final = "feed"
_ENVELOPE: Final = Envelope(
    state="type", ok=("success",), bad=("error",), data="result", message="description", code="code"
)
#: What streams already is no error.
_SUBSCRIBED: Final = msgspec.structs.replace(_ENVELOPE, empty=(r"already subscribed\W*$",))
_TRADING: Final = {"authorization": "{access_token}", **JSON}
_MARKET: Final = {"authorization": "{feed_token}", **JSON}
#: A dealer trades for a client; an investor has none to name.
_CLIENT: Final = {"clientID": "$dealer_client?"}
_DAYS: Final = 7  # one request of candles covers so many

_ORDER: Final = {
    "exchangeSegment": "$wire_exchange",
    "exchangeInstrumentID": "$token:int",
    "productType": "$wire_product",
    "orderType": "$wire_price_type",
    "orderSide": "$wire_action",
    "timeInForce": "$wire_validity",
    "disclosedQuantity": "$disclosed_quantity:int",
    "orderQuantity": "$quantity:int",
    "limitPrice": "$price:float",
    "stopPrice": "$trigger_price:float",
    "orderUniqueIdentifier": "$tag",
}
_CHANGE: Final = {
    "appOrderID": "$order_id:int",
    "modifiedProductType": "$wire_product",
    "modifiedOrderType": "$wire_price_type",
    "modifiedOrderQuantity": "$quantity:int",
    "modifiedDisclosedQuantity": "$disclosed_quantity:int",
    "modifiedLimitPrice": "$price:float",
    "modifiedStopPrice": "$trigger_price:float",
    "modifiedTimeInForce": "$wire_validity",
    "orderUniqueIdentifier": "$tag",
}
#: A leg of the margin calculator, filled for each.
LEG: Final = {
    "exchange": "$segment_number",
    "exchangeInstrumentId": "$token:int",
    "productType": "$wire_product",
    "orderType": "$wire_price_type",
    "orderSide": "$wire_action",
    "quantity": "$quantity:int",
    "price": "$price:float",
    "stopPrice": "$trigger_price:float",
    "orderSessionType": 1,
}


def _read(path: str, query: dict[str, Any] | None = None, **more: Any) -> Op:
    """A read of the trading session."""
    return Op(method="GET", path=path, headers=_TRADING, query={**(query or {}), **_CLIENT}, **more)


def _write(method: str, path: str, **more: Any) -> Op:
    """An order write."""
    return Op(method=method, path=path, headers=_TRADING, write=True, limit="orders", **more)


def _market(method: str, path: str, **more: Any) -> Op:
    """A request of the market-data session."""
    encoding = "json" if "body" in more else "none"
    return Op(
        method=method,
        path=path,
        host="market",
        headers=_MARKET,
        renew=MARKET_SESSION,
        encoding=encoding,
        **more,
    )


def _subscription(method: str, member: Member) -> Op:
    """A subscription or its end, in the session of the feed."""
    own = bool(member.feed)
    return Op(
        method=method,
        path="/instruments/subscription",
        host="feed" if own else "market",
        headers={"authorization": "{stream_token}" if own else "{feed_token}", **JSON},
        renew=FEED_SESSION if own else MARKET_SESSION,
        encoding="json",
        body={"instruments": "$instruments", "xtsMessageCode": "$code"},
        envelope=_SUBSCRIBED,
        limit="subscriptions",
        reply="listQuotes",
    )


_OPS: Final = {
    "profile": _read("/user/profile"),
    "logout": Op(method="DELETE", path="/user/session", headers=_TRADING, query=_CLIENT),
    "place": _write("POST", "/orders", encoding="json", body={**_ORDER, **_CLIENT}),
    "modify": _write("PUT", "/orders", encoding="json", body={**_CHANGE, **_CLIENT}),
    "cancel": _write(
        "DELETE",
        "/orders",
        query={"appOrderID": "$order_id", "orderUniqueIdentifier": "$order_tag?", **_CLIENT},
    ),
    # Net units: the server knows their side, and those of today and of before are not told apart.
    "convert": _write(
        "PUT",
        "/portfolio/positions/convert",
        encoding="json",
        body={
            "exchangeSegment": "$wire_exchange",
            "exchangeInstrumentID": "$token:int",
            "oldProductType": "$wire_product",
            "newProductType": "$wire_to_product",
            "isDayWise": False,
            "targetQty": "$quantity:text",
            **_CLIENT,
        },
    ),
    "orders": _read("/orders"),
    "trades": _read("/orders/trades"),
    "positions": _read("/portfolio/positions", {"dayOrNet": "NetWise"}),
    "holdings": _read("/portfolio/holdings"),
    "funds": _read("/user/balance", reply="BalanceList"),
    "margin": Op(
        method="POST",
        path="/orders/margindetails",
        headers=_TRADING,
        encoding="json",
        body={"portfolio": "$portfolio", **_CLIENT},
        reply="brokerageDeatils",  # so the server writes it
    ),
    "quotes": _market(
        "POST",
        "/instruments/quotes",
        body={"instruments": "$instruments", "xtsMessageCode": "$code", "publishFormat": "JSON"},
        limit="quotes",
        reply="listQuotes",
    ),
    "history": _market(
        "GET",
        "/instruments/ohlc",
        query={
            "exchangeSegment": "$segment_name",
            "exchangeInstrumentID": "$token",
            "startTime": "$from_time",
            "endTime": "$to_time",
            "compressionValue": "$wire_interval",
        },
        limit="history",
        reply="dataReponse",  # so the server writes it
        timeout=30.0,
    ),
}

_ROWS: Final = {
    "ack": {"order_id": "AppOrderID"},
    "order": {
        "order_id": "AppOrderID",
        "token": "ExchangeInstrumentID",
        "brsymbol": "TradingSymbol",
        "exchange": "ExchangeSegment",
        "action": "OrderSide",
        "quantity": "OrderQuantity",
        "price": "OrderPrice",
        "trigger_price": "OrderStopPrice",
        "disclosed_quantity": "OrderDisclosedQuantity",
        "validity": "TimeInForce",
        "price_type": "OrderType",
        "product": "ProductType",
        "status": "OrderStatus",
        "filled_quantity": "CumulativeQuantity",
        "pending_quantity": "LeavesQuantity",
        "average_price": "OrderAverageTradedPrice",
        "rejection_reason": "CancelRejectReason",
        "placed_at": "OrderGeneratedDateTime",
        "updated_at": "LastUpdateDateTime",
        "tag": "OrderUniqueIdentifier",
    },
    "trade": {
        "trade_id": "ExecutionID",
        "order_id": "AppOrderID",
        "token": "ExchangeInstrumentID",
        "brsymbol": "TradingSymbol",
        "exchange": "ExchangeSegment",
        "action": "OrderSide",
        "product": "ProductType",
        "quantity": "LastTradedQuantity",
        "price": "LastTradedPrice",
        "traded_at": "LastExecutionTransactTime|OrderGeneratedDateTime",
    },
    "position": {
        "token": "ExchangeInstrumentId|ExchangeInstrumentID",
        "brsymbol": "TradingSymbol",
        "exchange": "ExchangeSegment",
        "product": "ProductType",
        "quantity": "Quantity",
        "average_price": "average",
        "realised": "RealizedMTM",
        "unrealised": "UnrealizedMTM",
    },
    "holding": {
        "token": "token",
        "brsymbol": "ISIN",
        "exchange": "segment",
        "quantity": "HoldingQuantity",
        "average_price": "BuyAvgPrice",
        "pledged": "CollateralQuantity",
    },
    "funds": {
        "available_cash": "netMarginAvailable",
        "collateral": "collateral",
        "m2m_unrealised": "UnrealizedMTM",
        "m2m_realised": "RealizedMTM",
        "utilised": "marginUtilized",
        "payin": "payin",
        "payout": "payout",
    },
    "margin": {"total": "MarginRequired"},
    "quote": {
        "ltp": "Touchline.LastTradedPrice",
        "ltt": "traded",
        "open": "Touchline.Open",
        "high": "Touchline.High",
        "low": "Touchline.Low",
        "close": "Touchline.Close",
        "volume": "Touchline.TotalTradedQuantity",
        "last_quantity": "Touchline.LastTradedQunatity|Touchline.LastTradedQuantity",
        "average_price": "Touchline.AverageTradedPrice",
        "oi": "OpenInterest",
        "bid": "Touchline.BidInfo.Price",
        "ask": "Touchline.AskInfo.Price",
        "bid_quantity": "Touchline.BidInfo.Size",
        "ask_quantity": "Touchline.AskInfo.Size",
        "total_buy_quantity": "Touchline.TotalBuyQuantity",
        "total_sell_quantity": "Touchline.TotalSellQuantity",
        "buy": "Bids",
        "sell": "Asks",
    },
    "level": {"price": "Price", "quantity": "Size", "orders": "TotalOrders"},
}

_SETTLING: Final = frozenset({"pendingnew", "pendingreplace", "pendingcancel"})
#: As the adapter writes them: small letters without blanks. The first five are documented, the
#: others are the names of Symphony's terminal for the states between.
_STATUSES: Final = TwoWay(
    {
        OrderStatus.OPEN: "new",
        OrderStatus.TRIGGER_PENDING: "triggerpending",
        OrderStatus.COMPLETE: "filled",
        OrderStatus.CANCELLED: "cancelled",
        OrderStatus.REJECTED: "rejected",
    },
    also={
        **dict.fromkeys(
            (
                "open",
                "partiallyfilled",
                "pendingnew",
                "pendingreplace",
                "pendingcancel",
                "replaced",
            ),
            OrderStatus.OPEN,
        ),
        "expired": OrderStatus.CANCELLED,
    },
)

_INTERVALS: Final = {
    Interval.S1: "1",
    Interval.M1: "60",
    Interval.M2: "120",
    Interval.M3: "180",
    Interval.M5: "300",
    Interval.M10: "600",
    Interval.M15: "900",
    Interval.M30: "1800",
    Interval.H1: "3600",
}

_ERRORS: Final = (
    ErrorRule(RateLimited, status=429),
    ErrorRule(SessionExpired, code="e-session-0007"),
    ErrorRule(SessionExpired, pattern=r"invalid token|token (is |has )?expired|session expired"),
    ErrorRule(BadCredentials, pattern=r"invalid (app ?key|secret ?key|access ?token|unique ?key)"),
    ErrorRule(InsufficientFunds, pattern=r"margin (exceeds|shortfall)|insufficient"),
    ErrorRule(
        OrderNotWorking,
        pattern=r"order (is )?not (open|in an? open|found to)|cannot be (modified|cancelled)"
        r"|already (filled|cancelled|rejected)",
    ),
    ErrorRule(NetError, status=502),
)


def _streams(member: Member) -> tuple[StreamSpec, ...]:
    """The market feed and the order updates."""
    binary = BINARY_MARKET in (member.market, member.feed)
    name = "stream" if member.feed else "feed"
    return (
        StreamSpec(
            url=f"/?token={{{name}_token}}&userID={{{name}_user}}&publishFormat=JSON"
            "&broadcastMode=Full",
            codec=functools.partial(XtsCodec, ltp_code=1501) if binary else XtsCodec,
            transport="socketio",
            options={"path": f"{member.feed or member.market}/socket.io"},
            renew=FEED_SESSION if member.feed else MARKET_SESSION,
            modes={FeedMode.LTP: "1512", FeedMode.QUOTE: "1501", FeedMode.DEPTH: "1502"},
            per_socket=1000,
            batch=50,
            confirms=15.0,
            silence=0.0,  # Engine.IO's own pings find a dead line
        ),
        StreamSpec(
            id="orders",
            carries=frozenset({ORDERS}),
            url="/?token={access_token}&userID={client_id}&apiType=INTERACTIVE",
            codec=XtsOrders,
            transport="socketio",
            options={"path": "interactive/socket.io"},
            silence=0.0,
            mute=0.0,  # no news are no fault
        ),
    )


def _hosts(member: Member) -> dict[str, str]:
    hosts = {
        "rest": f"{member.base}/interactive",
        "market": f"{member.base}/{member.market}",
        "stream": member.base,
    }
    if member.feed:
        hosts["feed"] = f"{member.base}/{member.feed}"
    if member.lookup:
        hosts["lookup"] = member.lookup
    return hosts


def _renewals(member: Member) -> dict[str, Call]:
    renewals = {MARKET_SESSION: market_login("market", "feed_token", "feed_user")}
    if member.feed:
        renewals[FEED_SESSION] = market_login("feed", "stream_token", "stream_user", source=False)
    return renewals


def _evidence(member: Member) -> dict[str, tuple[str, ...]]:
    shown = "emulator" if member.stands_for_all else "family"
    return {g: (shown, "vectors") if g in member.recorded else (shown,) for g in "LMOBQFPE"}


def spec_of(member: Member) -> BrokerSpec:
    """The tables of a member."""
    traded = [exchange for exchange in member.exchanges if exchange not in INDEX_EXCHANGES]
    cash = (Product.CNC, Product.MIS)
    ops = {
        **_OPS,
        "logout_market": _market("DELETE", "/auth/logout"),
        "subscribe": _subscription("POST", member),
        "unsubscribe": _subscription("PUT", member),
    }
    if member.feed:
        own = {"authorization": "{stream_token}", **JSON}
        ops["logout_feed"] = msgspec.structs.replace(
            ops["logout_market"], host="feed", headers=own, renew=FEED_SESSION
        )
    if not member.margin:
        del ops["margin"]
    protected = {} if member.market_orders else {PriceType.MARKET: frozenset(traded)}
    return BrokerSpec(
        id=member.id,
        title=member.title,
        family="xts",
        docs=member.docs,
        hosts=_hosts(member),
        logins=logins_of(member),
        envelope=_ENVELOPE,
        errors=_ERRORS,
        limits={
            "all": (Rate(20),),
            "orders": (Rate(10),),
            "quotes": (Rate(10),),
            "subscriptions": (Rate(10),),
            "history": (Rate(1),),
        },
        exchanges=TwoWay(
            {exchange: NAMES[exchange] for exchange in traded},
            # A book may show what was traded elsewhere.
            also={name: other for other, name in NAMES.items() if other not in traded},
        ),
        products=identity([Product.CNC, Product.NRML, Product.MIS]),
        price_types=TwoWay(
            {
                PriceType.MARKET: "MARKET",
                PriceType.LIMIT: "LIMIT",
                PriceType.SL: "STOPLIMIT",
                PriceType.SLM: "STOPMARKET",
            }
        ),
        actions=identity(list(Action)),
        statuses=_STATUSES,
        settling=_SETTLING,
        in_contracts=frozenset({Exchange.MCX}),
        ops=ops,
        rows=_ROWS,
        master=master_of(member.exchanges, _MARKET, MARKET_SESSION),
        streams=_streams(member),
        renewals=_renewals(member),
        capabilities=Capabilities(
            validities={Validity.DAY: "DAY", Validity.IOC: "IOC"},
            discloses=True,
            exchanges=member.exchanges,
            products={
                exchange: cash if exchange in CASH_EXCHANGES else (Product.NRML, Product.MIS)
                for exchange in traded
            },
            intervals={
                **{interval: IntervalRule(wire, _DAYS) for interval, wire in _INTERVALS.items()},
                Interval.DAY: IntervalRule("D", _DAYS, today_from_quote=True),
            },
            quote_batch=50,
            margin=member.margin,
            converts=True,
        ),
        protect=protected,
        http2=False,
        evidence=_evidence(member),
    )
