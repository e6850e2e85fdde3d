"""Looks after the programs every few seconds: schedules, edited files, silence, quotas."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from openalgo_desktop.automation.host.catalog import content
from openalgo_desktop.automation.host.catalog.registry import Registry
from openalgo_desktop.automation.host.life.seat import Seat
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, Clock, age_text
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import Bus, Notice
from openalgo_desktop.core.strategies.hosted import AtWindowEnd, HostedState
from openalgo_desktop.core.strategies.hours import (
    Expiries,
    Verdict,
    ended_since,
    next_start,
    verdict,
)

log = logging.getLogger(__name__)

#: A human has to look before these are started by a schedule again.
_HELD = (HostedState.CRASH_LOOP, HostedState.LOST)
BY = "schedule"


class Schedules:
    """Starts and pauses by the calendar."""

    def __init__(
        self, clock: Clock, bus: Bus, calendar: MarketCalendar, expiries: Expiries
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._calendar = calendar
        self._expiries = expiries
        self._next: dict[str, tuple[object, datetime | None]] = {}  # a screen asks often

    def verdict(self, seat: Seat, now: datetime) -> Verdict:
        """Whether its schedule lets it run; asks nothing of whether it is switched on."""
        row = seat.row
        return verdict(row.hours, row.exchange, self._calendar, self._expiries, now)

    def next_start(self, seat: Seat, now: datetime) -> datetime | None:
        """When its next window begins."""
        row = seat.row
        place = (row.strategy_id, row.hours, row.exchange)
        known = self._next.get(row.strategy_id)
        if known is None or known[0] != place or (known[1] is not None and known[1] <= now):
            found = next_start(row.hours, row.exchange, self._calendar, self._expiries, now)
            known = self._next[row.strategy_id] = (place, found)
        return known[1]

    async def look(self, seat: Seat) -> None:
        """Start or pause what is due now."""
        if not seat.row.hours.enabled:
            return
        now = self._clock.now()
        told = self.verdict(seat, now)
        if told.runs and not seat.is_up:
            await self._begin(seat, told, now)
        elif not told.runs and seat.is_up:
            await self._end(seat, now)

    async def _begin(self, seat: Seat, told: Verdict, now: datetime) -> None:
        window = window_of(told, now)
        kept, hours = seat.kept, seat.row.hours
        if window == kept.window or kept.off_day == today(now) or kept.state in _HELD:
            return
        if told.window is not None:
            due = told.window[0]
            if seat.scheduled_at is not None:  # who switches it on within a window means now
                due = max(due, seat.scheduled_at)
            late = (now - due).total_seconds()
            if late > hours.late_minutes * 60 + 60:
                text = (
                    f"Its start at {told.window[0]:%H:%M} was missed by {age_text(late)}; start it "
                    "by hand if you want it to run today."
                )
                seat.note(window=window, reason=text)
                self._tell(f"{seat.row.name}: {text}")
                return
        seat.note(window=window)  # whatever becomes of it: once in each window
        try:
            await seat.start(hours.mode, BY, window)
        except AppError as error:
            if seat.is_up:  # somebody else started it in this moment
                return
            seat.note(state=HostedState.ERROR, reason=error.message)
            self._tell(f"{seat.row.name} was not started by its schedule: {error.message}")

    async def _end(self, seat: Seat, now: datetime) -> None:
        wanted, row = seat.kept.wanted, seat.row
        if wanted is None or row.hours.at_end is AtWindowEnd.LEAVE:
            return
        if ended_since(row.hours, row.exchange, self._calendar, self._expiries, wanted.since, now):
            await seat.stop(
                "Its window has ended.",
                state=HostedState.PAUSED,
                square_off=True if row.hours.at_end is AtWindowEnd.SQUARE_OFF else None,
            )

    def _tell(self, text: str) -> None:
        log.warning("%s", text)
        self._bus.publish(Notice(level="warning", text=text, at=self._clock.now()))


def window_of(told: Verdict, now: datetime) -> str:
    """The name of the window that is open: its start, or the day of one around the clock."""
    return told.window[0].isoformat() if told.window is not None else today(now)


def today(now: datetime) -> str:
    """The day (IST, ISO) of a moment."""
    return now.astimezone(IST).date().isoformat()


class Files:
    """Hashes of the files as they are now: worked out anew when an entry was edited, and each
    minute of those that run."""

    EVERY = 60.0

    def __init__(self, clock: Clock, registry: Registry) -> None:
        self._clock = clock
        self._registry = registry
        self._known: dict[str, tuple[tuple[int, int], float, str]] = {}

    def digest(self, strategy_id: str) -> str:
        """The last one that was worked out; empty before the first."""
        known = self._known.get(strategy_id)
        return known[2] if known is not None else ""

    def forget(self, strategy_id: str) -> None:
        """It is removed, or has to be looked at anew."""
        self._known.pop(strategy_id, None)

    async def look(self, seat: Seat) -> bool:
        """Whether the content is another than at the look before."""
        row, now = seat.row, self._clock.monotonic()
        stamp = await asyncio.to_thread(content.stamp, Path(row.folder), row.entry)
        known = self._known.get(row.strategy_id)
        if known is not None and known[0] == stamp and now - known[1] < self.EVERY:
            return False
        try:
            found = await self._registry.digest(row)
        except AppError:
            found = ""
        self._known[row.strategy_id] = (stamp, now, found)
        return known is None or known[2] != found


class Silence:
    """Raises an alarm for a run that gives no sign of life."""

    def __init__(self, clock: Clock, bus: Bus) -> None:
        self._clock = clock
        self._bus = bus

    def look(self, seat: Seat) -> bool:
        """Whether its state of stalling is another than before."""
        running, limit = seat.running, seat.row.stall_minutes * 60
        silent = running.usage().silent_seconds if running is not None and limit else 0.0
        stalled = bool(limit) and silent >= limit
        if stalled is seat.stalled:
            return False
        seat.stalled = stalled
        if stalled:
            text = f"{seat.row.name} has given no sign of life for {age_text(silent)}."
            log.warning("%s", text)
            self._bus.publish(Notice(level="warning", text=text, at=self._clock.now()))
        return True


class Looking:
    """The loop that looks; ``quotas`` is asked for each program that is up."""

    EVERY = 2.0

    def __init__(
        self,
        clock: Clock,
        seats: Callable[[], Sequence[Seat]],
        schedules: Schedules,
        files: Files,
        silence: Silence,
        quotas: Callable[[Seat], None],
        changed: Callable[[Seat], None],
        seen: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._seats = seats
        self._schedules = schedules
        self._files = files
        self._silence = silence
        self._quotas = quotas
        self._changed = changed
        self._seen = seen
        self._due: set[asyncio.Task[None]] = set()
        self._seen_at = -60.0
        self._busy: set[str] = set()

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(self.EVERY)
        finally:
            for task in self._due:
                task.cancel()

    async def look(self) -> None:
        """Once: what takes long (a start, a stop) goes on beside it."""
        seats = self._seats()
        if any(seat.is_up for seat in seats) and self._clock.monotonic() - self._seen_at >= 60:
            self._seen_at = self._clock.monotonic()
            self._seen()
        for seat in seats:
            if seat.strategy_id in self._busy:
                continue
            try:
                changed = await self._files.look(seat)
                changed = self._silence.look(seat) or changed
                if seat.is_up:
                    self._quotas(seat)
            except Exception:
                log.exception("looking after %s failed; going on", seat.row.name)
                continue
            if changed or seat.running is not None:
                self._changed(seat)
            if seat.row.hours.enabled:
                self._beside(seat)

    def _beside(self, seat: Seat) -> None:
        if seat.strategy_id in self._busy:
            return
        self._busy.add(seat.strategy_id)
        task = asyncio.create_task(self._schedule(seat), name=f"schedule {seat.row.name}")
        self._due.add(task)
        task.add_done_callback(self._due.discard)

    async def _schedule(self, seat: Seat) -> None:
        try:
            await self._schedules.look(seat)
        except AppError as error:
            log.error("the schedule of %s: %s", seat.row.name, error.message)
        except Exception:
            log.exception("the schedule of %s failed; going on", seat.row.name)
        finally:
            self._busy.discard(seat.strategy_id)
