"""Where the browser comes back to after a broker's login page."""

from __future__ import annotations

from collections.abc import Iterable

from openalgo_desktop.local_api.callback import Callbacks
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.table import Call, Endpoint, Handler, Need, Reply

HTML_TYPE = "text/html; charset=utf-8"


def callback_rows(ctx: ApiContext, callbacks: Callbacks) -> Iterable[Endpoint]:
    """Two rows per broker: ``/{broker}/callback`` by GET, and as a form by POST."""
    for broker in ctx.brokers:
        for method in ("GET", "POST"):
            yield Endpoint(
                f"/{broker}/callback",
                _handler(callbacks, broker),
                None,
                "Takes the answer of the broker's login page, while a login waits for it.",
                "Login",
                method=method,
                limit="30 per minute",
                need=Need.NOTHING,
                foreign_form=method == "POST",
            )


def _handler(callbacks: Callbacks, broker: str) -> Handler:
    async def handle(call: Call) -> Reply:
        status, page = await callbacks.page(broker, call.data)
        return Reply(page.encode(), status, HTML_TYPE)

    return handle
