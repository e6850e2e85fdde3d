"""The host: the one door to hosted programs, for commands, bots, alerts and the window."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from openalgo_desktop.automation.host.catalog import samples
from openalgo_desktop.automation.host.catalog.registry import Registry
from openalgo_desktop.automation.host.followers import Followers
from openalgo_desktop.automation.host.life.kept import Kept
from openalgo_desktop.automation.host.life.keys import key_of
from openalgo_desktop.automation.host.life.looking import Files, Looking, Schedules, Silence, today
from openalgo_desktop.automation.host.life.ports import Tools
from openalgo_desktop.automation.host.life.quotas import Quotas
from openalgo_desktop.automation.host.life.seat import Seat
from openalgo_desktop.automation.host.life.taking_up import TakingUp
from openalgo_desktop.automation.host.life.view import Numbers, view_of
from openalgo_desktop.automation.host.ports import Logs
from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.core.events import HostedChanged, KillSwitchChanged, Notice, SettingChanged
from openalgo_desktop.core.strategies.hosted import (
    Hosted,
    HostedView,
    OnBreach,
    Promotion,
    TradeRecord,
)
from openalgo_desktop.core.strategies.hours import Expiries
from openalgo_desktop.core.strategies.ports import NotNow

log = logging.getLogger(__name__)

#: What a strategy has done in a mode: name, mode -> record.
Records = Callable[[str, Mode], Awaitable[TradeRecord]]
#: Fields that a user may change; the others have doors of their own.
CHANGEABLE = frozenset(
    {
        "exchange",
        "interpreter",
        "hours",
        "quotas",
        "on_crash",
        "on_engine_restart",
        "at_stop",
        "stall_minutes",
    }
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the host asks about the market and the past."""

    calendar: MarketCalendar
    expiries: Expiries
    records: Records
    taken: Callable[[], Awaitable[Collection[str]]]  # names of strategies of other kinds
    keep: Callable[[], tuple[int, int]] = lambda: (14, 50)  # days and megabytes of logs


