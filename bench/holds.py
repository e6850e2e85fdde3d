"""How long the loop is held by what touches much at once: switches of mode, workspace and theme,
long books that come into sight, filters, the calendar, the search in the settings.

The real window (offscreen unless DISPLAY is set) in this process, the market still. A hold is CPU
of the loop's thread between two turns of a 1 ms timer, which other processes do not spoil; each act
is done ``--times`` times and its longest hold is told as median and maximum, beside the CPU of the
act as a whole (what was not saved but cut into turns). The floor is the same watch while nothing
happens.

    .venv/bin/python bench/holds.py [--only mode,orders,trades,calendar,settings,workspace,theme]
        [--orders 5000,50000] [--times 5]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

if not os.environ.get("DISPLAY"):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402
from PySide6.QtCore import Qt  # noqa: E402

from bench.ui import OVERRIDES, _order, rest_orders  # noqa: E402
from openalgo_desktop.core.enums import Action, Mode, Product  # noqa: E402
from openalgo_desktop.core.model import BookRows, Trade  # noqa: E402
from openalgo_desktop.core.ticks import Tick  # noqa: E402
from openalgo_desktop.core.trade_journal import JournalBook, RoundTrip  # noqa: E402
from openalgo_desktop.runtime.options import TerminalOptions  # noqa: E402
from openalgo_desktop.ui.engine.loop import PumpEventLoop  # noqa: E402
from openalgo_desktop.ui.shell.main import Session, make_application  # noqa: E402
from openalgo_desktop.ui.shell.settings import SettingsDialog  # noqa: E402

Act = Callable[[], Awaitable[Any] | None]
#: An act is over when the loop has been idle for so long, seconds.
AFTER = 0.8


class Bench:
    """One window, one scene after another."""

    def __init__(self, session: Session, times: int) -> None:
        self.session = session
        self.terminal, self.window = session.terminal, session.window
        self.bridge = session.bridge
        self.times = times
        self.rows: list[str] = []

    async def held(self, act: Act) -> tuple[float, float]:
        """Longest hold of an act and its CPU, milliseconds of the loop's thread."""
        turns: list[float] = []

        async def watch() -> None:
            while True:
                cpu = time.thread_time()
                await asyncio.sleep(0.001)
                turns.append((time.thread_time() - cpu) * 1e3)

        watching = asyncio.ensure_future(watch())
        await asyncio.sleep(0.3)
        turns.clear()
        began = time.thread_time()
        if (waits := act()) is not None:
            await waits
        await asyncio.sleep(AFTER)
        spent = (time.thread_time() - began) * 1e3
        watching.cancel()
        return max(turns), spent

    async def tell(self, name: str, *acts: Act) -> None:
        """Each act of a round in turn, ``times`` rounds; one line of the table."""
        holds, spent = [], []
        for _ in range(self.times):
            for act in acts:
                hold, cpu = await self.held(act)
                holds.append(hold)
                spent.append(cpu)
        self._told(name, list(zip(holds, spent, strict=True)))

    def alone(self, *docks: str) -> None:
        """Only these docks, as tabs; the last one in sight."""
        docking = self.window.docking
        docking.discard_all()
        for name in docks:
            dock = docking.make(name)
            assert dock is not None, name
            docking.put(dock)
        for name in docks:
            docking.docks[name].raise_()

    # -- scenes -------------------------------------------------------------------------------
    async def idle(self) -> None:
        """The floor."""
        await self.tell("nothing", lambda: None)

    async def mode(self, counts: list[int]) -> None:
        """SANDBOX/LIVE with many orders in the sandbox, the order book in sight or behind."""
        terminal, done = self.terminal, 0
        terminal.sandbox.book.fund(Decimal(10**13), terminal.clock.now())
        rows = [row for row in terminal.instruments.rows() if not row.is_index][:500]
        found = await terminal.account.market.quotes([row.key for row in rows])
        ticks = {key: tick for key, tick in found.items() if isinstance(tick, Tick)}
        rows = [row for row in rows if row.key in ticks]
        for count in counts:
            await rest_orders(terminal, rows, ticks, range(done, count))
            done = count
            self.window.workspaces.switch("Options desk")
            self.window.workspaces.switch("Intraday")
            await asyncio.sleep(3.0)
            for dock, where in (("positions", "behind"), ("orders", "in sight")):
                self.window.docks[dock].raise_()
                await self.tell(
                    f"mode, {count:,} orders, book {where}",
                    lambda: self.bridge.set_mode(Mode.LIVE),
                    lambda: self.bridge.set_mode(Mode.SANDBOX),
                )

    async def orders(self) -> None:
        """Long order books: into sight, first key of the filter."""
        books = self.bridge.books

        def anew(count: int) -> None:
            books.orders = {str(i): _order(i) for i in range(count)}
            books.orders_changed.emit()

        def key(text: str) -> Callable[[], None]:
            dock: Any = self.window.docks["orders"]
            return lambda: dock.search.setText(text)

        for count in (5_000, 20_000, 50_000):
            self.alone("orders", "positions")
            holds: list[tuple[float, float]] = []
            for _ in range(self.times):
                anew(count)
                await asyncio.sleep(0.3)
                holds.append(await self.held(self.window.docks["orders"].raise_))
                self.window.docks["positions"].raise_()
            self._told(f"order book of {count:,} into sight", holds)
            holds = []
            for _ in range(self.times):
                self.alone("orders")
                anew(count)
                await asyncio.sleep(1.0)
                holds.append(await self.held(key("sym29")))
            self._told(f"first key of the filter, {count:,} orders", holds)
            await self.tell(f"later keys, {count:,} orders", key("sym2"), key("sym29"))
            book: Any = self.window.docks["orders"]
            book.view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
            await self.tell(f"filter, sorted, {count:,} orders", key("sym2"), key("sym29"))
        books.orders = {}
        books.orders_changed.emit()

    def _told(self, name: str, found: list[tuple[float, float]]) -> None:
        holds, spent = [hold for hold, _ in found], [cpu for _, cpu in found]
        print(
            f"{name:40} hold median {median(holds):6.1f} max {max(holds):6.1f} ms   "
            f"CPU of the act {median(spent):6.1f}",
            flush=True,
        )
        self.rows.append(
            f"| {name} | {median(holds):.1f} | {max(holds):.1f} | {median(spent):.0f} |"
        )

    async def trades(self) -> None:
        """A trade book that is read whole, counted for the first time."""
        keys = [row.key for row in self.terminal.instruments.rows() if not row.is_index][:60]
        books, now = self.bridge.books, self.terminal.clock.now()

        async def read(rows: BookRows[Trade]) -> None:
            await books.before_trades(rows)
            books.trades = rows
            books.trades_changed.emit()
            books.positions_changed.emit()

        for count in (4_500, 20_000):
            trades = [
                Trade(
                    trade_id=f"T{n}", order_id=f"O{n}", symbol=keys[n % 60][1],
                    exchange=keys[n % 60][0], action=Action.BUY if n % 2 else Action.SELL,
                    quantity=75, price=100.0 + n % 50, product=Product.MIS,
                    traded_at=now + timedelta(milliseconds=n), charges=0.0, strategy="",
                )
                for n in range(count)
            ]  # fmt: skip
            for docks in (("trades", "positions"), ("positions", "trades")):
                self.alone(*docks)
                holds = []
                for _ in range(self.times):
                    await asyncio.sleep(0.3)

                    books.trades = BookRows([])
                    books.trades_changed.emit()
                    rows = BookRows([msgspec.structs.replace(row) for row in trades])
                    holds.append(await self.held(partial(read, rows)))
                self._told(f"{count:,} trades read, {docks[-1]} in sight", holds)
        books.trades = BookRows([])
        books.trades_changed.emit()

    async def calendar(self) -> None:
        """The P&L calendar and the journal with 20,000 trades of a year."""
        keys = [row.key for row in self.terminal.instruments.rows() if not row.is_index][:60]
        now = self.terminal.clock.now()
        trips = [
            RoundTrip(
                trip_id=f"R{n}", account_id="sandbox", mode=Mode.SANDBOX, symbol=keys[n % 60][1],
                exchange=keys[n % 60][0], product=Product.MIS, side=Action.BUY, quantity=75,
                entry_price=Decimal(100), exit_price=Decimal(100 + n % 7),
                entry_at=_when(now, n, 5), exit_at=_when(now, n, 0),
                gross=Decimal(75 * (n % 7 - 3)), charges=Decimal("41.2"),
            )
            for n in reversed(range(20_000))
        ]  # fmt: skip
        book = JournalBook(Mode.SANDBOX, trips, {}, None, "discount")

        async def read() -> JournalBook:
            return book

        self.bridge.journal.book = read  # type: ignore[method-assign]
        for name in ("pnl-calendar", "journal"):
            self.alone(name)
            await asyncio.sleep(1.5)
            await self.tell(f"{name} with 20,000 trades", self.window.docks[name].reload)
        self.alone("pnl-calendar")
        await asyncio.sleep(1.5)
        dock: Any = self.window.docks["pnl-calendar"]
        await self.tell("calendar, another month", lambda: dock.turn(-1), lambda: dock.turn(1))

    async def settings(self) -> None:
        """The search in the settings, key by key."""
        dialog = SettingsDialog(self.window, self.bridge)
        dialog.show()
        await asyncio.sleep(1.0)
        for text in ("o", "or", "order", "sou", "th", "limit"):

            def find(text: str = text) -> None:
                dialog.search.setText(text)
                dialog.show_found()

            await self.tell(f"settings search “{text}”", find)
        dialog.reject()
        dialog.deleteLater()

    async def workspace(self) -> None:
        """From one shipped workspace to another and back."""
        switch = self.window.workspaces.switch
        switch("Intraday")
        for name in ("Options desk", "Scalper", "Investor"):
            switch(name)
            await asyncio.sleep(1.0)
            switch("Intraday")
            await asyncio.sleep(1.0)
            await self.tell(
                f"workspace {name} and back", lambda n=name: switch(n), lambda: switch("Intraday")
            )

    async def theme(self) -> None:
        """Dark to light and back with the docks of the first workspace."""
        self.window.workspaces.switch("Intraday")
        await asyncio.sleep(1.0)
        change = self.terminal.settings.set
        await self.tell(
            "theme", lambda: change("ui.theme", "light"), lambda: change("ui.theme", "dark")
        )


