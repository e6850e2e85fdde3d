"""Webhooks as a person sees them: what to paste, what came, and a try of one's own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.payloads import (
    Paste,
    Sender,
    Traded,
    hook_pastes,
    made_pastes,
    order_paste,
    signals_of,
)
from openalgo_desktop.core.strategies.rows import MadeStrategy
from openalgo_desktop.core.strategies.words import Signal, StrategyKind
from openalgo_desktop.core.webhook_log import WebhookEvent, hook_key, made_key
from openalgo_desktop.local_api.bodies import Body
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.handlers.webhooks import followed
from openalgo_desktop.local_api.made_webhooks import OWNER
from openalgo_desktop.local_api.services import Services
from openalgo_desktop.local_api.strategy_words import NO_ENGINE
from openalgo_desktop.trading.webhooks import WebhookKind, WebhookMode, WebhookStrategy

#: Seconds that a test waits for the end of its order.
_PATIENCE = 15.0
_LIVE = "Say that it shall be live: this alert would send real orders."


class Tried(msgspec.Struct, frozen=True):
    """A test: what was sent, the answer, and what became of the order."""

    sent: str
    status: int
    answer: dict[str, Any]
    outcome: str = ""


class WebhookDesk:
    """Doors for the window and the owner's commands. ``address`` gives that of this server."""

    def __init__(self, ctx: ApiContext, services: Services, address: Callable[[], str]) -> None:
        self._ctx = ctx
        self._services = services
        self._address = address

    @property
    def base(self) -> str:
        """The address that senders use: that of the tunnel or relay, else of this machine, which
        only programs on it reach."""
        return str(self._ctx.settings["webhooks.public_url"]) or self._address()

    # -- what to paste ----------------------------------------------------------------------
    def pastes_of_made(self, made: MadeStrategy, token: str = "") -> list[Paste]:
        """Alerts of a made strategy; ``token`` where it was rotated just now."""
        return made_pastes(self.base, made.definition, token)

    def pastes_of_hook(self, strategy: WebhookStrategy) -> list[Paste]:
        """Alerts of a webhook strategy."""
        return hook_pastes(
            self.base,
            strategy.webhook_id,
            [row.symbol for row in strategy.symbols],
            side=strategy.mode.value,
            chartink=strategy.kind is WebhookKind.CHARTINK,
        )

    def paste_of_order(self, sender: Sender, traded: Traded, key: str) -> Paste:
        """An alert that posts an order with an API key."""
        return order_paste(self.base, sender, traded, key)

    # -- what came --------------------------------------------------------------------------
    async def came_to_made(self, strategy_id: int, limit: int = 50) -> Sequence[WebhookEvent]:
        """Alerts to a made strategy, newest first, with what became of each."""
        return await self._came(made_key(strategy_id), limit)

    async def came_to_hook(self, webhook_id: str, limit: int = 50) -> Sequence[WebhookEvent]:
        """The same of a webhook strategy."""
        return await self._came(hook_key(webhook_id), limit)

    async def came(self, limit: int = 50) -> Sequence[WebhookEvent]:
        """Alerts to any address, also those of nobody, newest first."""
        store = self._ctx.webhook_log
        return [] if store is None else await store.latest(limit)

    async def _came(self, key: str, limit: int) -> Sequence[WebhookEvent]:
        store = self._ctx.webhook_log
        return [] if store is None else await store.recent(key, limit)

    # -- a try ------------------------------------------------------------------------------
    async def try_made(
        self, strategy_id: int, action: str = "", leg_id: int | None = None, *, live: bool = False
    ) -> Tried:
        """Send an alert of its own to a made strategy: ``action``, by default the start or the
        first signal of its first leg. Every stage but token and allow-list is passed. In the
        sandbox unless ``live``; raises :class:`ConfigError` where it would be live unasked."""
        engine = self._ctx.strategies
        if engine is None:
            raise ConfigError(NO_ENGINE)
        made = await engine.get(strategy_id)
        body: dict[str, Any] = {"action": action or _first(made)}
        if made.definition.kind is StrategyKind.SIGNAL:
            body["leg_id"] = leg_id or made.definition.legs[0].leg_id
            if made.live_enabled and not live:
                raise ConfigError(f"live: signals of this strategy are live. {_LIVE}")
        if body["action"] == Signal.START:
            body["mode"] = (Mode.LIVE if live else Mode.SANDBOX).value
        elif made.current_run_id is not None and not live:
            run = await engine.run(made.current_run_id)
            if run is not None and run.mode is Mode.LIVE:
                raise ConfigError(f"live: its run is live. {_LIVE}")
        sent = msgspec.json.encode(body)
        reply = await self._services.made_webhooks.follow(engine, made, Body(sent), OWNER)
        return Tried(sent.decode(), reply.status, reply.payload)

    async def try_hook(self, strategy: WebhookStrategy, *, live: bool = False) -> Tried:
        """Send an entry of its own to a webhook strategy, in its first symbol, and wait for what
        becomes of the order. In the sandbox unless ``live``, wherever the switch stands."""
        if not strategy.symbols:
            raise ConfigError("symbols: add at least one symbol that alerts may trade.")
        body = _entry(strategy) | {"alert_id": f"test-{uuid.uuid4().hex}"}
        ends: asyncio.Queue[str] = asyncio.Queue()
        sent = msgspec.json.encode(body)
        mode = Mode.LIVE if live else Mode.SANDBOX
        status, answer, orders = await followed(
            self._ctx, self._services, strategy, Body(sent), mode, ends.put_nowait
        )
        outcome = ""
        if orders:
            try:
                outcome = await asyncio.wait_for(ends.get(), _PATIENCE)
            except TimeoutError:
                outcome = "it waits still; see the log of webhooks"
        return Tried(sent.decode(), status, answer, outcome)


def _first(made: MadeStrategy) -> str:
    given = made.definition
    if given.kind is StrategyKind.BATCH:
        return Signal.START.value
    return signals_of(given, given.legs[0])[0].value


def _entry(strategy: WebhookStrategy) -> dict[str, Any]:
    row, short = strategy.symbols[0], strategy.mode is WebhookMode.SHORT
    if strategy.kind is WebhookKind.CHARTINK:
        return {"stocks": row.symbol, "scan_name": "test SHORT" if short else "test BUY"}
    body: dict[str, Any] = {"symbol": row.symbol, "action": "SELL" if short else "BUY"}
    if strategy.mode is WebhookMode.BOTH:
        body["position_size"] = row.quantity
    return body
