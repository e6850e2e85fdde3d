"""Orders of recordings take the corridor's way: what a broker refuses as a market order leaves as
a limit, at a price that was asked first."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.enums import Exchange, PriceType
from tests.wire.compare import decoded_body
from tests.wire.harness import Wire
from tests.wire.ops import run
from tests.wire.vectors import ROOT, load_files

KITE = Registry(()).get("zerodha")
FILE = next(file for file in load_files(ROOT) if file.broker == "zerodha")
#: Kite as if it took no market orders of shares.
CAREFUL = msgspec.structs.replace(
    KITE,
    spec=msgspec.structs.replace(
        KITE.spec,
        protect=dict.fromkeys((PriceType.MARKET, PriceType.SLM), frozenset({Exchange.NSE})),
    ),
)
ACK = {"status": 200, "body": {"status": "success", "data": {"order_id": "1"}}}
ORDER = {
    "symbol": "SBIN", "exchange": "NSE", "action": "BUY", "product": "MIS", "quantity": 10,
    "pricetype": "MARKET", "price": 0, "trigger_price": 0, "disclosed_quantity": 0,
}  # fmt: skip


def reply(data: Any) -> dict[str, Any]:
    return {"status": 200, "body": {"status": "success", "data": data}}


def quote(price: float) -> dict[str, Any]:
    return reply({"NSE:SBIN": {"last_price": price, "ohlc": {}}})


async def sent(
    op: str, given: dict[str, Any], replies: list[dict[str, Any]]
) -> tuple[Any, list[str], dict[str, Any]]:
    """The result, what was asked, and the body of the last request."""
    wire = Wire(CAREFUL, FILE, replies)
    result = await run(wire, op, given)
    asked = [f"{r.method} {r.url.path}" for r in wire.sent]
    return result, asked, decoded_body("form", wire.sent[-1].content)


@pytest.mark.parametrize(
    ("op", "given", "address"),
    [
        ("place_order", ORDER, "POST /orders/regular"),
        ("smart_order", {**ORDER, "position_size": 10}, "POST /orders/regular"),
        ("modify_order", {**ORDER, "orderid": "1"}, "PUT /orders/regular/1"),
    ],
)
async def test_a_market_order_is_a_limit_at_a_fresh_price(
    op: str, given: dict[str, Any], address: str
) -> None:
    first = [reply({"net": [], "day": []})] if op == "smart_order" else []
    result, asked, body = await sent(op, given, [*first, quote(1000.0), ACK])
    assert result == {"orderid": "1"}
    assert asked[-2:] == ["GET /quote", address]
    assert (body["order_type"], float(body["price"])) == ("LIMIT", 1005.0)  # half a per cent


async def test_a_stop_has_its_trigger_and_asks_nothing() -> None:
    given = {**ORDER, "pricetype": "SL-M", "action": "SELL", "trigger_price": 1000}
    _, asked, body = await sent("place_order", given, [ACK])
    assert asked == ["POST /orders/regular"]
    assert (body["order_type"], float(body["price"])) == ("SL", 995.0)


async def test_a_limit_and_another_exchange_go_as_they_are() -> None:
    limit = {**ORDER, "pricetype": "LIMIT", "price": 990}
    _, asked, body = await sent("place_order", limit, [ACK])
    assert (asked, body["price"]) == (["POST /orders/regular"], "990")
    _, asked, body = await sent("place_order", {**ORDER, "exchange": "BSE", "symbol": "TCS"}, [ACK])
    assert (asked, body["order_type"]) == (["POST /orders/regular"], "MARKET")


async def test_without_a_price_nothing_leaves() -> None:
    result, asked, _ = await sent("place_order", ORDER, [quote(0.0)])
    assert "No price" in result["error"] and asked == ["GET /quote"]


async def test_open_positions_are_closed_by_limits_too() -> None:
    row = {
        "tradingsymbol": "SBIN", "exchange": "NSE", "instrument_token": 779521, "product": "MIS",
        "quantity": 5, "average_price": 990.0, "last_price": 1000.0, "pnl": 50.0, "multiplier": 1,
        "buy_quantity": 5, "sell_quantity": 0, "buy_value": 4950.0, "sell_value": 0.0,
    }  # fmt: skip
    result, asked, body = await sent(
        "close_all_positions", {}, [reply({"net": [row], "day": []}), quote(1000.0), ACK]
    )
    assert result == {"ok": True}
    assert asked == ["GET /portfolio/positions", "GET /quote", "POST /orders/regular"]
    assert (body["transaction_type"], body["order_type"], float(body["price"])) == (
        "SELL",
        "LIMIT",
        995.0,
    )
