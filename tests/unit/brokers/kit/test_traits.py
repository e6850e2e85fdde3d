"""Every gateway has every call; what an account cannot do is said by its traits and refused."""

from __future__ import annotations

import ast
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.kit.account.gateway import KitGateway
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.brokers.simulator.account import SimulatorAccount, SimulatorOptions
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, Exchange, GttType, PriceType, Product
from openalgo_desktop.core.errors import ConfigError, InvalidOrder, NotSupported
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.ports import BrokerAccount, TradingGateway
from openalgo_desktop.core.protection import ALWAYS
from openalgo_desktop.core.traits import Traits
from openalgo_desktop.exchange.host import PAPER_TERMS
from tests.emulators.base import MemoryPaper
from tests.memory import MemorySecrets

CLOCK = ManualClock(datetime(2026, 11, 27, 11, 0, tzinfo=IST))
KITE = Registry([]).get("zerodha")
SBIN = Instrument("SBIN", "NSE", tick_size=0.05, token="779521", brsymbol="SBIN", brexchange="NSE")
RELIANCE = msgspec.structs.replace(SBIN, symbol="RELIANCE", brsymbol="RELIANCE", token="738561")
CALL = Instrument(
    "NIFTY29DEC2626000CE", "NFO", instrument_type="CE", lot_size=75, tick_size=0.05,
    brsymbol="NIFTY26DEC26000CE", brexchange="NFO",
)  # fmt: skip
BUY = OrderRequest("SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS)
#: Market orders are refused on the cash segment, stop-market orders nowhere but on NFO.
RULE = {
    PriceType.MARKET: frozenset({Exchange.NSE}),
    PriceType.SLM: frozenset({Exchange.NFO}),
}


def kite(**can: Any) -> Broker:
    """Zerodha with other capabilities."""
    spec = KITE.spec
    return msgspec.structs.replace(
        KITE,
        spec=msgspec.structs.replace(
            spec, capabilities=msgspec.structs.replace(spec.capabilities, **can), protect=RULE
        ),
    )


def api_of(broker: Broker, ltp: float) -> tuple[Any, list[httpx.Request]]:
    """The calls of a broker whose quotes have this price (0: none), and what was sent."""
    sent: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        data: Any = {"total": 1.0}
        if request.url.path == "/quote":
            keys = request.url.params.get_list("i")
            data = {key: {"last_price": ltp} for key in keys} if ltp else {}
        elif request.url.path.startswith("/gtt"):
            data = {"trigger_id": 7}
        return httpx.Response(200, json={"status": "success", "data": data})

    session = Session({"api_key": "k", "access_token": "t"})
    session.open = True
    rest = RestClient(broker.spec, session, CLOCK, transport=httpx.MockTransport(serve))
    index = BrokerIndex()
    index.load([SBIN, RELIANCE, CALL])
    return broker.api(broker.spec, rest, index, CLOCK), sent


def legs_of(request: httpx.Request) -> list[dict[str, Any]]:
    """The legs of a margin request."""
    return msgspec.json.decode(request.content, type=list[dict[str, Any]])


def test_the_implementations_are_complete(tmp_path: Path) -> None:
    """For mypy; at run time the names are looked up."""
    kit: BrokerAccount = KitAccount(KITE, CLOCK, MemorySecrets(), tmp_path)
    simulator: BrokerAccount = SimulatorAccount(CLOCK, MemoryPaper(), SimulatorOptions())
    assert (kit.needs_login, kit.always_open) == (True, False)
    assert (simulator.needs_login, simulator.always_open) == (False, True)
    gateways: list[TradingGateway] = [kit.gateway, simulator.gateway]
    assert [gateway.traits for gateway in gateways] == [
        Traits(gtt=True, margin=True, converts=True, **PAPER_TERMS),
        Traits(margin=True, recall=True, converts=True, **PAPER_TERMS),
    ]


async def test_what_an_account_cannot_do_is_refused(tmp_path: Path) -> None:
    account = KitAccount(KITE, CLOCK, MemorySecrets(), tmp_path)
    with pytest.raises(ConfigError, match="simulator"):
        await account.control({})
    simulator = SimulatorAccount(CLOCK, MemoryPaper(), SimulatorOptions())
    for call in (simulator.login({}), simulator.logout()):
        with pytest.raises(ConfigError, match="needs no login"):
            await call
    await simulator.forget()
    await simulator.learn_names()
    assert simulator.details() == {}


async def test_calls_that_the_traits_deny_send_nothing() -> None:
    poor = kite(gtt=False, margin=False, converts=False)
    api, sent = api_of(poor, 800.0)
    gateway = KitGateway(poor.spec, api, CLOCK, lambda: None)
    assert gateway.traits == Traits(protect=RULE, **PAPER_TERMS)
    trigger = GttRequest(GttType.SINGLE, "SBIN", "NSE", Action.BUY, 1)
    simulator = SimulatorAccount(CLOCK, MemoryPaper(), SimulatorOptions()).gateway
    for told in (gateway, simulator):
        calls = [
            told.gtt_place(trigger, "t"),
            told.gtt_modify("1", trigger),
            told.gtt_cancel("1"),
            told.gtt_orders(),
        ]
        for call in calls:
            with pytest.raises(NotSupported, match="good-till-triggered"):
                await call
    with pytest.raises(NotSupported, match="margin"):
        await gateway.margin([BUY])
    with pytest.raises(NotSupported, match="conversion"):
        asked = ConvertRequest("SBIN", "NSE", Action.BUY, 1, Product.MIS, Product.CNC)
        await gateway.convert(asked, "t")
    with pytest.raises(NotSupported, match="today"):
        await gateway.recall({"t"}, set())
    assert sent == []


def test_nobody_asks_the_implementation() -> None:
    """No look at the class or the attributes of a gateway, an account, a source or a codec."""
    words = ("gateway", "account", "source", "market", "codec", "api", "broker", "master")
    found = []
    for path in Path("openalgo_desktop").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id not in ("getattr", "hasattr", "isinstance", "type") or not node.args:
                continue
            asked = ast.unparse(node.args[0]).lower().split(".")[-1].strip("_")
            kinds = ast.unparse(node.args[1]) if node.func.id == "isinstance" else ""
            if asked in words or re.search(r"(Account|Gateway|BrokerApi|Codec)\b", kinds):
                found.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
    assert found == []


# -- protection -----------------------------------------------------------------------------
async def test_margin_is_asked_for_the_order_as_it_would_leave() -> None:
    """RELIANCE ends in CE and is no option: 0.5 %, not the 1 % of one."""
    api, sent = api_of(kite(), 1400.0)
    reliance = msgspec.structs.replace(BUY, symbol="RELIANCE")
    call = OrderRequest(CALL.symbol, "NFO", Action.BUY, 75, PriceType.MARKET, Product.NRML)
    await api.margin([reliance])
    quote, margin = sent
    assert quote.url.path == "/quote"
    (leg,) = legs_of(margin)
    assert (leg["order_type"], leg["price"]) == ("LIMIT", 1407.0)
    sent.clear()
    await api.margin([call])  # this segment takes market orders
    assert [r.url.path for r in sent] == ["/margins/orders"]
    assert legs_of(sent[0])[0]["order_type"] == "MARKET"


async def test_a_stop_is_protected_from_its_trigger_without_a_quote() -> None:
    api, sent = api_of(kite(), 0.0)
    stop = OrderRequest(
        CALL.symbol, "NFO", Action.SELL, 75, PriceType.SLM, Product.NRML, trigger_price=140.0
    )
    await api.margin([stop])
    (leg,) = legs_of(sent[0])
    assert (leg["order_type"], leg["trigger_price"], leg["price"]) == ("SL", 140.0, 137.2)


async def test_an_order_without_a_price_is_refused_not_left_unprotected() -> None:
    api, sent = api_of(kite(), 0.0)
    with pytest.raises(InvalidOrder, match="No price of SBIN is known"):
        await api.margin([BUY])
    assert [r.url.path for r in sent] == ["/quote"]


async def test_market_legs_of_triggers_are_protected() -> None:
    api, _ = api_of(kite(), 800.0)
    request = GttRequest(
        GttType.SINGLE, "SBIN", "NSE", Action.SELL, 10,
        product=Product.CNC, price_type=PriceType.MARKET, trigger_below=820.0,
    )  # fmt: skip
    leg = api.gtt_leg(request, SBIN, 820.0, 0.0)
    assert (leg.price_type, leg.price) == (PriceType.LIMIT, pytest.approx(815.9))
    limit = msgspec.structs.replace(request, price_type=PriceType.LIMIT)
    leg = api.gtt_leg(limit, SBIN, 820.0, 810.0)
    assert (leg.price_type, leg.price) == (PriceType.LIMIT, 810.0)
    on_nfo = msgspec.structs.replace(request, symbol=CALL.symbol, exchange="NFO")
    assert api.gtt_leg(on_nfo, CALL, 140.0, 0.0).price_type is PriceType.MARKET
    assert api.gtt_leg(on_nfo, CALL, 140.0, 0.0, ALWAYS).price_type is PriceType.LIMIT
