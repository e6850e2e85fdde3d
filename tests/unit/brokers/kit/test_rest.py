"""Limits, errors, login steps and sessions, without a network."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.login import LoginRunner
from openalgo_desktop.brokers.kit.account.session import Session, SessionStore, session_end
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.rest.errors import Answer, DoubtfulSession, error_of
from openalgo_desktop.brokers.kit.rest.limits import Limiter
from openalgo_desktop.brokers.kit.spec import (
    Ask,
    BrokerSpec,
    Browser,
    Call,
    Compute,
    Envelope,
    Field,
    Hook,
    Login,
    Op,
    Rate,
)
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.errors import (
    AppError,
    BadCredentials,
    ConfigError,
    InsufficientFunds,
    NetError,
    NetTimeout,
    NotConnected,
    NotSupported,
    OrderStateUnknown,
    ProtocolError,
    RateLimited,
    RejectedByBroker,
    SessionExpired,
)
from openalgo_desktop.core.totp import totp
from tests.contract.rig import MemorySecrets

NOW = datetime(2026, 12, 1, 13, 30, tzinfo=IST)
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def spec_of(**changes: Any) -> BrokerSpec:
    """Zerodha's tables with changes."""
    return msgspec.structs.replace(BROKER.spec, **changes)


def client(
    serve: Callable[[httpx.Request], httpx.Response], spec: BrokerSpec | None = None
) -> RestClient:
    """A client whose server is a function."""
    session = Session({"api_key": "kitekey", "access_token": "tokentoken"})
    session.open = True
    return RestClient(
        spec or BROKER.spec, session, ManualClock(NOW), transport=httpx.MockTransport(serve)
    )


