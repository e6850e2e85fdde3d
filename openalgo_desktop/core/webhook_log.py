"""The log of webhooks: every alert that came, and what became of it. One log for both kinds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from openalgo_desktop.core.strategies.webhook import HookResult

#: Rows that are kept of one strategy, and of alerts of no strategy together.
KEPT = 1000


def made_key(strategy_id: int) -> str:
    """Whose rows they are: a made strategy's."""
    return f"made:{strategy_id}"


def hook_key(webhook_id: str) -> str:
    """The same of a webhook strategy. Its id is a secret, so its digest stands for it."""
    return f"hook:{hashlib.sha256(webhook_id.encode()).hexdigest()[:32]}"


class WebhookEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One alert. ``strategy`` is a key as above, empty for an address of nobody; ``said`` what it
    asked, cut, without secrets. ``first_order`` to ``last_order`` are its rows of the queue of
    webhook orders, whose results are ``outcome``."""

    event_id: int = 0
    received_at: datetime
    strategy: str = ""
    name: str = ""
    action: str = ""
    mode: str = ""
    client: str = ""
    said: str = ""
    result: HookResult
    status: int = 0
    message: str = ""
    run_id: int | None = None
    first_order: int | None = None
    last_order: int | None = None
    outcome: str = ""


class WebhookLog(Protocol):
    """Durable rows, at most :data:`KEPT` of each strategy."""

    async def add(self, event: WebhookEvent) -> int:
        """Store a row and let go of the oldest of its strategy; its id when it is durable."""

    async def finish(
        self, event_id: int, result: HookResult, status: int, message: str, run_id: int | None
    ) -> None:
        """Say what became of a row that was taken."""

    async def recent(self, strategy: str, limit: int) -> Sequence[WebhookEvent]:
        """Rows of one strategy, newest first, with the outcome of their orders."""

    async def latest(self, limit: int) -> Sequence[WebhookEvent]:
        """Rows of all, newest first."""

    async def taken(self) -> Sequence[WebhookEvent]:
        """Rows whose end is not known, oldest first."""
