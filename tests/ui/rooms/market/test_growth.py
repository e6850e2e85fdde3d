"""Each dock of the room opened and closed sixty times leaves nothing behind."""

from __future__ import annotations

import gc

import pytest

from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, priced
from tests.waiting import until


@pytest.mark.parametrize("kind", ["watchlist", "chart", "ladder", "depth"])
def test_sixty_times_open_and_closed_leaves_nothing(drive: Drive, kind: str) -> None:
    async def scenario(session: Session) -> None:
        bridge, docking = session.bridge, session.window.docking
        await priced(session)
        docking.open(kind).close()
        open_docks = len(session.window.findChildren(Dock)) - 1

        def docks() -> int:
            return len(session.window.findChildren(Dock))

        await until(lambda: docks() == open_docks, "the first one gone")
        gc.collect()
        served, wanted, tasks = bridge.frames.served, len(bridge._wanted), len(bridge._tasks)
        children, wishes = len(bridge.children()), len(bridge.depths._wishes)
        for _ in range(60):
            docking.open(kind).close()
        await until(lambda: docks() == open_docks, "the docks gone")
        await until(lambda: len(bridge._tasks) <= tasks, "their questions ended")
        assert (bridge.frames.served, len(bridge._wanted)) == (served, wanted)
        askers = {owner for owner in bridge._wanted if owner.startswith("dock-")}
        assert askers <= {f"dock-{name}" for name in docking.docks}
        assert (len(bridge.children()), len(bridge.depths._wishes)) == (children, wishes)

    drive(scenario)
