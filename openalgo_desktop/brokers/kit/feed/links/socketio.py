"""Socket.IO over its WebSocket transport, by ``python-socketio``: events with their values.

Options of the spec: ``path`` (``socket.io`` unless said). The library's own reconnecting is off:
the lane reconnects. Engine.IO's server pings; the library drops a line without them.
Source: https://socket.io/docs/v4/socket-io-protocol/
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import aiohttp
import socketio

from openalgo_desktop.brokers.kit.feed.codec import Frame, Message
from openalgo_desktop.brokers.kit.feed.links.base import (
    CLOSE_TIMEOUT,
    OPEN_TIMEOUT,
    Address,
    Link,
    LinkClosed,
    refused,
    silence,
    unreachable,
)
from openalgo_desktop.brokers.kit.feed.links.inbox import LossyInbox
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.errors import AppError, ProtocolError
from openalgo_desktop.core.proxies import goes_direct

_LOGGER = "openalgo_desktop.library.socketio"
silence(_LOGGER)
#: Seconds beyond the server's ping interval after which a line is dead; servers allow more.
_PATIENCE = 5.0


class SocketIoLink:
    """A link over one Socket.IO client."""

    watched = True

    def __init__(self, max_frame: int, *, direct: bool) -> None:
        logger = logging.getLogger(_LOGGER)
        self._http = aiohttp.ClientSession(trust_env=not direct)
        self._client = socketio.AsyncClient(
            reconnection=False,
            logger=logger,
            engineio_logger=logger,
            handle_sigint=False,
            http_session=self._http,
            websocket_extra_options={"max_msg_size": max_frame},
        )
        self._inbox = LossyInbox()
        self._dead = False
        self._refusal = ""
        self._client.on("*", self._event)
        self._client.on("connect_error", self._refused)
        self._client.on("disconnect", self._over)

    # -- from the library -------------------------------------------------------------------
    def _event(self, event: str, *values: Any) -> None:
        data = values[0] if len(values) == 1 else list(values) if values else ""
        self._inbox.put(Message(event, data))

    def _refused(self, reason: Any = "") -> None:
        found = reason.get("message") if isinstance(reason, dict) else reason
        self._refusal = str(found or "no reason given")[:200]

    def _over(self, reason: Any = "") -> None:
        self._inbox.end(f"The feed's connection is over ({reason or 'no reason given'}).")

    # -- life -------------------------------------------------------------------------------
    async def open(self, address: Address) -> None:
        """Connect and wait until the server has let us in."""
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                await self._client.connect(
                    address.url,
                    headers=dict(address.headers),
                    transports=["websocket"],
                    socketio_path=(address.options.get("path") or "socket.io").strip("/"),
                    wait_timeout=OPEN_TIMEOUT,
                )
        except (OSError, aiohttp.ClientError, socketio.exceptions.ConnectionError) as error:
            raise self._problem(error) from None
        engine = self._client.eio
        engine.ping_timeout = min(engine.ping_timeout, _PATIENCE)

    def _problem(self, error: BaseException) -> AppError:
        if self._client.failed_namespaces:  # the server let us connect and then said no
            return DoubtfulSession(f"The feed refused the session ({self._refusal}).")
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, aiohttp.WSServerHandshakeError):
                kind = cause.headers.get("content-type", "") if cause.headers else ""
                return refused(cause.status, page="html" in kind.lower())
            cause = cause.__cause__ or cause.__context__
        return unreachable(error)

    @property
    def lost(self) -> int:
        return self._inbox.lost

    async def send(self, frame: Frame) -> None:
        if not isinstance(frame, Message):
            raise ProtocolError("Socket.IO sends events.")
        if self._inbox.why:
            raise LinkClosed(self._inbox.why)
        data = tuple(frame.data) if isinstance(frame.data, list) else frame.data
        try:
            await self._client.emit(frame.topic, None if data == "" else data)
        except socketio.exceptions.SocketIOError:
            raise LinkClosed("The feed's connection is over.") from None

    async def receive(self) -> list[Frame]:
        return await self._inbox.take()

    async def close(self) -> None:
        self._inbox.end("The feed's connection is closed.")
        if not self._dead:
            with contextlib.suppress(Exception):  # of a good-bye that nobody has to hear
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await self._client.disconnect()
        engine = self._client.eio
        parts = [part for part in (engine.read_loop_task, engine.write_loop_task) if part]
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
        await self._http.close()

    def abort(self) -> None:
        self._dead = True
        self._inbox.end("The feed's connection was dropped.")


async def open_link(address: Address, spec: StreamSpec) -> Link:
    """Connect; see :data:`.base.OpenLink` for the errors."""
    link = SocketIoLink(spec.max_frame, direct=goes_direct(address.url))
    try:
        await link.open(address)
    except BaseException:
        link.abort()
        await link.close()
        raise
    return link