# -- limits ---------------------------------------------------------------------------------
class FakeTime:
    """A clock that sleeping moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def test_no_window_is_ever_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeTime(monkeypatch)
    limiter = Limiter({"orders": (Rate(10, 1), Rate(25, 60))}, lambda: fake.now)
    grants = []
    for _ in range(60):
        await limiter.acquire(["orders"], 1000)
        grants.append(fake.now)
    for count, seconds in ((10, 1.0), (25, 60.0)):
        for first, later in zip(grants, grants[count:], strict=False):
            assert later - first >= seconds - 1e-9


async def test_a_wait_beyond_the_deadline_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = FakeTime(monkeypatch)
    limiter = Limiter({"quotes": (Rate(1, 60),)}, lambda: fake.now)
    await limiter.acquire(["quotes"], 5)
    with pytest.raises(RateLimited) as caught:
        await limiter.acquire(["quotes"], 5)
    assert caught.value.retry_after == pytest.approx(60)
    assert "Nothing was sent" in caught.value.message
    assert fake.slept == []
    await limiter.acquire(["unknown bucket"], 5)
    assert limiter.headroom() == {"quotes": [(0, 1, 60)]}


async def test_a_429_holds_the_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeTime(monkeypatch)
    limiter = Limiter({"orders": (Rate(10, 1),)}, lambda: fake.now)
    limiter.hold(["orders", "other"], 3)
    await limiter.acquire(["orders"], 10)
    assert fake.now == pytest.approx(103)


# -- errors ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "kind", "message", "order", "wanted"),
    [
        (403, "TokenException", "Incorrect `api_key`.", False, SessionExpired),
        (403, "PermissionException", "Insufficient permission for that call.", False, NotSupported),
        (400, "MarginException", "Insufficient funds.", True, InsufficientFunds),
        (400, "OrderException", "Order does not exist.", True, RejectedByBroker),
        (429, "NetworkException", "Too many requests", True, RateLimited),
        (503, "NetworkException", "OMS down", False, NetError),
        (500, "GeneralException", "odd", True, NetError),
        (400, "Unheard", "a new refusal", True, RejectedByBroker),
        (401, "", "", False, DoubtfulSession),
        (408, "", "", True, NetTimeout),
        (400, "OrderException", "Order request timed out.", True, NetError),
    ],
)
def test_the_error_map(
    status: int, kind: str, message: str, order: bool, wanted: type[AppError]
) -> None:
    body = {"status": "error", "message": message, "error_type": kind, "data": None}
    error = error_of(BROKER.spec, Answer(BROKER.spec.envelope, status, body), order=order)
    assert type(error) is wanted
    assert message in error.message and error.message


def test_envelopes() -> None:
    good = Answer(BROKER.spec.envelope, 200, {"status": "success", "data": [1]})
    assert good.good and good.data == [1]
    assert not Answer(BROKER.spec.envelope, 200, {"status": "error", "message": "x"}).good
    bare = spec_of(envelope=Envelope(message="emsg", empty=("no data",)))
    answer = Answer(bare.envelope, 200, [1, 2])
    assert answer.good and answer.data == [1, 2]
    assert Answer(bare.envelope, 400, {"emsg": "5 :no data"}).empty


def test_a_code_may_be_the_key_of_the_one_entry_of_an_object() -> None:
    words = Envelope(
        state="status", ok=("success",), data="data", message="text|data.*", code="code|data.*"
    )
    bad = Answer(words, 400, {"status": "failed", "data": {"806": "No data plan"}})
    assert (bad.good, bad.code, bad.message) == (False, "806", "No data plan")
    other = Answer(words, 400, {"code": "DH-906", "text": "", "data": {}})
    assert (other.code, other.message) == ("DH-906", "")
    good = Answer(words, 200, {"status": "success", "data": {"NSE": {"1": 2.0}}})
    assert (good.good, good.code, good.message) == (True, "", "")  # an object is no sentence


async def test_who_has_no_market_data_says_so() -> None:
    can = msgspec.structs.replace(BROKER.spec.capabilities, quote_batch=0)
    spec = spec_of(capabilities=can)
    rest = client(lambda request: httpx.Response(500), spec)
    api = BROKER.api(spec, rest, BrokerIndex(), ManualClock(NOW))
    with pytest.raises(NotSupported, match="no market data"):
        await api.quotes([("NSE", "SBIN")])


async def test_answers_that_cannot_be_read() -> None:
    page = "<html><title>502 Bad Gateway</title></html>"
    rest = client(lambda request: httpx.Response(502, text=page))
    with pytest.raises(NetError) as caught:
        await rest.op("orders")
    assert "<html" not in caught.value.message
    with pytest.raises(OrderStateUnknown):
        await rest.op("cancel", {"order_id": "1", "variety": "regular", "tag": "T1"})
    rest = client(lambda request: httpx.Response(200, text="not json"))
    with pytest.raises(ProtocolError):
        await rest.op("orders")
    with pytest.raises(AppError) as lost:
        await rest.op("cancel", {"order_id": "1", "variety": "regular", "tag": "T1"})
    assert isinstance(lost.value, OrderStateUnknown) and lost.value.tag == "T1"


@pytest.mark.parametrize(
    ("failure", "read", "write"),
    [
        (httpx.ConnectError("x"), NotConnected, NotConnected),  # nothing was sent
        (httpx.ConnectTimeout("x"), NotConnected, NotConnected),
        (httpx.ReadTimeout("x"), NetTimeout, OrderStateUnknown),
        (httpx.ReadError("x"), NetError, OrderStateUnknown),
        (httpx.RemoteProtocolError("x"), NetError, OrderStateUnknown),
        (httpx.WriteError("x"), NetError, OrderStateUnknown),
    ],
)
async def test_a_lost_connection(
    failure: Exception, read: type[AppError], write: type[AppError]
) -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        raise failure

    rest = client(serve)
    with pytest.raises(AppError) as caught:
        await rest.op("orders")
    assert type(caught.value) is read
    with pytest.raises(AppError) as caught:
        await rest.op("cancel", {"order_id": "1", "variety": "regular", "tag": "T1"})
    assert type(caught.value) is write
    assert caught.value.__cause__ is None  # the request in it has headers


async def test_hosts_can_be_overridden() -> None:
    seen: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, json={"status": "success", "data": []})

    session = Session({"api_key": "k", "access_token": "t"})
    rest = RestClient(
        BROKER.spec,
        session,
        ManualClock(NOW),
        hosts={"rest": "http://127.0.0.1:1/prefix/", "stream": ""},
        transport=httpx.MockTransport(serve),
    )
    await rest.op("orders")
    assert seen == ["http://127.0.0.1:1/prefix/orders"]
    assert rest.overrides == {"rest": "http://127.0.0.1:1/prefix/"}
    assert rest.hosts["stream"] == "wss://ws.kite.trade"


async def test_an_order_does_not_wait_long_for_its_limit() -> None:
    sent: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        return httpx.Response(200, json={"status": "success", "data": {"order_id": "1"}})

    rest = client(serve, spec_of(limits={"orders": (Rate(1, 60.0),)}))
    values = {"order_id": "1", "variety": "regular", "tag": "T1"}
    await rest.op("cancel", values)
    with pytest.raises(RateLimited, match="Nothing was sent"):
        await rest.op("cancel", values)
    assert sent == ["DELETE"]


# -- sessions -------------------------------------------------------------------------------
def test_the_end_of_a_session() -> None:
    clock = ManualClock(NOW)
    assert session_end(BROKER.spec, clock) == datetime(2026, 12, 2, 6, 0, tzinfo=IST)
    early = datetime(2026, 12, 1, 5, 59, tzinfo=IST)
    assert session_end(BROKER.spec, ManualClock(early)) == datetime(2026, 12, 1, 6, 0, tzinfo=IST)
    day = spec_of(session_ends=None, session_hours=24.0)
    assert session_end(day, clock) == datetime(2026, 12, 2, 13, 30, tzinfo=IST)
    assert session_end(spec_of(session_ends=None), clock) is None
    assert session_end(spec_of(session_ends=time(3, 0)), clock) is not None


def jwt(claims: bytes) -> str:
    """A token with these claims."""
    parts = (b'{"alg":"x"}', claims, b"signature")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


EVENING = datetime(2026, 12, 1, 20, 0, tzinfo=IST)


@pytest.mark.parametrize(
    "said",
    [
        str(int(EVENING.timestamp())),
        str(int(EVENING.timestamp()) * 1000),
        "2026-12-01T14:30:00Z",
        "2026-12-01 20:00:00",
        jwt(b'{"exp":%d,"sub":"C1"}' % EVENING.timestamp()),
    ],
)
def test_a_login_says_when_its_session_ends(said: str) -> None:
    clock = ManualClock(NOW)
    spec = spec_of(session_end_value="exp", session_hours=1.0)
    assert session_end(spec, clock, said) == EVENING
    assert session_end(spec_of(session_hours=1.0), clock, said) == NOW + timedelta(hours=1)


def test_it_is_never_later_than_the_daily_end() -> None:
    clock = ManualClock(NOW)
    later = "2027-01-01T00:00:00+05:30"
    daily = spec_of(session_end_value="exp", session_ends=time(15, 0))
    assert session_end(daily, clock, later) == datetime(2026, 12, 1, 15, 0, tzinfo=IST)
    never = spec_of(session_end_value="exp", session_ends=None)
    assert session_end(never, clock, later) == datetime(2027, 1, 1, tzinfo=IST)


@pytest.mark.parametrize(
    "said",
    ["", "soon", "a.b.c", jwt(b"[]"), jwt(b"{}"), jwt(b'{"exp":"x"}'), "2026-12-01T10:00:00+05:30"],
)
def test_an_end_that_says_nothing_leaves_the_daily_one(said: str) -> None:
    spec = spec_of(session_end_value="exp", session_ends=time(3, 0))
    assert session_end(spec, ManualClock(NOW), said) == datetime(2026, 12, 2, 3, 0, tzinfo=IST)


async def test_the_end_is_a_value_of_the_login() -> None:
    login = Login(id="x", title="X", steps=(Ask((Field("access_token", "T"), Field("ends", "E"))),))
    session = Session()
    spec = spec_of(session_end_value="ends")
    rest = RestClient(spec, session, ManualClock(NOW))
    runner = LoginRunner(spec, rest, session, ManualClock(NOW), lambda name: second_step)
    await runner.run(login, {"access_token": "t", "ends": str(EVENING.timestamp())}, None)
    assert session.ends == EVENING


async def test_sessions_are_stored_as_secrets_only() -> None:
    secrets = MemorySecrets()
    store = SessionStore(secrets, "zerodha", "2")
    session = Session({"api_key": "K1", "api_secret": "S1", "access_token": "T1", "client_id": "C"})
    session.ends = NOW
    await store.save_credentials(BROKER.spec, session)
    await store.save_session(session, ["access_token", "client_id"])
    assert set(secrets.values) == {
        "broker/zerodha/2/api_key",
        "broker/zerodha/2/api_secret",
        "broker/zerodha/2/session",
    }
    again = Session()
    await store.load(BROKER.spec, again)
    assert again.context() == {
        "api_key": "K1",
        "api_secret": "S1",
        "access_token": "T1",
        "client_id": "C",
    }
    assert again.ends == NOW and not again.open
    await store.drop_all(BROKER.spec)
    assert secrets.values == {}
    assert "T1" not in repr(session) and "S1" not in str(session)


# -- login steps ----------------------------------------------------------------------------
class Human:
    """Answers what it knows; remembers what it was asked."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.urls: list[str] = []

    async def ask(self, fields: Sequence[Field]) -> Mapping[str, str]:
        self.asked += [field.name for field in fields]
        return {f.name: self.answers[f.name] for f in fields if f.name in self.answers}

    async def browse(self, url: str, broker: str, state: str) -> Mapping[str, str]:
        self.urls.append(url)
        return {"code": "CODE", "state": state} if "code" not in self.answers else self.answers


