"""The market hub: reference counts, mode upgrades, conflation, snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

import pytest

from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode, Interval
from openalgo_desktop.core.errors import AppError, NotConnected, SymbolUnknown
from openalgo_desktop.core.model import Bars, Instrument, Key, Tick
from openalgo_desktop.market.hub import MarketHub

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


def tick(ltp: float, mode: FeedMode = FeedMode.QUOTE, key: Key = SBIN, **more: float) -> Tick:
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


async def test_poorer_tick_moves_the_price_and_keeps_the_book(rig):
    hub, _, _ = rig
    hub.publish(tick(800.0, FeedMode.QUOTE, bid=799.95))
    hub.publish(tick(801.0, FeedMode.LTP))
    latest = hub.latest(SBIN)
    assert latest is not None
    assert (latest.ltp, latest.bid, latest.mode) == (801.0, 799.95, FeedMode.QUOTE)


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


async def test_without_a_data_account_requests_say_so():
    hub = MarketHub(ManualClock(datetime(2026, 11, 24, tzinfo=IST)), Lookup())
    with pytest.raises(NotConnected, match="Log in"):
        await hub.snapshot(SBIN)
