"""What the peers of all transports have in common: topics, prices, faults, and a codec that speaks
to each of them."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from openalgo_desktop.brokers.kit.feed.codec import (
    Confirmed,
    Failure,
    Frame,
    FrameCodec,
    Message,
    Refused,
    Sending,
    StreamEvent,
    Topic,
)
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import DataError, ProtocolError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick

#: What a right log-in says.
USER, PASSWORD = "trader", "s3cret-pass-word"


class Peer(ABC):
    """A server of one transport.

    ``asked`` has what clients subscribed (``+A``) and ended (``-A``). Faults: ``refuse`` turns
    every log-in down, ``busy`` every connection for a reason that is no log-in, ``half_open``
    keeps lines open and says nothing at all, ``denied`` are symbols that are not streamed.
    """

    scheme: ClassVar[str]
    secure: ClassVar[str] = ""  # the scheme with TLS
    transport: ClassVar[str]
    context: ssl.SSLContext | None = None  # speak TLS

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.total = 0  # connections that were let in
        self.farewells = 0  # connections that the client ended with a good-bye
        self.refuse = False
        self.busy = False
        #: Seconds that both sides wait for an answer to a ping, where the transport says it.
        self.patience = 0.25
        self.half_open = False
        self.denied: set[str] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        scheme = self.secure if self.context is not None else self.scheme
        return f"{scheme}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Peer:
        await self.listen()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.drop()
        await self.end()

    @abstractmethod
    async def listen(self) -> None:
        """Begin to listen; sets ``port``."""

    @abstractmethod
    async def end(self) -> None:
        """Stop listening."""

    @property
    @abstractmethod
    def open(self) -> int:
        """Connections that are open now."""

    @abstractmethod
    def drop(self) -> None:
        """Cut every line without a good-bye."""

    @abstractmethod
    async def price(self, symbol: str, *prices: float) -> None:
        """Prices of a symbol to every connection, in the wire's form."""

    def options(self) -> Mapping[str, str]:
        """The options of the spec that log in."""
        return {"username": USER, "password": PASSWORD}

    def sees(self, symbol: str, *, on: bool = True) -> bool:
        """Notes what is asked; whether it is granted."""
        self.asked.append(f"{'+' if on else '-'}{symbol}")
        return symbol not in self.denied


class StreamPeer(Peer):
    """A peer over plain TCP: one coroutine per connection."""

    def __init__(self) -> None:
        super().__init__()
        self.writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def end(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self.serve(reader, writer)
        finally:
            self._tasks.discard(task)
            self.writers.discard(writer)
            writer.close()

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with one client until it leaves; add its writer once it is let in."""

    @property
    def open(self) -> int:
        return len(self.writers)

    def drop(self) -> None:
        for writer in tuple(self.writers):
            writer.transport.abort()


class PeerCodec(FrameCodec):
    """Speaks to every peer. A WebSocket frame is ``+A``, ``-A`` or ``A 10.5``; a Socket.IO event
    ``subscribe``, ``unsubscribe`` or ``price``; a topic ``price.A`` with the price as its text."""

    def __init__(self, transport: str) -> None:
        self._transport = transport

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Sending]:
        return [self._frame(symbol, on=True) for _, symbol in wanted]

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Sending]:
        return [self._frame(symbol, on=False) for _, symbol in keys]

    def _frame(self, symbol: str, *, on: bool) -> Frame:
        if self._transport == "websocket":
            return f"{'+' if on else '-'}{symbol}"
        if self._transport == "socketio":
            return Message("subscribe" if on else "unsubscribe", symbol)
        return Message(f"price.{symbol}", "" if on else None)

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        if isinstance(frame, str):
            name, _, price = frame.partition(" ")
            return () if not price else (Tick(name, "NSE", float(price)),)
        if isinstance(frame, Message):
            symbol = frame.topic.removeprefix("price.")
            if isinstance(frame.data, Topic):
                key = ("NSE", symbol)
                refusal = frame.data.refusal
                return (Refused(key, DataError(refusal)) if refusal else Confirmed((key,)),)
            if isinstance(frame.data, list):
                return (Tick(frame.data[0], "NSE", frame.data[1]),)
            if isinstance(frame.data, bytes):
                return (Tick(symbol, "NSE", float(frame.data)),)
        return (Failure(ProtocolError(f"what is {frame!r}")),)
