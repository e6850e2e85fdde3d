"""WebSocket over ``picows``, which takes frames apart in C: a fifth of the processor time of
``websockets`` for small frames (``bench/feed_clients.py``).

Compression is not offered: feeds send small frames, and brokers' servers do not use it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import picows
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport
from python_socks import ProxyError

from openalgo_desktop.brokers.kit.feed.codec import Frame, Message
from openalgo_desktop.brokers.kit.feed.links.base import (
    CLOSE_TIMEOUT,
    OPEN_TIMEOUT,
    Address,
    Link,
    LinkClosed,
    refused,
    tls,
    unreachable,
)
from openalgo_desktop.brokers.kit.feed.links.inbox import Inbox
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.errors import AppError, NetError, ProtocolError
from openalgo_desktop.core.proxies import proxy_for, proxy_problem

# What it has to say comes as exceptions, and at DEBUG it writes frames.
logging.getLogger("picows").setLevel(logging.CRITICAL)

#: Protocol pings where the spec has none of its own: they find a dead line that says nothing.
PING_INTERVAL = 15.0
PING_TIMEOUT = 10.0
#: A message comes in so many pieces at most: one of many tiny ones would only keep the loop busy.
_MOST_PIECES = 4096
#: Redirects that are followed (a feed that spreads its load).
_REDIRECTS = 3
#: Headers that another host does not get.
_PRIVATE = frozenset({"authorization", "cookie", "proxy-authorization"})
_NO_CODE = 1005  # RFC 6455, section 7.1.5: closed without a code
#: Bytes that are read at once. The library's buffer grows with what comes: after a burst one read
#: would bring a million tiny frames, and no other callback its turn before the last.
_SIP = 16 * 1024
#: Pings and pongs in one read: nobody needs more, and each ping costs an answer.
_MOST_CONTROLS = 200
_TEXT, _BINARY, _CONTINUATION = WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION
_PING, _PONG, _CLOSE = WSMsgType.PING, WSMsgType.PONG, WSMsgType.CLOSE


class _Sips(asyncio.BufferedProtocol):
    """The library's protocol, which gets a bounded part of what waits in each turn of the loop."""

    def __init__(self, inner: Any) -> None:
        self._buffer = inner.get_buffer
        # Bound here, not passed on: these run for each read.
        self.buffer_updated = inner.buffer_updated  # type: ignore[method-assign]
        self.eof_received = inner.eof_received  # type: ignore[method-assign]
        self.connection_lost = inner.connection_lost  # type: ignore[method-assign]
        self.pause_writing = inner.pause_writing  # type: ignore[method-assign]
        self.resume_writing = inner.resume_writing  # type: ignore[method-assign]

    def get_buffer(self, sizehint: int) -> memoryview:
        whole: memoryview = self._buffer(sizehint)
        return whole[:_SIP]


