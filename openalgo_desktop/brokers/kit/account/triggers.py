"""Acknowledgements and books of an account, and its good-till-triggered orders, executed from its
spec."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from openalgo_desktop.brokers.kit.account.marketdata import MarketCalls
from openalgo_desktop.brokers.kit.rest.values import pick
from openalgo_desktop.core.enums import GttType, PriceType, Product
from openalgo_desktop.core.errors import AppError, InvalidOrder, NotSupported, OrderStateUnknown
from openalgo_desktop.core.gtt import Gtt, GttRequest
from openalgo_desktop.core.model import BookRows, Instrument, OrderAck, OrderRequest
from openalgo_desktop.core.protection import protect
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.core.traits import ProtectRule

log = logging.getLogger(__name__)
T = TypeVar("T")


class TriggerCalls(MarketCalls):
    """Good-till-triggered orders of one account."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._products: dict[str, Product] = {}  # of triggers, as the book last showed them

    def _ack(self, data: Any, tag: str, field: str, *, known: str = "") -> OrderAck:
        """The acknowledgement. ``known`` is the id where we know it (a change, a cancellation):
        then the broker's yes is enough. A new order without an id may exist nevertheless."""
        path = self.spec.rows.get("ack", {}).get(field, field)
        order_id = pick(data, path) or known
        if not order_id:
            raise OrderStateUnknown(
                f"{self.spec.title} accepted the request but sent no order id.", tag=tag
            )
        return OrderAck(str(order_id))

    async def _book(self, op: str, kind: str, read: Callable[[Any], T | None]) -> BookRows[T]:
        return self.read_rows(kind, self.source_rows(kind, await self.rest.op(op)), read)

    # -- good till triggered ----------------------------------------------------------------
    async def gtt_place(self, request: GttRequest, tag: str) -> OrderAck:
        """Place a trigger; the acknowledgement carries its id."""
        self.check_triggers(request)
        context = await self.gtt_context(request) | {"tag": tag}
        return self._ack(await self.rest.op("gtt_place", context), tag, "trigger_id")

    async def gtt_modify(self, trigger_id: str, request: GttRequest) -> OrderAck:
        """Replace triggers, prices and quantity."""
        self.check_triggers(request)
        context = {"tag": "", **await self.gtt_context(request), "trigger_id": trigger_id}
        data = await self.rest.op("gtt_modify", context)
        return self._ack(data, trigger_id, "trigger_id", known=trigger_id)

    def same_product(self, trigger_id: str, request: GttRequest) -> None:
        """For brokers whose change has no word for the product: one that asks for another than
        the book last showed does not leave. The broker's yes would be one to something else."""
        product = self._products.get(trigger_id, request.product)
        if product != request.product:
            raise InvalidOrder(
                f"{self.spec.title} cannot change the product of a trigger ({product} -> "
                f"{request.product}). Cancel and re-place.",
                field="product",
            )

    def check_triggers(self, request: GttRequest) -> None:
        """Raises :class:`InvalidOrder` for what is no single trigger or pair, or a pair where the
        broker has none: without a price a trigger would wait for 0."""
        pair = request.trigger_type is GttType.OCO
        if pair and not self.spec.capabilities.gtt_oco:
            raise InvalidOrder(
                f"{self.spec.title} has no OCO: place the stop-loss or the target as a single "
                "trigger.",
                field="trigger_type",
            )
        wanted = 2 if pair else 1
        triggers = [t for t in (request.trigger_below, request.trigger_above) if t]
        if len(triggers) != wanted:
            raise InvalidOrder(
                f"A {request.trigger_type} needs {wanted} trigger price(s).", field="trigger_price"
            )
        if pair and triggers[0] >= triggers[1]:
            raise InvalidOrder(
                "The stop-loss trigger must be below the target trigger.", field="triggerprice_sl"
            )

    async def gtt_cancel(self, trigger_id: str) -> OrderAck:
        """Cancel a trigger."""
        data = await self.rest.op("gtt_cancel", {"trigger_id": trigger_id})
        return self._ack(data, trigger_id, "trigger_id", known=trigger_id)

    async def gtt_orders(self) -> BookRows[Gtt]:
        """Active triggers, newest first."""
        found = await self._book("gtt_orders", "gtt", self.read_gtt)
        self._products.update({gtt.trigger_id: gtt.product for gtt in found})
        return found

    async def gtt_context(self, request: GttRequest) -> dict[str, Any]:
        """Hook: the values of a trigger."""
        raise NotSupported(f"{self.spec.title} has no good-till-triggered orders.")

    def gtt_leg(
        self,
        request: GttRequest,
        row: Instrument,
        trigger: float,
        limit: float,
        rule: ProtectRule | None = None,
    ) -> OrderRequest:
        """The order that a trigger becomes. One without a limit is a market order, protected from
        the trigger where ``rule`` (the spec's if None; ``ALWAYS`` where triggers take limits only)
        wants it."""
        market = request.price_type is PriceType.MARKET or not limit
        leg = OrderRequest(
            symbol=request.symbol,
            exchange=request.exchange,
            action=request.action,
            quantity=request.quantity,
            price_type=PriceType.MARKET if market else PriceType.LIMIT,
            product=request.product,
            price=0.0 if market else limit,
            strategy=request.strategy,
        )
        rule = self.spec.protect if rule is None else rule
        return protect(leg, row, trigger, rule, ticks=self.spec.master.ticks)

    def read_gtt(self, row: Mapping[str, Any]) -> Gtt | None:
        """Hook: an active trigger of the book, None for one that is over."""
        raise NotSupported(f"{self.spec.title} has no good-till-triggered orders.")

    async def sides_by_price(self, found: Iterable[Gtt]) -> list[Gtt]:
        """Those of these single triggers that got a side: where the broker's book does not tell
        it, one waits for a fall when it is below the last price."""
        single = [gtt for gtt in found if gtt.trigger_type is GttType.SINGLE]
        keys = {gtt.key for gtt in single if self.index.get(gtt.key) is not None}
        try:
            prices = await self.quotes(list(keys)) if keys else {}
        except AppError as error:
            log.info("%s: no prices of the triggers: %s", self.spec.title, error.message)
            return []
        told = [gtt for gtt in single if isinstance(prices.get(gtt.key), Tick)]
        for gtt in told:
            tick, (leg,) = prices[gtt.key], gtt.legs
            assert isinstance(tick, Tick)
            leg.below = leg.trigger_price < tick.ltp
        return told
