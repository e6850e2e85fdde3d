"""Words of a broker: per exchange, exchanges of two fields, paise, lots, JSON in fields."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.books.rows import Rows
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.rest.values import paise, render
from openalgo_desktop.brokers.kit.spec import BrokerSpec, Op, TwoWay, check, table
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, Exchange, PriceType, Product
from openalgo_desktop.core.errors import ConfigError, InvalidOrder
from openalgo_desktop.core.model import Instrument, OrderRequest

CLOCK = ManualClock(datetime(2026, 11, 27, 11, 0, tzinfo=IST))
SBIN = Instrument("SBIN", "NSE", token="1", brsymbol="SBIN-EQ", brexchange="NSE")
FUT = Instrument(
    "NIFTY29DEC26FUT", "NFO", name="NIFTY", instrument_type="FUT", lot_size=75, token="2",
    brsymbol="NIFTYFUT", brexchange="NFO",
)  # fmt: skip
NIFTY = Instrument("NIFTY", "NSE_INDEX", token="3", brsymbol="Nifty 50", brexchange="NSE|CASH")

#: A broker with two fields for an exchange, own product words on one, paise and lots.
PRODUCTS = {Product.CNC: "D", Product.NRML: "M", Product.MIS: "I"}
SPEC = msgspec.structs.replace(
    BROKER.spec,
    limits={},
    in_contracts=frozenset(),
    exchanges=TwoWay(
        {Exchange.NSE: ("NSE", "CASH"), Exchange.BSE: ("BSE", "CASH"), Exchange.NFO: ("NSE", "FNO")}
    ),
    products=TwoWay(
        PRODUCTS,
        per={Exchange.NFO: TwoWay({Product.NRML: "CARRY", Product.MIS: "I"}, {"D": Product.NRML})},
    ),
    ops={
        **BROKER.spec.ops,
        "place": Op(
            method="POST",
            path="/orders",
            encoding="json",
            write=True,
            body={
                "exchange": "$wire_exchange",
                "segment": "$wire_segment",
                "product": "$wire_product",
                "lots": "$quantity:lots",
                "price": "$price:paise",
                "stop": "$trigger_price:paise:text?",
            },
        ),
    },
    rows={
        **BROKER.spec.rows,
        "order": {
            **BROKER.spec.rows["order"],
            "segment": "segment",
            "price": "missing|price:paise",
            "quantity": "quantity:lots",
        },
        "funds": {"available_cash": "cash:paise"},
    },
)


def api_of(sent: list[httpx.Request], spec: BrokerSpec = SPEC) -> BrokerApi:
    def serve(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"status": "success", "data": {"order_id": "1"}})

    session = Session({"api_key": "k", "access_token": "t"})
    session.open = True
    rest = RestClient(spec, session, CLOCK, transport=httpx.MockTransport(serve))
    return BrokerApi(spec, rest, BrokerIndex([SBIN, FUT, NIFTY]), CLOCK)


async def placed(request: OrderRequest) -> dict[str, Any]:
    sent: list[httpx.Request] = []
    await api_of(sent).place(request, "T1")
    body: dict[str, Any] = json.loads(sent[0].content)
    return body


def order(symbol: str, exchange: str, product: Product, **more: Any) -> OrderRequest:
    values = {"quantity": 75, "price_type": PriceType.LIMIT, "price": 812.35, **more}
    return OrderRequest(symbol, exchange, Action.BUY, product=product, **values)


async def test_an_order_in_the_words_of_its_exchange() -> None:
    assert await placed(order("SBIN", "NSE", Product.CNC)) == {
        "exchange": "NSE", "segment": "CASH", "product": "D", "lots": 75, "price": 81235,
    }  # fmt: skip
    future = order(FUT.symbol, "NFO", Product.NRML, price_type=PriceType.SL, trigger_price=0.05)
    assert await placed(future) == {
        "exchange": "NSE", "segment": "FNO", "product": "CARRY", "lots": 1, "price": 81235,
        "stop": "5",
    }  # fmt: skip


async def test_what_is_no_lot_and_no_paisa_is_refused_before_it_leaves() -> None:
    sent: list[httpx.Request] = []
    for request in (
        order(FUT.symbol, "NFO", Product.NRML, quantity=74),
        order(FUT.symbol, "NFO", Product.NRML, price=83.0025),
    ):
        with pytest.raises(InvalidOrder):
            await api_of(sent).place(request, "T1")
    assert sent == []


def test_an_index_has_the_words_of_its_master() -> None:
    values = api_of([]).instrument_values(NIFTY)
    assert (values["wire_exchange"], values["wire_segment"]) == ("NSE", "CASH")


ROW = {
    "order_id": "1",
    "tradingsymbol": "NIFTYFUT",
    "exchange": "NSE",
    "segment": "FNO",
    "transaction_type": "BUY",
    "quantity": 2,
    "order_type": "LIMIT",
    "product": "CARRY",
    "status": "OPEN",
    "price": 81235,
}


def test_a_row_in_the_words_of_its_exchange() -> None:
    rows = Rows(SPEC, BrokerIndex([SBIN, FUT]), CLOCK)
    found = rows.order(ROW)
    assert (found.exchange, found.symbol) == (Exchange.NFO, FUT.symbol)
    assert (found.product, found.quantity, found.price) == (Product.NRML, 150, 812.35)
    cash = {**ROW, "segment": " cash", "product": "D", "tradingsymbol": "SBIN-EQ"}
    found = rows.order(cash)
    assert (found.exchange, found.product, found.quantity) == (Exchange.NSE, Product.CNC, 2)
    odd = rows.order({**ROW, "segment": "NEW"})
    assert str(odd.exchange) == "NSE/NEW"  # shown as it came, nothing is guessed
    assert rows.funds({"cash": "1,23,456"}).available_cash == 1234.56


def test_contracts_and_lots_are_not_multiplied_twice() -> None:
    spec = msgspec.structs.replace(SPEC, in_contracts=frozenset({Exchange.NFO}))
    assert Rows(spec, BrokerIndex([FUT]), CLOCK).order(ROW).quantity == 150
    request = order(FUT.symbol, "NFO", Product.NRML, quantity=150)
    context = api_of([], spec).order_context(request, FUT)
    assert render("$quantity:lots", context) == 2


def test_the_validator_knows_the_words_per_exchange() -> None:
    can = msgspec.structs.replace(
        SPEC.capabilities,
        exchanges=(Exchange.NSE, Exchange.NFO),
        products={Exchange.NSE: (Product.CNC,), Exchange.NFO: (Product.CNC,)},
    )
    said = check(msgspec.structs.replace(SPEC, capabilities=can))
    assert [text for text in said if "products" in text] == ["products: CNC not mapped"]


# -- value words ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rupees", "wanted"),
    [
        (812.35, 81235),
        (0.05, 5),
        (1.15, 115),
        (0.1 + 0.2, 30),
        (0, 0),
        ("19.99", 1999),
        (1e7, 10**9),
    ],
)
def test_paise_are_exact(rupees: Any, wanted: int) -> None:
    assert paise(rupees) == wanted


@pytest.mark.parametrize("rupees", [83.0025, 0.001, float("nan"), float("inf"), "x", None, 1e300])
def test_no_paise_are_made_up(rupees: Any) -> None:
    with pytest.raises(InvalidOrder):
        paise(rupees)


def test_lists_and_json_texts() -> None:
    context = {"legs": [{"s": "M&M"}], "quantity": 150, "lot": 75, "a": 1}
    assert render(["$a", {"b": "$a:text"}, "$none?"], context) == [1, {"b": "1"}]
    assert render("$legs", context) == [{"s": "M&M"}]
    assert render({"x": "$legs:json", "q": "$quantity:lots:text"}, context) == {
        "x": '[{"s":"M&M"}]',
        "q": "2",
    }
    with pytest.raises(ConfigError, match="'dozen' is no value word"):
        render({"x": "$a:dozen"}, context)
    with pytest.raises(ConfigError):
        render({"x": "$a:lots"}, {"a": 1})


def test_bodies_as_bytes() -> None:
    rest = api_of([]).rest
    values = {"legs": [{"s": "M&M é"}], "jkey": "K", "name": "M&M"}

    def body(**changes: Any) -> bytes:
        op = Op(method="POST", path="/x", public=True, **changes)
        return rest.request(op, values).content

    assert body(encoding="json", body="$legs") == '[{"s":"M&M é"}]'.encode()
    assert body(encoding="json", body=["$name", 1]) == b'["M&M",1]'
    assert body(encoding="form", body={"o": "$legs:json"}) == (
        b"o=%5B%7B%22s%22%3A%22M%26M+%C3%A9%22%7D%5D"
    )
    noren = body(encoding="jdata", body={"tsym": "$name", "p": "1%+x"})
    assert noren == b'jData={"tsym":"M\\u0026M","p":"1%+x"}&jKey=K'
    assert noren.count(b"&") == 1


def test_a_table_in_one_text() -> None:
    assert table("order_id price=rate:paise qty=$quantity:int key={a}:{b}") == {
        "order_id": "order_id",
        "price": "rate:paise",
        "qty": "$quantity:int",
        "key": "{a}:{b}",
    }
    for wrong in ("a b a=c", "a =b"):
        with pytest.raises(ConfigError, match="table"):
            table(wrong)
