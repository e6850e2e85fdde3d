"""Symbol search as traders type it, on rows of a real symbol master."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.search_order import ORDER
from openalgo_desktop.core.search_query import Aliases, read

MASTER = Path(__file__).parents[2] / "data" / "master_extract.csv"
TODAY = date(2025, 8, 22)
PRICES = {"NIFTY": 24_612.0, "BANKNIFTY": 55_120.0}


def rows() -> list[Instrument]:
    with MASTER.open(newline="", encoding="utf-8") as file:
        return [
            Instrument(
                symbol=row["symbol"],
                exchange=row["exchange"],
                name=row["name"],
                instrument_type=row["instrument_type"],
                lot_size=int(row["lot_size"]),
                tick_size=float(row["tick_size"]),
                expiry=date.fromisoformat(row["expiry"]) if row["expiry"] else None,
                strike=float(row["strike"] or 0),
                token=row["token"],
                brsymbol=row["brsymbol"],
            )
            for row in csv.DictReader(file)
        ]


@pytest.fixture(scope="module")
def table() -> InstrumentTable:
    found = InstrumentTable.of(rows())
    found.aliases = Aliases.from_json(resource_text("search/aliases.json"))
    return found


Find = Callable[..., list[str]]


@pytest.fixture
def find(table: InstrumentTable) -> Find:
    def run(query: str, count: int = 3, today: date = TODAY) -> list[str]:
        hits = table.find(query, today, lambda exchange, name: PRICES.get(name))
        return [f"{row.exchange}:{row.symbol}" for row in hits[:count]]

    return run


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("bnf fut", ["NFO:BANKNIFTY28AUG25FUT", "NFO:BANKNIFTY30SEP25FUT"]),
        ("bnffut", ["NFO:BANKNIFTY28AUG25FUT"]),
        ("bank nifty", ["NSE_INDEX:BANKNIFTY", "NFO:BANKNIFTY28AUG25FUT"]),
        ("gold mini", ["MCX:GOLDM05SEP25FUT"]),
        ("gold min", ["MCX:GOLDM05SEP25FUT"]),  # still being typed
        ("crude mini fut", ["MCX:CRUDEOILM19SEP25FUT"]),
        ("infosys", ["NSE:INFY", "BSE:INFY", "NFO:INFY28AUG25FUT"]),
        ("infosys fut", ["NFO:INFY28AUG25FUT", "NFO:INFY30SEP25FUT"]),
        ("state bank of ind", ["NSE:SBIN", "BSE:SBIN"]),
        ("nifty 25000 ce", ["NFO:NIFTY28AUG2525000CE"]),
        ("nifty 25000 c", ["NFO:NIFTY28AUG2525000CE"]),
        ("nifty25000ce", ["NFO:NIFTY28AUG2525000CE"]),
        ("25000 ce", ["NFO:NIFTY28AUG2525000CE"]),
        ("nifty 25000", ["NFO:NIFTY28AUG2525000CE", "NFO:NIFTY28AUG2525000PE"]),
        ("nifty ce", ["NFO:NIFTY28AUG2524600CE", "NFO:NIFTY28AUG2524650CE"]),
        ("nifty 246 pe", ["NFO:NIFTY28AUG2524600PE", "NFO:NIFTY28AUG2524650PE"]),
        ("nifty 30 dec", ["NFO:NIFTY30DEC2525000CE", "NFO:NIFTY30DEC2525000PE"]),
        ("nifty 25 dec", ["NFO:NIFTY30DEC2525000CE"]),  # December 2025
        ("nifty 24 dec", ["NFO:NIFTY30DEC2524000CE"]),  # no such day or year: strikes from 24
        ("NIFTY30SEP25", ["NFO:NIFTY30SEP25FUT"]),
        ("NIFTY28AUG2525000CE", ["NFO:NIFTY28AUG2525000CE"]),
        ("gold", ["MCX:GOLD03OCT25FUT"]),
        ("usdinr fut", ["CDS:USDINR22AUG25FUT"]),
        ("NSE:SBIN", ["NSE:SBIN", "NFO:SBIN28AUG25FUT"]),
        ("sbin bse", ["BSE:SBIN"]),
        ("500112", ["BSE:SBIN"]),
        ("mar", ["NSE:MARUTI"]),  # a month only beside other words
        ("mcx fut", ["NFO:MCX28AUG25FUT"]),
        ("bees", ["NSE:GOLDBEES"]),
        ("l&t", ["NSE:LT"]),
        ("vix", ["NSE_INDEX:INDIAVIX"]),
    ],
)
def test_what_is_meant_comes_first(find: Find, query: str, wanted: list[str]) -> None:
    assert find(query, len(wanted)) == wanted


def test_main_exchanges_come_first(find: Find) -> None:
    for query, first, second in (
        ("reliance", "NSE:", "BSE:"),
        ("gold fut", "MCX:", "NCO:"),
        ("usdinr", "CDS:", "BCD:"),
    ):
        places = [name[: len(first)] for name in find(query, 50)]
        assert places.index(first) < places.index(second), query


def test_of_an_index_first_itself_then_futures_then_the_money(find: Find) -> None:
    assert find("nifty", 10) == [
        "NSE_INDEX:NIFTY",
        "NFO:NIFTY28AUG25FUT",
        "NFO:NIFTY30SEP25FUT",
        "NFO:NIFTY28OCT25FUT",
        "NFO:NIFTY28AUG2524600CE",
        "NFO:NIFTY28AUG2524600PE",
        "NFO:NIFTY28AUG2524650CE",
        "NFO:NIFTY28AUG2524650PE",
        "NFO:NIFTY28AUG2524550CE",
        "NFO:NIFTY28AUG2524550PE",
    ]


def test_expired_contracts_are_not_offered(find: Find) -> None:
    assert find("nifty fut", 1, date(2025, 8, 29)) == ["NFO:NIFTY30SEP25FUT"]
    assert find("nifty 25000 ce", 1, date(2025, 8, 29)) != ["NFO:NIFTY28AUG2525000CE"]


def test_an_unknown_price_means_the_middle_strikes(table: InstrumentTable) -> None:
    strikes = table.strikes("RELIANCE", "NFO", date(2025, 8, 28))
    (first, *_) = table.find("reliance ce", TODAY, lambda exchange, name: None)
    assert first.strike == strikes[len(strikes) // 2]


def test_nothing_comes_twice_and_the_limit_holds(table: InstrumentTable) -> None:
    for query in ("nifty", "n", "gold", "nifty 25", "reliance"):
        found = [row.key for row in table.find(query, TODAY, lambda e, n: None, 50)]
        assert len(found) == len(set(found)) <= 50
    assert len(table.find("nifty", TODAY, lambda e, n: None, 7)) == 7


@pytest.mark.parametrize(
    "query", ["", "   ", "zzzz", "nifty zzzz fut", "ce pe", "::", "\x1f", "٢٥"]
)
def test_nonsense_finds_nothing_or_something_but_never_fails(
    table: InstrumentTable, query: str
) -> None:
    found = table.find(query, TODAY, lambda e, n: None)
    if "zzzz" in query or not query.strip():
        assert found == []


def test_parts_of_a_query() -> None:
    bases = {"NIFTY", "BNF", "MCX"}

    def parts(query: str) -> tuple[object, ...]:
        w = read(query, bases.__contains__, lambda text: any(b.startswith(text) for b in bases))
        return w.words, w.kinds, w.month, w.dates, w.numbers

    assert parts("nifty 26 dec") == (["NIFTY"], (), 12, [26], [])
    assert parts("nifty 29 dec 26 25000 ce") == (["NIFTY"], ("CE",), 12, [29, 26], ["25000"])
    assert parts("NIFTY29DEC2625000CE") == (["NIFTY"], ("CE",), 12, [29, 26], ["25000"])
    assert parts("dec fut") == ([], ("FUT",), 12, [], [])
    assert parts("mar") == (["MAR"], (), 0, [], [])
    assert parts("nifty 1.5 put") == (["NIFTY"], ("PE",), 0, [], ["1.5"])
    assert parts("reliance") == (["RELIANCE"], (), 0, [], [])  # ends with CE


# -- the search of API clients: another order, the same rows as ever -------------------------
def slow_search(query: str, exchange: str | None) -> list[str]:
    """The contract's words in plain code."""
    terms, whole = query.upper().split(), query.strip().upper()
    found = []
    for row in rows():
        text = "\x1f".join((row.symbol, row.brsymbol, row.name, row.token)).upper()
        if exchange is not None and row.exchange != exchange:
            continue
        if not all(
            t in text or (t.replace(".", "").isdigit() and row.strike == float(t) > 0)
            for t in terms
        ):
            continue
        symbol = row.symbol.upper()
        rank = 3 - any(t in symbol for t in terms)
        rank = 1 if symbol.startswith(terms[0]) else rank
        rank = 0 if symbol == whole else rank
        found.append((rank, len(symbol), symbol, ORDER[row.exchange], row.exchange))
    return [f"{hit[4]}:{hit[2]}" for hit in sorted(found)[:500]]


@pytest.mark.parametrize("exchange", [None, "NFO", "BSE", "XYZ"])
@pytest.mark.parametrize(
    "query",
    ["n", "nifty", "NIFTY 25000", "25000.0 ce", "sbin", "500112", "reliance", "bank", "fut 25",
     "limited", "e", "ce", "87.5", "zzz"],
)  # fmt: skip
def test_api_search_is_as_documented(
    table: InstrumentTable, query: str, exchange: str | None
) -> None:
    found = [f"{row.exchange}:{row.symbol}" for row in table.search(query, exchange)]
    wanted = slow_search(query, exchange)
    assert sorted(found) == sorted(wanted)
    assert [name.split(":")[1] for name in found] == [name.split(":")[1] for name in wanted]
