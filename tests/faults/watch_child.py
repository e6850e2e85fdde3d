"""A program that buys with a bracket and is killed (SIGKILL, by itself) at a chosen moment.

python -m tests.faults.watch_child FOLDER entry|reached|filled
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.events import ExitPlanChanged, OrderUpdated
from openalgo_desktop.core.exits import ExitSpec, Offset, PlanState, Target, Unit
from openalgo_desktop.core.model import OrderRequest
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal

BUY = OrderRequest("SBIN", "NSE", Action.BUY, 10)
SPEC = ExitSpec(stop=Offset.of(5, Unit.PERCENT), targets=(Target(Offset.of(5, Unit.PERCENT), 40),))


def options(folder: Path) -> TerminalOptions:
    """A market that stands still, and no ports."""
    overrides = {"api.enabled": False, "simulator.rate": 20.0}
    return TerminalOptions(data_dir=folder, sim_frozen=True, overrides=overrides)


def die() -> None:
    """As the power goes: nothing is said good-bye to."""
    os.kill(os.getpid(), signal.SIGKILL)


async def main(folder: Path, moment: str) -> None:
    terminal = Terminal(options(folder))
    await terminal.start()

    def on_plan(event: ExitPlanChanged) -> None:
        if moment == "reached" and event.plan.state is PlanState.EXITING:
            die()

    def on_order(event: OrderUpdated) -> None:
        if moment == "filled" and event.order.action is Action.SELL and event.trade is not None:
            die()

    terminal.bus.subscribe(ExitPlanChanged, on_plan)
    terminal.bus.subscribe(OrderUpdated, on_order)
    plan, _ = await terminal.watch.commands.bracket(BUY, SPEC, "window", Mode.SANDBOX)
    if moment == "entry":
        die()
    ltp = float(plan.entry)
    await terminal.account.control({"prices": {"NSE:SBIN": round(ltp * 1.06, 1)}})
    await asyncio.sleep(30)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
