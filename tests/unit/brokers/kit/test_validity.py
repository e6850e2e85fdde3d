"""Validity and disclosed quantity on the wire: every adapter that says it takes them sends them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import Op
from openalgo_desktop.brokers.kit.spec.check import check
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, PriceType, Product, Validity
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Instrument, ModifyRequest, OrderRequest

CLOCK = ManualClock(datetime(2026, 11, 27, 11, 0, tzinfo=IST))
SBIN = Instrument("SBIN", "NSE", token="3045", brsymbol="SBIN-EQ", brexchange="NSE")
ORDER = OrderRequest(
    "SBIN", "NSE", Action.BUY, 100, PriceType.LIMIT, Product.MIS, 800.0, disclosed_quantity=20
)
REGISTRY = Registry()
IDS = sorted(REGISTRY.ids())
TAKES = [i for i in IDS if Validity.IOC in REGISTRY.get(i).spec.capabilities.validities]


def put(body: dict[str, Any], path: str, value: Any) -> None:
    """Set what is at the first of the paths (``a.b.0|c``); a number is a place in a list."""
    *names, last = path.partition("|")[0].split(".")
    for name in reversed([*names, last][1:]):
        value = [value] if name == "0" else {name: value}
    top = [*names, last][0]
    body[top] = {**body[top], **value} if isinstance(body.get(top), dict) else value


def accepted(broker: Broker, op: Op) -> dict[str, Any]:
    """An answer that says yes, as the spec reads it, with an order id."""
    envelope = op.envelope or broker.spec.envelope
    ack = broker.spec.rows.get("ack", {}).get("order_id", "order_id")
    body: dict[str, Any] = {}
    put(body, ".".join(part for part in (envelope.data, op.reply, ack) if part), "1")
    if envelope.state:
        ok = envelope.ok[0]
        put(body, envelope.state, {"True": True}.get(ok, ok))
    return body


def api_of(broker: Broker, sent: list[str]) -> Any:
    def serve(request: httpx.Request) -> httpx.Response:
        sent.append(request.content.decode())
        op = broker.spec.ops["place" if len(sent) == 1 else "modify"]
        return httpx.Response(200, content=json.dumps(accepted(broker, op)))

    names = {name for login in broker.spec.logins for name in login.session}
    values = dict.fromkeys(names | {"api_key", "access_token", "client_id"}, "x")
    session = Session(values | {"rest_url": "http://x"})
    session.open = True
    rest = RestClient(broker.spec, session, CLOCK, transport=httpx.MockTransport(serve))
    return broker.api(broker.spec, rest, BrokerIndex([SBIN]), CLOCK)


def test_the_families_and_zerodha_take_ioc() -> None:
    families = {REGISTRY.get(i).spec.family or i for i in TAKES}
    assert families >= {"zerodha", "noren", "xts"}
    assert "openalgo" not in TAKES and REGISTRY.get("openalgo").spec.capabilities.discloses


@pytest.mark.parametrize("broker_id", TAKES)
@pytest.mark.parametrize("validity", list(Validity))
async def test_an_order_and_its_change_say_it(broker_id: str, validity: Validity) -> None:
    sent: list[str] = []
    broker = REGISTRY.get(broker_id)
    api = api_of(broker, sent)
    await api.place(msgspec.structs.replace(ORDER, validity=validity), "T1")
    change = ModifyRequest(
        "1", 100, 801.0, 0.0, PriceType.LIMIT, 20, "SBIN", "NSE", Action.BUY, Product.MIS, validity
    )
    await api.modify(change)
    other = next(one for one in Validity if one is not validity)
    assert len(sent) == 2
    said = sent[: 1 if "wire_validity" in broker.spec.ops["modify"].keeps else 2]
    assert all(re.search(rf"\b{validity}\b", body) for body in said)
    for body in sent:
        assert not re.search(rf"\b{other}\b", body) and "20" in body


@pytest.mark.parametrize("broker_id", [i for i in IDS if i not in TAKES])
async def test_who_does_not_take_it_sends_nothing(broker_id: str) -> None:
    sent: list[str] = []
    api = api_of(REGISTRY.get(broker_id), sent)
    with pytest.raises(InvalidOrder, match="has no IOC orders") as refused:
        await api.place(msgspec.structs.replace(ORDER, validity=Validity.IOC), "T1")
    assert refused.value.field == "validity" and sent == []


def test_a_spec_that_takes_ioc_and_does_not_say_it_is_refused() -> None:
    """An order that was meant to be immediate would rest."""
    kite = REGISTRY.get("zerodha")
    place = kite.spec.ops["place"]
    fixed = {**place.body, "validity": "DAY"} if isinstance(place.body, dict) else {}
    ops: dict[str, Op] = {**kite.spec.ops, "place": msgspec.structs.replace(place, body=fixed)}
    spec = msgspec.structs.replace(kite.spec, ops=ops)
    assert check(spec, kite.api) == ["ops.place: it does not say wire_validity"]
    ops["place"] = msgspec.structs.replace(ops["place"], keeps=("wire_validity",))
    assert check(msgspec.structs.replace(spec, ops=ops), kite.api) == []
