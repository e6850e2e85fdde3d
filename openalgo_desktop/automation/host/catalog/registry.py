"""The hosted programs as they are kept: added, changed, promoted, removed."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from openalgo_desktop.automation.host.catalog import content, parameters
from openalgo_desktop.automation.host.catalog.content import Found
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.model import SQUARE_OFF_STRATEGY
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.core.strategies.hosted import Hosted, Hours, Quotas
from openalgo_desktop.core.strategies.hours import Expiries, checked_hours
from openalgo_desktop.core.strategies.ports import StrategyNotFound

log = logging.getLogger(__name__)

SCOPE = "hosted"
MAX_NAME = 80
#: Names go into journal, books and limits; these would mean something there.
_FORBIDDEN = ":*?\\/\"'<>|"
_MOST = {"orders_per_minute": 6_000, "memory_mb": 1_048_576, "cpu_percent": 6_400}


class JsonStore(Protocol):
    """Small JSON values by scope and key."""

    async def all(self, scope: str) -> dict[str, Any]: ...
    async def put(self, scope: str, key: str, value: Any) -> None: ...
    async def delete(self, scope: str, key: str) -> None: ...


class Registry:
    """Rows in memory and on disk; copies lie below ``root``. Every change is durable when it
    returns, and every error is a :class:`ConfigError` that names the field and the fix."""

    def __init__(
        self,
        root: Path,
        store: JsonStore,
        clock: Clock,
        calendar: MarketCalendar,
        expiries: Expiries,
    ) -> None:
        self._root = root
        self._store = store
        self._clock = clock
        self._calendar = calendar
        self._expiries = expiries
        self._rows: dict[str, Hosted] = {}  # by id
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """Read what is kept. A row that cannot be read is left where it is and told: it keeps no
        terminal from starting, and what ran of it is ended."""
        for key, row in (await self._store.all(SCOPE)).items():
            try:
                self._rows[key] = msgspec.convert(row, Hosted)
            except msgspec.ValidationError as error:
                log.error("the hosted program %s cannot be read and is left out: %s", key, error)

    # -- asking -----------------------------------------------------------------------------
    def all(self) -> Sequence[Hosted]:
        """By name."""
        return sorted(self._rows.values(), key=lambda row: row.name.lower())

    def get(self, name: str) -> Hosted:
        """By name (capitals do not count) or id. Raises :class:`StrategyNotFound`."""
        wanted = name.strip().lower()
        for row in self._rows.values():
            if wanted in (row.name.lower(), row.strategy_id):
                return row
        near = did_you_mean(name, [row.name for row in self._rows.values()])
        raise StrategyNotFound(f"name: there is no hosted program {name!r}.{near}")

    def by_id(self, strategy_id: str) -> Hosted | None:
        """None when it was removed."""
        return self._rows.get(strategy_id)

    async def digest(self, row: Hosted) -> str:
        """The content as it is now. Raises :class:`ConfigError` where it cannot be read."""
        folder = Path(row.folder)
        return await asyncio.to_thread(content.digest, folder, row.entry, single=row.single)

    # -- adding and removing ----------------------------------------------------------------
    async def add(
        self, path: Path, name: str = "", *, link: bool = False, taken: Collection[str] = ()
    ) -> Hosted:
        """Take a file or folder in: copied, or with ``link`` used where it is. ``taken`` are names
        of strategies of other kinds: two of one name would have one book."""
        found = await asyncio.to_thread(content.find, path)
        async with self._lock:
            chosen = self._free_name(name or found.manifest.name or _stem(path), taken)
            strategy_id = f"{_slug(chosen)}-{secrets.token_hex(3)}"
            row = self._row(strategy_id, chosen, found, link)
            if not link:
                await asyncio.to_thread(content.copy, found, Path(row.folder))
            try:
                await self._keep(row)
            except BaseException:
                if not link:
                    await asyncio.to_thread(content.delete, Path(row.folder))
                raise
            return row

    def _row(self, strategy_id: str, name: str, found: Found, link: bool) -> Hosted:
        manifest = found.manifest
        declared = manifest.declared()
        parameters.check_declared(declared)
        row = Hosted(
            strategy_id=strategy_id,
            name=name,
            entry=found.entry,
            folder=str(found.folder if link else self._root / strategy_id),
            linked=link,
            single=found.single and link,
            exchange=manifest.exchange.strip().upper(),
            quotas=manifest.quotas,
            on_crash=manifest.on_crash,
            on_engine_restart=manifest.on_engine_restart,
            at_stop=manifest.at_stop,
            stall_minutes=manifest.stall_minutes,
            declared=declared,
            added_at=self._clock.now(),
        )
        return self._checked(msgspec.structs.replace(row, hours=manifest.schedule.hours()))

    def _free_name(self, name: str, taken: Collection[str]) -> str:
        name = " ".join(name.split())
        if not name or len(name) > MAX_NAME:
            raise ConfigError(f"name: a program needs a name of 1 to {MAX_NAME} characters.")
        if not name.isprintable() or any(letter in _FORBIDDEN for letter in name):
            raise ConfigError(f"name: {name!r} must be without {' '.join(_FORBIDDEN)} and marks.")
        if name == SQUARE_OFF_STRATEGY:
            raise ConfigError(f"name: {name} is the name of what we close; give another one.")
        if name.lower() in {other.lower() for other in taken}:
            raise ConfigError(
                f"name: another strategy is called {name!r}, and what a strategy holds is known by "
                "its name; give another one with --name."
            )
        if any(name.lower() == row.name.lower() for row in self._rows.values()):
            raise ConfigError(
                f"name: there is a program {name!r} already; give another one with --name."
            )
        return name

    async def remove(self, strategy_id: str) -> None:
        """Forget a program; our copy of its files goes, a linked one stays."""
        async with self._lock:
            row = self._rows.get(strategy_id)
            if row is None:
                return
            await self._store.delete(SCOPE, strategy_id)
            del self._rows[strategy_id]
            if not row.linked:
                await asyncio.to_thread(content.delete, Path(row.folder))

    # -- changing ---------------------------------------------------------------------------
    async def change(self, strategy_id: str, **fields: Any) -> Hosted:
        """Other values for some fields of a row."""
        async with self._lock:
            row = msgspec.structs.replace(self._rows[strategy_id], **fields)
            row = self._checked(row)
            await self._keep(row)
            return row

    async def set_parameter(self, strategy_id: str, name: str, text: str) -> Hosted:
        """Set a declared parameter; an empty text is its default."""
        row = self._rows[strategy_id]
        values = parameters.with_value(row.declared, row.parameters, name, text)
        return await self.change(strategy_id, parameters=values)

    async def reread(self, strategy_id: str) -> Hosted:
        """Take entry and declared parameters from files that were edited. Raises
        :class:`ConfigError` for what cannot run; what the user has set stays."""
        row = self._rows[strategy_id]
        if row.single:
            await asyncio.to_thread(content.check_entry, Path(row.folder) / row.entry)
            return row
        found = await asyncio.to_thread(content.find, Path(row.folder))
        declared = found.manifest.declared()
        parameters.check_declared(declared)
        if (found.entry, declared) == (row.entry, row.declared):
            return row
        return await self.change(strategy_id, entry=found.entry, declared=declared)

    def _checked(self, row: Hosted) -> Hosted:
        _check_quotas(row.quotas)
        if not 0 <= row.stall_minutes <= 1440:
            raise ConfigError(f"stall_minutes: {row.stall_minutes} must be 0 to 1440.")
        hours: Hours = checked_hours(row.hours, row.exchange, self._expiries, self._clock.now())
        return msgspec.structs.replace(row, hours=hours)

    async def _keep(self, row: Hosted) -> None:
        await self._store.put(SCOPE, row.strategy_id, msgspec.to_builtins(row))
        self._rows[row.strategy_id] = row


def _check_quotas(quotas: Quotas) -> None:
    values = msgspec.structs.asdict(quotas)
    for field in Quotas.__struct_fields__:
        value = values[field]
        if not isinstance(value, int | float):
            continue
        if not 0 <= value < float("inf"):
            raise ConfigError(f"quotas.{field}: {value} must not be negative (0 is off).")
        if value > _MOST.get(field, value):
            raise ConfigError(f"quotas.{field}: {value} is above {_MOST[field]}.")
    if quotas.orders_per_minute == 0:
        raise ConfigError(
            "quotas.orders_per_minute: give at least 1; a program has always a limit."
        )


def _stem(path: Path) -> str:
    return path.expanduser().absolute().stem


def _slug(name: str) -> str:
    letters = [c if c.isascii() and c.isalnum() else "-" for c in name.lower()]
    return "-".join(part for part in "".join(letters).split("-") if part)[:40] or "program"
