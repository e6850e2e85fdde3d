"""The owner's door: a listener of its own on loopback for commands beside the running program.

It is no part of the trading API and never leaves this machine, whatever address that API is bound
to. A caller shows the control token, which only the owner's file ``running.json`` (0600) has, in a
header of its own. A web page can neither read the token nor send the header: a request with an
``Origin``, the ``Sec-Fetch`` headers of a browser, the marks of a proxy, or a ``Host`` that is not
the loopback address itself is refused before the token is looked at, and nothing answers a
preflight.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from openalgo_desktop.config.operations import PREFIX, TOKEN_HEADER
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.local_api.http_server import web
from openalgo_desktop.local_api.network import bind_socket

log = logging.getLogger(__name__)

#: Runs ``(group, verb, body)`` and gives the answer.
Run = Callable[[str, str, dict[str, Any]], Awaitable[dict[str, Any]]]

_MAX_BODY = 64 * 1024
_LOOPBACK = "127.0.0.1"
#: Headers that only a browser or a proxy adds.
_FOREIGN = (
    *("Origin", "Referer", "Cookie", "Sec-Fetch-Site", "Sec-Fetch-Mode"),
    *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"),
)


class OwnerServer:
    """Serves ``POST /owner/<group>/<verb>`` while the terminal runs."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._runner: web.ServerRunner | None = None
        self._port = 0
        self.token = Secret(secrets.token_hex(32))

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://{_LOOPBACK}:{self._port}"

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        listener = bind_socket(_LOOPBACK, 0, "the owner's door")
        self._port = listener.getsockname()[1]
        server = web.Server(
            self._handle,
            access_log=None,
            logger=logging.Logger("openalgo_desktop.owner", logging.CRITICAL + 1),
        )
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=2.0)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        """Close the door."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            status, payload = await self._answer(request)
        except AppError as error:
            status, payload = error.http_status, {"status": "error", "message": error.message}
        except Exception:
            log.exception("%s failed", request.path)
            status, payload = 500, {"status": "error", "message": "Failed; the log has the reason."}
        body = msgspec.json.encode(payload, enc_hook=str)
        return web.Response(body=body, status=status, content_type="application/json")

    async def _answer(self, request: web.BaseRequest) -> tuple[int, dict[str, Any]]:
        if not self._ours(request):
            return 403, {"status": "error", "message": "Not for you."}
        group, _, verb = request.path.removeprefix(PREFIX).partition("/")
        length = request.content_length
        if length is None or length > _MAX_BODY:
            return 413, {"status": "error", "message": "The request body is too large."}
        try:
            body = msgspec.json.decode(await request.read() or b"{}", type=dict[str, Any])
        except msgspec.DecodeError:
            return 400, {"status": "error", "message": "The request body must be a JSON object."}
        answer = await self._run(group, verb, body)
        return int(answer.pop("http_status", 200)), answer

    def _ours(self, request: web.BaseRequest) -> bool:
        """Whether a command of this machine's owner asks."""
        shown = request.headers.get(TOKEN_HEADER, "")
        return (
            request.method == "POST"
            and request.path.startswith(PREFIX)
            and request.headers.get("Host") == f"{_LOOPBACK}:{self._port}"
            and _is_loopback(request.remote)
            and not any(name in request.headers for name in _FOREIGN)
            and request.headers.get("Content-Type", "") == "application/json"
            and hmac.compare_digest(shown.encode(), self.token.reveal().encode())
        )


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
