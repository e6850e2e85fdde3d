"""An order above the freeze quantity: its parts know each other, after a restart too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.driver import NO_LIMITS, Program
from tests.waiting import wait_for

SETTINGS = (*NO_LIMITS, "trading.freeze_split=true", "trading.freeze_quantities=NIFTY=130")


def rows(program: Program) -> dict[str, dict[str, Any]]:
    return {row["orderid"]: row for row in program.call("orderbook")["data"]["orders"]}


def test_parts_of_an_order_say_so(tmp_path: Path) -> None:
    program = Program(tmp_path / "data", "--sim-frozen", settings=SETTINGS)
    common = {"strategy": "parts", "action": "BUY", "pricetype": "MARKET", "product": "NRML"}
    with program:
        found = program.call("expiry", symbol="NIFTY", exchange="NFO", instrumenttype="futures")
        symbol = f"NIFTY{found['data'][0].replace('-', '')}FUT"
        future = common | {"symbol": symbol, "exchange": "NFO"}
        answer = program.call("placeorder", **future, quantity=325)
        single = program.call("placeorder", **future, quantity=65)["orderid"]
        ids = answer["orderids"]
        assert len(ids) == 3
        wait_for(lambda: len(rows(program)) == 4)
        told = [rows(program)[order_id] for order_id in ids]
        assert [row["quantity"] for row in told] == [130, 130, 65]
        assert [(row["part"], row["parts"]) for row in told] == [(1, 3), (2, 3), (3, 3)]
        (parent,) = {row["parent"] for row in told}
        status = program.call("orderstatus", orderid=ids[1], strategy="parts")["data"]
        assert (status["parent"], status["part"]) == (parent, 2)
        assert not {"parent", "part", "parts"} & rows(program)[single].keys()
    with program:
        again = rows(program)
        assert {again[order_id]["parent"] for order_id in ids} == {parent}
        assert "parent" not in again[single]
