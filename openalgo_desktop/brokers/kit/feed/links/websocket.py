"""A connection that carries frames: the seam between the stream client and a transport."""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from openalgo_desktop.brokers.kit.feed.codec import Frame, Message
from openalgo_desktop.brokers.kit.feed.links.base import (
    CLOSE_TIMEOUT,
    MAX_QUEUE,
    OPEN_TIMEOUT,
    Address,
    Link,
    LinkClosed,
)
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.errors import AppError, NetError, NetTimeout, ProtocolError, RateLimited
from openalgo_desktop.core.proxies import goes_direct, proxy_problem

# At DEBUG it writes addresses and headers, and those carry keys.
logging.getLogger("websockets.client").setLevel(logging.WARNING)

#: Protocol pings where the spec has none of its own: they find a dead line that says nothing.
PING_INTERVAL = 15.0
PING_TIMEOUT = 10.0


class WebSocketLink:
    """A link over the ``websockets`` client."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, frame: Frame) -> None:
        if isinstance(frame, Message):
            raise ProtocolError("A WebSocket has no topics.")
        try:
            await self._connection.send(frame)
        except ConnectionClosed as closed:
            raise _closed(closed) from None

    async def receive(self) -> Frame:
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            raise _closed(closed) from None

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._connection.close()
        except (TimeoutError, WebSocketException, OSError):
            self.abort()

    def abort(self) -> None:
        self._connection.transport.abort()


async def open_link(address: Address, spec: StreamSpec) -> Link:
    """Connect; see :data:`~.base.OpenLink` for the errors."""
    secure = address.url.startswith("wss:")
    own_ping = spec.ping > 0 and not spec.ping_frame
    try:
        connection = await connect(
            address.url,
            additional_headers=dict(address.headers),
            user_agent_header="openalgo-desktop",
            proxy=None if goes_direct(address.url) else True,
            # Reading the certificate store takes tens of milliseconds: not on the loop.
            ssl=await asyncio.to_thread(_tls) if secure else None,
            open_timeout=OPEN_TIMEOUT,
            close_timeout=CLOSE_TIMEOUT,
            ping_interval=spec.ping if own_ping else PING_INTERVAL,
            ping_timeout=PING_TIMEOUT,
            max_size=spec.max_frame,
            max_queue=MAX_QUEUE,
        )
    except InvalidStatus as refused:
        kind = refused.response.headers.get("content-type", "")
        raise _refused(refused.response.status_code, page="html" in kind.lower()) from None
    except TimeoutError:
        raise NetTimeout(f"The feed did not answer within {OPEN_TIMEOUT:g} s.") from None
    except ImportError as error:  # a SOCKS proxy needs a package of its own
        raise NetError(proxy_problem(str(error))) from None
    except (OSError, WebSocketException) as error:
        raise NetError(f"The feed cannot be reached ({type(error).__name__}).") from None
    return WebSocketLink(connection)


@functools.cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _closed(closed: ConnectionClosed) -> LinkClosed:
    received = closed.rcvd
    if received is None:
        return LinkClosed("The feed's connection broke.")
    reason = f": {received.reason}" if received.reason else ""
    return LinkClosed(f"The feed closed the connection ({received.code}{reason}).")


def _refused(status: int, *, page: bool = False) -> AppError:
    """``page``: a web page came, of somebody on the way and not of the feed."""
    if status in (401, 403) and not page:
        return DoubtfulSession(f"The feed refused the session (HTTP {status}).")
    if status == 429:
        return RateLimited("The feed takes no more connections now (HTTP 429).", retry_after=10.0)
    return NetError(f"The feed refused the connection (HTTP {status}).")
