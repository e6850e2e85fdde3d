"""The words of the family: its texts for ours, its errors, and where our fields are in its rows."""

from __future__ import annotations

from openalgo_desktop.brokers.families.noren.member import CASH, DERIVATIVES
from openalgo_desktop.brokers.kit.spec import ErrorRule, TwoWay
from openalgo_desktop.core.enums import Action, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import (
    BadCredentials,
    InsufficientFunds,
    OrderNotWorking,
    RateLimited,
    SessionExpired,
)

EXCHANGES = (*CASH, *DERIVATIVES)
PRODUCTS = TwoWay({Product.CNC: "C", Product.NRML: "M", Product.MIS: "I"})
PRICE_TYPES = TwoWay(
    {
        PriceType.MARKET: "MKT",
        PriceType.LIMIT: "LMT",
        PriceType.SL: "SL-LMT",
        PriceType.SLM: "SL-MKT",
    },
    also={
        "MARKET": PriceType.MARKET,
        "LIMIT": PriceType.LIMIT,
        "SLLMT": PriceType.SL,
        "SL-LIMIT": PriceType.SL,
        "SLMKT": PriceType.SLM,
        "SL-MARKET": PriceType.SLM,
    },
)
ACTIONS = TwoWay({Action.BUY: "B", Action.SELL: "S"})
#: Written with blanks: ``NorenApi.source_row`` takes the underscores out.
STATUSES = TwoWay(
    {
        OrderStatus.OPEN: "OPEN",
        OrderStatus.TRIGGER_PENDING: "TRIGGER PENDING",
        OrderStatus.COMPLETE: "COMPLETE",
        OrderStatus.CANCELLED: "CANCELED",
        OrderStatus.REJECTED: "REJECTED",
    },
    also={
        "CANCELLED": OrderStatus.CANCELLED,
        "AMO CANCELED": OrderStatus.CANCELLED,
        "REJECT": OrderStatus.REJECTED,
        **dict.fromkeys(
            (
                "PENDING", "NEW", "REPLACED", "OPEN PENDING", "MODIFY PENDING", "CANCEL PENDING",
                "AFTER MARKET ORDER REQ RECEIVED", "AMO OPEN", "AMO MODIFIED", "ORDER ACK",
                "ORDER PENDING",
            ),
            OrderStatus.OPEN,
        ),
    },
)  # fmt: skip
SETTLING = frozenset({"OPEN PENDING", "MODIFY PENDING", "CANCEL PENDING"})
SESSION_OVER = r"session (has )?expired|invalid session|invalid (access )?token|not logged in"
#: The sentence of the rate limit, and nothing beside it: "order value exceeds limit" is another.
TOO_OFTEN = (
    r"^\W*(error occurred\W+(\d+\W+)?)?"
    r"((requests? )?exceeds? (rate )?limit|too many requests|rate limit( exceeded| reached)?)\W*$"
)
ERRORS = (
    ErrorRule(RateLimited, status=429),
    ErrorRule(RateLimited, pattern=TOO_OFTEN),
    ErrorRule(SessionExpired, pattern=SESSION_OVER),
    ErrorRule(BadCredentials, pattern=r"invalid[_ ](request )?code|invalid (checksum|api)"),
    ErrorRule(
        InsufficientFunds, pattern=r"margin shortfall|insufficient (margin|balance|funds?)\b"
    ),
    ErrorRule(
        OrderNotWorking,
        pattern=r"not (in )?open|already (cancel|complet|reject)|cannot be (cancel|modif)",
    ),
)
ROWS = {
    "ack": {"order_id": "norenordno|result", "trigger_id": "Al_id|al_id"},
    "order": {
        "order_id": "norenordno|norenoordno",
        "brsymbol": "tsym",
        "token": "token",
        "exchange": "exch",
        "action": "trantype",
        "quantity": "qty",
        "price": "prc",
        "trigger_price": "trgprc",
        "disclosed_quantity": "dscqty",
        "validity": "ret",
        "price_type": "prctyp",
        "product": "prd|pcode",
        "status": "status",
        "filled_quantity": "fillshares",
        "average_price": "avgprc",
        "rejection_reason": "rejreason",
        "placed_at": "ordenttm|norentm",
        "updated_at": "norentm",
        "tag": "remarks",
    },
    "trade": {
        "trade_id": "flid",
        "order_id": "norenordno",
        "brsymbol": "tsym",
        "token": "token",
        "exchange": "exch",
        "action": "trantype",
        "product": "prd",
        "quantity": "flqty",
        "price": "flprc",
        "traded_at": "fltm|exch_tm|norentm",
    },
    "position": {
        "brsymbol": "tsym",
        "token": "token",
        "exchange": "exch",
        "product": "prd",
        "quantity": "netqty",
        "average_price": "netavgprc",
        "ltp": "lp",
        "realised": "rpnl",
        "unrealised": "urmtom",
        "buy_quantity": "buyqty",
        "sell_quantity": "sellqty",
        "multiplier": "prcftr",
    },
    "holding": {
        "brsymbol": "tsym",
        "token": "token",
        "exchange": "exch",
        "quantity": "quantity",
        "t1_quantity": "btstqty",
        "pledged": "brkcolqty",
        "average_price": "upldprc",
    },
    "margin": {"total": "ordermargin|marginused"},
    "candle": {
        "time": "ssboe",
        "open": "into",
        "high": "inth",
        "low": "intl",
        "close": "intc",
        "volume": "intv",
        "oi": "oi|intoi",
    },
    "quote": {
        "ltp": "lp",
        "ltt": "traded_at",
        "open": "o",
        "high": "h",
        "low": "l",
        "close": "c",
        "volume": "v",
        "last_quantity": "ltq",
        "average_price": "ap",
        "oi": "oi",
        "total_buy_quantity": "tbq",
        "total_sell_quantity": "tsq",
        "upper_circuit": "uc",
        "lower_circuit": "lc",
        "buy": "buy",
        "sell": "sell",
    },
}
