"""The document of the API and its page."""

from __future__ import annotations

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.local_api.table import Call, Reply

#: The page may load and run nothing but itself.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self' ws://127.0.0.1:* ws://localhost:* ws://[::1]:*; "
    "frame-ancestors 'none'; base-uri 'none'"
)


async def docs(call: Call) -> Reply:
    return Reply(
        resource_text("api/docs.html").encode(),
        content_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"},
    )
