"""What changes and cancellations repeat of their order, and triggers whose side the price tells."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import Repeat
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, GttType, PriceType, Product
from openalgo_desktop.core.errors import NetError, OrderNotFound
from openalgo_desktop.core.gtt import Gtt, GttLeg
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.ticks import Tick

KITE = Registry([]).get("zerodha")
SBIN = Instrument("SBIN", "NSE", token="779521::::3045", brsymbol="SBIN")
BUY = OrderRequest("SBIN", "NSE", Action.BUY, 5, PriceType.LIMIT, Product.MIS, 800.0)
ROW = {
    "order_id": "1", "tradingsymbol": "SBIN", "exchange": "NSE", "transaction_type": "BUY",
    "quantity": 5, "order_type": "LIMIT", "product": "MIS", "status": "OPEN", "price": 800.0,
    "filled_quantity": 0, "average_price": 0, "variety": "amo",
}  # fmt: skip


class Server:
    """Kite as if nothing were usual: its book has ``rows``."""

    def __init__(self, *rows: dict[str, Any], otherwise: str = "") -> None:
        self.sent: list[str] = []
        self.positions: Any = None
        repeats = {"variety": Repeat("variety", otherwise)}
        spec = msgspec.structs.replace(KITE.spec, repeats=repeats)
        broker: Broker = msgspec.structs.replace(KITE, spec=spec)
        session = Session({"api_key": "k", "access_token": "t"})
        session.open = True

        def serve(request: httpx.Request) -> httpx.Response:
            self.sent.append(f"{request.method} {request.url.path}")
            data: Any = list(rows) if request.method == "GET" else {"order_id": "9"}
            data = self.positions if request.url.path == "/portfolio/positions" else data
            return httpx.Response(200, json={"status": "success", "data": data})

        clock = ManualClock(datetime(2026, 12, 1, 10, 0, tzinfo=IST))
        rest = RestClient(spec, session, clock, transport=httpx.MockTransport(serve))
        self.api = broker.api(spec, rest, BrokerIndex([SBIN]), clock)


async def test_the_book_tells_of_an_order_that_is_not_known() -> None:
    server = Server(ROW)
    await server.api.cancel("1")
    await server.api.cancel("1")
    assert server.sent == ["GET /orders", *["DELETE /orders/amo/1"] * 2]
    with pytest.raises(OrderNotFound, match="Order 7"):
        await server.api.cancel("7")
    assert server.sent[3:] == ["GET /orders"]


async def test_also_of_one_whose_row_cannot_be_read() -> None:
    server = Server({**ROW, "quantity": "many"})
    await server.api.cancel("1")
    assert server.sent[-1] == "DELETE /orders/amo/1"


async def test_what_is_usual_needs_no_book_and_a_new_order_is_known() -> None:
    server = Server(otherwise="usual")
    await server.api.cancel("7")
    assert server.sent == ["DELETE /orders/usual/7"]
    server = Server()
    await server.api.place(BUY, "t")
    await server.api.cancel("9")
    assert server.sent == ["POST /orders/regular", "DELETE /orders/regular/9"]


async def test_the_row_of_a_conversion_is_the_brokers_own() -> None:
    rows = [
        {"tradingsymbol": "SBIN", "exchange": "NSE", "product": product, "quantity": 1,
         "average_price": 1, "extra": product}
        for product in ("CNC", "MIS")
    ]  # fmt: skip
    server = Server()
    asked = ConvertRequest("SBIN", "NSE", Action.BUY, 1, Product.MIS, Product.CNC, 1)
    server.positions = {"net": [{"odd": 1}, *rows]}
    assert await server.api.held_row(asked) == rows[1]
    server.positions = {"net": rows[:1]}
    assert await server.api.held_row(asked) == {}


def gtt(symbol: str, trigger: float, kind: GttType = GttType.SINGLE) -> Gtt:
    return Gtt(
        "1", kind, symbol, "NSE", Action.BUY, 1, Product.CNC, PriceType.LIMIT,
        [GttLeg(trigger, below=False)],
    )  # fmt: skip


async def test_the_price_tells_the_side_of_a_trigger_that_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = Server().api
    asked: list[Any] = []

    async def quotes(keys: Any) -> Any:
        asked.append(keys)
        if len(asked) > 1:
            raise NetError("gone")
        return {key: Tick(key[1], key[0], 800.0) for key in keys}

    monkeypatch.setattr(api, "quotes", quotes)
    low, high = gtt("SBIN", 790.0), gtt("SBIN", 810.0)
    others = [gtt("NOBODY", 1.0), gtt("SBIN", 1.0, GttType.OCO)]
    assert await api.sides_by_price([low, high, *others]) == [low, high]
    assert asked == [[SBIN.key]]
    assert [each.legs[0].below for each in (low, high, *others)] == [True, False, False, False]
    again = gtt("SBIN", 790.0)
    assert await api.sides_by_price([again]) == [] and not again.legs[0].below
    assert await api.sides_by_price(others) == [] and len(asked) == 2
