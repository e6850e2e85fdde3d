"""How frames travel: one module per transport with ``open_link(address, spec)``, imported when a
stream uses it."""

from __future__ import annotations

import asyncio
import importlib

from openalgo_desktop.brokers.kit.feed.links.base import Address, Link, OpenLink
from openalgo_desktop.brokers.kit.spec import StreamSpec


async def open_link(address: Address, spec: StreamSpec) -> Link:
    """Connect by the transport of ``spec``; see :data:`OpenLink` for the errors."""
    # The libraries take up to a tenth of a second to import: not on the loop.
    module = await asyncio.to_thread(importlib.import_module, f"{__name__}.{spec.transport}")
    opened: OpenLink = module.open_link
    return await opened(address, spec)
