"""An account with a market feed and an order feed on sockets of their own: each lives by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.kit.feed.codec import Frame, OrderRow, StreamEvent
from openalgo_desktop.brokers.kit.feed.stream import StreamState
from openalgo_desktop.brokers.kit.rest import second
from openalgo_desktop.brokers.kit.spec import MARKET, ORDERS, Call, Op, StreamSpec
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import AccountState, FeedMode
from openalgo_desktop.core.errors import AppError, AuthError
from openalgo_desktop.core.model import AccountStatus, Key, OrderUpdate
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.ticks import Tick
from tests.contract.rig import MemorySecrets
from tests.unit.brokers.kit.feed_server import FeedServer, TextCodec
from tests.waiting import until

ORDER = {
    "order_id": "7", "status": "OPEN", "tradingsymbol": "A", "exchange": "NSE",
    "transaction_type": "BUY", "order_type": "LIMIT", "product": "MIS", "quantity": 5,
    "pending_quantity": 5, "filled_quantity": 0, "price": 10.0, "trigger_price": 0,
    "average_price": 0, "order_timestamp": "2026-11-24 10:00:00",
}  # fmt: skip
TOKEN = Call(
    Op(method="POST", path="/socket/token", encoding="json", body={"for": "orders"}),
    {"socket_token": "token"},
)
RENEW = Call(Op(method="POST", path="/feed/login", public=True), {"feed_token": "token"})


class Codec(TextCodec):
    """Order messages are rows of the book."""

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        for event in super().decode(frame):
            yield OrderRow({**ORDER, **event.row}) if isinstance(event, OrderRow) else event


class Server:
    """The broker's REST side: an order book, socket tokens and feed tokens by number."""

    def __init__(self) -> None:
        self.books = 0
        self.tokens = 0
        self.logins = 0
        self.over = False  # the account's session
        self.no_feed = False
        self.broken = ""  # a path that fails

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == self.broken:
            return httpx.Response(500)
        if path == "/feed/login":
            self.logins += 1
            return self._no() if self.no_feed else self._yes({"token": f"feed{self.logins}"})
        if self.over:
            return self._no()
        if path == "/socket/token":
            self.tokens += 1
            assert json.loads(request.content) == {"for": "orders"}
            return self._yes({"token": f"one-time {self.tokens}"})
        if path == "/orders":
            self.books += 1
            return self._yes([])
        return self._yes({})

    def _yes(self, data: Any) -> httpx.Response:
        return httpx.Response(200, json={"status": "success", "data": data})

    def _no(self) -> httpx.Response:
        body = {"status": "error", "message": "Token is gone", "error_type": "TokenException"}
        return httpx.Response(403, json=body)


