"""Long work that lets others run, and the table that is many small ones."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from datetime import date
from operator import itemgetter
from typing import Any

import msgspec
import pytest

from openalgo_desktop.core import gently, model
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.keyed import Keyed
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ports import JournalEntry
from openalgo_desktop.exchange.ledger import Entry
from openalgo_desktop.exchange.matching import Resting
from openalgo_desktop.exchange.records import PaperHolding, PaperOrder, PaperPosition
from openalgo_desktop.trading.origins import Origin


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """One item for each time that work lets others run; each look at the clock finds it due."""
    seen: list[float] = []
    monkeypatch.setattr(gently, "WORK", -1.0)
    monkeypatch.setattr(gently, "pause", lambda: seen.append(time.monotonic()))
    return seen


async def in_thread(work: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(work)


async def test_walking_and_sorting_let_others_run(pauses: list[float]) -> None:
    assert await in_thread(lambda: list(gently.gently(range(1000)))) == list(range(1000))
    assert len(pauses) >= 1000 // 32
    pauses.clear()
    mixed = [((n * 7919) % 5000, n) for n in range(5000)]
    got = await in_thread(lambda: gently.sorted_gently(mixed, key=itemgetter(0)))
    assert got == sorted(mixed, key=itemgetter(0))
    assert len(pauses) > 5000 // 32


async def test_on_the_loop_itself_nothing_sleeps(pauses: list[float]) -> None:
    assert len(list(gently.gently(range(1000)))) == 1000
    assert len(gently.sorted_gently(range(2000), key=lambda n: -n)) == 2000
    assert pauses == []


def instrument(number: int) -> Instrument:
    option = number % 2 == 0
    return Instrument(
        symbol=f"S{number}",
        brsymbol=f"S-{number}",
        name=f"N{number % 50}" if option else f"S{number}",
        exchange="NFO" if option else "NSE",
        brexchange="NFO" if option else "NSE",
        token=str(100_000 + number),
        expiry=date(2026, 12, 29) if option else None,
        strike=float(number) if option else 0.0,
        lot_size=10,
        instrument_type="CE" if option else "EQ",
        tick_size=0.05,
    )


async def test_every_stage_of_a_table_lets_others_run(pauses: list[float]) -> None:
    rows = [instrument(number) for number in range(4000)]
    table = await in_thread(lambda: InstrumentTable.of(rows))
    made = len(pauses)
    assert made > 10 * len(rows) // 32  # about a dozen passes: index, chains, names, texts
    served = InstrumentTable()
    served.adopt(await in_thread(lambda: InstrumentTable.of(rows[:10])))
    served.adopt(table)
    assert len(served) == 4000
    assert len(table) == 10
    assert [row.symbol for row in served.search("S399")][:2] == ["S399", "S3990"]
    pauses.clear()
    served.adopt(InstrumentTable())
    served.adopt(table)
    assert len(served) == 10
    other = await in_thread(lambda: InstrumentTable.of(rows))
    pauses.clear()
    await in_thread(other.let_go)
    assert len(pauses) > len(rows) // 32
    assert len(other) == 0
    assert list(other.rows()) == []


async def test_who_still_reads_an_old_table_reads_on(pauses: list[float]) -> None:
    table = await in_thread(lambda: InstrumentTable.of(instrument(n) for n in range(500)))
    reader = table.rows()
    first = next(reader)
    await in_thread(table.let_go)
    assert [first.symbol, *(row.symbol for row in reader)] == [f"S{n}" for n in range(500)]


def test_a_keyed_table_is_a_dictionary() -> None:
    table: Keyed[tuple[str, str], int] = Keyed()
    for number in range(1000):
        table["NSE", str(number)] = number
    assert len(table) == 1000
    assert table["NSE", "7"] == table.get(("NSE", "7")) == 7
    assert table.setdefault(("NSE", "7"), 8) == 7
    assert table.setdefault(("BSE", "7"), 8) == 8
    assert ("BSE", "7") in table
    assert ("MCX", "7") not in table
    assert table.get(("MCX", "7")) is None
    with pytest.raises(KeyError):
        table["MCX", "7"]
    assert sorted(table.values()) == sorted([*range(1000), 8])
    assert dict(table.items())["NSE", "999"] == 999
    assert len(set(table)) == 1001
    assert max(len(part) for part in table.parts()) < 100


def test_no_garbage_collection_until_the_last_builder_is_done() -> None:
    assert gc.isenabled()
    with gently.uncollected():
        with gently.uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


GROWING: list[type[msgspec.Struct]] = [
    *(model.Order, model.Trade, model.Position, model.Holding, model.OrderUpdate, Instrument),
    *(PaperOrder, PaperPosition, PaperHolding, Entry, Resting, JournalEntry, Origin),
]


@pytest.mark.parametrize("kind", GROWING)
def test_rows_that_grow_with_the_day_are_none_of_the_garbage_collectors_business(
    kind: type[msgspec.Struct],
) -> None:
    """They have no cycles; walking 10,000 orders held the loop for 30 ms each time."""
    assert not kind.__struct_config__.gc
