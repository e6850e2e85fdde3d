"""SIGKILL of a real program between the fill of an entry and its exit; another one takes it up."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from openalgo_desktop.core.enums import Action, Mode
from openalgo_desktop.core.exits import ExitPlan, PlanState
from openalgo_desktop.runtime.terminal import Terminal
from tests.faults.watch_child import options
from tests.waiting import until

ROOT = Path(__file__).parents[2]


def run_child(folder: Path, moment: str) -> None:
    command = [sys.executable, "-m", "tests.faults.watch_child", str(folder), moment]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("moment", ["entry", "reached", "filled"])
async def test_killed_between_the_fill_of_an_entry_and_its_exit(tmp_path: Path, moment: str):
    """The target takes 4 of 10 out once, whenever the program died; the stop takes the rest."""
    await asyncio.to_thread(run_child, tmp_path, moment)
    terminal = Terminal(options(tmp_path))
    await terminal.start()
    try:
        (plan,) = terminal.watch.plans(Mode.SANDBOX)

        def current() -> ExitPlan:
            found = terminal.watch.plan(plan.plan_id)
            assert isinstance(found, ExitPlan)
            return found

        async def price(factor: float) -> None:
            at = round(float(current().entry) * factor, 1)
            await terminal.account.control({"prices": {"NSE:SBIN": at}})

        await until(lambda: current().entry > 0 and current().held)
        await price(1.06)
        await until(lambda: current().hit == 1, "the target")
        assert current().held == 6
        await price(0.94)
        await until(lambda: current().state is PlanState.DONE, "the stop")
        orders = await terminal.desk.read.orders()
        sold = [row.filled_quantity for row in orders if row.action is Action.SELL]
        assert sorted(sold) == [4, 6]
        rows = await terminal.desk.read.positions()
        assert [row.quantity for row in rows] == [0]
    finally:
        await terminal.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("moment", ["trailed", "converting", "converted"])
async def test_killed_while_a_stop_trails_or_its_position_is_converted(tmp_path: Path, moment: str):
    """Whatever product the units have by then: they go out once, and all of them."""
    await asyncio.to_thread(run_child, tmp_path, moment)
    terminal = Terminal(options(tmp_path))
    await terminal.start()
    try:
        (plan,) = terminal.watch.plans(Mode.SANDBOX)
        assert isinstance(plan, ExitPlan) and plan.entry > 0
        at = round(float(plan.entry) * 0.9, 1)
        await terminal.account.control({"prices": {"NSE:SBIN": at}})
        await until(lambda: terminal.watch.plan(plan.plan_id).state is PlanState.DONE, "the stop")
        orders = await terminal.desk.read.orders()
        sold = [row.filled_quantity for row in orders if row.action is Action.SELL]
        assert sold == [10]
        rows = await terminal.desk.read.positions()
        assert {row.quantity for row in rows} == {0}
    finally:
        await terminal.stop()
