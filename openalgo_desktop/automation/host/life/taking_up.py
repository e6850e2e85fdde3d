"""After a start of the engine: what ran before is taken up, started again or ended."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from openalgo_desktop.automation.host.life.after_restart import RESUME, Again, Decision, decide
from openalgo_desktop.automation.host.life.looking import Schedules
from openalgo_desktop.automation.host.life.ports import Tools
from openalgo_desktop.automation.host.life.seat import Seat
from openalgo_desktop.automation.host.ports import Marks
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import Notice
from openalgo_desktop.core.strategies.hosted import HostedState
from openalgo_desktop.core.strategies.ports import NotNow

log = logging.getLogger(__name__)


class TakingUp:
    """``beside`` runs what takes its time while the engine goes on."""

    def __init__(
        self, tools: Tools, schedules: Schedules, beside: Callable[[Awaitable[Any]], None]
    ) -> None:
        self._tools = tools
        self._schedules = schedules
        self._beside = beside

    async def take_up(self, seats: Sequence[Seat], seen: float) -> None:
        """``seen`` is when an engine looked after them last, epoch seconds (0: never)."""
        away = self._tools.clock.time() - seen if seen else 0.0
        left = {marks.run_id: marks for marks in await self._tools.processes.left()}
        adopted: set[str] = set()
        anew: list[tuple[Seat, Marks | None]] = []
        cut_short: list[tuple[Seat, Marks | None]] = []
        for seat in seats:
            marks = left.get(seat.kept.run_id)
            what = await self._decide(seat, marks, away)
            if what is not Again.REST:
                left.pop(seat.kept.run_id, None)
            if what is Again.ADOPT:
                adopted.add(seat.kept.run_id)
            elif what is Again.START:
                anew.append((seat, marks))
            elif seat.kept.closing:
                left.pop(seat.kept.run_id, None)
                cut_short.append((seat, marks))
        # Old keys first: those of new runs are made after this.
        await self._tools.keys.sweep(adopted)
        for marks in left.values():  # nobody wants these
            self._beside(self._end(marks))
        for seat, marks in anew:
            self._beside(self._start_anew(seat, marks))
        for seat, marks in cut_short:
            self._beside(self._close_on(seat, marks, away))

    async def _decide(self, seat: Seat, marks: Marks | None, away: float) -> Again:
        """What becomes of one; ``marks`` are those of its process, if there is one."""
        kept = seat.kept
        if kept.wanted is None:
            if kept.state.is_up:
                seat.note(state=HostedState.STOPPED)
            return Again.REST
        ended = None
        if marks is None and kept.run_id:
            ended = await self._tools.processes.how_it_ended(seat.strategy_id, kept.run_id)
        verdict = self._schedules.verdict(seat, self._tools.clock.now())
        again = decide(seat.row, kept, ended, verdict, alive=self._good(seat, marks), away=away)
        if again.what is not Again.REST and (why := self._forbidden(seat)):
            again = Decision(Again.REST, reason=why)
        if again.what is Again.REST:
            seat.unwanted(state=again.state, reason=again.reason)
            self._notice("warning", f"{seat.row.name}: {again.reason}")
            return Again.REST
        if again.what is Again.ADOPT and marks is not None:
            running = await self._tools.processes.adopt(marks)
            if running is not None:
                seat.resume(running)
                return Again.ADOPT
        seat.note(state=HostedState.PREPARING)
        return Again.START

    def _forbidden(self, seat: Seat) -> str:
        """Why it may not go on as it was: the kill switch, a demotion that a crash cut short."""
        wanted = seat.kept.wanted
        try:
            if wanted is not None:
                self._tools.gate.check(seat.row, wanted.mode, seat.kept.digest)
        except NotNow as error:
            return error.message
        return ""

    def _good(self, seat: Seat, marks: Marks | None) -> bool:
        """Whether its process is there and can still reach us, in an account that is still the
        one."""
        wanted = seat.kept.wanted
        if marks is None or wanted is None:
            return False
        try:
            host, _ = self._tools.gate.addresses()
            account = self._tools.gate.account_of(wanted.mode)
        except AppError:
            return False
        return marks.host == host and account == wanted.account_id

    async def _start_anew(self, seat: Seat, marks: Marks | None) -> None:
        """Its old process ends first; where that cannot be confirmed there is no new one."""
        async with seat.turn:
            if marks is not None and not await self._end(marks):
                seat.unwanted(
                    state=HostedState.LOST,
                    reason=f"Its old process (pid {marks.pid}) could not be ended; end it by hand.",
                )
                return
            seat.resume(None)

    async def _close_on(self, seat: Seat, marks: Marks | None, away: float) -> None:
        """The engine ended while it closed what a program held: that goes on, unless it is long
        ago."""
        async with seat.turn:
            if marks is not None:
                await self._end(marks)
            if away <= RESUME:
                await seat.close_own()
                return
            text = "The engine ended while what it holds was being closed; look at its positions."
            seat.note(reason=text, closing=False)
            self._notice("error", f"{seat.row.name}: {text}")

    async def _end(self, marks: Marks) -> bool:
        try:
            await self._tools.processes.end(marks, "The engine was started anew.")
        except AppError as error:
            log.error("run %s was not ended: %s", marks.run_id, error.message)
            self._notice("error", f"A program of {marks.strategy_id} may still run: {error}")
            return False
        return True

    def _notice(self, level: str, text: str) -> None:
        self._tools.bus.publish(Notice(level=level, text=text, at=self._tools.clock.now()))
