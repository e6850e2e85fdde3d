"""Orders of webhooks: durable before the answer, sent in the background, paced.

An alert answered "queued" is on disk, with its row of the log. What a stop (or a kill) of the
program left unsent is never sent by itself: at the next start it waits for a human in the action
centre, with its age; so does what a full disk held up. An entry of a strategy that was switched
off or deleted since its alert is not sent. The same alert again (its id within a day, or its body
within ``webhooks.same_alert_seconds``) gets the first answer and makes no second order.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, TypeAlias

import msgspec

from openalgo_desktop.core.api_rows import NEVER, QUEUED_MODE, Alert, Approval
from openalgo_desktop.core.enums import AlertState, Mode
from openalgo_desktop.core.errors import AppError, OrderError, StorageError
from openalgo_desktop.core.events import Notice, WebhookCame
from openalgo_desktop.core.webhook_log import WebhookEvent
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.trading.smart import NotNeeded, SmartOrders
from openalgo_desktop.trading.webhooks import (
    NOT_SENT,
    NOT_STORED,
    WebhookOrder,
    WebhookRefused,
    WebhookStrategy,
)

log = logging.getLogger(__name__)

#: Seconds between plain orders (ten per second) and between orders to a position size.
PLAIN_SPACING = 0.1
SMART_SPACING = 1.0
MAX_WAITING = 1000
#: How long an alert's own id is remembered, seconds.
ID_WINDOW = 86_400.0
#: Seconds between tries when the disk does not take that sending begins, and how many.
_AGAIN = 1.0
_TRIES = 10
_KEPT = timedelta(days=7)

#: A webhook strategy by its id, as it is now.
_Find: TypeAlias = Callable[[str], Awaitable[WebhookStrategy | None]]


class _Job(msgspec.Struct, frozen=True):
    alert: Alert
    order: WebhookOrder
    webhook_id: str
    mode: Mode  # when the alert came
    bound: bool = False  # a test: in that mode wherever the switch stands
    told: Callable[[str], None] | None = None  # what came of it

    @property
    def source(self) -> str:
        return self.alert.source

    @property
    def exits(self) -> bool:
        return self.order.target == 0

    @property
    def leaves(self) -> bool:
        """Whether a full disk keeps it in no more than the corridor does: a live exit. Where the
        program ends before its row says so it is offered to a human, and finds nothing to close."""
        return self.exits and self.mode is Mode.LIVE


class Trial(msgspec.Struct, frozen=True):
    """A test of the owner, in its mode wherever the switch stands; ``told`` hears what came of
    each order."""

    told: Callable[[str], None]


class _Seen:
    """An alert that came lately; ``stored`` is done when it is durable."""

    __slots__ = ("at", "stored")

    def __init__(self, at: float, stored: asyncio.Future[None]) -> None:
        self.at = at  # by the monotonic clock
        self.stored = stored


class _Way(NamedTuple):
    """How an alert came: its fingerprint, the mode of that moment, whether it is a test."""

    name: str
    mode: Mode
    test: Trial | None


def fingerprint(strategy: WebhookStrategy, alert_id: str, body: dict[str, Any]) -> str:
    """What makes an alert the same alert: the sender's id for it, or else all that it says."""
    what = {"id": alert_id} if alert_id else {"body": body}
    text = msgspec.json.encode([strategy.webhook_id, what], order="sorted", enc_hook=str)
    return ("i" if alert_id else "b") + hashlib.sha256(text).hexdigest()[:62]


