"""What handlers share: built once per server from its context."""

from __future__ import annotations

import asyncio
from operator import attrgetter

from openalgo_desktop.analytics.chain import ChainBook
from openalgo_desktop.analytics.greeks import GreeksDesk
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.events import OrderUpdated
from openalgo_desktop.core.model import Order
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.handlers import shapes
from openalgo_desktop.local_api.hook_log import HookLog
from openalgo_desktop.local_api.made_webhooks import MadeWebhooks
from openalgo_desktop.local_api.quota import OrderQuotas
from openalgo_desktop.local_api.ready_rows import ReadyRows
from openalgo_desktop.local_api.webhook_queue import WebhookQueue
from openalgo_desktop.trading.smart import SmartOrders
from openalgo_desktop.trading.webhooks import WebhookStore

#: Orders that are made ready at once after the start, and the seconds between: no hurry.
_WARMED, _REST = 100, 0.02


class Services:
    """Option chains, greeks, ready rows, webhooks and quotas of one terminal."""

    def __init__(self, ctx: ApiContext) -> None:
        self.quotas = OrderQuotas(ctx.clock.monotonic)
        ctx.keys.on_revoked(self.quotas.forget)
        self.chains = ChainBook(ctx.hub, ctx.instruments, ctx.clock)
        self.greeks = GreeksDesk(self.chains, ctx.instruments, ctx.clock)
        # Who placed an order (with its strategy and its parent) may be learned after the order.
        self.order_rows = ReadyRows(
            attrgetter("order_id"),
            self._order_row,
            lambda row: (
                None
                if row.source and row.strategy
                else (row.source, row.strategy, ctx.desk.slice_of(row))
            ),
        )
        self.trade_rows = ReadyRows(
            attrgetter("trade_id"), shapes.trade_row, lambda row: None if row.strategy else ""
        )
        self.position_rows = ReadyRows(
            attrgetter("exchange", "symbol", "product"), shapes.position_row
        )
        self._ctx = ctx
        self._warming: asyncio.Task[None] | None = None
        self._unsubscribe = ctx.bus.subscribe(OrderUpdated, self._on_update)
        self.webhooks = WebhookStore(ctx.state)
        self.webhook_queue = WebhookQueue(ctx, SmartOrders(ctx.desk), self.webhooks.get)
        self.hook_log = HookLog(ctx.webhook_log, ctx.bus)
        self.made_webhooks = MadeWebhooks(ctx, self.hook_log)

    def _order_row(self, order: Order, mode: Mode) -> shapes.OrderRow:
        return shapes.order_row(order, mode, self._ctx.desk.slice_of(order))

    async def start(self) -> None:
        """Begin to send orders of webhooks."""
        await self.webhook_queue.start()
        await self.made_webhooks.start()
        self._warming = asyncio.create_task(self._warm(), name="rows of the books")

    async def stop(self) -> None:
        """Give up subscriptions and background work."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        await self.webhook_queue.stop()
        await self.made_webhooks.stop()
        await self.hook_log.stop()
        self.chains.close()
        self._unsubscribe()

    async def _warm(self) -> None:
        """The orders that are there at the start, a few at a time: the first who asks for the
        order book shall not wait for all of them."""
        mode = self._ctx.desk.mode
        orders = list(self._ctx.desk.books.book(mode).orders.values())
        for first in range(0, len(orders), _WARMED):
            await asyncio.sleep(_REST)
            for order in orders[first : first + _WARMED]:
                self.order_rows.learn(order, mode)

    def _on_update(self, event: OrderUpdated) -> None:
        self.order_rows.learn(event.order, event.mode)
        if event.trade is not None:
            self.trade_rows.learn(event.trade, event.mode)
