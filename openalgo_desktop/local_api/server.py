"""The local API as one part of the terminal: the REST server and the WebSocket server."""

from __future__ import annotations

import errno
import logging
import socket

from aiohttp import web

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.dispatch import Dispatcher
from openalgo_desktop.local_api.ws import WsServer

log = logging.getLogger(__name__)

#: Largest request body; chart preferences may hold values of 1 MB.
MAX_BODY = 4 * 1024 * 1024
#: Idle keep-alive connections close after this; the public client keeps its own for 120 s.
KEEP_ALIVE_SECONDS = 125.0


def bind_socket(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket, or a :class:`ConfigError` that names port, setting and fix."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _bind_error(host, port, setting, error) from None
    return listener


def _bind_error(host: str, port: int, setting: str, error: OSError) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            f"Port {port} on {host} is in use by another program. Close that program, or choose "
            f"another port in the setting {setting} (0 picks a free one)."
        )
    if error.errno == errno.EACCES:
        return ConfigError(
            f"Port {port} may not be opened by this user. Choose a port above 1023 in the "
            f"setting {setting}."
        )
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return ConfigError(
            f"{host} is not an address of this machine. Set api.host to 127.0.0.1, or to an "
            "address that this machine has."
        )
    return ConfigError(
        f"Cannot listen on {host}:{port}: {error.strerror or error}. See the settings api.host "
        f"and {setting}."
    )


class LocalApi:
    """REST and WebSocket of one terminal."""

    def __init__(self, ctx: ApiContext) -> None:
        self._ctx = ctx
        self.dispatcher = Dispatcher(ctx)
        self.ws = WsServer(ctx)
        self._runner: web.ServerRunner | None = None
        self._port = 0

    async def start(self) -> None:
        """Bind both ports and answer; raises :class:`ConfigError` when a port cannot be had."""
        settings = self._ctx.settings
        host = str(settings["api.host"])
        listener = bind_socket(host, settings["api.rest_port"], "api.rest_port")
        self._port = listener.getsockname()[1]
        try:
            await self.dispatcher.start(host, self._port)
            self._runner = web.ServerRunner(
                web.Server(
                    self.dispatcher.handle,
                    request_factory=self._request,
                    keepalive_timeout=KEEP_ALIVE_SECONDS,
                    access_log=None,
                ),
                handle_signals=False,
                shutdown_timeout=2.0,
            )
            await self._runner.setup()
            await web.SockSite(self._runner, listener).start()
            await self.ws.start()
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
        return f"http://{_url_host(self._ctx.settings['api.host'])}:{self._port}"

    @property
    def ws_url(self) -> str:
        """``ws://127.0.0.1:8765``."""
        return self.ws.url

    @property
    def clients(self) -> int:
        """Connected WebSocket clients."""
        return self.ws.clients


def _url_host(host: str) -> str:
    """A host that a client on this machine can use for the bind address ``host``."""
    if host in ("0.0.0.0", ""):
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host
