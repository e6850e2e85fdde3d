"""What the MCP server needs of the program around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from openalgo_desktop.automation.mcp.envelope import Said
from openalgo_desktop.core.enums import KeyRights
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.tools import ToolRow, Toolset, Writes


class Facts(msgspec.Struct, frozen=True):
    """Who may do what now, as the running engine says it; asked anew for each call."""

    rest_url: str
    key: Secret
    rights: KeyRights
    writes: Writes
    toolsets: frozenset[Toolset]
    today: str  # the engine's day in IST, YYYY-MM-DD
    program: str  # name and version of the engine

    @property
    def may_write(self) -> bool:
        """Whether tools that write are given at all."""
        return self.writes is not Writes.OFF and self.rights is not KeyRights.READ


#: The facts for who shows this key (empty: the server's own one). Raises :class:`AppError` with a
#: sentence when there is no engine, or the key is worth nothing.
Door = Callable[[str], Awaitable[Facts]]


class Ask(Protocol):
    """How a tool of ours asks the engine: by the name of another tool."""

    @property
    def today(self) -> str:
        """The engine's day in IST, ``YYYY-MM-DD``."""

    @property
    def program(self) -> str:
        """Name and version of the engine."""

    async def __call__(self, tool: str, **arguments: Any) -> Said:
        """The answer of that tool, which reads."""


#: A tool of ours: from checked arguments to what is said.
Maker = Callable[[Ask, dict[str, Any]], Awaitable[Said]]


class OwnTool(msgspec.Struct, frozen=True):
    """A tool that the server answers by itself, out of answers of others."""

    row: ToolRow
    make: Maker
