"""Codec of Dhan's order socket: a log-in, then JSON messages, given on as rows of the order book.
Source: https://dhanhq.co/docs/v2/order-update/ and PyPI ``dhanhq`` (``orderupdate.py``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    Frame,
    FrameCodec,
    InstrumentFinder,
    OrderRow,
    StreamEvent,
    text_of,
)
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import ProtocolError
from openalgo_desktop.core.model import Key

_json = msgspec.json.Decoder(dict[str, Any])
#: The order book's names by those of the pushes, in small letters: their case is not steady.
_ORDER: Final = {
    "orderno": "orderId", "securityid": "securityId", "quantity": "quantity", "price": "price",
    "triggerprice": "triggerPrice", "discquantity": "disclosedQuantity", "tradedqty": "filledQty",
    "avgtradedprice": "averageTradedPrice", "orderdatetime": "createTime", "validity": "validity",
    "lastupdatedtime": "updateTime", "correlationid": "correlationId", "symbol": "tradingSymbol",
}  # fmt: skip
_WORDS: Final = {
    "txntype": ("transactionType", {"B": "BUY", "S": "SELL"}),
    "ordertype": (
        "orderType",
        {"LMT": "LIMIT", "MKT": "MARKET", "SL": "STOP_LOSS", "SLM": "STOP_LOSS_MARKET"},
    ),
    "product": (
        "productType",
        {"C": "CNC", "I": "INTRADAY", "M": "MARGIN", "F": "MTF", "V": "CO", "B": "BO"},
    ),
}
_MARKETS: Final = {
    "NSE E": "NSE_EQ", "NSE D": "NSE_FNO", "NSE C": "NSE_CURRENCY", "BSE E": "BSE_EQ",
    "BSE D": "BSE_FNO", "BSE C": "BSE_CURRENCY", "MCX M": "MCX_COMM",
}  # fmt: skip


class OrderCodec(FrameCodec):
    """One connection. It has no subscriptions: all orders of the user come."""

    def __init__(
        self, instruments: InstrumentFinder, clock: Clock, session: Mapping[str, Any] | None = None
    ) -> None:
        self._session = session or {}

    def opened(self) -> Sequence[Frame]:
        client, token = self._session.get("client_id", ""), self._session.get("access_token", "")
        login = {"MsgCode": 42, "ClientId": client, "Token": token}
        return (msgspec.json.encode({"LoginReq": login, "UserType": "SELF"}).decode(),)

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        return ()

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        return ()

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        try:
            message = _json.decode(text_of(frame))
        except msgspec.MsgspecError:
            return (Failure(ProtocolError("Dhan sent an order message that cannot be read")),)
        data = message.get("Data")
        if message.get("Type") != "order_alert" or not isinstance(data, dict):
            return ()
        return (OrderRow(_order_row({name.lower(): value for name, value in data.items()})),)


def _order_row(data: Mapping[str, Any]) -> dict[str, Any]:
    row = {theirs: data[name] for name, theirs in _ORDER.items() if name in data}
    for name, (theirs, words) in _WORDS.items():
        row[theirs] = words.get(str(data.get(name)), data.get(name))
    market = f"{data.get('exchange')} {data.get('segment')}"
    row["exchangeSegment"] = _MARKETS.get(market, market)
    row["orderStatus"] = str(data.get("status", "")).upper().replace(" ", "_")
    if row["orderStatus"] == "REJECTED":
        row["omsErrorDescription"] = data.get("reasondescription")
    return row
