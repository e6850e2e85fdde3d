"""What an answer may pass for: nothing found, done, or nothing known at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.firstock import BROKER as FIRSTOCK
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import BrokerSpec, Envelope, Op, check
from openalgo_desktop.brokers.shoonya import BROKER as NOREN
from openalgo_desktop.brokers.wisdom import BROKER as XTS
from openalgo_desktop.brokers.zerodha import BROKER as KITE
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.errors import (
    AppError,
    DataError,
    NetError,
    OrderStateUnknown,
    ProtocolError,
    RateLimited,
    RejectedByBroker,
    SessionExpired,
)

CLOCK = ManualClock(datetime(2026, 11, 27, 11, 0, tzinfo=IST))
READ = Op(method="GET", path="/x")
WRITE = Op(method="POST", path="/x", write=True)
NO_DATA = {"stat": "Not_Ok", "emsg": 'Error Occurred : 5 "no data"'}


async def told(spec: BrokerSpec, op: Op, *answers: httpx.Response) -> Any:
    """The payload of ``op``, or the error; several parts get one answer each."""
    left = list(answers)
    session = Session({"api_key": "kitekey", "access_token": "tokentoken"})
    session.open = True
    rest = RestClient(
        msgspec.structs.replace(spec, limits={}, headers={}, sign=None),
        session,
        CLOCK,
        hosts=dict.fromkeys(spec.hosts, "https://broker.test"),
        transport=httpx.MockTransport(lambda request: left.pop(0)),
    )
    try:
        return await rest.call(op)
    except AppError as error:
        return error
    finally:
        await rest.close()


def noren(status: int, words: str) -> httpx.Response:
    return httpx.Response(status, json={"stat": "Not_Ok", "emsg": words})


# -- nothing found --------------------------------------------------------------------------
@pytest.mark.parametrize("status", [200, 400])
async def test_a_read_that_finds_nothing_is_empty_and_a_refused_write_is_not(status: int) -> None:
    answer = httpx.Response(status, json=NO_DATA)
    assert await told(NOREN.spec, READ, answer) is None
    assert isinstance(await told(NOREN.spec, WRITE, answer), RejectedByBroker)
    bad = {"status": "failed", "name": "NO_DATA", "error": {"message": "no data"}}
    answer = httpx.Response(status, json=bad)
    assert await told(FIRSTOCK.spec, READ, answer) is None
    assert isinstance(await told(FIRSTOCK.spec, WRITE, answer), RejectedByBroker)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (noren(502, "no data"), NetError),
        (noren(500, "no data"), NetError),
        (noren(429, "no data"), RateLimited),
        (noren(401, "no data"), DataError),  # doubted, and nothing could be asked
        (noren(200, "Session Expired : no data"), SessionExpired),
        (noren(200, "internal server error: no data"), DataError),
        (noren(200, "no data received from the exchange"), DataError),
    ],
)
async def test_trouble_is_no_empty_book(answer: httpx.Response, wanted: type[AppError]) -> None:
    assert isinstance(await told(NOREN.spec, READ, answer), wanted)


async def test_a_part_in_trouble_is_the_trouble_of_the_whole() -> None:
    op = msgspec.structs.replace(READ, each=({"a": 1}, {"a": 2}))
    good = httpx.Response(200, json=[{"id": 1}])
    assert await told(NOREN.spec, op, good, noren(200, "no data")) == [{"id": 1}]
    assert isinstance(await told(NOREN.spec, op, good, noren(502, "no data")), NetError)


# -- done -----------------------------------------------------------------------------------
ODD: list[Any] = [None, [], "Session Expired", 5, True, {}, {"message": None}]


@pytest.mark.parametrize(
    "spec", [NOREN.spec, XTS.spec, KITE.spec, FIRSTOCK.spec], ids=lambda s: s.id
)
@pytest.mark.parametrize("body", ODD, ids=str)
async def test_a_write_that_is_answered_without_its_state_is_unknown(
    spec: BrokerSpec, body: Any
) -> None:
    answer = httpx.Response(200, content=msgspec.json.encode(body))
    assert isinstance(await told(spec, WRITE, answer), OrderStateUnknown)


@pytest.mark.parametrize("body", [None, "Session Expired", 5], ids=str)
async def test_a_read_that_is_answered_with_no_object_is_an_error(body: Any) -> None:
    answer = httpx.Response(200, content=msgspec.json.encode(body))
    for spec in (NOREN.spec, XTS.spec, KITE.spec):
        assert isinstance(await told(spec, READ, answer), ProtocolError)


async def test_bare_lists_are_books_only_where_the_broker_has_them() -> None:
    rows = httpx.Response(200, json=[])
    assert await told(NOREN.spec, READ, rows) == []
    assert isinstance(await told(XTS.spec, READ, rows), ProtocolError)
    assert isinstance(await told(KITE.spec, READ, rows), ProtocolError)


async def test_a_state_that_nobody_knows_leaves_an_order_unknown() -> None:
    answer = httpx.Response(200, json={"stat": "OI Cancelled"})
    gtt = NOREN.spec.ops["gtt_cancel"].envelope
    assert gtt is not None
    op = msgspec.structs.replace(WRITE, envelope=gtt)
    assert isinstance(await told(NOREN.spec, op, answer), OrderStateUnknown)
    refused = httpx.Response(200, json={"stat": "Not_Ok", "emsg": "Invalid OI"})
    assert isinstance(await told(NOREN.spec, op, refused), RejectedByBroker)
    bare = msgspec.structs.replace(WRITE, envelope=Envelope(state="stat", ok=("Ok",)))
    assert isinstance(await told(NOREN.spec, bare, answer), RejectedByBroker)  # no ``bad``


# -- the validator --------------------------------------------------------------------------
def problems(**ops: Op) -> list[str]:
    spec = msgspec.structs.replace(XTS.spec, ops={**XTS.spec.ops, **ops})
    return check(spec, XTS.api)


def test_the_validator_keeps_writes_single_and_answered() -> None:
    place = XTS.spec.ops["place"]
    assert problems() == []
    twice = msgspec.structs.replace(place, renew=next(iter(XTS.spec.renewals)))
    assert "ops.place: a write is sent once" in problems(place=twice)
    for empty in (
        msgspec.structs.replace(place, empty=("no data$",)),
        msgspec.structs.replace(place, envelope=Envelope(empty=("no data$",))),
    ):
        assert "ops.place: a write is never answered with nothing" in problems(place=empty)
    loose = msgspec.structs.replace(XTS.spec.ops["orders"], empty=("no data",))
    assert any("how the message ends" in text for text in problems(orders=loose))
    pair = Op(method="POST", path="/pair")
    assert "ops.oco_place: it changes orders and is no write" in problems(oco_place=pair)
    both = Envelope(state="s", ok=("a",), bad=("a",))
    assert any(
        "not both" in text for text in problems(orders=Op(method="GET", path="/", envelope=both))
    )


KEYS = {"market_api_key": "k", "market_api_secret": "s"}


async def test_a_write_never_begins_a_second_session_to_be_sent_again() -> None:
    place = msgspec.structs.replace(
        WRITE, path="/place", renew=next(iter(XTS.spec.renewals)), headers={}
    )
    spec = msgspec.structs.replace(
        XTS.spec, ops={**XTS.spec.ops, "place": place}, limits={}, headers={}
    )
    sent: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        if not request.url.path.endswith("/place"):
            data = {"token": "new", "userID": "new"}
            return httpx.Response(200, json={"type": "success", "result": data})
        return httpx.Response(400, json={"type": "error", "description": "Invalid Token"})

    values = {name: "x" for call in spec.renewals.values() for name in call.gives}
    session = Session({"access_token": "t", "dealer_client": "", **KEYS, **values})
    session.open = True
    rest = RestClient(spec, session, CLOCK, transport=httpx.MockTransport(serve))
    with pytest.raises(AppError):
        await rest.op("place", {"tag": "T1"})
    assert len([path for path in sent if path.endswith("/place")]) == 1
    assert len(sent) == 1


# -- secrets --------------------------------------------------------------------------------
async def test_an_answer_that_cannot_be_read_shows_no_token() -> None:
    answer = httpx.Response(200, text='{"token": "SECRETTOKEN" ')
    login = Op(method="POST", path="/login")
    for op in (login, msgspec.structs.replace(login, public=True)):
        error = await told(KITE.spec, op, answer)
        assert isinstance(error, ProtocolError) and "SECRET" not in error.detail
    for name in ("orders", "profile"):
        error = await told(KITE.spec, KITE.spec.ops[name], answer)
        assert isinstance(error, ProtocolError) and "SECRET" in error.detail  # it can be looked at
