"""What engine and API write down, in a trader's words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.reports import AuditEntry
from openalgo_desktop.ui.kit.trader_words import (
    Said,
    order_text,
    plain,
    request_text,
    source_text,
)


def name(key: Key) -> str:
    return {"NIFTY02DEC2624400CE": "NIFTY 02 DEC 24,400 CE"}.get(key[1], key[1])


def entry(**fields: Any) -> AuditEntry:
    return AuditEntry(datetime(2026, 11, 24, 10, 0, tzinfo=IST), **fields)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("webhook:Breakout 15m", "Webhook Breakout 15m"),
        ("mcp:assistant", "Language model assistant"),
        ("api:Excel", "API Excel"),
        ("window", "Window"),
        ("exit:261124-7", "Watched exit"),
        ("my own", "my own"),
    ],
)
def test_sources(source: str, words: str) -> None:
    assert source_text(source) == words


def test_an_order_is_read_and_not_json() -> None:
    body = {
        "apikey": "never shown",
        "strategy": "x",
        "symbol": "NIFTY02DEC2624400CE",
        "exchange": "NFO",
        "action": "BUY",
        "quantity": 75,
        "product": "NRML",
        "pricetype": "SL",
        "price": 101.5,
        "trigger_price": "100",
        "disclosed_quantity": 0,
        "validity": "DAY",
    }
    text = order_text(body, name)
    assert text == "BUY 75 NIFTY 02 DEC 24,400 CE NRML SL 101.50, trigger 100"
    assert request_text("placesmartorder") == "Smart order"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"loss": "25000", "profit": None, "trail": None}, "loss 25,000"),
        ({"stop": {"value": "1", "unit": "percent"}, "targets": []}, "stop 1 percent"),
        ([{"symbol": "SBIN", "action": "SELL"}, {"order_id": "7"}], "SELL SBIN; order 7"),
        ({"below": True, "trigger_price": 5}, "below yes, trigger 5"),
    ],
)
def test_plans_are_words(value: Any, words: str) -> None:
    assert plain(value, name) == words


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            entry(who="window", what="order place", subject="26", answer="acknowledged ",
                  detail='{"symbol":"SBIN","exchange":"NSE","action":"BUY","quantity":1}'),
            ("Window", "Order", "26", "taken", "BUY 1 SBIN"),
        ),
        (
            entry(who="webhook:a", what="approval pending", subject="placeorder 2"),
            ("Webhook a", "Approval pending", "Order 2", "", ""),
        ),
        (
            entry(who="api:k", what="order gtt_place", subject="G1", detail="{broken",
                  answer="refused Too many"),
            ("API k", "GTT", "G1", "refused: Too many", "{broken"),
        ),
    ],
)  # fmt: skip
def test_entries_of_the_trail(row: AuditEntry, words: tuple[str, ...]) -> None:
    said = Said(name)
    shown = (said.who(row), said.what(row), said.subject(row), said.answer(row), said.detail(row))
    assert shown == words


def test_a_setting_is_told_in_its_words() -> None:
    row = entry(who="cli", what="setting", subject="risk.max_lots", detail="4")
    assert Said.subject(row) == SETTINGS["risk.max_lots"].help


def test_numbers_of_an_order_are_grouped_and_ids_and_ports_are_not() -> None:
    body = {"symbol": "SBIN", "action": "BUY", "quantity": 325000, "price": 101234.5}
    assert order_text(body, name) == "BUY 3,25,000 SBIN 1,01,234.50"
    assert (
        plain({"loss": "150000", "order_id": "26112442"}, name) == "loss 1,50,000, order 26112442"
    )
    assert plain({"port": 50000, "quantity": "many"}, name) == "port 50000, quantity many"
