"""Option chains and greeks from prices in memory."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import msgspec
import numpy as np
import pytest

from openalgo_desktop.analytics import chain as chains
from openalgo_desktop.analytics.chain import LEASE_SECONDS, ChainBook, chain_greeks
from openalgo_desktop.analytics.contracts import ContractError, Contracts, at_the_money
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.options_math import implied_volatility, price
from openalgo_desktop.core.symbols import option_symbol
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.local_api.handlers.options import chain_answer
from openalgo_desktop.market.hub import MarketHub
from tests.costs import Calls

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=IST)
EXPIRY = date(2026, 12, 29)
STRIKES = [22000.0 + 50 * n for n in range(162)]
SIGMA = 0.13


def world() -> tuple[MarketHub, InstrumentTable, ManualClock]:
    """NIFTY at 26000 with 162 strikes, all streamed."""
    clock = ManualClock(NOW)
    rows = [Instrument("NIFTY", "NSE_INDEX", "NIFTY 50", "INDEX")]
    table = InstrumentTable()
    years = (datetime(2026, 12, 29, 15, 30, tzinfo=IST) - NOW).total_seconds() / 31_536_000
    ticks = [Tick("NIFTY", "NSE_INDEX", 26000.0, FeedMode.QUOTE, close=25900.0)]
    for strike in STRIKES:
        for kind in ("CE", "PE"):
            symbol = option_symbol("NIFTY", EXPIRY, strike, kind)
            rows.append(
                Instrument(symbol, "NFO", "NIFTY", kind, 65, 0.05, EXPIRY, strike, freeze_qty=1800)
            )
            fair = float(price(26000.0, strike, years, SIGMA, 0.0, kind == "CE"))
            ticks.append(Tick(symbol, "NFO", fair, FeedMode.QUOTE))
    table.load(rows)
    hub = MarketHub(clock, table)
    hub.connected = True
    for tick in ticks:
        hub.publish(tick)
    return hub, table, clock


async def test_a_chain_with_greeks_is_solved_in_one_pass_and_costs_what_it_is_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub, table, clock = world()
    book = ChainBook(hub, table, clock)
    underlying = book.contracts.underlying("NIFTY", "NSE_INDEX", "29DEC26", NOW.date())
    solved: list[int] = []

    def volatility(premium: np.ndarray, *rest: Any) -> Any:
        solved.append(len(premium))
        return implied_volatility(premium, *rest)

    monkeypatch.setattr(chains, "implied_volatility", volatility)
    costs = []
    for count in (None, 20, None):  # the first subscribes
        with Calls() as made:
            chain = await book.build(underlying, count, True)
            answer = msgspec.json.encode(chain_answer(chain, 1, True))
        costs.append(made.count / len(chain.strikes))
    assert len(chain.strikes) == 162
    assert len(answer) > 50_000
    assert solved == [324, 82, 324]
    assert costs[2] < 1.2 * costs[1] < 150, costs  # about 100 calls a strike
    for row in chain.strikes:
        for leg in (row.ce, row.pe):
            assert leg is not None
            assert leg.greeks is not None
            if leg.tick is not None and abs(row.strike - 26000) < 1500:
                assert leg.greeks[0] == pytest.approx(SIGMA * 100, abs=0.01)
    book.close()


async def test_old_chains_are_unsubscribed() -> None:
    hub, table, clock = world()
    book = ChainBook(hub, table, clock)
    underlying = book.contracts.underlying("NIFTY", "NSE_INDEX", "29DEC26", NOW.date())
    await book.build(underlying, 2, False)
    key = ("NFO", "NIFTY29DEC2626000CE")
    assert hub._wanted(key) is FeedMode.QUOTE
    clock.advance(LEASE_SECONDS - 1)
    book._sweep()
    assert hub._wanted(key) is FeedMode.QUOTE
    clock.advance(1)
    book._sweep()
    assert hub._wanted(key) is None
    await book.build(underlying, 2, False)
    book.close()
    assert hub._wanted(key) is None


def test_greeks_without_time_value_are_those_of_the_forward() -> None:
    rows = [
        Instrument("A", "NFO", "X", "CE", strike=100.0),
        Instrument("B", "NFO", "X", "PE", strike=100.0),
    ]
    ticks = {
        ("NFO", "A"): Tick("A", "NFO", 50.0),
        ("NFO", "B"): Tick("B", "NFO", 0.0),
    }
    found = chain_greeks(rows, ticks, 150.0, 86_400 * 30, 0.0)
    assert found == {("NFO", "A"): (0.0, 1.0, 0.0, 0.0, 0.0)}


def test_implied_volatility_in_one_pass_and_one_by_one_agree() -> None:
    rng = np.random.default_rng(7)
    strikes = rng.uniform(15_000, 40_000, 400)
    sigma = rng.uniform(0.03, 2.0, 400)
    years = rng.uniform(0.001, 2.0, 400)
    calls = rng.random(400) > 0.5
    premium = np.asarray(price(26_000.0, strikes, years, sigma, 0.03, calls))
    many = np.asarray(implied_volatility(premium, 26_000.0, strikes, years, 0.03, calls))
    for n in range(400):
        one = float(
            implied_volatility(
                float(premium[n]),
                26_000.0,
                float(strikes[n]),
                float(years[n]),
                0.03,
                bool(calls[n]),
            )
        )
        assert math.isclose(one, many[n], rel_tol=1e-7, abs_tol=1e-9)
        if one > 0:
            back = price(26_000.0, strikes[n], years[n], one, 0.03, bool(calls[n]))
            assert float(back) == pytest.approx(premium[n], abs=1e-4)


def test_at_the_money_takes_the_lower_of_two_equally_near() -> None:
    assert at_the_money([25900.0, 25950.0, 26000.0], 25975.0) == 1


async def test_embedded_expiry_and_near_future() -> None:
    table = InstrumentTable()
    near = Instrument("CRUDEOIL18DEC26FUT", "MCX", "CRUDEOIL", "FUT", expiry=date(2026, 12, 18))
    far = Instrument("CRUDEOIL19JAN27FUT", "MCX", "CRUDEOIL", "FUT", expiry=date(2027, 1, 19))
    table.load([near, far])
    hub = MarketHub(ManualClock(NOW), table)
    contracts = Contracts(table, hub)
    found = contracts.underlying("CRUDEOIL", "MCX", "16DEC26", NOW.date())
    assert found.quoted == near.key
    found = contracts.underlying("CRUDEOIL19JAN27FUT", "MCX", None, NOW.date())
    assert (found.base, found.expiry, found.quoted) == ("CRUDEOIL", date(2027, 1, 19), far.key)
    found = contracts.underlying("NIFTY29DEC26FUT", "NFO", None, NOW.date())
    assert found.quoted == ("NSE_INDEX", "NIFTY")
    with pytest.raises(ContractError, match="Expiry date required"):
        contracts.underlying("NIFTY", "NSE_INDEX", None, NOW.date())
