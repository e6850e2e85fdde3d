"""MCP over standard input and output, for a client that starts the command itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mcp.server import NotificationOptions
from mcp.server.stdio import stdio_server

from openalgo_desktop.automation.mcp.own import OWN
from openalgo_desktop.automation.mcp.ports import Door
from openalgo_desktop.automation.mcp.rest import Rest
from openalgo_desktop.automation.mcp.service import Tools, make_server
from openalgo_desktop.core.tools import ToolRow, Toolset


async def serve(
    rows: Iterable[ToolRow], door: Door, only: frozenset[Toolset], *, read_only: bool
) -> None:
    """Until the client closes our input. The library keeps standard output for the protocol:
    whatever else is printed goes to standard error."""
    rest = Rest()
    server: Any = make_server(Tools(rows, OWN, door, rest, only=only, read_only=read_only))
    options = server.create_initialization_options(NotificationOptions(tools_changed=True))
    try:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, options)
    finally:
        await rest.close()
