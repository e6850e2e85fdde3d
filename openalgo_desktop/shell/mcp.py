"""``openalgo-desktop mcp``: the tools of the running engine for a language model's program, which
starts this command and speaks with it over standard input and output.

Nothing of a secret is an argument: the key comes from OPENALGO_API_KEY, or the engine gives the one
that it keeps for this command. The engine is asked anew for each call, so it may come and go.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from pathlib import Path

from openalgo_desktop.automation.mcp.ports import Facts
from openalgo_desktop.core.errors import ConfigError, NetError
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.tools import toolsets
from openalgo_desktop.runtime.start_mcp import mcp_facts
from openalgo_desktop.shell.entrance import importing, leave
from openalgo_desktop.shell.link import Link, NoEngine
from openalgo_desktop.shell.options import run_async

KEY, TOOLSETS, READ_ONLY = "OPENALGO_API_KEY", "OPENALGO_MCP_TOOLSETS", "OPENALGO_MCP_READ_ONLY"
#: Seconds in which the engine says who may do what.
_SECONDS = 20.0


def run(args: argparse.Namespace) -> int:
    """Serve until the client closes standard input."""
    try:
        only = toolsets(os.environ.get(TOOLSETS, ""))
    except ConfigError as error:
        raise ConfigError(f"{TOOLSETS}: {error.message}") from None
    read_only = os.environ.get(READ_ONLY, "").strip().lower() in ("1", "true", "yes", "on")
    with importing():
        from openalgo_desktop.automation.mcp.stdio import serve
        from openalgo_desktop.local_api.tool_rows import tool_rows
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)  # else Ctrl+C waits for a line of standard input
    key = Secret(os.environ.get(KEY, "").strip())

    async def door(_shown: str) -> Facts:
        return await asyncio.to_thread(_ask, args.data_dir, key)

    run_async(serve(tool_rows(), door, only, read_only=read_only))
    return 0


def _ask(data_dir: Path | None, key: Secret) -> Facts:
    """What the engine says now. Raises :class:`NetError` when there is none."""
    body = {"args": {"key": key.reveal()} if key.reveal() else {}}
    try:
        answer = Link(data_dir, timeout=_SECONDS).ask("engine", "mcp", body)
    except NoEngine as error:
        raise NetError(f"{error.message} Nothing was sent.") from None
    except NetError:
        raise NetError("The running program does not answer. Nothing was sent.") from None
    if answer.get("status") != "success":
        raise ConfigError(str(answer.get("message")))
    return mcp_facts(answer["rows"][0])
