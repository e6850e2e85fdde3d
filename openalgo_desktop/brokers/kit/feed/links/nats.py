"""NATS by ``nats-py``, over TCP, TLS or a WebSocket: messages of subjects.

Addresses: ``nats://host:port``, ``tls://…`` (TLS from the first byte: a server's word on it is not
asked), ``ws://…``, ``wss://…``. Options of the spec:
``username`` and ``password``, ``token``, or ``jwt`` with ``seed`` (an nkey: base32 of two prefix
bytes, 32 bytes of an Ed25519 key and a checksum) which signs the server's nonce.
Source: https://docs.nats.io/reference/reference-protocols/nats-protocol
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import nats.errors
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.aio.client import Client
from nats.aio.subscription import Subscription

from openalgo_desktop.brokers.kit.feed.codec import Frame, Message, Topic
from openalgo_desktop.brokers.kit.feed.links.base import (
    CLOSE_TIMEOUT,
    OPEN_TIMEOUT,
    Address,
    Link,
    LinkClosed,
    refused,
    silence,
    tls,
    unreachable,
)
from openalgo_desktop.brokers.kit.feed.links.inbox import Inbox
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.errors import AppError, NetError, ProtocolError

silence("nats", "nats.aio.client")
#: Seconds between heartbeats where the spec says nothing.
_PING = 15.0
_LOG_IN = re.compile(r"authori[sz]ation|authentication|user .*expired", re.I)
_DENIED = re.compile(r"permissions violation for subscription to \"?([^\"']+)", re.I)


class _Client(Client):
    """Hands messages over as they are parsed. The library's own way has a queue and a task per
    subject, and drops the newest message of a burst."""

    def __init__(self, inbox: Inbox, room: asyncio.Event) -> None:
        super().__init__()
        self._ours, self._room = inbox, room

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes
    ) -> None:
        self._ours.put(Message(subject.decode(), bytes(data)))
        self._pings_outstanding = 0  # whatever comes is a sign of life
        await self._room.wait()  # while nobody reads, neither do we


class NatsLink:
    """A link over one NATS client."""

    watched = True
    lost = 0

    def __init__(self, *, confirms: bool) -> None:
        room = asyncio.Event()
        room.set()
        self._inbox = Inbox(room.clear, room.set)
        self._client = _Client(self._inbox, room)
        self._confirms = confirms
        self._topics: dict[str, Subscription] = {}
        self._refusal: Exception | None = None
        self._dead = False

    # -- from the library -------------------------------------------------------------------
    async def _trouble(self, error: Exception) -> None:
        if found := _DENIED.search(str(error)):
            # The library gives the server's words in lower case.
            for topic in [topic for topic in self._topics if topic.lower() == found[1].lower()]:
                del self._topics[topic]
                self._inbox.put(Message(topic, Topic("refused by the feed (no permission)")))
        else:
            self._refusal = error

    async def _over(self) -> None:
        error = self._client.last_error or self._refusal
        if error is not None and _LOG_IN.search(str(error)):
            self._inbox.end("The feed ended the session.")
        reason = f" ({type(error).__name__})" if error is not None else ""
        self._inbox.end(f"The feed's connection broke{reason}.")

    # -- life -------------------------------------------------------------------------------
    async def open(self, address: Address, spec: StreamSpec) -> None:
        """Connect and wait until the server has taken the log-in."""
        scheme = urlsplit(address.url).scheme
        options = address.options
        jwt = options.get("jwt", "")
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                await self._client.connect(
                    address.url,
                    error_cb=self._trouble,
                    closed_cb=self._over,
                    allow_reconnect=False,
                    max_reconnect_attempts=1,  # 0 is without end
                    reconnect_time_wait=0,
                    connect_timeout=int(OPEN_TIMEOUT),
                    # A dead line is found after two intervals.
                    ping_interval=spec.ping or spec.silence / 2 or _PING,  # type: ignore[arg-type]
                    max_outstanding_pings=1,
                    tls=await asyncio.to_thread(tls) if scheme in ("tls", "wss") else None,
                    tls_handshake_first=scheme == "tls",
                    user=options.get("username"),
                    password=options.get("password"),
                    token=options.get("token"),
                    ws_connection_headers={k: [v] for k, v in address.headers.items()} or None,
                    skip_subject_validation=True,
                    user_jwt_cb=jwt.encode if jwt else None,
                    signature_cb=_signer(options.get("seed", "")) if jwt else None,
                )
        except Exception as error:
            raise self._problem(error) from None

    def _problem(self, error: Exception) -> AppError:
        found = self._refusal or error
        if _LOG_IN.search(str(found)):
            return DoubtfulSession("The feed refused the session.")
        status = getattr(found, "status", None)  # of a WebSocket handshake
        if isinstance(status, int):
            return refused(status)
        return unreachable(error if isinstance(error, TimeoutError) else found)

    async def send(self, frame: Frame) -> None:
        if not isinstance(frame, Message):
            raise ProtocolError("NATS has subjects only.")
        if self._inbox.why:
            raise LinkClosed(self._inbox.why)
        try:
            if frame.data is None:
                if (topic := self._topics.pop(frame.topic, None)) is not None:
                    await topic.unsubscribe()
            elif frame.data == "":
                await self._subscribe(frame.topic)
            else:
                data = frame.data if isinstance(frame.data, bytes) else str(frame.data).encode()
                await self._client.publish(frame.topic, data)
        except (nats.errors.Error, OSError):
            raise LinkClosed(self._inbox.why or "The feed's connection broke.") from None

    async def _subscribe(self, topic: str) -> None:
        if (former := self._topics.pop(topic, None)) is not None:
            await former.unsubscribe()  # asked for again
        self._topics[topic] = await self._client.subscribe(topic)
        if self._confirms:  # the server says only what it refuses
            self._inbox.put(Message(topic, Topic()))

    async def receive(self) -> list[Frame]:
        return await self._inbox.take()

    async def close(self) -> None:
        self._inbox.end("The feed's connection is closed.")
        with contextlib.suppress(Exception):  # of a good-bye that nobody has to hear
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._client.close()

    def abort(self) -> None:
        self._inbox.end("The feed's connection was dropped.")


def _signer(seed: str) -> Callable[[str], bytes]:
    """Signs the nonce with the key of an nkey seed."""
    try:
        raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
        key = Ed25519PrivateKey.from_private_bytes(raw[2:34])
    except ValueError:
        raise NetError("The seed of the feed's log-in is none of NATS.") from None
    return lambda nonce: base64.b64encode(key.sign(nonce.encode()))


async def open_link(address: Address, spec: StreamSpec) -> Link:
    """Connect; see :data:`~.base.OpenLink` for the errors."""
    link = NatsLink(confirms=spec.confirms > 0)
    try:
        await link.open(address, spec)
    except BaseException:
        await link.close()
        raise
    return link
