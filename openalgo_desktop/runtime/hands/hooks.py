"""Webhooks of both kinds: what to paste, what came, a test in the sandbox."""

from __future__ import annotations

from typing import Any

import msgspec

from openalgo_desktop.core.clock import api_timestamp
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.core.strategies.payloads import Paste
from openalgo_desktop.core.strategies.rows import MadeStrategy
from openalgo_desktop.core.webhook_log import WebhookEvent
from openalgo_desktop.local_api.webhook_desk import WebhookDesk
from openalgo_desktop.runtime.hands.ports import Owned, Result
from openalgo_desktop.trading.webhooks import WebhookStore, WebhookStrategy

_ROWS = 50


async def _found(owned: Owned, wanted: str) -> MadeStrategy | WebhookStrategy:
    hooks = await WebhookStore(owned.state).all()
    made = await owned.strategies.find()
    found: list[MadeStrategy | WebhookStrategy] = [
        *(row for row in hooks if wanted in (row.name, row.webhook_id)),
        *(row for row in made if wanted == row.definition.name),
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"name: {len(found)} strategies are called {wanted!r}; rename one.")
    names = [row.name for row in hooks] + [row.definition.name for row in made]
    raise ConfigError(f"name: there is no strategy {wanted!r}.{did_you_mean(wanted, names)}")


def _desk(owned: Owned) -> WebhookDesk:
    if owned.api is None:
        raise ConfigError("The local API is off (setting api.enabled), so no alert is heard.")
    return owned.api.webhooks


def _event(row: WebhookEvent) -> dict[str, Any]:
    return {
        "at": api_timestamp(row.received_at),
        "strategy": row.name or "(unknown address)",
        "from": row.client,
        "said": row.said,
        "result": row.result.value,
        "what became of it": row.outcome or row.message,
    }


async def webhooks_log(owned: Owned, data: dict[str, Any]) -> Result:
    """Alerts that came, newest first, and what became of each."""
    desk = _desk(owned)
    if not data["name"]:
        rows = await desk.came(_ROWS)
    else:
        match await _found(owned, data["name"]):
            case MadeStrategy(strategy_id=number):
                rows = await desk.came_to_made(number, _ROWS)
            case WebhookStrategy(webhook_id=text):
                rows = await desk.came_to_hook(text, _ROWS)
    return Result("" if rows else "No alert came.", [_event(row) for row in rows])


async def webhooks_payload(owned: Owned, data: dict[str, Any]) -> Result:
    """What to paste into the sender of alerts."""
    desk = _desk(owned)
    pastes: list[Paste]
    match await _found(owned, data["name"]):
        case MadeStrategy() as made:
            pastes = desk.pastes_of_made(made)
        case WebhookStrategy() as strategy:
            pastes = desk.pastes_of_hook(strategy)
    return Result(rows=[msgspec.structs.asdict(paste) for paste in pastes])


async def webhooks_test(owned: Owned, data: dict[str, Any]) -> Result:
    """Send a strategy an alert of its own, in the sandbox."""
    desk = _desk(owned)
    match await _found(owned, data["name"]):
        case MadeStrategy(strategy_id=number):
            tried = await desk.try_made(number, data["action"])
        case WebhookStrategy() as strategy:
            if data["action"]:
                raise ConfigError("action: a webhook strategy is tried with an entry.")
            tried = await desk.try_hook(strategy)
    answer = msgspec.json.encode(tried.answer, enc_hook=str).decode()
    text = f"Sent {tried.sent}. Answer {tried.status}: {answer}"
    more = f" What became of it: {tried.outcome}" if tried.outcome else ""
    return Result(text + more, failed=tried.status != 200)
