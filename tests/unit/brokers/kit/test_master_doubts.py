"""What is strange about a symbol master: unreadable rows, files that shrank, rows twice."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.readers import piece_path
from openalgo_desktop.brokers.kit.master.reading import Reading, read_file
from openalgo_desktop.brokers.kit.master.store import KitMaster, MasterStatus
from openalgo_desktop.brokers.kit.rest.values import count
from openalgo_desktop.brokers.kit.spec import MasterFile, MasterSpec
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.errors import NetError, ProtocolError
from openalgo_desktop.core.model import Instrument

DAY = 24 * 3600


def read_row(row: Mapping[str, Any], file: MasterFile) -> Instrument | None:
    return Instrument(
        symbol=row["symbol"],
        exchange=row["exchange"],
        token=row["token"],
        brsymbol=row.get("brsymbol") or row["symbol"],
        lot_size=count(row["lot"]),
    )


SPEC = MasterSpec(
    files=(
        MasterFile(path="/cash", name="cash.csv"),
        MasterFile(path="/all", listed="paths", name="list"),
        MasterFile(path="/more?key={key}", optional=True),
    ),
    reader=read_row,
)


def rows(number: int, exchange: str = "NSE", first: int = 0) -> list[str]:
    return [f"{exchange}{n},{exchange},{n},1" for n in range(first, first + number)]


class Source:
    """Files that a test can change."""

    def __init__(self) -> None:
        self.cash = rows(300)
        self.listed = {"nfo-20261201.csv": rows(900, "NFO"), "cds.csv": rows(30, "CDS")}
        self.more: list[str] | None = rows(90, "MCX")
        self.calls = 0

    async def __call__(self, file: MasterFile, path: Path) -> None:
        head = "symbol,exchange,token,lot\n"
        if file.listed:
            for number, (name, lines) in enumerate(self.listed.items()):
                piece_path(path, number, name).write_text(head + "\n".join(lines) + "\n")
            return
        self.calls += file.name == "cash.csv"
        lines = self.cash if file.name == "cash.csv" else self.more
        if lines is None:
            raise NetError("404")
        path.write_text(head + "\n".join(lines) + "\n")


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 12, 1, 9, 0, tzinfo=IST))


@pytest.fixture
def master(tmp_path: Path, clock: ManualClock, source: Source) -> Callable[..., KitMaster]:
    return lambda spec=SPEC: KitMaster(spec, tmp_path / "m", clock, source, "Broker")


# -- rows that cannot be read --------------------------------------------------------------------
async def test_unreadable_rows_are_counted_shown_and_named(
    master: Callable[..., KitMaster],
    source: Source,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source.cash[7:10] = ["short", "X,NSE,7001,one", "Y,NSE,7002,0"]
    source.listed["nfo-20261201.csv"][1:5] = ["Z,NFO,7003,nan"] * 4
    kit = master()
    with caplog.at_level(logging.WARNING):
        found = await kit.instruments()
    assert len(found) == 300 + 900 + 30 + 90 - 7
    clock.advance(3 * 3600)
    assert kit.status.text(clock.now()) == "1,313 instruments, 7 rows unreadable, 3 h old"
    (text,) = caplog.messages
    assert "7 rows unreadable in the symbol master" in text
    for row in ("cash.csv row 8: KeyError", "cash.csv row 9: OddValue 'one'",
                "cash.csv row 10: ValueError Y: lot 0", "nfo-20261201.csv row 2: "):  # fmt: skip
        assert row in text
    assert text.count("row ") == 5  # the first few
    again = master()  # what a copy on disk has is told too
    await again.instruments()
    assert again.status.unreadable == 7 and source.calls == 1


def test_many_unreadable_rows_of_one_file_are_another_format(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("symbol,exchange,token,lot\n" + "\n".join(rows(95) + ["short"] * 5))
    found = Reading(bad=1000, first=["another file row 1: ValueError"])
    with pytest.raises(ProtocolError, match=r"5 of 100 rows cannot be read; first: f\.csv row 96"):
        read_file(SPEC, MasterFile(path="/f", name="f.csv"), path, None, found)


def test_figures_of_a_master_in_words() -> None:
    now = datetime(2026, 12, 1, 9, tzinfo=IST)
    status = MasterStatus(39_942, now, unreadable=1, twice=2, problem="not renewed: why")
    assert status.text(now) == (
        "39,942 instruments, 1 row unreadable, 2 rows twice, 0 min old; not renewed: why"
    )


# -- files that shrank ---------------------------------------------------------------------------
def halve(source: Source) -> None:
    source.listed = {"nfo-20261202.csv": rows(450, "NFO"), "cds.csv": rows(30, "CDS")}


async def test_a_file_that_shrank_by_a_third_is_not_taken_over(
    master: Callable[..., KitMaster], source: Source, clock: ManualClock
) -> None:
    old = await master().instruments()
    halve(source)
    clock.advance(DAY)
    kit = master()
    assert await kit.instruments() == old
    assert kit.status.stale
    assert (
        "24 h old; not renewed: nfo-20261201.csv has only 450 instruments after 900 (50 % fewer); "
        "the old copy is kept until tomorrow's is like that too, or one downloaded anew"
    ) in kit.status.text(clock.now())
    assert await master().instruments() == old  # a second look on the same day tells nothing new
    clock.advance(DAY)
    later = master()
    assert len(await later.instruments()) == len(old) - 450
    assert not later.status.stale and not later.status.problem


async def test_what_is_asked_for_anew_counts_as_the_second_time(
    master: Callable[..., KitMaster], source: Source, clock: ManualClock
) -> None:
    old = await master().instruments()
    halve(source)
    kit = master()
    assert await kit.instruments(anew=True) == old
    assert "nfo-20261201.csv has only 450" in kit.status.problem
    source.listed["nfo-20261202.csv"] += rows(10, "NFO", 5000)  # nearly the same again
    assert len(await kit.instruments(anew=True)) == len(old) - 440


@pytest.mark.parametrize("rest", [0, 200, 590])
async def test_what_shrank_in_another_way_is_not_alike(
    master: Callable[..., KitMaster], source: Source, clock: ManualClock, rest: int
) -> None:
    old = await master().instruments()
    halve(source)
    await master().instruments(anew=True)
    source.listed = {"nfo-20261203.csv": rows(rest, "NFO"), "cds.csv": rows(30, "CDS")}
    clock.advance(DAY)
    assert await master().instruments() == old
    source.listed = {"nfo-20261203.csv": rows(450, "NFO"), "cds.csv": rows(10, "CDS")}
    clock.advance(DAY)
    assert await master().instruments() == old  # another file now
    clock.advance(DAY)
    assert len(await master().instruments()) == len(old) - 470


@pytest.mark.parametrize("more", [[], None])
async def test_a_listed_file_that_is_gone_and_an_optional_one(
    master: Callable[..., KitMaster], source: Source, clock: ManualClock, more: list[str] | None
) -> None:
    old = await master().instruments()
    del source.listed["cds.csv"]
    source.more = more
    kit = master()
    assert await kit.instruments(anew=True) == old
    assert "cds.csv has only 0 instruments after 30 (100 % fewer)" in kit.status.problem
    assert "/more has only 0 instruments after 90" in kit.status.problem  # and no key in it


async def test_little_less_and_files_of_another_version_are_taken(
    master: Callable[..., KitMaster], source: Source, clock: ManualClock, tmp_path: Path
) -> None:
    await master().instruments()
    source.cash = rows(201)
    clock.advance(DAY)
    kit = master()
    assert len(await kit.instruments()) == 201 + 1020 and not kit.status.problem
    # The program asks for fewer files now: that is no loss of a file.
    fewer = msgspec.structs.replace(SPEC, files=SPEC.files[:1])
    clock.advance(DAY)
    kit = master(fewer)
    assert len(await kit.instruments()) == 201 and not kit.status.problem
    # A copy of an earlier version of the program says its rows in all.
    (note,) = (tmp_path / "m").glob("*/copy.json")
    known = json.loads(note.read_bytes())
    note.write_text(json.dumps({name: known[name] for name in ("downloaded_at", "rows")}))
    source.cash = rows(100)
    clock.advance(DAY)
    kit = master(fewer)
    assert len(await kit.instruments()) == 201
    assert "The symbol master has only 100 instruments after 201" in kit.status.problem


# -- rows that come twice ------------------------------------------------------------------------
async def test_a_later_row_never_takes_the_place_of_another(
    master: Callable[..., KitMaster],
    source: Source,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source.cash += ["NSE5,NSE,9001,1", "NEW,NSE,6,1", "NSE7,BSE,7,1"]
    kit, index = master(), BrokerIndex()
    found = await kit.instruments(index)
    assert len(found) == len(index) == 300 + 1 + 900 + 30 + 90
    assert len({row.key for row in found}) == len(found)
    assert index.by_token("5", "NSE") is index.require("NSE5", "NSE")
    assert index.by_token("9001", "NSE") is None and index.get(("NSE", "NEW")) is None
    assert index.unified("", "6", "NSE") == "NSE6"
    assert index.by_token("7", "BSE") is index.require("NSE7", "BSE")  # another exchange
    assert "1,321 instruments, 2 rows twice," in kit.status.text(clock.now())
    (text,) = caplog.messages
    assert "NSE:NSE5 (token 9001), NSE:NEW (token 6)" in text


def test_a_shared_broker_symbol_is_that_of_the_row_which_bears_it() -> None:
    bond = Instrument(symbol="ABC-N1", exchange="NSE", token="1", brsymbol="ABC")
    share = Instrument(symbol="ABC", exchange="NSE", token="2", brsymbol="ABC")
    other = Instrument(symbol="ABC-N2", exchange="NSE", token="3", brsymbol="ABC")
    for order in ([bond, share, other], [share, other, bond]):
        index = BrokerIndex()
        assert index.load(order) == []
        assert index.by_brsymbol("ABC", "NSE") is share
        assert index.found("ABC", "3", "NSE") is other


def test_a_broker_symbol_of_several_rows_is_that_of_none() -> None:
    """Weekly options of a month: the wrong one would be another contract."""
    weeks = [
        Instrument(symbol=f"W{n}", exchange="NFO", token=str(n), brsymbol="NIFTY-Dec")
        for n in "123"
    ]
    other = Instrument(symbol="NIFTY-Dec", exchange="BFO", token="4", brsymbol="NIFTY-Dec")
    index = BrokerIndex()
    assert index.load([*weeks, other]) == []
    assert index.by_brsymbol("NIFTY-Dec", "NFO") is None
    assert index.found("NIFTY-Dec", "2", "NFO") is weeks[1]
    assert index.found("NIFTY-Dec", "9", "NFO") is None
    assert index.by_brsymbol("NIFTY-Dec", "BFO") is other


def test_rows_without_a_token_are_no_twins() -> None:
    index = BrokerIndex()
    same = [Instrument(symbol=name, exchange="NSE_INDEX") for name in ("A", "B")]
    assert index.load(same) == [] and len(index) == 2
    assert index.by_token("", "NSE_INDEX") is None


def test_a_token_is_nothing_without_its_exchange() -> None:
    rows = [Instrument(symbol=name, exchange=name, token="7") for name in ("NSE", "BSE")]
    index = BrokerIndex()
    assert index.load(rows) == []
    assert [index.by_token("7", exchange) for exchange in ("NSE", "BSE", "", "MCX")] == [
        *rows, None, None,
    ]  # fmt: skip


async def test_fixed_rows_stand_where_no_file_has_their_key(
    master: Callable[..., KitMaster], source: Source
) -> None:
    fixed = (
        Instrument(symbol="NSE1", exchange="NSE", token="77777"),
        Instrument(symbol="NSE1", exchange="BSE_INDEX", token="1"),
        Instrument(symbol="OTHER", exchange="NSE", token="2"),
        Instrument(symbol="SENSEX", exchange="BSE_INDEX", token="12"),
        Instrument(symbol="NONE", exchange="NSE"),
    )
    spec = msgspec.structs.replace(SPEC, fixed=fixed)
    kit, index = master(spec), BrokerIndex()
    found = await kit.instruments(index)
    assert found[-3:] == [fixed[1], fixed[3], fixed[4]]
    assert len(found) == 300 + 900 + 30 + 90 + 3
    assert kit.status.twice == 0
    assert index.require("NSE1", "NSE").token == "1"


@pytest.mark.parametrize("first", ["ABC-BE", "ABC-EQ"])
def test_of_two_series_of_a_share_the_regular_one_is_meant(first: str) -> None:
    """An order for ABC must not land in the series of trade for trade because that came first."""
    rows = [
        Instrument("ABC", "NSE", token=name[-2:], brsymbol=name, brexchange="NSE")
        for name in sorted(("ABC-BE", "ABC-EQ"), key=lambda name: name != first)
    ]
    other = Instrument("ABC1", "NSE", token="7", brsymbol="ABC-BE", brexchange="NSE")
    index = BrokerIndex()
    (left,) = index.load([rows[0], other, rows[1]])
    assert left.brsymbol == "ABC-BE" and index.by_token("BE", "NSE") is None
    found = index.require("ABC", "NSE")
    assert found is index.by_token("EQ", "NSE") is index.by_brsymbol("ABC-EQ", "NSE")
    assert found.brsymbol == "ABC-EQ"
    named = index.by_brsymbol("ABC-BE", "NSE")  # never the row that was left out
    assert named is None or named is other
