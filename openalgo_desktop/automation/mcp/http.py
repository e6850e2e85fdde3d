"""MCP as streamable HTTP on loopback, inside the engine and yet beside it: a thread with a loop of
its own, so that nothing here holds up an order.

A request is refused before the protocol sees it unless it names this machine (``Host``, and
``Origin`` where a browser sends one: a page elsewhere that rebinds its name to 127.0.0.1 fails) and
shows an API key as ``Authorization: Bearer``. There are no sessions: each request stands alone, and
what it may do follows from its key.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from openalgo_desktop.automation.mcp.own import OWN
from openalgo_desktop.automation.mcp.ports import Door
from openalgo_desktop.automation.mcp.rest import Rest
from openalgo_desktop.automation.mcp.service import KEY_IN_SCOPE, Tools, make_server
from openalgo_desktop.core.addresses import host_of_header, is_loopback
from openalgo_desktop.core.tools import ToolRow

log = logging.getLogger(__name__)

PATH = "/mcp"
#: Largest request, bytes; requests at once; seconds that a stop waits for answers under way.
MOST_BODY, AT_ONCE, PATIENCE = 1 << 20, 32, 3
#: Loggers of the libraries: their lines about each request are not for our log.
_LOUD = ("mcp", "uvicorn", "sse_starlette", "httpx")

#: Whether a text is an API key that works.
Verify = Callable[[str], Awaitable[bool]]


class HttpServer:
    """Serves on a listening socket, from :meth:`start` until :meth:`stop`. ``door`` and ``verify``
    are called in the thread of the server."""

    def __init__(self, rows: Iterable[ToolRow], door: Door, verify: Verify) -> None:
        self._rows = tuple(rows)
        self._door = door
        self._verify = verify
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, listener: socket.socket) -> None:
        """Begin to answer on ``listener``, which is closed at the end."""
        for name in _LOUD:
            logging.getLogger(name).setLevel(logging.WARNING)
        port = listener.getsockname()[1]
        self._thread = threading.Thread(
            target=self._run, args=(listener, port), name="mcp-http", daemon=True
        )
        self._thread.start()

    async def stop(self) -> None:
        """Answer no more; the loop of the caller goes on meanwhile."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _run(self, listener: socket.socket, port: int) -> None:
        try:
            asyncio.run(self._serve(listener, port))
        except Exception:
            log.exception("MCP over HTTP ended")
        finally:
            listener.close()

    async def _serve(self, listener: socket.socket, port: int) -> None:
        rest = Rest()
        server: Any = make_server(Tools(self._rows, OWN, self._door, rest), tells=False)
        app = server.streamable_http_app(
            streamable_http_path=PATH,
            json_response=True,
            stateless_http=True,
            max_request_body_size=MOST_BODY,
            # Host and Origin are looked at before, by stricter rules.
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        config = uvicorn.Config(
            Guarded(app, port, self._verify),
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=AT_ONCE,
            timeout_graceful_shutdown=PATIENCE,
            ws="none",
        )
        try:
            self._server = uvicorn.Server(config)
            await self._server.serve(sockets=[listener])
        finally:
            await rest.close()


class Guarded:
    """The application behind Host, Origin and key."""

    def __init__(self, app: ASGIApp, port: int, verify: Verify) -> None:
        self._app = app
        self._port = port
        self._verify = verify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            refusal = self._foreign(headers)
            if refusal is None:
                scheme, _, key = headers.get("authorization", "").partition(" ")
                key = key.strip() if scheme.lower() == "bearer" else ""
                if key and await self._verify(key):
                    scope[KEY_IN_SCOPE] = key
                else:
                    refusal = _refusal(
                        401,
                        "Show an API key of OpenAlgo Desktop: Authorization: Bearer KEY.",
                        {"WWW-Authenticate": 'Bearer realm="openalgo-desktop"'},
                    )
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _foreign(self, headers: Headers) -> JSONResponse | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return _refusal(403, f"Host: ask 127.0.0.1:{self._port} itself.")
        for origin in origins:
            scheme, sign, rest = origin.strip().partition("://")
            if not sign or scheme.lower() not in ("http", "https") or not self._is_ours(rest):
                return _refusal(403, "Origin: pages of other places are not let in.")
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether ``name:port`` is this server on this machine."""
        name = host_of_header(host)
        return bool(name) and is_loopback(name) and host.rpartition(":")[2] == str(self._port)


def _refusal(status: int, text: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"status": "error", "message": text}, status, headers)
