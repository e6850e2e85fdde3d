"""Parts of a tick and their ages."""

from __future__ import annotations

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.ticks import Depth, Level, Part, Tick, TickExtras
from openalgo_desktop.market.record import KEEP, Record

BOOK = Depth((Level(799.95, 10, 1),), (Level(800.05, 20, 1),))


def rich(ltp: float = 800.0) -> Tick:
    return Tick(
        "SBIN", "NSE", ltp, FeedMode.DEPTH, high=810.0, volume=5, oi=7, bid=ltp - 0.05,
        ask=ltp + 0.05, depth=BOOK,
    )  # fmt: skip


def poor(ltp: float) -> Tick:
    return Tick("SBIN", "NSE", ltp, timestamp=1)


def test_a_poorer_tick_moves_the_price_and_each_part_keeps_its_own_time():
    record = Record(rich(), 100.0)
    record.take(poor(800.05), 101.0)
    tick = record.view(101.0)
    assert (tick.ltp, tick.bid, tick.depth, tick.mode) == (800.05, 799.95, BOOK, FeedMode.DEPTH)
    assert record.age(Part.LTP, 101.5) == 0.5 and record.age(Part.TOUCH, 101.5) == 1.5
    record.take(poor(799.95), 101.75)
    assert record.age(Part.TOUCH, 101.75) == 1.75 and record.age(Part.OI, 101.75) == 1.75


def test_a_part_that_stays_away_while_others_come_is_unknown_after_a_while():
    record = Record(rich(), 100.0)
    for second in range(1, 5):
        record.take(poor(800.0 + second), 100.0 + second)
    tick = record.view(104.0)
    assert (tick.ltp, tick.bid, tick.ask, tick.depth) == (804.0, 0.0, 0.0, None)
    assert tick.parts == Part.LTP | Part.DAY | Part.OI and tick.mode is FeedMode.QUOTE
    assert (tick.high, tick.volume, tick.oi) == (810.0, 5, 7)
    record.take(poor(900.0), 100.0 + KEEP[Part.DAY] + 1)
    assert record.tick.parts == Part.LTP and record.tick.high == 0.0


def test_a_trade_beyond_the_best_prices_proves_that_they_are_gone():
    """After a mode was lowered, a broker's quote packets say nothing of bid and ask."""
    for price in (799.9, 800.1, 900.0):
        for packets in (1, 3):
            record = Record(rich(), 100.0)
            for number in range(packets - 1):
                record.take(poor(800.0), 100.1 + number / 10)
            record.take(poor(price), 100.5)
            tick = record.view(100.5)
            assert (tick.ltp, tick.parts) == (price, Part.LTP | Part.DAY | Part.OI)
            assert record.fresh(Part.TOUCH, 100.5, 2.0) is None
            record.take(poor(800.0), 100.6)  # they do not come back with the price
            assert record.fresh(Part.TOUCH, 100.6, 2.0) is None


def test_a_part_also_ages_when_nothing_comes_at_all():
    record = Record(rich(), 100.0)
    record.take(poor(801.0), 101.0)
    assert record.view(103.0).parts == Part.LTP | Part.DAY | Part.OI


def test_fresh_wants_each_needed_part_known_and_young():
    record = Record(rich(), 100.0)
    record.take(poor(800.05), 101.5)
    assert record.fresh(Part.LTP, 101.6, 1.0) is not None
    assert record.fresh(Part.LTP | Part.TOUCH, 101.6, 1.0) is None  # 1.6 s old
    assert record.fresh(Part.TOUCH, 101.6, None) is not None
    record.spoil()
    assert record.fresh(Part.LTP, 101.6, None) is None
    record.take(poor(802.0), 102.0)
    assert record.fresh(Part.LTP, 102.0, None) is not None
    assert record.tick.parts == Part.LTP  # nothing from before the loss


def test_a_packet_with_gaps_is_richer_than_nothing_and_keeps_what_it_lacks():
    gaps = Tick("SBIN", "NSE", 800.0, FeedMode.QUOTE, volume=6, unknown=Part.TOUCH | Part.OI)
    record = Record(gaps, 100.0)
    assert record.tick.parts == Part.LTP | Part.DAY
    record.take(rich(), 101.0)
    record.take(gaps, 102.0)
    assert (record.tick.volume, record.tick.bid, record.tick.oi) == (6, 799.95, 7)


def test_richer_packets_after_a_lower_mode_are_cut_only_while_they_may_be_stragglers():
    record = Record(rich(), 100.0)
    record.lower(FeedMode.QUOTE, 100.0)
    record.take(rich(801.0), 100.5)
    assert record.tick.mode is FeedMode.QUOTE and record.tick.depth is None
    record.take(rich(802.0), 110.0)  # a source that knows only one mode
    assert record.tick.depth is BOOK


def test_bid_and_ask_may_come_without_a_price():
    record = Record(poor(800.0), 100.0)
    touch = Tick("SBIN", "NSE", 0.0, FeedMode.QUOTE, bid=799.0, ask=801.0,
                 unknown=Part.LTP | Part.DAY | Part.OI)  # fmt: skip
    record.take(touch, 103.0)
    assert (record.tick.ltp, record.tick.ask, record.age(Part.LTP, 103.0)) == (800.0, 801.0, 3.0)


def test_extras_come_and_age_with_the_figures_of_the_day():
    extras = TickExtras(week_52_high=912.0, oi_change=-50)
    first = Tick("SBIN", "NSE", 800.0, FeedMode.QUOTE, high=810.0, extras=extras)
    record = Record(first, 100.0)
    record.take(poor(801.0), 101.0)
    assert record.view(101.0).extras is extras
    record.take(Tick("SBIN", "NSE", 802.0, FeedMode.QUOTE, high=811.0), 102.0)
    assert record.view(102.0).extras is None  # newer figures without them
    record = Record(first, 100.0)
    record.take(poor(801.0), 101.0 + KEEP[Part.DAY])
    assert record.view(102.0 + KEEP[Part.DAY]).extras is None
    assert poor(1.0).extras is None
