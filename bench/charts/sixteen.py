"""16 live charts in the real window at 2,000 ticks a second: CPU, and how long the loop is held.

Run by ``bench/chart.py``; by itself with the seconds of a measurement. Exits with 1 when a hold is
longer than the frame budget."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ui import HOLD, OVERRIDES, Bench, Session, make_application

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.ui.engine.loop import PumpEventLoop

CHARTS, RATE = 16, 2000


class Sixteen(Bench):
    """One scene."""

    async def charts(self) -> None:
        """Each chart has a symbol of its own; all ticks are of those symbols."""
        docking = self.session.window.docking
        docking.discard_all()
        rows = [row for row in self.session.terminal.instruments.rows() if row.exchange == "NSE"]
        keys = [row.key for row in rows][:CHARTS]
        dock: Any = docking.make("chart")
        docking.put(dock)
        dock.show()
        dock.arrange(str(CHARTS))
        for cell, key in zip(dock.cells, keys, strict=True):
            cell.show_symbol(key)
        ticks = await self.ticks_of(keys)
        await asyncio.sleep(3.0)
        still = await self.measure(ticks, 0)
        self.tell(f"{len(keys)} charts, no ticks", still)
        cost = await self.measure(ticks, RATE)
        self.tell(f"{len(keys)} charts, {RATE:,}/s", cost)
        rows = self.session.bridge.frames.figures()  # of all that was measured, with the watching
        counts = sorted(row.paints for row in rows)
        print(f"{counts[0]} to {counts[-1]} paints of a chart in {2 * self.seconds:g} s")
        self.limit("16 charts, hold p99", cost.hold, HOLD, "ms")


async def run(session: Session, seconds: float) -> int:
    """Start, measure, stop."""
    await session.start()
    try:
        session.window.showNormal()
        session.window.resize(1920, 1080)
        bench = Sixteen(session, seconds, [])
        await bench.charts()
    finally:
        await session.stop()
    for line in bench.broken:
        print("BROKEN", line)
    return int(bool(bench.broken))


def main() -> int:
    """Parse, run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("seconds", type=float, nargs="?", default=6.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        app = make_application()
        loop = PumpEventLoop(app)
        asyncio.set_event_loop(loop)
        terminal = TerminalOptions(data_dir=Path(name), mode=Mode.SANDBOX, overrides=OVERRIDES)
        try:
            return loop.run_until_complete(run(Session(app, terminal), options.seconds))
        finally:
            loop.close()


if __name__ == "__main__":
    sys.exit(main())
