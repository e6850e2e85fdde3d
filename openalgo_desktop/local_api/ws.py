"""The WebSocket server: sockets, deadlines, keys, and who is connected.

Messages are handled in ``ws_actions``, ticks and order events fan out in ``ws_fanout``.
"""

from __future__ import annotations

import asyncio
import http
import logging
import socket
import time
from collections.abc import Coroutine
from typing import Any

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.events import FeedRefused, OrderNamed, OrderUpdated
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.doorkeeper import HEAD_SECONDS, Doorkeeper
from openalgo_desktop.local_api.network import BACKLOG, HostPolicy, bind_sockets, url_host
from openalgo_desktop.local_api.ws_actions import Actions
from openalgo_desktop.local_api.ws_client import WRITE_LIMIT, Client, Connection
from openalgo_desktop.local_api.ws_fanout import Fanout, OrderStream
from openalgo_desktop.local_api.ws_turns import SLICE, Turns

#: Largest incoming message: some 17,000 symbols in one frame. A larger one would be decoded for
#: longer than anything may hold the loop.
MAX_MESSAGE = 1024 * 1024
PING_SECONDS = 20.0
#: Close code of sockets that did not authenticate in time, or whose key was revoked.
CLOSE_AUTH = 4401
#: The kernel's send buffer. A large one would hold seconds of stale prices for a slow client.
_SEND_BUFFER = 48 * 1024
_CLOSE_TIMEOUT = 2.0
# Handshakes that fail and sockets that break are daily events on an open port: the library's
# tracebacks about them stay out of the log.
_silent = logging.Logger("openalgo_desktop.websocket", logging.CRITICAL + 1)


class ClientInfo(msgspec.Struct, frozen=True):
    """One connected client, as the API monitor shows it. ``key`` is the name of its key."""

    remote: str
    key: str
    subscriptions: tuple[tuple[str, str, str], ...]  # exchange, symbol, mode label
    orders: bool
    delivered: int
    conflated: int
    waiting: int
    slow: bool


