"""A client of the WebSocket API, by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.e2e.driver import Program


class Stream:
    """A client of the WebSocket API."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def frame(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            return dict(json.loads(await self._socket.recv()))

    async def until(self, kind: str) -> dict[str, Any]:
        """The next frame of that type; others are passed over."""
        while (frame := await self.frame()).get("type") != kind:
            assert frame.get("status") != "error", frame
        return frame

    async def log_in(self, program: Program) -> None:
        await self.send(action="authenticate", api_key=program.api_key)
        answer = await self.until("auth")
        assert answer["broker"] == "simulator"


@asynccontextmanager
async def open_stream(program: Program) -> AsyncIterator[Stream]:
    """A client that has logged in. Frames that a test does not read do not hold up its end."""
    async with connect(program.ws_url, max_queue=None) as socket:
        stream = Stream(socket)
        await stream.log_in(program)
        yield stream
