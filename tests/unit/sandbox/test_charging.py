"""Charges of the sandbox follow the settings, the day and the trades before."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.model import Instrument, Trade
from openalgo_desktop.exchange.charges import ChargeTable
from openalgo_desktop.sandbox.charging import Charging

SBIN = Instrument("SBIN", "NSE", "STATE BANK OF INDIA")
START = datetime(2026, 6, 1, 10, 0, tzinfo=IST)


def trade(order: str, quantity: int = 100, day: int = 0) -> Trade:
    at = START + timedelta(days=day)
    return Trade("t", order, "SBIN", "NSE", Action.SELL, Product.MIS, quantity, 1000.0, at)


@pytest.fixture
def values() -> dict[str, Any]:
    return {"sandbox.charges": True, "sandbox.brokerage_plan": "discount"}


@pytest.fixture
def charging(values: dict[str, Any]) -> Charging:
    return Charging(ChargeTable(resource_text("charges/rates.json")), values.__getitem__)


def test_nothing_while_switched_off(charging: Charging, values: dict[str, Any]) -> None:
    values["sandbox.charges"] = False
    assert charging(trade("a"), SBIN) == 0
    values["sandbox.charges"] = True
    assert charging(trade("a"), SBIN) > 0


def test_one_order_in_parts_pays_one_brokerage(charging: Charging) -> None:
    first, second = charging(trade("a"), SBIN), charging(trade("a"), SBIN)
    assert first - second == Decimal("23.60")  # 20 and 18 % GST
    assert charging(trade("b"), SBIN) == first


def test_each_day_stands_alone(charging: Charging) -> None:
    first = charging(trade("a"), SBIN)
    assert charging(trade("a", day=1), SBIN) == first


def test_a_restart_within_the_day_changes_nothing(
    charging: Charging, values: dict[str, Any]
) -> None:
    charging(trade("a"), SBIN)
    again = Charging(ChargeTable(resource_text("charges/rates.json")), values.__getitem__)
    again.resume([replace(trade("a"), charges=70.0), trade("c")], lambda key: SBIN)
    assert again(trade("a"), SBIN) == charging(trade("a"), SBIN)
    assert again.close_day() == charging.close_day()


def test_the_end_of_the_day_rounds_stt(charging: Charging) -> None:
    lines = charging.lines(trade("a", 1), SBIN)
    assert lines.stt == Decimal("0.25")
    assert charging.close_day() == Decimal("-0.25")
    assert charging.close_day() == 0


def test_the_plan_is_read_when_a_day_begins(charging: Charging, values: dict[str, Any]) -> None:
    values["sandbox.brokerage_plan"] = "statutory"
    assert charging.lines(trade("a"), SBIN).brokerage == 0
    values["sandbox.brokerage_plan"] = "discount"
    assert charging.lines(trade("b"), SBIN).brokerage == 0
    assert charging.lines(trade("b", day=1), SBIN).brokerage == 20
