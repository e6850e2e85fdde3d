"""The corridor's own policy between a recorded order and the adapter: what a broker refuses as a
market order leaves as a limit. Prices are asked from the adapter, so recorded quotes are served."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from openalgo_desktop.brokers.kit.account.gateway import KitGateway
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key, ModifyRequest, OrderRequest
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.trading.policies import OrderPolicies
from tests.wire.harness import Wire


class _Asked:
    """A :class:`TickSource` that has no stream: every price is a fresh quote of the adapter."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def latest(self, key: Key) -> Tick | None:
        return None

    def fresh(self, key: Key, need: int = Part.LTP, max_age: float | None = None) -> Tick | None:
        return None

    def watch(
        self, key: Key, mode: FeedMode, listener: Callable[[Tick], None]
    ) -> Callable[[], None]:
        return lambda: None

    async def snapshot(self, key: Key, need: int = Part.QUOTE) -> Tick:
        answer = (await self._wire.api.quotes([key]))[key]
        if isinstance(answer, AppError):
            raise answer
        return answer


async def protected(wire: Wire, request: OrderRequest) -> OrderRequest:
    """The order as the corridor lets it go on, with the settings that a user begins with."""
    settings = {"trading.market_protection": "needed"}
    policies = OrderPolicies(_Asked(wire), settings.__getitem__)
    gateway = KitGateway(wire.broker.spec, wire.api, wire.clock, lambda: None)
    row = wire.index.require(request.symbol, request.exchange)
    return await policies.protect(request, row, gateway)


async def protected_change(wire: Wire, request: ModifyRequest) -> ModifyRequest:
    """The same of a change that names its order completely; another one goes as it is: what is
    open in it is the broker's, which was protected when it was placed."""
    whole = (request.symbol, request.exchange, request.action, request.price_type)
    if None in whole:
        return request
    wanted = await protected(
        wire,
        OrderRequest(
            symbol=request.symbol or "",
            exchange=request.exchange or "",
            action=request.action,  # type: ignore[arg-type]
            quantity=request.quantity or 0,
            price_type=request.price_type,  # type: ignore[arg-type]
            price=request.price or 0.0,
            trigger_price=request.trigger_price or 0.0,
        ),
    )
    return msgspec.structs.replace(request, price_type=wanted.price_type, price=wanted.price)
