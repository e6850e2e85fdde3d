"""One program and its run: from the wish that it runs to the end of its process.

Order of steps, so that a crash of the engine between any two leaves nothing doubled and nothing
unseen: the wish and the run's number are on disk, then its key is made, then its process. At a stop
the wish is taken back on disk first, then the process ends, then its key, then what it holds is
closed if that was asked for. Who finds a process without a wish ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from openalgo_desktop.automation.host.life.kept import Kept, Wanted
from openalgo_desktop.automation.host.life.of_a_run import (
    limits_of,
    new_run_id,
    program_of,
    why,
)
from openalgo_desktop.automation.host.life.ports import Tools
from openalgo_desktop.automation.host.ports import Ended, Grant, Running
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import Notice
from openalgo_desktop.core.strategies import restarts
from openalgo_desktop.core.strategies.hosted import AtStop, Hosted, HostedState, OnCrash
from openalgo_desktop.core.strategies.ports import NotNow

log = logging.getLogger(__name__)

#: Seconds that a start waits for its environment before it answers "preparing".
PATIENCE = 20.0
#: Lines of the making of an environment that are kept for a screen.
PROGRESS = 20


class Seat:
    """The place of one program. ``changed`` is called after each change that a screen shows."""

    def __init__(
        self, row: Hosted, kept: Kept, tools: Tools, changed: Callable[[Seat], None]
    ) -> None:
        self.row = row
        self.kept = kept
        self._tools = tools
        self._changed = changed
        self.running: Running | None = None
        self.stalled = False
        self.scheduled_at: datetime | None = None  # when a human set its schedule
        self.breached = False  # a quota was broken; what that brings is to be done
        self._life: asyncio.Task[None] | None = None
        self._end: tuple[HostedState, str] | None = None  # what a stop makes of the end
        self._error: AppError | None = None  # what kept it from starting
        self.turn = asyncio.Lock()  # one start or stop at a time
        self._up = asyncio.Event()  # its process is there, or will not be

    @property
    def strategy_id(self) -> str:
        """The program's id."""
        return self.row.strategy_id

    @property
    def is_up(self) -> bool:
        """Whether it has a process, or is about to have one."""
        return self._life is not None or self.turn.locked()

    # -- start ------------------------------------------------------------------------------
    async def start(self, mode: Mode, by: str, window: str = "") -> None:
        """Begin a run and wait until it runs, or its environment takes longer. Raises
        :class:`NotNow` where it runs or may not, and what keeps it from starting."""
        if self.is_up:
            raise NotNow(f"{self.row.name} runs already ({self.kept.state.value}).")
        async with self.turn:
            await self._begin(mode, by, window)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._up.wait()
        if self._error is not None:
            raise self._error

    async def _begin(self, mode: Mode, by: str, window: str) -> None:
        gate = self._tools.gate
        account = gate.account_of(mode)
        meant = self.kept.live_account if window and mode is Mode.LIVE else ""
        if account != (meant or account):
            raise NotNow(
                f"Its live schedule was switched on for the account {meant}, and orders go to "
                f"{account} now: switch it on again if it is to trade there."
            )
        gate.addresses()
        self.row = await self._tools.registry.reread(self.strategy_id)
        digest = await self._tools.registry.digest(self.row)
        gate.check(self.row, mode, digest)
        wanted = Wanted(
            mode=mode, account_id=account, by=by, since=self._tools.clock.now(), window=window
        )
        # A start is a new beginning: crashes and stops before it are over.
        fresh = msgspec.structs.replace(
            self.kept, restarts=(), off_day="", window=window or self.kept.window
        )
        await self._tools.rows.wish(self.strategy_id)
        await self._put(
            fresh,
            wanted=wanted,
            digest=digest,
            mode=mode,
            account_id=account,
            state=HostedState.PREPARING,
            reason="",
            last_lines=(),
        )
        self._go(None)

    def resume(self, running: Running | None) -> None:
        """Go on after a restart of the engine: with its process, or a new one."""
        self._go(running)

    def _go(self, running: Running | None) -> None:
        self._up.clear()
        self._end = self._error = None
        self.running = running
        self._life = asyncio.create_task(self._live(running), name=f"hosted {self.row.name}")
        self._life.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        if self._life is task:
            self._life = None
        self._up.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("hosted program %s", self.row.name, exc_info=error)
        self._changed(self)

    # -- life -------------------------------------------------------------------------------
    async def _live(self, running: Running | None) -> None:
        """Runs, one after the other while it crashes, until it ends for good."""
        ran = running is not None
        try:
            while True:
                if running is None:
                    running = await self._launch()
                ran = True
                self.running = running
                self._told(state=HostedState.RUNNING)
                self._up.set()
                ended = await asyncio.shield(running.ended)
                self.running, running, self.stalled = None, None, False
                await self._revoke()
                wait = await self._after(ended)
                if wait is None:
                    return
                await self._tools.sleep(wait)
        except AppError as error:
            self._error = error
            if ran:  # what it holds is looked after as at any crash
                text = f"It was not started again: {error.message}"
                await self._crashed(HostedState.ERROR, text, self.kept.last_lines)
            else:
                await self._failed(error.message)

    async def _revoke(self) -> None:
        """Its process is gone, so nobody has the key; where the disk does not take that now, the
        next start of the engine revokes it."""
        try:
            await self._tools.keys.revoke(self.kept.run_id)
        except AppError as error:
            log.error("the key of %s was not revoked: %s", self.kept.run_id, error.message)

    async def _launch(self) -> Running:
        tools, wanted = self._tools, self.kept.wanted
        assert wanted is not None
        if (account := tools.gate.account_of(wanted.mode)) != wanted.account_id:
            raise NotNow(f"Orders go to the account {account} by now; it began in another one.")
        run_id = new_run_id(tools.clock.now())
        await self._put(self.kept, state=HostedState.PREPARING, run_id=run_id)
        row = self.row = await tools.registry.reread(self.strategy_id)
        program = program_of(row)
        ready = await tools.processes.prepare(program, self._progress)
        digest = await tools.registry.digest(row)
        tools.gate.check(row, wanted.mode, digest)
        host, ws_url = tools.gate.addresses()
        quota = row.quotas.orders_per_minute
        try:
            secret = await tools.keys.make(run_id, row.name, wanted.mode, wanted.account_id, quota)
            grant = Grant(api_key=secret, host=host, ws_url=ws_url)
            running = await tools.processes.start(program, ready, grant, limits_of(row), run_id)
        except BaseException:
            await asyncio.shield(tools.keys.revoke(run_id))
            raise
        self._told(
            digest=digest,
            started_at=tools.clock.now(),
            reason="; ".join(ready.notes),
        )
        log.info(
            "%s runs in %s mode (run %s, process %s, started by %s)",
            *(row.name, wanted.mode.value, run_id, running.pid, wanted.by),
        )
        return running

    def _progress(self, line: str) -> None:
        lines = (*self.kept.last_lines, line.rstrip()[:500])[-PROGRESS:]
        self.kept = msgspec.structs.replace(self.kept, last_lines=lines)
        self._changed(self)

    async def _failed(self, reason: str) -> None:
        """It could not be started: nothing of it runs."""
        log.error("%s was not started: %s", self.row.name, reason)
        await self._rest(HostedState.ERROR, reason)
        self._notice("error", f"{self.row.name} was not started: {reason}")

    # -- the end of a process ---------------------------------------------------------------
    async def _after(self, ended: Ended) -> float | None:
        """Seconds until the next run, None when there is none."""
        lines = ended.last_lines[-20:]
        log.info("%s: run %s ended (%s)", self.row.name, self.kept.run_id, ended.reason)
        if self._end is not None:  # a stop: it says what that was
            return None
        if ended.why == "exited" and ended.code == 0:
            await self._rest(HostedState.STOPPED, "It ended by itself (exit code 0).", lines)
            return None
        reason = why(ended)
        now = self._tools.clock.time()
        started = self.kept.started_at
        ran = 0.0 if started is None else now - started.timestamp()
        wait = restarts.delay(self.kept.restarts, now, ran)
        if self.row.on_crash is OnCrash.NEVER:
            await self._crashed(HostedState.STOPPED, f"Crashed: {reason}", lines)
            return None
        if wait is None:
            text = f"It crashed {restarts.PER_HOUR + 1} times within an hour, lastly: {reason}"
            await self._crashed(HostedState.CRASH_LOOP, text, lines)
            return None
        times = (*restarts.recent(self.kept.restarts, now), now)
        await self._put_anyhow(  # the disk may take the next run's number
            state=HostedState.WAITING,
            reason=f"Crashed: {reason} It is started again in {wait:g} s.",
            last_lines=lines,
            restarts=times,
        )
        return wait

    async def _crashed(self, state: HostedState, reason: str, lines: tuple[str, ...]) -> None:
        """It is not started again; what it holds is closed where a stop would do that."""
        wanted = self.kept.wanted
        await self._rest(state, reason, lines)
        self._notice("error", f"{self.row.name}: {reason}")
        if wanted is not None and self.row.at_stop is AtStop.SQUARE_OFF:
            await self._close_own(wanted.mode, wanted.account_id)

    # -- stop -------------------------------------------------------------------------------
    async def stop(
        self,
        reason: str,
        *,
        state: HostedState = HostedState.STOPPED,
        square_off: bool | None = None,
        off_day: str = "",
    ) -> None:
        """End its process. Where none runs ``off_day`` is noted, and what its last run left open is
        closed if ``square_off`` asks for that. Who comes while it is being stopped waits for it.
        ``reason`` is what its view says afterwards."""
        async with self.turn:
            if self._life is not None:
                await self._stop(reason, state, square_off, off_day)
            else:
                if off_day and off_day != self.kept.off_day:
                    await self._put_anyhow(off_day=off_day)
                if square_off:
                    await self.close_own()
        self._changed(self)

    async def _stop(
        self, reason: str, state: HostedState, square_off: bool | None, off_day: str
    ) -> None:
        mode, account = self.kept.mode, self.kept.account_id
        self._end = (state, reason)
        # First on disk that it is not wanted; a disk that takes nothing does not keep it running.
        gone = msgspec.structs.replace(self.kept, wanted=None, off_day=off_day or self.kept.off_day)
        trouble = ""
        wish = self.row.at_stop is AtStop.SQUARE_OFF if square_off is None else square_off
        try:
            await self._put(gone, state=HostedState.STOPPING, reason=reason, closing=wish)
        except AppError as error:
            self.unwanted(state=HostedState.STOPPING, reason=reason)
            trouble = f" It could not be stored ({error.message})."
        life = self._life
        if self.running is not None:
            ended = await self.running.stop(self._tools.grace(), reason)
            lines = ended.last_lines[-20:]
        else:
            lines = self.kept.last_lines
            if life is not None:
                life.cancel()
        if life is not None:
            await asyncio.gather(life, return_exceptions=True)
        await self._revoke()
        self._told(state=state, reason=reason + trouble, last_lines=lines)
        if wish and mode is not None:
            await self._close_own(mode, account)

    async def _close_own(self, mode: Mode, account: str) -> None:
        if not self.kept.closing:
            self._told(closing=True)
        try:
            left = await self._tools.closer.close(self.row.name, mode, account)
        except AppError as error:
            left = (f"What it holds could not be closed: {error.message}",)
        text = " ".join(left) or "What it held is closed."
        before = self.kept.reason.removesuffix(text).strip()
        self._told(reason=f"{before} {text}".strip(), closing=False)
        if left:
            self._notice("error", f"{self.row.name}: {text}")

    # -- keeping ----------------------------------------------------------------------------
    async def _rest(
        self, state: HostedState, reason: str, lines: tuple[str, ...] | None = None
    ) -> None:
        """It does not run and is not wanted any more."""
        lines = self.kept.last_lines if lines is None else lines
        await self._put_anyhow(wanted=None, state=state, reason=reason, last_lines=lines)

    async def _put(self, kept: Kept, **fields: Any) -> None:
        """Durable when it returns."""
        kept = msgspec.structs.replace(kept, **fields)
        await self._tools.rows.put(self.strategy_id, kept)
        self.kept = kept
        self._changed(self)

    async def _put_anyhow(self, **fields: Any) -> None:
        """Durable when it returns, unless the disk takes nothing: then a moment later."""
        try:
            await self._put(self.kept, **fields)
        except AppError as error:
            log.error("%s: %s", self.row.name, error.message)
            if fields.get("wanted", self.kept.wanted) is None:
                self._tools.rows.take_back(self.strategy_id)
            self._told(**fields)

    def _told(self, **fields: Any) -> None:
        """Kept a moment later."""
        self.kept = msgspec.structs.replace(self.kept, **fields)
        self._tools.rows.put_later(self.strategy_id, self.kept)
        self._changed(self)

    async def close_own(self) -> None:
        """Close what it holds in the mode and account of its run, or of the last one."""
        if self.kept.mode is not None:
            await self._close_own(self.kept.mode, self.kept.account_id)

    def unwanted(self, **fields: Any) -> None:
        """It is not to run any more: at once, and its row a moment later."""
        self._tools.rows.take_back(self.strategy_id)
        self._told(wanted=None, **fields)

    def note(self, **fields: Any) -> None:
        """Something that others found out about it."""
        self._told(**fields)

    async def leave(self) -> None:
        """The engine ends: look after it no more, and keep the wish."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)

    def _notice(self, level: str, text: str) -> None:
        self._tools.bus.publish(Notice(level=level, text=text, at=self._tools.clock.now()))