class WebSocketLink(WSListener):  # type: ignore[misc,unused-ignore]
    """A link that is the listener of its connection."""

    watched = False
    lost = 0

    __slots__ = (
        *(
            "_before",
            "_controls",
            "_given_up",
            "_inbox",
            "_max_frame",
            "_over",
            "_parts",
            "_ping_interval",
        ),
        *("_pongs", "_put", "_size", "_text", "_timers", "_transport", "_writable"),
    )

    def __init__(self, max_frame: int, ping: float) -> None:
        self._max_frame = max_frame
        self._ping_interval = ping
        self._transport: WSTransport | None = None
        self._inbox = Inbox(self._pause, self._resume)
        self._put = self._inbox.put
        self._parts: list[bytes] | None = None  # of a message that comes in pieces
        self._size = 0  # of the pieces together, in bytes
        self._text = False  # what the pieces make
        self._writable = asyncio.Event()
        self._pongs = 0
        self._controls = 0  # in this read
        self._before = 0  # what had come when a ping was sent
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._over: asyncio.Task[None] | None = None
        self._given_up = False

    @property
    def _heard(self) -> int:
        return self._inbox.count + self._pongs

    @property
    def opened(self) -> bool:
        """Whether the connection came about."""
        return self._transport is not None

    # -- from the library -------------------------------------------------------------------
    def on_ws_connected(self, transport: WSTransport) -> None:
        if self._given_up:
            transport.disconnect(False)
            return
        self._transport = transport
        line = transport.underlying_transport
        line.set_protocol(_Sips(line.get_protocol()))
        self._writable.set()
        self._over = asyncio.create_task(self._until_over(transport), name="websocket link")
        self._later("ping", self._ping_interval, self._ping)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        # Runs for every frame of a feed: each attribute here is counted in bench/feed_clients.py.
        kind = frame.msg_type
        if transport.is_close_frame_sent and kind is not _CLOSE:
            return  # nobody reads any more, or what came was against the rules
        if kind is _BINARY and frame.fin and self._parts is None:
            self._put(frame.get_payload_as_bytes())
        elif kind is _TEXT and frame.fin and self._parts is None:
            self._put(frame.get_payload_as_utf8_text())
        elif kind is _TEXT or kind is _BINARY or kind is _CONTINUATION:
            self._piece(frame, kind)
        elif kind is _PING or kind is _PONG:
            self._control(transport, frame, kind)
        elif kind is _CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def _control(self, transport: WSTransport, frame: WSFrame, kind: WSMsgType) -> None:
        self._controls = 0 if frame.last_in_buffer else self._controls + 1
        if self._controls > _MOST_CONTROLS:
            raise picows.WSProtocolError(WSCloseCode.POLICY_VIOLATION, "too many pings")
        if kind is _PING:
            transport.send_pong(frame.get_payload_as_bytes())
        else:
            self._pongs += 1

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _piece(self, frame: WSFrame, kind: WSMsgType) -> None:
        if (kind is _CONTINUATION) is (self._parts is None):
            raise picows.WSProtocolError(WSCloseCode.PROTOCOL_ERROR, "pieces out of order")
        if self._parts is None:
            self._parts, self._size, self._text = [], 0, kind is _TEXT
        piece = frame.get_payload_as_bytes()
        self._parts.append(piece)
        self._size += len(piece)
        if self._size > self._max_frame:
            raise picows.WSProtocolError(WSCloseCode.MESSAGE_TOO_BIG, "message too big")
        if len(self._parts) > _MOST_PIECES:
            raise picows.WSProtocolError(WSCloseCode.MESSAGE_TOO_BIG, "too many pieces")
        if frame.fin:
            whole, self._parts = b"".join(self._parts), None
            self._put(whole.decode() if self._text else whole)

    async def _until_over(self, transport: WSTransport) -> None:
        """Wait for the end of the connection and say why it came."""
        why = "The feed's connection broke."
        try:
            await transport.wait_disconnected()
        except picows.WSProtocolError as error:
            why = f"The feed broke the rules of WebSockets: {error}"
        except UnicodeDecodeError:
            why = "The feed sent text that is not UTF-8."
        except Exception as error:
            why = f"The feed's connection failed ({type(error).__name__})."
        handshake = transport.close_handshake
        if handshake is not None and handshake.recv is not None:
            code, reason = handshake.recv.code.value or _NO_CODE, handshake.recv.reason
            why = f"The feed closed the connection ({code}{f': {reason}' if reason else ''})."
        for timer in self._timers.values():
            timer.cancel()
        self._inbox.end(why)
        self._writable.set()  # who waits to send must hear of it

    # -- back-pressure and pings ------------------------------------------------------------
    def _pause(self) -> None:
        if self._transport is not None:
            self._transport.underlying_transport.pause_reading()

    def _resume(self) -> None:
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.underlying_transport.resume_reading()

    def _later(self, name: str, seconds: float, what: Callable[[], None]) -> None:
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, what)

    def _ping(self) -> None:
        """Ask whether the line lives. Whatever comes is an answer: some servers know no pong."""
        if self._transport is None or self._transport.is_close_frame_sent:
            return
        self._transport.send_ping()
        self._later("ping", self._ping_interval, self._ping)
        if "answer" not in self._timers:  # pings may follow faster than their time limit
            self._before = self._heard
            self._later("answer", PING_TIMEOUT, self._judge)

    def _judge(self) -> None:
        del self._timers["answer"]
        if self._heard == self._before and not self._inbox.paused:
            self._inbox.end("The feed did not answer a ping.")
            self.abort()

    # -- the link ---------------------------------------------------------------------------
    async def send(self, frame: Frame) -> None:
        if isinstance(frame, Message):
            raise ProtocolError("A WebSocket has no topics.")
        await self._writable.wait()
        transport = self._transport
        if transport is None or transport.is_close_frame_sent or transport.is_disconnected:
            raise LinkClosed(self._inbox.why or "The feed's connection is closed.")
        transport.send(_TEXT if isinstance(frame, str) else _BINARY, frame)

    async def receive(self) -> list[Frame]:
        return await self._inbox.take()

    async def close(self) -> None:
        if self._transport is None or self._over is None:
            return
        if not self._transport.is_disconnected:
            self._inbox.end("The feed's connection is closed.")
            self._transport.send_close(WSCloseCode.OK)
            if self._inbox.paused:  # else their good-bye is never read
                self._resume()
            await asyncio.wait((self._over,), timeout=CLOSE_TIMEOUT)
        if not self._over.done():
            self.abort()
            await asyncio.wait((self._over,), timeout=CLOSE_TIMEOUT)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.disconnect(False)

    def give_up(self) -> None:
        """Nobody waits for this connection any more, should it still come about."""
        self._given_up = True
        self.abort()


