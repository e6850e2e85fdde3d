"""Where the browser comes back to: one-shot, with the state of the login that waits."""

from __future__ import annotations

import asyncio
from datetime import datetime

import httpx
import pytest

from openalgo_desktop.core.clock import IST, ManualClock, SystemClock
from openalgo_desktop.core.errors import AppError, ConfigError, NetTimeout
from openalgo_desktop.local_api import handover
from openalgo_desktop.local_api.callback import Callbacks, callback_server
from tests.memory import MemorySecrets


async def waiting(callbacks: Callbacks, state: str) -> asyncio.Task[dict[str, str]]:
    """A login that waits."""
    task = asyncio.create_task(callbacks.wait("zerodha", state))
    await asyncio.sleep(0)
    return task


async def test_the_answer_reaches_the_login_that_waits_once() -> None:
    callbacks = Callbacks()
    login = await waiting(callbacks, "right")
    answer = {"request_token": "T", "state": "right"}
    assert callbacks.receive("zerodha", answer)
    assert await login == answer
    assert not callbacks.receive("zerodha", answer)


@pytest.mark.parametrize("state", ["wrong", "", "r\u00efght", "right\ud800"])
async def test_another_state_is_refused_and_the_login_goes_on(state: str) -> None:
    callbacks = Callbacks()
    login = await waiting(callbacks, "right")
    assert not callbacks.receive("zerodha", {"request_token": "evil", "state": state})
    assert not callbacks.receive("upstox", {"code": "x", "state": "right"})
    assert not login.done()
    assert callbacks.receive("zerodha", {"request_token": "good", "state": "right"})
    assert (await login)["request_token"] == "good"


async def test_a_broker_without_state() -> None:
    callbacks = Callbacks()
    login = await waiting(callbacks, "")
    assert callbacks.receive("zerodha", {"request_token": "T"})
    assert (await login)["request_token"] == "T"


async def test_a_second_login_takes_the_place_of_the_first() -> None:
    callbacks = Callbacks()
    first = await waiting(callbacks, "one")
    second = await waiting(callbacks, "two")
    with pytest.raises(AppError, match="Another login"):
        await first
    assert callbacks.receive("zerodha", {"state": "two"})
    await second


async def test_nobody_comes() -> None:
    callbacks = Callbacks()
    with pytest.raises(NetTimeout, match="redirect address"):
        await callbacks.wait("zerodha", "s", timeout_s=0.01)
    assert not callbacks.receive("zerodha", {"state": "s"})


async def test_the_small_server_shows_nothing_of_the_parameters() -> None:
    callbacks = Callbacks()
    async with callback_server(callbacks, "127.0.0.1", 0) as url, httpx.AsyncClient() as browser:
        address = f"{url}/zerodha/callback"
        query = {"request_token": "very-secret", "state": "s"}
        early = await browser.get(address, params=query)
        assert early.status_code == 403
        login = await waiting(callbacks, "s")
        page = await browser.get(address, params=query)
        assert page.status_code == 200 and (await login)["request_token"] == "very-secret"
        for text in (early.text, page.text):
            assert "very-secret" not in text
        name = await browser.get(f"{url}/<script>/callback")
        assert "<script>" not in name.text
        port = int(url.rpartition(":")[2])
        with pytest.raises(ConfigError, match="in use"):
            async with callback_server(callbacks, "127.0.0.1", port):
                pass


# -- a login beside the engine --------------------------------------------------------------
async def test_the_engine_hands_the_answer_to_the_login_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handover, "POLL", 0.01)
    secrets, clock = MemorySecrets(), SystemClock()
    engine = Callbacks(handover.Handover(secrets, clock))
    beside = handover.Handover(secrets, clock)
    assert (await engine.page("zerodha", {"request_token": "T", "state": "s"}))[0] == 403
    await beside.offer("zerodha", "s", 5.0)
    login = asyncio.create_task(beside.wait("zerodha", 5.0))
    assert (await engine.page("zerodha", {"request_token": "evil", "state": "x"}))[0] == 403
    assert (await engine.page("upstox", {"code": "T", "state": "s"}))[0] == 403
    assert (await engine.page("zerodha", {"request_token": "T", "state": "s"}))[0] == 200
    assert (await login)["request_token"] == "T"
    assert secrets.values == {}
    assert (await engine.page("zerodha", {"request_token": "T", "state": "s"}))[0] == 403


async def test_a_login_that_died_long_ago_gets_nothing() -> None:
    secrets = MemorySecrets()
    clock = ManualClock(datetime(2026, 12, 1, 10, 0, tzinfo=IST))
    beside, engine = handover.Handover(secrets, clock), handover.Handover(secrets, clock)
    await beside.offer("zerodha", "s", 5.0)
    pending = dict(secrets.values)
    login = asyncio.create_task(beside.wait("zerodha", 5.0))
    await asyncio.sleep(0)
    login.cancel()
    await asyncio.gather(login, return_exceptions=True)
    assert secrets.values == {}
    secrets.values.update(pending)  # as a kill leaves it
    clock.advance(6)
    assert not await engine.receive("zerodha", {"state": "s"})
    with pytest.raises(NetTimeout):
        await beside.wait("zerodha", 0.01)


async def test_a_broker_may_come_back_with_a_form() -> None:
    """XTS brokers send what they give by a cross-site form, with a query of ours perhaps."""
    callbacks = Callbacks()
    login = await waiting(callbacks, "")
    async with callback_server(callbacks, "127.0.0.1", 0) as address, httpx.AsyncClient() as http:
        answer = await http.post(
            f"{address}/zerodha/callback?state=s", data={"session": '{"accessToken": "A"}'}
        )
    assert answer.status_code == 200 and "accessToken" not in answer.text
    assert await login == {"session": '{"accessToken": "A"}', "state": "s"}
