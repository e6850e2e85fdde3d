"""Quotas of hosted programs: what is refused, what is closed, what is stopped, and for how long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from openalgo_desktop.automation.host.life.ports import Result
from openalgo_desktop.automation.host.service import Host
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import RiskBlocked
from openalgo_desktop.core.events import Notice
from openalgo_desktop.core.strategies.hosted import HostedState, OnBreach, Quotas
from tests.unit.automation.host.host_world import World
from tests.waiting import until


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
async def host(world: World) -> AsyncIterator[Host]:
    engine = await world.engine()
    await engine.add(world.script())
    await engine.start("cross", Mode.SANDBOX, "me")
    yield engine
    await engine.close()


async def test_orders_of_a_day_are_counted_over_engines(world: World) -> None:
    world.sent_before = 3  # an engine before this one
    host = await world.engine()
    await host.add(world.script())
    await host.start("cross", Mode.SANDBOX, "me")
    await host.change("cross", quotas=Quotas(orders_per_day=5))
    for _ in range(2):
        host.quotas.check("cross", Mode.SANDBOX)
        host.quotas.sent("cross", Mode.SANDBOX)
    with pytest.raises(
        RiskBlocked, match="cross may only close today: it has sent its quota of 5 orders"
    ):
        host.quotas.check("cross", Mode.SANDBOX)
    host.quotas.check("another", Mode.SANDBOX)
    assert host.get("cross").orders == 5 and "5 orders" in host.get("cross").breached
    world.clock.advance(24 * 3600)
    world.sent_before = 0
    host.quotas.check("cross", Mode.SANDBOX)
    assert host.get("cross").breached == ""
    await host.close()


def test_who_is_no_program_has_no_quotas(world: World, host: Host) -> None:
    assert host.quotas.sizes("by hand") == (0, 0)


async def test_sizes_are_those_of_the_row(world: World, host: Host) -> None:
    await host.change("cross", quotas=Quotas(max_lots=2, open_positions=3))
    assert host.quotas.sizes("cross") == (2, 3)


@pytest.mark.parametrize("action", list(OnBreach))
async def test_a_loss_of_the_day(world: World, host: Host, action: OnBreach) -> None:
    notes: list[str] = []
    world.bus.subscribe(Notice, lambda event: notes.append(event.text))
    await host.change("cross", quotas=Quotas(day_loss=1000, on_breach=action))
    world.results["cross"] = Result(day_net=-999.0, drawdown=0.0)
    await host._looking.look()
    host.quotas.check("cross", Mode.SANDBOX)
    world.results["cross"] = Result(day_net=-1000.0, drawdown=0.0)
    await host._looking.look()
    await until(lambda: len(world.closed) == (action is not OnBreach.BLOCK))
    stopped = action is OnBreach.STOP
    await until(lambda: (not world.machine.alive) is stopped)
    with pytest.raises(RiskBlocked, match=r"its loss of today is 1,000.00"):
        host.quotas.check("cross", Mode.SANDBOX)
    await host._looking.look()
    assert len(world.closed) == (action is not OnBreach.BLOCK)
    assert len(notes) == 1
    if stopped:
        await until(lambda: host.get("cross").state is HostedState.STOPPED)
        assert "Its quota was broken: its loss of today" in host.get("cross").reason
    assert host.get("cross").pnl is not None


async def test_a_drawdown_blocks_until_a_human_changes_the_quota(world: World, host: Host) -> None:
    await host.change("cross", quotas=Quotas(drawdown=500))
    world.results["cross"] = Result(day_net=None, drawdown=501.0)
    await host._looking.look()
    with pytest.raises(RiskBlocked, match=r"501.00 below its best"):
        host.quotas.check("cross", Mode.SANDBOX)
    row = host.get("cross").hosted
    await host.change("cross", quotas=msgspec.structs.replace(row.quotas, drawdown=2000))
    host.quotas.check("cross", Mode.SANDBOX)


async def test_a_breach_is_known_after_a_restart(world: World, host: Host) -> None:
    await host.change("cross", quotas=Quotas(day_loss=1))
    world.results["cross"] = Result(day_net=-5.0, drawdown=0.0)
    await host._looking.look()
    await host.close()
    again = await world.engine()
    with pytest.raises(RiskBlocked):
        again.quotas.check("cross", Mode.SANDBOX)
    await again.close()
