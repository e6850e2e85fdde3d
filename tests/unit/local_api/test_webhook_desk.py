"""Webhooks as a person sees them: a test of one's own, and what came."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.webhook import HookResult
from openalgo_desktop.core.strategies.words import Signal, TriggerSource
from openalgo_desktop.local_api.webhook_desk import WebhookDesk
from openalgo_desktop.trading.webhooks import SymbolMap, WebhookKind, WebhookMode, WebhookStrategy
from tests.unit.local_api.rest_world import Desk, World, running
from tests.unit.local_api.strategy_world import FLIP, STRADDLE, FakeEngine
from tests.unit.local_api.test_made_webhooks import Log

HOOK = WebhookStrategy("id-1", "alerts", symbols=(SymbolMap("SBIN", "NSE", 7),), intraday=False)


@pytest.fixture
async def engine() -> FakeEngine:
    engine = FakeEngine(World().clock)
    for definition in (STRADDLE, FLIP):
        await engine.create(definition, "test")
    return engine


@pytest.fixture
async def world(engine: FakeEngine) -> AsyncIterator[World]:
    async with running(strategies=engine, webhook_log=Log()) as world:
        yield world


@pytest.fixture
def desk(world: World) -> WebhookDesk:
    return world.api.webhooks


async def test_a_made_strategy_is_tried_in_the_sandbox(
    desk: WebhookDesk, engine: FakeEngine, world: World
) -> None:
    await engine.enable_live(1, True, "test")
    world.desk.mode = Mode.LIVE
    locked = msgspec.structs.replace(STRADDLE, webhook_ip_allowlist=("10.0.0.0/8",))
    await engine.update(1, locked, "test")  # the owner has no address
    tried = await desk.try_made(1)
    assert (tried.status, tried.answer["result"]) == (200, "ok")
    assert tried.sent == '{"action":"start","mode":"sandbox"}'
    assert engine.told[-1][2:4] == (Mode.SANDBOX, TriggerSource.WEBHOOK)
    assert (await desk.try_made(1)).answer["result"] == "rejected_dedupe"
    assert (await desk.try_made(1, "stop")).answer["result"] == "ok"
    (last, *_) = await desk.came_to_made(1)
    assert (last.action, last.client, last.result) == ("stop", "test", HookResult.OK)
    await engine.lock_webhook(2, True, "test")
    assert (await desk.try_made(2)).answer["result"] == "rejected_locked"


async def test_what_would_be_live_is_asked_for(desk: WebhookDesk, engine: FakeEngine) -> None:
    await engine.enable_live(2, True, "test")
    with pytest.raises(ConfigError, match="live"):
        await desk.try_made(2)
    assert engine.told == []
    tried = await desk.try_made(2, live=True)
    assert engine.told[-1][2:4] == (Signal.LONG_ENTRY, 1)
    assert tried.sent == '{"action":"long_entry","leg_id":1}'
    await engine.enable_live(1, True, "test")
    await desk.try_made(1, live=True)
    assert engine.told[-1][2] is Mode.LIVE
    with pytest.raises(ConfigError, match="its run is live"):
        await desk.try_made(1, "stop")


async def test_a_webhook_strategy_is_tried_in_the_sandbox_wherever_the_switch_stands(
    desk: WebhookDesk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = Desk()
    paper.mode = Mode.SANDBOX
    world.desk.mode = Mode.LIVE
    monkeypatch.setattr(
        world.desk, "bound", lambda mode: {Mode.SANDBOX: paper}[mode], raising=False
    )
    for number in (1, 2):  # a test is no repetition of the one before
        tried = await desk.try_hook(HOOK)
        assert (tried.status, tried.answer) == (
            200,
            {"message": "Order queued successfully for SBIN"},
        )
        assert tried.outcome == f"order {number}"
    assert [(order.action, order.quantity) for order, _ in paper.placed] == [(Action.BUY, 7)] * 2
    assert world.desk.placed == []
    (last, *_) = await desk.came_to_hook("id-1")
    assert (last.mode, last.client, last.result) == ("sandbox", "test", HookResult.QUEUED)
    scan = msgspec.structs.replace(HOOK, kind=WebhookKind.CHARTINK, mode=WebhookMode.SHORT)
    assert (await desk.try_hook(scan)).answer["message"] == "Orders queued for symbols: SBIN"
    assert paper.placed[-1][0].action is Action.SELL
    off = msgspec.structs.replace(HOOK, active=False)
    refused = await desk.try_hook(off)
    assert (refused.status, refused.answer) == (400, {"error": "Strategy is inactive"})
    with pytest.raises(ConfigError, match="symbols"):
        await desk.try_hook(msgspec.structs.replace(HOOK, symbols=()))


async def test_the_address_is_that_of_the_tunnel(desk: WebhookDesk, world: World) -> None:
    assert desk.base == world.api.rest_url
    world.settings.set("webhooks.public_url", "https://my-host.example/")
    assert desk.pastes_of_hook(HOOK)[0].address == ("https://my-host.example/strategy/webhook/id-1")
    for wrong in ("my-host", "ftp://x", "https://", "https://a b", "https://u@x", "https://x?a"):
        with pytest.raises(ConfigError):
            world.settings.set("webhooks.public_url", wrong)
