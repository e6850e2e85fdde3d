"""Drives a hosted program over days of the simulated market: the same file, unchanged, through the
same API, host, sandbox and strategy book, on a clock that runs faster.

It is a terminal of its own on a folder of its own that goes away with it: no account, no vault, no
setting of the user's is there, so that nothing can leave this computer. Only the environments of
the user's programs are shared: they are large, and known by their content.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from openalgo_desktop.analytics.trade_statistics import figures, trip_day
from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.clock import IST, PacedClock
from openalgo_desktop.core.enums import Mode, OrderStatus
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.events import OrderUpdated
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.strategies.hosted import Hosted, HostedState, HostedView
from openalgo_desktop.core.strategies.rehearsal import (
    Rehearsal,
    RehearsalWish,
    RehearsedDay,
    exposure_of,
    sharpe_of,
)
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from openalgo_desktop.storage.datadir import DataDirectory

#: Who starts and stops it, in logs and views.
BY = "rehearsal"
#: Seconds of the machine in which the clock stands while the program's process starts.
HOLD = 3.0
#: Before the market closes: what is closed at the end needs it open.
BEFORE_CLOSE = timedelta(minutes=5)
#: Seconds between looks.
_LOOK = 0.25
#: Seconds of the machine that a program has to end itself: two minutes of it at the usual pace.
_GRACE = 2.0
_UP = frozenset({HostedState.PREPARING, HostedState.RUNNING, HostedState.WAITING})
_LINES = 200
_ZERO = Decimal(0)

Told = Callable[[str], None]


async def rehearse(
    wish: RehearsalWish, home: DataDirectory, overrides: dict[str, Any], told: Told
) -> Rehearsal:
    """All days of it, one after the other; ``told`` gets a line for each trade and day. ``home`` is
    the user's data folder, for environments that are installed there. Raises :class:`ConfigError`
    for a wish that cannot be, and what keeps the program from starting."""
    wish.check()
    clock = PacedClock(datetime.combine(wish.first, time(6), IST), wish.pace)
    async with _world(wish, home, overrides, clock) as terminal:
        return await _Rehearser(terminal, clock, wish, told).run()


@contextlib.asynccontextmanager
async def _world(
    wish: RehearsalWish, home: DataDirectory, overrides: dict[str, Any], clock: PacedClock
) -> AsyncIterator[Terminal]:
    with tempfile.TemporaryDirectory(prefix="openalgo-rehearsal-") as name:
        folder = Path(name)
        venvs = home.path / "strategies" / "venvs"
        venvs.mkdir(parents=True, exist_ok=True)
        (folder / "strategies").mkdir()
        (folder / "strategies" / "venvs").symlink_to(venvs.absolute(), target_is_directory=True)
        own = {
            "api.rest_port": 0,
            "api.ws_port": 0,
            "simulator.always_open": False,
            "simulator.rate": min(100_000.0, SETTINGS["simulator.rate"].default * wish.pace),
            "hosting.stop_grace": _GRACE,
            "log.level": "ERROR",  # that the clock jumps from day to day is no news
        }
        if wish.seed is not None:
            own["simulator.seed"] = wish.seed
        terminal = Terminal(
            TerminalOptions(
                data_dir=folder,
                mode=Mode.SANDBOX,
                overrides={**overrides, **own},
                clock=clock,
                vault_key_file=folder / "vault.key",
            )
        )
        await terminal.start()
        try:
            yield terminal
        finally:
            await terminal.stop()


class _Rehearser:
    def __init__(
        self, terminal: Terminal, clock: PacedClock, wish: RehearsalWish, told: Told
    ) -> None:
        self._terminal = terminal
        self._host = terminal.programs.host
        self._clock = clock
        self._wish = wish
        self._told = told
        self._name = ""
        self._lines: list[str] = []
        terminal.bus.subscribe(OrderUpdated, self._on_order)

    async def run(self) -> Rehearsal:
        view = await self._host.add(Path(self._wish.path))
        self._name = view.hosted.name
        if (kept := self._wish.kept) is not None:
            view = await self._as_kept(kept)
        for parameter, text in self._wish.parameters:
            view = await self._host.set_parameter(self._name, parameter, text)
        row = view.hosted
        days = self._days(row.exchange)
        spans = [self._span(row, day) for day in days]
        seen = [
            await self._day(begin, end, last=number == len(spans))
            for number, (begin, end) in enumerate(spans, 1)
        ]
        rows = await self._terminal.strategy_book.trades(self._name, Mode.SANDBOX)
        trips = await self._terminal.trade_journal.trips(Mode.SANDBOX)  # there is nothing else
        nets = {
            day: sum(
                (trip.net or Decimal(0) for trip in trips if trip_day(trip) == day), Decimal(0)
            )
            for day in days
        }
        fills = {day: sum(row.at.astimezone(IST).date() == day for row in rows) for day in days}
        return Rehearsal(
            name=self._name,
            days=tuple(
                msgspec.structs.replace(row, fills=fills[row.day], net=nets[row.day])
                for row in seen
            ),
            figures=figures(trips),
            exposure=exposure_of(rows, spans),
            sharpe=sharpe_of(list(nets.values())),
            lines=tuple(self._lines[-_LINES:]),
        )

    async def _as_kept(self, kept: Hosted) -> HostedView:
        """With what the user set for it. Its schedule starts nothing here."""
        view = await self._host.change(
            self._name,
            exchange=kept.exchange,
            interpreter=kept.interpreter,
            hours=msgspec.structs.replace(kept.hours, enabled=False),
            quotas=kept.quotas,
            on_crash=kept.on_crash,
            at_stop=kept.at_stop,
        )
        for parameter, text in kept.parameters.items():
            view = await self._host.set_parameter(self._name, parameter, text)
        return view

    def _days(self, exchange: str) -> list[date]:
        calendar, first = self._terminal.calendar, self._wish.first
        if calendar.session(exchange, first) is None:
            raise ConfigError(
                f"--day: {exchange} is closed on {first:%A, %d %b %Y}; the next trading day is "
                f"{calendar.next_trading_day(first, exchange)}."
            )
        days = [first]
        while len(days) < self._wish.days:
            days.append(calendar.next_trading_day(days[-1], exchange))
        return days

    def _span(self, row: Hosted, day: date) -> tuple[datetime, datetime]:
        """When it runs on a day: the wish, else its own windows, within the session."""
        session = self._terminal.calendar.session(row.exchange, day)
        assert session is not None
        opening, close = session
        windows = () if row.hours.all_day else row.hours.windows
        begin, end = self._wish.begin, self._wish.end
        if begin is None:
            begin = min((time.fromisoformat(start) for start, _ in windows), default=opening.time())
        if end is None:
            end = max((time.fromisoformat(stop) for _, stop in windows), default=close.time())
        first = max(datetime.combine(day, begin, IST), opening)
        last = min(datetime.combine(day, end, IST), close - BEFORE_CLOSE)
        if first >= last:
            raise ConfigError(
                f"--from: on {day:%d %b %Y} nothing is left between {first:%H:%M} and "
                f"{last:%H:%M}; {row.exchange} is open from {opening:%H:%M} to {close:%H:%M}."
            )
        return first, last

    async def _day(self, begin: datetime, end: datetime, *, last: bool) -> RehearsedDay:
        """One day; what was filled and earned is counted when all are over."""
        self._told(f"{begin:%a %d %b %Y}, {begin:%H:%M} to {end:%H:%M}")
        self._clock.jump(begin - timedelta(minutes=1))
        await asyncio.sleep(_LOOK)  # what a new day brings is done before the program runs
        self._clock.begin(begin, HOLD)
        view = await self._host.start(self._name, Mode.SANDBOX, BY)
        reason, failed = "", False
        while self._clock.now() < end:
            await asyncio.sleep(_LOOK)
            view = self._host.get(self._name)
            if view.state not in _UP:
                reason = view.reason or view.state.value
                failed = view.state is not HostedState.STOPPED
                self._told(f"{self._clock.now():%H:%M}  it ended: {reason}")
                break
        view = await self._host.stop(self._name, BY, square_off=True if last else None)
        await self._keep_lines(view)
        orders = self._terminal.strategy_book.orders(self._name, Mode.SANDBOX)
        held = self._terminal.strategy_book.positions(self._name, Mode.SANDBOX)
        return RehearsedDay(
            day=begin.date(),
            orders=len(orders),
            refused=sum(order.status is OrderStatus.REJECTED for order in orders),
            fills=0,
            net=_ZERO,
            reason=reason,
            failed=failed,
            left=tuple(
                f"{row.quantity:+d} {row.symbol} {row.exchange} {row.product.value}" for row in held
            ),
        )

    async def _keep_lines(self, view: HostedView) -> None:
        if view.run_id:
            entries = await self._host.logs.last(view.hosted.strategy_id, view.run_id, _LINES)
            self._lines.extend(entry.text for entry in entries)

    def _on_order(self, event: OrderUpdated) -> None:
        trade = event.trade
        if trade is not None and trade.strategy == self._name:
            side, price = trade.action.value, plain(trade.price)
            at = trade.traded_at.astimezone(IST)
            self._told(f"{at:%H:%M}  {side} {trade.quantity} {trade.symbol} at {price}")


def to_json(found: Rehearsal) -> bytes:
    """As JSON, amounts as text."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2)
