"""Ticks and order events to WebSocket clients: each is encoded once and shared by all receivers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.enums import FeedMode, KeyRights, Mode
from openalgo_desktop.core.events import FeedRefused, OrderNamed, OrderUpdated
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.local_api.ws_client import Client
from openalgo_desktop.local_api.ws_frames import (
    DEPTH_LEVELS,
    json_frame,
    market_frame,
    order_message,
    refusal_frame,
)
from openalgo_desktop.market.hub import MarketHub

#: Orders whose last published state is remembered to leave out repetitions.
_REMEMBERED_ORDERS = 10_000


@dataclass(eq=False, slots=True)
class Stream:
    """One shape of frames: a symbol as clients wrote it, a mode and a number of levels."""

    key: Key
    symbol: str
    mode: FeedMode
    levels: int
    clients: dict[Client, None] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class _Topic:
    """The streams of one instrument and its one subscription at the hub."""

    mode: FeedMode
    stop: Callable[[], None]
    streams: dict[tuple[str, FeedMode, int], Stream] = field(default_factory=dict)
    levels: int = DEPTH_LEVELS  # that the hub was asked for
    shallow: Callable[[], None] | None = None  # ends the wish for more than the usual ones


class Fanout:
    """Who gets which tick. Subscriptions are counted here; the hub sees one watch an instrument,
    at the highest mode that anybody wants."""

    def __init__(self, hub: MarketHub, broker: Callable[[], str]) -> None:
        self._hub = hub
        self._broker = broker
        self._topics: dict[Key, _Topic] = {}

    # -- subscriptions ----------------------------------------------------------------------
    def subscribe(self, client: Client, key: Key, symbol: str, mode: FeedMode, levels: int) -> None:
        """Add a stream to ``client``; the last known tick follows at once when it is rich enough
        and the feed is up. Asking again changes nothing but the number of levels."""
        held = client.subscriptions.get((key[0], symbol, mode))
        if held is not None:
            if held.levels == levels:
                return
            self._leave(client, held)
        topic = self._topic(key, mode)
        self._deepen(key, topic, max(levels, topic.levels))
        shape = (symbol, mode, levels)
        stream = topic.streams.get(shape)
        if stream is None:
            stream = topic.streams[shape] = Stream(key, symbol, mode, levels)
        stream.clients[client] = None
        client.subscriptions[key[0], symbol, mode] = stream
        cached = self._hub.fresh(key)
        if cached is not None and cached.mode >= mode:
            frame = market_frame(cached, symbol, mode, levels, self._broker())
            client.push_market(stream, frame)
        elif reason := self._hub.refusal(key):
            client.push(refusal_frame(symbol, key, reason, self._broker()))

    def offered(self, levels: int) -> int:
        """Levels a side that come when so many are asked for: as many up to the usual ones, of
        more the most that the data account streams and that are not above them."""
        if levels <= DEPTH_LEVELS:
            return levels
        return max((n for n in self._hub.depth_levels if n <= levels), default=DEPTH_LEVELS)

    def _deepen(self, key: Key, topic: _Topic, levels: int) -> None:
        """Have so many levels of an instrument: the most that one of its streams has."""
        if levels == topic.levels:
            return
        former, topic.levels = topic.shallow, levels
        topic.shallow = self._hub.deepen(key, levels) if levels > DEPTH_LEVELS else None
        if former is not None:
            former()

    def unsubscribe(self, client: Client, exchange: str, symbol: str, mode: FeedMode) -> bool:
        """Remove one stream of ``client``; False when it had none."""
        stream = client.subscriptions.pop((exchange, symbol, mode), None)
        if stream is None:
            return False
        self._leave(client, stream)
        return True

    def remove(self, client: Client) -> None:
        """Remove everything of ``client``."""
        for stream in client.subscriptions.values():
            self._leave(client, stream)
        client.subscriptions.clear()

    def _topic(self, key: Key, mode: FeedMode) -> _Topic:
        topic = self._topics.get(key)
        if topic is None:
            topic = self._topics[key] = _Topic(mode, self._hub.watch(key, mode, self.publish))
        elif topic.mode < mode:
            self._rewatch(key, topic, mode)
        return topic

    def _rewatch(self, key: Key, topic: _Topic, mode: FeedMode) -> None:
        stop, topic.mode = topic.stop, mode
        topic.stop = self._hub.watch(key, mode, self.publish)
        stop()

    def _leave(self, client: Client, stream: Stream) -> None:
        stream.clients.pop(client, None)
        client.forget(stream)
        if stream.clients:
            return
        topic = self._topics[stream.key]
        topic.streams.pop((stream.symbol, stream.mode, stream.levels), None)
        if not topic.streams:
            del self._topics[stream.key]
            self._deepen(stream.key, topic, DEPTH_LEVELS)
            topic.stop()
            return
        most = max(row.levels for row in topic.streams.values())
        self._deepen(stream.key, topic, max(most, DEPTH_LEVELS))
        wanted = max(row.mode for row in topic.streams.values())
        if wanted < topic.mode:
            self._rewatch(stream.key, topic, wanted)

    @property
    def instruments(self) -> int:
        """Instruments that some client follows."""
        return len(self._topics)

    # -- ticks ------------------------------------------------------------------------------
    def publish(self, tick: Tick) -> None:
        """One tick to every stream that it can fill: a frame per subscribed mode, each with its
        own label."""
        topic = self._topics.get((tick.exchange, tick.symbol))
        if topic is None:
            return
        broker = self._broker()
        for stream in tuple(topic.streams.values()):
            if stream.mode > tick.mode:
                continue
            frame = market_frame(tick, stream.symbol, stream.mode, stream.levels, broker)
            for client in stream.clients:
                client.push_market(stream, frame)

    def refused(self, event: FeedRefused) -> None:
        """The feed will not stream an instrument: who asked for it is told. The subscription
        stays, for the feed may have it again."""
        topic = self._topics.get(event.key)
        if topic is None or not event.reason:
            return
        for stream in topic.streams.values():
            frame = refusal_frame(stream.symbol, event.key, event.reason, self._broker())
            for client in stream.clients:
                client.push(frame)


class OrderStream:
    """Order updates to the clients that asked for them, without repetitions."""

    def __init__(
        self, hub: MarketHub, user_id: str, data_account: Callable[[], str] = lambda: ""
    ) -> None:
        self._hub = hub
        self._user_id = user_id
        self._data_account = data_account
        self._clients: dict[Client, None] = {}
        self._published: OrderedDict[tuple[str, str], tuple[Any, ...]] = OrderedDict()

    def add(self, client: Client) -> None:
        """Begin to send order updates to ``client``; earlier events are not repeated."""
        client.orders = True
        self._clients[client] = None

    def remove(self, client: Client) -> None:
        """Stop sending order updates to ``client``."""
        client.orders = False
        self._clients.pop(client, None)

    def publish(self, event: OrderUpdated) -> None:
        """One order event; the same state told twice (two sources of one broker) is sent once."""
        order = event.order
        identity = (event.account_id, order.order_id)
        state = (
            order.status,
            order.filled_quantity,
            order.quantity,
            order.price,
            order.trigger_price,
            order.price_type,
        )
        if self._published.get(identity) == state:
            return
        self._published[identity] = state
        self._published.move_to_end(identity)
        if len(self._published) > _REMEMBERED_ORDERS:
            self._published.popitem(last=False)
        if not self._clients:
            return
        self._send(event, lambda key: True)

    def named(self, event: OrderNamed) -> None:
        """An order that had no name when it was told: the keys of its strategy hear of it now."""
        told = OrderUpdated(
            account_id=event.account_id, mode=event.mode, broker=event.broker, order=event.order
        )
        self._send(told, lambda key: bool(key.strategy))

    def _send(self, event: OrderUpdated, wants: Callable[[ApiKey], bool]) -> None:
        hears = [
            client
            for client in self._clients
            if client.key is not None and wants(client.key) and self._may_see(client.key, event)
        ]
        if not hears:
            return
        latest = self._hub.fresh(event.order.key)
        message = order_message(event, self._user_id, latest.ltp if latest is not None else 0.0)
        frame = json_frame(message)
        for client in hears:
            client.push(frame)

    def _may_see(self, key: ApiKey, event: OrderUpdated) -> bool:
        """Whether the owner of ``key`` may hear of this order: sandbox keys never of live orders,
        a key bound to an account only of that account (and of its paper twin), one of a mode or a
        strategy only of that."""
        if key.rights is KeyRights.SANDBOX and event.mode is Mode.LIVE:
            return False
        if key.mode not in (None, event.mode) or key.strategy not in ("", event.order.strategy):
            return False
        bound = key.account_id
        if not bound or event.account_id in (bound, f"sandbox:{bound}"):
            return True
        return event.mode is Mode.SANDBOX and bound == self._data_account()
