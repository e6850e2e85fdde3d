"""What the kill switch stops: the account of a mode, or what bound walks have in another one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeAlias

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import NotSupported
from openalgo_desktop.core.gtt import Gtt
from openalgo_desktop.core.model import Key, Order, OrderAck
from openalgo_desktop.core.ports import TradingGateway
from openalgo_desktop.trading.books import in_turns
from openalgo_desktop.trading.bound import BoundLane
from openalgo_desktop.trading.own_part import OwnPart
from openalgo_desktop.trading.ownbook import PositionKey
from openalgo_desktop.trading.results import Placed
from openalgo_desktop.trading.risk import KILL_SOURCE

#: Instruments that are left alone: the state of an order of them is unknown.
Unknown: TypeAlias = set[Key]


class Part(Protocol):
    """One account, or a part of it."""

    @property
    def mode(self) -> Mode: ...
    async def orders(self) -> list[str]:
        """Ids of working orders."""

    async def triggers(self) -> list[Gtt]:
        """Active GTTs, which would become orders later."""

    async def open(self) -> list[PositionKey]:
        """Positions that are not flat."""

    async def cancel(self) -> list[tuple[str, str]]:
        """Take back the working orders; id and reason of those that still work."""

    async def cancel_gtt(self, row: Gtt) -> Placed: ...
    async def close(self, unknown: Unknown) -> tuple[str, ...]:
        """Close what is open; why some of it is not."""


class WholeAccount:
    """Everything of the account of a lane."""

    def __init__(self, lane: BoundLane) -> None:
        self._lane = lane

    @property
    def mode(self) -> Mode:
        """Of the lane."""
        return self._lane.mode

    async def orders(self) -> list[str]:
        """Ids of working orders."""
        return [order.order_id for order in await self._working()]

    async def _working(self) -> list[Order]:
        working: list[Order] = []
        async for some in in_turns(await self._lane.gateway.orders()):
            working += [order for order in some if order.status.is_working]
        return working

    async def triggers(self) -> list[Gtt]:
        """Active GTTs."""
        gateway = self._lane.gateway
        if not gateway.traits.gtt:
            return []
        try:
            return await gateway.gtt_orders()
        except NotSupported:
            return []

    async def open(self) -> list[PositionKey]:
        """Positions that can be closed."""
        rows = await self._lane.gateway.positions()
        return [(row.exchange, row.symbol, row.product) for row in rows if row.can_close]

    async def cancel(self) -> list[tuple[str, str]]:
        """Take back all working orders."""
        return (await self._lane.closing.cancel_all(KILL_SOURCE)).failed

    async def cancel_gtt(self, row: Gtt) -> Placed:
        """Take a GTT back."""
        call = _cancel_of(row.trigger_id)
        return await self._lane.send("gtt_cancel", row, KILL_SOURCE, call, row.trigger_id)

    async def close(self, unknown: Unknown) -> tuple[str, ...]:
        """Close every position but those of ``unknown``."""
        result = await self._lane.exits.close_all(KILL_SOURCE, leave=lambda key: key[:2] in unknown)
        return result.errors


class BoundPart(WholeAccount):
    """What bound walks have in the account of a lane: the orders that they sent and what their
    strategies hold. The switch stands elsewhere, so nothing else of that account is touched."""

    async def _working(self) -> list[Order]:
        """Also those of exit plans, which go out for the strategy by the desk itself."""
        origins, gateway = self._lane.sender.origins, self._lane.gateway
        working = await super()._working()
        await origins.learn(gateway.account_id, working)
        names = self._names()
        return [
            order
            for order in map(origins.name, working)
            if origins.is_bound(order.order_id) or order.strategy in names
        ]

    def _names(self) -> set[str]:
        """Strategies that ever sent something through a bound lane of this mode."""
        return self._lane.sender.origins.bound.get(self.mode, set()) - {""}

    async def triggers(self) -> list[Gtt]:
        """Active GTTs that bound walks placed."""
        origins, account = self._lane.sender.origins, self._lane.gateway.account_id
        rows = await super().triggers()
        for row in rows:
            await origins.strategy_by_id(account, row.trigger_id)
        return [row for row in rows if origins.is_bound(row.trigger_id)]

    def _parts(self) -> list[OwnPart]:
        return [OwnPart(self._lane, name) for name in sorted(self._names())]

    async def open(self) -> list[PositionKey]:
        """Positions of which strategies of bound walks hold something."""
        return list({key: None for part in self._parts() for key in part.units()})

    async def cancel(self) -> list[tuple[str, str]]:
        """Take back what bound walks sent."""
        wanted = set(await self.orders())
        return (await self._lane.closing.cancel_all(KILL_SOURCE, only=wanted)).failed

    async def close(self, unknown: Unknown) -> tuple[str, ...]:
        """Close what their strategies hold, in the names of these."""
        errors: tuple[str, ...] = ()
        for part in self._parts():
            await part.until_read()
            errors += (await part.close_all(KILL_SOURCE, leave=unknown)).errors
        return errors


def _cancel_of(trigger_id: str) -> Callable[[TradingGateway, str], Coroutine[Any, Any, OrderAck]]:
    def call(gateway: TradingGateway, tag: str) -> Coroutine[Any, Any, OrderAck]:
        if not gateway.traits.gtt:
            raise NotSupported(f"{gateway.broker} has no good-till-triggered orders.")
        return gateway.gtt_cancel(trigger_id)

    return call
