"""The chain that is kept current from the stream."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import msgspec
import numpy as np
import pytest

from openalgo_desktop.analytics import live_chain
from openalgo_desktop.analytics.chain import ChainBook
from openalgo_desktop.analytics.live_chain import ChainFinder, LiveChain
from openalgo_desktop.core.chain import ChainName
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.options_math import implied_volatility, price
from openalgo_desktop.core.symbols import option_symbol
from openalgo_desktop.core.ticks import Part, Tick, TickExtras
from openalgo_desktop.market.hub import MarketHub
from tests.costs import Calls

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=IST)
EXPIRY = date(2026, 12, 1)
STRIKES = [22_500.0 + 50 * n for n in range(81)]  # 24,500 in the middle
SPOT, SIGMA = 24_480.0, 0.13
FORWARD = 24_503.0


def key(strike: float, kind: str) -> Key:
    return ("NFO", option_symbol("NIFTY", EXPIRY, strike, kind))


def seconds(now: datetime = NOW) -> float:
    return (datetime(2026, 12, 1, 15, 30, tzinfo=IST) - now).total_seconds()


def fair(strike: float, kind: str, forward: float = FORWARD) -> float:
    return float(price(forward, strike, seconds() / 31_536_000, SIGMA, 0.0, kind == "CE"))


def tick(strike: float, kind: str, forward: float = FORWARD, **other: Any) -> Tick:
    middle = fair(strike, kind, forward)
    fields = {
        "ltp": middle, "mode": FeedMode.QUOTE, "close": 100.0, "volume": 650, "oi": 6500,
        "bid": middle - 0.05, "ask": middle + 0.05, "bid_quantity": 65, "ask_quantity": 65,
    }  # fmt: skip
    return Tick(key(strike, kind)[1], "NFO", **(fields | other))


class World:
    """NIFTY with 81 strikes of one expiry; nothing ticked yet."""

    def __init__(self, strikes: list[float] = STRIKES, *, holes: frozenset[Key] = frozenset()):
        self.clock = ManualClock(NOW)
        self.table = InstrumentTable()
        rows = [
            Instrument("NIFTY", "NSE_INDEX", "NIFTY 50", "INDEX"),
            Instrument("INFY", "NSE", "INFOSYS"),
            Instrument("NIFTY29DEC26FUT", "NFO", "NIFTY", "FUT", 65, 0.1, date(2026, 12, 29)),
        ]
        for strike in strikes:
            for kind in ("CE", "PE"):
                if key(strike, kind) in holes:
                    continue
                rows.append(
                    Instrument(key(strike, kind)[1], "NFO", "NIFTY", kind, 65, 0.05, EXPIRY, strike)
                )
        self.table.load(rows)
        self.hub = MarketHub(self.clock, self.table)
        self.hub.connected = True
        contracts = ChainBook(self.hub, self.table, self.clock).contracts
        self.finder = ChainFinder(self.table, contracts, self.clock)

    def chain(self, span: int | None = None) -> LiveChain:
        row = self.table.require("NIFTY", "NSE_INDEX")
        family = self.finder.family(row)
        assert family is not None
        return LiveChain(self.hub, self.table, self.clock, ChainName(family, EXPIRY), span)

    def spot(self, ltp: float = SPOT) -> None:
        self.hub.publish(Tick("NIFTY", "NSE_INDEX", ltp, FeedMode.QUOTE, close=24_400.0))

    def all_tick(self, forward: float = FORWARD, **other: Any) -> None:
        for strike in STRIKES:
            for kind in ("CE", "PE"):
                self.hub.publish(tick(strike, kind, forward, **other))


def test_rows_exist_before_any_price_and_know_nothing() -> None:
    chain = World().chain()
    assert [row.strike for row in chain.rows] == STRIKES
    assert chain.solve() == set()
    for row in chain.rows:
        for leg in (row.call, row.put):
            assert leg is not None
            assert (leg.tick, leg.price, leg.iv, leg.delta, leg.oi_change) == (None,) * 5
    head = chain.head
    assert (head.forward, head.atm, head.pcr, head.max_pain, head.call_oi) == (None,) * 5
    assert (head.counted, head.listed) == (0, 81)
    chain.close()


def test_volatility_and_greeks_come_from_the_middle_of_bid_and_ask() -> None:
    world = World()
    chain = world.chain()
    world.spot()
    world.all_tick(ltp=1.0)  # a last trade far off: nobody must see it in the figures
    assert chain.stirred
    assert chain.absorb() == set(range(81))
    assert not chain.stirred
    assert len(chain.solve()) == 81
    row = chain.rows[40]
    assert row.strike == 24_500
    for leg in (row.call, row.put):
        assert leg is not None
        assert leg.basis == "mid"
        assert leg.iv == pytest.approx(13.0, abs=0.02)
        assert leg.gamma is not None and leg.theta is not None and leg.theta < 0
    assert row.call is not None and row.put is not None
    assert row.call.delta is not None and row.put.delta is not None
    assert row.call.delta - row.put.delta == pytest.approx(1.0)
    head = chain.head
    assert head.forward == pytest.approx(FORWARD, abs=0.01)
    assert head.forward_from == "synthetic"
    assert head.atm == 24_500
    assert head.atm_iv == pytest.approx(13.0, abs=0.02)
    assert head.straddle == pytest.approx(fair(24_500, "CE") + fair(24_500, "PE"), abs=0.01)


def test_only_what_moved_is_solved_again() -> None:
    world = World()
    chain = world.chain()
    world.spot()
    world.all_tick()
    chain.absorb()
    chain.solve()
    assert chain.solve() == set()
    # Away from the money, so that the forward stays.
    far = tick(25_500, "CE", ltp=50.0, bid=49.95, ask=50.05)
    world.hub.publish(far)
    assert chain.absorb() == {60}
    assert chain.solve() == {60}
    moved = chain.rows[60].call
    assert moved is not None and moved.iv is not None and moved.iv > 14.0
    world.all_tick(FORWARD + 30)
    chain.absorb()
    assert len(chain.solve()) == 81
    assert moved.iv == pytest.approx(13.0, abs=0.05)
    assert chain.head.forward == pytest.approx(FORWARD + 30, abs=0.01)


def test_time_alone_brings_new_figures() -> None:
    world = World()
    chain = world.chain()
    world.spot()
    world.all_tick()
    chain.absorb()
    chain.solve()
    before = chain.rows[40].call
    assert before is not None
    iv = before.iv
    world.clock.advance(86_400.0)
    assert len(chain.solve()) == 81
    assert before.iv is not None and iv is not None
    assert before.iv > iv + 1.0  # the same price with a day less


@pytest.mark.parametrize(
    ("change", "basis"),
    [
        ({"bid": 100.0, "ask": 140.0, "ltp": 118.0}, "ltp"),  # wide
        ({"bid": 0.0, "ask": 0.0, "ltp": 118.0}, "ltp"),
        ({"unknown": Part.TOUCH, "ltp": 118.0}, "ltp"),
        ({"bid": 100.0, "ask": 140.0, "ltp": 0.0}, ""),
        ({"bid": 100.0, "ask": 140.0, "ltp": 118.0, "ltt": 1_000}, ""),  # traded long ago
    ],
)
def test_which_price_counts(change: dict[str, Any], basis: str) -> None:
    world = World()
    chain = world.chain()
    world.all_tick(ltt=100_000)
    world.hub.publish(tick(24_500, "CE", **({"ltt": 100_000} | change)))
    chain.absorb()
    chain.solve()
    leg = chain.rows[40].call
    assert leg is not None
    assert leg.basis == basis
    assert leg.price == (118.0 if basis else None)
    assert (leg.iv is None) == (not basis)


def test_a_price_below_its_intrinsic_value_has_no_volatility() -> None:
    world = World()
    chain = world.chain()
    world.all_tick()
    deep = FORWARD - 22_500
    world.hub.publish(tick(22_500, "CE", ltp=deep - 10, bid=deep - 10.05, ask=deep - 9.95))
    chain.absorb()
    chain.solve()
    leg = chain.rows[0].call
    assert leg is not None
    assert (leg.iv, leg.delta, leg.theta) == (None, None, None)
    assert leg.price == pytest.approx(deep - 10)


def test_put_call_ratio_and_max_pain_of_known_figures() -> None:
    """Max pain by the vector of the options page: pain 11,500 / 6,500 / 4,000 / 6,500 / 11,500."""
    strikes = [24_400.0 + 50 * n for n in range(5)]
    world = World(strikes)
    chain = world.chain()
    oi = {24_400: (10, 40), 24_450: (20, 30), 24_500: (50, 50), 24_550: (30, 20), 24_600: (40, 10)}
    for strike, (call, put) in oi.items():
        world.hub.publish(tick(strike, "CE", oi=call, volume=100))
        world.hub.publish(tick(strike, "PE", oi=put, volume=50))
    chain.absorb()
    chain.solve()
    head = chain.head
    assert head.max_pain == 24_500
    assert head.pcr == pytest.approx(1.0)
    assert head.pcr_volume == pytest.approx(0.5)
    assert (head.call_oi, head.put_oi, head.counted) == (150, 150, 5)
    world.clock.advance(61.0)  # what the hub keeps of earlier packets is too old
    # One whose open interest is not known leaves its strike out on both sides.
    world.hub.publish(tick(24_600, "CE", unknown=Part.OI, oi=0))
    chain.absorb()
    chain.solve()
    assert (chain.head.call_oi, chain.head.put_oi, chain.head.counted) == (110, 140, 4)


def test_change_of_open_interest_is_told_by_the_feed_or_not_known() -> None:
    world = World()
    chain = world.chain()
    world.hub.publish(tick(24_500, "CE", oi=100, extras=TickExtras(prev_oi=70)))
    world.hub.publish(tick(24_500, "PE", oi=100, extras=TickExtras(oi_change=-5, prev_oi=70)))
    world.hub.publish(tick(24_550, "CE", oi=100))
    world.hub.publish(tick(24_550, "PE", unknown=Part.OI, extras=TickExtras(prev_oi=70)))
    chain.absorb()
    legs = [leg for row in chain.rows[40:42] for leg in (row.call, row.put)]
    assert [leg.oi_change if leg else "-" for leg in legs] == [30, -5, None, None]


def test_a_missing_leg_is_none() -> None:
    world = World(holes=frozenset({key(24_500, "PE")}))
    chain = world.chain()
    world.all_tick()
    chain.absorb()
    chain.solve()
    assert chain.rows[40].put is None
    assert chain.rows[40].call is not None
    assert chain.head.straddle is None
    assert chain.head.counted == 80


async def test_streams_around_the_money_and_what_was_looked_at() -> None:
    world = World()
    world.spot(24_000.0)
    chain = world.chain(span=5)
    streamed = [row.strike for row in chain.rows if row.streamed]
    assert (streamed[0], streamed[-1], len(streamed)) == (23_750, 24_250, 11)
    chain.look(0, 2)
    assert chain.rows[0].streamed and chain.rows[1].streamed
    # The money moves near the edge: more is streamed, nothing is dropped.
    for strike in (24_150.0, 24_200.0, 24_250.0):
        for kind in ("CE", "PE"):
            world.hub.publish(tick(strike, kind, 24_210.0))
    chain.absorb()
    chain.solve()
    streamed = [row.strike for row in chain.rows[2:] if row.streamed]
    assert (streamed[0], streamed[-1]) == (23_750, 24_450)
    chain.close()
    world.spot(24_000.0)
    assert not chain.stirred


class Source:
    """Answers quotes."""

    def __init__(self, answers: dict[Key, Tick | AppError]) -> None:
        self.answers = answers
        self.asked: list[Key] = []

    async def quotes(self, keys: list[Key]) -> dict[Key, Tick | AppError]:
        self.asked = keys
        return {name: self.answers.get(name, AppError("no quote")) for name in keys}


async def test_what_does_not_tick_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    chain = world.chain()
    world.hub.publish(tick(24_500, "CE"))
    source = Source({key(24_550, "CE"): tick(24_550, "CE", ltp=7.0)})
    monkeypatch.setattr(world.hub, "quotes", source.quotes)
    await chain.prime()
    assert key(24_500, "CE") not in source.asked
    assert len(source.asked) == 162  # 161 options and the index
    leg = chain.rows[41].call
    assert leg is not None and leg.tick is not None
    assert leg.tick.ltp == 7.0


def test_a_feed_without_bid_and_ask_is_asked_for_the_book() -> None:
    world = World()
    chain = world.chain()
    world.hub.publish(tick(24_500, "CE", unknown=Part.TOUCH, bid=0.0, ask=0.0))
    chain.absorb()
    assert chain._channel.mode(key(24_500, "CE")) is FeedMode.DEPTH
    assert chain._channel.mode(key(24_500, "PE")) is FeedMode.QUOTE


def test_which_options_belong_to_an_instrument() -> None:
    world = World()
    find = world.finder.family
    require = world.table.require
    for symbol, exchange in (
        ("NIFTY", "NSE_INDEX"),
        ("NIFTY29DEC26FUT", "NFO"),
        (key(24_500, "CE")[1], "NFO"),
    ):
        family = find(require(symbol, exchange))
        assert family is not None
        assert (family.name, family.exchange) == ("NIFTY", "NFO")
        assert family.quoted == ("NSE_INDEX", "NIFTY")
        assert world.finder.expiries(family) == [EXPIRY]
    assert find(require("INFY", "NSE")) is None
    world.clock.advance(seconds() + 1.0)
    nifty = find(require("NIFTY", "NSE_INDEX"))
    assert nifty is None or world.finder.expiries(nifty) == []


def test_the_last_hour_counts_in_minutes() -> None:
    """An hour's time in the place of ten minutes would give less than half of the volatility."""
    world = World()
    world.clock.advance(seconds() - 600.0)
    chain = world.chain()
    years = 600.0 / 31_536_000
    for kind in ("CE", "PE"):
        worth = float(price(24_500.0, 24_500.0, years, 0.20, 0.0, kind == "CE"))
        bid, ask = worth - 0.01, worth + 0.01
        world.hub.publish(msgspec.structs.replace(tick(24_500, kind), ltp=worth, bid=bid, ask=ask))
    chain.absorb()
    chain.solve()
    leg = chain.rows[40].call
    assert leg is not None
    assert leg.iv == pytest.approx(20.0, abs=0.05)
    assert leg.delta == pytest.approx(0.5, abs=0.01)


def test_81_strikes_are_solved_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it holds the loop for no longer than 5 ms."""
    sizes: list[int] = []

    def volatility(premium: np.ndarray, *rest: Any, **more: Any) -> Any:
        sizes.append(len(premium))
        return implied_volatility(premium, *rest, **more)

    monkeypatch.setattr(live_chain, "implied_volatility", volatility)
    world = World()
    chain = world.chain()
    for number in range(3):
        world.all_tick(FORWARD + number)
        with Calls() as made:
            chain.absorb()
            solved = chain.solve()
        assert len(solved) == 81
    assert sizes == [162] * 3
    assert made.count < 81 * 60  # about 40 a strike
    assert math.isfinite(chain.head.atm_iv or math.nan)
