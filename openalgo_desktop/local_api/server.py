"""The local API as one part of the terminal: the REST server and the WebSocket server."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from openalgo_desktop.core.ports import ApiMonitor
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.dispatch import Dispatcher
from openalgo_desktop.local_api.doorkeeper import HEAD_SECONDS, Doorkeeper
from openalgo_desktop.local_api.http_server import RequestHandler, web
from openalgo_desktop.local_api.network import BACKLOG, bind_sockets, exposure, shown_host, url_host
from openalgo_desktop.local_api.table import Endpoint
from openalgo_desktop.local_api.webhook_desk import WebhookDesk
from openalgo_desktop.local_api.ws import WsServer

log = logging.getLogger(__name__)

#: Largest request body; chart preferences may hold values of 1 MB.
MAX_BODY = 4 * 1024 * 1024
#: Idle keep-alive connections close after this; the public client keeps its own for 120 s.
KEEP_ALIVE_SECONDS = 125.0
# What is no HTTP at all is a daily event on an open port: the library's tracebacks about it stay
# out of the log. Handlers log their own failures.
_silent = logging.Logger("openalgo_desktop.http", logging.CRITICAL + 1)


class _Protocol(RequestHandler):
    """One connection: remembers when bytes came, so that the wait for the loop can be told, and
    gives each head of a request a bounded time."""

    __slots__ = ("_doorkeeper", "_head_timer", "busy", "received_at")

    def __init__(self, doorkeeper: Doorkeeper, manager: web.Server, **kwargs: Any) -> None:
        super().__init__(manager, **kwargs)
        self._doorkeeper = doorkeeper
        self._head_timer: asyncio.TimerHandle | None = None
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._await_head()
        peer = transport.get_extra_info("peername")
        self._doorkeeper.arrived(self, peer[0] if peer else "")

    def connection_lost(self, exc: BaseException | None) -> None:
        self._doorkeeper.left(self)
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.received_at = time.perf_counter()
        if self._head_timer is None and not self.busy:
            self._await_head()
        super().data_received(data)

    def has_head(self) -> None:
        """A request begins."""
        self._stop_timer()
        self.busy = True

    def has_key(self) -> None:
        """A request of it had a valid key."""
        self._doorkeeper.known(self)

    def answered(self) -> None:
        """Its answer is made."""
        self.busy = False

    def drop(self) -> None:
        """Close the connection at once."""
        if self.transport is not None:
            self.transport.abort()

    def _await_head(self) -> None:
        self._head_timer = self._loop.call_later(HEAD_SECONDS, self.drop)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class _Server(web.Server):
    def __init__(self, doorkeeper: Doorkeeper, dispatcher: Dispatcher) -> None:
        super().__init__(
            self._handle,
            request_factory=self._request,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            access_log=None,
            logger=_silent,
        )
        self._doorkeeper = doorkeeper
        self._dispatcher = dispatcher

    def __call__(self) -> RequestHandler:
        return _Protocol(self._doorkeeper, self, loop=self._loop, **self._kwargs)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        protocol = request.protocol
        assert isinstance(protocol, _Protocol)
        try:
            return await self._dispatcher.handle(request, protocol.has_key)
        finally:
            protocol.answered()

    @staticmethod
    def _request(message, payload, protocol, writer, task):  # type: ignore[no-untyped-def]
        protocol.has_head()
        return web.BaseRequest(
            message,
            payload,
            protocol,
            writer,
            task,
            protocol._loop,
            client_max_size=MAX_BODY,
        )


class LocalApi:
    """REST and WebSocket of one terminal."""

    def __init__(self, ctx: ApiContext) -> None:
        self._ctx = ctx
        self.doorkeeper = Doorkeeper()
        self.dispatcher = Dispatcher(ctx)
        self.ws = WsServer(ctx, self.doorkeeper)
        self.dispatcher.stream_url = lambda: self.ws_url
        #: What to paste into senders of alerts, what came of alerts, and tests of one's own.
        self.webhooks = WebhookDesk(ctx, self.dispatcher.services, lambda: self.rest_url)
        self._runner: web.ServerRunner | None = None
        self._port = 0

    async def start(self) -> None:
        """Bind both ports and answer; raises :class:`ConfigError` when a port cannot be had."""
        settings = self._ctx.settings
        listeners = bind_sockets(self.host, settings["api.rest_port"], "api.rest_port")
        self._port = listeners[0].getsockname()[1]
        try:
            self._runner = web.ServerRunner(
                _Server(self.doorkeeper, self.dispatcher),
                handle_signals=False,
                shutdown_timeout=2.0,
            )
            await self._runner.setup()
            await self.dispatcher.start()
            await self.ws.start()
            for listener in listeners:
                await web.SockSite(self._runner, listener, backlog=BACKLOG).start()
        except BaseException:
            await self.stop()
            for listener in listeners:
                listener.close()
            raise
        if warning := exposure(self.host):
            log.warning("%s", warning)
        log.info("local API: %s", self.listening)

    async def stop(self) -> None:
        """Close both servers and their connections."""
        await self.ws.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self.dispatcher.stop()

    @property
    def host(self) -> str:
        """The bind address."""
        return str(self._ctx.settings["api.host"])

    @property
    def listening(self) -> str:
        """Where both servers really listen, for a human: ``REST http://0.0.0.0:5000  ...``."""
        return f"REST http://{self.bound}  WebSocket ws://{shown_host(self.host)}:{self.ws.port}"

    @property
    def bound(self) -> str:
        """``host:port`` that REST is bound to."""
        return f"{shown_host(self.host)}:{self._port}"

    @property
    def exposure(self) -> str:
        """A warning when other machines are let in, else empty."""
        return exposure(self.host)

    @property
    def rest_url(self) -> str:
        """``http://127.0.0.1:5000``, without ``/api/v1``."""
        return f"http://{url_host(self.host)}:{self._port}"

    @property
    def ws_url(self) -> str:
        """``ws://127.0.0.1:8765``."""
        return self.ws.url

    @property
    def clients(self) -> int:
        """Connected WebSocket clients."""
        return self.ws.clients

    @property
    def monitor(self) -> ApiMonitor:
        """What was answered lately."""
        return self.dispatcher.monitor

    def endpoints(self) -> list[Endpoint]:
        """The rows that are served, for the request builder of the window."""
        return self.dispatcher.rows
