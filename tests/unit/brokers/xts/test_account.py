"""An account on an XTS server: two sessions, two feeds, several ways to log in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from openalgo_desktop.brokers.iifl import BROKER as IIFL
from openalgo_desktop.brokers.jainamxts import BROKER as JAINAM
from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.feed.stream import StreamState
from openalgo_desktop.brokers.rmoney import BROKER as RMONEY
from openalgo_desktop.core.clock import IST, SystemClock
from openalgo_desktop.core.enums import AccountState, Action, FeedMode, PriceType, Product
from openalgo_desktop.core.errors import BadCredentials, DataError
from openalgo_desktop.core.model import OrderRequest, OrderUpdate
from openalgo_desktop.core.ticks import Tick
from tests.emulators import xts
from tests.faces import rmoney
from tests.memory import MemorySecrets
from tests.waiting import until

SHARE = ("NSE", "SBIN")
RESTING = OrderRequest("SBIN", "NSE", Action.BUY, 2, PriceType.LIMIT, Product.MIS, price=500.0)


class Running:
    """An account and the server that it is at."""

    def __init__(self, account: KitAccount, server: xts.XtsEmulator) -> None:
        self.account, self.server = account, server
        self.ticks: list[Tick] = []
        self.updates: list[OrderUpdate] = []
        account.market.set_sink(self.ticks.append)
        account.gateway.set_listener(self.updates.append)

    async def streaming(self) -> None:
        """Prices come."""
        await self.account.market.subscribe({SHARE: FeedMode.QUOTE})
        await until(lambda: bool(self.ticks), "ticks")
        await until(lambda: len(self.server.sockets) == 2, "both feeds")

    @property
    def state(self) -> AccountState:
        return self.account.status.state


@asynccontextmanager
async def running(broker: Broker, variant: xts.Variant, folder: Path) -> AsyncIterator[Running]:
    """An account that is not logged in yet."""
    clock = SystemClock(datetime.now(IST).replace(hour=10, minute=0))
    async with xts.XtsEmulator(clock, variant) as server:
        assert isinstance(server, xts.XtsEmulator)
        hosts = {name: server.hosts()[name] for name in broker.spec.hosts}
        account = KitAccount(broker, clock, MemorySecrets(), folder, hosts=hosts)
        try:
            await account.connect()
            yield Running(account, server)
        finally:
            await account.disconnect()


@asynccontextmanager
async def logged_in(folder: Path) -> AsyncIterator[Running]:
    async with running(IIFL, xts.Variant(), folder) as it:
        await it.account.login(xts.KEYS)
        await it.account.instruments()
        yield it


async def test_a_session_that_is_taken_over_is_over(tmp_path: Path) -> None:
    async with logged_in(tmp_path) as it:
        await it.streaming()
        it.server.take_over()
        await until(lambda: it.state is AccountState.LOGIN_NEEDED, "the login state")
        await it.account.login(xts.KEYS)
        assert it.state is AccountState.CONNECTED


async def test_a_word_of_good_bye_alone_ends_nothing(tmp_path: Path) -> None:
    """The order socket says *logout* but a read shows that the session holds."""
    async with logged_in(tmp_path) as it:
        await it.streaming()
        orders = next(s for s in it.server.sockets if s.orders)
        it.server._emit(orders, ("logout", "bye"))
        await until(lambda: orders not in it.server.sockets, "the end of that socket")
        await until(lambda: len(it.server.sockets) == 2, "the next one")
        assert it.state is AccountState.CONNECTED
        await it.account.gateway.place(RESTING, "Otag1")
        await until(lambda: any(u.order.tag == "Otag1" for u in it.updates), "its push")


async def test_orders_are_relied_on_when_the_server_has_let_us_join(tmp_path: Path) -> None:
    """A connection alone is no promise; what comes on it is taken all the same."""
    async with running(IIFL, xts.Variant(), tmp_path) as it:
        for feed in it.server._feeds:
            feed.greets = False
        await it.account.login(xts.KEYS)
        await it.account.instruments()
        await it.streaming()
        await it.account.gateway.place(RESTING, "Otag1")
        await until(lambda: any(u.order.tag == "Otag1" for u in it.updates), "its push or row")
        orders = it.account.streams.clients["orders"]
        await until(lambda: orders.figures()["frames"] > 0, "its push")
        assert orders.state is StreamState.CONNECTING
        assert not it.account.streams.push_alive
        orders_socket = next(s for s in it.server.sockets if s.orders)
        await it.server._feeds[1].server.emit("joined", "welcome", to=orders_socket.sid)
        await until(lambda: it.account.streams.push_alive, "that it counts")


async def test_a_market_session_taken_elsewhere_is_begun_anew_with_the_feed(
    tmp_path: Path,
) -> None:
    """The socket stays open, and nothing would come on it any more."""
    async with logged_in(tmp_path) as it:
        await it.streaming()
        it.server.end_market_sessions()
        answer = (await it.account.market.quotes([SHARE]))[SHARE]
        assert isinstance(answer, Tick)
        it.ticks.clear()
        await until(lambda: bool(it.ticks), "ticks in the new session")
        assert it.state is AccountState.CONNECTED
        assert it.server.calls("POST", "/apimarketdata/auth/login") == 2


async def test_the_master_begins_a_market_session_where_it_is_over(tmp_path: Path) -> None:
    """Else a day would go without indices."""
    async with running(IIFL, xts.Variant(), tmp_path) as it:
        await it.account.login(xts.KEYS)
        it.server.end_market_sessions()
        rows = await it.account.instruments()
        assert ("NSE_INDEX", "NIFTY") in {row.key for row in rows}


async def test_trading_without_market_data(tmp_path: Path) -> None:
    """Wrong keys for market data: orders go, quotes and the feed say what is wrong."""
    async with running(IIFL, xts.Variant(), tmp_path) as it:
        await it.account.login({**xts.KEYS, "market_api_secret": "wrong"})
        assert (await it.account.gateway.funds()).available_cash > 0
        await until(lambda: "Invalid appKey" in it.account.status.message, "the reason")
        assert it.state is AccountState.DISCONNECTED
        rows = await it.account.instruments()  # open to everybody, but for the lists of indices
        assert {row.exchange for row in rows} >= {"NSE", "NFO"}
        with pytest.raises(DataError, match="refuses the market data session"):
            await it.account.market.quotes([SHARE])


@pytest.mark.parametrize("kind", ["direct", "redirect"])
async def test_either_login_of_a_member_with_two(kind: str, tmp_path: Path) -> None:
    variant = xts.Variant(market="apibinarymarketdata", login=kind)
    async with running(JAINAM, variant, tmp_path) as it:
        given = dict(xts.KEYS)
        if kind == "redirect":
            given["request_token"] = it.server.page_text()
        await it.account.login(given, login_id=kind)
        assert it.state is AccountState.CONNECTED


async def test_a_login_with_a_host_lookup(tmp_path: Path) -> None:
    async with running(RMONEY, rmoney.VARIANT, tmp_path) as it:
        await it.account.login(xts.KEYS, login_id="lookup")
        assert it.account.status.client_id == xts.USER
        assert it.server.calls("POST", "/hostlookup") == 1
        await it.account.instruments()
        await it.streaming()


async def test_an_access_token_is_good_once(tmp_path: Path) -> None:
    async with running(JAINAM, xts.Variant(market="apibinarymarketdata", login="redirect"),
                       tmp_path) as it:  # fmt: skip
        given = {**xts.KEYS, "request_token": it.server.page_text()}
        await it.account.login(given)
        with pytest.raises(BadCredentials):
            await it.account.login(given)


async def test_what_the_server_has_subscribed_already_streams(tmp_path: Path) -> None:
    """Subscriptions belong to the session, which outlives a socket; new ones are in the same
    request, and the server refuses it as a whole."""
    async with logged_in(tmp_path) as it:
        await it.streaming()
        await it.server.drop_sockets()
        await until(lambda: it.state is AccountState.DISCONNECTED, "the loss")
        await it.account.market.subscribe({("NSE", "INFY"): FeedMode.QUOTE})
        it.ticks.clear()
        await until(lambda: {t.symbol for t in it.ticks} >= {"SBIN", "INFY"}, "both")
        await it.account.market.unsubscribe([SHARE])
        session = it.server._market["apimarketdata"]
        await until(lambda: SHARE not in session.codes, "its end at the server")


async def test_a_logout_ends_every_session_that_was_begun(tmp_path: Path) -> None:
    async with running(RMONEY, rmoney.VARIANT, tmp_path) as it:
        await it.account.login({**xts.KEYS, "request_token": it.server.page_text()})
        await it.account.instruments()
        await it.streaming()
        assert len(it.server._trading) == 1 and len(it.server._market) == 2
        held = it.account.session
        await it.account.logout()
        assert not it.server._trading and not it.server._market
        names = ("access_token", "feed_token", "stream_token")
        assert not any(map(held.has, names)) and it.state is AccountState.LOGIN_NEEDED
        await until(lambda: not it.server.sockets, "the end of both feeds")
        assert it.server.calls("POST", "/apimarketdata/auth/login") == 1


async def test_a_logout_begins_no_session_to_end_it(tmp_path: Path) -> None:
    """A market session that another program took over is that program's."""
    async with logged_in(tmp_path) as it:
        it.server.end_market_sessions()
        await it.account.logout()
        assert it.server.calls("POST", "/apimarketdata/auth/login") == 1
        assert it.server.calls("DELETE", "/apimarketdata/auth/logout") == 1
