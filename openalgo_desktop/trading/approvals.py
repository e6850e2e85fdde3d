"""The action centre: orders of chosen sources wait for a human.

Fails closed. A request becomes an order only by :meth:`Approvals.approve`, within its time, at a
price near the one at which it was queued; the decision is durable before anything is sent, so
that a crash loses the order rather than doubling it. Everything then passes the risk gate as if
it came new.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from openalgo_desktop.core.api_rows import Approval
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import ApprovalStatus
from openalgo_desktop.core.errors import AppError, OrderError, RiskBlocked
from openalgo_desktop.core.events import ApprovalChanged, Bus
from openalgo_desktop.core.model import Key, OrderRequest
from openalgo_desktop.core.money import plain
from openalgo_desktop.core.ports import ApprovalStore, TickSource
from openalgo_desktop.core.ticks import Part

log = logging.getLogger(__name__)

#: Turns an approved payload into orders, like its endpoint would; returns the endpoint's answer.
Runner = Callable[[dict[str, Any], str], Awaitable[Any]]

#: Set while an approved request runs: its orders pass :meth:`Approvals.check`.
_approved: ContextVar[bool] = ContextVar("approved", default=False)

_RECHECK = 30.0  # look for expired rows at least this often, seconds


class Approvals:
    """Queue, decide, run. ``sources`` are patterns such as ``api:*, webhook:*``, comma separated;
    ``expiry`` is in seconds; ``drift`` is the price change in per cent that stops an approval."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        store: ApprovalStore,
        ticks: TickSource,
        *,
        sources: Callable[[], str],
        expiry: Callable[[], float],
        drift: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._store = store
        self._ticks = ticks
        self._sources = sources
        self._expiry = expiry
        self._drift = drift
        self._runners: dict[str, Runner] = {}
        self._rows: dict[int, Approval] = {}
        self._until: dict[int, float] = {}  # when they expire, by the monotonic clock of this run
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Take up the queue of an earlier run and watch for expiry."""
        for row in await self._store.pending():
            self._keep(row)
        self._task = asyncio.create_task(self._expire_loop(), name="approvals")

    async def stop(self) -> None:
        """Stop watching; pending rows stay pending."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def run_with(self, kind: str, runner: Runner) -> None:
        """Say how an approved request of ``kind`` becomes orders."""
        self._runners[kind] = runner

    # -- the gate ---------------------------------------------------------------------------
    def needed(self, source: str) -> bool:
        """Whether orders of ``source`` have to wait for a human now."""
        if _approved.get():
            return False
        patterns = (part.strip() for part in self._sources().split(","))
        return any(fnmatchcase(source, pattern) for pattern in patterns if pattern)

    async def check(self, request: OrderRequest, source: str) -> None:
        """The desk's step: an order of such a source that did not come out of the queue is
        refused, whatever door it found."""
        if self.needed(source):
            raise RiskBlocked(
                f"Orders of {source} need approval; this {request.action.value} of "
                f"{request.symbol} did not come through the action centre."
            )

    # -- the queue --------------------------------------------------------------------------
    async def queue(
        self, kind: str, payload: dict[str, Any], source: str, keys: Iterable[Key] = ()
    ) -> int:
        """Store a request for a human; returns its id when it is durable.

        ``payload`` must not contain the API key. ``keys`` are the instruments whose price may
        not drift; without them those named in the payload are used.
        """
        now = self._clock.now()
        row = Approval(
            approval_id=0,
            kind=kind,
            payload={name: value for name, value in payload.items() if name != "apikey"},
            source=source,
            created_at=now,
            expires_at=now + timedelta(seconds=self._expiry()),
            prices=await self._prices(tuple(keys) or _keys_of(payload)),
        )
        row = msgspec.structs.replace(row, approval_id=await self._store.add(row))
        self._keep(row)
        self._bus.publish(ApprovalChanged(approval=row))
        return row.approval_id

    def adopt(self, rows: Iterable[Approval]) -> None:
        """Requests that somebody else stored for a human (alerts of an earlier run)."""
        for row in rows:
            self._keep(row)
            self._bus.publish(ApprovalChanged(approval=row))

    def _keep(self, row: Approval) -> None:
        left = (row.expires_at - self._clock.now()).total_seconds()
        self._rows[row.approval_id] = row
        self._until[row.approval_id] = self._clock.monotonic() + left
        self._wake.set()

    def _over(self, row: Approval) -> bool:
        return self._until[row.approval_id] <= self._clock.monotonic()

    def pending(self) -> list[Approval]:
        """Requests that wait, oldest first."""
        return list(self._rows.values())

    async def recent(self, limit: int = 200) -> list[Approval]:
        """The newest requests of any status, newest first."""
        return await self._store.recent(limit)

    async def approve(self, approval_id: int, by: str, *, accept_drift: bool = False) -> Any:
        """Send what was queued; returns the answer of its endpoint.

        Raises :class:`RiskBlocked` (and leaves the request pending) when the price went away,
        cannot be checked, or the time is over; ``accept_drift`` is the human's "at the new
        price too". What the order itself raises is raised again.
        """
        row = self._take(approval_id)
        try:
            if self._over(row):
                row = await self._decide(
                    row, ApprovalStatus.EXPIRED, "clock", "not decided in time"
                )
                raise RiskBlocked(f"Request {approval_id} has expired; nothing was sent.")
            runner = self._runners.get(row.kind)
            if runner is None:
                raise OrderError(f"Nothing here can run a queued {row.kind!r}.")
            if not accept_drift:
                await self._check_drift(row)
            row = await self._decide(row, ApprovalStatus.APPROVED, by, "")
        except BaseException:
            if row.status is ApprovalStatus.PENDING:
                self._rows.setdefault(approval_id, row)
            raise
        return await self._run(row, runner)

    async def reject(self, approval_id: int, reason: str = "", by: str = "window") -> None:
        """Drop a request; nothing is sent."""
        row = self._take(approval_id)
        try:
            await self._decide(row, ApprovalStatus.REJECTED, by, reason)
        except BaseException:
            self._rows.setdefault(approval_id, row)
            raise

    # -- inside -----------------------------------------------------------------------------
    def _take(self, approval_id: int) -> Approval:
        """Out of the queue before the first await: two clicks cannot both decide."""
        try:
            return self._rows.pop(approval_id)
        except KeyError:
            raise OrderError(f"No pending request {approval_id}: it was decided before.") from None

    async def _decide(
        self, row: Approval, status: ApprovalStatus, by: str, reason: str
    ) -> Approval:
        decided = msgspec.structs.replace(
            row, status=status, decided_at=self._clock.now(), decided_by=by, reason=reason
        )
        await self._store.update(decided)
        self._until.pop(row.approval_id, None)
        self._bus.publish(ApprovalChanged(approval=decided))
        return decided

    async def _run(self, row: Approval, runner: Runner) -> Any:
        token = _approved.set(True)
        try:
            answer = await runner(row.payload, row.source)
        except AppError as error:
            await self._finish(row, f"error: {error.message}")
            raise
        except Exception as error:
            await self._finish(row, f"error: {type(error).__name__}")
            raise
        finally:
            _approved.reset(token)
        await self._finish(row, msgspec.json.encode(answer, enc_hook=str).decode())
        return answer

    async def _finish(self, row: Approval, result: str) -> None:
        done = msgspec.structs.replace(row, result=result)
        await self._store.update(done)
        self._bus.publish(ApprovalChanged(approval=done))

    async def _prices(self, keys: Iterable[Key]) -> dict[str, float]:
        prices = {}
        for exchange, symbol in dict.fromkeys(keys):
            try:
                prices[f"{exchange}:{symbol}"] = (
                    await self._ticks.snapshot((exchange, symbol), Part.LTP)
                ).ltp
            except AppError as error:
                # Unknown now means "cannot be checked" at the approval: the human is told then.
                log.warning("no price of %s for the approval queue: %s", symbol, error)
                prices[f"{exchange}:{symbol}"] = 0.0
        return prices

    async def _check_drift(self, row: Approval) -> None:
        keys = [(name.partition(":")[0], name.partition(":")[2]) for name in row.prices]
        for name, now in (await self._prices(keys)).items():
            then = row.prices[name]
            if not then or not now:
                raise RiskBlocked(
                    f"The price of {name} is not known, so its drift cannot be checked. "
                    "Approve with acceptance of the price, or reject."
                )
            drift = 100.0 * (now - then) / then
            if abs(drift) > self._drift():
                raise RiskBlocked(
                    f"{name} moved {drift:+.2f} % ({plain(then)} to {plain(now)}) "
                    "since it was queued. "
                    "Approve with acceptance of the new price, or reject."
                )

    async def _expire_loop(self) -> None:
        while True:
            now = self._clock.monotonic()
            waits = [self._until[approval_id] - now for approval_id in self._rows]
            timeout = min([_RECHECK, *(max(0.0, wait) for wait in waits)])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            self._wake.clear()
            await self.expire()

    async def expire(self) -> None:
        """Close the requests whose time is over."""
        for row in [row for row in self._rows.values() if self._over(row)]:
            if self._rows.pop(row.approval_id, None) is None:
                continue
            try:
                await self._decide(row, ApprovalStatus.EXPIRED, "clock", "not decided in time")
            except AppError:
                log.exception("request %d expired, but that could not be stored", row.approval_id)


def _keys_of(payload: dict[str, Any]) -> list[Key]:
    """Instruments named in the body of an order endpoint: itself and its ``orders``/``legs``."""
    keys: list[Key] = []
    rows = [payload]
    for name in ("orders", "legs"):
        rows += [row for row in payload.get(name) or () if isinstance(row, dict)]
    for row in rows:
        symbol = row.get("symbol") or row.get("underlying")
        exchange = row.get("exchange") or payload.get("exchange")
        if symbol and exchange:
            keys.append((str(exchange), str(symbol)))
    return keys
