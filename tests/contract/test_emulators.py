"""The emulators of brokers take what they are given: what our program should never send is not
refused on its behalf, so that a test sees it arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, ClassVar

import httpx
import pytest

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.model import Instrument
from tests.emulators.base import BrokerEmulator
from tests.emulators.kite import API_KEY, KiteEmulator
from tests.emulators.openalgo import OpenAlgoEmulator
from tests.emulators.xts import XtsEmulator

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=IST)
#: What an exchange would not take: (what is asked for, changes).
ODD = {
    "off the tick": {"price": 800.013},
    "no price": {"price": 0.0},
    "no quantity": {"quantity": 0},
    "negative quantity": {"quantity": -5},
    "more disclosed than ordered": {"disclosed_quantity": 500},
    "a stop on the wrong side": {"kind": "SL", "price": 800.0, "trigger_price": 900.0},
    "a stop without a trigger": {"kind": "SL", "price": 800.0, "trigger_price": 0.0},
    "delivery of a future": {"future": True, "product": "CNC"},
    "no whole lot": {"future": True, "quantity": 7},
    "above the freeze quantity": {"future": True, "quantity": 65 * 1000},
}
PLAIN = {
    "quantity": 10, "price": 790.0, "trigger_price": 0.0, "kind": "LIMIT", "product": "NRML",
    "disclosed_quantity": 0, "future": False,
}  # fmt: skip


class Wire:
    """A client of one emulator that speaks its wire and checks nothing."""

    def __init__(self, emulator: BrokerEmulator, http: httpx.AsyncClient) -> None:
        self.emulator, self.http = emulator, http
        rows = emulator.rows.values()
        self.share = next(row for row in rows if row.key == ("NSE", "SBIN"))
        self.future = next(
            row for row in rows if row.symbol.endswith("FUT") and row.name == "NIFTY"
        )

    def row(self, order: dict[str, Any]) -> Instrument:
        return self.future if order["future"] else self.share

    async def place(self, order: dict[str, Any]) -> str:
        raise NotImplementedError

    async def modify(self, order_id: str, order: dict[str, Any]) -> None:
        raise NotImplementedError


class KiteWire(Wire):
    def form(self, order: dict[str, Any]) -> dict[str, Any]:
        return {
            "order_type": order["kind"], "quantity": order["quantity"], "price": order["price"],
            "trigger_price": order["trigger_price"],
            "disclosed_quantity": order["disclosed_quantity"],
        }  # fmt: skip

    async def place(self, order: dict[str, Any]) -> str:
        assert isinstance(self.emulator, KiteEmulator)
        row = self.row(order)
        names = {"exchange": row.exchange, "tradingsymbol": self.emulator._name(row),
                 "transaction_type": "BUY", "product": order["product"]}  # fmt: skip
        answer = await self.http.post("/orders/regular", data={**names, **self.form(order)})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["order_id"])

    async def modify(self, order_id: str, order: dict[str, Any]) -> None:
        answer = await self.http.put(f"/orders/regular/{order_id}", data=self.form(order))
        assert answer.status_code == 200, answer.text


class OpenAlgoWire(Wire):
    def body(self, order: dict[str, Any]) -> dict[str, Any]:
        assert isinstance(self.emulator, OpenAlgoEmulator)
        row = self.row(order)
        return {
            "apikey": self.emulator.api_key, "strategy": "s", "symbol": row.symbol,
            "exchange": row.exchange, "action": "BUY", "product": order["product"],
            "pricetype": order["kind"], "quantity": order["quantity"], "price": order["price"],
            "trigger_price": order["trigger_price"],
            "disclosed_quantity": order["disclosed_quantity"],
        }  # fmt: skip

    async def place(self, order: dict[str, Any]) -> str:
        answer = await self.http.post("/api/v1/placeorder", json=self.body(order))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["orderid"])

    async def modify(self, order_id: str, order: dict[str, Any]) -> None:
        body = {**self.body(order), "orderid": order_id}
        answer = await self.http.post("/api/v1/modifyorder", json=body)
        assert answer.status_code == 200, answer.text


class XtsWire(Wire):
    kinds: ClassVar = {"LIMIT": "LIMIT", "SL": "STOPLIMIT"}

    async def place(self, order: dict[str, Any]) -> str:
        assert isinstance(self.emulator, XtsEmulator)
        row = self.row(order)
        segment, number = self.emulator._number[row.key]
        assert segment in (1, 2)
        body = {
            "exchangeSegment": "NSECM" if segment == 1 else "NSEFO", "exchangeInstrumentID": number,
            "productType": order["product"], "orderType": self.kinds[order["kind"]],
            "orderSide": "BUY", "timeInForce": "DAY", "orderQuantity": order["quantity"],
            "disclosedQuantity": order["disclosed_quantity"], "limitPrice": order["price"],
            "stopPrice": order["trigger_price"], "orderUniqueIdentifier": "tag",
        }  # fmt: skip
        answer = await self.http.post("/interactive/orders", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["result"]["AppOrderID"])

    async def modify(self, order_id: str, order: dict[str, Any]) -> None:
        body = {
            "appOrderID": int(order_id), "modifiedProductType": order["product"],
            "modifiedOrderType": self.kinds[order["kind"]], "modifiedTimeInForce": "DAY",
            "modifiedOrderQuantity": order["quantity"], "modifiedLimitPrice": order["price"],
            "modifiedDisclosedQuantity": order["disclosed_quantity"],
            "modifiedStopPrice": order["trigger_price"], "orderUniqueIdentifier": "tag",
        }  # fmt: skip
        answer = await self.http.put("/interactive/orders", json=body)
        assert answer.status_code == 200, answer.text


@pytest.fixture(params=["kite", "openalgo", "xts"])
async def wire(request: pytest.FixtureRequest) -> AsyncIterator[Wire]:
    clock = ManualClock(NOW)
    emulator: BrokerEmulator
    headers: dict[str, str] = {}
    if request.param == "kite":
        emulator = kite = KiteEmulator(clock, rate=1.0)
        headers = {
            "X-Kite-Version": "3",
            "Authorization": f"token {API_KEY}:{kite.new_access_token()}",
        }
    elif request.param == "xts":
        emulator = server = XtsEmulator(clock, rate=1.0)
        server._trading.add("session")
        headers = {"authorization": "session"}
    else:
        emulator = remote = OpenAlgoEmulator(clock, rate=1.0)
        remote.new_key()
    async with emulator, httpx.AsyncClient(base_url=emulator.url, headers=headers) as http:
        wires = {"kite": KiteWire, "openalgo": OpenAlgoWire, "xts": XtsWire}
        yield wires[request.param](emulator, http)


async def check(wire: Wire, order_id: str, order: dict[str, Any]) -> None:
    row = next(row for row in await wire.emulator.orders() if row.order_id == order_id)
    assert (row.quantity, row.price, row.trigger_price, row.price_type.value) == (
        order["quantity"], order["price"], order["trigger_price"], order["kind"],
    )  # fmt: skip


@pytest.mark.parametrize("changes", ODD.values(), ids=ODD)
async def test_an_order_that_no_exchange_takes_arrives_as_it_was_sent(
    wire: Wire, changes: dict[str, Any]
) -> None:
    order = {**PLAIN, **changes}
    await check(wire, await wire.place(order), order)
    assert len(wire.emulator.arrived) == 1


@pytest.mark.parametrize(
    "changes", [row for row in ODD.values() if "future" not in row],
    ids=[name for name, row in ODD.items() if "future" not in row],
)  # fmt: skip
async def test_a_change_that_no_exchange_takes_arrives_as_it_was_sent(
    wire: Wire, changes: dict[str, Any]
) -> None:
    order_id = await wire.place({**PLAIN, "price": wire.share.tick_size * 1000})
    order = {**PLAIN, **changes}
    await wire.modify(order_id, order)
    await check(wire, order_id, order)
    assert len(wire.emulator.arrived) == 2
