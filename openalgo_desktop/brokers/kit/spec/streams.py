"""Market and order feeds as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from openalgo_desktop.brokers.kit.spec.logins import Call
from openalgo_desktop.core.enums import FeedMode

#: What a stream may carry.
MARKET = "market"
ORDERS = "orders"
#: Modules of ``kit.feed.links``, and the options that each takes.
TRANSPORTS: Mapping[str, frozenset[str]] = {
    "websocket": frozenset(),
    "socketio": frozenset({"path"}),
    "mqtt": frozenset({"username", "password", "client_id"}),
    "nats": frozenset({"username", "password", "token", "jwt", "seed"}),
}


class StreamSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One feed: market data, order updates, or both on one socket (``carries``).

    ``url`` is a template relative to host ``host``; ``fetch`` are requests made before each
    connecting, whose values (socket tokens, addresses) join those of the session for ``url``,
    ``headers``, ``options`` and the codec (lists and tables as they are).
    ``codec(instruments, clock, values)`` makes the object that knows the wire: see
    ``kit.feed.codec.StreamCodec``. ``options`` are the transport's own
    (Socket.IO: ``path``; MQTT: ``username``, ``password``, ``client_id``; templates).

    ``silence``: seconds without any frame (heartbeats count) after which the socket is dropped;
    ``mute``: seconds without a market frame in market hours after which the feed is reported
    stale. ``ping``: seconds between our heartbeats, 0 = none. ``confirms``: seconds within which
    each subscription must be acknowledged (the codec says ``Confirmed``), 0 = the feed does not.
    ``renew``: the second session (``BrokerSpec.renewals``) that it is logged in with; a refusal
    then begins a new one instead of ending the account's. ``levels``: depth levels that may be
    subscribed, the usual one first. The first market stream has the prices; further ones are for
    books of more levels than it offers.
    """

    url: str
    codec: Callable[..., Any]
    id: str = "market"
    carries: frozenset[str] = frozenset({MARKET})
    host: str = "stream"
    transport: str = "websocket"  # of TRANSPORTS
    headers: Mapping[str, str] = {}
    options: Mapping[str, str] = {}
    fetch: tuple[Call, ...] = ()
    renew: str = ""
    modes: Mapping[FeedMode, str] = {}
    levels: tuple[int, ...] = (5,)
    per_socket: int = 1000
    sockets: int = 1
    batch: int = 200
    confirms: float = 0.0
    ping: float = 0.0
    ping_frame: str | bytes = b""  # empty: a WebSocket ping
    silence: float = 15.0
    mute: float = 30.0
    max_frame: int = 1 << 20
    backoff: tuple[float, float] = (1.0, 60.0)

    @property
    def market(self) -> bool:
        """Whether prices come on it."""
        return MARKET in self.carries

    @property
    def orders(self) -> bool:
        """Whether order updates come on it."""
        return ORDERS in self.carries
