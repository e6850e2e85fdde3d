"""What an order, or a change of one, must be before it leaves."""

from __future__ import annotations

from collections.abc import Callable

from openalgo_desktop.core.model import Instrument, ModifyRequest, Order, OrderRequest
from openalgo_desktop.core.offered import (
    check_offered,
    check_stop_side,
    check_terms,
    is_client,
)
from openalgo_desktop.core.ports import InstrumentLookup, TradingGateway
from openalgo_desktop.exchange.checks import check_modify
from openalgo_desktop.trading.policies import OrderPolicies, slices


class OrderShape:
    """Knows the symbol master and the policies; sends nothing."""

    def __init__(
        self, instruments: InstrumentLookup, policies: Callable[[], OrderPolicies | None]
    ) -> None:
        self._instruments = instruments
        self._policies = policies

    def row_of(self, request: OrderRequest, closing: bool) -> Instrument:
        """The master's row. What is held of an instrument that left the master (expired, renamed,
        a list that came short) gets out all the same: a market order needs no lot and no tick."""
        row = self._instruments.get(request.key)
        if row is None and closing:
            return Instrument(request.symbol, request.exchange)
        return row or self._instruments.require(request.symbol, request.exchange)

    def parts(self, request: OrderRequest, row: Instrument, closing: bool) -> list[OrderRequest]:
        """The orders that it leaves as: slices below the freeze quantity, where they are wanted
        or, for what closes, where they must be."""
        if closing and request.quantity > 0:
            return slices(request, row)
        policies = self._policies()
        return [request] if policies is None else policies.split(request, row)

    def check_offer(
        self, request: OrderRequest, row: Instrument, source: str, gateway: TradingGateway
    ) -> None:
        """What the exchange offers, and that a stop is on its side of the market while a fresh
        price is known; not for clients (:mod:`openalgo_desktop.core.offered`)."""
        if is_client(source):
            return
        check_offered(request, row)
        check_terms(request, row, gateway.traits, gateway.broker)
        asks = request.price_type.has_trigger and not gateway.traits.passed_stops
        policies = self._policies()
        if asks and policies is not None:
            check_stop_side(request, policies.last(request.key))

    async def wanted(
        self, order: Order, request: ModifyRequest, gateway: TradingGateway, source: str
    ) -> ModifyRequest:
        """The complete change: every field as it is to be."""
        row = self._instruments.require(order.symbol, order.exchange)
        wanted = check_modify(order, request, row)
        retyped = wanted.price_type is not order.price_type
        if (policies := self._policies()) is not None:
            wanted = await policies.protect(wanted, row, gateway, retyped=retyped)
        shows = wanted.disclosed_quantity not in (0, order.disclosed_quantity)
        if retyped or shows or wanted.trigger_price != order.trigger_price:
            self.check_offer(wanted, row, source, gateway)
        return ModifyRequest(
            order_id=order.order_id,
            quantity=wanted.quantity,
            price=wanted.price,
            trigger_price=wanted.trigger_price,
            price_type=wanted.price_type,
            disclosed_quantity=wanted.disclosed_quantity,
            symbol=wanted.symbol,
            exchange=wanted.exchange,
            action=wanted.action,
            product=wanted.product,
            validity=wanted.validity,
        )
