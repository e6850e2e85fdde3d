"""What the local API may touch: handed in by the composition root, shared by REST and WebSocket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.events import Bus
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import AccountStatus
from openalgo_desktop.core.ports import AlertStore
from openalgo_desktop.core.strategies.ports import StrategyEngine
from openalgo_desktop.core.telegram import TelegramRoom
from openalgo_desktop.core.webhook_log import WebhookLog
from openalgo_desktop.local_api.callback import Callbacks
from openalgo_desktop.market.hub import MarketHub
from openalgo_desktop.storage.keys import ApiKeys
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.trading.approvals import Approvals
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.idempotency import RequestMemory


@dataclass(frozen=True, slots=True)
class ApiContext:
    """Services of one terminal.

    ``control`` is set only when ``--sim-control`` opened ``POST /simulator/control``.
    ``brokers`` are the ids that this version knows.
    """

    settings: Settings
    clock: Clock
    bus: Bus
    hub: MarketHub
    desk: OrderDesk
    instruments: InstrumentTable
    keys: ApiKeys
    calendar: MarketCalendar
    state: KeyValueStore
    alerts: AlertStore
    control: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]] | None
    account_status: Callable[[], AccountStatus]
    user_id: str
    brokers: Iterable[str] = ("simulator",)
    callbacks: Callbacks | None = None  # of logins in the browser
    approvals: Approvals | None = None
    requests: RequestMemory | None = None
    strategies: StrategyEngine | None = None
    telegram: TelegramRoom | None = None
    webhook_log: WebhookLog | None = None

    @property
    def broker(self) -> str:
        """Broker id of the data account."""
        return self.account_status().broker
