"""The newest public client outlives a restart of the program: it logs in and subscribes again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import clients
from tests.e2e.conftest import CLOCK, FIXTURE
from tests.e2e.driver import Program, free_port
from tests.e2e.sdk import Sdk

SBIN = {"symbol": "SBIN", "exchange": "NSE"}


@pytest.mark.parametrize("client", clients.parameters()[1:])
def test_the_stream_comes_back_after_a_restart(tmp_path: Path, client: str) -> None:
    program = Program(
        tmp_path / "data",
        *("--sim-universe", str(FIXTURE), "--sim-frozen", "--sim-control", "--clock", CLOCK),
        *("--rest-port", str(free_port()), "--ws-port", str(free_port())),
    ).start()
    with Sdk(program, clients.python_of(client)) as sdk:
        assert sdk.call("connect") is True
        sdk.call("subscribe_depth", instruments=[SBIN])
        sdk.call("subscribe_orders")
        assert sdk.events(1)[0]["data"]["ltp"] == 800.0
        program.kill()
        program.start()
        program.control(prices={"NSE:SBIN": 805.0})
        prices: set[float] = set()
        while 805.0 not in prices:  # it waits 1, 2, 5 ... seconds between attempts
            prices |= {e["data"]["ltp"] for e in sdk.events(1) if "data" in e}
        order = {"strategy": "e2e", **SBIN, "action": "BUY", "pricetype": "MARKET"}
        placed = program.call("placeorder", **order, product="MIS", quantity=1)["orderid"]
        updates: list[str] = []
        while "complete" not in updates:
            events = sdk.events(1)
            updates += [e["order_status"] for e in events if e.get("orderid") == placed]
        sdk.call("disconnect")
    assert program.stop() == 0
