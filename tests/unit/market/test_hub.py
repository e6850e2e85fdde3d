"""The market hub: reference counts, mode upgrades, conflation, snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pytest

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode, Interval
from openalgo_desktop.core.errors import AppError, NotConnected, SymbolUnknown
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.ticks import Bars, Depth, Part, Tick, TickExtras
from openalgo_desktop.market import hub as hub_module
from openalgo_desktop.market.hub import MarketHub
from tests.waiting import until

SBIN: Key = ("NSE", "SBIN")
INFY: Key = ("NSE", "INFY")


class Lookup:
    """Knows two instruments."""

    def get(self, key: Key) -> Instrument | None:
        return Instrument(symbol=key[1], exchange=key[0]) if key in (SBIN, INFY) else None

    def require(self, symbol: str, exchange: str) -> Instrument:
        found = self.get((exchange, symbol))
        if found is None:
            raise SymbolUnknown(symbol, exchange)
        return found


class Source:
    """Records what the hub asks."""

    broker = "test"

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []
        self.sink: Callable[[Tick], None] | None = None

    def set_sink(self, sink: Callable[[Tick], None]) -> None:
        self.sink = sink

    depth_levels = (5, 20)

    def deepen(self, key: Key, levels: int) -> Callable[[], None]:
        self.calls.append(("deepen", (key, levels)))
        return lambda: self.calls.append(("shallow", (key, levels)))

    def set_reports(
        self, muted: Callable[[str], None], refused: Callable[[Key, AppError], None]
    ) -> None:
        self.muted, self.refused = muted, refused

    async def subscribe(self, wanted: Mapping[Key, FeedMode]) -> dict[Key, AppError]:
        self.calls.append(("subscribe", dict(wanted)))
        return {}

    async def unsubscribe(self, keys: Sequence[Key]) -> None:
        self.calls.append(("unsubscribe", list(keys)))

    async def quotes(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        self.calls.append(("quotes", list(keys)))
        return {key: Tick(key[1], key[0], 99.0, FeedMode.QUOTE, bid=98.95) for key in keys}

    async def depth(self, key: Key) -> Tick:
        return Tick(key[1], key[0], 99.0, FeedMode.DEPTH)

    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars:
        return Bars.empty()

    def intervals(self) -> Sequence[Interval]:
        return (Interval.M1,)

    def history_days(self, interval: Interval) -> int:
        return 30


async def settle() -> None:
    """Let the hub's task run."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def rig():
    clock = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))
    hub, source = MarketHub(clock, Lookup()), Source()
    hub.set_source(source)
    await hub.start()
    yield hub, source, clock
    await hub.stop()


def tick(ltp: float, mode: FeedMode = FeedMode.QUOTE, key: Key = SBIN, **more: Any) -> Tick:
    return Tick(key[1], key[0], ltp, mode, **more)


async def test_second_reader_costs_no_upstream_subscription_and_last_one_ends_it(rig):
    hub, source, _ = rig
    stop_a = hub.watch(SBIN, FeedMode.QUOTE, lambda t: None)
    await settle()
    stop_b = hub.watch(SBIN, FeedMode.LTP, lambda t: None)
    await settle()
    assert source.calls == [("subscribe", {SBIN: FeedMode.QUOTE})]
    stop_a()
    await settle()
    assert source.calls[-1] == ("subscribe", {SBIN: FeedMode.LTP})
    stop_b()
    await settle()
    assert source.calls[-1] == ("unsubscribe", [SBIN])
    assert hub.subscribed == 0


async def test_a_price_that_is_no_number_is_heard_by_nobody(rig):
    hub, source, _ = rig
    heard: list[float] = []
    hub.watch(SBIN, FeedMode.LTP, lambda t: heard.append(t.ltp))
    for price in (float("nan"), float("inf"), float("-inf"), 812.5, float("nan")):
        source.sink(tick(price))
    assert heard == [812.5] and hub.latest(SBIN).ltp == 812.5


async def test_higher_mode_upgrades_the_upstream(rig):
    hub, source, _ = rig
    hub.watch(SBIN, FeedMode.LTP, lambda t: None)
    hub.watch(INFY, FeedMode.LTP, lambda t: None)
    await settle()
    hub.open_channel().add(SBIN, FeedMode.DEPTH)
    await settle()
    assert source.calls[0] == ("subscribe", {SBIN: FeedMode.LTP, INFY: FeedMode.LTP})
    assert source.calls[1] == ("subscribe", {SBIN: FeedMode.DEPTH})


