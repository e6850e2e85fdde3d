"""F, E: the feed, and what errors become."""

from __future__ import annotations

import pytest

from openalgo_desktop.brokers.kit.feed.links.websocket import PING_INTERVAL, PING_TIMEOUT
from openalgo_desktop.core.enums import AccountState, Action, FeedMode, PriceType, Product
from openalgo_desktop.core.errors import AppError, AuthError, NetError, OrderStateUnknown
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.core.ticks import Part, Tick
from tests.contract.rig import Rig
from tests.contract.test_orders import tag
from tests.waiting import until


def modes_of(rig: Rig, symbol: str) -> set[FeedMode]:
    """Modes in which an instrument has ticked."""
    return {FeedMode(tick.mode) for tick in rig.ticks if tick.symbol == symbol}


@pytest.mark.parametrize("mode", list(FeedMode))
async def test_f01_subscribe_in_each_mode(rig: Rig, mode: FeedMode) -> None:
    row = rig.row("NSE")
    assert await rig.account.market.subscribe({row.key: mode}) == {}
    await until(lambda: mode in modes_of(rig, row.symbol), what=f"a tick in {mode!r}")
    need = Part.LTP | (Part.BOOK if mode is FeedMode.DEPTH else 0)  # a change may be of one alone

    def told() -> list[Tick]:
        return [t for t in rig.ticks if t.mode == mode and t.knows(need)]

    await until(lambda: bool(told()), what="a tick with price and book")
    tick = told()[-1]
    assert tick.ltp > 0 and tick.exchange == "NSE"
    if mode >= FeedMode.QUOTE:
        assert tick.close > 0 and tick.volume > 0
    if mode is FeedMode.DEPTH:
        assert tick.depth is not None and len(tick.depth.buy) == rig.can.depth_levels


async def test_f02_unsubscribe(rig: Rig) -> None:
    row = rig.row("NSE")
    await rig.account.market.subscribe({row.key: FeedMode.LTP})
    await until(lambda: bool(rig.ticks))
    await rig.account.market.unsubscribe([row.key])
    await until(
        lambda: all(row.key not in socket.modes for socket in rig.emulator.sockets),
        what="the end of the subscription",
    )


async def test_f03_mode_upgrade(rig: Rig) -> None:
    row = rig.row("NSE")
    await rig.account.market.subscribe({row.key: FeedMode.LTP})
    await until(lambda: FeedMode.LTP in modes_of(rig, row.symbol))
    await rig.account.market.subscribe({row.key: FeedMode.DEPTH})
    await until(lambda: FeedMode.DEPTH in modes_of(rig, row.symbol), what="the higher mode")


async def test_f04_everything_is_back_after_a_drop(rig: Rig) -> None:
    rows = [row for row in rig.rows.values() if row.exchange == "NSE"][:5]
    await rig.account.market.subscribe({row.key: FeedMode.QUOTE for row in rows})
    await until(lambda: {t.symbol for t in rig.ticks} >= {row.symbol for row in rows})
    await rig.emulator.drop_sockets()
    await until(lambda: rig.account.status.state is AccountState.DISCONNECTED, what="the loss")
    rig.ticks.clear()
    await until(lambda: rig.account.status.state is AccountState.CONNECTED, "the return")
    await until(lambda: {t.symbol for t in rig.ticks} >= {row.symbol for row in rows}, "all ticks")


async def test_f04_orders_of_the_gap_are_told_once(rig: Rig) -> None:
    """A fill while the feed is down is neither lost nor doubled."""
    row = rig.row("NSE")
    await until(lambda: bool(rig.emulator.sockets), what="the feed")
    await rig.emulator.drop_sockets()
    ack = await rig.gateway.place(
        OrderRequest(row.symbol, "NSE", Action.BUY, 7, PriceType.MARKET, Product.MIS), tag()
    )
    await until(lambda: any(u.trade for u in rig.updates), "the fill")
    await until(lambda: rig.account.status.state is AccountState.CONNECTED, "the return")
    await rig.gateway.orders()
    mine = [u for u in rig.updates if u.order.order_id == ack.order_id]
    assert sum(u.trade.quantity for u in mine if u.trade) == 7