async def open_link(address: Address, spec: StreamSpec) -> Link:
    """Connect; see :data:`.base.OpenLink` for the errors."""
    own_ping = spec.ping > 0 and not spec.ping_frame
    link = WebSocketLink(spec.max_frame, spec.ping if own_ping else PING_INTERVAL)
    connected = False
    try:
        async with asyncio.timeout(OPEN_TIMEOUT):
            await _connect(link, address.url, dict(address.headers), spec.max_frame)
        connected = True
    except picows.WSInvalidStatusError as error:
        raise _refusal(error) from None
    except ProxyError:
        raise NetError("The proxy refuses the connection to the feed.") from None
    except (OSError, picows.WSError) as error:  # a timeout is an OSError, too
        raise unreachable(error, OPEN_TIMEOUT) from None
    finally:
        if not connected:  # a stop may meet the moment in which it opens
            link.give_up()
    return link


async def _connect(link: WebSocketLink, url: str, headers: dict[str, str], max_frame: int) -> None:
    for _ in range(_REDIRECTS + 1):
        try:
            # Reading the certificate store takes tens of milliseconds: not on the loop.
            context = await asyncio.to_thread(tls) if url.startswith("wss:") else None
            await picows.ws_connect(
                lambda: link,
                url,
                ssl_context=context,
                websocket_handshake_timeout=OPEN_TIMEOUT,
                max_frame_size=max_frame,
                extra_headers={"User-Agent": "openalgo-desktop", **headers},
                enable_auto_pong=False,
                max_redirects=0,  # it would hand our headers to whoever is named
                proxy=_proxy(url),
                use_aiofastnet=False,  # the loop's own sockets: uvloop's, Qt's, Windows'
            )
        except picows.WSInvalidStatusError as error:
            url, headers = _redirected(url, headers, error)
        else:
            if not link.opened:
                raise NetError("The feed closed the connection before it answered.")
            return
    raise NetError(f"The feed redirects more than {_REDIRECTS} times.")


def _redirected(
    url: str, headers: dict[str, str], error: picows.WSInvalidStatusError
) -> tuple[str, dict[str, str]]:
    """Where to go instead, and with which headers; ``error`` again when it is no redirect."""
    answer = error.response
    place = answer.headers.get("location") if answer is not None else None
    if answer is None or answer.status // 100 != 3 or not place:
        raise error
    old, new = urlsplit(url), urlsplit(urljoin(url, place))
    if new.scheme not in ("ws", "wss") or (old.scheme == "wss" and new.scheme != "wss"):
        raise NetError("The feed redirects to an address that is not safe.") from None
    if (old.scheme, old.netloc) != (new.scheme, new.netloc):
        headers = {name: text for name, text in headers.items() if name.lower() not in _PRIVATE}
    return new.geturl(), headers


def _refusal(error: picows.WSInvalidStatusError) -> AppError:
    answer = error.response
    if answer is None:
        return NetError("The feed cannot be reached.")
    return refused(
        int(answer.status), page="html" in answer.headers.get("content-type", "").lower()
    )


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for ``url``."""
    proxy = proxy_for(url)
    if proxy is not None and not proxy.startswith(("http://", "https://")):
        raise NetError(proxy_problem(proxy.partition(":")[0]))
    return proxy
