"""Order books that grow with the day, on one loop: CPU of a reader and the longest hold.

For 1,000, 10,000 and 50,000 orders of a paper account: ``order`` by id, ``orders``, and the rows of
the order book as JSON (first read, later reads), beside the floor, one ``msgspec`` encoding of the
same rows. ``hold`` is the longest time that another task waited for the loop meanwhile.

    .venv/bin/python -m bench.books
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import msgspec

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Mode, OrderStatus, PriceType, Product
from openalgo_desktop.core.model import Order
from openalgo_desktop.local_api.handlers import shapes
from openalgo_desktop.local_api.order_rows import OrderRows
from openalgo_desktop.trading.ownbook import OwnBook

SIZES = (1_000, 10_000, 50_000)
START = datetime(2026, 11, 24, 9, 15, tzinfo=IST)


def make(count: int) -> list[Order]:
    """Orders of a day, every tenth one still working."""
    return [
        Order(
            f"261124{number:08d}",
            f"SYM{number % 500}",
            "NSE",
            Action.BUY,
            10,
            PriceType.LIMIT,
            Product.MIS,
            price=100.05,
            status=OrderStatus.COMPLETE if number % 10 else OrderStatus.OPEN,
            placed_at=START + timedelta(milliseconds=10 * number),
            strategy="bench",
        )
        for number in range(count)
    ]


async def measured(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """CPU milliseconds of ``work``, and the longest wait of another task in milliseconds."""
    longest = 0.0

    async def other() -> None:
        nonlocal longest
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    task = asyncio.create_task(other())
    await asyncio.sleep(0)
    began = time.process_time()
    await work()
    cpu = time.process_time() - began
    await asyncio.sleep(0)
    task.cancel()
    return cpu * 1e3, longest * 1e3


async def main() -> None:
    """Print the curves."""
    print(f"{'orders':>8}{'floor ms':>10}{'first ms':>10}{'later ms':>10}{'hold ms':>9}", end="")
    print(f"{'by id us':>10}{'working us':>12}")
    for size in SIZES:
        orders = make(size)
        plain = [shapes.order_row(order, Mode.SANDBOX) for order in orders]
        began = time.process_time()
        msgspec.json.encode(plain)
        floor = (time.process_time() - began) * 1e3
        rows = OrderRows()
        first, hold = await measured(partial(rows.encoded, orders, Mode.SANDBOX))
        later, again = await measured(partial(rows.encoded, orders, Mode.SANDBOX))
        book = OwnBook("bench", Mode.SANDBOX)
        for order in orders:
            book.put(order)
        began = time.perf_counter()
        for order in orders[:1000]:
            book.orders[order.order_id]
        by_id = (time.perf_counter() - began) * 1e3
        began = time.perf_counter()
        for order in orders[:1000]:
            book.working_of(order.key)
        working = (time.perf_counter() - began) * 1e3
        print(f"{size:8d}{floor:10.1f}{first:10.1f}{later:10.1f}{max(hold, again):9.1f}", end="")
        print(f"{by_id:10.2f}{working:12.2f}")


if __name__ == "__main__":
    asyncio.run(main())
