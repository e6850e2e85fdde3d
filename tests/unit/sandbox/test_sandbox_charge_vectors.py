"""Charge vectors of the sandbox: each case by its file's own rates and by the shipped table.

``SANDBOX_VECTORS=<dir>`` runs the files of that directory instead of the project's copy.
"""

from __future__ import annotations

import json
import os
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.enums import Action
from openalgo_desktop.exchange.charges import (
    NO_CHARGES,
    ChargeDay,
    Charges,
    ChargeTable,
    Fill,
    Segment,
)

GIVEN = os.environ.get("SANDBOX_VECTORS")
OWN = Path(__file__).parents[2] / "data" / "vectors" / "sandbox.json"
#: Segment name of a vector -> exchange whose rates it was derived from.
EXCHANGES = {"eq": "NSE", "fut": "NFO", "opt": "NFO", "mcx": "MCX", "cds": "CDS"}
SEGMENT = re.compile(r"(?P<segment>.+?)(?:_(?P<year>\d{4}))?")


def _cases() -> list[Any]:
    cases = []
    for path in sorted(Path(GIVEN).glob("*.json")) if GIVEN else [OWN]:
        charges = json.loads(path.read_text()).get("charges")
        if not charges:
            continue
        cases += [
            pytest.param(case, charges["rates_percent"], id=case["id"])
            for case in charges["vectors"]
        ]
    return cases


def _day(year: str | None) -> date:
    return date(int(year or 2026), 6, 1)


def _fills(case: dict[str, Any], segment: Segment, exchange: str, day: date) -> list[Fill]:
    return [
        Fill(side.value, "X", exchange, segment, "X", side, Decimal(str(case[key])), day)
        for side, key in ((Action.BUY, "buy_value"), (Action.SELL, "sell_value"))
    ]


def _own_table(rates: dict[str, Any], segment: Segment) -> ChargeTable:
    """The rates that a vector file carries, in the format of the shipped table."""
    kind, *numbers = rates["b"]
    fee = (
        {"flat": str(numbers[0])}
        if kind == "flat"
        else {"percent": str(numbers[0]), "cap": str(numbers[1])}
    )
    buy, sell = rates["tt"]
    rows = [
        ("exchange", "both", rates["ex"]),
        ("sebi", "both", 0.0001),
        ("stamp", "buy", rates["stamp"]),
    ]
    rows += [("stt", "both", buy)] if buy == sell else [("stt", "sell", sell)]
    assert buy in (0, sell), "a tax on the buyer alone has no rate row"
    return ChargeTable(
        json.dumps(
            {
                "sources": {"vector": "the vector file"},
                "gst_percent": "18",
                "gst_source": "vector",
                "rates": [
                    {
                        "charge": charge,
                        "side": side,
                        "percent": str(percent),
                        "source": "vector",
                        "from": "2000-01-01",
                    }
                    for charge, side, percent in rows
                ],
                "plans": {"vector": {"title": "", "dp_fee": "0", "fees": {segment.value: fee}}},
            }
        )
    )


def _check(charges: Charges, table: ChargeTable, expect: dict[str, Any]) -> None:
    """The vectors know neither the depository fee nor the levy as a line of its own."""
    depository = charges.dp + table.gst(charges.dp)
    lines = {
        "brokerage": charges.brokerage,
        "transaction_tax": charges.stt,
        "exchange": charges.exchange + charges.ipft,
        "sebi": charges.sebi,
        "stamp": charges.stamp,
        "gst": charges.gst - table.gst(charges.dp),
        "total": charges.total - depository,
    }
    assert lines.keys() == expect.keys()
    for name, amount in lines.items():
        wanted = Decimal(str(expect[name]))
        assert abs(amount - wanted) <= Decimal("0.005"), f"{name}: {amount} is not {wanted}"


@pytest.mark.parametrize(("case", "rates"), _cases())
def test_sandbox_charge_vector(case: dict[str, Any], rates: dict[str, Any]) -> None:
    name = SEGMENT.fullmatch(case["segment"])
    assert name is not None
    kind = name["segment"]
    segment = Segment(kind)
    exchange, day = EXCHANGES[kind.split("_")[0]], _day(name["year"])
    own = _own_table(rates[case["segment"]], segment)
    shipped = ChargeTable(resource_text("charges/rates.json"))
    for table, plan in ((own, "vector"), (shipped, "discount")):
        note = ChargeDay(table, plan)
        total = sum((note.add(f) for f in _fills(case, segment, exchange, day)), NO_CHARGES)
        _check(total, table, case["expect"])
