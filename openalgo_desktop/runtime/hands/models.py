"""What ``openalgo-desktop mcp`` asks the engine."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.runtime.hands.ports import Owned, Result


async def engine_mcp(owned: Owned, data: dict[str, Any]) -> Result:
    """Address, key and rights for a call of a language model, as they are now."""
    return Result(rows=[await owned.mcp.facts(data["key"])])
