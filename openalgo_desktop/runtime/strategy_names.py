"""Names that strategies have: what one holds, and what its stop closes, is known by its name, so a
new one takes no name of another kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.tools import MCP_STRATEGY
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.storage.strategies import StrategyRepository
from openalgo_desktop.trading.webhooks import WebhookStore

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Where the rows of hosted programs are; they are read without loading their host.
_PROGRAMS = "hosted"


class Named(Protocol):
    """The part of a terminal that has names: its storage, so that no engine has to run."""

    state: KeyValueStore
    db: Database


async def beside_programs(terminal: Terminal) -> set[str]:
    """Names that a hosted program may not take: of webhook strategies, of made ones, of those that
    API keys are bound to, and that of language models."""
    made = await terminal.strategies.find()
    names = await _common(terminal) | {row.definition.name for row in made}
    bound = {key.strategy for key in await terminal.keys.all() if key.strategy}
    return names | bound


async def beside_made(terminal: Terminal) -> set[str]:
    """Names that a made strategy may not take."""
    return await _common(terminal) | await programs(terminal)


async def check_webhook(terminal: Named, name: str) -> None:
    """Raise :class:`ConfigError` where a made strategy, a program or language models have that
    name. (Two webhook strategies of one name are one strategy with two addresses.)"""
    made = {row.definition.name for row in await StrategyRepository(terminal.db).strategies()}
    if name in made | await programs(terminal) | {MCP_STRATEGY}:
        raise ConfigError(
            f"name: {name!r} is the name of another strategy, and what each holds is known by its "
            "name. Give another one."
        )


async def programs(terminal: Named) -> set[str]:
    """Names of hosted programs."""
    return {str(row["name"]) for row in (await terminal.state.all(_PROGRAMS)).values()}


async def _common(terminal: Terminal) -> set[str]:
    hooks = await WebhookStore(terminal.state).all()
    return {row.name for row in hooks} | {MCP_STRATEGY}
