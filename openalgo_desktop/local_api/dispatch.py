"""The way of one REST request (skeleton)."""

from __future__ import annotations

from aiohttp import web

from openalgo_desktop.local_api.context import ApiContext


class Dispatcher:
    """Answers requests from the endpoint table."""

    def __init__(self, ctx: ApiContext) -> None:
        self._ctx = ctx

    async def start(self, host: str, port: int) -> None:
        """Remember where the server listens."""

    async def stop(self) -> None:
        """Release resources."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        return web.Response(status=404)
