"""What handlers share: built once per server from its context."""

from __future__ import annotations

from openalgo_desktop.analytics.chain import ChainBook
from openalgo_desktop.analytics.greeks import GreeksDesk
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.order_rows import OrderRows
from openalgo_desktop.local_api.webhook_queue import WebhookQueue
from openalgo_desktop.trading.gtt import GttDesk
from openalgo_desktop.trading.smart import SmartOrders
from openalgo_desktop.trading.webhooks import WebhookStore


class Services:
    """Smart orders, GTTs, option chains and greeks of one terminal."""

    def __init__(self, ctx: ApiContext) -> None:
        self.smart = SmartOrders(ctx.desk)
        self.gtt = GttDesk(ctx.desk, ctx.instruments, ctx.hub)
        self.chains = ChainBook(ctx.hub, ctx.instruments, ctx.clock)
        self.greeks = GreeksDesk(self.chains, ctx.instruments, ctx.clock)
        self.order_rows = OrderRows()
        self.webhooks = WebhookStore(ctx.state)
        self.webhook_queue = WebhookQueue(ctx, self.smart)

    async def start(self) -> None:
        """Begin to send orders of webhooks."""
        await self.webhook_queue.start()

    async def stop(self) -> None:
        """Give up subscriptions and background work."""
        await self.webhook_queue.stop()
        self.chains.close()
