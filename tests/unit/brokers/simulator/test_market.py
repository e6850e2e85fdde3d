"""The simulated market: universe, determinism, seams, parity, resampling, control."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from openalgo_desktop.brokers.simulator.market import SimulatorMarket
from openalgo_desktop.brokers.simulator.universe import monthly_expiries, weekly_expiries
from openalgo_desktop.brokers.simulator.world import SimulatorOptions, World
from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode, Interval
from openalgo_desktop.core.errors import ConfigError, NotConnected, SymbolUnknown
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import is_on_tick
from openalgo_desktop.core.ticks import Tick

SBIN: Key = ("NSE", "SBIN")
NIFTY: Key = ("NSE_INDEX", "NIFTY")
CALENDAR = MarketCalendar.from_json(resource_text("calendar/holidays.json"))
FRIDAY = datetime(2026, 11, 20, 11, 17, 23, 400_000, tzinfo=IST)
FIXTURE = Path(__file__).parents[3] / "data" / "fixture_symbols.json"


class Setup:
    """A market on a clock that stands still."""

    def __init__(self, at: datetime = FRIDAY, **options: object) -> None:
        self.clock = ManualClock(at)
        self.world = World(self.clock, CALENDAR, SimulatorOptions(**options))  # type: ignore[arg-type]
        self.market = SimulatorMarket(self.clock, self.world, 1000.0)
        self.market.connected = True

    def tick(self, key: Key, mode: FeedMode = FeedMode.DEPTH) -> Tick:
        return self.world.quoters[key].tick(mode)


# -- universe ---------------------------------------------------------------------------------
def test_expiries_move_back_on_holidays() -> None:
    # Tuesday 24 November 2026 is a holiday and the last Tuesday; 26 January 2027 is one too.
    today = date(2026, 11, 19)
    assert weekly_expiries(today, 1, 2, CALENDAR) == [date(2026, 11, 23), date(2026, 12, 1)]
    assert monthly_expiries(today, 1, 3, CALENDAR) == [
        date(2026, 11, 23),
        date(2026, 12, 29),
        date(2027, 1, 25),
    ]
    assert weekly_expiries(date(2026, 11, 24), 1, 1, CALENDAR) == [date(2026, 12, 1)]


def test_the_universe_has_what_the_issue_asks() -> None:
    world = Setup().world
    rows = {row.key: row for row in world.instruments()}
    assert len(rows) == len(world.pricers)
    assert sum(row.exchange == "NSE" for row in rows.values()) >= 60
    for index in ("NIFTY", "BANKNIFTY", "INDIAVIX"):
        assert rows["NSE_INDEX", index].instrument_type == "INDEX"
    for name, months in (("NIFTY", 3), ("BANKNIFTY", 3), ("SBIN", 3)):
        futures = [r for r in rows.values() if r.name == name and r.instrument_type == "FUT"]
        assert len(futures) == months
    spot = world.quoters[NIFTY].last()
    expiry = date(2026, 12, 1)
    strikes = [r.strike for r in rows.values() if r.name == "NIFTY" and r.expiry == expiry]
    assert sum(strike > spot for strike in strikes) >= 60
    assert sum(strike < spot for strike in strikes) >= 60
    future = rows["NFO", "NIFTY29DEC26FUT"]
    assert (future.lot_size, future.tick_size, future.freeze_qty) == (65, 0.1, 1800)
    assert len({(r.exchange, r.token) for r in rows.values()}) == len(rows)
    again = {row.key: row for row in Setup().world.instruments()}
    assert again == rows


def test_the_universe_has_commodities_currencies_and_a_chain_of_200_strikes() -> None:
    setup = Setup()
    rows = {row.key: row for row in setup.world.instruments()}
    gold, crude = rows["MCX", "GOLDM04DEC26FUT"], rows["MCX", "CRUDEOIL18DEC26FUT"]
    assert (gold.lot_size, gold.contract_value, gold.tick_size) == (100, 0.1, 1.0)
    assert (crude.lot_size, crude.contract_value) == (100, 1.0)
    value = setup.tick(gold.key).ltp * gold.lot_size * gold.contract_value
    assert 500_000 < value < 2_000_000  # 100 grams
    dollar = rows["CDS", "USDINR26NOV26FUT"]
    assert (dollar.tick_size, dollar.contract_value) == (0.0025, 1000.0)
    assert is_on_tick(setup.tick(dollar.key).ltp, 0.0025)
    assert {row.exchange for row in rows.values()} >= {"BFO", "BCD"}
    chain = {
        row.strike
        for row in rows.values()
        if row.name == "NIFTY" and row.is_option and row.expiry == date(2026, 11, 23)
    }
    assert len(chain) > 200
    assert len(rows) < 4000  # cheap to build and to keep
    # The chains of commodities and currencies agree with their near future.
    for exchange, name, step in (("MCX", "CRUDEOIL", 50.0), ("CDS", "USDINR", 0.25)):
        future = min(
            (r for r in rows.values() if (r.exchange, r.name) == (exchange, name)
             and r.instrument_type == "FUT"),
            key=lambda r: r.expiry or date.max,
        )  # fmt: skip
        price = setup.tick(future.key).ltp
        options = {
            (r.strike, r.instrument_type): r
            for r in rows.values()
            if (r.exchange, r.name) == (exchange, name) and r.is_option
        }
        strike = min((k for k, _ in options), key=lambda k: abs(k - price))
        assert abs(strike - price) <= step
        parity = strike + (
            setup.tick(options[strike, "CE"].key).ltp - setup.tick(options[strike, "PE"].key).ltp
        )
        assert parity == pytest.approx(price, rel=0.002)


async def test_commodities_trade_into_the_evening() -> None:
    setup = Setup()
    bars = await setup.market.history(
        ("MCX", "GOLDM04DEC26FUT"), Interval.M1, date(2026, 11, 19), date(2026, 11, 19)
    )
    first, last = (datetime.fromtimestamp(bars.time[row], IST) for row in (0, -1))
    assert (first.hour, last.hour) == (9, 23)
    assert np.all(bars.volume >= 0) and bars.volume[-60:].sum() > 0


# -- determinism and seams --------------------------------------------------------------------
async def test_the_same_seed_gives_the_same_market() -> None:
    one, two, other = Setup(), Setup(), Setup(seed=7)
    assert one.tick(SBIN) == two.tick(SBIN)
    assert one.tick(SBIN) != other.tick(SBIN)
    for interval in (Interval.M1, Interval.DAY):
        first = await one.market.history(SBIN, interval, date(2026, 11, 2), date(2026, 11, 20))
        second = await two.market.history(SBIN, interval, date(2026, 11, 2), date(2026, 11, 20))
        np.testing.assert_array_equal(first.close, second.close)
        np.testing.assert_array_equal(first.volume, second.volume)


async def test_history_does_not_depend_on_when_it_is_asked() -> None:
    setup = Setup()
    day = date(2026, 11, 19)
    before = await setup.market.history(SBIN, Interval.M1, day, day)
    setup.clock.advance(3 * 86_400)
    after = await setup.market.history(SBIN, Interval.M1, day, day)
    np.testing.assert_array_equal(before.high, after.high)
    assert len(before) == 375
    assert before.time[0] == datetime(2026, 11, 19, 9, 15, tzinfo=IST).timestamp()


@pytest.mark.parametrize(
    "key", [SBIN, ("BSE", "SBIN"), NIFTY, ("NFO", "NIFTY29DEC26FUT"), ("NFO", "SBIN29DEC26FUT")]
)
async def test_live_prices_make_the_bars(key: Key) -> None:
    """Ticks of ten minutes, gathered by hand, against the 1m bars that history gives later."""
    setup = Setup(datetime(2026, 11, 20, 11, 0, tzinfo=IST))
    seen: dict[int, list[float]] = {}
    for _ in range(10 * 60 * 4):
        tick = setup.tick(key, FeedMode.LTP)
        seen.setdefault(tick.ltt // 60_000 * 60, []).append(tick.ltp)
        setup.clock.advance(0.25)
    bars = await setup.market.history(key, Interval.M1, date(2026, 11, 20), date(2026, 11, 20))
    rows = {int(stamp): row for row, stamp in enumerate(bars.time)}
    for stamp, prices in seen.items():
        row = rows[stamp]
        assert (prices[0], max(prices), min(prices), prices[-1]) == (
            bars.open[row],
            bars.high[row],
            bars.low[row],
            bars.close[row],
        )


@pytest.mark.parametrize("hour", [2, 9, 11, 14, 22])
@pytest.mark.parametrize("day", [20, 22, 24])  # a Friday, a Sunday, a holiday
async def test_the_last_bar_is_the_quote(day: int, hour: int) -> None:
    setup = Setup(datetime(2026, 11, day, hour, 31, 12, 300_000, tzinfo=IST))
    for key in (SBIN, ("NFO", "NIFTY01DEC2624250CE"), ("NFO", "NIFTY01DEC2624250PE")):
        tick = (await setup.market.quotes([key]))[key]
        assert isinstance(tick, Tick)
        for interval in (Interval.S5, Interval.M1, Interval.H1, Interval.DAY, Interval.WEEK):
            bars = await setup.market.history(
                key, interval, date(2026, 11, day), date(2026, 11, day)
            )
            assert bars.close[-1] == tick.ltp
        daily = await setup.market.history(
            key, Interval.DAY, date(2026, 11, 16), date(2026, 11, day)
        )
        assert (daily.open[-1], daily.high[-1], daily.low[-1]) == (tick.open, tick.high, tick.low)
        assert daily.volume[-1] == tick.volume
        assert daily.close[-2] == tick.close
        assert daily.oi[-1] == tick.oi
        told = tick.extras.prev_oi if tick.extras is not None else None
        assert told == (None if key == SBIN else daily.oi[-2])
        assert daily.time[-1] == datetime(2026, 11, day).replace(tzinfo=IST).timestamp() + 19_800


async def test_statistics_stay_true_as_time_passes() -> None:
    setup = Setup(datetime(2026, 11, 20, 14, 58, 50, tzinfo=IST))
    key = ("NFO", "NIFTY01DEC2624250CE")
    day = date(2026, 11, 20)
    for _ in range(30):
        setup.clock.advance(47.25)
        tick = setup.tick(key)
        bar = await setup.market.history(key, Interval.DAY, day, day)
        assert (tick.open, tick.high, tick.low) == (bar.open[0], bar.high[0], bar.low[0])
        assert tick.volume == bar.volume[0]


async def test_a_closed_market_stands_still() -> None:
    setup = Setup(datetime(2026, 11, 21, 12, tzinfo=IST), always_open=False)
    first = setup.tick(SBIN)
    setup.clock.advance(3600)
    assert setup.tick(SBIN).ltp == first.ltp
    bars = await setup.market.history(SBIN, Interval.M1, date(2026, 11, 20), date(2026, 11, 22))
    assert len(bars) == 375
    assert bars.close[-1] == first.ltp
    assert not setup.world.sessions.is_open("NSE")


# -- resampling -------------------------------------------------------------------------------
@pytest.mark.parametrize("interval", list(Interval))
async def test_every_interval_adds_up(interval: Interval) -> None:
    setup = Setup(datetime(2026, 11, 20, 12, 1, 7, tzinfo=IST))
    seconds = interval.is_intraday and interval.seconds < 60
    start = date(2026, 11, 20 if seconds else 19)
    if not interval.is_intraday:
        start = date(2024, 1, 1)  # a Monday: whole periods of all kinds
    end = date(2026, 11, 20)
    base = await setup.market.history(
        SBIN, Interval.M1 if interval.is_intraday else Interval.DAY, start, end
    )
    bars = await setup.market.history(SBIN, interval, start, end)
    assert np.all(np.diff(bars.time) > 0)
    assert bars.volume.sum() == base.volume.sum()
    assert (bars.high.max(), bars.low.min()) == (base.high.max(), base.low.min())
    assert (bars.open[0], bars.close[-1]) == (base.open[0], base.close[-1])
    assert np.all(bars.high >= np.maximum(bars.open, bars.close))
    assert np.all(bars.low <= np.minimum(bars.open, bars.close))
    if interval.is_intraday:
        opening = datetime(2026, 11, 20, 9, 15, tzinfo=IST).timestamp()
        today = bars.time[bars.time >= opening]
        assert np.all((today - opening) % interval.seconds == 0)
    else:
        assert np.all(bars.time % 86_400 == 0)


async def test_weeks_start_on_monday_and_are_whole() -> None:
    market = Setup().market
    weeks = await market.history(SBIN, Interval.WEEK, date(2026, 11, 12), date(2026, 11, 20))
    labels = [datetime.fromtimestamp(t, IST).date() for t in weeks.time]
    assert labels == [date(2026, 11, 9), date(2026, 11, 16)]


@pytest.mark.parametrize(
    ("interval", "first", "last"),
    [
        (Interval.WEEK, date(2026, 10, 5), date(2026, 10, 11)),
        (Interval.MONTH, date(2026, 2, 1), date(2026, 2, 28)),
        (Interval.QUARTER, date(2026, 7, 1), date(2026, 9, 30)),
        (Interval.YEAR, date(2025, 1, 1), date(2025, 12, 31)),
    ],
)
async def test_a_period_is_whole_wherever_the_range_ends(
    interval: Interval, first: date, last: date
) -> None:
    market = Setup().market
    days = await market.history(SBIN, Interval.DAY, first, last)
    for end in (first, first + (last - first) / 2, last):
        bars = await market.history(SBIN, interval, first, end)
        assert len(bars) == 1
        assert bars.volume[0] == days.volume.sum()
        assert bars.close[0] == days.close[-1]
    assert len(await market.history(SBIN, interval, first + (last - first) / 2, first)) == 0


async def test_a_day_keeps_its_bars_when_it_is_over() -> None:
    sunday = date(2026, 11, 22)
    setup = Setup(datetime(2026, 11, 22, 12, tzinfo=IST))
    week = (date(2026, 11, 16), date(2026, 11, 24))  # the 24th is a holiday
    on_sunday = await setup.market.history(SBIN, Interval.DAY, *week)
    setup.clock.advance(86_400)
    on_monday = await setup.market.history(SBIN, Interval.DAY, *week)
    assert [*on_monday.time][:7] == [*on_sunday.time]
    assert len(await setup.market.history(SBIN, Interval.M1, sunday, sunday)) == 375
    setup.clock.advance(3 * 86_400)
    assert len(await setup.market.history(SBIN, Interval.DAY, *week)) == 9
    closed = Setup(datetime(2026, 11, 26, 12, tzinfo=IST), always_open=False)
    assert len(await closed.market.history(SBIN, Interval.DAY, *week)) == 6


async def test_bars_of_the_evening_are_as_busy_as_those_of_a_quiet_noon() -> None:
    setup = Setup(datetime(2026, 11, 20, 23, tzinfo=IST))
    day = date(2026, 11, 20)
    bars = await setup.market.history(SBIN, Interval.H1, day, day)
    noon, evening = bars.volume[2:5].mean(), bars.volume[8:12].mean()
    assert noon / 2 < evening < noon * 2


async def test_an_empty_range_is_empty() -> None:
    market = Setup().market
    assert len(await market.history(SBIN, Interval.M5, date(2026, 11, 20), date(2026, 11, 19))) == 0
    assert len(await market.history(SBIN, Interval.DAY, date(2027, 5, 1), date(2027, 6, 1))) == 0


# -- prices -----------------------------------------------------------------------------------
async def test_put_call_parity_on_the_future() -> None:
    setup = Setup()
    future = setup.tick(("NFO", "NIFTY29DEC26FUT")).ltp
    keys = [
        row.key
        for row in setup.world.instruments()
        if row.name == "NIFTY" and row.expiry == date(2026, 12, 29) and row.is_option
    ]
    quotes = await setup.market.quotes(keys)
    pairs = 0
    for key in keys:
        if key[1].endswith("CE"):
            call, put = quotes[key], quotes[key[0], key[1][:-2] + "PE"]
            strike = setup.world.pricers[key].instrument.strike
            # Each leg is rounded to 0.05, the future to 0.1.
            assert call.ltp - put.ltp == pytest.approx(future - strike, abs=0.1001)  # type: ignore[union-attr]
            pairs += 1
    assert pairs >= 61


def test_all_prices_are_on_tick_and_books_are_in_order() -> None:
    setup = Setup()
    for key, pricer in list(setup.world.pricers.items())[::7]:
        tick, step = setup.tick(key), pricer.instrument.tick_size
        for price in (tick.ltp, tick.open, tick.high, tick.low, tick.close):
            assert is_on_tick(price, step)
            assert price > 0
        assert tick.low <= tick.ltp <= tick.high
        if pricer.instrument.is_index:
            assert (tick.volume, tick.bid, tick.ask, tick.depth.buy) == (0, 0.0, 0.0, ())  # type: ignore[union-attr]
            continue
        assert tick.depth is not None
        assert tick.bid < tick.ask
        assert tick.ltp in (tick.bid, tick.ask)
        assert len(tick.depth.sell) == 5
        asks, bids = [x.price for x in tick.depth.sell], [x.price for x in tick.depth.buy]
        assert asks == sorted(asks)
        assert bids == sorted(bids, reverse=True)
        assert all(level.quantity % pricer.instrument.lot_size == 0 for level in tick.depth.sell)


async def test_shares_move_with_the_index() -> None:
    market = Setup().market
    span = (date(2025, 6, 1), date(2026, 11, 19))
    index = np.diff(np.log((await market.history(NIFTY, Interval.DAY, *span)).close))
    share = np.diff(np.log((await market.history(SBIN, Interval.DAY, *span)).close))
    vix = await market.history(("NSE_INDEX", "INDIAVIX"), Interval.DAY, *span)
    assert np.corrcoef(index, share)[0, 1] > 0.3
    assert np.corrcoef(index, np.diff(np.log(vix.close)))[0, 1] < -0.3
    assert 0.1 < index.std() * np.sqrt(250) < 0.25


async def test_volatility_is_higher_at_the_open() -> None:
    market = Setup().market
    bars = await market.history(NIFTY, Interval.M1, date(2026, 9, 1), date(2026, 11, 19))
    moves = np.abs(np.log(bars.close / bars.open))
    minute = (bars.time + 19_800) % 86_400 // 60 - 555
    assert moves[minute < 15].mean() > 1.5 * moves[(minute > 150) & (minute < 210)].mean()


# -- control ----------------------------------------------------------------------------------
async def test_a_told_price_moves_the_asset_its_derivatives_and_the_market() -> None:
    setup = Setup()
    future, option = ("NFO", "NIFTY29DEC26FUT"), ("NFO", "NIFTY01DEC2624250PE")
    before = {key: setup.tick(key).ltp for key in (NIFTY, future, option, SBIN)}
    target = round(before[NIFTY] * 0.97, 1)
    setup.world.set_price(NIFTY, target)
    assert setup.tick(NIFTY).ltp == target
    assert setup.tick(future).ltp == pytest.approx(before[future] * 0.97, abs=0.2)
    assert setup.tick(option).ltp > before[option] + 300
    assert setup.tick(SBIN).ltp < before[SBIN] * 0.99
    setup.clock.advance(30)
    for key in (NIFTY, future, option):
        tick = setup.tick(key)
        bars = await setup.market.history(key, Interval.DAY, date(2026, 11, 20), date(2026, 11, 20))
        assert (tick.high, tick.low, tick.ltp) == (bars.high[0], bars.low[0], bars.close[0])
    setup.clock.advance(300)
    low = setup.tick(NIFTY).low
    assert low <= target
    bars = await setup.market.history(NIFTY, Interval.M1, date(2026, 11, 20), date(2026, 11, 20))
    assert bars.low.min() == low


async def test_a_told_derivative_moves_alone() -> None:
    setup = Setup()
    key = ("NFO", "NIFTY01DEC2624250PE")
    index = setup.tick(NIFTY).ltp
    setup.world.set_price(key, 500.0)
    assert setup.tick(key).ltp == 500.0
    assert setup.tick(NIFTY).ltp == index
    setup.clock.advance(90)
    tick = setup.tick(key)
    assert tick.high >= 500.0
    bars = await setup.market.history(key, Interval.DAY, date(2026, 11, 20), date(2026, 11, 20))
    assert (bars.high[0], bars.low[0], bars.close[0]) == (tick.high, tick.low, tick.ltp)


def test_a_bad_price_is_refused_by_name() -> None:
    setup = Setup()
    with pytest.raises(ConfigError, match="NSE:NOPE"):
        setup.world.set_price(("NSE", "NOPE"), 5.0)
    with pytest.raises(ConfigError, match="above 0"):
        setup.world.set_price(SBIN, -1.0)


def test_the_frozen_market_is_the_golden_one() -> None:
    setup = Setup(frozen=True, universe=FIXTURE)
    tick = setup.tick(SBIN)
    assert (tick.ltp, tick.open, tick.high, tick.low, tick.close) == (800, 796, 816, 784, 792)
    assert (tick.bid, tick.ask, tick.volume, tick.oi) == (799.95, 800.05, 1234567, 0)
    assert tick.depth is not None
    assert [(x.price, x.quantity) for x in tick.depth.sell][:2] == [(800.05, 90), (800.1, 180)]
    assert (tick.total_buy_quantity, tick.total_sell_quantity) == (1500, 1350)
    option = setup.tick(("NFO", "NIFTY29DEC2626000CE"))
    assert option.extras is not None and (option.oi, option.extras.prev_oi) == (123450, 120000)
    assert (option.open, option.high, option.low, option.close) == (394.27, 404.18, 388.32, 392.29)
    index = setup.tick(NIFTY)
    assert (index.ltp, index.bid, index.ask, index.volume) == (26000.0, 0.0, 0.0, 0)
    setup.clock.advance(600)
    assert setup.tick(SBIN).ltp == 800
    setup.world.set_price(SBIN, 811.0)
    moved = setup.tick(SBIN)
    assert (moved.ltp, moved.bid, moved.ask, moved.high) == (811.0, 810.95, 811.05, 816.0)


async def test_the_frozen_market_has_a_history_that_joins() -> None:
    setup = Setup(frozen=True, universe=FIXTURE)
    bars = await setup.market.history(SBIN, Interval.DAY, date(2026, 11, 1), date(2026, 11, 20))
    assert bars.close[-2] == 792.0
    assert (bars.open[-1], bars.high[-1], bars.low[-1], bars.close[-1]) == (796, 816, 784, 800)
    minutes = await setup.market.history(SBIN, Interval.M1, date(2026, 11, 19), date(2026, 11, 20))
    assert minutes.close[374] == 792.0
    assert minutes.close[-1] == 800.0


def test_a_universe_file_gives_the_first_prices_of_a_moving_market() -> None:
    setup = Setup(universe=FIXTURE)
    firsts = {key: p.contract.first_price for key, p in setup.world.pricers.items()}
    for key in (SBIN, NIFTY, ("BSE", "RELIANCE"), ("NFO", "SBIN29DEC26FUT")):
        assert setup.tick(key).ltp == pytest.approx(firsts[key], abs=0.051)
    option = ("NFO", "NIFTY29DEC2626000CE")
    assert setup.tick(option).ltp == pytest.approx(firsts[option], rel=0.02)
    setup.clock.advance(300)
    assert setup.tick(SBIN).ltp != 800.0


def test_a_bad_universe_file_is_a_config_error(tmp_path: Path) -> None:
    path = tmp_path / "u.json"
    with pytest.raises(ConfigError, match="sim-universe"):
        Setup(universe=path)
    path.write_text('[{"symbol": "X", "exchange": "NSE", "ltp": 0}]')
    with pytest.raises(ConfigError, match="NSE:X needs an ltp"):
        Setup(universe=path)


# -- the feed ---------------------------------------------------------------------------------
async def test_ticks_flow_for_what_is_subscribed() -> None:
    setup = Setup()
    ticks: list[Tick] = []
    enough = asyncio.Event()

    def sink(tick: Tick) -> None:
        ticks.append(tick)
        if len(ticks) >= 12:
            enough.set()

    setup.market.set_sink(sink)
    setup.market.start()
    try:
        refused = await setup.market.subscribe(
            {SBIN: FeedMode.DEPTH, NIFTY: FeedMode.LTP, ("NSE", "NOPE"): FeedMode.LTP}
        )
        assert list(refused) == [("NSE", "NOPE")]
        assert isinstance(refused["NSE", "NOPE"], SymbolUnknown)
        await asyncio.wait_for(enough.wait(), 60)
        assert {t.key: t.mode for t in ticks} == {SBIN: FeedMode.DEPTH, NIFTY: FeedMode.LTP}
        await setup.market.unsubscribe([SBIN, NIFTY])
        count = len(ticks)
        await asyncio.sleep(0.1)
        assert len(ticks) == count
    finally:
        await setup.market.stop()


async def test_a_watcher_of_the_exchange_sees_depth_even_when_disconnected() -> None:
    setup = Setup()
    arrived: asyncio.Future[Tick] = asyncio.get_running_loop().create_future()
    setup.market.start()
    try:
        stop = setup.market.watch(
            SBIN, FeedMode.DEPTH, lambda tick: arrived.done() or arrived.set_result(tick)
        )
        setup.market.drop()
        tick = await asyncio.wait_for(arrived, 60)
        assert tick.depth is not None
        with pytest.raises(NotConnected):
            await setup.market.quotes([SBIN])
        stop()
        assert setup.market.latest(SBIN) is None
    finally:
        await setup.market.stop()


# -- deeper books -----------------------------------------------------------------------------
def test_a_deeper_book_begins_with_the_usual_five_levels() -> None:
    setup = Setup()
    quoter = setup.world.quoters[SBIN]
    five, twenty = quoter.tick(FeedMode.DEPTH), quoter.tick(FeedMode.DEPTH, None, 20)
    assert five.depth is not None and twenty.depth is not None
    assert (len(five.depth.buy), len(twenty.depth.buy)) == (5, 20)
    assert twenty.depth.buy[:5] == five.depth.buy and twenty.depth.sell[:5] == five.depth.sell
    assert twenty.last_quantity == five.last_quantity
    prices = [level.price for level in twenty.depth.buy]
    assert prices == sorted(prices, reverse=True)
    assert twenty.total_buy_quantity > five.total_buy_quantity


def test_twenty_levels_are_streamed_while_somebody_wishes_for_them() -> None:
    setup = Setup()
    market, seen = setup.market, []
    market.set_sink(seen.append)
    market._modes[SBIN] = FeedMode.DEPTH
    end = market.deepen(SBIN, 200)
    other = market.deepen(SBIN, 20)
    market._emit(SBIN)
    end()
    end()
    market._emit(SBIN)
    other()
    market._emit(SBIN)
    assert market.depth_levels == (5, 20)
    assert [len(tick.depth.sell) for tick in seen] == [20, 20, 5]
