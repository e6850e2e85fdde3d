"""Rate limits with weights and links, and signatures that are made after the waiting."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.rest.limits import Limiter
from openalgo_desktop.brokers.kit.spec import Op, Rate, check
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.errors import RateLimited
from openalgo_desktop.core.leaving import leaving

NOW = datetime(2026, 12, 1, 13, 30, tzinfo=IST)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """A clock that sleeping moves."""
    clock = ManualClock(NOW)

    async def sleep(seconds: float) -> None:
        clock.advance(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return clock


async def grants(limiter: Limiter, clock: ManualClock, *asked: tuple[str, int]) -> list[float]:
    """Seconds from now at which each request was let go."""
    began = clock.monotonic()
    times = []
    for names, cost in asked:
        await limiter.acquire(names.split(), 1000, cost)
        times.append(round(clock.monotonic() - began, 6))
    return times


async def test_a_heavy_request_takes_several_grants(clock: ManualClock) -> None:
    limiter = Limiter({"all": (Rate(10),)}, clock.monotonic)
    asked = [("all", 4), ("all", 4), ("all", 4), ("all", 2), ("all", 1)]
    assert await grants(limiter, clock, *asked) == [0, 0, 1, 1, 1]
    assert limiter.headroom() == {"all": [(3, 10, 1.0)]}


async def test_no_window_is_exceeded_by_weights(clock: ManualClock) -> None:
    limiter = Limiter({"all": (Rate(10), Rate(25, 10))}, clock.monotonic)
    costs = [1, 5, 3, 2, 7, 1, 1, 10, 4, 4, 6, 1, 9, 2]
    times = await grants(limiter, clock, *(("all", cost) for cost in costs))
    given = [at for at, cost in zip(times, costs, strict=True) for _ in range(cost)]
    for count, seconds in ((10, 1.0), (25, 10.0)):
        for first, later in zip(given, given[count:], strict=False):
            assert later - first >= seconds - 1e-6


async def test_a_request_waits_for_the_fullest_of_its_buckets(clock: ManualClock) -> None:
    limiter = Limiter({"all": (Rate(10),), "orders": (Rate(1, 5),)}, clock.monotonic)
    asked = [("all orders", 1), ("all", 1), ("all orders", 1)]
    assert await grants(limiter, clock, *asked) == [0, 0, 5]


async def test_linked_buckets_count_together(clock: ManualClock) -> None:
    limits = {
        "orders": (Rate(10), Rate(3, 60, shared="trading")),
        "gtt": (Rate(2, 60, shared="trading"),),
        "quotes": (Rate(3, 60),),
    }
    limiter = Limiter(limits, clock.monotonic)
    await limiter.acquire(["orders"], 0)
    await limiter.acquire(["gtt"], 0)
    assert limiter.headroom() == {
        "orders": [(9, 10, 1.0), (1, 3, 60)],
        "gtt": [(0, 2, 60)],
        "quotes": [(3, 3, 60)],
    }
    with pytest.raises(RateLimited):
        await limiter.acquire(["gtt"], 1)
    await limiter.acquire(["orders", "quotes"], 0)
    with pytest.raises(RateLimited):
        await limiter.acquire(["orders"], 1)
    await limiter.acquire(["quotes"], 0)


async def test_a_request_of_two_linked_buckets_counts_once(clock: ManualClock) -> None:
    linked = (Rate(5, 60, shared="x"),)
    limiter = Limiter({"a": linked, "b": linked}, clock.monotonic)
    await limiter.acquire(["a", "b"], 0)
    assert limiter.headroom() == {"a": [(4, 5, 60)], "b": [(4, 5, 60)]}


async def test_a_hold_holds_what_is_linked_and_shows(clock: ManualClock) -> None:
    limits = {
        "a": (Rate(5, 60, shared="x"),),
        "b": (Rate(5, 60, shared="x"), Rate(9)),
        "c": (Rate(5),),
    }
    limiter = Limiter(limits, clock.monotonic)
    limiter.hold(["a", "unheard"], 3)
    shown = {name: [free for free, *_ in rows] for name, rows in limiter.headroom().items()}
    assert shown == {"a": [0], "b": [0, 0], "c": [5]}
    assert await grants(limiter, clock, ("c", 1), ("b", 1)) == [0, 3]
    assert limiter.headroom()["a"] == [(4, 5, 60)]


def test_a_cost_that_never_fits_is_told_by_the_validator() -> None:
    for cost in (0, 11):
        ops = {**BROKER.spec.ops, "orders": Op(method="GET", path="/x", cost=cost)}
        said = check(msgspec.structs.replace(BROKER.spec, ops=ops), BROKER.api)
        assert said == [f"limits: ops.orders: a cost of {cost} does not fit in 10 grants"]


async def test_what_is_urgent_goes_before_what_waits() -> None:
    """Orders of a script that fill every second keep nobody in: of 30 that wait already none goes
    before an exit that comes after them, in no bucket that they share."""
    limiter = Limiter({"all": (Rate(5, 0.2),), "orders": (Rate(2, 0.1),)}, time.monotonic)
    went: list[str] = []

    async def ask(name: str, buckets: str, urgent: bool = False) -> None:
        await limiter.acquire(buckets.split(), 30, urgent=urgent)
        went.append(name)

    others = [asyncio.ensure_future(ask("order", "all orders")) for _ in range(30)]
    others += [asyncio.ensure_future(ask("read", "all")) for _ in range(10)]
    await asyncio.sleep(0.15)
    before = len(went)
    await asyncio.gather(*(ask("exit", "all orders", True) for _ in range(3)))
    then = went[before:]
    last = max(place for place, name in enumerate(then) if name == "exit")
    assert then.count("exit") == 3 and then[:last].count("order") <= 2
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    assert {w.grants.first for windows in limiter._windows.values() for w in windows} == {0}


# -- signatures -----------------------------------------------------------------------------
def sign(
    op: Op, method: str, path: str, body: bytes, values: Mapping[str, Any], now: float
) -> Mapping[str, str]:
    """The shape of Delta's: HMAC over method, second, address and body."""
    text = f"{method}{int(now)}{path}".encode() + body
    digest = hmac.new(str(values["api_secret"]).encode(), text, hashlib.sha256).hexdigest()
    return {"timestamp": str(int(now)), "signature": digest}


