"""What HTTP answers mean at the edges: unknown orders, acknowledgements, sessions, proxies."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest
from aiohttp import web

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Action, GttType
from openalgo_desktop.core.errors import (
    AppError,
    DataError,
    InvalidOrder,
    NetError,
    NotConnected,
    OrderNotFound,
    OrderStateUnknown,
    RejectedByBroker,
    SessionExpired,
)
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.proxies import goes_direct, is_loopback, proxy_problem, socks_proxy

CLOCK = ManualClock(datetime(2026, 11, 27, 11, 0, tzinfo=IST))
KITE = Registry().get("zerodha")
PAGE = "<html><head><title>403 Forbidden</title></head><body>cloudflare</body></html>"


def rest_of(answers: dict[str, httpx.Response], ended: list[str] | None = None) -> RestClient:
    """A client whose answers are chosen by the beginning of the path."""

    def serve(request: httpx.Request) -> httpx.Response:
        return next(r for path, r in answers.items() if request.url.path.startswith(path))

    session = Session({"api_key": "k", "access_token": "t"})
    session.open = True
    over = (ended if ended is not None else []).append

    def expired(message: str) -> None:
        session.open = False
        over(message)

    transport = httpx.MockTransport(serve)
    return RestClient(KITE.spec, session, CLOCK, transport=transport, on_expired=expired)


def api_of(rest: RestClient) -> Any:
    return KITE.api(KITE.spec, rest, BrokerIndex(), CLOCK)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(408),
        httpx.Response(408, json={"status": "error", "message": "slow", "error_type": "X"}),
        httpx.Response(502, text=PAGE),
        httpx.Response(403, text=PAGE, headers={"content-type": "text/html"}),
        httpx.Response(200, text=PAGE),
        httpx.Response(400, json={"message": "504 Gateway Time-out", "error_type": ""}),
        httpx.Response(
            400, json={"message": "Order request timed out.", "error_type": "OrderException"}
        ),
        httpx.Response(400, json={"message": "odd", "error_type": "GeneralException"}),
        httpx.Response(200, json={"status": "error", "message": "Internal Server Error"}),
    ],
)
async def test_a_write_that_nobody_can_judge_is_unknown(answer: httpx.Response) -> None:
    rest = rest_of({"/orders": answer})
    with pytest.raises(OrderStateUnknown):
        await api_of(rest).cancel("1")
    assert rest.session.open


async def test_a_yes_without_an_id_is_a_yes_for_what_has_one() -> None:
    good = httpx.Response(200, json={"status": "success", "data": None})
    api = api_of(rest_of({"/": good}))
    assert (await api.cancel("42")).order_id == "42"
    assert (await api.gtt_cancel("7")).order_id == "7"
    with pytest.raises(OrderStateUnknown):  # a new order may exist nevertheless
        api._ack(None, "tag", "order_id")


async def test_a_broker_without_pairs_is_not_asked_for_one() -> None:
    can = msgspec.structs.replace(KITE.spec.capabilities, gtt_oco=False)
    rest = rest_of({})
    api = KITE.api(msgspec.structs.replace(KITE.spec, capabilities=can), rest, BrokerIndex(), CLOCK)
    pair = GttRequest(GttType.OCO, "SBIN", "NSE", Action.SELL, 1, trigger_below=1, trigger_above=2)
    for call in (api.gtt_place(pair, "tag"), api.gtt_modify("7", pair)):
        with pytest.raises(InvalidOrder, match="no OCO"):
            await call


TOKEN = {"status": "error", "message": "Incorrect token", "error_type": "TokenException"}
BARE = {"status": "error", "message": "no", "error_type": ""}


async def test_a_page_with_403_does_not_end_the_session() -> None:
    ended: list[str] = []
    for page in (httpx.Response(403, text=PAGE), httpx.Response(401, html=PAGE)):
        rest = rest_of({"/": page}, ended)
        with pytest.raises(NetError) as caught:
            await rest.op("orders")
        assert not isinstance(caught.value, SessionExpired)
        assert (ended, rest.session.open) == ([], True)


async def test_the_brokers_own_token_error_ends_it() -> None:
    ended: list[str] = []
    with pytest.raises(SessionExpired):
        await rest_of({"/": httpx.Response(403, json=TOKEN)}, ended).op("orders")
    assert ended == ["Incorrect token"]


@pytest.mark.parametrize(
    ("profile", "wanted", "over"),
    [
        (httpx.Response(200, json={"status": "success", "data": {}}), DataError, 0),
        (httpx.Response(403, text=PAGE), DataError, 0),
        (httpx.Response(403, json=TOKEN), SessionExpired, 1),
        (httpx.Response(401, json=BARE), SessionExpired, 1),
    ],
)
async def test_a_bare_403_is_confirmed_by_a_read(
    profile: httpx.Response, wanted: type[AppError], over: int
) -> None:
    ended: list[str] = []
    rest = rest_of({"/orders": httpx.Response(403, json=BARE), "/user/profile": profile}, ended)
    with pytest.raises(wanted):
        await rest.op("orders")
    assert len(ended) == over


async def test_a_bare_403_on_a_write_is_the_brokers_refusal() -> None:
    good = httpx.Response(200, json={"status": "success", "data": {}})
    rest = rest_of({"/orders": httpx.Response(403, json=BARE), "/user/profile": good})
    with pytest.raises(RejectedByBroker):
        await api_of(rest).cancel("1")


@pytest.fixture
def no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that cannot be asked about its session."""
    ops = {name: op for name, op in KITE.spec.ops.items() if name != "profile"}
    monkeypatch.setattr(
        __name__ + ".KITE",
        msgspec.structs.replace(KITE, spec=msgspec.structs.replace(KITE.spec, ops=ops)),
    )