class WsServer:
    """The WebSocket side of the local API."""

    def __init__(self, ctx: ApiContext, doorkeeper: Doorkeeper | None = None) -> None:
        self._ctx = ctx
        self._doorkeeper = doorkeeper or Doorkeeper()
        self._turns = Turns()
        self._policy = HostPolicy(ctx.settings)
        self._fanout = Fanout(ctx.hub, lambda: ctx.broker)
        self._orders = OrderStream(ctx.hub, ctx.user_id, lambda: ctx.account_status().account_id)
        self._actions = Actions(ctx, self._fanout, self._orders, self._authenticated)
        self._clients: dict[Client, asyncio.TimerHandle | None] = {}
        self._dirty: list[Client] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._stops: list[Any] = []
        self._servers: list[Server] = []
        self._port = 0

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Bind and answer; raises :class:`ConfigError` when the port cannot be had."""
        listeners = bind_sockets(self.host, self._ctx.settings["api.ws_port"], "api.ws_port")
        self._port = listeners[0].getsockname()[1]
        for listener in listeners:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            self._servers.append(await self._serve(listener))
        self._stops = [
            self._ctx.bus.subscribe(OrderUpdated, self._orders.publish),
            self._ctx.bus.subscribe(OrderNamed, self._orders.named),
            self._ctx.bus.subscribe(FeedRefused, self._fanout.refused),
        ]
        self._ctx.keys.on_revoked(self._revoked)

    async def _serve(self, listener: socket.socket) -> Server:
        return await serve(
            self._serve_client,
            sock=listener,
            process_request=self._check_request,
            create_connection=self._connection,  # type: ignore[arg-type]  # a factory will do
            compression=None,  # one frame's bytes serve all clients
            open_timeout=HEAD_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=_CLOSE_TIMEOUT,
            max_size=MAX_MESSAGE,
            max_queue=8,
            write_limit=WRITE_LIMIT,
            logger=_silent,
            backlog=BACKLOG,
        )

    def _connection(self, *args: Any, **kwargs: Any) -> Connection:
        connection = Connection(*args, **kwargs)
        connection.doorkeeper = self._doorkeeper
        connection.turns = self._turns
        return connection

    async def stop(self) -> None:
        """Close all sockets."""
        for stop in self._stops:
            stop()
        self._stops = []
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        for server in servers:
            await server.wait_closed()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def host(self) -> str:
        """The bind address."""
        return str(self._ctx.settings["api.host"])

    @property
    def port(self) -> int:
        """The port that was bound; 0 before the start."""
        return self._port

    @property
    def url(self) -> str:
        """``ws://127.0.0.1:8765``."""
        return f"ws://{url_host(self.host)}:{self._port}"

    @property
    def clients(self) -> int:
        """Connected clients."""
        return len(self._clients)

    @property
    def instruments(self) -> int:
        """Instruments that the clients follow."""
        return self._fanout.instruments

    def client_list(self) -> list[ClientInfo]:
        """Connected clients with their subscriptions."""
        return [
            ClientInfo(
                remote=client.remote,
                key=client.key.name if client.key is not None else "",
                subscriptions=tuple((e, s, m.label) for e, s, m in client.subscriptions),
                orders=client.orders,
                delivered=client.delivered,
                conflated=client.conflated,
                waiting=client.waiting,
                slow=client.slow,
            )
            for client in self._clients
        ]

    # -- connections ------------------------------------------------------------------------
    def _check_request(self, connection: ServerConnection, request: Request) -> Response | None:
        hosts = request.headers.get_all("Host")
        if not self._policy.host_allowed(hosts[0] if len(hosts) == 1 else None):
            text = "This host name is not allowed. Add it to the setting api.allowed_hosts.\n"
            return connection.respond(http.HTTPStatus.FORBIDDEN, text)
        origins = request.headers.get_all("Origin")
        if not all(self._policy.origin_allowed(origin) for origin in origins):
            text = "This web origin is not allowed. Add it to the setting api.cors_origins.\n"
            return connection.respond(http.HTTPStatus.FORBIDDEN, text)
        return None

    async def _serve_client(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Connection)
        peer = connection.remote_address
        client = Client(connection, self._schedule, f"{peer[0]}:{peer[1]}" if peer else "")
        timeout = float(self._ctx.settings["api.ws_auth_timeout"])
        self._clients[client] = asyncio.get_running_loop().call_later(
            timeout, self._close, client, CLOSE_AUTH, "auth timeout"
        )
        try:
            turn = time.perf_counter()
            async for raw in connection:
                await self._actions.handle(client, raw)
                # Messages that wait come without a pause: others on this loop must have theirs.
                if time.perf_counter() - turn > SLICE:
                    await asyncio.sleep(0)
                    turn = time.perf_counter()
        except ConnectionClosed:
            pass
        finally:
            self._stop_deadline(client)
            del self._clients[client]
            self._orders.remove(client)
            self._fanout.remove(client)

    def _authenticated(self, client: Client) -> None:
        self._stop_deadline(client)
        self._clients[client] = None
        self._doorkeeper.known(client.connection)

    def _stop_deadline(self, client: Client) -> None:
        deadline = self._clients.get(client)
        if deadline is not None:
            deadline.cancel()

    def _revoked(self, key: ApiKey) -> None:
        for client in tuple(self._clients):
            if client.key is not None and client.key.key_id == key.key_id:
                client.key = None
                self._orders.remove(client)
                self._fanout.remove(client)
                self._close(client, CLOSE_AUTH, "API key revoked")

    def _close(self, client: Client, code: int, reason: str) -> None:
        client.flush()
        self._own(client.connection.close(code, reason))

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- outgoing ---------------------------------------------------------------------------
    def _schedule(self, client: Client) -> None:
        """Flush ``client`` at the end of this turn of the loop, together with all others."""
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._flush)
        self._dirty.append(client)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for client in dirty:
            client.flush()
