"""The order book as a stream of updates, from pushes, from polling, or from both.

Some brokers push order changes, some do not, and a push feed may be down. The coordinator keeps
the last known state of each order and tells only real changes, each once, whatever way they came:
a duplicate, a late message that is older than what is known, and the poll that repeats a push are
silent. What happened while nothing was heard is told by the next poll.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import date

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError, AuthError
from openalgo_desktop.core.model import Order, OrderUpdate

log = logging.getLogger(__name__)


class PollPolicy(msgspec.Struct, frozen=True):
    """Seconds between polls of the order book.

    ``busy`` while orders work or were just sent, ``idle`` otherwise; ``pushed`` while a push feed
    is alive, as a safety net. After a failure the interval doubles up to ``slowest``. ``soon`` is
    the delay after a poke, in which several pokes become one poll.
    """

    busy: float = 2.0
    idle: float = 5.0
    pushed: float = 60.0
    slowest: float = 60.0
    soon: float = 0.2
    #: After a poke the interval is ``busy`` for so long: fills follow orders.
    attentive: float = 10.0


class OrderWatch:
    """Watches the order book of one account. Its task belongs to the account that starts it.

    ``read`` asks the broker; ``push_alive`` says whether pushes can be relied on now.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[list[Order]]],
        clock: Clock,
        policy: PollPolicy | None = None,
        *,
        push_alive: Callable[[], bool] = lambda: False,
    ) -> None:
        self._read = read
        self._clock = clock
        self._policy = policy or PollPolicy()
        self._push_alive = push_alive
        self._listener: Callable[[OrderUpdate], None] = lambda update: None
        self._known: dict[str, Order] = {}
        self._pushed_at: dict[str, float] = {}
        self._day: date | None = None
        self._baseline = False
        self._failures = 0
        self._attentive_until = 0.0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # -- life -------------------------------------------------------------------------------
    def set_listener(self, listener: Callable[[OrderUpdate], None]) -> None:
        """Who is told."""
        self._listener = listener

    def start(self) -> None:
        """Begin to poll. The first book ever seen is the baseline and tells nothing."""
        if self._task is None or self._task.done():
            self._failures = 0
            self._task = asyncio.create_task(self._run(), name="order book poll")

    async def stop(self) -> None:
        """Stop polling; what is known stays known, so a restart tells what was missed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def poke(self) -> None:
        """Something happened (an order was sent, the feed came back): look soon."""
        self._attentive_until = self._clock.monotonic() + self._policy.attentive
        self._wake.set()

    # -- the two sources --------------------------------------------------------------------
    def pushed(self, order: Order) -> None:
        """An order state that the broker pushed."""
        self._new_day()
        self._pushed_at[order.order_id] = self._clock.monotonic()
        self._take(order)

    def polled(self, orders: list[Order], began: float) -> None:
        """An order book that was asked for at ``began`` (monotonic). Also for books that others
        read anyway: the more is known, the less is missed."""
        self._new_day()
        first, self._baseline = not self._baseline, True
        for order in orders:
            if self._pushed_at.get(order.order_id, -1.0) >= began:
                continue  # the push came while the book was on its way and is newer
            if first and order.order_id not in self._known:
                self._known[order.order_id] = msgspec.structs.replace(order)
            else:
                self._take(order)

    def known(self, order_id: str) -> Order | None:
        """The last known state (a copy)."""
        order = self._known.get(order_id)
        return msgspec.structs.replace(order) if order is not None else None

    def _take(self, order: Order) -> None:
        before = self._known.get(order.order_id)
        if before is not None and not is_news(before, order):
            return
        self._known[order.order_id] = msgspec.structs.replace(order)
        self._listener(OrderUpdate(order.account_id, order))

    def _new_day(self) -> None:
        """Order books begin anew each day; so do ids at some brokers."""
        today = self._clock.now().date()
        if today != self._day:
            if self._day is not None:
                self._known = {i: o for i, o in self._known.items() if not o.status.is_final}
                self._pushed_at.clear()
            self._day = today

    # -- polling ----------------------------------------------------------------------------
    async def _run(self) -> None:
        while True:
            began = self._clock.monotonic()
            try:
                self.polled(await self._read(), began)
                self._failures = 0
            except AuthError as error:
                log.info("order book not available: %s", error)
                return  # the account says "log in again" and starts the watch after that
            except AppError as error:
                self._failures += 1
                log.warning("order book not available: %s", error)
            except Exception:
                self._failures += 1
                log.exception("reading the order book failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._interval())
                await asyncio.sleep(self._policy.soon)
            self._wake.clear()

    def _interval(self) -> float:
        policy = self._policy
        if self._failures:
            return min(policy.slowest, policy.busy * 2.0 ** min(self._failures, 10))
        if self._clock.monotonic() < self._attentive_until:
            return policy.busy
        if self._push_alive():
            return policy.pushed
        working = any(not order.status.is_final for order in self._known.values())
        return policy.busy if working else policy.idle


def is_news(before: Order, after: Order) -> bool:
    """Whether ``after`` is a later and different state of the same order.

    Fills never shrink, final states never change, and a state with an older time is old.
    """
    if before.status.is_final and not after.status.is_final:
        return False
    if after.filled_quantity < before.filled_quantity:
        return False
    if (
        before.updated_at is not None
        and after.updated_at is not None
        and after.updated_at < before.updated_at
    ):
        return False
    return _face(before) != _face(after)


def _face(order: Order) -> tuple[object, ...]:
    """What a change of an order can be seen by."""
    return (
        order.status,
        order.filled_quantity,
        order.quantity,
        order.price,
        order.trigger_price,
        order.price_type,
        order.average_price,
        order.rejection_reason,
    )
