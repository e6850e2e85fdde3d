"""What ``call`` needs to know when no engine runs on the data folder: from the endpoint table of
this version, the stored settings and the vault."""

from __future__ import annotations

import argparse
from typing import Any

from openalgo_desktop.local_api.endpoints import CONTROL, TABLE
from openalgo_desktop.local_api.network import url_host
from openalgo_desktop.runtime.hands.endpoint import describe
from openalgo_desktop.shell.api_key import default_key
from openalgo_desktop.shell.options import run_async, stored_settings, terminal_options


def endpoint_facts(args: argparse.Namespace) -> dict[str, Any]:
    """Like the running engine's answer. Raises :class:`ConfigError` for an unknown endpoint."""
    facts = describe((*TABLE, CONTROL), args.endpoint, "GET" if args.get else "")
    return facts | run_async(_where(args))


async def _where(args: argparse.Namespace) -> dict[str, str]:
    options = terminal_options(args)
    settings = await stored_settings(options)
    return {
        "rest_url": f"http://{url_host(settings['api.host'])}:{settings['api.rest_port']}",
        "key": args.key or await default_key(options),
    }