UNATTENDED = Login(
    id="totp",
    title="PIN and one-time code",
    steps=(
        Ask(
            (
                Field("client", "Client id", stored=True),
                Field("pin", "PIN", secret=True, stored=True, digits=4),
                Field("totp_secret", "TOTP secret", secret=True, stored=True, optional=True),
            )
        ),
        Compute({"otp": "totp:{totp_secret}"}),
        Ask((Field("otp", "One-time code", digits=6),)),
        Call(
            Op(
                method="POST",
                path="/login",
                encoding="json",
                public=True,
                body={"client": "$client", "pin": "$pin", "otp": "$otp"},
            ),
            {"access_token": "token"},
        ),
        Hook("second_step"),
    ),
    session=("access_token", "extra"),
    client_id="client",
)


async def second_step(known: Mapping[str, Any]) -> Mapping[str, str]:
    """A hook step."""
    return {"extra": known["access_token"] + "+"}


async def run(
    login: Login, given: Mapping[str, str], human: Human | None, session: Session | None = None
) -> tuple[dict[str, str], list[dict[str, Any]], Session]:
    """Run a login; its result, the bodies sent and the session."""
    sent: list[dict[str, Any]] = []

    def serve(request: httpx.Request) -> httpx.Response:
        assert "authorization" not in request.headers
        sent.append(json.loads(request.content))
        if sent[-1].get("pin") == "0000":
            return httpx.Response(403, json={"status": "error", "message": "Wrong PIN."})
        return httpx.Response(200, json={"status": "success", "data": {"token": "TOKEN"}})

    session = session or Session()
    rest = RestClient(BROKER.spec, session, ManualClock(NOW), transport=httpx.MockTransport(serve))
    runner = LoginRunner(BROKER.spec, rest, session, ManualClock(NOW), lambda name: second_step)
    return await runner.run(login, given, human), sent, session


