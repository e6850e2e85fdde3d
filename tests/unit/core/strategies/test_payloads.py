"""Texts to paste: golden, by what each sender can write and each address reads."""

from __future__ import annotations

import json

import msgspec

from openalgo_desktop.core.strategies.model import Definition, SignalLeg
from openalgo_desktop.core.strategies.payloads import (
    Sender,
    Traded,
    hook_pastes,
    made_pastes,
    order_paste,
)
from openalgo_desktop.core.strategies.words import StrategyKind

BASE = "https://my-host.example"
SBIN = Traded("SBIN", "NSE")
FLIP = Definition(
    name="Flip",
    kind=StrategyKind.SIGNAL,
    legs=(SignalLeg(leg_id=3, symbol="SBIN", exchange="NSE", quantity=10),),
)


def test_orders_of_tradingview_and_gocharting() -> None:
    paste = order_paste(BASE, Sender.TRADINGVIEW, SBIN, "K")
    assert paste.address == f"{BASE}/api/v1/placesmartorder"
    assert paste.body == (
        '{"apikey":"K","strategy":"TradingView Strategy","symbol":"SBIN",'
        '"action":"{{strategy.order.action}}","exchange":"NSE","pricetype":"MARKET",'
        '"product":"MIS","quantity":"{{strategy.order.contracts}}",'
        '"position_size":"{{strategy.position_size}}"}'
    )
    line = order_paste(BASE, Sender.TRADINGVIEW_LINE, SBIN, "K")
    assert line.address == f"{BASE}/api/v1/placeorder"
    assert line.body == (
        '{"apikey":"K","strategy":"TradingView Line Alert","symbol":"SBIN","action":"BUY",'
        '"exchange":"NSE","pricetype":"MARKET","product":"MIS","quantity":"1"}'
    )
    other = order_paste(BASE, Sender.GOCHARTING, Traded("SBIN", "NSE", "CNC", "SELL", 5), "K")
    assert other.body == (
        '{"apikey":"K","strategy":"GoCharting","symbol":"SBIN","action":"SELL",'
        '"exchange":"NSE","pricetype":"MARKET","product":"CNC","quantity":"5"}'
    )
    assert order_paste(BASE, Sender.CHARTINK, SBIN).address == ""


def test_webhook_strategies() -> None:
    pastes = hook_pastes(BASE, "id-1", ["SBIN"], side="LONG", chartink=False)
    assert {paste.address for paste in pastes} == {f"{BASE}/strategy/webhook/id-1"}
    assert [paste.body for paste in pastes] == [
        '{"symbol":"SBIN","action":"{{strategy.order.action}}"}',
        '{"symbol":"SBIN","action":"BUY"}',
        '{"symbol":"SBIN","action":"SELL"}',
    ]
    both = hook_pastes(BASE, "id-1", ["SBIN"], side="BOTH", chartink=False)
    assert [json.loads(paste.body)["position_size"] for paste in both] == [
        "{{strategy.position_size}}",
        1,
        -1,
    ]
    (scan,) = hook_pastes(BASE, "id-2", ["SBIN"], side="LONG", chartink=True)
    assert (scan.address, scan.body) == (f"{BASE}/chartink/webhook/id-2", "")
    assert "SHORT or COVER" in scan.note


def test_made_strategies() -> None:
    batch = Definition(name="Straddle", kind=StrategyKind.BATCH)
    pastes = made_pastes(BASE, batch, "oaws_x")
    assert [(paste.body, paste.note) for paste in pastes] == [
        ('{"action":"start","mode":"sandbox"}', ""),
        ('{"action":"start","mode":"live"}', ""),
        ('{"action":"stop"}', ""),
    ]
    assert {paste.address for paste in pastes} == {f"{BASE}/strategy/webhook/oaws_x"}
    signals = made_pastes(BASE, FLIP)
    assert [paste.body for paste in signals] == [
        '{"action":"long_entry","leg_id":3}',
        '{"action":"long_exit","leg_id":3}',
        '{"action":"short_entry","leg_id":3}',
        '{"action":"short_exit","leg_id":3}',
        '{"action":"{{strategy.order.alert_message}}","leg_id":3}',
    ]
    assert signals[0].address == f"{BASE}/strategy/webhook/TOKEN"
    assert "rotate" in signals[0].note
    short = msgspec.structs.replace(FLIP, direction="short_only")
    assert [json.loads(paste.body)["action"] for paste in made_pastes(BASE, short)][:2] == [
        "short_entry",
        "short_exit",
    ]