class Host:
    """See :class:`ProgramHost`. ``by`` names who asked, for logs and views."""

    def __init__(self, tools: Tools, logs: Logs, facts: Facts) -> None:
        self._tools = tools
        self.logs = logs
        self.followers = Followers(logs, tools.clock)
        self._facts = facts
        self._seats: dict[str, Seat] = {}
        self._by_name: dict[str, Seat] = {}
        self._files = Files(tools.clock, tools.registry)
        self.quotas = Quotas(tools.clock, tools.bus, tools.results, self._named)
        self._schedules = Schedules(tools.clock, tools.bus, facts.calendar, facts.expiries)
        self._looking = Looking(
            tools.clock,
            lambda: list(self._seats.values()),
            self._schedules,
            self._files,
            Silence(tools.clock, tools.bus),
            self._look_at_run,
            self._changed,
            lambda: tools.rows.seen(tools.clock.time()),
        )
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    @property
    def registry(self) -> Registry:
        """The programs as they are kept."""
        return self._tools.registry

    # -- life -------------------------------------------------------------------------------
    async def take_up(self) -> None:
        """At a start: what ran when the engine ended goes on, is started again, or ends."""
        kept, seen = await self._tools.rows.load()
        await self._tools.registry.load()
        for row in self._tools.registry.all():
            seat = self._seat(row, kept.get(row.strategy_id, Kept()))
            self._seats[row.strategy_id] = self._by_name[row.name] = seat
        taking = TakingUp(self._tools, self._schedules, self._beside)
        await taking.take_up(list(self._seats.values()), seen)

    def begin(self) -> None:
        """Look after all of them from now on."""
        self._unsubscribe = self._tools.bus.subscribe(KillSwitchChanged, self._on_kill_switch)
        self._loop = asyncio.create_task(self._looking.run(), name="hosted programs")
        self._beside(self._prune())

    async def _prune(self) -> None:
        """Old logs and environments go, now and each hour."""
        while True:
            days, megabytes = self._facts.keep()
            try:
                await self.logs.prune(days=days, megabytes=megabytes)
                await self._tools.processes.tidy()
            except AppError as error:
                log.warning("old logs of hosted programs stay: %s", error.message)
            await asyncio.sleep(3600)

    async def close(self) -> None:
        """The engine ends: all processes end, politely; what was to run is known at its next
        start."""
        self._unsubscribe()
        for task in (*self._tasks, *([self._loop] if self._loop is not None else [])):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.followers.close()
        await asyncio.gather(*(seat.leave() for seat in self._seats.values()))
        await self._tools.processes.stop_all(
            self._tools.grace(), "The program that hosts it was closed."
        )
        await self._tools.keys.sweep(())
        self._tools.rows.seen(self._tools.clock.time())
        await self._tools.processes.close()

    # -- asking -----------------------------------------------------------------------------
    def all(self) -> Sequence[HostedView]:
        """By name."""
        return [self._view(self._seats[row.strategy_id]) for row in self.registry.all()]

    def get(self, name: str) -> HostedView:
        """By name or id. Raises :class:`StrategyNotFound`."""
        return self._view(self._find(name))

    def _find(self, name: str) -> Seat:
        return self._seats[self.registry.get(name).strategy_id]

    def _view(self, seat: Seat) -> HostedView:
        now = self._tools.clock.now()
        digest = self._files.digest(seat.strategy_id)
        verdict = self._schedules.verdict(seat, now) if seat.row.hours.enabled else None
        following = None
        if seat.row.hours.enabled and not seat.is_up:
            following = self._schedules.next_start(seat, now)
        return view_of(seat, digest, verdict, following, today(now), self._numbers(seat))

    def _numbers(self, seat: Seat) -> Numbers:
        name, mode = seat.row.name, seat.kept.mode
        if mode is None:
            return Numbers()
        result = self._tools.results.today(name, mode)
        net = result.day_net if result is not None else None
        pnl = None if net is None else Decimal(str(round(net, 2)))
        return Numbers(self.quotas.breach(seat, mode), self.quotas.orders(name, mode), pnl)

    def heard(self, key: ApiKey) -> None:
        """A call of the API with this key: a sign of life of its run."""
        seat = self._by_name.get(key.strategy)
        if seat is not None and seat.running is not None and key_of(seat.kept.run_id) == key.name:
            seat.running.heartbeat()

    def _named(self, name: str) -> Seat | None:
        """The seat of a strategy of exactly this name; asked for every order."""
        return self._by_name.get(name)

    def _look_at_run(self, seat: Seat) -> None:
        if self._left_behind(seat):
            return
        self.quotas.look(seat)
        if not seat.breached:
            return
        seat.breached = False
        if seat.row.quotas.on_breach is OnBreach.FLATTEN:
            self._beside(seat.close_own())
        elif seat.row.quotas.on_breach is OnBreach.STOP:
            why = f"Its quota was broken: {seat.kept.breach}."
            self._beside(seat.stop(why, square_off=True, off_day=self._today()))

    def _left_behind(self, seat: Seat) -> bool:
        """Stop a live run where another account takes live orders by now: nothing that it sends
        reaches its own any more, exits included. Whether that is so."""
        kept = seat.kept
        if kept.mode is not Mode.LIVE or seat.running is None or seat.turn.locked():
            return False
        serving = self._live_account()
        if serving in ("", kept.account_id):
            return False
        why = f"Orders go to the account {serving} now, and it ran for {kept.account_id}."
        self._tools.bus.publish(
            Notice(level="error", text=f"{seat.row.name}: {why}", at=self._tools.clock.now())
        )
        self._beside(seat.stop(why, off_day=self._today()))
        return True

    def _live_account(self) -> str:
        """The account that takes live orders; empty for none."""
        try:
            return self._tools.gate.account_of(Mode.LIVE)
        except AppError:
            return ""

    # -- adding and changing ----------------------------------------------------------------
    async def add(self, path: Path, name: str = "", *, link: bool = False) -> HostedView:
        """Take in a file, a folder, or ``sample:NAME``; copied unless ``link``. Raises
        :class:`ConfigError` with the fix; nothing is half there then."""
        sample = str(path).removeprefix("sample:")
        if sample != str(path):
            path, link = samples.path_of(sample), False
        row = await self.registry.add(path, name, link=link, taken=await self._facts.taken())
        seat = self._seats[row.strategy_id] = self._seat(row, Kept())
        self._by_name[row.name] = seat
        await self._files.look(seat)
        self._changed(seat)
        return self._view(seat)

    async def remove(self, name: str, by: str) -> None:
        """Stop and forget a program: its copy, keys, logs. A linked folder stays."""
        seat = self._find(name)
        await seat.stop(f"Removed by {by}.")
        view = self._view(seat)
        await self.registry.remove(seat.strategy_id)
        await self._tools.rows.forget(seat.strategy_id)
        del self._seats[seat.strategy_id], self._by_name[seat.row.name]
        self._files.forget(seat.strategy_id)
        self._tools.bus.publish(HostedChanged(view=view, removed=True))
        try:
            await self.logs.remove(seat.strategy_id)
        except AppError as error:
            log.warning("logs of %s stay: %s", seat.row.name, error.message)

    async def change(self, name: str, **fields: Any) -> HostedView:
        """Other values for :data:`CHANGEABLE` fields; what runs has them from its next start on.
        Raises :class:`ConfigError`."""
        seat = self._find(name)
        for field in fields:
            if field not in CHANGEABLE:
                raise ConfigError(f"{field}: a program has no such field to change.")
        if (hours := fields.get("hours")) is not None and hours.enabled:
            await self._may_run(seat, hours.mode)
        seat.row = await self.registry.change(seat.strategy_id, **fields)
        if "hours" in fields:
            hours = seat.row.hours
            self._told(
                seat, f"schedule on, {hours.mode.value}" if hours.enabled else "schedule off"
            )
            seat.scheduled_at = self._tools.clock.now()
            live = hours.enabled and hours.mode is Mode.LIVE
            seat.note(live_account=self._live_account() if live else "")
        if "quotas" in fields:
            seat.note(breach_day="", breach="")  # a human has looked
        self._changed(seat)
        return self._view(seat)

    async def _may_run(self, seat: Seat, mode: Mode) -> None:
        """Only what was promoted is scheduled live."""
        if mode is Mode.LIVE and await self.registry.digest(seat.row) != seat.row.promoted_hash:
            raise NotNow(
                f"mode: {seat.row.name} may only trade in the sandbox until a human promotes it as "
                f"it is now (openalgo-desktop strategy promote {seat.row.name!r})."
            )

    async def set_parameter(self, name: str, parameter: str, text: str) -> HostedView:
        """Set a declared parameter; an empty text is its default."""
        seat = self._find(name)
        seat.row = await self.registry.set_parameter(seat.strategy_id, parameter, text)
        self._changed(seat)
        return self._view(seat)

    # -- promotion --------------------------------------------------------------------------
    async def promotion(self, name: str) -> Promotion:
        """What a human looks at before a program may go live."""
        seat = self._find(name)
        digest = await self.registry.digest(seat.row)
        return Promotion(
            name=seat.row.name,
            digest=digest,
            promoted=digest == seat.row.promoted_hash,
            again=bool(seat.row.promoted_hash),
            record=await self._facts.records(seat.row.name, Mode.SANDBOX),
        )

    async def promote(self, name: str, digest: str, by: str) -> HostedView:
        """Let the content that was looked at go live. Raises :class:`NotNow` when it is another
        one by now."""
        seat = self._find(name)
        if not digest or digest != await self.registry.digest(seat.row):
            raise NotNow(f"{seat.row.name} was changed while you looked at it; look again.")
        seat.row = await self.registry.change(seat.strategy_id, promoted_hash=digest)
        log.warning("%s was promoted to live by %s (%s)", seat.row.name, by, digest[:12])
        self._told(seat, f"promoted to live by {by} (content {digest[:12]})")
        self._changed(seat)
        return self._view(seat)

    async def demote(self, name: str, by: str) -> HostedView:
        """Back to the sandbox: no live start any more, a live run ends, a live schedule is off."""
        seat = self._find(name)
        hours = seat.row.hours
        if hours.mode is Mode.LIVE:
            hours = msgspec.structs.replace(hours, mode=Mode.SANDBOX, enabled=False)
        seat.row = await self.registry.change(seat.strategy_id, promoted_hash="", hours=hours)
        if seat.is_up and seat.kept.mode is Mode.LIVE:
            await seat.stop(f"Demoted to the sandbox by {by}.", off_day=self._today())
        log.warning("%s was demoted by %s", seat.row.name, by)
        self._told(seat, f"sandbox only, by {by}")
        self._changed(seat)
        return self._view(seat)

    # -- running ----------------------------------------------------------------------------
    async def start(self, name: str, mode: Mode, by: str) -> HostedView:
        """See :class:`ProgramHost`."""
        seat = self._find(name)
        await seat.start(mode, by)
        await self._files.look(seat)
        return self._view(seat)

    async def stop(self, name: str, by: str, *, square_off: bool | None = None) -> HostedView:
        """See :class:`ProgramHost`. Its schedule does not undo that today."""
        seat = self._find(name)
        await seat.stop(f"Stopped by {by}.", square_off=square_off, off_day=self._today())
        return self._view(seat)

    async def restart(self, name: str, by: str) -> HostedView:
        """Stop and start in the same mode: to apply what was edited. What it holds stays."""
        seat = self._find(name)
        wanted = seat.kept.wanted
        if wanted is None:
            raise NotNow(f"{seat.row.name} does not run; start it.")
        await seat.stop(f"Restarted by {by}.", square_off=False)
        await seat.start(wanted.mode, by, wanted.window)
        self._files.forget(seat.strategy_id)
        await self._files.look(seat)
        return self._view(seat)

    async def stop_all(self, by: str) -> Sequence[HostedView]:
        """Stop all that run, side by side; those that did."""
        return await self._stop_all(f"Stopped by {by}.")

    async def _stop_all(self, reason: str, *, square_off: bool | None = None) -> list[HostedView]:
        up = [seat for seat in self._seats.values() if seat.is_up]
        day = self._today()
        await asyncio.gather(
            *(seat.stop(reason, square_off=square_off, off_day=day) for seat in up)
        )
        return [self._view(seat) for seat in up]

    def _on_kill_switch(self, event: KillSwitchChanged) -> None:
        """It blocks their orders at once; that they end is so that none goes on with its loop on
        the day's first order after a reset. The switch itself closes positions."""
        if event.tripped and event.report is None:
            self._beside(
                self._stop_all(f"The kill switch was pulled by {event.by}.", square_off=False)
            )

    # -- inside -----------------------------------------------------------------------------
    def _seat(self, row: Hosted, kept: Kept) -> Seat:
        return Seat(row, kept, self._tools, self._changed)

    def _today(self) -> str:
        return today(self._tools.clock.now())

    def _told(self, seat: Seat, text: str) -> None:
        """For the audit trail: what it may do by itself from now on."""
        self._tools.bus.publish(SettingChanged(key=f"strategy.{seat.row.name}", value=text))

    def _changed(self, seat: Seat) -> None:
        if seat.strategy_id in self._seats:
            self._tools.bus.publish(HostedChanged(view=self._view(seat)))

    def _beside(self, work: Awaitable[Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("hosted programs", exc_info=error)
