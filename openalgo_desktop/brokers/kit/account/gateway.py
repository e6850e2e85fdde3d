"""The two sides of a broker account as the corridor and the market hub see them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence, Set
from datetime import date
from typing import Any

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.depths import Depths
from openalgo_desktop.brokers.kit.account.feedquotes import FeedQuotes, depth_of
from openalgo_desktop.brokers.kit.account.marketdata import padded
from openalgo_desktop.brokers.kit.books.tracker import OrderTracker
from openalgo_desktop.brokers.kit.feed.stream import StreamClient
from openalgo_desktop.brokers.kit.spec import BrokerSpec
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import FeedMode, Interval, OrderStatus
from openalgo_desktop.core.errors import AppError, NotSupported, OrderNotFound
from openalgo_desktop.core.gtt import Gtt, GttRequest
from openalgo_desktop.core.model import (
    BookRows,
    Funds,
    Holding,
    Key,
    Margin,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    OrderUpdate,
    Position,
    Trade,
)
from openalgo_desktop.core.ticks import Bars, Tick
from openalgo_desktop.core.traits import Traits

GTTS = "good-till-triggered orders"


class KitGateway:
    """A :class:`TradingGateway`. ``require_login`` raises while there is no session."""

    def __init__(
        self,
        spec: BrokerSpec,
        api: BrokerApi,
        clock: Clock,
        require_login: Callable[[], None],
    ) -> None:
        self._spec = spec
        self._api = api
        self._require_login = require_login
        can = spec.capabilities
        self.traits = Traits(
            gtt=can.gtt,
            margin=can.margin,
            protect=spec.protect,
            ticks=spec.master.ticks,
            converts=can.converts,
            validities=frozenset(can.validities),
            discloses=can.discloses,
        )
        self._tracker = OrderTracker(clock)
        self._has_book = False
        #: Called after an order was sent, whatever came of it: the book may have changed.
        self.on_sent: Callable[[], None] = lambda: None
        #: Called after an order message that could not be read.
        self.on_odd_push: Callable[[], None] = lambda: None
        self._listener: Callable[[OrderUpdate], None] = lambda update: None

    @property
    def account_id(self) -> str:
        return self._api.rows.account_id

    @property
    def broker(self) -> str:
        return self._spec.id

    def set_listener(self, listener: Callable[[OrderUpdate], None]) -> None:
        self._listener = listener

    # -- orders -----------------------------------------------------------------------------
    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        return await self._sent(self._api.place(request, tag))

    async def modify(self, request: ModifyRequest) -> OrderAck:
        return await self._sent(self._api.modify(request))

    async def cancel(self, order_id: str) -> OrderAck:
        return await self._sent(self._api.cancel(order_id))

    async def convert(self, request: ConvertRequest, tag: str) -> OrderAck:
        self._require(self.traits.converts, "conversion of positions")
        return await self._sent(self._api.convert(request, tag))

    async def _sent(self, call: Coroutine[Any, Any, OrderAck]) -> OrderAck:
        try:
            self._require_login()
        except AppError:
            call.close()
            raise
        try:
            return await call
        finally:
            self.on_sent()

    # -- books ------------------------------------------------------------------------------
    async def orders(self) -> BookRows[Order]:
        """The order book; what changed since it was last seen is told to the listener."""
        self._require_login()
        orders = await self._api.orders()
        if self._has_book:
            self._tell(orders)
        else:  # the first book is the state of things, not news
            self._has_book = True
            self._tracker.update(orders)
        return orders

    async def order(self, order_id: str) -> Order:
        """One row of the broker's order book, asked now; raises :class:`OrderNotFound`."""
        for row in await self.orders():
            if row.order_id == order_id:
                return row
        raise OrderNotFound(order_id)

    async def trades(self) -> BookRows[Trade]:
        self._require_login()
        return await self._api.trades()

    async def positions(self) -> BookRows[Position]:
        self._require_login()
        return await self._api.positions()

    async def holdings(self) -> BookRows[Holding]:
        self._require_login()
        return await self._api.holdings()

    async def funds(self) -> Funds:
        self._require_login()
        return await self._api.funds()

    async def margin(self, legs: Sequence[OrderRequest]) -> Margin:
        self._require(self.traits.margin, "margin calculator")
        return await self._api.margin(legs)

    async def recall(self, tags: Set[str], order_ids: Set[str]) -> list[Order]:
        raise NotSupported(f"{self._spec.title} lists the orders of today only.")

    # -- good till triggered ----------------------------------------------------------------
    async def gtt_place(self, request: GttRequest, tag: str) -> OrderAck:
        self._require(self.traits.gtt, GTTS)
        return await self._api.gtt_place(request, tag)

    async def gtt_modify(self, trigger_id: str, request: GttRequest) -> OrderAck:
        self._require(self.traits.gtt, GTTS)
        return await self._api.gtt_modify(trigger_id, request)

    async def gtt_cancel(self, trigger_id: str) -> OrderAck:
        self._require(self.traits.gtt, GTTS)
        return await self._api.gtt_cancel(trigger_id)

    async def gtt_orders(self) -> BookRows[Gtt]:
        self._require(self.traits.gtt, GTTS)
        return await self._api.gtt_orders()

    def _require(self, trait: bool, name: str) -> None:
        if not trait:
            raise NotSupported(f"{self._spec.title} has no {name}.")
        self._require_login()

    # -- changes ----------------------------------------------------------------------------
    def pushed(self, row: Mapping[str, Any]) -> None:
        """An order message of the broker; of one that cannot be read, or whose status nobody
        knows, the book has to tell."""
        orders = self._api.read_orders([row])
        if orders.partial or any(order.status is OrderStatus.UNKNOWN for order in orders):
            self.on_odd_push()
        self._tell(orders)

    def forget(self) -> None:
        """Another account: nothing is known."""
        self._tracker.clear()
        self._has_book = False

    def _tell(self, orders: Sequence[Order]) -> None:
        for update in self._tracker.update(orders):
            self._listener(update)


