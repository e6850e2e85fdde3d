"""The side of a single trigger: Firstock's book does not tell it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from openalgo_desktop.brokers.firstock import BROKER
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, GttType, PriceType, Product
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument

ROWS = [Instrument("SBIN", "NSE", token="3045", brsymbol="SBIN-EQ", brexchange="NSE")]


class Server:
    """Triggers as they were placed, and one quote."""

    def __init__(self) -> None:
        self.book: list[dict[str, Any]] = []
        self.last = "850"
        self.quotes = 0

    def add(self, number: str, action: str, trigger: str) -> None:
        order = {"transactionType": action, "quantity": "1", "product": "C",
                 "triggerPrice": trigger, "price": trigger}  # fmt: skip
        names = {"exchange": "NSE", "tradingSymbol": "SBIN-EQ", "token": "3045"}
        self.book.append({"GTTid": number, **names, "OrderParams": order})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.rpartition("/")[2]
        if path == "GttOrderBook":
            return self.good(self.book)
        if path == "getQuote":
            self.quotes += 1
            return self.good({"lastTradedPrice": self.last}) if self.last else httpx.Response(502)
        body = json.loads(request.content)
        number = body.get("GTTid", "9")
        self.book = [row for row in self.book if row["GTTid"] != number]
        order = body["OrderParams"]
        self.add(number, order["transactionType"], order["triggerPrice"])
        return self.good({"GTTid": number})

    @staticmethod
    def good(data: Any) -> httpx.Response:
        return httpx.Response(200, json={"status": "success", "data": data})


def api_of(server: Server) -> Any:
    session = Session({"jkey": "J", "client_id": "FA1"})
    session.open = True
    clock = ManualClock(datetime(2025, 11, 20, 10, 15, tzinfo=IST))
    rest = RestClient(BROKER.spec, session, clock, transport=httpx.MockTransport(server))
    return BROKER.api(BROKER.spec, rest, BrokerIndex(ROWS), clock)


def single(below: float = 0.0, above: float = 0.0) -> GttRequest:
    return GttRequest(
        GttType.SINGLE, "SBIN", "NSE", Action.SELL, 1, Product.CNC, PriceType.LIMIT,
        price=below or above, trigger_below=below, trigger_above=above,
    )  # fmt: skip


async def sides(api: Any) -> list[tuple[float, bool]]:
    legs = [gtt.legs[0] for gtt in await api.gtt_orders()]
    return [(leg.trigger_price, leg.below) for leg in legs]


async def test_a_trigger_placed_or_changed_here_keeps_its_side() -> None:
    server = Server()
    api = api_of(server)
    await api.gtt_place(single(above=900.0), "Otag")
    assert await sides(api) == [(900.0, False)]
    await api.gtt_modify("9", single(below=800.0))
    assert await sides(api) == [(800.0, True)]
    assert server.quotes == 0


@pytest.mark.parametrize("action", ["B", "S"])
async def test_one_from_elsewhere_is_on_its_side_of_the_price(action: str) -> None:
    server = Server()
    server.add("7", action, "900")
    server.add("8", action, "800")
    api = api_of(server)
    assert await sides(api) == [(900.0, False), (800.0, True)]
    server.last = "950"  # what it waits for does not change
    assert await sides(api) == [(900.0, False), (800.0, True)]
    assert server.quotes == 1


async def test_a_row_without_its_id_or_symbol_is_no_trigger_called_none() -> None:
    for name in ("GTTid", "tradingSymbol"):
        server = Server()
        server.add("7", "S", "900")
        del server.book[0][name]
        found = await api_of(server).gtt_orders()
        assert found == [] and found.partial


async def test_without_a_price_it_counts_as_a_stop_until_there_is_one() -> None:
    server = Server()
    server.add("7", "S", "900")
    server.last = ""
    api = api_of(server)
    assert await sides(api) == [(900.0, True)]
    server.last, api.rest.limiter = "850", type(api.rest.limiter)({}, lambda: 0.0)
    assert await sides(api) == [(900.0, False)]