class WebhookQueue:
    """Two lanes with a worker each: plain orders and orders to a position size."""

    def __init__(self, ctx: ApiContext, smart: SmartOrders, find: _Find) -> None:
        self._ctx = ctx
        self._smart = smart
        self._find = find
        self._store = ctx.alerts
        self._lanes: dict[float, asyncio.Queue[_Job]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._storing: set[asyncio.Task[list[int]]] = set()
        self._waiting = 0
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Give what an earlier run left to a human, then begin to send what comes."""
        await self._remember()
        await self._hold()
        for spacing in (PLAIN_SPACING, SMART_SPACING):
            lane = self._lanes[spacing] = asyncio.Queue()
            self._tasks.append(
                asyncio.create_task(self._work(lane, spacing), name=f"webhooks-{spacing}")
            )

    async def stop(self) -> None:
        """Stop; what still waits is on disk and told in the log."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._storing, return_exceptions=True)
        self._tasks.clear()
        if self._waiting:
            log.warning(
                "%d webhook order(s) were not sent before the stop; the next start shows them in "
                "the action centre",
                self._waiting,
            )

    async def _remember(self) -> None:
        now = self._ctx.clock.now()
        await self._store.forget_before(now - _KEPT)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        for name, at in await self._store.seen_since(now - timedelta(seconds=ID_WINDOW)):
            age = max(0.0, (now - at).total_seconds())
            self._seen[name] = _Seen(self._ctx.clock.monotonic() - age, done)

    async def _hold(self) -> None:
        held: list[tuple[int, Approval]] = []
        for alert in await self._store.unfinished():
            if alert.state is AlertState.SENDING and await self._store.was_sent(alert):
                await self._store.finish(alert.alert_id, "it was sent; see the order book")
                continue
            held.append((alert.alert_id, _request(alert, NOT_SENT)))
        if not held or self._ctx.approvals is None:
            return
        rows = await self._store.hold(held)
        self._ctx.approvals.adopt(rows)
        self._notice(
            f"{len(rows)} webhook order(s) were queued but not sent when the program stopped. "
            "They wait for you in the action centre; nothing is sent by itself."
        )

    # -- taking -----------------------------------------------------------------------------
    async def submit(
        self,
        strategy: WebhookStrategy,
        orders: Sequence[WebhookOrder],
        name: str,
        mode: Mode,
        event: WebhookEvent,
        test: Trial | None = None,
    ) -> list[int] | None:
        """Take the orders of one alert of that :func:`fingerprint`, which came in that mode;
        returns their numbers when they and the ``event`` that tells of them are durable.

        None when it is the same alert as one before: nothing was added. Raises
        :class:`WebhookRefused` when too many wait, and :class:`StorageError`.
        """
        if not orders:
            return []
        known = self._known(name)
        if known is not None:
            await asyncio.shield(known.stored)
            text = f"{strategy.source}: the same alert came again and made no second order"
            self._notice(text, level="info")
            return None
        if self._waiting + len(orders) > MAX_WAITING:
            raise WebhookRefused("Too many orders are waiting", 429)
        self._waiting += len(orders)
        seen = _Seen(self._ctx.clock.monotonic(), asyncio.get_running_loop().create_future())
        self._seen[name] = seen
        task = asyncio.create_task(
            self._take(strategy, orders, seen, event, _Way(name, mode, test))
        )
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)
        return await asyncio.shield(task)  # a client that goes away does not take its alert back

    async def _take(
        self,
        strategy: WebhookStrategy,
        orders: Sequence[WebhookOrder],
        seen: _Seen,
        event: WebhookEvent,
        way: _Way,
    ) -> list[int]:
        mode, test, now = way.mode, way.test, self._ctx.clock.now()
        rows = [
            Alert(0, order_kind(one), order_payload(one, mode), strategy.source, way.name, now)
            for one in orders
        ]
        kept = None if self._ctx.webhook_log is None else event
        try:
            numbers = await self._store.add(rows, kept)
        except BaseException as error:
            self._waiting -= len(orders)
            self._seen.pop(way.name, None)
            seen.stored.set_exception(
                error if isinstance(error, AppError) else StorageError("The alert was not stored.")
            )
            seen.stored.exception()  # told here; whoever waits for it hears it too
            raise
        told = None if test is None else test.told
        for number, row, order in zip(numbers, rows, orders, strict=True):
            lane = self._lanes[PLAIN_SPACING if order.target is None else SMART_SPACING]
            alert = msgspec.structs.replace(row, alert_id=number)
            lane.put_nowait(_Job(alert, order, strategy.webhook_id, mode, test is not None, told))
        seen.stored.set_result(None)
        if kept is not None:
            self._ctx.bus.publish(WebhookCame(strategy=kept.strategy))
        return numbers

    def _known(self, name: str) -> _Seen | None:
        """The same alert, when it came lately."""
        now = self._ctx.clock.monotonic()
        while self._seen:
            first = next(iter(self._seen.values()))
            if now - first.at <= ID_WINDOW:
                break
            self._seen.popitem(last=False)
        known = self._seen.get(name)
        same_body = float(self._ctx.settings["webhooks.same_alert_seconds"])
        window = ID_WINDOW if name.startswith("i") else same_body
        if known is not None and now - known.at >= window:
            del self._seen[name]
            return None
        return known

    # -- sending ----------------------------------------------------------------------------
    async def _work(self, lane: asyncio.Queue[_Job], spacing: float) -> None:
        while True:
            job = await lane.get()
            if await self._begin(job) or job.leaves:
                result = await self._result(job)
                await self._finish(job, result)
                if job.told is not None:
                    job.told(result)
                self._waiting -= 1
            else:
                self._give_up(job, lane)
            await asyncio.sleep(spacing)

    async def _begin(self, job: _Job) -> bool:
        """Make it durable that sending begins. While the disk refuses, no entry is sent."""
        for number in range(1 if job.leaves else _TRIES):
            if number:
                await asyncio.sleep(_AGAIN)
            try:
                await self._store.begin(job.alert.alert_id, self._ctx.clock.now())
            except StorageError:
                log.error("the disk does not take that a webhook order is sent")
            else:
                return True
        return False

    def _give_up(self, first: _Job, lane: asyncio.Queue[_Job]) -> None:
        """The disk was full for too long: what waited through that is old by now, and goes to a
        human as soon as the disk takes it; but live exits get out."""
        jobs = [first]
        for job in [lane.get_nowait() for _ in range(lane.qsize())]:
            if job.leaves:
                lane.put_nowait(job)
            else:
                jobs.append(job)
        self._notice(
            f"{len(jobs)} webhook order(s) were not sent: the disk takes nothing. When it does, "
            "they wait for you in the action centre; nothing is sent by itself."
        )
        for job in jobs:
            if job.told is not None:
                job.told(NOT_STORED)
        self._waiting -= len(jobs)
        held = [(job.alert.alert_id, _request(job.alert, NOT_STORED)) for job in jobs]
        self._tasks.append(asyncio.create_task(self._ask_about(held), name="webhooks-unsent"))

    async def _ask_about(self, held: Sequence[tuple[int, Approval]]) -> None:
        approvals = self._ctx.approvals
        while approvals is not None:
            await asyncio.sleep(_AGAIN)
            try:
                approvals.adopt(await self._store.hold(held))
            except StorageError:
                continue
            return

    async def _result(self, job: _Job) -> str:
        try:
            return await self._send(job)
        except AppError as error:
            self._tell(job, error.message)
            return f"error: {error.message}"
        except Exception as error:
            log.exception("webhook order failed")
            self._tell(job, "unexpected failure, see the log")
            return f"error: {type(error).__name__}"

    async def _finish(self, job: _Job, result: str) -> None:
        try:
            await self._store.finish(job.alert.alert_id, result)
        except StorageError:  # the journal knows: the next start asks it
            log.exception("what came of a webhook order could not be stored")

    def _tell(self, job: _Job, why: str) -> None:
        request = job.order.request
        self._notice(f"{job.source}: {request.action.value} {request.symbol} was not placed: {why}")

    def _notice(self, text: str, level: str = "warning") -> None:
        log.log(logging.WARNING if level == "warning" else logging.INFO, "%s", text)
        self._ctx.bus.publish(Notice(level=level, text=text, at=self._ctx.clock.now()))

    async def _check(self, job: _Job) -> None:
        """Who switches a strategy off or deletes it wants no more entries of it, taken or not; an
        exit that was taken gets out."""
        if job.bound or job.exits:
            return
        now = await self._find(job.webhook_id)
        if now is None or not now.active:
            what = "deleted" if now is None else "switched off"
            raise OrderError(f"the strategy was {what} after the alert came.")

    async def _send(self, job: _Job) -> str:
        await self._check(job)
        order, source = job.order, job.source
        approvals = self._ctx.approvals
        if approvals is not None and approvals.needed(source):
            payload = order_payload(order, job.mode)
            number = await approvals.queue(order_kind(order), payload, source, [order.request.key])
            return f"action centre, request {number}"
        desk = self._ctx.desk.bound(job.mode) if job.bound else self._ctx.desk
        if order.target is None:
            placed = await desk.place(order.request, source, job.mode)
            return f"order {', '.join(placed.ids)}"
        smart = SmartOrders(desk) if job.bound else self._smart
        outcome = await smart.place(order.request, order.target, source, job.mode)
        return (
            outcome.message if isinstance(outcome, NotNeeded) else f"order {', '.join(outcome.ids)}"
        )