@pytest.mark.usefixtures("no_profile")
async def test_without_a_profile_a_401_ends_the_session() -> None:
    for name in ("read", "write"):
        ended: list[str] = []
        rest = rest_of({"/": httpx.Response(401, json=BARE)}, ended)
        with pytest.raises(SessionExpired):
            await (rest.op("orders") if name == "read" else api_of(rest).cancel("1"))
        assert ended == ["no"] and not rest.session.open


@pytest.mark.usefixtures("no_profile")
async def test_without_a_profile_a_second_403_within_a_minute_ends_it() -> None:
    ended: list[str] = []
    rest = rest_of({"/": httpx.Response(403, json=BARE)}, ended)
    for _ in range(3):
        with pytest.raises(RejectedByBroker):  # the order's fault, as far as anybody knows
            await api_of(rest).cancel("1")
    for _ in range(2):
        with pytest.raises(DataError):
            await rest.op("orders")
        CLOCK.advance(61)
    assert ended == [] and rest.session.open
    with pytest.raises(DataError):
        await rest.op("orders")
    CLOCK.advance(59)
    with pytest.raises(SessionExpired):
        await rest.op("positions")
    assert ended == ["no"] and not rest.session.open


async def test_a_cancellation_that_names_the_instrument_learns_it_from_the_book() -> None:
    """As where a broker wants the exchange with the id: an order placed elsewhere is not known."""
    row = {
        "order_id": "7", "tradingsymbol": "SBIN", "exchange": "NSE", "transaction_type": "BUY",
        "quantity": 1, "order_type": "LIMIT", "product": "CNC", "status": "OPEN",
    }  # fmt: skip
    asked: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}?{request.url.query.decode()}")
        data: Any = [row] if request.method == "GET" else {"order_id": "7"}
        return httpx.Response(200, json={"status": "success", "data": data})

    op = msgspec.structs.replace(KITE.spec.ops["cancel"], path="/o/{order_id}", query={
        "symbol": "$brsymbol", "exchange": "$wire_exchange",
    })  # fmt: skip
    spec = msgspec.structs.replace(KITE.spec, ops={**KITE.spec.ops, "cancel": op})
    rest = RestClient(spec, rest_of({}).session, CLOCK, transport=httpx.MockTransport(serve))
    index = BrokerIndex()
    index.load([Instrument("SBIN", "NSE", brsymbol="SBIN", brexchange="NSE", token="1")])
    api = BrokerApi(spec, rest, index, CLOCK)
    assert (await api.cancel("7")).order_id == "7"
    assert asked == ["GET /orders?", "DELETE /o/7?symbol=SBIN&exchange=NSE"]
    with pytest.raises(OrderNotFound):
        await api.cancel("8")
    assert asked[2:] == ["GET /orders?"]  # nothing left


async def test_one_warning_for_the_end_of_a_session(
    caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    from openalgo_desktop.brokers.kit.account.account import KitAccount
    from tests.memory import MemorySecrets

    caplog.set_level(logging.INFO)
    account = KitAccount(KITE, CLOCK, MemorySecrets(), tmp_path, passive=True)
    account.session.open = True
    for _ in range(3):
        account._expired("Incorrect token")
    said = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(said) == 1 and "session has ended" in said[0].getMessage()


# -- proxies --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("api.kite.trade", False),
        ("10.0.0.1", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_loopback(host: str, wanted: bool) -> None:
    assert is_loopback(host) is wanted


def test_addresses_that_go_direct() -> None:
    assert goes_direct("ws://[::1]:8765/ws") and goes_direct("http://127.0.0.1:5000")
    assert not goes_direct("wss://ws.kite.trade")


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_this_machine_is_asked_past_a_proxy(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"status": "success", "data": []})

    app = web.Application()
    app.router.add_get("/orders", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    monkeypatch.setenv(
        name, "socks5://127.0.0.1:9" if name == "ALL_PROXY" else "http://127.0.0.1:9"
    )
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    session = Session({"api_key": "k", "access_token": "t"})
    host = f"http://127.0.0.1:{runner.addresses[0][1]}"
    rest = RestClient(KITE.spec, session, CLOCK, hosts={"rest": host})
    try:
        assert await rest.op("orders") == []
    finally:
        await rest.close()
        await runner.cleanup()


async def test_a_socks_proxy_is_named_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    rest = RestClient(KITE.spec, Session({"api_key": "k", "access_token": "t"}), CLOCK)
    with pytest.raises(NotConnected, match="all_proxy asks for a SOCKS proxy"):
        await rest.op("orders")


def test_the_variable_is_named() -> None:
    assert socks_proxy({"HTTPS_PROXY": "socks5h://x:1"}) == "HTTPS_PROXY"
    assert socks_proxy({"HTTPS_PROXY": "http://x:1"}) == ""
    assert "Nothing was sent" in proxy_problem("odd")
