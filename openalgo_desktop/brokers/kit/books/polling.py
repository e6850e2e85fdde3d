"""When to read the order book of a broker that does not push changes, or whose pushes are down.

What a book changes is told by the account's :class:`~.tracker.OrderTracker`; here it is only
decided how often to ask: often while orders work, seldom while a push feed is alive, and at once
after an order was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError, AuthError
from openalgo_desktop.core.model import Order

log = logging.getLogger(__name__)


class PollPolicy(msgspec.Struct, frozen=True):
    """Seconds between reads of the order book.

    ``busy`` while orders work or were just sent, ``idle`` otherwise; ``pushed`` while a push feed
    is alive, as a safety net. After a failure the interval doubles up to ``slowest``. ``soon`` is
    the delay after a poke, in which several pokes become one read; for ``attentive`` seconds
    after it the interval is ``busy``, because fills follow orders.
    """

    busy: float = 2.0
    idle: float = 5.0
    pushed: float = 60.0
    slowest: float = 60.0
    soon: float = 0.2
    attentive: float = 10.0


class BookPoller:
    """Reads the order book again and again. Its task belongs to the account that starts it.

    ``read`` asks the broker and tells what is new; ``push_alive`` says whether pushes can be
    relied on now.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[Sequence[Order]]],
        clock: Clock,
        policy: PollPolicy | None = None,
        *,
        push_alive: Callable[[], bool] = lambda: False,
    ) -> None:
        self._read = read
        self._clock = clock
        self._policy = policy or PollPolicy()
        self._push_alive = push_alive
        self._working = False
        self._failures = 0
        self._attentive_until = 0.0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether it polls; a lost session ends it until the next :meth:`start`."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin with a read at once; nothing when it runs already."""
        if not self.running:
            self._failures = 0
            self._task = asyncio.create_task(self._run(), name="order-book-poll")

    async def stop(self) -> None:
        """Stop polling."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def poke(self) -> None:
        """Something happened (an order was sent, the feed was lost or came back): look soon."""
        self._attentive_until = self._clock.monotonic() + self._policy.attentive
        self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                orders = await self._read()
                self._working = any(not order.status.is_final for order in orders)
                self._failures = 0
            except AuthError as error:
                log.info("order book not available: %s", error)
                return  # the account says "log in again" and starts this anew after that
            except AppError as error:
                self._failures += 1
                log.warning("order book not available: %s", error)
            except Exception:
                self._failures += 1
                log.exception("reading the order book failed")
            with contextlib.suppress(TimeoutError):
                # Not wait_for: in Python 3.11 it swallows a cancellation that meets the wake-up.
                async with asyncio.timeout(self.interval()):
                    await self._wake.wait()
                await asyncio.sleep(self._policy.soon)
            self._wake.clear()

    def interval(self) -> float:
        """Seconds until the next read, unless poked."""
        policy = self._policy
        if self._failures:
            return min(policy.slowest, policy.busy * 2.0 ** min(self._failures, 10))
        if self._clock.monotonic() < self._attentive_until:
            return policy.busy
        if self._push_alive():
            return policy.pushed
        return policy.busy if self._working else policy.idle