async def test_watchers_see_every_tick_channels_the_latest(rig):
    hub, _, _ = rig
    seen: list[float] = []
    hub.watch(SBIN, FeedMode.QUOTE, lambda t: seen.append(t.ltp))
    channel = hub.open_channel()
    channel.add(SBIN, FeedMode.QUOTE)
    for price in (800.0, 800.05, 800.1):
        hub.publish(tick(price))
    assert seen == [800.0, 800.05, 800.1]
    assert [t.ltp for t in channel.drain()] == [800.1]
    assert channel.drain() == []


async def test_extras_of_a_tick_are_passed_on(rig):
    hub, _, _ = rig
    seen: list[Tick] = []
    hub.watch(SBIN, FeedMode.QUOTE, seen.append)
    channel = hub.open_channel()
    channel.add(SBIN, FeedMode.QUOTE)
    extras = TickExtras(week_52_low=612.5, turnover=1e9)
    hub.publish(tick(800.0, extras=extras))
    hub.publish(tick(800.05, FeedMode.LTP))
    assert [t.extras for t in (seen[0], *channel.drain(), hub.latest(SBIN))] == [extras] * 3


async def test_failing_watcher_does_not_stop_the_others(rig):
    hub, _, _ = rig
    seen: list[float] = []

    def broken(_: Tick) -> None:
        raise ValueError("broken reader")

    hub.watch(SBIN, FeedMode.LTP, broken)
    hub.watch(SBIN, FeedMode.LTP, lambda t: seen.append(t.ltp))
    hub.publish(tick(800.0))
    assert seen == [800.0]


async def test_snapshot_uses_a_fresh_stream_and_asks_when_it_is_old(rig):
    hub, source, clock = rig
    hub.publish(tick(800.0, FeedMode.QUOTE))
    assert (await hub.snapshot(SBIN)).ltp == 800.0
    clock.advance(3)
    assert (await hub.snapshot(SBIN)).ltp == 99.0
    assert source.calls == [("quotes", [SBIN])]
    with pytest.raises(SymbolUnknown):
        await hub.snapshot(("NSE", "NOPE"))


async def test_resubscribe_asks_everything_again(rig):
    hub, source, _ = rig
    hub.watch(SBIN, FeedMode.LTP, lambda t: None)
    hub.open_channel().add(INFY, FeedMode.QUOTE)
    await settle()
    hub.resubscribe()
    await settle()
    assert source.calls[-1] == ("subscribe", {SBIN: FeedMode.LTP, INFY: FeedMode.QUOTE})


async def test_a_wish_for_more_levels_is_told_to_each_source_and_taken_back(rig):
    hub, source, _ = rig
    assert hub.depth_levels == (5, 20)
    end = hub.deepen(SBIN, 20)
    assert source.calls == [("deepen", (SBIN, 20))]
    other = Source()
    hub.set_source(other)
    assert source.calls[-1] == ("shallow", (SBIN, 20))
    assert other.calls == [("deepen", (SBIN, 20))]
    end()
    end()
    assert other.calls == [("deepen", (SBIN, 20)), ("shallow", (SBIN, 20))]
    hub.set_source(source)
    assert source.calls[-1][0] == "shallow"


async def test_without_a_data_account_requests_say_so():
    hub = MarketHub(ManualClock(datetime(2026, 11, 24, tzinfo=IST)), Lookup())
    with pytest.raises(NotConnected, match="Log in"):
        await hub.snapshot(SBIN)


# -- health of the feed --------------------------------------------------------------------------


