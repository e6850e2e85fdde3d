"""The engine's side of MCP: who may do what, and the server on loopback while it is switched on.

Nothing of the library is imported before that; then in a thread, for it takes a second.
"""

from __future__ import annotations

import asyncio
import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.addresses import LOOPBACK_V4
from openalgo_desktop.core.enums import KeyRights
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import Notice
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.tools import MCP_CALLER, Writes, toolsets
from openalgo_desktop.local_api.network import bind_socket
from openalgo_desktop.runtime.mcp_access import McpAccess

if TYPE_CHECKING:
    from openalgo_desktop.automation.mcp.http import HttpServer
    from openalgo_desktop.automation.mcp.ports import Facts
    from openalgo_desktop.runtime.terminal import Terminal

log = logging.getLogger(__name__)


def approval_sources(settings: Settings) -> str:
    """Sources whose orders wait in the action centre: those that the owner named, and language
    models unless switched off."""
    named = str(settings["approvals.sources"])
    return f"{named}, {MCP_CALLER}:*" if settings["mcp.approval"] else named


async def start_mcp(terminal: Terminal) -> None:
    """Make ``terminal.mcp``."""
    terminal.mcp = Mcp(terminal)
    terminal.mcp.start()
    terminal.on_stop(terminal.mcp.stop)


class Mcp:
    """MCP of one terminal: rights for ``openalgo-desktop mcp``, and the server over HTTP, which
    follows the settings ``mcp.http`` and ``mcp.port``."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.access = McpAccess(terminal)
        self._server: HttpServer | None = None
        self._port = 0
        self._trouble = ""
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    # -- what it says -----------------------------------------------------------------------
    @property
    def url(self) -> str:
        """Address of the server, ``http://127.0.0.1:PORT/mcp``; empty while it does not run."""
        return f"http://{LOOPBACK_V4}:{self._port}/mcp" if self._server is not None else ""

    @property
    def state(self) -> str:
        """For a human: the address, ``off``, or why it does not run."""
        return self.url or self._trouble or "off"

    async def facts(self, key: str) -> dict[str, Any]:
        """See :meth:`McpAccess.facts`."""
        return await self.access.facts(key)

    # -- life -------------------------------------------------------------------------------
    def start(self) -> None:
        """Follow the settings from now on; the server comes up beside the start."""
        self._terminal.settings.subscribe(self._changed)
        if self._terminal.settings["mcp.http"]:
            self._later(self._follow(), "mcp")

    async def stop(self) -> None:
        """End the server."""
        self._stopped = True
        await asyncio.gather(*self._tasks, return_exceptions=True)
        async with self._lock:
            await self._end()

    def _later(self, work: Any, name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _changed(self, key: str, value: object) -> None:
        if self._stopped:
            return
        if key in ("mcp.http", "mcp.port"):
            self._later(self._follow(), "mcp")
        elif key in ("mcp.stdio", "mcp.writes"):
            self._later(self._drop_key(), "mcp key")

    async def _drop_key(self) -> None:
        try:
            await self.access.drop_own_key()
        except AppError as error:
            self._tell(f"The API key of openalgo-desktop mcp was not revoked: {error.message}")

    # -- the server -------------------------------------------------------------------------
    async def _follow(self) -> None:
        """Make the server what the settings say."""
        async with self._lock:
            await self._end()
            self._trouble = ""
            if self._stopped or not self._terminal.settings["mcp.http"]:
                return
            try:
                await self._begin()
            except AppError as error:
                self._trouble = error.message
                self._tell(f"MCP over HTTP does not run: {error.message}")

    async def _begin(self) -> None:
        module = await asyncio.to_thread(import_module, "openalgo_desktop.automation.mcp.http")
        tool_rows = await asyncio.to_thread(import_module, "openalgo_desktop.local_api.tool_rows")
        rows = await asyncio.to_thread(tool_rows.tool_rows)
        if self._stopped:
            return
        listener = bind_socket(LOOPBACK_V4, int(self._terminal.settings["mcp.port"]), "mcp.port")
        self._port = listener.getsockname()[1]
        loop = asyncio.get_running_loop()

        async def door(key: str) -> Facts:
            """In the server's thread; the engine's loop answers."""
            asked = asyncio.run_coroutine_threadsafe(self.access.facts(key), loop)
            return mcp_facts(await asyncio.wrap_future(asked))

        async def verify(key: str) -> bool:
            asked = asyncio.run_coroutine_threadsafe(self.access.verify(key), loop)
            return await asyncio.wrap_future(asked)

        self._server = module.HttpServer(rows, door, verify)
        assert self._server is not None
        self._server.start(listener)
        log.info("MCP over HTTP: %s", self.url)

    async def _end(self) -> None:
        if self._server is not None:
            await self._server.stop()
            self._server = None

    def _tell(self, text: str) -> None:
        log.warning("%s", text)
        self._terminal.bus.publish(Notice(level="error", text=text, at=self._terminal.clock.now()))


def mcp_facts(row: dict[str, Any]) -> Facts:
    """What :meth:`McpAccess.facts` says, in types."""
    from openalgo_desktop.automation.mcp.ports import Facts

    return Facts(
        rest_url=row["rest_url"],
        key=Secret(row["key"]),
        rights=KeyRights(row["rights"]),
        writes=Writes(row["writes"]),
        toolsets=toolsets(row["toolsets"]),
        today=row["today"],
        program=row["program"],
    )
