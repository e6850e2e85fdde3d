"""The public webhook of made strategies, stage by stage; each end is in the log of webhooks.

What is followed is on disk before the engine hears of it, with the number that the engine writes
into its run: after a crash in between nothing is sent again, and the log says what is known.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import msgspec

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, ConfigError, OrderError, StorageError
from openalgo_desktop.core.strategies.ports import (
    EveryEntryRejected,
    NotNow,
    StrategyEngine,
    StrategyNotFound,
)
from openalgo_desktop.core.strategies.rows import MadeStrategy
from openalgo_desktop.core.strategies.webhook import (
    COOLING_SECONDS,
    DEDUPE_SECONDS,
    HookResult,
    is_token,
    may_send,
)
from openalgo_desktop.core.strategies.words import Signal, TriggerSource
from openalgo_desktop.core.webhook_log import WebhookEvent, made_key
from openalgo_desktop.local_api.bodies import Body
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.hook_log import HookLog, said
from openalgo_desktop.local_api.hook_window import Windows
from openalgo_desktop.local_api.hook_wish import Refused, Wish, fields_of, wish_of
from openalgo_desktop.local_api.strategy_rows import exit_rows
from openalgo_desktop.local_api.strategy_words import (
    ALL_REJECTED,
    EXITS_REFUSED,
    LIVE_DISABLED,
    NO_ENGINE,
)
from openalgo_desktop.local_api.table import CRASH, Reply

log = logging.getLogger(__name__)

#: Seconds that a stop of the server waits for alerts that the engine is at.
_LAST = 5.0
#: Rows of the log that are looked at after a start of the program, for those of the last minute.
_REMEMBERED = 500
#: Who tests from the window: no address, so no allow-list.
OWNER = "test"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it, and what the answer says besides."""

    status: int
    result: HookResult
    message: str
    run_id: int | None = None
    fields: tuple[tuple[str, Any], ...] = ()


