"""The calls of one broker account, executed from its spec. A broker overrides what is really
different: the methods named ``*_context``, ``*_rows`` and the like are the hooks."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from operator import methodcaller
from typing import Any, ClassVar

import msgspec

from openalgo_desktop.brokers.kit.account.login import HookCall
from openalgo_desktop.brokers.kit.account.triggers import TriggerCalls
from openalgo_desktop.brokers.kit.books.rows import Rows
from openalgo_desktop.brokers.kit.master.contracts import contract_size, in_contracts
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.rest.values import absent, amount, pick, unit_of
from openalgo_desktop.brokers.kit.spec import BrokerSpec, Gives, names_of
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.conversion import ConvertRequest, check_conversion
from openalgo_desktop.core.enums import INDEX_EXCHANGES, Exchange, PriceType, Validity
from openalgo_desktop.core.errors import (
    AppError,
    DataError,
    InvalidOrder,
    NotSupported,
    OrderNotFound,
)
from openalgo_desktop.core.model import (
    BookRows,
    Funds,
    Holding,
    Instrument,
    Key,
    Margin,
    ModifyRequest,
    Order,
    OrderAck,
    OrderRequest,
    Position,
    Trade,
)
from openalgo_desktop.core.protection import needs_price, no_price, protect

#: Fields of the wanted order in a modification.
_ORDER_FIELDS = (
    "quantity", "price", "trigger_price", "price_type", "disclosed_quantity",
    "symbol", "exchange", "action", "product",
)  # fmt: skip


_INSTRUMENT = frozenset(
    {"symbol", "exchange", "brsymbol", "brexchange", "token", "wire_exchange", "wire_segment"}
)


class BrokerApi(TriggerCalls):
    """REST side of an account: orders, books, money, market data.

    Nothing here retries. Order writes raise :class:`OrderStateUnknown` when nobody knows whether
    they arrived.
    """

    #: Names of the values that hooks of this class add to those of the kit: for each operation,
    #: for all (``*``), for each login step. ``@instrument`` and ``@order`` stand for all that
    #: ``instrument_values`` and ``order_context`` give. The validator refuses what is missing.
    gives: ClassVar[Gives] = {}

    def __init__(
        self, spec: BrokerSpec, rest: RestClient, index: BrokerIndex, clock: Clock
    ) -> None:
        super().__init__(spec, rest, index, clock, Rows(spec, index, clock))
        self.sizes = self.rows.sizes
        self._seen: dict[str, Order] = {}
        self._repeated: dict[str, dict[str, str]] = {}  # of orders, what ``spec.repeats`` names
        cancel = spec.ops.get("cancel")
        #: What a cancellation says of the instrument.
        self._cancel_names = names_of(cancel) & _INSTRUMENT if cancel is not None else frozenset()

    def set_account(self, account_id: str) -> None:
        """The id that rows carry; known after the login."""
        self.rows.account_id = account_id

    def login_hook(self, method: str) -> HookCall:
        """The login step of that name; the validator has found it in this class."""

        def step(known: Mapping[str, Any]) -> Awaitable[Mapping[str, str]]:
            answer: Awaitable[Mapping[str, str]] = methodcaller(method, known)(self)
            return answer

        return step

    # -- orders -----------------------------------------------------------------------------
    async def place(self, request: OrderRequest, tag: str) -> OrderAck:
        """Send a new order; ``tag`` is our own key. What is held and left the master goes out as
        the position book names it (the desk lets only what closes it come here)."""
        row = self.index.get(request.key) or self.rows.strangers.get(request.key)
        if row is None:
            row = self.index.require(request.symbol, request.exchange)
        self._refuse_locally(request)
        context = self.order_context(request, row) | {"tag": tag}
        ack = self._ack(await self.rest.op("place", context), tag, "order_id")
        if all(name in context for name in self.spec.repeats):
            self._repeated[ack.order_id] = {name: str(context[name]) for name in self.spec.repeats}
        return ack

    def order_context(self, request: OrderRequest, row: Instrument) -> dict[str, Any]:
        """Hook: the values that an order's fields are made of."""
        spec = self.spec
        kind = request.price_type
        return {
            **self.instrument_values(row),
            "wire_action": spec.actions.of(row.exchange).send[request.action],
            "wire_product": spec.products.of(row.exchange).send[request.product],
            "wire_price_type": spec.price_types.of(row.exchange).send[kind],
            "wire_validity": spec.capabilities.validities[request.validity],
            **self.wire_quantities(row, request.quantity, request.disclosed_quantity),
            "price": request.price if kind.has_price else 0.0,
            "trigger_price": request.trigger_price if kind.has_trigger else 0.0,
        }

    def size_of(self, row: Instrument | None, exchange: str, text: str = "") -> int:
        """Units of what the broker counts as one."""
        if not self.sizes.in_contracts(exchange):
            return 1
        return contract_size(row, exchange, text)

    def wire_quantities(self, row: Instrument, quantity: int, disclosed: int = 0) -> dict[str, int]:
        """Quantities as the broker counts them. Raises :class:`InvalidOrder` with the lot, or
        where nobody knows yet how it counts."""
        self.sizes.require_known(row.exchange)
        size = self.size_of(row, row.exchange)
        return {
            "quantity": in_contracts(quantity, size, row.symbol),
            "disclosed_quantity": in_contracts(disclosed, size, row.symbol, "Disclosed quantity"),
        }

    def _refuse_locally(self, request: OrderRequest) -> None:
        can = self.spec.capabilities
        exchange = Exchange(request.exchange)
        if exchange in INDEX_EXCHANGES or exchange not in can.exchanges:
            raise InvalidOrder(
                f"{self.spec.title} takes no orders on {exchange}.", field="exchange"
            )
        if request.product not in can.products.get(exchange, ()):
            raise InvalidOrder(
                f"{self.spec.title} has no product {request.product} on {exchange}.",
                field="product",
            )
        if request.price_type not in can.price_types:
            raise InvalidOrder(
                f"{self.spec.title} has no {request.price_type} orders.", field="pricetype"
            )
        if request.validity not in can.validities:
            raise InvalidOrder(
                f"{self.spec.title} has no {request.validity} orders.", field="validity"
            )
        if request.price_type.has_trigger and request.trigger_price <= 0:
            raise InvalidOrder(
                f"A {request.price_type} order needs a trigger price.", field="trigger_price"
            )

    async def modify(self, request: ModifyRequest) -> OrderAck:
        """Change a working order. The desk gives every field of the wanted order; what a request
        leaves open all the same is taken from the broker's book as it is now."""
        full = await self._completed(request)
        known = self._seen.get(request.order_id)
        context = {
            "tag": known.tag if known is not None else "",
            **self.modify_context(full, known),
            **await self._repeats(request.order_id),
            "order_id": request.order_id,
        }
        data = await self.rest.op("modify", context)
        return self._ack(data, request.order_id, "order_id", known=request.order_id)

    def modify_context(self, request: ModifyRequest, known: Order | None) -> dict[str, Any]:
        """Hook: the values that a modification's fields are made of; ``request`` is complete, and
        prices that its price type does not have are sent as 0."""
        kind = request.price_type or PriceType.LIMIT
        symbol, exchange = request.symbol or "", request.exchange or ""
        row = self.index.require(symbol, exchange)
        context: dict[str, Any] = {
            **self.instrument_values(row),
            **self.wire_quantities(row, request.quantity or 0, request.disclosed_quantity or 0),
            "wire_price_type": self.spec.price_types.of(exchange).send[kind],
            "wire_validity": self.spec.capabilities.validities[request.validity or Validity.DAY],
            "price": request.price if kind.has_price else 0.0,
            "trigger_price": request.trigger_price if kind.has_trigger else 0.0,
        }
        if request.action is not None:
            context["wire_action"] = self.spec.actions.of(exchange).send[request.action]
        if request.product is not None:
            # A product that we do not know (MTF) goes back as it came.
            context["wire_product"] = self.spec.products.of(exchange).send.get(
                request.product, str(request.product)
            )
        return context

    async def _completed(self, request: ModifyRequest) -> ModifyRequest:
        if all(getattr(request, name) is not None for name in _ORDER_FIELDS):
            return request
        order = next((o for o in await self.orders() if o.order_id == request.order_id), None)
        if order is None:
            raise OrderNotFound(request.order_id)
        missing = {
            name: getattr(order, name) for name in _ORDER_FIELDS if getattr(request, name) is None
        }
        return msgspec.structs.replace(request, **missing)

    async def cancel(self, order_id: str) -> OrderAck:
        """Cancel a working order. Of one that is not known yet the broker's book tells the
        instrument, where the request needs it; raises :class:`OrderNotFound`."""
        known = self._seen.get(order_id)
        if known is None and self._cancel_names:
            await self.orders()
            known = self._seen.get(order_id)
            if known is None:
                raise OrderNotFound(order_id)
        repeated = await self._repeats(order_id)
        context = {**self.cancel_context(order_id, known), **repeated, "order_id": order_id}
        data = await self.rest.op("cancel", context)
        return self._ack(data, order_id, "order_id", known=order_id)

    def cancel_context(self, order_id: str, known: Order | None) -> dict[str, Any]:
        """Hook: further values of a cancellation."""
        if known is None or self.index.get(known.key) is None:
            return {}
        return self.instrument_values(self.index.require(known.symbol, known.exchange))

    async def _repeats(self, order_id: str) -> Mapping[str, str]:
        """What a change or a cancellation repeats of the order. Of one that is not known yet the
        broker's book tells it; raises :class:`OrderNotFound`."""
        repeats = self.spec.repeats
        if repeats and order_id not in self._repeated:
            usual = {name: each.otherwise for name, each in repeats.items()}
            if all(usual.values()):
                return usual
            await self.orders()
            if order_id not in self._repeated:
                raise OrderNotFound(order_id)
        return self._repeated[order_id] if repeats else {}

    async def convert(self, request: ConvertRequest, tag: str) -> OrderAck:
        """Move units of an open position to another product."""
        row = self.index.require(request.symbol, request.exchange)
        check_conversion(request, row)
        products = self.spec.products.of(row.exchange).send
        if request.to not in self.spec.capabilities.products.get(Exchange(row.exchange), ()):
            raise InvalidOrder(
                f"{self.spec.title} has no product {request.to} on {row.exchange}.", field="to"
            )
        context = {
            **self.instrument_values(row),
            "wire_action": self.spec.actions.of(row.exchange).send[request.action],
            "wire_product": products[request.product],
            "wire_to_product": products[request.to],
            "quantity": self.wire_quantities(row, request.quantity)["quantity"],
            "tag": tag,
            **await self.convert_context(request, row),
        }
        await self.rest.op("convert", context)
        return OrderAck(tag)

    async def convert_context(self, request: ConvertRequest, row: Instrument) -> dict[str, Any]:
        """Hook: further values of a conversion."""
        return {}

    async def held_row(self, request: ConvertRequest) -> Mapping[str, Any]:
        """The broker's own row of the position that a conversion is about; empty without one."""
        for raw in self.source_rows("position", await self.rest.op("positions")):
            if (request.key, request.product) in self.read_rows("position", [raw], self.rows.held):
                found: Mapping[str, Any] = raw
                return found
        return {}

    # -- books ------------------------------------------------------------------------------
    async def orders(self) -> BookRows[Order]:
        """Today's order book, in the broker's order."""
        return self.read_orders(self.source_rows("order", await self.rest.op("orders")))

    def read_orders(self, rows: Iterable[Any]) -> BookRows[Order]:
        """Order rows, of the book or pushed, as orders; they are remembered for later changes. A
        push may leave out the tag that the book has."""
        orders = self.read_rows("order", rows, self._order)
        for order in orders:
            if not order.tag and (before := self._seen.get(order.order_id)) is not None:
                order.tag = before.tag
            self._seen[order.order_id] = order
        return orders

    def _order(self, row: Mapping[str, Any]) -> Order:
        repeats = self.spec.repeats
        told = {name: pick(row, each.path) for name, each in repeats.items()}
        if repeats and all(told.values()):  # also of a row that cannot be read
            order_id = str(pick(row, self.spec.rows["order"]["order_id"], "")).strip()
            self._repeated[order_id] = {name: str(value) for name, value in told.items()}
        return self.read_order(row)

    def read_order(self, row: Mapping[str, Any]) -> Order:
        """Hook: one order row."""
        return self.rows.order(row)

    async def trades(self) -> BookRows[Trade]:
        """Today's executions."""
        return await self._book("trades", "trade", self.rows.trade)

    async def positions(self) -> BookRows[Position]:
        """Net positions, flat ones with their result included."""
        return await self._book("positions", "position", self.rows.position)

    async def holdings(self) -> BookRows[Holding]:
        """Delivered shares."""
        return await self._book("holdings", "holding", self.rows.holding)

    async def funds(self) -> Funds:
        """Money of the account."""
        return self.rows.funds(self.source_row("funds", await self.rest.op("funds")))

    # -- margin -----------------------------------------------------------------------------
    async def margin(self, legs: Sequence[OrderRequest]) -> Margin:
        """What these orders would block. Legs that the master does not know are refused."""
        if not self.spec.capabilities.margin:
            raise NotSupported(f"{self.spec.title} has no margin calculator.")
        rows = [self.index.require(leg.symbol, leg.exchange) for leg in legs]
        items = [
            self.order_context(leg, row)
            for leg, row in zip(await self.protected(legs, rows), rows, strict=True)
        ]
        return self.read_margin(await self.margin_call(items))

    async def protected(
        self, legs: Sequence[OrderRequest], rows: Sequence[Instrument]
    ) -> list[OrderRequest]:
        """The legs as the broker takes them: market orders as limits where it wants those, at a
        fresh price. Raises :class:`InvalidOrder` when there is none. Orders themselves come
        protected, by the user's setting."""
        rule = self.spec.protect
        keys = list(dict.fromkeys(leg.key for leg in legs if needs_price(leg, rule)))
        prices: dict[Key, float] = {}
        for key, answer in (await self.quotes(keys)).items() if keys else ():
            if isinstance(answer, AppError):
                raise no_price(key[1], answer.message) from answer
            prices[key] = answer.ltp
        return [
            protect(leg, row, prices.get(leg.key, 0.0), rule, ticks=self.spec.master.ticks)
            for leg, row in zip(legs, rows, strict=True)
        ]

    async def margin_call(self, items: Sequence[dict[str, Any]]) -> Any:
        """Hook: the request; ``items`` are order contexts."""
        return await self.rest.op("margin", items[0] if len(items) == 1 else {"legs": items})

    def read_margin(self, data: Any) -> Margin:
        """Hook: totals of a reply; a list of legs is summed. Raises :class:`DataError` where the
        reply tells no total: nothing known is not nothing needed."""
        fields = self.spec.rows["margin"]
        parts = [part for part in (data if isinstance(data, list) else [data]) if part is not None]
        rows = [row for part in parts if (row := self.source_row("margin", part)) is not None]
        path = unit_of(fields["total"])[0]
        if not rows or any(absent(pick(row, path)) for row in rows):
            raise DataError(f"{self.spec.title} told no margin.")
        total, span, exposure = (
            sum(amount(row, fields[name]) for row in rows) if name in fields else 0.0
            for name in ("total", "span", "exposure")
        )
        return Margin(total, span, exposure)
