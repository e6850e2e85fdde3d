"""The journal of the paper account and of live accounts, with charges and notes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from openalgo_desktop.analytics.trade_journal import TradeJournal
from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Trade
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.core.trade_journal import Execution, RoundTrip, TradeNote
from openalgo_desktop.exchange.charges import ChargeTable
from openalgo_desktop.exchange.ledger import Entry
from openalgo_desktop.sandbox.account import Sandbox
from tests.unit.sandbox.helpers import Rig

SBIN = ("NSE", "SBIN")
CALL = ("NFO", "NIFTY23NOV2625000CE")
CRUDE = ("MCX", "CRUDEOIL18DEC26FUT")
ROWS = [
    Instrument("SBIN", "NSE"),
    Instrument(CALL[1], "NFO", "NIFTY", "CE", 75, expiry=date(2026, 11, 23), strike=25000.0),
    Instrument(
        CRUDE[1], "MCX", "CRUDEOIL", "FUT", 1, 1.0, date(2026, 12, 18), contract_value=100.0
    ),
]
BUY, SELL = Action.BUY, Action.SELL
MIS, CNC, NRML = Product.MIS, Product.CNC, Product.NRML
TABLE = ChargeTable(resource_text("charges/rates.json"))


class Kept:
    """Notes and live executions in memory."""

    def __init__(self) -> None:
        self.notes: dict[str, TradeNote] = {}
        self.rows: list[Execution] = []

    async def all(self) -> dict[str, TradeNote]:
        return dict(self.notes)

    async def put(self, trip_id: str, note: TradeNote) -> None:
        self.notes[trip_id] = note


class Recorded:
    """Live executions in memory; counts how often all are read."""

    def __init__(self) -> None:
        self.rows: list[Execution] = []
        self.reads = 0

    async def all(self) -> list[Execution]:
        self.reads += 1
        return list(self.rows)


def journal_of(rig: Rig, notes: Kept | None = None, live: Recorded | None = None) -> TradeJournal:
    return TradeJournal(
        rig.clock, Current(rig), live or Recorded(), notes or Kept(), rig.instruments, TABLE,
        lambda: "discount",
    )  # fmt: skip


class Current:
    """The paper account of a rig, also after a restart."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    @property
    def account_id(self) -> str:
        return self._rig.box.account_id

    def all_trades(self) -> list[Trade]:
        return self._box.all_trades()

    def results(self) -> Sequence[Entry]:
        return self._box.results()

    @property
    def _box(self) -> Sandbox:
        return self._rig.box


def gross(trips: list[RoundTrip]) -> Decimal:
    return sum((trip.gross or Decimal(0) for trip in trips), Decimal(0))


@pytest.fixture
async def rig():
    rig = Rig(ROWS, charges=True)
    rig.market.set(SBIN, 800.0)
    rig.market.set(CALL, 120.0)
    rig.market.set(CRUDE, 5600.0)
    await rig.start()
    yield rig
    await rig.kill()


async def test_the_journal_of_the_sandbox_agrees_with_its_books(rig: Rig) -> None:
    journal = journal_of(rig)
    assert await journal.trips(Mode.SANDBOX) == []
    await rig.trade(BUY, 10, SBIN, MIS)
    await rig.trade(BUY, 10, SBIN, CNC)
    await rig.trade(SELL, 2, CRUDE, NRML)
    await rig.trade(BUY, 75, CALL, NRML)
    rig.market.set(SBIN, 810.0)
    await rig.trade(SELL, 10, SBIN, MIS)
    first = await journal.trips(Mode.SANDBOX)
    assert [(trip.symbol, trip.gross) for trip in first] == [("SBIN", Decimal(100))]
    trades = rig.box.all_trades()
    told = {trade.order_id: Decimal(str(trade.charges)) for trade in trades}
    assert first[0].charges == told[trades[0].order_id] + told[trades[-1].order_id] > 0
    rig.market.set(CRUDE, 5590.0)
    await rig.trade(BUY, 2, CRUDE, NRML)
    await rig.at("2026-11-20T10:00:00")
    await rig.trade(SELL, 4, SBIN, CNC)  # out of the holding
    rig.market.tick(CALL, 150.0)
    await rig.at("2026-11-23T15:40:00")  # expiry: settled without a trade
    trips = await journal.trips(Mode.SANDBOX)
    assert gross(trips) == rig.box.state.meta.realised
    assert [(t.symbol, t.settled) for t in trips[1:]] == [
        (CRUDE[1], False), ("SBIN", False), (CALL[1], True)
    ]  # fmt: skip
    assert trips[1].gross == 2000


