"""The public webhook of made strategies: every stage, its answer, its row in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError, NetTimeout, StorageError
from openalgo_desktop.core.events import WebhookCame
from openalgo_desktop.core.strategies.ports import EveryEntryRejected, NotNow, StrategyEngine
from openalgo_desktop.core.strategies.rows import LegAnswer, SignalAnswer
from openalgo_desktop.core.strategies.webhook import HookResult, may_send
from openalgo_desktop.core.strategies.words import Signal, TriggerSource
from openalgo_desktop.core.webhook_log import WebhookEvent, made_key
from openalgo_desktop.local_api import hook_log
from openalgo_desktop.local_api.bodies import Body
from tests.unit.local_api.rest_world import World, running
from tests.unit.local_api.strategy_world import FLIP, STRADDLE, FakeEngine

BATCH, SIGNAL = 1, 2
START = {"action": "start", "mode": "sandbox"}


class Log:
    """The log of webhooks in memory."""

    def __init__(self) -> None:
        self.rows: dict[int, WebhookEvent] = {}
        self.fail: StorageError | None = None

    async def add(self, event: WebhookEvent) -> int:
        if self.fail is not None:
            raise self.fail
        number = len(self.rows) + 1
        self.rows[number] = msgspec.structs.replace(event, event_id=number)
        return number

    async def finish(
        self, event_id: int, result: HookResult, status: int, message: str, run_id: int | None
    ) -> None:
        self.rows[event_id] = msgspec.structs.replace(
            self.rows[event_id], result=result, status=status, message=message, run_id=run_id
        )

    async def recent(self, strategy: str, limit: int) -> Sequence[WebhookEvent]:
        found = [row for row in self.rows.values() if row.strategy == strategy]
        return found[::-1][:limit]

    async def latest(self, limit: int) -> Sequence[WebhookEvent]:
        return list(self.rows.values())[::-1][:limit]

    async def taken(self) -> Sequence[WebhookEvent]:
        return [row for row in self.rows.values() if row.result is HookResult.TAKEN]


class Hooks:
    """A world with two strategies and their addresses."""

    def __init__(self, world: World, engine: FakeEngine, log: Log, tokens: dict[int, str]) -> None:
        self.world, self.engine, self.log, self.tokens = world, engine, log, tokens

    async def send(self, number: int, body: Any = None, **request: Any) -> tuple[int, Any]:
        """Status and answer of an alert."""
        if body is not None:
            request["json"] = body
        answer = await self.world.http.post(f"/strategy/webhook/{self.tokens[number]}", **request)
        return answer.status_code, answer.json()

    async def told(self, number: int) -> list[str]:
        """Results in the log, oldest first, once they are written."""
        await self.world.api.dispatcher.services.hook_log.stop()
        key = made_key(number) if number else ""
        return [row.result.value for row in self.log.rows.values() if row.strategy == key]


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    engine, log = FakeEngine(World().clock), Log()
    whole: StrategyEngine = engine
    tokens = {}
    for number, definition in ((BATCH, STRADDLE), (SIGNAL, FLIP)):
        await engine.create(definition, "test")
        tokens[number] = await engine.rotate_token(number, "test")
    async with running(strategies=whole, webhook_log=log) as world:
        engine.clock = world.clock
        yield Hooks(world, engine, log, tokens)


def result(answer: tuple[int, Any]) -> tuple[int, str]:
    return answer[0], answer[1]["result"]


async def test_a_batch_strategy_starts_and_stops(hooks: Hooks) -> None:
    told: list[str] = []
    hooks.world.ctx.bus.subscribe(WebhookCame, lambda event: told.append(event.strategy))
    assert await hooks.send(BATCH, {"action": " START ", "mode": "Sandbox"}) == (
        200,
        {
            "status": "success",
            "result": "ok",
            "message": "Strategy start accepted",
            "strategy_id": BATCH,
            "run_id": 1,
        },
    )
    assert hooks.engine.told == [
        ("start", BATCH, Mode.SANDBOX, TriggerSource.WEBHOOK, "webhook:Straddle", 1)
    ]
    assert told == [made_key(BATCH)] * 2  # taken, then ended
    row = hooks.log.rows[1]
    assert (row.result, row.status, row.run_id) == (HookResult.OK, 200, 1)
    assert (row.action, row.mode, row.client) == ("start", "sandbox", "127.0.0.1")
    status, body = await hooks.send(BATCH, {"action": "stop"})
    assert (status, body["result"], body["stop_pending"], body["run_id"]) == (200, "ok", True, 1)
    assert body["exits"][0]["ok"] is True


async def test_the_stages_in_their_order(hooks: Hooks) -> None:
    world, engine = hooks.world, hooks.engine
    given = engine.made[BATCH].definition
    # all that is wrong at once: the first stage speaks
    await engine.update(
        BATCH, msgspec.structs.replace(given, webhook_ip_allowlist=("10.0.0.0/8",)), "test"
    )
    await engine.lock_webhook(BATCH, True, "test")
    wrong = {"content": b"no json", "headers": {"Content-Type": "text/plain"}}
    hooks.tokens[0] = "oaws_" + "x" * 43
    for number, token in ((404, "oaws_short"), (404, hooks.tokens[0])):
        answer = await world.http.post(f"/strategy/webhook/{token}", **wrong)
        assert (answer.status_code, answer.json()) == (
            number,
            {"status": "error", "result": "rejected_token", "message": "Unknown webhook token"},
        )
    assert result(await hooks.send(BATCH, **wrong)) == (403, "rejected_locked")
    await engine.lock_webhook(BATCH, False, "test")
    assert result(await hooks.send(BATCH, **wrong)) == (403, "rejected_ip")
    await engine.update(
        BATCH, msgspec.structs.replace(given, webhook_ip_allowlist=("127.0.0.0/8",)), "test"
    )
    assert result(await hooks.send(BATCH, **wrong)) == (400, "rejected_payload")
    for body in (
        {"mode": "live"},
        {"action": "long_entry"},
        {"action": "buy"},
        {"action": ["start"], "mode": "live"},
        {"action": "start"},
        {"action": "start", "mode": "paper"},
    ):
        assert result(await hooks.send(BATCH, body)) == (400, "rejected_invalid_action")
    live = {"action": "start", "mode": "live"}
    assert result(await hooks.send(BATCH, live)) == (403, "rejected_live_disabled")
    assert result(await hooks.send(BATCH, START)) == (200, "ok")
    assert result(await hooks.send(BATCH, START)) == (200, "rejected_dedupe")
    assert result(await hooks.send(BATCH, {"action": "stop"})) == (200, "ok")
    world.clock.advance(29)
    await engine.enable_live(BATCH, True, "test")
    assert result(await hooks.send(BATCH, live)) == (409, "rejected_cooling_off")
    world.clock.advance(1)
    engine.fail = ZeroDivisionError()
    assert await hooks.send(BATCH, live) == (
        500,
        {
            "status": "error",
            "result": "rejected_engine_error",
            "message": "An unexpected error occurred",
            "strategy_id": BATCH,
        },
    )
    assert [what[0] for what in engine.told] == ["start", "stop", "start"]
    assert await hooks.told(BATCH) == [
        "rejected_locked",
        "rejected_ip",
        "rejected_payload",
        *["rejected_invalid_action"] * 6,
        "rejected_live_disabled",
        "ok",
        "rejected_dedupe",
        "ok",
        "rejected_cooling_off",
        "rejected_engine_error",
    ]
    assert await hooks.told(0) == ["rejected_token"] * 2
    texts = msgspec.json.encode(list(hooks.log.rows.values()), enc_hook=str).decode()
    assert not any(token in texts for token in hooks.tokens.values())


async def test_the_same_start_is_one_start_even_at_one_moment(hooks: Hooks) -> None:
    answers = await asyncio.gather(*(hooks.send(BATCH, START) for _ in range(5)))
    assert sorted(map(result, answers)) == [(200, "ok")] + [(200, "rejected_dedupe")] * 4
    assert len(hooks.engine.told) == 1
    hooks.world.clock.leap(-7200)  # the wall clock is no measure of it
    hooks.world.clock.advance(59)
    assert result(await hooks.send(BATCH, START)) == (200, "rejected_dedupe")
    hooks.world.clock.advance(1)
    assert result(await hooks.send(BATCH, START)) == (409, "rejected_engine_error")  # it runs


async def test_what_was_refused_may_be_sent_again_and_what_is_unknown_may_not(
    hooks: Hooks,
) -> None:
    for error, answer in (
        (EveryEntryRejected("no funds"), (400, "rejected_engine_error")),
        (NotNow("It is paused."), (409, "rejected_engine_error")),
        (NetTimeout("no answer"), (500, "rejected_engine_error")),
    ):
        hooks.engine.fail = error
        assert result(await hooks.send(BATCH, START)) == answer
    assert result(await hooks.send(BATCH, START)) == (200, "rejected_dedupe")


async def test_what_fails_before_the_engine_hears_of_it_counts_for_nothing(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(strategy_id: int, limit: int) -> Any:
        raise StorageError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(hooks.engine, "runs", broken)
        assert await hooks.send(BATCH, START) == (
            500,
            {"status": "error", "result": "rejected_engine_error", "message": "the disk is gone"},
        )
    assert result(await hooks.send(BATCH, START)) == (200, "ok")


async def test_a_stop_always_gets_out(hooks: Hooks) -> None:
    """Refused exits may be tried at once, the stop of another run is another stop, and a log that
    cannot be written holds none up."""
    await hooks.send(BATCH, START)
    good, hooks.engine.exits = hooks.engine.exits, (LegAnswer(leg_id=1, ok=False, error="closed"),)
    status, body = await hooks.send(BATCH, {"action": "stop"})
    assert (status, body["result"], body["exits"][0]["error"]) == (
        409,
        "rejected_engine_error",
        "closed",
    )
    hooks.engine.exits = good
    hooks.log.fail = StorageError("disk full")
    assert result(await hooks.send(BATCH, {"action": "stop"})) == (200, "ok")
    hooks.world.clock.advance(31)
    other = {"action": "start", "mode": "sandbox"}
    hooks.world.clock.advance(30)
    status, body = await hooks.send(BATCH, other)
    assert (status, body["result"]) == (503, "rejected_engine_error")
    assert body["message"].startswith("The alert was not stored")
    hooks.log.fail = None
    assert result(await hooks.send(BATCH, other)) == (200, "ok")
    assert result(await hooks.send(BATCH, {"action": "stop"})) == (200, "ok")


async def test_signals_move_legs_without_windows(hooks: Hooks) -> None:
    entry = {"action": "long_entry", "leg_id": "1"}
    for _ in range(2):
        assert await hooks.send(SIGNAL, entry) == (
            200,
            {
                "status": "success",
                "result": "ok",
                "message": "Signal accepted",
                "strategy_id": SIGNAL,
                "run_id": 1,
            },
        )
    hooks.engine.answer = SignalAnswer(result="already_long", run_id=1)
    assert (await hooks.send(SIGNAL, entry))[1]["message"] == "Signal accepted (already_long)"
    named = {"action": "short_exit", "symbol": "SBIN", "exchange": "nse"}
    await hooks.send(SIGNAL, named)
    both = {"action": "short_exit", "symbol": "SBIN", "exchange": "NSE", "leg_id": 1}
    await hooks.send(SIGNAL, both)
    assert [what[2:6] for what in hooks.engine.told[2:]] == [
        (Signal.LONG_ENTRY, 1, "", ""),
        (Signal.SHORT_EXIT, None, "SBIN", "NSE"),
        (Signal.SHORT_EXIT, 1, "", ""),
    ]
    for wrong in (
        {"action": "start", "mode": "sandbox"},
        {"action": "long_entry"},
        {"action": "long_entry", "leg_id": "one"},
        {"action": "long_entry", "leg_id": 1.5},
        {"action": "long_entry", "leg_id": True},
        {"action": "long_entry", "symbol": "SBIN"},
        {"action": "long_entry", "symbol": 5, "exchange": "NSE"},
        {"action": "long_entry", "symbol": "S" * 300, "exchange": "NSE"},
    ):
        assert result(await hooks.send(SIGNAL, wrong)) == (400, "rejected_invalid_action")
    assert len(hooks.engine.told) == 5
    hooks.engine.fail = ConfigError("leg_id: there is no leg 7.")
    status, body = await hooks.send(SIGNAL, {"action": "long_exit", "leg_id": 7})
    assert (status, body["result"], body["message"]) == (
        400,
        "rejected_invalid_action",
        "leg_id: there is no leg 7.",
    )


async def test_who_waits_for_a_human_enters_nothing_but_leaves(hooks: Hooks) -> None:
    await hooks.send(BATCH, START)
    hooks.world.approvals.sources = "webhook:*"
    entry, leave = {"action": "long_entry", "leg_id": 1}, {"action": "long_exit", "leg_id": 1}
    assert result(await hooks.send(SIGNAL, entry)) == (403, "rejected_approval")
    assert result(await hooks.send(SIGNAL, leave)) == (200, "ok")
    assert result(await hooks.send(BATCH, {"action": "stop"})) == (200, "ok")


async def test_a_crash_between_the_row_and_the_engine_starts_nothing_twice() -> None:
    """After a restart: what had begun is said and is still the same alert; what had not begun was
    not sent, and a new alert is a new one."""
    world = World()
    engine, log = FakeEngine(world.clock), Log()
    for _ in range(2):
        await engine.create(STRADDLE, "test")
    tokens = {n: await engine.rotate_token(n, "test") for n in (1, 2)}
    row = WebhookEvent(
        received_at=world.clock.now() - timedelta(seconds=10),
        strategy=made_key(1),
        action="start",
        mode="sandbox",
        result=HookResult.TAKEN,
    )
    await log.add(row)
    await log.add(msgspec.structs.replace(row, strategy=made_key(2)))
    await engine.start(1, Mode.SANDBOX, TriggerSource.WEBHOOK, "webhook", webhook_event_id=1)
    engine.told.clear()
    ended = msgspec.structs.replace(row, result=HookResult.OK, status=200)
    old = world.clock.now() - timedelta(seconds=70)
    for number in (3, 4):
        await engine.create(STRADDLE, "test")
        tokens[number] = await engine.rotate_token(number, "test")
    await log.add(msgspec.structs.replace(ended, strategy=made_key(4), received_at=old))
    await log.add(msgspec.structs.replace(ended, strategy=made_key(3)))
    await log.add(msgspec.structs.replace(row, strategy=made_key(77)))  # deleted since
    async with running(strategies=engine, webhook_log=log) as world:
        hooks = Hooks(world, engine, log, tokens)
        assert log.rows[5].result is HookResult.LOST
        assert result(await hooks.send(3, START)) == (200, "rejected_dedupe")
        assert (log.rows[1].result, log.rows[1].run_id) == (HookResult.OK, 1)
        assert log.rows[2].result is HookResult.LOST
        assert engine.told == []
        assert result(await hooks.send(1, START)) == (200, "rejected_dedupe")
        assert result(await hooks.send(2, START)) == (200, "ok")
        assert len(engine.told) == 1
        assert result(await hooks.send(4, START)) == (200, "ok")


async def test_rates_count_for_each_address_and_tell_once() -> None:
    engine, log = FakeEngine(World().clock), Log()
    for definition in (STRADDLE, FLIP):
        await engine.create(definition, "test")
    tokens = {n: await engine.rotate_token(n, "test") for n in (1, 2)}
    more = {"limits.webhook": "3 per minute"}
    async with running(strategies=engine, webhook_log=log, **more) as world:
        hooks = Hooks(world, engine, log, tokens)
        for _ in range(6):  # somebody tries addresses
            await world.http.post("/strategy/webhook/oaws_nothing", json=START)
        signal = {"action": "long_entry", "leg_id": 1}
        answers = [await hooks.send(SIGNAL, signal) for _ in range(5)]
        assert [result(answer) for answer in answers] == [(200, "ok")] * 3 + [
            (429, "rate_limited")
        ] * 2
        assert answers[-1][1]["retry_after"] == 60
        assert result(await hooks.send(BATCH, START)) == (200, "ok")
        assert (await hooks.told(SIGNAL)).count("rate_limited") == 1
        assert await hooks.told(0) == ["rejected_token"] * 3


async def test_nothing_grows_with_unknown_addresses(
    hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    hooks.world.settings.set("limits.webhook", "")
    caplog.set_level(logging.DEBUG, "openalgo_desktop")
    service = hooks.world.api.dispatcher.services.made_webhooks
    body = Body(b'{"action": "start"}')
    for number in range(5000):
        reply = await service.answer(f"oaws_{number:043}", body, "198.51.100.7")
        assert reply.status == 404
        if number % 100 == 0:
            await hooks.world.api.dispatcher.services.hook_log.stop()
    assert len(service.windows._limiter._windows) <= 1
    assert len(service.windows._seen) == 0
    assert "oaws_0" not in caplog.text
    assert not any("oaws_0" in str(row) for row in hooks.log.rows.values())
    answer = await hooks.send(BATCH, START)
    assert result(answer) == (200, "ok")
    shown = hooks.world.api.monitor.recent(5)
    assert shown[0].endpoint == "strategy/webhook/*"
    assert hooks.tokens[BATCH] not in str(shown)
    assert hooks.tokens[BATCH] not in caplog.text


@pytest.mark.parametrize(
    ("address", "ranges", "may"),
    [
        ("10.1.2.3", (), True),
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("11.1.2.3", ("10.0.0.0/8", "11.1.2.3"), True),
        ("12.1.2.3", ("10.0.0.0/8", "11.1.2.3/32"), False),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), True),
        ("2001:db8::7", ("2001:db8::/32",), True),
        ("2001:db8::7", ("0.0.0.0/0",), False),
        ("", ("0.0.0.0/0",), False),
        ("10.1.2.3", ("nonsense",), False),
    ],
)
def test_who_may_send(address: str, ranges: tuple[str, ...], may: bool) -> None:
    assert may_send(address, ranges) is may


@pytest.mark.parametrize(
    ("header", "sent", "seen"),
    [
        ("", {"X-Forwarded-For": "52.89.214.238"}, "127.0.0.1"),
        ("X-Forwarded-For", {"X-Forwarded-For": "1.2.3.4, 52.89.214.238"}, "52.89.214.238"),
        ("X-Forwarded-For", {"CF-Connecting-IP": "52.89.214.238"}, "127.0.0.1"),
        ("CF-Connecting-IP", {"CF-Connecting-IP": "nonsense"}, "127.0.0.1"),
    ],
)
async def test_the_address_that_a_tunnel_names(
    hooks: Hooks, header: str, sent: dict[str, str], seen: str
) -> None:
    hooks.world.settings.set("webhooks.sender_header", header)
    await hooks.send(SIGNAL, {"action": "long_entry", "leg_id": 1}, headers=sent)
    assert hooks.log.rows[1].client == seen


async def test_what_was_refused_while_the_disk_was_full_is_in_the_log_later(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook_log, "_AGAIN", 0.001)
    hooks.log.fail = StorageError("disk full")
    assert result(await hooks.send(BATCH, {"action": "hold"}))[1] == "rejected_invalid_action"
    hooks.log.fail = None
    assert await hooks.told(BATCH) == ["rejected_invalid_action"]


async def test_a_full_disk_keeps_no_server_from_its_end(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook_log, "_LAST", 0.001)
    hooks.log.fail = StorageError("disk full")
    assert result(await hooks.send(BATCH, {"action": "hold"}))[1] == "rejected_invalid_action"
    assert await hooks.told(BATCH) == []
