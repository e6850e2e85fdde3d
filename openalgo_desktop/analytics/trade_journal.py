"""The trade journal: round trips of the paper account and of live accounts, charges, notes.

The paper account knows all its executions since its last manual reset; of live accounts those
count that were recorded (:mod:`~openalgo_desktop.trading.executions`). Work that grows with the
trades is done in a thread, and only for what is new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from datetime import date
from heapq import merge
from typing import Protocol

import msgspec

from openalgo_desktop.analytics.execution_source import (
    TURN,
    Conversions,
    Executions,
    ExecutionSource,
    Paper,
)
from openalgo_desktop.analytics.round_trips import RoundTrips
from openalgo_desktop.analytics.trade_statistics import days, figures, groups
from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.gently import gently, uncollected
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Key, Trade
from openalgo_desktop.core.trade_journal import (
    NO_NOTE,
    Because,
    Execution,
    JournalReport,
    RoundTrip,
    TradeNote,
)
from openalgo_desktop.exchange.charges import ChargeDay, ChargeTable
from openalgo_desktop.exchange.ledger import Entry, paise

#: How often recorded executions are read again because more came meanwhile.
_READ_AGAIN = 5


class Notes(Protocol):
    """Where notes are kept."""

    async def all(self) -> dict[str, TradeNote]: ...
    async def put(self, trip_id: str, note: TradeNote) -> None: ...


class _Build:
    """What was made of the executions of a mode so far, and of how many."""

    def __init__(self) -> None:
        self.made = RoundTrips()
        self.days: dict[str, tuple[date, ChargeDay]] = {}
        self.first = ""
        self.trades = self.entries = 0

    def is_ahead(self, trades: Sequence[Trade], entries: Sequence[Entry]) -> bool:
        """Whether it was made of more than there is: the account began anew."""
        return len(trades) < self.trades or len(entries) < self.entries


class TradeJournal:
    """``plan`` names the brokerage plan by which charges are estimated where an execution does
    not know its own."""

    def __init__(
        self,
        clock: Clock,
        paper: Paper,
        live: Executions,
        notes: Notes,
        instruments: InstrumentTable,
        table: ChargeTable,
        plan: Callable[[], str],
        conversions: Conversions | None = None,
    ) -> None:
        self.source = ExecutionSource(clock, paper, instruments, conversions)
        self._clock = clock
        self._paper = paper
        self._live = live
        self._notes_store = notes
        self._table = table
        self._plan = plan
        self._lock = asyncio.Lock()
        self._builds: dict[Mode, _Build] = {}
        self._fresh: list[Execution] | None = None  # live ones to add; None: read all
        self._notes: dict[str, TradeNote] | None = None

    # -- news -------------------------------------------------------------------------------
    def added(self, row: Execution) -> None:
        """A live execution is new."""
        if self._fresh is not None:
            self._fresh.append(row)

    def corrected(self) -> None:
        """Earlier live executions are others now, a position changed its product, or the plan
        changed: everything anew."""
        self.source.corrected()
        self._fresh = None
        self._builds.clear()

    # -- reading ----------------------------------------------------------------------------
    async def trips(self, mode: Mode) -> list[RoundTrip]:
        """All round trips of a mode, oldest first. Thousands take a part of a second the first
        time, in a thread; later only what is new is worked out."""
        async with self._lock:
            if mode is Mode.LIVE:
                return await self._live_trips()
            trades, entries = self._paper.all_trades(), self._paper.results()
            build = self._builds.get(mode)
            first = trades[0].trade_id if trades else ""
            moved: list[Execution] = []
            if build is None or build.first != first or build.is_ahead(trades, entries):
                moved = await self.source.moved(mode)
                trades, entries = self._paper.all_trades(), self._paper.results()
                build = self._builds[mode] = _Build()
                build.first = trades[0].trade_id if trades else ""
            rows = self.source.paper_rows(trades[build.trades :], entries[build.entries :], moved)
            build.trades, build.entries = len(trades), len(entries)
            return await asyncio.to_thread(self._add, build, rows, None)

    async def _live_trips(self) -> list[RoundTrip]:
        build, fresh = self._builds.get(Mode.LIVE), self._fresh
        if build is None or fresh is None:
            for _ in range(_READ_AGAIN):
                self._fresh = []
                stored, moved = await self._live.all(), await self.source.moved(Mode.LIVE)
                if self._fresh == []:  # else nobody knows whether it is among the stored ones
                    break
            else:
                self._fresh = None
            fresh = list(merge(stored, moved, key=lambda row: (row.at, TURN[row.because])))
            build = self._builds[Mode.LIVE] = _Build()
        else:
            self._fresh = []
        return await asyncio.to_thread(self._add, build, fresh, self._clock.now().date())

    def _add(self, build: _Build, rows: Iterable[Execution], today: date | None) -> list[RoundTrip]:
        first = not build.made.trips
        with uncollected() if first else nullcontext():
            for row in gently(rows):
                build.made.add(self._charged(build, row))
            if today is not None:
                build.made.expire(today)
            return list(build.made.trips)

    async def notes(self) -> dict[str, TradeNote]:
        """All notes by the id of the round trip; not to be changed."""
        if self._notes is None:
            self._notes = await self._notes_store.all()
        return self._notes

    async def annotate(self, trip_id: str, note: TradeNote) -> None:
        """Keep tags and text of a round trip; an empty note goes."""
        known = await self.notes()
        await self._notes_store.put(trip_id, note)
        if note == NO_NOTE:
            known.pop(trip_id, None)
        else:
            known[trip_id] = note

    async def report(self, trips: Sequence[RoundTrip], by: str) -> JournalReport:
        """Figures of these round trips, and of their groups ``by`` one of the groupings."""
        notes = dict(await self.notes())
        return await asyncio.to_thread(
            lambda: JournalReport(figures(trips), tuple(groups(trips, by, notes)), days(trips))
        )

    # -- paper ------------------------------------------------------------------------------
    async def fills(self, mode: Mode, key: Key) -> list[Execution]:
        """Executions of an instrument in a mode, oldest first."""
        if mode is Mode.LIVE:
            return await self._live.of_instrument(key)
        trades = self._paper.all_trades()
        return await asyncio.to_thread(
            lambda: [self.source.of_trade(row) for row in trades if row.key == key]
        )

    # -- charges ----------------------------------------------------------------------------
    def _charged(self, build: _Build, row: Execution) -> Execution:
        """The execution with its charges: those that it knows, else the estimate."""
        if row.because is not Because.TRADE:
            return row
        day = row.at.astimezone(IST).date()
        known = build.days.get(row.account_id)
        if known is None or known[0] != day:
            known = build.days[row.account_id] = (day, ChargeDay(self._table, self._plan()))
        estimate = known[1].add(self.source.fill_of(row, day))
        if row.charges:
            return row
        return msgspec.structs.replace(row, charges=paise(estimate.total))
