"""A second session of an account: begun anew by the read that finds it over."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.rest.second import RENEW_INTERVAL, SecondSessionRefused
from openalgo_desktop.brokers.kit.spec import BrokerSpec, Call, Op, check
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.errors import DataError, NetError, NotConnected, SessionExpired

RENEW = Call(
    Op(method="POST", path="/feed/login", public=True, encoding="json", body={"key": "$api_key"}),
    {"feed_token": "token"},
)
READ = Op(method="GET", path="/feed/quote", headers={"feed": "{feed_token}"}, renew="feed")


def spec_of() -> BrokerSpec:
    ops = {**BROKER.spec.ops, "peek": READ}
    return msgspec.structs.replace(BROKER.spec, ops=ops, renewals={"feed": RENEW}, limits={})


class Server:
    """Gives feed tokens by number; only the last one is good, or none."""

    def __init__(self, refuses_login: bool = False) -> None:
        self.logins = 0
        self.reads: list[str] = []
        self.refuses_login = refuses_login
        self.never = False
        self.bare = False
        self.refused = 0
        self.down = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/feed/login":
            if self.down:
                self.down += 1
                return httpx.Response(502, json={"status": "error", "message": "maintenance"})
            if self.refuses_login:
                self.refused += 1
                return self._no()
            self.logins += 1
            assert json.loads(request.content) == {"key": "kitekey"}
            return self._yes({"token": f"feed{self.logins}"})
        if request.url.path == "/user/profile":
            return self._no()
        self.reads.append(request.headers["feed"])
        if self.never or request.headers["feed"] != f"feed{self.logins}":
            return self._no()
        return self._yes({"price": 5})

    def _yes(self, data: dict[str, object]) -> httpx.Response:
        return httpx.Response(200, json={"status": "success", "data": data})

    def _no(self) -> httpx.Response:
        if self.bare:
            return httpx.Response(403, json={"status": "error", "message": "Not permitted"})
        body = {"status": "error", "message": "Invalid token", "error_type": "TokenException"}
        return httpx.Response(403, json=body)


def client(server: Server, token: str = "feed0") -> tuple[RestClient, list[str]]:
    session = Session({"api_key": "kitekey", "access_token": "main"})
    if token:
        session.update({"feed_token": token})
    session.open = True
    ended: list[str] = []
    rest = RestClient(
        spec_of(),
        session,
        ManualClock(datetime(2026, 11, 27, 11, 0, tzinfo=IST)),
        transport=httpx.MockTransport(server),
        on_expired=ended.append,
    )
    return rest, ended


async def test_a_read_begins_a_new_second_session_and_asks_once_more() -> None:
    server = Server()
    rest, ended = client(server)
    server.logins = 5  # the token of before is no longer good
    assert await rest.op("peek") == {"price": 5}
    assert server.reads == ["feed0", "feed6"]
    assert rest.session.get("feed_token") == "feed6"
    assert await rest.op("peek") == {"price": 5} and server.logins == 6
    assert ended == []


async def test_many_reads_share_one_new_session() -> None:
    server = Server()
    rest, _ = client(server)
    server.logins = 1
    answers = await asyncio.gather(*(rest.op("peek") for _ in range(8)))
    assert answers == [{"price": 5}] * 8
    assert server.logins == 2


async def test_a_session_that_was_never_begun_is_begun_first() -> None:
    server = Server()
    rest, _ = client(server, token="")
    assert await rest.op("peek") == {"price": 5}
    assert server.reads == ["feed1"]


async def test_the_account_stays_logged_in_when_the_second_session_is_refused() -> None:
    server = Server(refuses_login=True)
    rest, ended = client(server)
    server.logins = 1
    with pytest.raises(DataError, match="refuses the feed session: Invalid token"):
        await rest.op("peek")
    server.refuses_login, server.never = False, True
    wait(rest, RENEW_INTERVAL)
    with pytest.raises(DataError, match="refuses the feed session"):
        await rest.op("peek")
    assert server.reads == ["feed0", "feed0", "feed2"]
    assert ended == []
    with pytest.raises(SessionExpired):
        await rest.op("profile")
    assert ended == ["Invalid token"]


def wait(rest: RestClient, seconds: float) -> None:
    clock = rest.clock
    assert isinstance(clock, ManualClock)
    clock.advance(seconds)


async def test_reads_that_are_refused_for_something_else_begin_one_session_a_minute() -> None:
    server = Server()
    server.never = server.bare = True
    rest, ended = client(server)
    moved: list[str] = []
    rest.second.on_renewed = moved.append
    for _ in range(20):
        with pytest.raises(SecondSessionRefused, match="Not permitted") as caught:
            await rest.op("peek")
    assert (server.logins, moved, ended) == (1, ["feed"], [])
    assert 0 < caught.value.retry_after <= RENEW_INTERVAL
    refusal = await rest.second.refused("feed", ["feed1"], SessionExpired("feed"))
    assert type(refusal) is NetError and server.logins == 1
    wait(rest, RENEW_INTERVAL)
    with pytest.raises(SecondSessionRefused):
        await rest.op("peek")
    assert server.logins == 2


async def test_a_refused_beginning_is_remembered_until_somebody_logs_in() -> None:
    server = Server(refuses_login=True)
    rest, _ = client(server, token="")
    for _ in range(5):
        with pytest.raises(SecondSessionRefused, match="Invalid token"):
            await rest.op("peek")
    assert server.refused == 1
    server.refuses_login = False
    rest.second.forget()
    assert await rest.op("peek") == {"price": 5}


async def test_those_that_wait_for_a_beginning_share_its_failure() -> None:
    server = Server()
    server.down = 1
    rest, _ = client(server, token="")
    errors = await asyncio.gather(*(rest.op("peek") for _ in range(8)), return_exceptions=True)
    assert [type(error) for error in errors] == [NetError] * 8
    assert server.down == 2


async def test_a_broker_that_was_not_reached_is_asked_again_by_the_next_read() -> None:
    server, tries = Server(), 0

    def serve(request: httpx.Request) -> httpx.Response:
        nonlocal tries
        if request.url.path == "/feed/login":
            tries += 1
            wait(rest, 5.0)
            if tries == 1:
                raise httpx.ConnectTimeout("x")
        return server(request)

    rest, _ = client(server, token="")
    rest._transport = httpx.MockTransport(serve)
    errors = await asyncio.gather(*(rest.op("peek") for _ in range(8)), return_exceptions=True)
    assert [type(error) for error in errors] == [NotConnected] * 8 and tries == 1
    assert await rest.op("peek") == {"price": 5}


def test_the_validator_knows_second_sessions() -> None:
    spec = msgspec.structs.replace(spec_of(), limits=BROKER.spec.limits)
    assert check(spec, BROKER.api) == []
    wrong = msgspec.structs.replace(spec, renewals={})
    assert "renewals: 'feed' is used but not declared" in check(wrong, BROKER.api)
