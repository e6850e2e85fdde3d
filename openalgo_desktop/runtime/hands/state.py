"""Settings, and what the running engine says of itself."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

from openalgo_desktop import __version__
from openalgo_desktop.config.settings import SETTINGS, Settings
from openalgo_desktop.core.clock import api_timestamp
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.runtime.hands.ports import Owned, Result
from openalgo_desktop.storage.vault import Vault

#: Scope and key of symbols that wait for the window's next start.
IMPORTED_WATCH_LIST = ("workspace", "imported-watch-list")


def setting_facts(settings: Settings, pattern: str = "") -> list[dict[str, Any]]:
    """Key, value and origin of each setting whose key contains ``pattern``."""
    return [
        {"key": key, "value": str(settings[key]), "from": settings.origin(key)}
        for key in settings.known()
        if pattern in key
    ]


# -- settings -------------------------------------------------------------------------------
async def settings_list(owned: Owned, data: dict[str, Any]) -> Result:
    """Values and origins."""
    rows = setting_facts(owned.settings, data["pattern"])
    if not rows:
        near = did_you_mean(data["pattern"], SETTINGS)
        raise ConfigError(f"pattern: no setting contains {data['pattern']!r}.{near}")
    return Result(rows=rows)


async def settings_get(owned: Owned, data: dict[str, Any]) -> Result:
    """One value."""
    return Result(str(owned.settings[data["key"]]))


async def settings_set(owned: Owned, data: dict[str, Any]) -> Result:
    """Store a value; durable when answered."""
    key = owned.settings.row(data["key"]).key
    owned.settings.set(key, data["value"])
    value = owned.settings[key]
    await owned.state.put("settings", key, value)
    return Result(f"{key} = {value}{_when(owned, key)}")


async def settings_unset(owned: Owned, data: dict[str, Any]) -> Result:
    """Back to the default; durable when answered."""
    row = owned.settings.row(data["key"])
    key, default = row.key, owned.settings.unset(row.key)
    for name in (key, *row.former):
        await owned.state.delete("settings", name)
    return Result(f"{key} = {default} (the default){_when(owned, key)}")


def _when(owned: Owned, key: str) -> str:
    return "; takes effect at the next start" if owned.settings.row(key).restart else ""


# -- the engine -----------------------------------------------------------------------------
async def engine_status(owned: Owned, data: dict[str, Any]) -> Result:
    """What runs."""
    api = owned.api
    accounts = owned.accounts
    facts = {
        "program": f"OpenAlgo Desktop {__version__}",
        "python": f"{sys.version.split()[0]} on {platform.platform()}",
        "process": str(os.getpid()),
        "since": f"{api_timestamp(owned.started)} IST",
        "mode": owned.desk.mode.value,
        "orders": owned.desk.risk.blocked or "accepted",
        "lock": ("locked" if owned.lock.locked else "open") if owned.lock.enabled else "off",
        "rest": api.rest_url if api is not None else "off",
        "websocket": api.ws_url if api is not None else "off",
        "listens on": api.listening if api is not None else "loopback only, for commands",
        "warning": api.exposure if api is not None else "",
        "mcp": owned.mcp.state,
        "clients": str(api.clients) if api is not None else "0",
        "data account": f"{accounts.data} ({accounts[accounts.data].status.state.value})",
        "order account": f"{accounts.orders} ({accounts[accounts.orders].status.state.value})",
        "symbol master": str(accounts[accounts.data].details().get("master", "")),
        "data folder": str(owned.data_dir.path),
        "database": owned.data_dir.shown_database_url,
        "log folder": str(owned.data_dir.logs),
        "secrets": protection(owned.vault),
        "approvals": f"{len(owned.approvals.pending())} waiting",
        "unsettled orders": str(owned.desk.unsettled()),
    }
    return Result(rows=[{"what": name, "is": value} for name, value in facts.items() if value])


def protection(vault: Vault) -> str:
    """How the secrets are kept."""
    return vault.protection()


async def engine_endpoint(owned: Owned, data: dict[str, Any]) -> Result:
    """What ``call`` needs to know of an endpoint, and the default key of this machine."""
    from openalgo_desktop.runtime.hands.endpoint import describe

    if owned.api is None:
        raise ConfigError("The local API is off (setting api.enabled).")
    facts = describe(owned.api.endpoints(), data["path"], data["method"])
    key = await owned.keys.default()
    facts |= {"rest_url": owned.api.rest_url, "key": key.reveal() if key is not None else ""}
    return Result(rows=[facts])


async def engine_watch(owned: Owned, data: dict[str, Any]) -> Result:
    """Symbols that the window adds to its watch list at its next start."""
    known = await owned.state.get(*IMPORTED_WATCH_LIST) or []
    wanted = [text.split(":", 1) for text in data["symbol"] if ":" in text]
    new = [key for key in wanted if key not in known]
    await owned.state.put(*IMPORTED_WATCH_LIST, known + new)
    return Result(f"{len(new)} symbols are in the watch list when the window starts next.")