class Converted:
    """The order journal: what was converted."""

    def __init__(self) -> None:
        self.rows: list[JournalEntry] = []

    async def conversions(self) -> list[JournalEntry]:
        return list(self.rows)


async def test_what_was_converted_agrees_with_the_books_too(rig: Rig) -> None:
    """The account counts by averages and tells a settlement's profit against them."""
    moved = Converted()
    journal = TradeJournal(
        rig.clock, Current(rig), Recorded(), Kept(), rig.instruments, TABLE, lambda: "discount",
        moved,
    )  # fmt: skip
    await rig.trade(BUY, 75, CALL, MIS)
    rig.market.set(CALL, 130.0)
    await rig.trade(BUY, 75, CALL, MIS)
    rig.market.set(CALL, 140.0)
    await rig.trade(SELL, 75, CALL, MIS)
    assert gross(await journal.trips(Mode.SANDBOX)) == 1500  # the oldest first; by average 1,125
    request = ConvertRequest(CALL[1], CALL[0], BUY, 75, MIS, NRML, held=75)
    await rig.box.convert(request, "tag")
    moved.rows.append(
        JournalEntry(
            "tag", "convert", rig.box.account_id, Mode.SANDBOX, "window",
            msgspec.to_builtins(request), rig.clock.now(),
        )
    )  # fmt: skip
    journal.corrected()
    rig.market.tick(CALL, 150.0)
    await rig.at("2026-11-23T15:40:00")  # expiry: settled without a trade
    trips = await journal.trips(Mode.SANDBOX)
    assert [(trip.product, trip.settled) for trip in trips] == [(MIS, False), (NRML, True)]
    assert gross(trips) == rig.box.state.meta.realised == 3000


async def test_a_fill_that_comes_while_all_are_read_counts_once(rig: Rig) -> None:
    recorded = Recorded()
    recorded.rows = [live(1, BUY, 800, 0), live(2, SELL, 805, 1), live(3, BUY, 800, 2)]
    journal = journal_of(rig, live=recorded)
    read = recorded.all

    async def meanwhile() -> list[Execution]:
        if recorded.reads == 0:
            recorded.rows.append(live(4, SELL, 810, 3))
            journal.added(recorded.rows[-1])
        return await read()

    recorded.all = meanwhile  # type: ignore[method-assign]
    assert [trip.gross for trip in await journal.trips(Mode.LIVE)] == [50, 100]
    journal.added(live(5, SELL, 700, 4))
    journal.added(live(6, BUY, 690, 5))
    assert [trip.gross for trip in await journal.trips(Mode.LIVE)] == [50, 100, 100]


async def test_a_reset_takes_what_was_open(rig: Rig) -> None:
    journal = journal_of(rig)
    await rig.trade(BUY, 10, SBIN, CNC)
    await rig.at("2026-11-18T10:00:00")  # delivered: nothing is reserved any more
    assert await journal.trips(Mode.SANDBOX) == []
    rig.box.lifecycle.reset(rig.clock.now())
    await rig.trade(BUY, 10, SBIN, CNC)
    rig.market.set(SBIN, 790.0)
    await rig.trade(SELL, 10, SBIN, CNC)
    (trip,) = await journal.trips(Mode.SANDBOX)
    assert trip.gross == -100 and trip.entry_price == 800