class KitMarket:
    """A :class:`MarketSource`: REST snapshots, streamed ticks."""

    def __init__(
        self,
        spec: BrokerSpec,
        api: BrokerApi,
        require_login: Callable[[], None],
    ) -> None:
        self._spec = spec
        self._api = api
        self._stream: StreamClient | None = None
        self._feed_quotes: FeedQuotes | None = None
        self._depths: Depths | None = None
        self._require_login = require_login
        self._sink: Callable[[Tick], None] = lambda tick: None
        self._on_muted: Callable[[str], None] = lambda message: None
        self._on_refused: Callable[[Key, AppError], None] = lambda key, error: None
        self._mute = ""

    @property
    def broker(self) -> str:
        return self._spec.id

    def attach(self, stream: StreamClient, others: Sequence[StreamClient] = ()) -> None:
        """The feed that the prices come from, and feeds that have deeper books only."""
        self._stream = stream
        self._depths = Depths((stream, *others))
        for other in others:
            other.listener.tick = self._sink_now
            other.listener.refused = self._depths.refused
        if self._spec.capabilities.feed_quotes:
            self._feed_quotes = FeedQuotes(stream)

    def set_sink(self, sink: Callable[[Tick], None]) -> None:
        self._sink = sink

    def set_reports(
        self, muted: Callable[[str], None], refused: Callable[[Key, AppError], None]
    ) -> None:
        self._on_muted, self._on_refused = muted, refused
        if self._mute:
            muted(self._mute)

    def publish(self, tick: Tick) -> None:
        """A streamed tick."""
        if self._feed_quotes is not None and not self._feed_quotes.saw(tick):
            return  # nobody watches it, it was asked for once
        self._sink(tick if self._depths is None else self._depths.shown(tick))

    def _sink_now(self, tick: Tick) -> None:
        self._sink(tick)

    def muted(self, message: str) -> None:
        """The feed went mute, or (empty) speaks again or is gone altogether."""
        if message != self._mute:
            self._mute = message
            self._on_muted(message)

    def lost(self) -> None:
        """The feed is down, mute or at its end."""
        if self._feed_quotes is not None:
            self._feed_quotes.lost()

    def refused(self, key: Key, error: AppError) -> None:
        """The feed will not stream an instrument after all."""
        if self._feed_quotes is None or self._feed_quotes.refused(key, error):
            self._on_refused(key, error)

    async def subscribe(self, wanted: Mapping[Key, FeedMode]) -> dict[Key, AppError]:
        """Kept over reconnects and logins; before the login they wait for it."""
        if self._feed_quotes is not None:
            return self._feed_quotes.subscribe(wanted)
        if self._stream is None:
            error = NotSupported(f"{self._spec.title} has no market feed.")
            return dict.fromkeys(wanted, error)
        return self._stream.subscribe(wanted)

    async def unsubscribe(self, keys: Sequence[Key]) -> None:
        if self._feed_quotes is not None:
            self._feed_quotes.unsubscribe(keys)
        elif self._stream is not None:
            self._stream.unsubscribe(keys)

    @property
    def depth_levels(self) -> tuple[int, ...]:
        return self._depths.offered if self._depths is not None else ()

    def deepen(self, key: Key, levels: int) -> Callable[[], None]:
        """Have so many depth levels of an instrument whenever its depth is streamed, as far as
        the feeds offer them; the fullest wish holds. Gives the end of this wish. Raises what a
        feed refuses."""
        return self._depths.deepen(key, levels) if self._depths is not None else lambda: None

    async def quotes(self, keys: Sequence[Key]) -> dict[Key, Tick | AppError]:
        self._require_login()
        if self._feed_quotes is not None:
            return await self._feed_quotes.quotes(keys)
        return await self._api.quotes(keys)

    async def depth(self, key: Key) -> Tick:
        self._require_login()
        if self._feed_quotes is not None:
            tick = depth_of((await self._feed_quotes.quotes([key]))[key])
            return padded(tick, self._spec.capabilities.depth_levels)
        return await self._api.depth(key)

    async def history(self, key: Key, interval: Interval, start: date, end: date) -> Bars:
        self._require_login()
        return await self._api.history(key, interval, start, end)

    def intervals(self) -> Sequence[Interval]:
        return self._api.intervals()

    def history_days(self, interval: Interval) -> int:
        return self._api.history_days(interval)
