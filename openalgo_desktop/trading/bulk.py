"""Many orders from one request: baskets and splits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import msgspec

from openalgo_desktop.core.enums import Action
from openalgo_desktop.core.errors import AppError, InvalidOrder
from openalgo_desktop.core.model import OrderRequest, with_quantity
from openalgo_desktop.trading.results import Placed

#: Sends one order; raises :class:`AppError` when it is refused.
Place: TypeAlias = Callable[[OrderRequest], Awaitable[Placed]]
#: Children of one split at most.
MAX_CHILDREN = 100
TOO_MANY = f"Total number of orders would exceed maximum limit of {MAX_CHILDREN}"


class Child(msgspec.Struct, frozen=True):
    """One order of many: what was asked and what came of it."""

    request: OrderRequest
    outcome: Placed | AppError


async def _tried(place: Place, request: OrderRequest) -> Child:
    try:
        return Child(request, await place(request))
    except AppError as error:
        return Child(request, error)


async def place_basket(
    place: Place, requests: Sequence[OrderRequest], at_once: int = 1
) -> list[Child]:
    """Every order, all buys before the first sell, so that hedges lower the margin of what is
    sold; ``at_once`` of one side together. Results in the order of sending."""
    children: list[Child] = []
    for side in (Action.BUY, Action.SELL):
        rows = [request for request in requests if request.action is side]
        for first in range(0, len(rows), at_once):
            batch = rows[first : first + at_once]
            children += await asyncio.gather(*(_tried(place, request) for request in batch))
    return children


def split_sizes(quantity: int, size: int) -> list[int]:
    """Quantities of the children; raises :class:`InvalidOrder` when there would be too many."""
    count, rest = divmod(quantity, size)  # a fraction on CRYPTO
    whole = int(count)
    if whole + (rest > 0) > MAX_CHILDREN:
        raise InvalidOrder(TOO_MANY, field="splitsize")
    return [size] * whole + ([rest] if rest else [])


async def place_split(
    place: Place, request: OrderRequest, size: int, spacing: float
) -> list[Child]:
    """The order in parts of ``size``, one after the other, ``spacing`` seconds apart."""
    children: list[Child] = []
    for quantity in split_sizes(request.quantity, size):
        if children and spacing > 0:
            await asyncio.sleep(spacing)
        part = with_quantity(request, quantity)
        children.append(await _tried(place, part))
    return children