async def test_f05_a_half_open_line_is_dropped(rig: Rig) -> None:
    """The socket stays open and nothing comes: the client leaves and comes back."""
    row = rig.row("NSE")
    await rig.account.market.subscribe({row.key: FeedMode.LTP})
    await until(lambda: bool(rig.ticks))
    assert rig.account.stream is not None
    spec = rig.account.stream.spec
    # A feed that may be silent is pinged: as often as its spec says, if that has no other beat.
    found = spec.silence or (PING_INTERVAL if spec.ping_frame else spec.ping) + PING_TIMEOUT
    rig.emulator.faults.half_open = True
    await until(
        lambda: rig.account.status.state is AccountState.DISCONNECTED,
        "the watchdog",
        found + 60,
    )
    rig.emulator.faults.half_open = False
    rig.ticks.clear()
    await until(lambda: bool(rig.ticks), "ticks again")


async def test_f06_a_bad_frame_does_no_harm(rig: Rig) -> None:
    row = rig.row("NSE")
    await rig.account.market.subscribe({row.key: FeedMode.QUOTE})
    await until(lambda: bool(rig.ticks))
    rig.emulator.faults.truncate = 3
    await until(lambda: rig.emulator.faults.truncate == 0, what="the broken frames")
    rig.ticks.clear()
    await until(lambda: bool(rig.ticks), what="ticks after them")
    assert all(tick.ltp > 0 for tick in rig.ticks)


async def test_f07_too_many_instruments_are_refused_by_name(rig: Rig) -> None:
    stream = rig.account.stream
    assert stream is not None
    room = stream.capacity
    wanted = {("NSE", f"X{number}"): FeedMode.LTP for number in range(room)}
    refused = stream.subscribe({**wanted, ("NSE", "LAST"): FeedMode.LTP})
    assert ("NSE", "LAST") in refused
    stream.clear()


async def test_f08_the_feed_refuses_an_old_session(rig: Rig) -> None:
    await until(lambda: bool(rig.emulator.sockets), what="the feed")
    rig.emulator.expire_sessions()  # type: ignore[attr-defined]
    await rig.emulator.drop_sockets()
    await until(lambda: rig.account.status.state is AccountState.LOGIN_NEEDED, "the login state")
    row = rig.row("NSE")
    await rig.account.market.subscribe({row.key: FeedMode.LTP})
    await rig.login()
    rig.ticks.clear()
    await until(lambda: bool(rig.ticks), "ticks with the new session")


@pytest.mark.parametrize("status", [401, 403])
async def test_f09_a_refused_feed_alone_ends_no_session(
    rig: Rig, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The status of the handshake is verified by a read, which this session passes."""
    await until(lambda: bool(rig.emulator.sockets), what="the feed")
    rig.emulator.faults.feed_status.extend([status] * 2)
    await rig.emulator.drop_sockets()
    await until(lambda: not rig.emulator.faults.feed_status, "two refusals")
    await until(lambda: rig.account.status.state is AccountState.CONNECTED, "it is back")
    assert "the session has ended" not in caplog.text


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_e01_server_errors_of_reads_can_be_asked_again(rig: Rig, status: int) -> None:
    rig.emulator.faults.only = ""
    rig.emulator.faults.status.append(status)
    with pytest.raises(NetError) as caught:
        await rig.gateway.trades()
    assert caught.value.retryable
    assert await rig.gateway.trades() == []


async def test_e01_session_errors_are_auth_errors(rig: Rig) -> None:
    rig.emulator.faults.status.append(403)
    with pytest.raises(AuthError):
        await rig.gateway.trades()


@pytest.mark.parametrize("status", [500, 503])
async def test_e02_server_errors_of_writes_are_unknown(rig: Rig, status: int) -> None:
    row = rig.row("NSE")
    rig.emulator.faults.status.append(status)
    with pytest.raises(OrderStateUnknown):
        await rig.gateway.place(
            OrderRequest(row.symbol, "NSE", Action.BUY, 1, PriceType.MARKET, Product.MIS), tag()
        )


async def test_e04_calls_are_timed(rig: Rig) -> None:
    rig.emulator.faults.slow = 0.05
    await rig.gateway.trades()
    timing = rig.account.rest.timings[-1]
    assert timing.status == 200
    assert timing.wire >= 0.05 > timing.queued
    with pytest.raises(AppError):
        rig.emulator.faults.status.append(500)
        await rig.gateway.trades()
    assert rig.account.rest.timings[-1].status == 500
