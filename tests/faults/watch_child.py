"""A program that buys with a bracket and is killed (SIGKILL, by itself) at a chosen moment.

python -m tests.faults.watch_child FOLDER entry|reached|filled|trailed|converting|converted
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import msgspec

from openalgo_desktop.core.conversion import ConvertRequest
from openalgo_desktop.core.enums import Action, Mode, Product
from openalgo_desktop.core.events import ExitPlanChanged, OrderUpdated
from openalgo_desktop.core.exits import ExitPlan, ExitSpec, Offset, PlanState, Target, Unit
from openalgo_desktop.core.model import OrderAck, OrderRequest
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal

#: What comes at once may take so long on a busy machine, seconds.
ALIVE = 120
BUY = OrderRequest("SBIN", "NSE", Action.BUY, 10)
SPEC = ExitSpec(stop=Offset.of(5, Unit.PERCENT), targets=(Target(Offset.of(5, Unit.PERCENT), 40),))


def options(folder: Path) -> TerminalOptions:
    """A market that stands still, and no ports."""
    overrides = {"api.enabled": False, "simulator.rate": 20.0}
    return TerminalOptions(data_dir=folder, sim_frozen=True, overrides=overrides)


def die() -> None:
    """As the power goes: nothing is said good-bye to."""
    os.kill(os.getpid(), signal.SIGKILL)


async def convert(terminal: Terminal, moment: str) -> None:
    """Dies while a conversion of the position is under way, before the account heard of it or
    after that."""
    account = terminal.sandbox
    done = account.convert

    async def dies(request: ConvertRequest, tag: str) -> OrderAck:
        if moment == "converted":
            await done(request, tag)
        die()
        raise AssertionError

    account.convert = dies  # type: ignore[method-assign]
    await terminal.conversions.convert(BUY.key, Product.MIS, Product.CNC, "window", Mode.SANDBOX)


async def trail(terminal: Terminal, plan_id: str, ltp: float) -> None:
    """Dies once the stop has followed the price."""
    spec = msgspec.structs.replace(SPEC, trail=Offset.of(1, Unit.PERCENT))
    await terminal.watch.commands.change(plan_id, spec, Mode.SANDBOX)

    def on_plan(event: ExitPlanChanged) -> None:
        plan = event.plan
        if isinstance(plan, ExitPlan) and plan.stop_at is not None and float(plan.stop_at) > ltp:
            die()

    terminal.bus.subscribe(ExitPlanChanged, on_plan)
    await terminal.account.control({"prices": {"NSE:SBIN": round(ltp * 1.03, 1)}})
    await asyncio.sleep(ALIVE)


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
    if moment in ("converting", "converted"):
        await convert(terminal, moment)
    ltp = float(plan.entry)
    if moment == "trailed":
        await trail(terminal, plan.plan_id, ltp)
    await terminal.account.control({"prices": {"NSE:SBIN": round(ltp * 1.06, 1)}})
    await asyncio.sleep(ALIVE)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
