"""MQTT 3.1.1 by ``aiomqtt``, over TCP, TLS or a WebSocket: messages of topics.

Addresses: ``mqtt://host:port``, ``mqtts://…`` (TLS), ``ws://…``, ``wss://…``. Options of the
spec: ``username``, ``password``, ``client_id``. Topics are asked for in groups without waiting
here; what the broker says of each comes back as a frame.
Source: http://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

import aiomqtt

from openalgo_desktop.brokers.kit.feed.codec import Frame, Message, Topic
from openalgo_desktop.brokers.kit.feed.links.base import (
    CLOSE_TIMEOUT,
    OPEN_TIMEOUT,
    Address,
    Link,
    LinkClosed,
    silence,
    tls,
    unreachable,
)
from openalgo_desktop.brokers.kit.feed.links.inbox import LossyInbox
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.errors import AppError, NetError, NetTimeout, ProtocolError

_LOGGER = "openalgo_desktop.library.mqtt"
silence(_LOGGER)
#: Topics of one SUBSCRIBE packet; brokers allow a hundred to a thousand.
_GROUP = 100
#: CONNACK answers that speak of the log-in (identifier, user name or password, not authorised),
#: in the numbers of MQTT 5, which the library gives for both versions.
_LOG_IN = frozenset({133, 134, 135})
_REFUSED = 0x80  # SUBACK: this and above
#: Seconds between heartbeats where the spec says nothing.
_KEEPALIVE = 15.0
_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}


class _Handover(asyncio.Queue[aiomqtt.Message]):
    """In place of the library's own queue: messages go into the inbox as they come."""

    def __init__(self, inbox: LossyInbox) -> None:
        super().__init__()
        self._inbox = inbox

    def put_nowait(self, item: aiomqtt.Message) -> None:
        self._inbox.put(Message(item.topic.value, item.payload))


class MqttLink:
    """A link over one MQTT client."""

    watched = True

    def __init__(self, client: aiomqtt.Client, inbox: LossyInbox, *, confirms: bool) -> None:
        self._client = client
        self._inbox = inbox
        self._confirms = confirms
        self._asked: list[tuple[bool, str]] = []  # topics to subscribe (True) or not any more
        self._more = asyncio.Event()
        self._parts: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect and wait for the broker's answer."""
        # The library connects in a thread, which cannot be cancelled: when it comes too late,
        # what it made is dropped.
        entering = asyncio.ensure_future(self._client.__aenter__())
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                await asyncio.shield(entering)
        except aiomqtt.MqttError as error:
            raise _problem(error) from None
        except BaseException as error:
            entering.add_done_callback(self._late)
            if isinstance(error, TimeoutError):
                raise unreachable(error) from None
            raise
        self._parts = [
            asyncio.create_task(part, name=f"mqtt link {name}")
            for name, part in (("end", self._until_over()), ("topics", self._ask()))
        ]

    def _late(self, entering: asyncio.Future[Any]) -> None:
        if not entering.cancelled() and entering.exception() is None:
            self.abort()

    async def _until_over(self) -> None:
        try:
            async for _ in self._client.messages:  # none: they go into the inbox
                pass
        except aiomqtt.MqttError as error:
            cause = error.__cause__ or error
            self._inbox.end(f"The feed's connection broke ({type(cause).__name__}).")

    # -- topics -----------------------------------------------------------------------------
    async def _ask(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            asked, self._asked = self._asked, []
            for on, rows in groupby(asked, lambda row: row[0]):
                topics = [topic for _, topic in rows]
                for start in range(0, len(topics), _GROUP):
                    await self._group(topics[start : start + _GROUP], on=on)

    async def _group(self, topics: Sequence[str], *, on: bool) -> None:
        try:
            if not on:
                await self._client.unsubscribe(list(topics))
                return
            codes = await self._client.subscribe([(topic, 0) for topic in topics])
        except (aiomqtt.MqttError, ValueError) as error:
            self._inbox.end(f"The feed did not take a subscription ({type(error).__name__}).")
            return
        for topic, code in zip(topics, codes, strict=False):
            number = code if isinstance(code, int) else code.value  # type: ignore[attr-defined]
            if number >= _REFUSED:
                self._inbox.put(Message(topic, Topic(f"refused by the feed (code {number})")))
            elif self._confirms:
                self._inbox.put(Message(topic, Topic()))

    # -- the link ---------------------------------------------------------------------------
    @property
    def lost(self) -> int:
        return self._inbox.lost

    async def send(self, frame: Frame) -> None:
        if not isinstance(frame, Message):
            raise ProtocolError("MQTT has topics only.")
        if self._inbox.why:
            raise LinkClosed(self._inbox.why)
        if frame.data is None or frame.data == "":
            self._asked.append((frame.data is not None, frame.topic))
            self._more.set()
            return
        try:
            await self._client.publish(frame.topic, frame.data)
        except aiomqtt.MqttError:
            raise LinkClosed("The feed's connection broke.") from None

    async def receive(self) -> list[Frame]:
        return await self._inbox.take()

    async def close(self) -> None:
        alive = not self._inbox.why
        self._inbox.end("The feed's connection is closed.")
        for part in self._parts:
            part.cancel()
        await asyncio.gather(*self._parts, return_exceptions=True)
        if alive:
            self._client.timeout = CLOSE_TIMEOUT
            with contextlib.suppress(aiomqtt.MqttError):
                await self._client.__aexit__(None, None, None)
        self.abort()

    def abort(self) -> None:
        self._inbox.end("The feed's connection was dropped.")
        self._client._client._sock_close()  # the library knows only a good-bye


def _problem(error: aiomqtt.MqttError) -> AppError:
    code = getattr(error, "rc", None)
    number = getattr(code, "value", code)
    if number in _LOG_IN:
        return DoubtfulSession(f"The feed refused the session ({code}).")
    if "timed out" in str(error):
        return NetTimeout(f"The feed did not answer within {OPEN_TIMEOUT:g} s.")
    return NetError("The feed cannot be reached." if code is None else f"The feed: {code}.")


async def open_link(address: Address, spec: StreamSpec) -> Link:
    """Connect; see :data:`~.base.OpenLink` for the errors."""
    parts = urlsplit(address.url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ProtocolError("The address of the feed is none of MQTT.")
    options, inbox = address.options, LossyInbox()
    web = parts.scheme in ("ws", "wss")
    # A dead line is found after two intervals.
    keepalive = spec.ping or spec.silence / 2 or _KEEPALIVE
    client = aiomqtt.Client(
        parts.hostname,
        parts.port or _PORTS[parts.scheme],
        username=options.get("username"),
        password=options.get("password"),
        identifier=options.get("client_id"),
        logger=logging.getLogger(_LOGGER),
        queue_type=lambda maxsize: _Handover(inbox),  # type: ignore[arg-type]
        transport="websockets" if web else "tcp",
        timeout=OPEN_TIMEOUT,
        keepalive=max(1, round(keepalive)),
        tls_context=await asyncio.to_thread(tls) if parts.scheme in ("mqtts", "wss") else None,
        websocket_path=(parts.path or "/mqtt") if web else None,
        websocket_headers=dict(address.headers) if web else None,
    )
    link = MqttLink(client, inbox, confirms=spec.confirms > 0)
    await link.open()
    return link
