"""Books that grow with the day, over HTTP: what one costs and how long others wait for it.

A terminal in the sandbox gets 1,000, 10,000 and 50,000 orders, nine in ten of them filled; a client
in another process reads order book, trade book, position book and the status of single orders.
Told are milliseconds of CPU of the engine for the first read after a start (nothing is ready) and
for later reads, the longest time that another task waited for the loop meanwhile, and round trips
of ``orderstatus``. The floor is one ``msgspec`` encoding of the same order rows.

    .venv/bin/python bench/books.py [--sizes 1000 10000 50000]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from openalgo_desktop.core.enums import Action, Mode, PriceType, Product  # noqa: E402
from openalgo_desktop.core.model import OrderRequest  # noqa: E402
from openalgo_desktop.local_api.handlers import shapes  # noqa: E402
from openalgo_desktop.local_api.ready_rows import ReadyRows  # noqa: E402
from openalgo_desktop.runtime.options import TerminalOptions  # noqa: E402
from openalgo_desktop.runtime.terminal import Terminal  # noqa: E402

CLIENT = """
import http.client, json, sys, time
host, path, body, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
sys.stdin.readline()
line, times = http.client.HTTPConnection(host, timeout=60), []
for _ in range(count):
    began = time.perf_counter()
    line.request("POST", "/api/v1/" + path, body, {"Content-Type": "application/json"})
    answer = line.getresponse()
    text = answer.read()
    times.append((time.perf_counter() - began) * 1e3)
    assert answer.status == 200, text
print(json.dumps([len(text), times]))
"""


async def fill(terminal: Terminal, orders: int) -> list[str]:
    """Orders in the book as if they had been placed one by one; their ids."""
    symbols = [row for row in terminal.instruments.rows("NSE") if not row.is_index]
    sandbox, ids = terminal.sandbox, list[str]()
    sandbox.book.fund(Decimal(10**12), terminal.clock.now())
    for number in range(orders):
        row = symbols[number % len(symbols)]
        tick = await sandbox.quote(row.key)
        assert tick is not None
        kind = PriceType.MARKET if number % 10 else PriceType.LIMIT
        price = 0.0 if number % 10 else round(tick.ltp * 0.9, 0)
        side = Action.BUY if number % 20 < 10 else Action.SELL
        if kind is PriceType.LIMIT:
            side = Action.BUY
        request = OrderRequest(
            row.symbol, row.exchange, side, 1, kind, Product.MIS, price=price, strategy="bench"
        )
        ids.append(sandbox.enter(request, f"B{number}", tick, terminal.clock.now()).order.order_id)
        if number % 200 == 0:
            await sandbox.stored()
    await sandbox.stored()
    return ids


async def longest_wait(stop: asyncio.Event) -> float:
    """Milliseconds of CPU of the loop's thread that another task waited at most for its turn."""
    worst = 0.0
    while not stop.is_set():
        began = time.thread_time()
        await asyncio.sleep(0)
        worst = max(worst, time.thread_time() - began)
    return worst * 1e3


class Asked(NamedTuple):
    """Size of an answer and its round trips; milliseconds of CPU an answer, and the longest that
    others waited."""

    size: int
    times: list[float]
    cpu: float
    wait: float


async def asked(
    host: str, path: str, body: dict[str, Any], count: int, *, watch: bool = False
) -> Asked:
    """Let another process ask; what that costs this one. Watching for waits costs CPU."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLIENT, host, path, json.dumps(body), str(count),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await asyncio.sleep(0.5)  # it starts, and starting it is done
    stop, wait = asyncio.Event(), 0.0
    waiting = asyncio.create_task(longest_wait(stop)) if watch else None
    began = time.process_time()
    out, _ = await process.communicate(b"go\n")
    cpu = (time.process_time() - began) * 1e3 / count
    stop.set()
    if waiting is not None:
        wait = await waiting
    size, times = json.loads(out)
    return Asked(size, sorted(times), cpu, wait)


def forget(*kept: ReadyRows[Any]) -> None:
    """As after a start."""
    for rows in kept:
        rows.forget()


async def measure(size: int) -> None:
    overrides = {
        "api.rest_port": 0, "api.ws_port": 0, "simulator.rate": 0,
        "limits.api": "100000 per second", "simulator.always_open": True,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        options = TerminalOptions(data_dir=Path(folder), overrides=overrides, sim_frozen=True)
        terminal = Terminal(options)
        await terminal.start()
        ids = await fill(terminal, size)
        orders = await terminal.desk.read.orders()
        plain = [shapes.order_row(order, Mode.SANDBOX) for order in orders]
        began = time.process_time()
        msgspec.json.encode(plain)
        bare = (time.process_time() - began) * 1e3
        assert terminal.api is not None
        host = terminal.api.rest_url.removeprefix("http://")
        secret = await terminal.keys.default()
        assert secret is not None
        key = {"apikey": secret.reveal()}
        print(f"{size:,} orders; one encoding {bare:.1f} ms", flush=True)
        for path in ("orderbook", "tradebook", "positionbook"):
            services = terminal.api.dispatcher.services
            kept = (services.order_rows, services.trade_rows, services.position_rows)
            forget(*kept)
            await asked(host, "ping", key, 1)  # so that the key is known
            first = await asked(host, path, key, 1)
            later = await asked(host, path, key, 5)
            forget(*kept)
            wait = max([(await asked(host, path, key, 2, watch=True)).wait for _ in range(2)])
            print(
                f"  {path:13} {first.size / 1e6:6.2f} MB  first {first.cpu:7.1f} ms  "
                f"later {later.cpu:6.1f}  round trip {later.times[2]:7.1f}  "
                f"longest wait {wait:6.1f}",
                flush=True,
            )
        body = key | {"strategy": "bench", "orderid": ids[len(ids) // 2]}
        one = await asked(host, "orderstatus", body, 300)
        print(
            f"  orderstatus   p50 {one.times[150]:.2f} ms  p99 {one.times[297]:.2f}  "
            f"CPU {one.cpu:.2f}",
            flush=True,
        )
        await terminal.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 50_000])
    for wanted in parser.parse_args().sizes:
        asyncio.run(measure(wanted))
