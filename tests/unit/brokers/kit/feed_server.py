"""A broker's feed on loopback for the tests of the stream client, and a codec for it.

The wire: text frames. Client: ``+EXCHANGE:SYMBOL=mode`` and ``-EXCHANGE:SYMBOL``. Server:
``t EXCHANGE:SYMBOL price``, ``h`` heartbeat, ``o id`` order, ``e auth`` / ``e text`` /
``e end reason``, ``ready``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    Frame,
    FrameCodec,
    OrderRow,
    Ready,
    Refused,
    Reply,
    StreamEvent,
)
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import DataError, ProtocolError, SessionExpired, SymbolUnknown
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick


class TextCodec(FrameCodec):
    """Codec of the wire above. Symbols that begin with BAD cannot be asked for."""

    def __init__(self, awaits_ready: bool = False) -> None:
        self.awaits_ready = awaits_ready

    def opened(self) -> Sequence[Frame]:
        return ("login",) if self.awaits_ready else ()

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        for exchange, symbol in wanted:
            if symbol.startswith("BAD"):
                raise SymbolUnknown(symbol, exchange)
        return [f"+{e}:{s}={mode.data_text}" for (e, s), mode in wanted.items()]

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        return [f"-{e}:{s}" for e, s in keys]

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        assert isinstance(frame, str)
        kind, _, rest = frame.partition(" ")
        match kind:
            case "t":
                name, price = rest.split()
                exchange, symbol = name.split(":")
                return (Tick(symbol, exchange, float(price)),)
            case "h":
                return ()
            case "o":
                return (OrderRow({"order_id": rest}),)
            case "ready":
                return (Ready(),)
            case "ping":
                return (Reply(("pong",)),)
            case "no":
                exchange, symbol = rest.split(":")
                return (Refused((exchange, symbol), DataError("not allowed")),)
            case "bug":
                raise KeyError("codec bug")
            case "e":
                if rest.startswith("end "):
                    return (Failure(ProtocolError(rest[4:]), ends=True),)
                error = SessionExpired("token") if rest == "auth" else ProtocolError(rest)
                return (Failure(error),)
        return (Failure(ProtocolError(f"what is {kind!r}")),)


class FeedServer:
    """Counts what it is asked; sends what the test says. ``quiet`` stops the heartbeats."""

    def __init__(self, heartbeat: float = 0.02) -> None:
        self.heartbeat = heartbeat
        self.quiet = False
        self.refuse: int = 0  # HTTP status for the next handshakes
        self.refuse_next: int = 0  # for one
        self.paths: list[str] = []  # of the connections
        self.asked: list[str] = []
        self.connections: list[ServerConnection] = []
        self.total = 0
        self.on_frame: Callable[[ServerConnection, str], Awaitable[None]] | None = None
        self._server: Server | None = None
        self.url = ""

    async def __aenter__(self) -> FeedServer:
        self._server = await serve(
            self._serve, "127.0.0.1", 0, process_request=self._gate, ping_interval=None
        )
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def _gate(self, connection: ServerConnection, request: Request) -> Response | None:
        status, self.refuse_next = self.refuse or self.refuse_next, 0
        if not status:
            self.paths.append(request.path)
        return connection.respond(status, "no\n") if status else None

    async def _serve(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        self.total += 1
        beat = asyncio.create_task(self._beat(connection))
        try:
            async for frame in connection:
                self.asked.append(str(frame))
                if self.on_frame is not None:
                    await self.on_frame(connection, str(frame))
        except ConnectionClosed:
            pass
        finally:
            beat.cancel()
            self.connections.remove(connection)

    async def _beat(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(self.heartbeat)
                if not self.quiet:
                    await connection.send("h")

    async def send(self, *frames: str) -> None:
        """To every connection."""
        for connection in tuple(self.connections):
            for frame in frames:
                await connection.send(frame)

    def drop(self) -> None:
        """Cut every line without a good-bye."""
        for connection in tuple(self.connections):
            connection.transport.abort()
