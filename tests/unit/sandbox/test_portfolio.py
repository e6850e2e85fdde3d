"""Portfolio margin in the books: hedges lower the reserve, unhedging raises it, nothing is lost."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, FeedMode, PriceType, Product
from openalgo_desktop.core.errors import InsufficientFunds
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.symbols import future_symbol, option_symbol
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.exchange.fills import TouchModel
from openalgo_desktop.exchange.ledger import EntryKind
from openalgo_desktop.exchange.margin import DEFAULT_LEVERAGE
from openalgo_desktop.exchange.paper import PaperBook
from openalgo_desktop.exchange.span import SpanParameters
from openalgo_desktop.sandbox.portfolio import PortfolioMargin, complete, spot_key
from tests.unit.sandbox.helpers import Market

NOW = datetime(2026, 6, 10, 11, 0, tzinfo=IST)
EXPIRY = date(2026, 6, 30)
LOT = 65
SPOT = ("NSE_INDEX", "NIFTY")
#: Last prices of the contracts of these tests at a spot of 24,600.
PRICES = {24600.0: 300.0, 24800.0: 210.0, 25300.0: 90.0}
FUTURE = future_symbol("NIFTY", EXPIRY)
BUY, SELL = Action.BUY, Action.SELL
#: Entries that change the account's money; the others only move it.
RESULTS = (EntryKind.CAPITAL, EntryKind.REALISED)


def call(strike: float) -> str:
    return option_symbol("NIFTY", EXPIRY, strike, "CE")


class Rig:
    def __init__(self, capital: int = 1_000_000, enabled: bool = True) -> None:
        self.enabled = enabled
        self.market = Market()
        self.market.set(SPOT, 24_600.0)
        rows = [Instrument("SBIN", "NSE", "SBIN")]
        rows.append(Instrument(FUTURE, "NFO", "NIFTY", "FUT", LOT, expiry=EXPIRY))
        rows += [
            Instrument(call(k), "NFO", "NIFTY", "CE", LOT, expiry=EXPIRY, strike=k) for k in PRICES
        ]
        self.table = InstrumentTable()
        self.table.load(rows)
        self.prices = {call(k): price for k, price in PRICES.items()}
        self.prices |= {FUTURE: 24_600.0, "SBIN": 800.0}
        self.margin = PortfolioMargin(
            DEFAULT_LEVERAGE.__getitem__,
            SpanParameters.from_json(resource_text("charges/span.json")),
            lambda: self.enabled,
            lambda: NOW,
            self.market,
        )
        self.book = PaperBook("test", self.table, TouchModel(), self.margin)
        self.margin.attach(self.book, lambda key, mark: self.prices.get(key[1], mark))
        self.book.fund(Decimal(capital), NOW)

    def request(self, symbol: str, action: Action, lots: int = 1, price: float = 0) -> OrderRequest:
        instrument = self.book.instrument(("NSE" if symbol == "SBIN" else "NFO", symbol))
        kind = PriceType.LIMIT if price else PriceType.MARKET
        product = Product.MIS if symbol == "SBIN" else Product.NRML
        return OrderRequest(
            symbol, instrument.exchange, action, lots * instrument.lot_size, kind, product, price
        )

    def trade(self, symbol: str, action: Action, lots: int = 1, price: float = 0) -> Decimal:
        """Place an order; the reserve after it, which its parts must justify."""
        request = self.request(symbol, action, lots, price)
        last = self.prices[symbol]
        tick = Tick(symbol, request.exchange, last, FeedMode.QUOTE, bid=last, ask=last)
        self.book.place(request, "tag", self.book.instrument(request.key), tick, NOW)
        reserved = self.book.state.ledger.reserved
        assert self.book.justified() == reserved
        assert all(row.margin >= 0 for row in self.book.state.positions.values())
        return reserved


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_sold_option_costs_more_than_its_premium(rig: Rig) -> None:
    assert 130_000 < rig.trade(call(24600), SELL) < 190_000
    assert Rig(enabled=False).trade(call(24600), SELL) == 300 * LOT


def test_a_hedge_lowers_the_reserve_of_what_it_hedges(rig: Rig) -> None:
    naked = rig.trade(call(24600), SELL)
    hedged = rig.trade(call(24800), BUY)
    assert hedged < naked / 3
    again = rig.trade(call(24800), SELL)
    assert abs(again - naked) < 1
    assert rig.trade(call(24600), BUY) == 0


def test_a_bought_option_reserves_its_premium(rig: Rig) -> None:
    assert rig.trade(call(25300), BUY) == 90 * LOT


def test_the_order_needs_only_what_it_adds() -> None:
    rig = Rig(capital=190_000)
    rig.trade(call(24600), SELL)
    with pytest.raises(InsufficientFunds):
        rig.trade(call(25300), SELL, 2)
    rig.trade(call(24800), BUY)  # costs nothing on top: the hedge sets money free
    rig.trade(call(25300), SELL)


def test_a_future_and_its_opposite_leave_nothing_reserved(rig: Rig) -> None:
    assert rig.trade(FUTURE, BUY, 2) == Decimal("24600") * 2 * LOT * Decimal("0.113")
    rig.trade(FUTURE, SELL)
    assert rig.trade(FUTURE, SELL) == 0
    assert rig.book.state.ledger.cash == 1_000_000


def test_expiry_of_a_hedge_makes_the_rest_naked(rig: Rig) -> None:
    naked = rig.trade(call(24600), SELL)
    rig.trade(call(24800), BUY)
    rig.book.settle(("NFO", call(24800), "NRML"), Decimal(210), NOW, today=True)
    assert abs(rig.book.state.ledger.reserved - naked) < 1
    assert rig.book.justified() == rig.book.state.ledger.reserved


def test_a_contract_that_left_the_master_still_frees_its_hedge(rig: Rig) -> None:
    naked = rig.trade(call(24600), SELL)
    rig.trade(call(24800), BUY)
    gone = ("NFO", call(24800))
    rig.table.load([row for row in rig.table.rows() if row.key != gone])
    rig.book.settle((*gone, "NRML"), Decimal(210), NOW, today=True)
    assert abs(rig.book.state.ledger.reserved - naked) < 1


def test_a_thin_row_is_completed_from_its_symbol() -> None:
    row = complete(Instrument(call(24600), "NFO", call(24600), "CE", LOT, expiry=EXPIRY))
    assert (row.name, row.strike, row.expiry) == ("NIFTY", 24600.0, EXPIRY)
    assert complete(Instrument("SBIN", "NSE")) == Instrument("SBIN", "NSE")
    assert complete(Instrument("ODD", "NFO")).expiry is None


def test_a_change_of_the_model_margins_positions_anew(rig: Rig) -> None:
    rig.enabled = False
    rig.trade(call(24600), SELL)
    by_leverage = rig.trade(FUTURE, BUY)
    rig.enabled = True
    rig.book.remargin(NOW)
    ledger = rig.book.state.ledger
    assert ledger.reserved == rig.book.justified() > 0
    assert ledger.reserved == rig.trade("SBIN", BUY, 100) - 16_000  # as if traded under it
    rig.enabled = False
    rig.book.remargin(NOW)
    assert ledger.reserved == rig.book.justified() == by_leverage + 16_000


def test_a_resting_order_keeps_its_own_reserve(rig: Rig) -> None:
    rig.trade(call(24600), SELL, price=350.0)
    resting = rig.book.state.ledger.reserved
    assert resting > 130_000
    rig.book.cancel(next(iter(rig.book.state.orders)), NOW)
    assert rig.book.state.ledger.reserved == 0


def test_shares_keep_the_leverage_table(rig: Rig) -> None:
    assert rig.trade("SBIN", BUY, 100) == 800 * 100 / 5


def test_estimate_of_a_basket(rig: Rig) -> None:
    legs = [rig.request(call(24600), SELL), rig.request(call(24800), BUY), rig.request("SBIN", BUY)]
    found = rig.margin.estimate(legs, lambda key, mark: rig.prices[key[1]])
    rig.trade(call(24600), SELL)
    reserved = rig.trade(call(24800), BUY)
    assert found.total == pytest.approx(float(reserved) + 160)
    assert found.total == found.span + found.exposure
    assert found.exposure == pytest.approx(24_600 * LOT * 0.02)


@pytest.mark.parametrize("enabled", [True, False], ids=["span", "leverage"])
@pytest.mark.parametrize(
    ("symbol", "action", "price"),
    [
        (call(24600), SELL, 0.0),
        (call(24600), SELL, 310.0),
        (call(24800), BUY, 0.0),
        (FUTURE, BUY, 0.0),
        ("SBIN", SELL, 0.0),
    ],
)
def test_the_estimate_of_an_order_is_what_it_blocks(
    enabled: bool, symbol: str, action: Action, price: float
) -> None:
    rig = Rig(enabled=enabled)
    found = rig.margin.estimate(
        [rig.request(symbol, action, 1, price)], lambda key, mark: rig.prices[key[1]]
    )
    assert found.total == pytest.approx(float(rig.trade(symbol, action, 1, price)), abs=0.01)


@pytest.mark.parametrize("enabled", [True, False], ids=["span", "leverage"])
def test_an_exit_is_estimated_at_nothing_and_only_once(enabled: bool) -> None:
    rig = Rig(enabled=enabled)
    for symbol in (call(24600), "SBIN"):
        rig.trade(symbol, SELL)
    exits = [rig.request(call(24600), BUY), rig.request("SBIN", BUY)]
    assert rig.margin.estimate(exits, lambda key, mark: rig.prices[key[1]]).total == 0
    again = rig.request("SBIN", BUY)
    assert rig.margin.estimate([*exits, again], lambda key, mark: 800.0).total == 160


@pytest.mark.parametrize("enabled", [True, False], ids=["span", "leverage"])
def test_an_exit_tells_what_it_frees(enabled: bool) -> None:
    rig = Rig(enabled=enabled)
    symbol = call(24600)
    rig.trade(symbol, SELL, 2)

    def prices(key: tuple[str, str], mark: float) -> float:
        return rig.prices[key[1]]

    told = rig.margin.estimate([rig.request(symbol, BUY, 1)], prices).released
    before = rig.book.state.ledger.reserved
    after = rig.trade(symbol, BUY, 1)
    assert told == pytest.approx(float(before - after), abs=0.02) and told > 0


def test_what_an_exit_frees_does_not_depend_on_a_stop_that_rests(rig: Rig) -> None:
    rig.trade("SBIN", BUY, 10)
    exit_ = rig.request("SBIN", SELL, 10)
    told = rig.margin.estimate([exit_], lambda key, mark: 800.0).released
    assert told is not None and told > 0
    target = rig.request("SBIN", SELL, 10, price=900.0)
    last = Tick("SBIN", "NSE", 800.0, FeedMode.QUOTE, bid=800.0, ask=800.0)
    rig.book.place(target, "rests", rig.book.instrument(target.key), last, NOW)
    assert rig.margin.estimate([exit_], lambda key, mark: 800.0).released == told
    both = rig.margin.estimate([exit_, exit_], lambda key, mark: 800.0).released
    assert both == told  # not twice


def test_giving_up_a_hedge_frees_less_than_nothing(rig: Rig) -> None:
    rig.trade(call(24600), SELL)
    rig.trade(call(24800), BUY)
    exit_ = rig.request(call(24800), SELL)
    told = rig.margin.estimate([exit_], lambda key, mark: rig.prices[key[1]]).released
    assert told is not None and told < 0


async def test_the_underlying_is_asked_for_and_remembered(rig: Rig) -> None:
    option = rig.book.instrument(("NFO", call(24600)))
    await rig.margin.prepare(option)
    before = rig.margin.required(option, SELL, Product.NRML, LOT, Decimal(300))
    rig.market.quotes.clear()
    await rig.margin.prepare(option)
    assert rig.margin.required(option, SELL, Product.NRML, LOT, Decimal(300)) == before
    assert spot_key(option) == SPOT


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([call(k) for k in PRICES] + [FUTURE, "SBIN"]),
            st.sampled_from([BUY, SELL]),
            st.integers(1, 3),
            st.sampled_from([0.0, 0.97, 1.0, 1.03]),
        ),
        max_size=14,
    )
)
def test_whatever_is_traded_the_reserve_is_what_rows_justify(
    orders: list[tuple[str, Action, int, float]],
) -> None:
    rig = Rig(capital=3_000_000)
    for symbol, action, size, distance in orders:
        lots = size * (100 if symbol == "SBIN" else 1)
        try:
            rig.trade(symbol, action, lots, round(rig.prices[symbol] * distance, 1))
        except InsufficientFunds:
            continue
    ledger = rig.book.state.ledger
    assert ledger.cash + ledger.reserved == sum(
        ledger.totals[kind] for kind in RESULTS if kind in ledger.totals
    )
    for row in list(rig.book.all_working()):
        rig.book.cancel(row.order.order_id, NOW)
    for key, position in list(rig.book.state.positions.items()):
        rig.book.settle(key, Decimal(str(rig.prices[position.symbol])), NOW, today=True)
    assert ledger.reserved == 0
