"""Members of the family are small tables; one that does not exist shows what one more takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.brokers.kit.account.account import KitAccount
from openalgo_desktop.brokers.kit.spec import check
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.clock import SystemClock
from openalgo_desktop.core.enums import Action, OrderStatus, PriceType, Product
from openalgo_desktop.core.model import OrderRequest
from tests.emulators import xts
from tests.memory import MemorySecrets
from tests.unit.brokers.xts import lotus
from tests.wire.folders import all_rules
from tests.wire.harness import Wire, names_of
from tests.wire.ops import run
from tests.wire.test_recorded import check_requests, check_result
from tests.wire.vectors import ROOT, VectorFile, prepare

BROKERS = Path(__file__).parents[4] / "openalgo_desktop" / "brokers"
MEMBERS = [b.spec.id for b in Registry(()).all().values() if b.spec.family == "xts"]
#: A member that logs in and trades as Lotus does.
LIKE = "compositedge"


def recordings() -> VectorFile:
    """Those of a member like it, at Lotus's address."""
    path = ROOT / f"{LIKE}.json"
    text = path.read_text(encoding="utf-8").replace("xts.compositedge.com", "xts.lotus.example")
    return VectorFile(path, json.loads(text) | {"broker": "lotus"})


FILE = recordings()


@pytest.mark.parametrize("broker", MEMBERS)
def test_a_member_is_a_small_table(broker: str) -> None:
    (module,) = (BROKERS / broker).glob("*.py")
    lines = module.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 30


def test_seven_members() -> None:
    known = {
        "compositedge", "fivepaisaxts", "ibulls", "iifl", "jainamxts", "rmoney", "wisdom",
    }  # fmt: skip
    assert known <= set(MEMBERS)


def test_the_further_member_is_valid() -> None:
    assert check(lotus.BROKER.spec, lotus.BROKER.api) == []


@pytest.mark.parametrize("case", [pytest.param(c, id=c["id"]) for c in FILE.section("cases")])
async def test_the_further_member_passes_recordings(case: dict[str, Any]) -> None:
    ready = prepare(names_of(lotus.BROKER.spec), case, all_rules(), "cases")
    wire = Wire(lotus.BROKER, FILE, ready.case["http_response"] or [])
    result = await run(wire, case["op"], ready.case["input"] or {})
    problems = check_requests(ready, wire, FILE) + check_result(ready, result, FILE)
    assert not problems, "\n".join(problems)


async def test_the_further_member_trades(tmp_path: Path) -> None:
    clock = SystemClock()
    clock.jump(clock.now().replace(hour=10, minute=0))
    async with xts.XtsEmulator(clock, xts.Variant(login="redirect")) as emulator:
        assert isinstance(emulator, xts.XtsEmulator)
        hosts = {name: emulator.hosts()[name] for name in lotus.BROKER.spec.hosts}
        account = KitAccount(lotus.BROKER, clock, MemorySecrets(), tmp_path, hosts=hosts)
        try:
            await account.connect()
            await account.login({**xts.KEYS, "request_token": emulator.page_text()})
            await account.instruments()
            request = OrderRequest(
                "SBIN", "NSE", Action.BUY, 2, PriceType.LIMIT, Product.MIS, price=500.0
            )
            ack = await account.gateway.place(request, "Olotus1")
            (order,) = await account.gateway.orders()
            assert (order.order_id, order.tag) == (ack.order_id, "Olotus1")
            assert order.status is OrderStatus.OPEN
        finally:
            await account.disconnect()
