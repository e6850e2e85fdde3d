"""The list of made strategies: made, changed, exported, opened to webhooks and to live."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence

from openalgo_desktop.automation.strategies.ground import Ground
from openalgo_desktop.automation.strategies.recorder import Recorder
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import StrategyChanged
from openalgo_desktop.core.strategies.checks import DefinitionError, check
from openalgo_desktop.core.strategies.files import from_file, to_file
from openalgo_desktop.core.strategies.model import Definition
from openalgo_desktop.core.strategies.ports import NotNow, StrategyNotFound
from openalgo_desktop.core.strategies.rows import MadeStrategy, RunEvent
from openalgo_desktop.core.strategies.words import EventKind, RunStatus, Severity

#: Webhook tokens begin with this; then 43 URL-safe characters.
TOKEN_PREFIX = "oaws_"


class Catalog:
    """Everything that needs no run."""

    def __init__(self, ground: Ground, recorder: Recorder) -> None:
        self._ground = ground
        self.recorder = recorder
        self._names = asyncio.Lock()

    async def create(self, definition: Definition, by: str) -> MadeStrategy:
        """Keep a new strategy. Raises :class:`DefinitionError`."""
        check(definition)
        async with self._names:
            await self._check_name(definition.name, 0)
            made = await self._ground.store.add(definition, self._ground.clock.now())
        self._tell(made, EventKind.STRATEGY_CREATED, f"Made by {by}.")
        return made

    async def update(self, strategy_id: int, definition: Definition, by: str) -> MadeStrategy:
        """Another definition. Raises :class:`NotNow` while it runs."""
        check(definition)
        before = await self.get(strategy_id)
        async with self._names:
            await self._check_name(definition.name, strategy_id)
            now = self._ground.clock.now()
            if not await self._ground.store.define(strategy_id, definition, now):
                raise NotNow("It runs: stop it before it is changed.")
        made = await self.get(strategy_id)
        text = f"Changed by {by}."
        if before.definition.name != definition.name:
            text += f" Its name was {before.definition.name}."
        self._tell(made, EventKind.STRATEGY_UPDATED, text)
        return made

    async def _check_name(self, name: str, own: int) -> None:
        """Orders, results and what a stop closes are kept by the name, so no two have the same,
        of whatever kind; one that has its name keeps it."""
        kept = False
        for made in await self._ground.store.strategies():
            if made.definition.name.casefold() != name.casefold():
                continue
            if made.strategy_id != own:
                raise DefinitionError(
                    {"name": f"There is a strategy {made.definition.name} already; choose another."}
                )
            kept = True
        others = () if kept else await self._ground.taken()
        if name.casefold() in {other.casefold() for other in others}:
            text = f"A strategy of another kind is called {name} already; choose another."
            raise DefinitionError({"name": text})

    async def delete(self, strategy_id: int, by: str) -> None:
        """Take it off the list; its record stays. Raises :class:`NotNow` while it runs."""
        made = await self.get(strategy_id)
        if not await self._ground.store.remove(strategy_id, self._ground.clock.now()):
            raise NotNow("It runs: stop it before it is deleted.")
        self._tell(made, EventKind.STRATEGY_UPDATED, f"Deleted by {by}.")

    async def export(self, strategy_id: int) -> bytes:
        """Its definition as a file (JSON)."""
        return to_file((await self.get(strategy_id)).definition)

    async def import_file(self, text: bytes | str, by: str) -> MadeStrategy:
        """A new strategy from a file. Raises :class:`ConfigError` with the place and the fix."""
        return await self.create(from_file(text), by)

    async def enable_live(self, strategy_id: int, enabled: bool, by: str) -> MadeStrategy:
        """The opt-in to live, in the account that takes live orders now. Raises :class:`NotNow`
        while it runs, and where no account takes them."""
        await self.get(strategy_id)
        try:
            account = self._ground.desk.gateway_of(Mode.LIVE).account_id if enabled else ""
        except AppError as error:
            raise NotNow(f"Live is allowed for one account, and there is none: {error}") from error
        if not await self._ground.store.live(strategy_id, account, self._ground.clock.now()):
            raise NotNow("It runs: stop it before live trading is switched.")
        made = await self.get(strategy_id)
        kind = EventKind.LIVE_ENABLED if enabled else EventKind.LIVE_DISABLED
        text = f"By {by}, in the account {account}." if enabled else f"By {by}."
        self._tell(made, kind, text, Severity.WARN if enabled else Severity.INFO)
        return made

    async def rotate_token(self, strategy_id: int, by: str) -> str:
        """A new webhook token; its text is given only here."""
        made = await self.get(strategy_id)
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        await self._ground.store.token(strategy_id, digest(token), self._ground.clock.now())
        self._tell(made, EventKind.WEBHOOK_TOKEN_ROTATED, f"By {by}.", Severity.WARN)
        return token

    async def by_token(self, token: str) -> MadeStrategy | None:
        """The strategy of a webhook token."""
        if not token.startswith(TOKEN_PREFIX):
            return None
        return await self._ground.store.of_token(digest(token))

    async def find(
        self, status: RunStatus | None = None, words: str = ""
    ) -> Sequence[MadeStrategy]:
        """Newest first; those whose name or underlying contains ``words``."""
        needle = words.casefold()
        return [
            made
            for made in await self._ground.store.strategies()
            if status in (None, made.status)
            and needle in f"{made.definition.name} {made.definition.underlying}".casefold()
        ]

    async def get(self, strategy_id: int) -> MadeStrategy:
        """Raises :class:`StrategyNotFound`."""
        made = await self._ground.store.strategy(strategy_id)
        if made is None:
            raise StrategyNotFound("Strategy not found")
        return made

    def _tell(
        self,
        made: MadeStrategy,
        kind: EventKind,
        text: str,
        severity: Severity = Severity.INFO,
    ) -> None:
        self.recorder.tell(
            RunEvent(
                event_id=0,
                strategy_id=made.strategy_id,
                run_id=made.current_run_id,
                at=self._ground.clock.now(),
                kind=kind,
                severity=severity,
                message=text,
            )
        )
        self._ground.bus.publish(StrategyChanged(strategy_id=made.strategy_id))


def digest(token: str) -> str:
    """What is stored of a webhook token: its SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()
