"""The kill switch: block, cancel, flatten, verify, report.

It blocks new orders of both modes and works on the account of the mode in which the switch stands;
in the other mode on what bound walks (programs, runs and keys of a fixed mode) have there, and on
nothing else. The block is stored before anything else is done and holds over restarts until a
human resets it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, RiskBlocked
from openalgo_desktop.core.events import Bus, KillSwitchChanged, Notice
from openalgo_desktop.core.reports import KillReport
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.kill_parts import BoundPart, Part, WholeAccount
from openalgo_desktop.trading.ownbook import PositionKey

log = logging.getLogger(__name__)
T = TypeVar("T")

ATTEMPTS = 5
#: How long the books are watched for the effect of one attempt, and how often; seconds.
SETTLE, POLL = 3.0, 0.2
_SCOPE, _KEY = "terminal", "kill_switch"
#: Strategies that were bound once, by mode: the switch looks at theirs, too, after a restart.
_BOUND = "bound_strategies"

WHAT_RESET_DOES = (
    "New orders are accepted again. Cancelled orders are not placed again and closed positions "
    "are not opened again; the mode stays as it is."
)


class ValueStore(Protocol):
    """The part of the key-value store that is needed here."""

    async def get(self, scope: str, key: str) -> Any: ...
    async def put(self, scope: str, key: str, value: Any) -> None: ...
    async def delete(self, scope: str, key: str) -> None: ...
    def put_later(self, scope: str) -> Callable[[str, Any], None]: ...


class KillSwitch:
    """Pulled by :meth:`trip`; again to try again what is left."""

    def __init__(self, clock: Clock, bus: Bus, desk: OrderDesk, store: ValueStore) -> None:
        self._clock = clock
        self._bus = bus
        self._desk = desk
        self._store = store
        self._lock = asyncio.Lock()
        self.report: KillReport | None = None

    async def start(self) -> None:
        """Block again if an earlier run was blocked; know where something was bound."""
        origins = self._desk.sender.origins
        for mode, names in (await self._store.get(_SCOPE, _BOUND) or {}).items():
            origins.bound.setdefault(Mode(mode), set()).update(names)
        origins.on_bound = self._remember_bound
        stored = await self._store.get(_SCOPE, _KEY)
        if stored:
            self._block(str(stored.get("by", "")))
            log.warning("the kill switch is still on: %s", self._desk.risk.blocked)

    def _remember_bound(self) -> None:
        bound = self._desk.sender.origins.bound
        names = {mode.value: sorted(found) for mode, found in bound.items()}
        self._store.put_later(_SCOPE)(_BOUND, names)

    @property
    def tripped(self) -> bool:
        """Whether new orders are blocked."""
        return bool(self._desk.risk.blocked)

    def _block(self, by: str) -> None:
        self._desk.risk.block(f"the kill switch is on (by {by}). Reset it to accept orders again.")

    async def trip(self, by: str, *, flatten: bool = True) -> KillReport:
        """Block now; cancel what rests; close what is open (when ``flatten``); verify; report.

        Never raises for a single order: what could not be done is in the report.
        """
        self._block(by)  # at once; what follows may take its time
        self._bus.publish(KillSwitchChanged(tripped=True, by=by))
        errors: list[str] = []
        async with self._lock:
            try:
                await self._store.put(_SCOPE, _KEY, {"by": by, "at": self._clock.now().isoformat()})
            except AppError as error:
                errors.append(f"the block is not stored over a restart: {error.message}")
            report = await self._stop_all(by, flatten, errors)
        self.report = report
        level = "info" if report.clean else "error"
        log.warning("%s", report.text)
        self._bus.publish(Notice(level=level, text=report.text, at=self._clock.now()))
        self._bus.publish(KillSwitchChanged(tripped=True, by=by, report=report))
        return report

    async def reset(self, by: str) -> str:
        """Accept new orders again; returns the sentence that says what this does and not does."""
        async with self._lock:
            await self._store.delete(_SCOPE, _KEY)
            self._desk.risk.unblock()
        log.warning("kill switch reset by %s", by)
        self._bus.publish(Notice(level="warning", text=WHAT_RESET_DOES, at=self._clock.now()))
        self._bus.publish(KillSwitchChanged(tripped=False, by=by))
        return WHAT_RESET_DOES

    # -- inside -----------------------------------------------------------------------------
    async def _stop_all(self, by: str, flatten: bool, errors: list[str]) -> KillReport:
        """The account of the switch, and at the same time what bound walks have elsewhere."""
        mode = self._desk.mode
        others: list[asyncio.Task[KillReport]] = []
        for other in self._desk.sender.origins.bound.keys() - {mode}:
            lane = self._desk.bound(other)
            if lane.read.account_id:
                others.append(asyncio.create_task(self._work(BoundPart(lane), by, flatten, [])))
            else:
                errors.append(f"{other.value}: no account is connected, so nothing was done there")
        try:
            report = await self._work(WholeAccount(self._desk.bound(mode)), by, flatten, errors)
        finally:
            await asyncio.gather(*others, return_exceptions=True)
        return msgspec.structs.replace(report, also=tuple(one.result() for one in others))

    async def _work(self, part: Part, by: str, flatten: bool, errors: list[str]) -> KillReport:
        seen: set[str] = set()
        closed: set[PositionKey] = set()
        quiet = False
        for attempt in range(ATTEMPTS + 1):
            try:
                resting = await self._cancel(part, seen, errors)
                if resting:
                    continue  # closing on top of a resting order could turn the position
                if flatten and await self._flatten(part, closed, errors):
                    continue
                if quiet:
                    break
                # Orders that were on their way may have arrived since: look once more.
                await self._desk.quiet()
                quiet = True
            except AppError as error:
                errors.append(f"attempt {attempt + 1}: {error.message}")
                await asyncio.sleep(POLL)
        if unsettled := self._desk.unsettled():
            errors.append(f"the state of {unsettled} orders is unknown and being checked")
        resting_left, open_left = await self._left(part)
        still = set(open_left)
        working = set(resting_left)
        return KillReport(
            mode=part.mode,
            by=by,
            at=self._clock.now(),
            cancelled=len(seen - working),
            resting=len(working),
            flattened=len(closed - still),
            open_positions=len(still),
            errors=tuple(dict.fromkeys(errors)),
        )

    async def _cancel(self, part: Part, seen: set[str], errors: list[str]) -> list[str]:
        """One round of cancelling; returns what still works after it."""
        resting = await _working(part)
        if not resting:
            return []
        seen.update(resting)
        errors += [f"cancel of {order_id}: {why}" for order_id, why in await part.cancel()]
        for row in await part.triggers():
            try:
                await part.cancel_gtt(row)
            except AppError as error:
                errors.append(f"cancel of GTT {row.trigger_id}: {error.message}")
        return await self._until_empty(lambda: _working(part))

    async def _flatten(self, part: Part, closed: set[PositionKey], errors: list[str]) -> bool:
        """One round of closing; whether something is still open after it.

        A symbol with an order whose state is unknown is left alone until that is settled: the
        order may be a closing one, and a second one would open the other side.
        """
        rows = await part.open()
        if not rows:
            return False
        await self._desk.reconciler.run_once()
        unknown = {
            (str(entry.request.get("exchange")), str(entry.request.get("symbol")))
            for entry in self._desk.reconciler.open_entries.values()
            if entry.kind == "place" and entry.mode is part.mode
        }
        waiting = {key[1] for key in rows if key[:2] in unknown}
        errors += [f"{name} waits: the state of an order of it is unknown" for name in waiting]
        closed.update(key for key in rows if key[:2] not in unknown)
        errors += [f"close of {error}" for error in await part.close(unknown)]
        return bool(await self._until_empty(part.open))

    async def _until_empty(self, read: Callable[[], Awaitable[list[T]]]) -> list[T]:
        """Watch a book until it has no row, at most :data:`SETTLE` seconds."""
        rows = await read()
        for _ in range(int(SETTLE / POLL)):
            if not rows:
                break
            await asyncio.sleep(POLL)
            rows = await read()
        return rows

    async def _left(self, part: Part) -> tuple[list[str], list[PositionKey]]:
        try:
            return await _working(part), await part.open()
        except AppError as error:
            raise RiskBlocked(
                f"New orders are blocked, but the books of {part.mode.value} mode cannot be read, "
                f"so nobody knows what is left: {error.message}. Pull the kill switch again."
            ) from error


async def _working(part: Part) -> list[str]:
    """Ids of working orders, and of active GTTs, which would become orders later."""
    return await part.orders() + [f"GTT {row.trigger_id}" for row in await part.triggers()]