class MadeWebhooks:
    """Answers alerts to ``oaws_`` addresses."""

    def __init__(self, ctx: ApiContext, notes: HookLog) -> None:
        self._ctx = ctx
        self._notes = notes
        self.windows = Windows(ctx.clock)
        self._working: set[asyncio.Task[Outcome]] = set()

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Say of alerts of an earlier run that have no end what is known of them, and remember the
        starts of the last minute. A log that cannot be read keeps nobody from starting."""
        store, engine = self._ctx.webhook_log, self._ctx.strategies
        if store is None or engine is None:
            return
        try:
            for event in await store.taken():
                await self._end_of(engine, event)
            now = self._ctx.clock.now()
            for event in reversed(await store.latest(_REMEMBERED)):
                if event.action == Signal.START and event.result is HookResult.OK:
                    age = (now - event.received_at).total_seconds()
                    self.windows.remember((_number(event), event.action, event.mode), age)
        except StorageError:
            log.exception("the log of webhooks could not be read")

    async def _end_of(self, engine: StrategyEngine, event: WebhookEvent) -> None:
        try:
            runs = await engine.runs(_number(event), 50)
        except StrategyNotFound:  # deleted since
            runs = []
        begun = next((run for run in runs if run.webhook_event_id == event.event_id), None)
        result, status, run_id = HookResult.LOST, 0, None
        if begun is not None:
            result, status, run_id = HookResult.OK, 200, begun.run_id
            text = "The program stopped meanwhile; the run had begun."
        elif event.action == Signal.START:
            text = "The program stopped before a run began; nothing was sent."
        else:
            text = "The program stopped meanwhile. Look at the orders of the strategy."
        await self._notes.end(event.event_id, event.strategy, result, status, text, run_id)

    async def stop(self) -> None:
        """Let the engine end what it is at, for a moment."""
        if self._working:
            await asyncio.wait(self._working, timeout=_LAST)
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    # -- one alert --------------------------------------------------------------------------
    async def answer(self, token: str, body: Body, client: str) -> Reply:
        """The answer to an alert that came from ``client``."""
        engine = self._ctx.strategies
        if engine is None:
            return _reply(Outcome(503, HookResult.ENGINE_ERROR, NO_ENGINE), None)
        try:
            return await self._answer(engine, token, body, client)
        except AppError as error:  # nothing was begun: what comes of a beginning is an outcome
            return _reply(Outcome(500, HookResult.ENGINE_ERROR, error.message), None)

    async def _answer(self, engine: StrategyEngine, token: str, body: Body, client: str) -> Reply:
        made = None
        if is_token(token):
            made = await engine.by_token(token)
        wait = self.windows.limited(_digest(token) if made else "", client, self._limit)
        if wait:
            return self._limited(made, client, wait)
        if made is None:
            done = Outcome(404, HookResult.TOKEN, "Unknown webhook token")
            self._note(None, client, done, body)
            return _reply(done, None)
        return await self.follow(engine, made, body, client)

    async def follow(
        self, engine: StrategyEngine, made: MadeStrategy, body: Body, client: str
    ) -> Reply:
        """The stages after the token."""
        known = False
        claim: tuple[object, ...] = ()
        fields: dict[str, Any] = {}
        wish: Wish | None = None
        try:
            self._check_sender(made, client)
            known = True
            fields = fields_of(body)
            wish = wish_of(made, fields)
            self._check_live(made, wish)
            claim = self._claim(made, wish)
            await self._check_cooling(engine, made, wish)
        except Refused as refused:
            if refused.result is not HookResult.DEDUPE:
                self.windows.release(claim)
            done = Outcome(refused.status, refused.result, refused.message)
            self._note(made, client, done, body, fields, wish)
            return _reply(done, made.strategy_id if known else None)
        except AppError:
            self.windows.release(claim)
            raise
        task = asyncio.get_running_loop().create_task(
            self._carry_out(engine, made, wish, _event(self._ctx, made, client, fields, wish)),
            name="alert",
        )
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        done = await asyncio.shield(task)  # a sender that goes away takes nothing back
        if done.status in (400, 404, 409, 503):  # nothing was begun: the next one is a new one
            self.windows.release(claim)
        return _reply(done, made.strategy_id)

    @property
    def _limit(self) -> str:
        return str(self._ctx.settings["limits.webhook"])

    # -- stages -----------------------------------------------------------------------------
    def _check_sender(self, made: MadeStrategy, client: str) -> None:
        if made.webhook_locked:
            raise Refused(403, HookResult.LOCKED, "The webhook of this strategy is locked")
        if client != OWNER and not may_send(client, made.definition.webhook_ip_allowlist):
            raise Refused(403, HookResult.IP, "This address is not on the allow-list")

    def _check_live(self, made: MadeStrategy, wish: Wish) -> None:
        if wish.mode is Mode.LIVE and not made.live_enabled:
            raise Refused(403, HookResult.LIVE_DISABLED, LIVE_DISABLED)
        approvals, source = self._ctx.approvals, _source(made)
        enters = wish.signal is Signal.START or wish.signal.enters
        if enters and approvals is not None and approvals.needed(source):
            text = f"Orders of {source} wait in the action centre, so its alerts enter nothing"
            raise Refused(403, HookResult.APPROVAL, text)

    def _claim(self, made: MadeStrategy, wish: Wish) -> tuple[object, ...]:
        """The same start, or the same stop of the same run, is one alert; signals have no window:
        they say what shall be, and a repeated one changes nothing."""
        if not wish.signal.of_batch:
            return ()
        what = made.current_run_id if wish.signal is Signal.STOP else wish.mode
        claim = (made.strategy_id, wish.signal.value, what)
        if self.windows.seen(claim):
            text = f"The same alert came within {DEDUPE_SECONDS:g} seconds; nothing was done again"
            raise Refused(200, HookResult.DEDUPE, text)
        return claim

    async def _check_cooling(self, engine: StrategyEngine, made: MadeStrategy, wish: Wish) -> None:
        if wish.signal is not Signal.START:
            return
        ago = self.windows.stopped_ago(made.strategy_id)
        for run in await engine.runs(made.strategy_id, 1):
            if run.stopped_at is not None:
                since = (self._ctx.clock.now() - run.stopped_at).total_seconds()
                ago = min(ago, since if since >= 0 else math.inf)
        if ago < COOLING_SECONDS:
            text = f"It stopped {ago:.0f} seconds ago and starts again after {COOLING_SECONDS:g}"
            raise Refused(409, HookResult.COOLING_OFF, text)

    # -- the engine -------------------------------------------------------------------------
    async def _carry_out(
        self, engine: StrategyEngine, made: MadeStrategy, wish: Wish, event: WebhookEvent
    ) -> Outcome:
        enters = wish.signal is Signal.START or wish.signal.enters
        number = None
        try:
            number = await self._notes.take(event)
        except StorageError as error:
            if enters:
                text = f"The alert was not stored and is not followed: {error}"
                return Outcome(503, HookResult.ENGINE_ERROR, text)
            log.warning("an alert that closes is followed without its row in the log: %s", error)
        done = await _tried(self._asked(engine, made, wish, number))
        if wish.signal is Signal.STOP and done.result is HookResult.OK:
            self.windows.stopped(made.strategy_id)
        await self._notes.end(
            number, event.strategy, done.result, done.status, done.message, done.run_id
        )
        log.info("alert %s of strategy %d: %s", wish.signal, made.strategy_id, done.result)
        return done

    async def _asked(
        self, engine: StrategyEngine, made: MadeStrategy, wish: Wish, number: int | None
    ) -> Outcome:
        by = _source(made)
        if wish.signal is Signal.START:
            assert wish.mode is not None
            begun = await engine.start(
                made.strategy_id,
                wish.mode,
                TriggerSource.WEBHOOK,
                by,
                webhook_event_id=number,
            )
            return Outcome(200, HookResult.OK, "Strategy start accepted", begun.run_id)
        if wish.signal is Signal.STOP:
            left = await engine.stop(made.strategy_id, by)
            rows = exit_rows(left.exits)
            more = (("stop_pending", left.pending), ("exits", rows))
            if rows and not any(row["ok"] for row in rows):
                return Outcome(409, HookResult.ENGINE_ERROR, EXITS_REFUSED, left.run_id, more)
            return Outcome(200, HookResult.OK, "Strategy stop accepted", left.run_id, more)
        moved = await engine.signal(
            made.strategy_id,
            wish.signal,
            by,
            leg_id=wish.leg_id,
            symbol=wish.symbol,
            exchange=wish.exchange,
            webhook_event_id=number,
        )
        note = "" if moved.result == "ok" else f" ({moved.result})"
        return Outcome(200, HookResult.OK, f"Signal accepted{note}", moved.run_id)

    # -- telling ----------------------------------------------------------------------------
    def _limited(self, made: MadeStrategy | None, client: str, wait: float) -> Reply:
        seconds = max(1, math.ceil(wait))
        done = Outcome(
            429,
            HookResult.RATE_LIMITED,
            "Rate limit exceeded. Please slow down your requests.",
            fields=(("retry_after", seconds),),
        )
        if made is not None and self.windows.tell_limit(made.strategy_id):
            self._note(made, client, done, Body())
        reply = _reply(done, None)
        reply.headers = {"Retry-After": str(seconds)}
        return reply

    def _note(
        self,
        made: MadeStrategy | None,
        client: str,
        done: Outcome,
        body: Body,
        fields: dict[str, Any] | None = None,
        wish: Wish | None = None,
    ) -> None:
        event = _event(self._ctx, made, client, fields or {}, wish)
        raw = event.said if fields else f"{len(body.raw)} bytes"
        self._notes.note(
            _with(event, said=raw, result=done.result, status=done.status, message=done.message)
        )


async def _tried(asking: Awaitable[Outcome]) -> Outcome:
    """What the engine answered, or why it did not."""
    error_of = HookResult.ENGINE_ERROR
    try:
        return await asking
    except StrategyNotFound:
        return Outcome(404, HookResult.TOKEN, "Unknown webhook token")
    except EveryEntryRejected:
        return Outcome(400, error_of, ALL_REJECTED)
    except NotNow as error:
        return Outcome(409, error_of, error.message)
    except (ConfigError, OrderError) as error:  # another side, a leg that is not there
        return Outcome(400, HookResult.INVALID_ACTION, error.message)
    except AppError as error:
        return Outcome(500, error_of, error.message)
    except Exception:
        log.exception("an alert failed")
        return Outcome(500, error_of, CRASH)


def _number(event: WebhookEvent) -> int:
    """The strategy of a row of a made one."""
    return int(event.strategy.rpartition(":")[2] or 0)


def _source(made: MadeStrategy) -> str:
    return f"webhook:{made.definition.name}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _event(
    ctx: ApiContext,
    made: MadeStrategy | None,
    client: str,
    fields: dict[str, Any],
    wish: Wish | None,
) -> WebhookEvent:
    return WebhookEvent(
        received_at=ctx.clock.now(),
        strategy="" if made is None else made_key(made.strategy_id),
        name="" if made is None else made.definition.name,
        action="" if wish is None else wish.signal.value,
        mode="" if wish is None or wish.mode is None else wish.mode.value,
        client=client[:64],
        said=said(fields),
        result=HookResult.TAKEN,
    )


def _with(event: WebhookEvent, **changes: Any) -> WebhookEvent:
    return msgspec.structs.replace(event, **changes)


def _reply(done: Outcome, strategy_id: int | None) -> Reply:
    payload: dict[str, Any] = {
        "status": "success" if done.status == 200 else "error",
        "result": done.result.value,
        "message": done.message,
    }
    if strategy_id is not None:
        payload["strategy_id"] = strategy_id
    if done.run_id is not None:
        payload["run_id"] = done.run_id
    return Reply(payload | dict(done.fields), done.status)
