"""Placements that were told as rejected, or as never arrived, and turn up at the exchange after
all: the journal and everybody who was told are corrected."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

import msgspec

from openalgo_desktop.core.enums import JournalState, OrderStatus
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.events import Bus, OrderCorrected
from openalgo_desktop.core.model import Order
from openalgo_desktop.core.ports import JournalEntry, OrderJournal

log = logging.getLogger(__name__)

NEVER_ARRIVED = "not in the order book: never arrived"
#: Placements of earlier runs that are remembered, and of all.
EARLIER, MOST = 2000, 5000


class Corrections:
    """``tell`` says in a sentence what became of an entry, with the id of its order."""

    def __init__(
        self, bus: Bus, journal: OrderJournal, tell: Callable[[JournalEntry, str, str], None]
    ) -> None:
        self._bus = bus
        self._journal = journal
        self._tell = tell
        self._refused: dict[str, JournalEntry] = {}  # by tag
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self) -> None:
        """Know those of earlier runs."""
        for entry in await self._journal.refused(EARLIER):
            self._refused[entry.tag] = entry

    async def stop(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def __contains__(self, tag: str) -> bool:
        return tag in self._refused

    def refused(self, entry: JournalEntry, why: str) -> None:
        """A placement is told as rejected."""
        self._refused[entry.tag] = msgspec.structs.replace(
            entry, state=JournalState.REJECTED, message=why
        )
        while len(self._refused) > MOST:
            del self._refused[next(iter(self._refused))]

    def saw(self, orders: Iterable[Order]) -> None:
        """Orders that are at the exchange."""
        for order in orders:
            if order.tag not in self._refused or order.status is OrderStatus.REJECTED:
                continue
            entry = self._refused.pop(order.tag)
            task = asyncio.create_task(self._correct(entry, order))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _correct(self, entry: JournalEntry, order: Order) -> None:
        was = "never arrived" if entry.message == NEVER_ARRIVED else "rejected"
        message = f"told as {was} ({entry.message}), but it arrived"
        try:
            await self._journal.settle(
                entry.tag, JournalState.ACKNOWLEDGED, order.order_id, message
            )
        except AppError as error:
            log.warning("order %s arrived after all, not journaled: %s", order.order_id, error)
            self._refused[entry.tag] = entry  # the next book tells it again
            return
        self._bus.publish(
            OrderCorrected(
                account_id=entry.account_id,
                mode=entry.mode,
                tag=entry.tag,
                order_id=order.order_id,
                source=entry.source,
                message=message,
            )
        )
        self._tell(entry, f"was {message}: it is order {order.order_id}", order.order_id)