async def test_a_stored_totp_secret_makes_the_code() -> None:
    stored = Session({"client": "C1", "pin": "1234", "totp_secret": SECRET})
    values, sent, session = await run(UNATTENDED, {}, None, stored)
    assert sent == [{"client": "C1", "pin": "1234", "otp": totp(SECRET, NOW.timestamp())}]
    assert values == {"access_token": "TOKEN", "extra": "TOKEN+", "client_id": "C1"}
    assert session.open and session.ends is not None
    assert not session.has("otp")  # a code is used once and kept nowhere


async def test_without_it_the_code_is_asked() -> None:
    human = Human(client="C1", pin="1234", otp="654321")
    _, sent, _ = await run(UNATTENDED, {}, human)
    assert human.asked == ["client", "pin", "totp_secret", "otp"]
    assert sent[0]["otp"] == "654321"


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({}, "client"),
        ({"client": "C1"}, "pin"),
        ({"client": "C1", "pin": "12"}, "pin"),
        ({"client": "C1", "pin": "1234"}, "otp"),
        ({"client": "C1", "pin": "1234", "otp": "12 456"}, "otp"),
    ],
)
async def test_errors_name_the_field(answers: dict[str, str], field: str) -> None:
    with pytest.raises(BadCredentials) as caught:
        await run(UNATTENDED, {}, Human(**answers))
    assert caught.value.field == field


async def test_a_refused_login_is_bad_credentials() -> None:
    with pytest.raises(BadCredentials, match=r"Wrong PIN\."):
        await run(UNATTENDED, {}, Human(client="C1", pin="0000", otp="123456"))


async def test_a_browser_login_carries_a_one_shot_state() -> None:
    login = Login(
        id="oauth",
        title="Browser",
        steps=(
            Ask((Field("api_key", "Key", stored=True),)),
            Browser("https://x/login?key={api_key}&state={state}", {"code": "code"}),
            Compute({"access_token": "sha256:{api_key}{code}"}),
        ),
    )
    human = Human(api_key="A&B")
    values, _, _ = await run(login, {}, human)
    assert len(values["access_token"]) == 64
    assert human.urls[0].startswith("https://x/login?key=A%26B&state=")
    assert len(human.urls[0].rpartition("=")[2]) >= 16
    other = Human(api_key="A")
    await run(login, {}, other)
    assert other.urls[0].rpartition("=")[2] != human.urls[0].rpartition("=")[2]
    with pytest.raises(ConfigError, match="openalgo-desktop login"):
        await run(login, {"api_key": "A"}, None)
    refused = Human(api_key="A", code="", message="User cancelled")
    with pytest.raises(BadCredentials, match="User cancelled"):
        await run(login, {}, refused)
