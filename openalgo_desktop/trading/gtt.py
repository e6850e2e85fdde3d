"""Good-till-triggered orders through the same corridor as any order."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import msgspec

from openalgo_desktop.core.enums import Mode, PriceType
from openalgo_desktop.core.errors import GttNotFound, InvalidOrder, NotSupported, OrderError
from openalgo_desktop.core.gtt import Gtt, GttRequest, same_terms
from openalgo_desktop.core.model import OrderAck, OrderRequest
from openalgo_desktop.core.ports import (
    InstrumentLookup,
    TickSource,
    TradingGateway,
)
from openalgo_desktop.core.ticks import Part
from openalgo_desktop.exchange.checks import check_gtt, check_order
from openalgo_desktop.trading.lane import Lane
from openalgo_desktop.trading.results import Placed

_FIXED = ("symbol", "exchange", "action", "trigger_type")


class GttDesk:
    """Places, modifies and cancels GTTs of the current mode's account."""

    def __init__(self, desk: Lane, instruments: InstrumentLookup, ticks: TickSource) -> None:
        self._desk = desk
        self._instruments = instruments
        self._ticks = ticks

    def _gateway(self, gateway: TradingGateway) -> TradingGateway:
        if not gateway.traits.gtt:
            raise NotSupported(f"{gateway.broker} has no good-till-triggered orders.")
        return gateway

    async def book(self) -> list[Gtt]:
        """Active GTTs, newest first; raises :class:`NotSupported`."""
        return await self._book_of(self._desk.mode)

    async def _book_of(self, mode: Mode) -> list[Gtt]:
        return await self._gateway(self._desk.gateway_of(mode)).gtt_orders()

    async def place(self, request: GttRequest, source: str, mode: Mode | None = None) -> Placed:
        """Send a GTT. The order it would become passes the checks of any order. Raises
        :class:`SymbolUnknown`, :class:`OrderError`, :class:`NotSupported`."""
        mode = self._desk.still(mode)
        self._gateway(self._desk.gateway_of(mode))
        await self._check(request, source, "gtt_place", mode)
        tick = await self._ticks.snapshot(request.key, Part.LTP)
        full = msgspec.structs.replace(request, last_price=tick.ltp)

        def call(gateway: TradingGateway, tag: str) -> Coroutine[Any, Any, OrderAck]:
            return self._gateway(gateway).gtt_place(full, tag)

        return await self._desk.send("gtt_place", full, source, call, mode=mode)

    async def modify(
        self,
        trigger_id: str,
        request: GttRequest,
        source: str,
        mode: Mode | None = None,
        *,
        seen: Gtt | None = None,
    ) -> Placed:
        """Replace triggers, prices and quantity of an active GTT. An empty symbol is unchanged;
        another symbol, exchange, action or type is refused. ``mode`` as in
        :meth:`Lane.place`. ``seen`` is the order that a human changed: where it is another
        one at its source by now, nothing is sent (:class:`OrderError`), for the request would put
        back what was changed meanwhile."""
        mode = self._desk.still(mode)
        current = await self._find(trigger_id, mode)
        if seen is not None and not same_terms(current, seen):
            raise OrderError(
                f"Not changed: the GTT of {seen.symbol} was changed, or one of its triggers was "
                "reached, since you saw it. Look at it again."
            )
        symbol = request.symbol
        if not symbol or symbol.upper() == current.symbol.upper():
            request = msgspec.structs.replace(request, symbol=current.symbol)
        for name in _FIXED:
            old, new = getattr(current, name), getattr(request, name)
            if old != new:
                raise InvalidOrder(
                    f"{name} cannot be changed on an existing GTT ({old} -> {new}). "
                    "Cancel and re-place.",
                    field=name,
                )
        await self._check(request, source, "gtt_modify", mode)
        tick = await self._ticks.snapshot(request.key, Part.LTP)
        full = msgspec.structs.replace(request, last_price=tick.ltp)

        def call(gateway: TradingGateway, tag: str) -> Coroutine[Any, Any, OrderAck]:
            return self._gateway(gateway).gtt_modify(trigger_id, full)

        return await self._desk.send("gtt_modify", full, source, call, trigger_id, mode)

    async def cancel(self, trigger_id: str, source: str, mode: Mode | None = None) -> Placed:
        """Cancel an active GTT; raises :class:`GttNotFound`. ``mode`` as in
        :meth:`Lane.place`."""
        mode = self._desk.still(mode)
        current = await self._find(trigger_id, mode)

        def call(gateway: TradingGateway, tag: str) -> Coroutine[Any, Any, OrderAck]:
            return self._gateway(gateway).gtt_cancel(trigger_id)

        return await self._desk.send("gtt_cancel", current, source, call, trigger_id, mode)

    async def _find(self, trigger_id: str, mode: Mode) -> Gtt:
        for row in await self._book_of(mode):
            if row.trigger_id == trigger_id:
                return row
        raise GttNotFound(trigger_id)

    async def _check(self, request: GttRequest, source: str, kind: str, mode: Mode) -> None:
        order = OrderRequest(
            symbol=request.symbol,
            exchange=request.exchange,
            action=request.action,
            quantity=request.quantity,
            price_type=request.price_type,
            product=request.product,
            price=self._limit(request),
            strategy=request.strategy,
        )
        with self._desk.refusals(kind, request, source, mode):
            instrument = self._instruments.require(request.symbol, request.exchange)
            check_order(order, instrument)
            check_gtt(request, instrument)
            await self._desk.risk.check(order, source, mode)
        if self._desk.approval is not None:
            await self._desk.approval(order, source)

    @staticmethod
    def _limit(request: GttRequest) -> float:
        if request.price_type is PriceType.MARKET:
            return 0.0
        return request.price or request.target or request.stoploss
