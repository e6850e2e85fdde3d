"""The local API as one part of the terminal: the REST server and the WebSocket server."""

from __future__ import annotations

import logging
import time

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.ports import ApiMonitor
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.dispatch import Dispatcher
from openalgo_desktop.local_api.limits import parse_limit
from openalgo_desktop.local_api.network import bind_socket, url_host
from openalgo_desktop.local_api.table import Endpoint
from openalgo_desktop.local_api.ws import WsServer
from openalgo_desktop.settings import SETTINGS, Settings

log = logging.getLogger(__name__)

#: Largest request body; chart preferences may hold values of 1 MB.
MAX_BODY = 4 * 1024 * 1024
#: Idle keep-alive connections close after this; the public client keeps its own for 120 s.
KEEP_ALIVE_SECONDS = 125.0
# What is no HTTP at all is a daily event on an open port: the library's tracebacks about it stay
# out of the log. Handlers log their own failures.
_silent = logging.Logger("openalgo_desktop.http", logging.CRITICAL + 1)


class _Protocol(RequestHandler):
    """Remembers when bytes came, so that the wait for the loop can be told."""

    __slots__ = ("received_at",)

    def data_received(self, data: bytes) -> None:
        self.received_at = time.perf_counter()
        super().data_received(data)


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


def _check_limits(settings: Settings) -> None:
    """Say at the start which limit cannot be read, not at the first request."""
    for key in SETTINGS:
        if key.startswith("limits."):
            try:
                parse_limit(settings[key])
            except ConfigError as error:
                raise ConfigError(f"Setting {key}: {error.message}") from None


class LocalApi:
    """REST and WebSocket of one terminal."""

    def __init__(self, ctx: ApiContext) -> None:
        self._ctx = ctx
        self.dispatcher = Dispatcher(ctx)
        self.ws = WsServer(ctx)
        self.dispatcher.stream_url = lambda: self.ws_url
        self._runner: web.ServerRunner | None = None
        self._port = 0

    async def start(self) -> None:
        """Bind both ports and answer; raises :class:`ConfigError` when a port cannot be had."""
        settings = self._ctx.settings
        _check_limits(settings)
        host = str(settings["api.host"])
        listener = bind_socket(host, settings["api.rest_port"], "api.rest_port")
        self._port = listener.getsockname()[1]
        try:
            self._runner = web.ServerRunner(
                _Server(
                    self.dispatcher.handle,
                    request_factory=self._request,
                    keepalive_timeout=KEEP_ALIVE_SECONDS,
                    access_log=None,
                    logger=_silent,
                ),
                handle_signals=False,
                shutdown_timeout=2.0,
            )
            await self._runner.setup()
            await self.dispatcher.start()
            await self.ws.start()
            await web.SockSite(self._runner, listener).start()
        except BaseException:
            await self.stop()
            listener.close()
            raise
        log.info("local API: REST %s, WebSocket %s", self.rest_url, self.ws_url)

    async def stop(self) -> None:
        """Close both servers and their connections."""
        await self.ws.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self.dispatcher.stop()

    @staticmethod
    def _request(message, payload, protocol, writer, task):  # type: ignore[no-untyped-def]
        return web.BaseRequest(
            message,
            payload,
            protocol,
            writer,
            task,
            protocol._loop,
            client_max_size=MAX_BODY,
        )

    @property
    def rest_url(self) -> str:
        """``http://127.0.0.1:5000``, without ``/api/v1``."""
        return f"http://{url_host(self._ctx.settings['api.host'])}:{self._port}"

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
