"""Types and texts of the engine's rooms that docks and dialogs show, passed on: those import no
room of the engine themselves."""

from __future__ import annotations

from openalgo_desktop.local_api.webhook_desk import Tried
from openalgo_desktop.runtime.logs import LogLine
from openalgo_desktop.sandbox.statistics import (
    DailyPnl,
    Summary,
    daily_csv,
    trades_csv,
)
from openalgo_desktop.trading.killswitch import WHAT_RESET_DOES
from openalgo_desktop.trading.limit_rows import Limits
from openalgo_desktop.trading.webhooks import (
    SymbolMap,
    WebhookKind,
    WebhookMode,
    WebhookStrategy,
)

__all__ = [
    "WHAT_RESET_DOES",
    "DailyPnl",
    "Limits",
    "LogLine",
    "Summary",
    "SymbolMap",
    "Tried",
    "WebhookKind",
    "WebhookMode",
    "WebhookStrategy",
    "daily_csv",
    "trades_csv",
]
