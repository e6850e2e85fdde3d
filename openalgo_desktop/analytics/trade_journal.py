"""The trade journal: round trips of the paper account and of live accounts, charges, notes.

The paper account knows all its executions since its last manual reset; of live accounts those
count that were recorded (:mod:`~openalgo_desktop.trading.executions`). Work that grows with the
trades is done in a thread, and only for what is new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import date
from decimal import Decimal
from heapq import merge
from typing import Protocol

import msgspec

from openalgo_desktop.analytics.round_trips import RoundTrips
from openalgo_desktop.analytics.trade_statistics import days, figures, groups
from openalgo_desktop.core.clock import IST, Clock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.gently import gently, uncollected
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key, Trade
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.core.symbols import parse
from openalgo_desktop.core.trade_journal import (
    NO_NOTE,
    Because,
    Execution,
    JournalReport,
    RoundTrip,
    TradeNote,
)
from openalgo_desktop.exchange.charges import ChargeDay, ChargeTable, Fill
from openalgo_desktop.exchange.ledger import STARTS_OVER, Entry, EntryKind, decimal, paise

_ONE = Decimal(1)
#: What comes first of one moment: an account starts over, then it trades, then it settles.
_TURN = {
    Because.RESET: 0, Because.CARRIED: 1, Because.TRADE: 2, Because.CONVERTED: 3,
    Because.SETTLED: 4,
}  # fmt: skip
#: How often recorded executions are read again because more came meanwhile.
_READ_AGAIN = 5


class Paper(Protocol):
    """The paper account, as the journal reads it."""

    @property
    def account_id(self) -> str: ...
    def all_trades(self) -> list[Trade]: ...
    def results(self) -> Sequence[Entry]:
        """Entries of the ledger that realised, charged or began anew, in order."""


class Executions(Protocol):
    """Recorded executions of live accounts."""

    async def all(self) -> list[Execution]: ...
    async def of_instrument(self, key: Key) -> list[Execution]: ...


class Conversions(Protocol):
    """The order journal, as far as it tells which positions changed their product."""

    async def conversions(self) -> list[JournalEntry]: ...


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
        self._conversions = conversions
        self._clock = clock
        self._paper = paper
        self._live = live
        self._notes_store = notes
        self._instruments = instruments
        self._table = table
        self._plan = plan
        self._lock = asyncio.Lock()
        self._builds: dict[Mode, _Build] = {}
        self._fresh: list[Execution] | None = None  # live ones to add; None: read all
        self._notes: dict[str, TradeNote] | None = None
        self._changes = 0  # how often earlier rows became others

    # -- news -------------------------------------------------------------------------------
    def added(self, row: Execution) -> None:
        """A live execution is new."""
        if self._fresh is not None:
            self._fresh.append(row)

    def corrected(self) -> None:
        """Earlier live executions are others now, a position changed its product, or the plan
        changed: everything anew."""
        self._changes += 1
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
                moved = await self._moved(mode)
                trades, entries = self._paper.all_trades(), self._paper.results()
                build = self._builds[mode] = _Build()
                build.first = trades[0].trade_id if trades else ""
            rows = self._paper_rows(trades[build.trades :], entries[build.entries :], moved)
            build.trades, build.entries = len(trades), len(entries)
            return await asyncio.to_thread(self._add, build, rows, None)

    async def _live_trips(self) -> list[RoundTrip]:
        build, fresh = self._builds.get(Mode.LIVE), self._fresh
        if build is None or fresh is None:
            for _ in range(_READ_AGAIN):
                self._fresh = []
                stored, moved = await self._live.all(), await self._moved(Mode.LIVE)
                if self._fresh == []:  # else nobody knows whether it is among the stored ones
                    break
            else:
                self._fresh = None
            fresh = list(merge(stored, moved, key=lambda row: (row.at, _TURN[row.because])))
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

    async def _moved(self, mode: Mode) -> list[Execution]:
        """Conversions that are known, oldest first."""
        if self._conversions is None:
            return []
        changes = -1
        while changes != self._changes:  # another was done meanwhile
            changes = self._changes
            rows = await self._conversions.conversions()
        found = []
        for row in rows:
            if row.mode is mode:
                asked = msgspec.convert(row.request, ConvertRequest)
                found.append(
                    Execution(
                        account_id=row.account_id,
                        mode=mode,
                        symbol=asked.symbol,
                        exchange=asked.exchange,
                        product=asked.product,
                        action=asked.action,
                        quantity=asked.quantity,
                        price=Decimal(0),
                        at=row.created_at,
                        because=Because.CONVERTED,
                        to=asked.to,
                    )
                )
        return found

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
            lambda: [self._of_trade(row) for row in trades if row.key == key]
        )

    def _paper_rows(
        self, trades: Sequence[Trade], entries: Sequence[Entry], moved: Sequence[Execution]
    ) -> Iterator[Execution]:
        traded = (self._of_trade(trade) for trade in trades)
        settled = (row for entry in entries if (row := self._of_entry(entry)) is not None)
        return merge(traded, settled, moved, key=lambda row: (row.at, _TURN[row.because]))

    def _of_trade(self, trade: Trade) -> Execution:
        return Execution(
            account_id=self._paper.account_id,
            mode=Mode.SANDBOX,
            symbol=trade.symbol,
            exchange=trade.exchange,
            product=trade.product,
            action=trade.action,
            quantity=trade.quantity,
            price=decimal(trade.price),
            at=trade.traded_at,
            order_id=trade.order_id,
            strategy=trade.strategy,
            charges=decimal(trade.charges),
            multiplier=self._multiplier(trade.key),
        )

    def _of_entry(self, entry: Entry) -> Execution | None:
        """A settlement, which names its position where a trade names its order, or a new start."""
        if entry.kind is EntryKind.CAPITAL:
            if entry.ref != STARTS_OVER and not entry.reserve:  # a changed starting capital
                return None
            exchange = symbol = product = ""
            because = Because.RESET
        elif entry.kind is EntryKind.REALISED and entry.ref.count("|") == 2:
            exchange, symbol, product = entry.ref.split("|")
            because = Because.SETTLED
        else:
            return None
        return Execution(
            account_id=self._paper.account_id,
            mode=Mode.SANDBOX,
            symbol=symbol,
            exchange=exchange,
            product=Product(product or Product.MIS),
            action=Action.SELL,
            quantity=1,
            price=Decimal(0),
            at=entry.at,
            multiplier=self._multiplier((exchange, symbol)),
            because=because,
            profit=entry.cash,
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
        fill = Fill.of(
            self._instrument(row.key), row.product, row.action, row.quantity, row.price, day,
            row.order_id,
        )  # fmt: skip
        estimate = known[1].add(fill)
        if row.charges:
            return row
        return msgspec.structs.replace(row, charges=paise(estimate.total))

    def _instrument(self, key: Key) -> Instrument:
        found = self._instruments.get(key)
        if found is not None:
            return found
        base, kind, expiry, strike = parse(key[1])
        return Instrument(
            key[1], key[0], base, kind, expiry=expiry, strike=strike,
            contract_value=float(self._multiplier(key)),
        )  # fmt: skip

    def _multiplier(self, key: Key) -> Decimal:
        """Rupees that a unit earns; of a contract that the master has no more, those of the
        future of its underlying that is next."""
        found = self._instruments.get(key)
        if found is None and (parts := parse(key[1])).expiry is not None:
            today = self._clock.now().date()
            near = self._instruments.near_future(parts.base, key[0], today)
            found = self._instruments.get(near) if near is not None else None
        return _ONE if found is None else decimal(found.contract_value)
