"""A WebSocket feed: text frames, a heartbeat frame ``h``."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.emulators.transports.base import Peer

_BEAT = 0.05


class WebSocketServer(Peer):
    """Also the ground of the Socket.IO peer."""

    scheme = "ws"
    transport = "websocket"

    def __init__(self) -> None:
        super().__init__()
        self.connections: list[ServerConnection] = []
        self.said: set[ServerConnection] = set()  # clients whose protocol said good-bye
        self._server: Server | None = None

    async def listen(self) -> None:
        self._server = await serve(
            self._serve, "127.0.0.1", 0, process_request=self._gate, ping_interval=None
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def end(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def open(self) -> int:
        return len(self.connections)

    def drop(self) -> None:
        for connection in tuple(self.connections):
            connection.transport.abort()

    def _gate(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.busy:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "busy\n")
        return connection.respond(HTTPStatus.FORBIDDEN, "no\n") if self.refuse else None

    async def _serve(self, connection: ServerConnection) -> None:
        beat = asyncio.create_task(self.beat(connection))
        try:
            await self.serve(connection)
        except ConnectionClosed as closed:
            # Once per client: a good-bye of the protocol and the closing frame may both arrive.
            self.farewells += closed.rcvd is not None or connection in self.said
        finally:
            beat.cancel()
            self.said.discard(connection)
            if connection in self.connections:
                self.connections.remove(connection)

    def let_in(self, connection: ServerConnection) -> None:
        """The log-in was right."""
        self.connections.append(connection)
        self.total += 1

    async def serve(self, connection: ServerConnection) -> None:
        """Speak with one client until it leaves."""
        self.let_in(connection)
        while True:
            frame = str(await connection.recv())
            if not self.half_open:
                self.sees(frame[1:], on=frame[0] == "+")

    async def beat(self, connection: ServerConnection) -> None:
        """Heartbeats, until the connection ends."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(_BEAT)
                if not self.half_open:
                    await connection.send("h")

    async def price(self, symbol: str, *prices: float) -> None:
        for connection in tuple(self.connections):
            for price in prices:
                await connection.send(f"{symbol} {price}")
