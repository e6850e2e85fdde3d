"""What the window costs: paints of each dock, CPU, and how long the loop is held.

The real window (offscreen unless DISPLAY is set) in this process, the market still: ticks of the
scene enter the hub by the feed's door at the scene's rate. CPU is that of the process in percent of
a core; holds are CPU of the loop's thread between two turns of a 1 ms timer, which other processes
do not spoil. Floors in the same run: the same scene without ticks, and a QTableWidget of the same
rows and rate that sets the text of each cell (what a plain Qt program does).

    .venv/bin/python bench/ui.py [--seconds 8] [--only watchlist,chain,book,desk,open,day]

Exits with 1 when a limit of issue 11 is broken: watchlist 30 paints/s within 35 % of a core, loop
hold p99 12 ms with a full desk, first opening of a dock 80 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

if not os.environ.get("DISPLAY"):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QSize, Qt  # noqa: E402
from PySide6.QtWidgets import QTableWidget, QTableWidgetItem  # noqa: E402

from openalgo_desktop.core.enums import Action, FeedMode, Mode, OrderStatus, PriceType, Product  # noqa: E402
from openalgo_desktop.core.events import OrderUpdated  # noqa: E402
from openalgo_desktop.core.model import Instrument, Key, Order, OrderRequest  # noqa: E402
from openalgo_desktop.core.ticks import Tick  # noqa: E402
from openalgo_desktop.runtime.options import TerminalOptions  # noqa: E402
from openalgo_desktop.runtime.terminal import Terminal  # noqa: E402
from openalgo_desktop.ui.engine.loop import PumpEventLoop  # noqa: E402
from openalgo_desktop.ui.kit.kinds import kinds  # noqa: E402
from openalgo_desktop.ui.shell.main import Session, make_application  # noqa: E402

PAINTS, CPU, HOLD, OPEN = 30.0, 35.0, 12.0, 80.0
STEP = 0.005
AREAS = (
    Qt.DockWidgetArea.LeftDockWidgetArea,
    Qt.DockWidgetArea.RightDockWidgetArea,
    Qt.DockWidgetArea.BottomDockWidgetArea,
)
OVERRIDES: dict[str, Any] = {
    "api.rest_port": 0, "api.ws_port": 0, "simulator.rate": 0.0, "log.level": "WARNING",
    "simulator.always_open": True,
}  # fmt: skip


class Cost(NamedTuple):
    """Percent of a core, milliseconds, paints a second by dock."""

    cpu: float
    hold: float
    most: float
    paints: dict[str, float]


def part(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Bench:
    """One window, one scene after another."""

    def __init__(self, session: Session, seconds: float, orders: Sequence[int]) -> None:
        self.session = session
        self.seconds = seconds
        self.orders = orders
        self.broken: list[str] = []
        self.facts: list[str] = []  # of the row in bench/README.md
        self.book_rows: list[str] = []
        self.day_rows: list[str] = []

    # -- tools --------------------------------------------------------------------------------
    async def ticks_of(self, keys: Sequence[Key]) -> list[Tick]:
        """A full tick of each instrument that has prices."""
        found = await self.session.terminal.account.market.quotes(list(keys))
        return [tick for tick in found.values() if isinstance(tick, Tick)]

    async def feed(self, ticks: Sequence[Tick], rate: int) -> None:
        """``rate`` ticks a second, each a little off the one before."""
        publish = self.session.terminal.hub.publish
        began, done = time.perf_counter(), 0
        while True:
            due = min(int((time.perf_counter() - began) * rate), done + rate // 20)
            while done < due:
                tick = ticks[done % len(ticks)]
                move = 0.05 if (done // len(ticks)) % 2 else -0.05
                publish(msgspec.structs.replace(tick, ltp=tick.ltp + move))
                done += 1
            await asyncio.sleep(STEP)

    async def hold(self, held: list[float]) -> None:
        """CPU of the thread between two turns of a short timer."""
        while True:
            cpu = time.thread_time()
            await asyncio.sleep(0.001)
            held.append((time.thread_time() - cpu) * 1e3)

    async def measure(self, ticks: Sequence[Tick], rate: int) -> Cost:
        """The scene under load."""
        held: list[float] = []
        tasks = [asyncio.ensure_future(self.feed(ticks, rate))] if rate else []
        await asyncio.sleep(1.0)
        frames = self.session.bridge.frames
        frames.reset_figures()
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.sleep(self.seconds)
        spent = time.perf_counter() - wall
        used = 100.0 * (time.process_time() - cpu) / spent
        paints = {row.name: row.paints / spent for row in frames.figures()}
        # The watching timer costs more than some scenes: it runs after CPU was measured.
        tasks.append(asyncio.ensure_future(self.hold(held)))
        await asyncio.sleep(self.seconds)
        for task in tasks:
            task.cancel()
        return Cost(used, part(held, 0.99), max(held, default=0.0), paints)

    def tell(self, name: str, cost: Cost) -> None:
        """One line of the table."""
        paints = "  ".join(f"{dock} {count:.0f}/s" for dock, count in sorted(cost.paints.items()))
        print(
            f"{name:34} CPU {cost.cpu:5.1f} %  hold p99 {cost.hold:5.1f} max {cost.most:5.1f} ms  "
            f"{paints}",
            flush=True,
        )

    def limit(self, name: str, value: float, most: float, unit: str) -> None:
        """Keep what is broken for the end."""
        if value > most:
            self.broken.append(f"{name}: {value:.1f} {unit}, at most {most:g}")

    def alone(self, *docks: str) -> None:
        """Only these docks, each in a place of its own."""
        docking = self.session.window.docking
        docking.discard_all()
        for name in docks:
            dock = docking.make(name)
            assert dock is not None, name
            docking.put(dock)
            dock.raise_()

    # -- scenes -------------------------------------------------------------------------------
    async def watchlist(self) -> None:
        """500 rows at 2,000 ticks a second."""
        keys = [row.key for row in self.session.terminal.instruments.rows()][:500]
        ticks = await self.ticks_of(keys)
        self.alone("watchlist")
        dock: Any = self.session.window.docks["watchlist"]
        dock.set_keys([tick.key for tick in ticks])
        still = await self.measure(ticks, 0)
        self.tell(f"watchlist {len(ticks)} rows, no ticks", still)
        cost = await self.measure(ticks, 2000)
        self.tell(f"watchlist {len(ticks)} rows, 2,000/s", cost)
        shown = cost.paints.get("Watchlist", 0.0)
        if shown < PAINTS * 0.95:
            self.broken.append(f"watchlist: {shown:.0f} paints/s, {PAINTS:g} wanted")
        self.limit("watchlist", cost.cpu, CPU, "% of a core")
        size = dock.view.size()
        self.alone()
        plain = await self._plain_table(ticks, size)
        self.tell("QTableWidget, the same", plain)
        print(f"{'':34} ratio {plain.cpu / cost.cpu:.1f}", flush=True)
        self.facts.append(
            f"watchlist of {len(ticks)} rows {shown:.0f} paints/s for {cost.cpu:.0f} % of a core, "
            f"hold p99 {cost.hold:.1f} ms (QTableWidget {plain.cpu:.0f} %, still {still.cpu:.0f})"
        )

    async def _plain_table(self, ticks: Sequence[Tick], dock_size: QSize) -> Cost:
        table = QTableWidget(len(ticks), 10)
        rows = {tick.key: index for index, tick in enumerate(ticks)}
        for row in range(len(ticks)):
            for column in range(10):
                table.setItem(row, column, QTableWidgetItem(""))
        table.resize(dock_size)
        table.show()
        channel = self.session.terminal.hub.open_channel()
        for tick in ticks:
            channel.add(tick.key, FeedMode.QUOTE)

        async def look() -> None:
            while True:
                for tick in channel.drain():
                    row = rows[tick.key]
                    for column, value in enumerate(_shown(tick)):
                        table.item(row, column).setText(f"{value:,.2f}")
                await asyncio.sleep(1 / 30)

        task = asyncio.ensure_future(look())
        try:
            return await self.measure(ticks, 2000)
        finally:
            task.cancel()
            channel.close()
            table.close()
            table.deleteLater()

    async def chain(self) -> None:
        """81 strikes of both sides with greeks at 5,000 ticks a second."""
        if "chain" not in kinds():
            return
        self.alone("chain")
        dock: Any = self.session.window.docks["chain"]
        dock.show_symbol(("NSE_INDEX", "NIFTY"))
        await asyncio.sleep(1.0)
        view = dock.view
        sides = [side for row in view.rows for side in (row.call, row.put)]
        keys = [side.key for side in sides if side is not None][:162]
        ticks = await self.ticks_of(keys)
        still = await self.measure(ticks, 0)
        self.tell(f"chain {len(ticks)} options, no ticks", still)
        cost = await self.measure(ticks, 5000)
        self.facts.append(
            f"chain {cost.cpu:.0f} % (still {still.cpu:.0f}), hold p99 {cost.hold:.1f}"
        )
        self.tell(f"chain {len(ticks)} options, 5,000/s", cost)
        self.limit("chain, hold p99", cost.hold, HOLD, "ms")

    async def book(self) -> None:
        """Books of 1,000, 5,000 and 50,000 orders: loading, scrolling, filtering."""
        for count in (1_000, 5_000, 10_000, 50_000):
            self.alone("orders")
            dock: Any = self.session.window.docks["orders"]
            books = self.session.bridge.books
            books.orders = {str(i): _order(i) for i in range(count)}
            took = time.process_time()
            books.orders_changed.emit()
            dock.reload()
            await self.loaded(dock)
            loaded = (time.process_time() - took) * 1e3
            bar = dock.view.verticalScrollBar()
            steps = []
            for step in range(60):
                began = time.process_time()
                bar.setValue(step * bar.maximum() // 60)
                dock.view.viewport().repaint()
                steps.append((time.process_time() - began) * 1e3)
            began = time.process_time()
            dock.filter.choose(dock.filter.options[1])
            await self.loaded(dock)
            dock.view.viewport().repaint()
            filtered = (time.process_time() - began) * 1e3
            print(
                f"order book {count:>6,}: load {loaded:7.1f} ms  scroll p95 "
                f"{part(steps, 0.95):5.1f} ms  filter {filtered:7.1f} ms",
                flush=True,
            )
            self.book_rows.append(
                f"| {count:,} | {loaded:.0f} | {part(steps, 0.95):.1f} | {filtered:.0f} |"
            )
            if count == 5_000:
                self.limit("scroll of 5,000 orders", part(steps, 0.95), HOLD, "ms")
        books.orders = {}
        books.orders_changed.emit()

    async def loaded(self, dock: Any) -> None:
        """A long book is taken in turns: until it is whole."""
        while dock.long_load.under_way:
            await asyncio.sleep(0)

    async def desk(self) -> None:
        """Watchlist, ladder, chain, books and four charts at 2,000 ticks a second."""
        wanted = (
            *("watchlist", "ladder", "chain", "positions", "orders"),
            *("chart", "chart-2", "chart-3", "chart-4"),
        )
        names = [name for name in wanted if name.partition("-")[0] in kinds()]
        docking = self.session.window.docking
        docking.discard_all()
        for name in names:
            dock = docking.make(name)
            assert dock is not None
            docking.window_of(dock).addDockWidget(AREAS[len(docking.docks) % 3], dock)
            dock.show()
        self.session.bridge.select(("NSE", "RELIANCE"))
        keys = [row.key for row in self.session.terminal.instruments.rows()][:200]
        ticks = await self.ticks_of([*keys, ("NSE", "RELIANCE")])
        await asyncio.sleep(2.0)
        cost = await self.measure(ticks, 2000)
        self.tell(f"desk of {len(names)} docks, 2,000/s", cost)
        self.limit("desk, hold p99", cost.hold, HOLD, "ms")
        self.facts.append(
            f"desk of {len(names)} docks {cost.cpu:.0f} %, hold p99 {cost.hold:.1f}, "
            f"longest {cost.most:.1f}"
        )

    async def day(self) -> None:
        """A long day in the sandbox, 50 positions and many working orders: how long the loop is
        held by what touches everything."""
        terminal, window = self.session.terminal, self.session.window
        terminal.sandbox.book.fund(Decimal(10**13), terminal.clock.now())
        window.workspaces.switch("Intraday")
        rows = [row for row in terminal.instruments.rows() if not row.is_index][:500]
        ticks = {tick.key: tick for tick in await self.ticks_of([row.key for row in rows])}
        rows = [row for row in rows if row.key in ticks]
        for tick in ticks.values():
            terminal.hub.publish(tick)
        for row in rows[:50]:
            product = Product.NRML if row.expiry else Product.MIS
            request = OrderRequest(
                row.symbol, row.exchange, Action.BUY, row.lot_size, PriceType.MARKET, product
            )
            await terminal.desk.place(request, "bench")
        done = 0
        for count in self.orders:
            await rest_orders(terminal, rows, ticks, range(done, count))
            done = count
            await asyncio.sleep(3.0)
            await self._acts(f"{count:,} orders", list(ticks.values()))

    async def _acts(self, name: str, ticks: Sequence[Tick]) -> None:
        """Each act with the longest holds that it brought."""
        window, bridge = self.session.window, self.session.bridge
        books = bridge.books

        async def mode(mode: Mode) -> None:
            await bridge.set_mode(mode)

        async def some_ticks() -> None:
            for _ in range(5):
                for tick in ticks:
                    self.session.terminal.hub.publish(tick)
                await asyncio.sleep(0.1)

        async def update() -> None:
            for order in list(books.orders.values())[:20]:
                fresh = msgspec.structs.replace(order)
                self.session.terminal.bus.publish(
                    OrderUpdated(account_id="", mode=bridge.mode, broker="sandbox", order=fresh)
                )

        acts: dict[str, Callable[[], Awaitable[Any] | None]] = {
            "ticks of all symbols": some_ticks,
            "20 orders change": update,
            "all books anew": books.refresh,
            "orders: other filter": lambda: window.docks["orders"].filter.choose("Open"),
            "to live": lambda: mode(Mode.LIVE),
            "to sandbox": lambda: mode(Mode.SANDBOX),
            "theme": lambda: self.session.terminal.settings.set("ui.theme", "light"),
            "theme back": lambda: self.session.terminal.settings.set("ui.theme", "dark"),
            "workspace": lambda: window.workspaces.switch("Options desk"),
            "workspace back": lambda: window.workspaces.switch("Intraday"),
        }
        longest: list[float] = []
        for act, call in acts.items():
            held: list[float] = []
            watching = asyncio.ensure_future(self.hold(held))
            await asyncio.sleep(0.2)
            held.clear()
            if (waits := call()) is not None:
                await waits
            await asyncio.sleep(1.0)
            watching.cancel()
            most = sorted(held)[-3:]
            longest.append(most[-1])
            print(f"{name:>16}: {act:24} holds {' '.join(f'{h:6.1f}' for h in most[::-1])} ms")
        if not self.day_rows:
            self.day_rows = [f"| orders | {' | '.join(acts)} |", "|---" * (len(acts) + 1) + "|"]
        self.day_rows.append(
            f"| {name.split(maxsplit=1)[0]} | {' | '.join(f'{value:.0f}' for value in longest)} |"
        )

    def rows(self) -> None:
        """For bench/README.md, ready to paste."""
        if self.facts:
            print(
                "\n| `ui.py` | the window: paints, CPU and holds of its docks, first openings, "
                "books and switches of a long day | watchlist 30 paints/s in 35 % of a core, hold "
                "p99 12 ms, first opening 80 ms | the same without ticks; a QTableWidget | "
                f"{'; '.join(self.facts)} |"
            )
        if self.book_rows:
            print("\n| orders | load, ms | scroll p95 | filter |\n|---|---|---|---|")
            print("\n".join(self.book_rows))
        if self.day_rows:
            print("\nLongest hold of each act, ms:\n")
            print("\n".join(self.day_rows))

    async def open(self) -> None:
        """The first dock of each kind, its module imported for it."""
        self.alone()
        docking = self.session.window.docking
        await asyncio.sleep(0.2)
        firsts: list[float] = []
        for kind in kinds():
            began = time.process_time()
            dock = docking.open(kind)
            self.session.app.sendPostedEvents()
            dock.repaint()
            first = (time.process_time() - began) * 1e3
            dock.close()
            await asyncio.sleep(0.05)
            began = time.process_time()
            dock = docking.open(kind)
            self.session.app.sendPostedEvents()
            dock.repaint()
            again = (time.process_time() - began) * 1e3
            dock.close()
            await asyncio.sleep(0.05)
            print(f"open {kind:14} first {first:6.1f} ms   again {again:6.1f} ms", flush=True)
            self.limit(f"open {kind}", first, OPEN, "ms")
            firsts.append(first)
        self.facts.append(f"first opening of a dock {min(firsts):.0f} to {max(firsts):.0f} ms")


def _shown(tick: Tick) -> tuple[float, ...]:
    """What a watchlist shows of a tick."""
    return (
        *(tick.ltp, tick.change, tick.change_percent, tick.bid, tick.ask),
        *(tick.volume, tick.oi, tick.high, tick.low, tick.open),
    )


def _order(number: int) -> Order:
    status = OrderStatus.COMPLETE if number % 3 else OrderStatus.OPEN
    return Order(
        str(number), f"SYM{number % 300}", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS,
        price=100.0 + number % 50, status=status,
    )  # fmt: skip


async def rest_orders(
    terminal: Terminal, rows: Sequence[Instrument], ticks: Mapping[Key, Tick], numbers: range
) -> None:
    """Orders far below the market rest in the sandbox, one for each of ``numbers``."""
    for number in numbers:
        row = rows[number % len(rows)]
        tick = ticks[row.key]
        price = round(tick.ltp * 0.5 / row.tick_size) * row.tick_size
        request = OrderRequest(
            row.symbol, row.exchange, Action.BUY, row.lot_size, PriceType.LIMIT,
            Product.NRML if row.expiry else Product.MIS, price=round(price, 4),
        )  # fmt: skip
        terminal.sandbox.enter(request, f"W{number}", tick, terminal.clock.now())
        if number % 100 == 0:
            await terminal.sandbox.stored()
    await terminal.sandbox.stored()


async def run(session: Session, options: argparse.Namespace) -> int:
    """The scenes that are asked for; ``open`` first, while nothing is imported."""
    await session.start()
    try:
        session.window.showNormal()
        session.window.resize(1920, 1080)
        counts = [int(text) for text in options.orders.split(",")]
        bench = Bench(session, options.seconds, counts)
        for scene in ("open", "watchlist", "chain", "book", "desk", "day"):
            if not options.only or scene in options.only.split(","):
                await getattr(bench, scene)()
        bench.rows()
    finally:
        await session.stop()
    for line in bench.broken:
        print("BROKEN", line)
    return int(bool(bench.broken))


def main() -> int:
    """Parse, run, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    parser.add_argument("--only", default="", help="scenes, comma separated")
    parser.add_argument("--orders", default="1000,5000,10000,50000", help="of the scene day")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        app = make_application()
        loop = PumpEventLoop(app)
        asyncio.set_event_loop(loop)
        terminal = TerminalOptions(data_dir=Path(name), mode=Mode.SANDBOX, overrides=OVERRIDES)
        try:
            return loop.run_until_complete(run(Session(app, terminal), options))
        finally:
            loop.close()


if __name__ == "__main__":
    sys.exit(main())
