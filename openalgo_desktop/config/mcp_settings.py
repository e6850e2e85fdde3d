"""Settings of MCP: what language models may do, and the server on loopback."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.config.setting import Setting as S
from openalgo_desktop.core.tools import Writes, toolsets


def toolset_list(value: Any) -> str:
    """Toolsets, comma separated; raises :class:`ConfigError` that names the word."""
    toolsets(str(value))
    return str(value).strip()


_GROUP = "Language models"

MCP_SETTINGS: tuple[S, ...] = (
    S(
        "mcp.stdio",
        True,
        "Let `openalgo-desktop mcp` read with a key of its own; off revokes that key",
        bool,
        group=_GROUP,
    ),
    S(
        "mcp.writes",
        Writes.OFF.value,
        "Orders of language models: off, sandbox (the paper account only) or live",
        choices=tuple(kind.value for kind in Writes),
        group=_GROUP,
    ),
    S(
        "mcp.approval",
        True,
        "Orders of language models wait in the action centre, whatever approvals.sources says",
        bool,
        group=_GROUP,
    ),
    S(
        "mcp.toolsets",
        "",
        "Tools given, comma separated: orders, account, market, options, reference, research, "
        "messages; empty = all",
        toolset_list,
        group=_GROUP,
    ),
    S(
        "mcp.http",
        False,
        "Serve MCP over HTTP on loopback; a client shows an API key",
        bool,
        group=_GROUP,
    ),
    S(
        "mcp.port",
        8770,
        "Port of MCP over HTTP; 0 picks a free one",
        int,
        low=0,
        high=65535,
        group=_GROUP,
        grouped=False,
    ),
)
