"""Sending a basket line by line, and what it would block.

The order of sending is the safety of a hedged position: buys go first, sells wait until those are
filled, and what failed keeps the rest back. A line whose answer never came counts as failed here
and is never sent again; the reconciler finds out what became of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from openalgo_desktop.core.basket import (
    Basket,
    BasketMargin,
    LineResult,
    LineState,
    sequence,
)
from openalgo_desktop.core.enums import Action, Mode, OrderStatus
from openalgo_desktop.core.errors import AppError, OrderStateUnknown
from openalgo_desktop.core.events import Bus, OrderUpdated
from openalgo_desktop.core.model import Margin, Order, OrderRequest
from openalgo_desktop.trading.limits import one_request
from openalgo_desktop.trading.results import Placed

#: Sells wait so long for the fills of the buys before them; seconds.
FILL_WAIT = 10.0

#: Hears of each line that changed: its place in the basket, and what is known of it.
OnLine: TypeAlias = Callable[[int, LineResult], None]
#: What orders together would block.
AskMargin: TypeAlias = Callable[[Sequence[OrderRequest]], Awaitable[Margin]]


class Desk(Protocol):
    """What a basket needs of the order desk."""

    async def place(
        self, request: OrderRequest, source: str, mode: Mode | None = None
    ) -> Placed: ...


class BasketSender:
    """Sends one basket; :meth:`send` once."""

    def __init__(
        self,
        desk: Desk,
        bus: Bus,
        order: Callable[[str], Order | None],
        on_line: OnLine,
        fill_wait: float = FILL_WAIT,
    ) -> None:
        """``order`` gives an order of the mode as our own book has it."""
        self._desk = desk
        self._bus = bus
        self._order = order
        self._on_line = on_line
        self._fill_wait = fill_wait
        self._results: list[LineResult] = []

    async def send(self, basket: Basket, source: str, mode: Mode) -> list[LineResult]:
        """Send every line that may go, in the order of :func:`sequence`; results by place. Nothing
        is raised for a refused line: it is in its result. Each line is refused by the desk when the
        mode is no longer ``mode``."""
        self._results = [LineResult() for _ in basket.lines]
        token = one_request.set(one_request.get() or object())  # equal lines are meant
        try:
            await self._send_all(basket, source, mode)
        finally:
            one_request.reset(token)
        return self._results

    async def _send_all(self, basket: Basket, source: str, mode: Mode) -> None:
        places = sequence(basket)
        bought: list[int] = []
        why = ""
        for number, place in enumerate(places):
            line = basket.lines[place]
            if line.action is Action.BUY:
                bought.append(place)
            elif basket.buys_first and basket.wait and bought:
                trouble = await self._until_filled(bought, basket)
                bought = []
                why = why or (trouble if basket.stop else "")
            why = why or (self._rejected(places[:number], basket) if basket.stop else "")
            if why:
                self._tell(place, LineResult(LineState.SKIPPED, why))
                continue
            result = await self._send_line(place, line, source, mode)
            if basket.stop and result.state.is_bad:
                why = f"Not sent: {line.symbol} failed before it."

    async def _send_line(
        self, place: int, line: OrderRequest, source: str, mode: Mode
    ) -> LineResult:
        self._tell(place, LineResult(LineState.SENDING))
        try:
            placed = await self._desk.place(line, source, mode)
        except OrderStateUnknown as error:
            result = LineResult(LineState.UNKNOWN, error.message, error.sent)
        except AppError as error:
            result = LineResult(LineState.FAILED, error.message, error.sent)
        else:
            result = LineResult(LineState.SENT, placed.message, placed.ids)
        self._tell(place, result)
        return result

    def _tell(self, place: int, result: LineResult) -> None:
        self._results[place] = result
        self._on_line(place, result)

    # -- what became of earlier lines -------------------------------------------------------
    def _rejected(self, places: Sequence[int], basket: Basket) -> str:
        """Why no line may follow these: one of their orders was accepted and ended unfilled."""
        for place in places:
            for order in map(self._order, self._results[place].order_ids):
                if order is not None and order.status in _ENDED:
                    return f"Not sent: {basket.lines[place].symbol} was {order.status.value}."
        return ""

    async def _until_filled(self, places: Sequence[int], basket: Basket) -> str:
        """Wait for the fills of these lines; why the others may not follow, empty when all are
        filled."""
        waited = [place for place in places if self._results[place].order_ids]
        news = asyncio.Event()
        stop = self._bus.subscribe(OrderUpdated, lambda event: news.set())
        try:
            async with asyncio.timeout(self._fill_wait):
                while True:
                    news.clear()
                    if trouble := self._rejected(waited, basket):
                        return trouble
                    if all(map(self._filled, waited)):
                        return ""
                    await news.wait()
        except TimeoutError:
            late = next(place for place in waited if not self._filled(place))
            return (
                f"Not sent: {basket.lines[late].symbol} was not filled within "
                f"{self._fill_wait:.0f} s."
            )
        finally:
            stop()

    def _filled(self, place: int) -> bool:
        orders = [self._order(order_id) for order_id in self._results[place].order_ids]
        return all(order is not None and order.status is OrderStatus.COMPLETE for order in orders)


_ENDED = frozenset({OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED})


class BasketMargins:
    """What a basket would block. Answers about single lines are remembered for a moment: a live
    broker is asked once for a line that did not change."""

    def __init__(self, ask: AskMargin, monotonic: Callable[[], float], keep: float = 30.0) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._keep = keep
        self._known: dict[tuple[OrderRequest, ...], tuple[float, float]] = {}

    def forget(self) -> None:
        """Another account or mode, or a fill: what was known is over."""
        self._known.clear()

    async def of(self, basket: Basket, *, with_peak: bool) -> BasketMargin:
        """``with_peak`` asks once more for each line (free where the account counts itself)."""
        if not basket.lines:
            return BasketMargin()
        try:
            whole = (await self._ask(basket.lines)).total
            alone = sum([await self._one((line,)) for line in basket.lines])
            peak = await self._peak(basket, whole) if with_peak else None
        except AppError as error:
            return BasketMargin(note=error.message)
        return BasketMargin(whole, alone, peak)

    async def _peak(self, basket: Basket, whole: float) -> float:
        lines = [basket.lines[place] for place in sequence(basket)]
        steps = [await self._one(tuple(lines[:count])) for count in range(1, len(lines))]
        return max([whole, *steps])

    async def _one(self, lines: tuple[OrderRequest, ...]) -> float:
        now = self._monotonic()
        self._known = {key: row for key, row in self._known.items() if now - row[0] < self._keep}
        if lines not in self._known:
            self._known[lines] = (now, (await self._ask(lines)).total)
        return self._known[lines][1]