class Rig:
    def __init__(
        self,
        folder: Path,
        rest: Server,
        prices: FeedServer,
        orders: FeedServer,
        *,
        feed_quotes: bool = False,
        combined: bool = False,
    ) -> None:
        self.rest, self.prices, self.orders = rest, prices, orders
        self.codec_values: list[Mapping[str, Any]] = []
        self.ticks: list[Tick] = []
        self.updates: list[OrderUpdate] = []
        self.states: list[AccountStatus] = []
        self.refused: dict[Key, AppError] = {}

        def codec(instruments: Any, clock: Any, values: Mapping[str, Any]) -> Codec:
            self.codec_values.append(values)
            return Codec()

        fast = {"codec": codec, "backoff": (0.02, 0.1), "mute": 0.0, "silence": 5.0}
        streams = (
            StreamSpec(
                id="market", host="prices", url="/?key={feed_token}", renew="feed",
                carries=frozenset({MARKET, ORDERS} if combined else {MARKET}),
                modes={FeedMode.LTP: "ltp"}, **fast,
            ),
            StreamSpec(
                id="orders", host="orders", url="/?token={socket_token}", fetch=(TOKEN,),
                carries=frozenset({ORDERS}), **fast,
            ),
        )  # fmt: skip
        spec = msgspec.structs.replace(
            BROKER.spec,
            streams=streams,
            renewals={"feed": RENEW},
            capabilities=msgspec.structs.replace(BROKER.spec.capabilities, feed_quotes=feed_quotes),
            hosts={**BROKER.spec.hosts, "prices": "ws://", "orders": "ws://"},
            session_ends=None,
        )
        secrets = MemorySecrets()
        session = {"access_token": "main", "api_key": "kite", "client_id": "C1", "ends": ""}
        secrets.values["broker/zerodha/1/session"] = Secret(json.dumps(session))
        self.account = KitAccount(
            msgspec.structs.replace(BROKER, spec=spec), SystemClock(), secrets, folder,
            hosts={"prices": prices.url, "orders": orders.url},
            transport=httpx.MockTransport(rest),
        )  # fmt: skip
        self.account.set_status_listener(self.states.append)
        self.account.gateway.set_listener(self.updates.append)
        self.account.market.set_sink(self.ticks.append)
        self.account.market.set_reports(lambda message: None, self.refused.__setitem__)

    def feed(self, name: str) -> StreamState:
        return self.account.streams.clients[name].state

    @property
    def both_live(self) -> bool:
        return self.feed("market") is self.feed("orders") is StreamState.LIVE


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with FeedServer() as prices, FeedServer() as orders:
        made = Rig(tmp_path, Server(), prices, orders)
        await made.account.connect()
        await until(lambda: made.both_live, "both feeds")
        yield made
        await made.account.disconnect()
        assert made.feed("market") is made.feed("orders") is StreamState.CLOSED


