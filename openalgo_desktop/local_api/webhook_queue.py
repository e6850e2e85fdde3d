"""Orders of webhooks are answered at once and sent in the background, paced."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import Notice
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.queued import QUEUED_MODE
from openalgo_desktop.trading.smart import SmartOrders
from openalgo_desktop.trading.webhooks import WebhookOrder, WebhookRefused

log = logging.getLogger(__name__)

#: Seconds between plain orders (ten per second) and between orders to a position size.
PLAIN_SPACING = 0.1
SMART_SPACING = 1.0
MAX_WAITING = 1000


class _Job(msgspec.Struct, frozen=True):
    order: WebhookOrder
    source: str
    mode: Mode  # when the alert came


class WebhookQueue:
    """Two lanes with a worker each: plain orders and orders to a position size."""

    def __init__(self, ctx: ApiContext, smart: SmartOrders) -> None:
        self._ctx = ctx
        self._smart = smart
        self._lanes: dict[float, asyncio.Queue[_Job]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to send."""
        for spacing in (PLAIN_SPACING, SMART_SPACING):
            lane = self._lanes[spacing] = asyncio.Queue(MAX_WAITING)
            self._tasks.append(
                asyncio.create_task(self._work(lane, spacing), name=f"webhooks-{spacing}")
            )

    async def stop(self) -> None:
        """Stop; what still waits is dropped and told in the log."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        waiting = sum(lane.qsize() for lane in self._lanes.values())
        if waiting:
            log.warning("%d webhook order(s) were not sent before the stop", waiting)

    def submit(self, order: WebhookOrder, source: str) -> None:
        """Take an order; raises :class:`WebhookRefused` when too many wait."""
        lane = self._lanes[PLAIN_SPACING if order.target is None else SMART_SPACING]
        try:
            lane.put_nowait(_Job(order, source, self._ctx.desk.mode))
        except asyncio.QueueFull:
            raise WebhookRefused("Too many orders are waiting", 429) from None

    async def _work(self, lane: asyncio.Queue[_Job], spacing: float) -> None:
        while True:
            job = await lane.get()
            try:
                await self._send(job)
            except AppError as error:
                self._tell(job, error.message)
            except Exception:
                log.exception("webhook order failed")
                self._tell(job, "unexpected failure, see the log")
            await asyncio.sleep(spacing)

    def _tell(self, job: _Job, why: str) -> None:
        request = job.order.request
        text = f"{job.source}: {request.action.value} {request.symbol} was not placed: {why}"
        log.warning("%s", text)
        self._ctx.bus.publish(Notice(level="warning", text=text, at=self._ctx.clock.now()))

    async def _send(self, job: _Job) -> None:
        order, source = job.order, job.source
        approvals = self._ctx.approvals
        if approvals is not None and approvals.needed(source):
            kind = "placeorder" if order.target is None else "placesmartorder"
            payload = order_payload(order, job.mode)
            await approvals.queue(kind, payload, source, [order.request.key])
        elif order.target is None:
            await self._ctx.desk.place(order.request, source, job.mode)
        else:
            await self._smart.place(order.request, order.target, source, job.mode)


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
