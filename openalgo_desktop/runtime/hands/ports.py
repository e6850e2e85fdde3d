"""The terminal as the owner's commands see it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from openalgo_desktop.automation.alerts.engine import Alerts
from openalgo_desktop.automation.strategies.service import Engine as StrategyEngine
from openalgo_desktop.automation.telegram.service import Telegram
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.events import Bus
from openalgo_desktop.local_api.server import LocalApi
from openalgo_desktop.runtime.accounts import Accounts
from openalgo_desktop.runtime.start_mcp import Mcp
from openalgo_desktop.sandbox.account import Sandbox
from openalgo_desktop.storage.applock import AppLock
from openalgo_desktop.storage.audit import AuditTrail
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.datadir import DataDirectory
from openalgo_desktop.storage.keys import ApiKeys
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.storage.vault import Vault
from openalgo_desktop.trading.approvals import Approvals
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.killswitch import KillSwitch

if TYPE_CHECKING:
    from openalgo_desktop.automation.host.service import Host


class Owned(Protocol):
    """A terminal. Offline operations need only what its storage has: settings, state, keys, lock,
    audit, bus, clock, data folder."""

    settings: Settings
    clock: SystemClock
    started: datetime
    bus: Bus
    data_dir: DataDirectory
    db: Database
    state: KeyValueStore
    vault: Vault
    keys: ApiKeys
    audit: AuditTrail
    lock: AppLock
    accounts: Accounts
    sandbox: Sandbox
    desk: OrderDesk
    approvals: Approvals
    kill_switch: KillSwitch
    alerts: Alerts
    mcp: Mcp
    strategies: StrategyEngine
    telegram: Telegram
    api: LocalApi | None

    @property
    def host(self) -> Host: ...

    async def reset_sandbox(self) -> None: ...


class Result(msgspec.Struct, frozen=True):
    """What an operation gives back: a sentence, rows of a table, or both. ``failed`` makes the
    command end with code 1 though nothing was refused; ``next`` is for the operation that comes
    after this one (see ``preview`` and ``more`` of the table)."""

    text: str = ""
    rows: list[dict[str, Any]] = []
    failed: bool = False
    next: str = ""
