"""What is no trigger leaves at no broker: one without a price would wait for 0."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, GttType, PriceType, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument

CLOCK = ManualClock(datetime(2026, 11, 27, 11, 0, tzinfo=IST))
REGISTRY = Registry()
HAVE = [i for i in sorted(REGISTRY.ids()) if REGISTRY.get(i).spec.capabilities.gtt]
SBIN = Instrument("SBIN", "NSE", token="3045", brsymbol="SBIN-EQ", brexchange="NSE")
SINGLE = GttRequest(
    symbol="SBIN",
    exchange="NSE",
    action=Action.SELL,
    product=Product.CNC,
    quantity=10,
    trigger_type=GttType.SINGLE,
    price_type=PriceType.LIMIT,
)
PAIR = replace(SINGLE, trigger_type=GttType.OCO, trigger_below=700.0, trigger_above=900.0)
NO_TRIGGERS = {
    "none": SINGLE,
    "two": replace(SINGLE, trigger_below=700.0, trigger_above=900.0),
    "half a pair": replace(PAIR, trigger_above=0.0),
    "turned round": replace(PAIR, trigger_below=950.0),
}


def test_those_with_triggers() -> None:
    assert set(HAVE) >= {"zerodha", "shoonya", "firstock", "upstox", "angel", "dhan", "fyers"}


@pytest.mark.parametrize("request_", NO_TRIGGERS.values(), ids=NO_TRIGGERS)
@pytest.mark.parametrize("broker_id", HAVE)
async def test_what_is_no_trigger_does_not_leave(broker_id: str, request_: GttRequest) -> None:
    sent: list[Any] = []

    def serve(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(500)

    broker = REGISTRY.get(broker_id)
    names = {name for login in broker.spec.logins for name in login.session}
    session = Session(
        dict.fromkeys(names | {"api_key", "client_id"}, "x") | {"rest_url": "http://x"}
    )
    session.open = True
    rest = RestClient(broker.spec, session, CLOCK, transport=httpx.MockTransport(serve))
    api = broker.api(broker.spec, rest, BrokerIndex([SBIN]), CLOCK)
    with pytest.raises(InvalidOrder) as refused:
        await api.gtt_place(request_, "T1")
    assert refused.value.field in ("trigger_type", "trigger_price", "triggerprice_sl")
    assert sent == []