def _when(now: datetime, number: int, minutes: int) -> datetime:
    """Some 80 trades a day, the newest today."""
    return now - timedelta(days=number // 80, minutes=number % 80 * 3 + minutes)


async def run(session: Session, options: argparse.Namespace) -> None:
    """The scenes that are asked for."""
    await session.start()
    try:
        session.window.showNormal()
        session.window.resize(1920, 1080)
        await asyncio.sleep(2.0)
        bench = Bench(session, options.times)
        counts = [int(text) for text in options.orders.split(",")]
        scenes: dict[str, Act] = {
            "idle": bench.idle,
            "settings": bench.settings,
            "theme": bench.theme,
            "workspace": bench.workspace,
            "calendar": bench.calendar,
            "trades": bench.trades,
            "orders": bench.orders,
            "mode": lambda: bench.mode(counts),
        }
        for name, scene in scenes.items():
            if (not options.only or name in options.only.split(",")) and (waits := scene()):
                await waits
        print("\n| act | hold, ms | longest | CPU |\n|---|---|---|---|")
        print("\n".join(bench.rows))
    finally:
        await session.stop()


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="scenes, comma separated")
    parser.add_argument("--orders", default="5000", help="of the scene mode")
    parser.add_argument("--times", type=int, default=5, help="rounds of each act")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        app = make_application()
        loop = PumpEventLoop(app)
        asyncio.set_event_loop(loop)
        terminal = TerminalOptions(data_dir=Path(name), mode=Mode.SANDBOX, overrides=OVERRIDES)
        try:
            loop.run_until_complete(run(Session(app, terminal), options))
        finally:
            loop.close()


if __name__ == "__main__":
    main()
