"""A Socket.IO server of few packets (Engine.IO 4 over a WebSocket).

Source: https://socket.io/docs/v4/engine-io-protocol/ and .../socket-io-protocol/
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.emulators.transports.websocket import WebSocketServer

#: Milliseconds between the server's pings.
PING_INTERVAL = 250


class SocketIoServer(WebSocketServer):
    """Events ``subscribe`` and ``unsubscribe`` in, ``price`` with a list out."""

    scheme = "http"
    transport = "socketio"
    path = "/feed/socket.io/"

    def options(self) -> dict[str, str]:
        return {"path": self.path}

    def _gate(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.busy:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "busy\n")
        parts = urlsplit(request.path)
        asked = parse_qs(parts.query)
        right = parts.path == self.path and asked.get("transport") == ["websocket"]
        if right and asked.get("EIO") == ["4"]:
            return None
        return connection.respond(HTTPStatus.NOT_FOUND, "no such path\n")

    async def serve(self, connection: ServerConnection) -> None:
        opening = {"sid": "1", "upgrades": [], "pingInterval": PING_INTERVAL}
        opening |= {"pingTimeout": int(self.patience * 1000), "maxPayload": 1 << 20}
        await connection.send("0" + json.dumps(opening))
        while True:
            frame = str(await connection.recv())
            if self.half_open:
                continue
            if frame.startswith("40"):
                if self.refuse:
                    await connection.send('44{"message":"Invalid token"}')
                    continue
                await connection.send('40{"sid":"2"}')
                self.let_in(connection)
            elif frame.startswith("41") or frame == "1":
                self.said.add(connection)
            elif frame.startswith("42"):
                event, symbol = json.loads(frame[2:])
                self.sees(symbol, on=event == "subscribe")

    async def beat(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(PING_INTERVAL / 1000)
                if not self.half_open:
                    await connection.send("2")

    async def price(self, symbol: str, *prices: float) -> None:
        for connection in tuple(self.connections):
            for price in prices:
                await connection.send("42" + json.dumps(["price", [symbol, price]]))