class Signed:
    """A client of a broker with signatures, and what came to its server when."""

    def __init__(self, clock: ManualClock, limits: Mapping[str, tuple[Rate, ...]]) -> None:
        self.came: list[tuple[float, httpx.Request]] = []
        self._clock = clock
        self.session = Session({"api_key": "k", "access_token": "t", "api_secret": "s1"})
        self.session.open = True
        ops = {
            "write": Op(
                method="POST", path="/v2/orders", query={"a": "M&M 1"}, encoding="json",
                body={"q": "$quantity"}, write=True, limit="orders",
            ),
            "plain": Op(method="GET", path="/v2/time", sign=False),
        }  # fmt: skip
        spec = msgspec.structs.replace(BROKER.spec, ops=ops, limits=limits, sign=sign)
        transport = httpx.MockTransport(self._serve)
        self.rest = RestClient(spec, self.session, clock, transport=transport)

    def _serve(self, request: httpx.Request) -> httpx.Response:
        self.came.append((self._clock.time(), request))
        return httpx.Response(200, json={"status": "success", "data": {}})


async def test_a_write_that_waited_is_signed_after_it(clock: ManualClock) -> None:
    broker = Signed(clock, {"orders": (Rate(1, 7),)})
    for quantity in (1, 2):
        await broker.rest.op("write", {"quantity": quantity})
    (first, _), (second, request) = broker.came
    assert second - first == pytest.approx(7)  # longer than the signature would have held
    assert request.headers["timestamp"] == str(int(second))
    text = f"POST{int(second)}/v2/orders?a=M%26M%201".encode() + b'{"q":2}'
    wanted = hmac.new(b"s1", text, hashlib.sha256).hexdigest()
    assert request.headers["signature"] == wanted


async def test_the_session_is_that_of_the_sending(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Signed(clock, {"orders": (Rate(1, 7),)})
    await broker.rest.op("write", {"quantity": 1})

    async def sleep(seconds: float) -> None:  # another login meanwhile
        clock.advance(seconds)
        broker.session.update({"access_token": "new", "api_secret": "s2"})

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await broker.rest.op("write", {"quantity": 1})
    at, request = broker.came[-1]
    assert request.headers["authorization"] == "token k:new"
    text = f"POST{int(at)}/v2/orders?a=M%26M%201".encode() + b'{"q":1}'
    assert request.headers["signature"] == hmac.new(b"s2", text, hashlib.sha256).hexdigest()


async def test_what_is_not_signed_goes_without(clock: ManualClock) -> None:
    broker = Signed(clock, {})
    await broker.rest.op("plain")
    assert "signature" not in broker.came[0][1].headers


# -- the broker says "too many" -----------------------------------------------------------------
@pytest.mark.parametrize(
    ("refused", "waits"),
    [
        # A refused order delays other orders, but no read and no cancellation.
        ("place", {"place": 5.0, "orders": 0.0, "cancel": 0.0, "gtt_cancel": 0.0}),
        # A refused read delays what it shares a limit with, but no cancellation.
        ("orders", {"place": 5.0, "orders": 5.0, "cancel": 0.0, "gtt_cancel": 0.0}),
        # A refused cancellation delays others for a moment at most, whatever the broker says.
        ("cancel", {"place": 5.0, "orders": 0.0, "cancel": 1.0, "gtt_cancel": 0.0}),
    ],
)
@pytest.mark.parametrize("closes", [False, True])
async def test_a_refusal_never_delays_a_cancellation_or_an_exit(
    clock: ManualClock, refused: str, waits: Mapping[str, float], closes: bool
) -> None:
    limits = {"all": (Rate(100),), "orders": (Rate(100),)}
    ops = {
        "place": Op(method="POST", path="/p", write=True, limit="orders"),
        "cancel": Op(method="POST", path="/c", write=True, limit="orders"),
        "gtt_cancel": Op(method="POST", path="/g", write=True),
        "orders": Op(method="GET", path="/o"),
    }
    spec = msgspec.structs.replace(BROKER.spec, limits=limits, ops=ops)
    for name, wanted in waits.items():
        answers = [
            httpx.Response(429, headers={"retry-after": "5"}, json={"status": "error"}),
            httpx.Response(200, json={"status": "success", "data": []}),
        ]
        session = Session({"api_key": "kitekey", "access_token": "token"})
        transport = httpx.MockTransport(lambda request, left=answers: left.pop(0))
        rest = RestClient(spec, session, clock, transport=transport)
        with pytest.raises(RateLimited):
            await rest.op(refused)
        leaves = closes and name == "place"  # out of a position
        began = clock.monotonic()
        with leaving(closes):
            await rest.op(name)
        assert clock.monotonic() - began == pytest.approx(waits["cancel"] if leaves else wanted), (
            name
        )