class FeedRig:
    """A hub with a quick retry and a busy instrument."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hub_module, "_RETRY", 0.01)
        self.clock = ManualClock(datetime(2026, 11, 24, 10, 0, tzinfo=IST))
        self.source = Source()
        self.hub = MarketHub(self.clock, Lookup())
        self.hub.set_source(self.source)
        self.told: list[bool] = []
        self.refusals: list[tuple[Key, str]] = []
        self.hub.on_mute = lambda mute, message: self.told.append(mute)
        self.hub.on_refused = lambda key, reason: self.refusals.append((key, reason))

    def tick(self, ltp: float = 800.0) -> None:
        self.hub.publish(Tick("SBIN", "NSE", ltp, FeedMode.QUOTE))

    async def busy(self) -> None:
        self.hub.watch(SBIN, FeedMode.QUOTE, lambda tick: None)
        await until(lambda: self.hub.subscribed == 1)
        for _ in range(100):
            self.clock.advance(0.2)
            self.tick()


@pytest.fixture
async def feed(monkeypatch: pytest.MonkeyPatch):
    rig = FeedRig(monkeypatch)
    await rig.hub.start()
    yield rig
    await rig.hub.stop()


async def test_a_mute_feed_is_told_once_and_its_prices_are_not_traded_on(feed: FeedRig):
    await feed.busy()
    assert not feed.hub.is_stale(SBIN)
    feed.source.muted("The feed has been silent for 4 s; asking again.")
    feed.source.muted("The feed has been silent for 4 s; asking again.")
    assert feed.told == [True]
    assert feed.hub.is_stale(SBIN) and not feed.hub.sound
    assert (await feed.hub.snapshot(SBIN)).ltp == 99.0  # asked from the source
    feed.source.muted("")
    assert feed.told == [True, False]
    assert feed.hub.is_stale(SBIN)  # its price is from before
    feed.tick(801.0)
    assert not feed.hub.is_stale(SBIN)


async def test_what_a_former_source_says_is_nobodys(feed: FeedRig):
    await feed.busy()
    former, feed.source = feed.source, Source()
    feed.hub.set_source(feed.source)
    assert feed.hub.is_stale(SBIN)
    assert former.sink is not None
    former.sink(tick(1.0))
    former.muted("silent")
    former.refused(SBIN, SymbolUnknown("SBIN", "NSE"))
    latest = feed.hub.latest(SBIN)
    assert latest is not None and latest.ltp == 800.0
    assert feed.told == [] and feed.refusals == []


async def test_a_late_refusal_is_told_kept_and_over_when_the_instrument_ticks(feed: FeedRig):
    await feed.busy()
    feed.source.refused(SBIN, NotConnected("Too many instruments."))
    assert feed.refusals == [(SBIN, "Too many instruments.")]
    assert feed.hub.refusal(SBIN) == "Too many instruments."
    assert feed.hub.latest(SBIN) is None and feed.hub.subscribed == 0
    feed.tick()
    assert feed.refusals[1:] == [(SBIN, "")] and feed.hub.refusal(SBIN) == ""


async def test_a_refusal_at_once_is_told_like_a_late_one_and_ends_with_its_last_reader(
    feed: FeedRig, monkeypatch: pytest.MonkeyPatch
):
    async def full(wanted: Mapping[Key, FeedMode]) -> dict[Key, AppError]:
        return {key: NotConnected("All places are taken.") for key in wanted}

    monkeypatch.setattr(feed.source, "subscribe", full)
    stop = feed.hub.watch(INFY, FeedMode.QUOTE, lambda tick: None)
    await until(lambda: bool(feed.refusals))
    assert feed.refusals == [(INFY, "All places are taken.")]
    stop()
    await until(lambda: len(feed.refusals) == 2)
    assert feed.refusals[1] == (INFY, "")


async def test_prices_from_before_a_loss_are_stale_until_they_tick_again(feed: FeedRig):
    await feed.busy()
    feed.hub.watch(INFY, FeedMode.QUOTE, lambda tick: None)
    feed.hub.publish(Tick("INFY", "NSE", 1500.0, FeedMode.QUOTE))
    feed.hub.connected = False
    assert feed.hub.is_stale(SBIN)
    feed.clock.advance(1)
    feed.hub.connected = True
    feed.tick(801.0)
    assert not feed.hub.is_stale(SBIN) and feed.hub.is_stale(INFY)


async def test_a_stale_price_is_not_a_snapshot(feed: FeedRig):
    await feed.busy()
    assert (await feed.hub.snapshot(SBIN)).ltp == 800.0
    feed.hub.connected = False
    feed.hub.connected = True
    assert (await feed.hub.snapshot(SBIN)).ltp == 99.0  # asked from the source


async def test_a_subscription_that_fails_is_asked_again(
    feed: FeedRig, monkeypatch: pytest.MonkeyPatch
):
    failures = 2
    subscribe = feed.source.subscribe

    async def flaky(wanted: Mapping[Key, FeedMode]) -> dict[Key, AppError]:
        nonlocal failures
        if failures:
            failures -= 1
            raise NotConnected("not yet")
        return await subscribe(wanted)

    monkeypatch.setattr(feed.source, "subscribe", flaky)
    feed.hub.watch(SBIN, FeedMode.QUOTE, lambda tick: None)
    await until(lambda: feed.hub.subscribed == 1)
    assert feed.source.calls[-1] == ("subscribe", {SBIN: FeedMode.QUOTE})


async def test_after_a_drop_every_reader_is_back_at_once(feed: FeedRig):
    await feed.busy()
    feed.hub.watch(SBIN, FeedMode.DEPTH, lambda tick: None)
    channel = feed.hub.open_channel()
    channel.add(INFY, FeedMode.LTP)
    await until(lambda: feed.hub.subscribed == 2)
    feed.source.calls.clear()
    feed.hub.connected = False
    feed.hub.connected = True
    feed.hub.resubscribe()
    await until(lambda: bool(feed.source.calls))
    assert feed.source.calls == [("subscribe", {SBIN: FeedMode.DEPTH, INFY: FeedMode.LTP})]


# -- parts and their ages -------------------------------------------------------------------------


async def test_a_lower_mode_upstream_drops_what_no_longer_comes(rig):
    """The row is selected (depth), then another one (back to quote): a frozen book is no market."""
    hub, source, clock = rig
    hub.watch(SBIN, FeedMode.LTP, lambda t: None)
    deep = hub.open_channel()
    deep.add(SBIN, FeedMode.DEPTH)
    await settle()
    hub.publish(tick(800.0, FeedMode.DEPTH, bid=799.95, ask=800.05, high=810.0, depth=Depth()))
    deep.close()
    await settle()
    assert source.calls[-1] == ("subscribe", {SBIN: FeedMode.LTP})
    latest = hub.latest(SBIN)
    assert (latest.ltp, latest.bid, latest.high, latest.depth) == (800.0, 0.0, 0.0, None)
    assert latest.mode is FeedMode.LTP
    # One that was still on its way brings nothing back.
    hub.publish(tick(801.0, FeedMode.DEPTH, bid=800.95, ask=801.05, depth=Depth()))
    assert hub.latest(SBIN).parts == Part.LTP
    clock.advance(60)
    hub.publish(tick(900.0, FeedMode.LTP))
    asked = await hub.snapshot(SBIN)
    assert (asked.ltp, asked.bid) == (99.0, 98.95)
    assert source.calls[-1] == ("quotes", [SBIN])
    assert (await hub.snapshot(SBIN, Part.LTP)).ltp == 900.0


async def test_a_quote_without_bid_and_ask_is_no_snapshot_for_an_order(rig):
    hub, source, _ = rig
    hub.publish(tick(800.0, FeedMode.QUOTE, unknown=Part.TOUCH | Part.OI))
    assert not hub.is_stale(SBIN)
    assert (await hub.snapshot(SBIN, Part.LTP)).ltp == 800.0
    assert source.calls == []
    assert (await hub.snapshot(SBIN)).bid == 98.95


async def test_the_book_is_asked_where_the_book_is_needed(rig):
    hub, _, _ = rig
    hub.publish(tick(800.0, FeedMode.QUOTE))
    assert (await hub.snapshot(SBIN, Part.ALL)).mode is FeedMode.DEPTH


async def test_an_index_needs_no_bid_and_ask(rig):
    hub, source, _ = rig
    nifty = ("NSE_INDEX", "NIFTY")
    hub.publish(tick(26000.0, FeedMode.QUOTE, nifty, unknown=Part.TOUCH | Part.OI))
    assert (await hub.snapshot(nifty)).ltp == 26000.0 and source.calls == []


async def test_shares_need_no_open_interest_and_derivatives_do(rig):
    hub, _, _ = rig
    future: Key = ("NFO", "NIFTY29DEC26FUT")
    for key in (SBIN, future):
        hub.watch(key, FeedMode.QUOTE, lambda t: None)
        hub.publish(tick(800.0, key=key, bid=799.0, ask=801.0, unknown=Part.OI))
    assert hub.fresh(SBIN, Part.QUOTE) is not None
    assert hub.fresh(future, Part.QUOTE) is None
    assert hub.fresh(future, Part.LTP | Part.TOUCH) is not None


async def test_a_feed_that_comes_back_is_not_mute(feed: FeedRig):
    """The silence ended with the line; the new one has to be mute itself."""
    await feed.busy()
    feed.source.muted("silent")
    feed.hub.connected = False
    feed.hub.connected = True
    assert feed.hub.sound
    feed.tick(801.0)
    assert not feed.hub.is_stale(SBIN)


async def test_a_tick_after_the_unsubscription_is_not_kept(rig):
    hub, _, _ = rig
    stop = hub.watch(SBIN, FeedMode.QUOTE, lambda t: None)
    await settle()
    stop()
    await settle()
    hub.publish(tick(800.0))
    assert hub.latest(SBIN) is None
    hub.watch(SBIN, FeedMode.QUOTE, lambda t: None)
    await settle()
    hub.publish(tick(801.0))
    assert hub.latest(SBIN).ltp == 801.0
