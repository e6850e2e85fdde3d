"""A second session of an account: begun anew by the read that finds it over."""

from __future__ import annotations

import asyncio
import json

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import BrokerSpec, Call, Op, check
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.errors import DataError, SessionExpired

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

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/feed/login":
            if self.refuses_login:
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
        SystemClock(),
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
    with pytest.raises(DataError, match="refuses the feed session"):
        await rest.op("peek")
    assert server.reads == ["feed0", "feed0", "feed2"]
    assert ended == []
    with pytest.raises(SessionExpired):
        await rest.op("profile")
    assert ended == ["Invalid token"]


def test_the_validator_knows_second_sessions() -> None:
    spec = msgspec.structs.replace(spec_of(), limits=BROKER.spec.limits)
    assert check(spec, BROKER.api) == []
    wrong = msgspec.structs.replace(spec, renewals={})
    assert "renewals: 'feed' is used but not declared" in check(wrong, BROKER.api)