async def test_charges_are_estimated_where_the_account_has_none() -> None:
    rig = Rig(ROWS)
    rig.market.set(SBIN, 800.0)
    await rig.start()
    await rig.trade(BUY, 100, SBIN, MIS)
    await rig.trade(SELL, 100, SBIN, MIS)
    (trip,) = await journal_of(rig).trips(Mode.SANDBOX)
    assert rig.box.all_trades()[0].charges == 0
    assert trip.gross == 0 and Decimal(40) < trip.charges < Decimal(100)
    await rig.kill()


def live(number: int, action: Action, price: int, minute: int) -> Execution:
    return Execution(
        account_id="zerodha:A", mode=Mode.LIVE, symbol="SBIN", exchange="NSE", product=MIS,
        action=action, quantity=10, price=Decimal(price), order_id=str(number),
        at=datetime(2026, 11, 16, 10, tzinfo=IST) + timedelta(minutes=minute),
    )  # fmt: skip


async def test_live_executions_are_read_once_and_then_added(rig: Rig) -> None:
    recorded = Recorded()
    recorded.rows = [live(1, BUY, 800, 0), live(2, SELL, 805, 1)]
    journal = journal_of(rig, live=recorded)
    journal.added(live(9, BUY, 1, 9))  # before anybody looked: it is in the store
    assert [trip.gross for trip in await journal.trips(Mode.LIVE)] == [50]
    journal.added(live(3, SELL, 810, 2))
    journal.added(live(4, BUY, 800, 3))
    assert [trip.gross for trip in await journal.trips(Mode.LIVE)] == [50, 100]
    assert recorded.reads == 1
    recorded.rows = recorded.rows[:2]
    journal.corrected()
    assert len(await journal.trips(Mode.LIVE)) == 1
    assert recorded.reads == 2


async def test_notes_are_kept_and_counted_as_tags(rig: Rig) -> None:
    notes, recorded = Kept(), Recorded()
    recorded.rows = [live(1, BUY, 800, 0), live(2, SELL, 805, 1)]
    journal = journal_of(rig, notes, recorded)
    trips = await journal.trips(Mode.LIVE)
    await journal.annotate(trips[0].trip_id, TradeNote(("gap",), "as planned"))
    assert notes.notes[trips[0].trip_id].text == "as planned"
    report = await journal.report(trips, "Tag")
    assert [group.label for group in report.groups] == ["gap"]
    assert report.days[date(2026, 11, 16)].trades == 1
    await journal.annotate(trips[0].trip_id, TradeNote())
    assert await journal.notes() == {}


class Many:
    """A paper account with so many trades."""

    account_id = "sandbox:many"

    def __init__(self, count: int) -> None:
        chance = random.Random(3)
        start = datetime(2024, 1, 1, 9, 15, tzinfo=IST)
        self.trades = []
        for number in range(count):
            symbol = f"S{number // 2 % 40}"
            action = BUY if number // 2 % 2 == number % 2 else SELL
            price = chance.randrange(20_000, 21_000) / 20
            at = start + timedelta(minutes=13 * number)
            self.trades.append(
                Trade(f"t{number}", f"o{number}", symbol, "NSE", action, MIS, 10, price, at)
            )

    def all_trades(self) -> list[Trade]:
        return list(self.trades)

    def results(self) -> list[Entry]:
        return []


async def test_ten_thousand_trades_leave_the_loop_free() -> None:
    clock = ManualClock(datetime(2026, 11, 16, 10, tzinfo=IST))
    paper = Many(20_000)
    journal = TradeJournal(
        clock, paper, Recorded(), Kept(), InstrumentTable(), TABLE, lambda: "discount"
    )
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0)
            beats += 1

    heart = asyncio.create_task(beat())
    trips = await journal.trips(Mode.SANDBOX)
    built, beats = beats, 0
    assert len(await journal.trips(Mode.SANDBOX)) == len(trips) == 10_000
    report = await journal.report(trips, "Underlying")
    heart.cancel()
    assert report.figures.trades == 10_000
    # Turns of the loop while it worked (how long they are is measured by bench/): in one piece
    # it would be two or three.
    assert built > 25
    assert beats > 10
