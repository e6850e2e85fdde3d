"""``/{broker}/callback``: where a broker's login page sends the browser back to, by GET or with a
form by POST.

A login waits here with a one-shot state. Without a waiting login, or with another state, the call
is refused, so that nobody can slip a session of theirs into this program.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from openalgo_desktop.core.errors import AppError, NetTimeout
from openalgo_desktop.core.secret import same_text
from openalgo_desktop.local_api.handover import Handover
from openalgo_desktop.local_api.http_server import web
from openalgo_desktop.local_api.network import bind_sockets, url_host

#: A human has this long for password and one-time code; seconds.
LOGIN_TIMEOUT = 300.0

_PAGE = (
    "<!doctype html><meta charset=utf-8><title>OpenAlgo Desktop</title>"
    "<body style='font:16px sans-serif;margin:4em'><h2>{title}</h2><p>{text}</p>"
)


class Callbacks:
    """Logins that wait for their browser. With a ``handover`` also those of another process."""

    def __init__(self, handover: Handover | None = None) -> None:
        self.handover = handover
        self._waiting: dict[str, tuple[str, asyncio.Future[dict[str, str]]]] = {}

    async def wait(
        self, broker: str, state: str, timeout_s: float = LOGIN_TIMEOUT
    ) -> dict[str, str]:
        """The parameters of the callback. ``state`` empty: the broker cannot give it back.

        A second login of the same broker takes the place of the first, which ends with an error.
        """
        future: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        if (before := self._waiting.get(broker)) is not None and not before[1].done():
            before[1].set_exception(AppError(f"Another login of {broker} was started."))
        self._waiting[broker] = (state, future)
        try:
            return await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            raise NetTimeout(
                f"No answer from the browser within {timeout_s:g} s. Check that the redirect "
                f"address registered with {broker} is the one shown in the login."
            ) from None
        finally:
            if self._waiting.get(broker) == (state, future):
                del self._waiting[broker]

    def receive(self, broker: str, params: Mapping[str, str]) -> bool:
        """Hand a callback to its login; whether there was one for it."""
        state, future = self._waiting.get(broker, ("", None))
        if future is None or future.done():
            return False
        if state and not same_text(state, params.get("state", "")):
            return False
        future.set_result(dict(params))
        return True

    async def page(self, broker: str, params: Mapping[str, str]) -> tuple[int, str]:
        """Status and page for the browser. Nothing of the parameters is shown."""
        taken = self.receive(broker, params)
        if not taken and self.handover is not None:
            taken = await self.handover.receive(broker, params)
        if taken:
            title, text = "Done", "You can close this page and go back to OpenAlgo Desktop."
            return 200, _PAGE.format(title=title, text=text)
        text = f"No login of {html.escape(broker)} is waiting for this page. Start it again."
        return 403, _PAGE.format(title="Not expected", text=text)


@asynccontextmanager
async def callback_server(callbacks: Callbacks, host: str, port: int) -> AsyncIterator[str]:
    """A server that has only the callback route: for a login while the local API is off, or from
    the command line. Gives its address; raises :class:`ConfigError` when the port is taken."""

    async def handle(request: web.Request) -> web.Response:
        params = dict(request.query)
        if request.method == "POST":
            form = await request.post()
            params |= {name: text for name, text in form.items() if isinstance(text, str)}
        status, text = await callbacks.page(request.match_info["broker"], params)
        return web.Response(status=status, text=text, content_type="text/html")

    listeners = bind_sockets(host, port, "api.rest_port")
    app = web.Application()
    app.router.add_get("/{broker}/callback", handle)
    app.router.add_post("/{broker}/callback", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        for listener in listeners:
            await web.SockSite(runner, listener).start()
        yield f"http://{url_host(host)}:{listeners[0].getsockname()[1]}"
    finally:
        await runner.cleanup()
        for listener in listeners:
            listener.close()
