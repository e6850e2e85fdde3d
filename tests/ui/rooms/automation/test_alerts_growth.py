"""The alerts dock opened and closed sixty times leaves nothing behind."""

from __future__ import annotations

import gc
from decimal import Decimal

from openalgo_desktop.core.alerts import AlertWhen, AlertWish
from openalgo_desktop.ui.kit.dock import Dock
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import SBIN, Drive, priced
from tests.waiting import until


def test_sixty_times_open_and_closed_leaves_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge, docking = session.bridge, session.window.docking
        await priced(session)
        await bridge.alerts.add(AlertWish(*SBIN, AlertWhen.ABOVE, Decimal(90_000)))

        def docks() -> int:
            return len(session.window.findChildren(Dock))

        docking.open("alerts").close()
        await until(lambda: "alerts" not in session.window.docks, "the first one gone")
        open_docks = docks()
        gc.collect()
        served, wanted, children = (
            bridge.frames.served,
            len(bridge.prices._wanted),
            len(bridge.children()),
        )
        for _ in range(60):
            docking.open("alerts").close()
        await until(lambda: docks() == open_docks, "the docks gone")
        assert (bridge.frames.served, len(bridge.prices._wanted)) == (served, wanted)
        assert len(bridge.children()) == children

    drive(scenario)
