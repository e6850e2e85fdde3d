"""Names of instruments as people read them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.money import group_indian, group_western
from openalgo_desktop.core.naming import Names, name_of, name_of_symbol
from openalgo_desktop.core.symbols import format_symbol, parse
from tests.costs import calls

TODAY = date(2026, 11, 29)


def row(symbol: str, exchange: str = "NFO", name: str | None = None) -> Instrument:
    """A row of the master as its symbol says."""
    base, kind, expiry, strike = parse(symbol)
    return Instrument(
        symbol=symbol,
        exchange=exchange,
        name=base if name is None else name,
        instrument_type=kind,
        expiry=expiry,
        strike=strike,
    )


READ = {
    ("NIFTY02DEC2624400CE", "NFO"): ("NIFTY 02 DEC 24,400 CE", "02 DEC 24,400 CE"),
    ("BANKNIFTY29DEC26120000PE", "NFO"): ("BANKNIFTY 29 DEC 1,20,000 PE", "29 DEC 1,20,000 PE"),
    ("NIFTY28OCT2724400CE", "NFO"): ("NIFTY 28 OCT 24,400 CE", "28 OCT 24,400 CE"),
    ("NIFTY30NOV2724400CE", "NFO"): ("NIFTY 30 NOV '27 24,400 CE", "30 NOV '27 24,400 CE"),
    ("NIFTY27OCT2624400CE", "NFO"): ("NIFTY 27 OCT '26 24,400 CE", "27 OCT '26 24,400 CE"),
    ("NIFTY29DEC26FUT", "NFO"): ("NIFTY DEC FUT", "DEC FUT"),
    ("M&M26JAN27FUT", "NFO"): ("M&M JAN FUT", "JAN FUT"),
    ("GOLD05FEB27FUT", "MCX"): ("GOLD FEB FUT", "FEB FUT"),
    ("CRUDEOIL17DEC265600CE", "MCX"): ("CRUDEOIL 17 DEC 5,600 CE", "17 DEC 5,600 CE"),
    ("USDINR29DEC2688.25PE", "CDS"): ("USDINR 29 DEC 88.25 PE", "29 DEC 88.25 PE"),
    ("726GS203331DEC26FUT", "CDS"): ("726GS2033 DEC FUT", "DEC FUT"),
    ("RELIANCE", "NSE"): ("RELIANCE", "RELIANCE"),
    ("BAJAJ-AUTO", "NSE"): ("BAJAJ-AUTO", "BAJAJ-AUTO"),
    ("NIFTY", "NSE_INDEX"): ("NIFTY", "NIFTY"),
    ("BTCUSDFUT", "CRYPTO"): ("BTCUSDFUT", "BTCUSDFUT"),
}


@pytest.mark.parametrize(("symbol", "exchange"), READ)
def test_a_row_and_its_symbol_alone_read_the_same(symbol: str, exchange: str) -> None:
    full, short = READ[symbol, exchange]
    named = name_of(row(symbol, exchange), TODAY)
    assert (named.full, named.short) == (full, short)
    assert name_of_symbol(symbol, TODAY) == named


def test_the_fields_of_the_row_count_and_not_its_symbol() -> None:
    odd = Instrument("X1", "NFO", "NIFTY", "CE", expiry=date(2026, 12, 2), strike=24400.5)
    assert name_of(odd, TODAY).full == "NIFTY 02 DEC 24,400.5 CE"
    assert name_of(row("RELIANCE", "NSE", "RELIANCE INDUSTRIES LTD"), TODAY).full == "RELIANCE"


def test_a_row_without_fields_is_read_from_its_symbol() -> None:
    bare = Instrument("NIFTY02DEC2624400CE", "NFO", instrument_type="CE")
    assert name_of(bare, TODAY).full == "NIFTY 02 DEC 24,400 CE"
    unstruck = Instrument(bare.symbol, "NFO", "NIFTY", "CE", expiry=date(2026, 12, 2))
    assert name_of(unstruck, TODAY).full == "NIFTY 02 DEC 24,400 CE"


def names_of(*rows: Instrument) -> tuple[Names, InstrumentTable, ManualClock]:
    table, clock = InstrumentTable(), ManualClock(datetime(2026, 11, 29, 10, tzinfo=IST))
    table.load(rows)
    return Names(table, clock), table, clock


def test_two_futures_of_a_month_tell_their_days() -> None:
    names, _, _ = names_of(
        row("SENSEX03DEC26FUT", "BFO"),
        row("SENSEX31DEC26FUT", "BFO"),
        row("SENSEX28JAN27FUT", "BFO"),
    )
    shown = [names.full(("BFO", f"SENSEX{day}FUT")) for day in ("03DEC26", "31DEC26", "28JAN27")]
    assert shown == ["SENSEX 03 DEC FUT", "SENSEX 31 DEC FUT", "SENSEX JAN FUT"]


def test_names_follow_the_grouping_the_day_and_a_new_master() -> None:
    symbol = "NIFTY29DEC26120000CE"
    names, table, clock = names_of()
    assert names.full(("NFO", symbol)) == "NIFTY 29 DEC 1,20,000 CE"
    names.group("western")
    assert names.full(("NFO", symbol)) == "NIFTY 29 DEC 120,000 CE"
    names.group("indian")
    clock.jump(datetime(2027, 1, 4, 9, tzinfo=IST))
    assert names.full(("NFO", symbol)) == "NIFTY 29 DEC '26 1,20,000 CE"
    table.load([Instrument(symbol, "NFO", "NIFTY 50", "CE", expiry=date(2026, 12, 29), strike=1)])
    names.forget()
    assert names.full(("NFO", symbol)) == "NIFTY 50 29 DEC '26 1 CE"


def test_no_two_contracts_of_a_chain_share_a_name() -> None:
    days = [date(2026, 12, 2), date(2026, 12, 29), date(2027, 11, 30), date(2027, 12, 28)]
    rows = [
        row(format_symbol(parse(f"NIFTY{day:%d%b%y}".upper() + f"{strike}{kind}")))
        for day in days
        for strike in (24400, 24450, 24400.5)
        for kind in ("CE", "PE")
    ]
    names, _, _ = names_of(*rows)
    assert len({names.full(one.key) for one in rows}) == len(rows) == 24


def test_a_known_name_is_only_looked_up() -> None:
    names, _, _ = names_of(row("NIFTY02DEC2624400CE"))
    key = ("NFO", "NIFTY02DEC2624400CE")
    names.full(key)
    assert calls(lambda: names.full(key)) < 10


def test_both_groupings() -> None:
    assert group_western("1234567.50") == "1,234,567.50"
    assert group_indian("1234567.50") == "12,34,567.50"


def test_a_sentence_names_its_contracts_as_people_do() -> None:
    names, _, _ = names_of()
    said = "Order 12 of NIFTY02DEC2624400CE: NFO:M&M29DEC26FUT is not M&M. (NIFTY29DEC2624000.5PE)"
    assert names.spoken(said) == (
        "Order 12 of NIFTY 02 DEC 24,400 CE: NFO:M&M DEC FUT is not M&M. (NIFTY 29 DEC 24,000.5 PE)"
    )
    for other in ("RELIANCE is open", "id 3f29DEC26FUTx", "NIFTY02DEC26", "lowNIFTY29DEC26FUT"):
        assert names.spoken(other) == other


def test_names_sort_by_expiry_and_strike() -> None:
    names, _, _ = names_of()
    order = ["NIFTY24NOV2624400CE", "NIFTY29DEC269500PE", "NIFTY29DEC2624400CE", "SBIN"]
    mixed = order[2:] + order[:2]
    assert sorted(mixed, key=lambda one: names.of(("NFO", one)).rank) == order
