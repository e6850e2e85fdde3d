"""The kill switch: block, cancel, flatten, verify, report.

It works on the account of the current mode and blocks new orders of both modes. The block is
stored before anything else is done and holds over restarts until a human resets it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError, NotSupported, RiskBlocked
from openalgo_desktop.core.events import Bus, KillSwitchChanged, Notice
from openalgo_desktop.core.gtt import Gtt
from openalgo_desktop.core.model import OrderAck, Position
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.core.reports import KillReport
from openalgo_desktop.trading.books import in_turns
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.risk import KILL_SOURCE

log = logging.getLogger(__name__)

ATTEMPTS = 5
#: How long the books are watched for the effect of one attempt, and how often; seconds.
SETTLE, POLL = 3.0, 0.2
_SCOPE, _KEY = "terminal", "kill_switch"

WHAT_RESET_DOES = (
    "New orders are accepted again. Cancelled orders are not placed again and closed positions "
    "are not opened again; the mode stays as it is."
)


class ValueStore(Protocol):
    """The part of the key-value store that is needed here."""

    async def get(self, scope: str, key: str) -> Any: ...
    async def put(self, scope: str, key: str, value: Any) -> None: ...
    async def delete(self, scope: str, key: str) -> None: ...


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
        """Block again if an earlier run was blocked."""
        stored = await self._store.get(_SCOPE, _KEY)
        if stored:
            self._block(str(stored.get("by", "")))
            log.warning("the kill switch is still on: %s", self._desk.risk.blocked)

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
            report = await self._work(by, flatten, errors)
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
    async def _work(self, by: str, flatten: bool, errors: list[str]) -> KillReport:
        mode = self._desk.mode
        seen: set[str] = set()
        closed: set[tuple[str, str, str]] = set()
        quiet = False
        for attempt in range(ATTEMPTS + 1):
            if self._desk.mode is not mode:
                errors.append("the mode was switched meanwhile")
                break
            try:
                resting = await self._cancel(seen, errors)
                if resting:
                    continue  # closing on top of a resting order could turn the position
                if flatten and await self._flatten(closed, errors):
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
        resting_left, open_left = await self._left(errors)
        still = {_key(row) for row in open_left}
        working = set(resting_left)
        return KillReport(
            mode=mode,
            by=by,
            at=self._clock.now(),
            cancelled=len(seen - working),
            resting=len(working),
            flattened=len(closed - still),
            open_positions=len(still),
            errors=tuple(dict.fromkeys(errors)),
        )

    async def _cancel(self, seen: set[str], errors: list[str]) -> list[str]:
        """One round of cancelling; returns what still works after it."""
        resting = await self._working()
        if not resting:
            return []
        seen.update(resting)
        result = await self._desk.closing.cancel_all(KILL_SOURCE)
        errors += [f"cancel of {order_id}: {why}" for order_id, why in result.failed]
        for row in await self._triggers():
            try:
                await self._desk.send(
                    "gtt_cancel", row, KILL_SOURCE, _cancel_of(row.trigger_id), row.trigger_id
                )
            except AppError as error:
                errors.append(f"cancel of GTT {row.trigger_id}: {error.message}")
        return await self._until_empty(self._working)

    async def _flatten(self, closed: set[tuple[str, str, str]], errors: list[str]) -> bool:
        """One round of closing; whether something is still open after it.

        A symbol with an order whose state is unknown is left alone until that is settled: the
        order may be a closing one, and a second one would open the other side.
        """
        rows = await self._open()
        if not rows:
            return False
        await self._desk.reconciler.run_once()
        unknown = {
            (entry.request.get("exchange"), entry.request.get("symbol"))
            for entry in self._desk.reconciler.open_entries.values()
            if entry.kind == "place"
        }
        waiting = {row.symbol for row in rows if row.key in unknown}
        errors += [f"{name} waits: the state of an order of it is unknown" for name in waiting]
        closed.update(_key(row) for row in rows if row.key not in unknown)
        result = await self._desk.exits.close_all(KILL_SOURCE, leave=lambda key: key[:2] in unknown)
        errors += [f"close of {error}" for error in result.errors]
        return bool(await self._until_empty(self._open))

    async def _until_empty(self, read: Any) -> list[Any]:
        """Watch a book until it has no row, at most :data:`SETTLE` seconds."""
        rows: list[Any] = await read()
        for _ in range(int(SETTLE / POLL)):
            if not rows:
                break
            await asyncio.sleep(POLL)
            rows = await read()
        return rows

    async def _working(self) -> list[str]:
        """Ids of working orders, and of active GTTs, which would become orders later."""
        working: list[str] = []
        async for some in in_turns(await self._desk.gateway.orders()):
            working += [order.order_id for order in some if order.status.is_working]
        return working + [f"GTT {row.trigger_id}" for row in await self._triggers()]

    async def _triggers(self) -> list[Gtt]:
        gateway = self._desk.gateway
        if not gateway.traits.gtt:
            return []
        try:
            return await gateway.gtt_orders()
        except NotSupported:
            return []

    async def _open(self) -> list[Position]:
        return [row for row in await self._desk.gateway.positions() if row.quantity]

    async def _left(self, errors: list[str]) -> tuple[list[str], list[Position]]:
        try:
            return await self._working(), await self._open()
        except AppError as error:
            errors.append(f"the books could not be read: {error.message}")
            raise RiskBlocked(
                "New orders are blocked, but the books cannot be read, so nobody knows what is "
                f"left: {error.message}. Pull the kill switch again."
            ) from error


def _cancel_of(trigger_id: str) -> Callable[[TradingGateway, str], Coroutine[Any, Any, OrderAck]]:
    def call(gateway: TradingGateway, tag: str) -> Coroutine[Any, Any, OrderAck]:
        if not gateway.traits.gtt:
            raise NotSupported(f"{gateway.broker} has no good-till-triggered orders.")
        return gateway.gtt_cancel(trigger_id)

    return call


def _key(row: Position) -> tuple[str, str, str]:
    return (row.exchange, row.symbol, row.product.value)