def _request(alert: Alert, reason: str) -> Approval:
    """An alert that was not sent in time as a request to a human: it never expires, and the price
    at which it came is not known, so that sending it asks once more."""
    where = f"{alert.payload['exchange']}:{alert.payload['symbol']}"
    return Approval(
        approval_id=0,
        kind=alert.kind,
        payload=alert.payload,
        source=alert.source,
        created_at=alert.received_at,
        expires_at=NEVER,
        prices={where: 0.0},
        reason=reason,
    )


def order_kind(order: WebhookOrder) -> str:
    """The order endpoint that means the same."""
    return "placeorder" if order.target is None else "placesmartorder"


def order_payload(order: WebhookOrder, mode: Mode) -> dict[str, object]:
    """The body of the order endpoint that means the same, for the action centre."""
    request = order.request
    payload: dict[str, object] = {
        QUEUED_MODE: mode.value,
        "strategy": request.strategy,
        "symbol": request.symbol,
        "exchange": request.exchange,
        "action": request.action.value,
        "quantity": request.quantity,
        "pricetype": request.price_type.value,
        "product": request.product.value,
        "price": request.price,
        "trigger_price": request.trigger_price,
        "disclosed_quantity": request.disclosed_quantity,
    }
    if order.target is not None:
        payload["position_size"] = order.target
    return payload