@pytest.fixture
def a_minute_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The market session is old enough to be begun anew."""
    monkeypatch.setattr(second, "RENEW_INTERVAL", 0.0)


async def test_both_feeds_open_and_bring_what_they_carry(rig: Rig) -> None:
    assert rig.account.status.state is AccountState.CONNECTED
    await rig.account.market.subscribe({("NSE", "A"): FeedMode.LTP})
    await until(lambda: rig.prices.asked, "the subscription")
    await until(lambda: rig.rest.books, "the first book")
    await rig.prices.send("t NSE:A 10.5")
    await rig.orders.send("o 7")
    await until(lambda: rig.ticks and rig.updates, "a price and an order")
    assert [tick.ltp for tick in rig.ticks] == [10.5]
    assert [update.order.order_id for update in rig.updates] == ["7"]
    assert rig.orders.asked == []
    assert set(rig.account.details()["feeds"]) == {"market", "orders"}
    assert rig.account.streams.push_alive


async def test_a_lost_order_feed_leaves_the_market_alone_and_the_book_is_asked(rig: Rig) -> None:
    before = rig.rest.books
    rig.orders.refuse = 503
    rig.orders.drop()
    await until(lambda: rig.feed("orders") is StreamState.DOWN, "the loss")
    assert not rig.account.streams.push_alive
    await until(lambda: rig.rest.books > before, "the book")
    assert rig.feed("market") is StreamState.LIVE and rig.prices.total == 1
    status = rig.account.status
    assert status.state is AccountState.CONNECTED
    assert status.message.startswith("Order updates are lost, the order book is asked instead:")
    before = rig.rest.books
    rig.orders.refuse = 0
    await until(lambda: rig.both_live, "the return")
    await until(lambda: rig.rest.books > before, "the book of the gap")
    assert rig.account.status.message == "" and rig.account.streams.push_alive


async def test_a_lost_market_feed_leaves_the_order_feed_alone(rig: Rig) -> None:
    rig.prices.refuse = 503
    rig.prices.drop()
    await until(lambda: rig.account.status.state is AccountState.DISCONNECTED, "the loss")
    assert rig.feed("orders") is StreamState.LIVE and rig.account.streams.push_alive
    await until(lambda: rig.rest.books, "the first book")
    await rig.orders.send("o 8")
    await until(lambda: rig.updates, "an order all the same")
    rig.prices.refuse = 0
    await until(lambda: rig.account.status.state is AccountState.CONNECTED, "the return")
    assert rig.orders.total == 1


async def test_the_message_tells_of_each_feed_that_is_down(rig: Rig) -> None:
    for server in (rig.prices, rig.orders):
        server.refuse = 503
        server.drop()
    await until(lambda: rig.feed("market") is rig.feed("orders") is StreamState.DOWN, "both lost")
    status = rig.account.status
    assert status.state is AccountState.DISCONNECTED
    prices, _, orders = status.message.partition(" Order updates are lost")
    assert "Next try in" in prices and "Next try in" in orders


@pytest.mark.parametrize("combined", [False, True], ids=["orders alone", "with prices"])
def test_orders_are_pushed_while_a_feed_of_them_is_up(tmp_path: Path, combined: bool) -> None:
    """A feed that carries prices too may miss those: it was logged in, heartbeats come."""
    rig = Rig(tmp_path, Server(), FeedServer(), FeedServer(), combined=combined)
    clients = rig.account.streams.clients
    alive = {}
    for state in StreamState:
        clients["market"].state, clients["orders"].state = state, StreamState.LIVE
        alive[state] = rig.account.streams.push_alive
    good = {StreamState.LIVE, StreamState.STALE} if combined else set(StreamState)
    assert {state for state, pushed in alive.items() if pushed} == good
    clients["market"].state = StreamState.LIVE
    for state in StreamState:
        clients["orders"].state = state
        assert rig.account.streams.push_alive is (state is StreamState.LIVE)


async def test_the_book_is_asked_as_soon_as_a_feed_of_orders_is_in_doubt(rig: Rig) -> None:
    """Not after the long interval that was begun while orders were pushed."""
    before, slow = rig.rest.books, asyncio.Event()
    plain = rig.account.rest.doubted

    async def doubted(error: AuthError, otherwise: type[AppError]) -> AppError:
        await slow.wait()
        return await plain(error, otherwise)

    rig.account.rest.doubted = doubted  # type: ignore[method-assign]
    await rig.orders.send("e auth")
    await until(lambda: rig.rest.books > before, "the book")
    assert rig.feed("orders") is StreamState.CONNECTING and not rig.account.streams.push_alive
    slow.set()
    await until(lambda: rig.both_live, "the return")


async def test_the_word_of_a_feed_alone_ends_no_session(rig: Rig) -> None:
    """However sure its codec is: a server that is busy says *not ok* too."""
    await rig.orders.send("e auth")
    await until(lambda: rig.orders.total == 2 and rig.both_live, "the return")
    assert rig.account.session.open and rig.prices.total == 1
    assert AccountState.LOGIN_NEEDED not in {status.state for status in rig.states}
    rig.rest.over = True
    await rig.orders.send("e auth")
    await until(lambda: rig.account.status.state is AccountState.LOGIN_NEEDED, "the end")
    assert rig.account.status.message == "Token is gone"


async def test_the_prices_of_a_session_end_with_it(tmp_path: Path) -> None:
    key = ("NSE", "A")
    async with FeedServer() as prices, FeedServer() as orders:
        rig = Rig(tmp_path, Server(), prices, orders, feed_quotes=True)
        await rig.account.connect()
        await until(lambda: rig.both_live, "both feeds")
        await rig.account.market.subscribe({key: FeedMode.LTP})
        await until(lambda: prices.asked, "the subscription")
        await prices.send("t NSE:A 10.5")
        await until(lambda: rig.ticks, "a price")
        rig.account._expired("three in the morning")
        await until(lambda: rig.feed("market") is StreamState.CLOSED, "the end")
        rig.account.session.open = True
        await rig.account.streams.start()
        await until(lambda: rig.both_live and len(prices.asked) == 2, "the next morning")
        asked = asyncio.create_task(rig.account.market.quotes([key]))
        await asyncio.sleep(0)
        await prices.send("t NSE:A 11.0")
        answer = (await asked)[key]
        assert isinstance(answer, Tick) and answer.ltp == 11.0
        await rig.account.disconnect()


async def test_values_are_fetched_before_each_connecting(rig: Rig) -> None:
    assert rig.rest.tokens == 1
    rig.orders.drop()
    await until(lambda: rig.orders.total == 2, "the return")
    assert rig.rest.tokens == 2
    values = [v["socket_token"] for v in rig.codec_values if "socket_token" in v]
    assert values == ["one-time 1", "one-time 2"]
    assert rig.orders.paths == ["/?token=one-time%201", "/?token=one-time%202"]
    assert not rig.account.session.has("socket_token")


async def test_a_codec_gets_tables_and_does_without_what_is_optional(rig: Rig) -> None:
    client = rig.account.streams.clients["orders"]
    names = Op(method="GET", path="/names", public=True)
    fetch = (TOKEN, Call(names, {"names": "", "mark": "status"}, optional=True))
    spec = msgspec.structs.replace(client.spec, fetch=fetch)
    values = await rig.account.streams._values(spec)
    assert values["names"] == {} and "mark" not in values
    rig.rest.broken = "/names"
    assert "names" not in await rig.account.streams._values(spec)
    spec = msgspec.structs.replace(client.spec, fetch=(Call(names, {"names": ""}),))
    with pytest.raises(AppError):
        await rig.account.streams._values(spec)


async def test_a_refused_market_session_is_begun_anew_and_ends_no_account(
    rig: Rig, a_minute_later: None
) -> None:
    assert rig.rest.logins == 1 and rig.prices.paths == ["/?key=feed1"]
    await rig.prices.send("e auth")
    await until(lambda: rig.prices.total == 2 and rig.both_live, "the return")
    assert rig.prices.paths == ["/?key=feed1", "/?key=feed2"]
    rig.prices.refuse_next = 401
    rig.prices.drop()
    await until(lambda: rig.prices.total == 3 and rig.both_live, "the second return")
    assert rig.prices.paths[-1] == "/?key=feed3" and rig.rest.logins == 3
    assert rig.account.session.open and rig.orders.total == 1


async def test_a_market_session_that_cannot_be_begun_waits(rig: Rig, a_minute_later: None) -> None:
    waits: list[float] = []
    rest = rig.account.streams.clients["market"].sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await rest(min(seconds, 0.02))

    rig.account.streams.clients["market"].sleep = sleep
    rig.rest.no_feed = True
    await rig.prices.send("e auth")
    await until(lambda: rig.account.status.state is AccountState.DISCONNECTED, "the loss")
    assert "refuses the feed session: Token is gone" in rig.account.status.message
    assert rig.account.session.open and max(waits) == 300.0
    rig.rest.no_feed = False
    await until(lambda: rig.both_live, "the return")


async def test_a_read_that_renews_the_market_session_moves_the_feed_to_it(
    rig: Rig, a_minute_later: None
) -> None:
    """The broker knows one market session at a time: the socket of the former one is dead."""
    used = await rig.account.rest.second.ready("feed")
    await rig.account.rest.second.refused("feed", used, AppError("read"))
    await until(lambda: rig.prices.total == 2 and rig.both_live, "the feed of the new session")
    assert rig.prices.paths == ["/?key=feed1", "/?key=feed2"]
    assert rig.orders.total == 1 and rig.rest.logins == 2


async def test_the_end_of_the_session_closes_both(rig: Rig) -> None:
    rig.rest.over = True
    rig.orders.refuse = 401
    rig.orders.drop()
    await until(lambda: rig.account.status.state is AccountState.LOGIN_NEEDED, "the end")
    await until(
        lambda: rig.feed("market") is rig.feed("orders") is StreamState.CLOSED, "both closed"
    )
    await until(lambda: not rig.prices.connections, "the market socket")


async def test_a_logout_closes_both_and_a_login_opens_both(rig: Rig) -> None:
    await rig.account.logout()
    await until(lambda: not (rig.prices.connections or rig.orders.connections), "both closed")
    rig.account.session.update({"access_token": "next"})
    rig.account.session.open = True
    await rig.account.streams.start()
    await until(lambda: rig.both_live, "both again")
    assert rig.prices.total == rig.orders.total == 2
