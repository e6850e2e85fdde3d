"""What to paste into TradingView, GoCharting, Chartink and others so that alerts trade. Pure.

Texts in double braces are filled in by TradingView. Fields of the orders and names of strategies
are those of the reference (rest-api.md 13.1).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from openalgo_desktop.core.strategies.model import Definition, Leg, SignalLeg
from openalgo_desktop.core.strategies.words import Signal, StrategyKind

#: Stands where the address of a made strategy is not known: only its digest is kept.
UNKNOWN_TOKEN = "TOKEN"
UNKNOWN_KEY = "YOUR_KEY"
_ACTION = "{{strategy.order.action}}"
_CONTRACTS = "{{strategy.order.contracts}}"
_SIZE = "{{strategy.position_size}}"
_MESSAGE = "{{strategy.order.alert_message}}"


class Sender(StrEnum):
    """Who sends alerts."""

    TRADINGVIEW = "tradingview"  # alert of a strategy (Pine)
    TRADINGVIEW_LINE = "tradingview-line"  # alert of a price, a line or an indicator
    GOCHARTING = "gocharting"
    CHARTINK = "chartink"
    JSON = "json"  # anything that posts JSON


class Paste(msgspec.Struct, frozen=True):
    """One alert to set up: the webhook address, the message, and what to mind."""

    title: str
    address: str
    body: str
    note: str = ""


class Traded(msgspec.Struct, frozen=True):
    """What an order alert trades."""

    symbol: str
    exchange: str
    product: str = "MIS"
    action: str = "BUY"
    quantity: int = 1
    strategy: str = ""


def order_paste(base: str, sender: Sender, traded: Traded, key: str = UNKNOWN_KEY) -> Paste:
    """An alert that posts an order straight to the API at ``base``, with an API key in it."""
    smart = sender is Sender.TRADINGVIEW
    body: dict[str, Any] = {
        "apikey": key,
        "strategy": traded.strategy or _STRATEGIES.get(sender, "Webhook"),
        "symbol": traded.symbol,
        "action": _ACTION if smart else traded.action,
        "exchange": traded.exchange,
        "pricetype": "MARKET",
        "product": traded.product,
        "quantity": _CONTRACTS if smart else str(traded.quantity),
    }
    if smart:
        body["position_size"] = _SIZE
    note = (
        "The message holds your API key: whoever reads it can trade. A webhook strategy does not."
    )
    if sender is Sender.CHARTINK:
        return Paste(
            "Chartink", "", "", "Chartink sends its own message: make a webhook strategy for it."
        )
    path = "placesmartorder" if smart else "placeorder"
    return Paste(_TITLES[sender], f"{base}/api/v1/{path}", _text(body), note)


_STRATEGIES = {
    Sender.TRADINGVIEW: "TradingView Strategy",
    Sender.TRADINGVIEW_LINE: "TradingView Line Alert",
    Sender.GOCHARTING: "GoCharting",
}
_TITLES = {
    Sender.TRADINGVIEW: "TradingView strategy alert",
    Sender.TRADINGVIEW_LINE: "TradingView line alert",
    Sender.GOCHARTING: "GoCharting",
    Sender.CHARTINK: "Chartink",
    Sender.JSON: "JSON",
}


# -- webhook strategies -----------------------------------------------------------------------
def hook_pastes(
    base: str, webhook_id: str, symbols: Sequence[str], *, side: str, chartink: bool
) -> list[Paste]:
    """Alerts of a webhook strategy of ``side`` LONG, SHORT or BOTH."""
    if chartink:
        return [
            Paste(
                _TITLES[Sender.CHARTINK],
                f"{base}/chartink/webhook/{webhook_id}",
                "",
                "Paste the address as webhook URL of the scan's alert; Chartink writes the "
                "message. The name of the scan holds BUY or SELL (of a long), SHORT or COVER.",
            )
        ]
    address = f"{base}/strategy/webhook/{webhook_id}"
    both = side == "BOTH"
    found = []
    for symbol in symbols:
        body = {"symbol": symbol, "action": _ACTION} | ({"position_size": _SIZE} if both else {})
        found.append(Paste(f"{_TITLES[Sender.TRADINGVIEW]}: {symbol}", address, _text(body)))
        for action in ("BUY", "SELL"):
            said: dict[str, Any] = {"symbol": symbol, "action": action}
            if both:
                said["position_size"] = 1 if action == "BUY" else -1
            note = "position_size is the position that shall be held; 0 closes it." if both else ""
            title = f"{action} {symbol} (TradingView line alert, GoCharting, JSON)"
            found.append(Paste(title, address, _text(said), note))
    return found


# -- made strategies --------------------------------------------------------------------------
def made_pastes(base: str, definition: Definition, token: str = "") -> list[Paste]:
    """Alerts of a made strategy; without its token the address has a word in its place."""
    address = f"{base}/strategy/webhook/{token or UNKNOWN_TOKEN}"
    note = "" if token else "The address was shown once: rotate it to see a new one."
    if definition.kind is StrategyKind.BATCH:
        return [
            Paste(title, address, _text(body), note)
            for title, body in (
                ("Start in the sandbox", {"action": "start", "mode": "sandbox"}),
                ("Start live", {"action": "start", "mode": "live"}),
                ("Stop", {"action": "stop"}),
            )
        ]
    found = []
    for leg in definition.legs:
        if not isinstance(leg, SignalLeg):
            continue
        for signal in signals_of(definition, leg):
            title = f"{signal.value}: {leg.symbol}"
            body = _text({"action": signal.value, "leg_id": leg.leg_id})
            found.append(Paste(title, address, body, note))
        said = _text({"action": _MESSAGE, "leg_id": leg.leg_id})
        pine = "In Pine give each order its alert_message, such as long_entry."
        title = f"{_TITLES[Sender.TRADINGVIEW]}: {leg.symbol}"
        found.append(Paste(title, address, said, f"{pine} {note}".strip()))
    return found


def signals_of(definition: Definition, leg: Leg) -> list[Signal]:
    """The signals that a leg takes: those of its side and of the strategy's direction."""
    sides = {"both": "long short", "long_only": "long", "short_only": "short"}
    taken = sides.get(definition.direction, "long short").split()
    if isinstance(leg, SignalLeg) and leg.side != "both":
        taken = [side for side in taken if side == leg.side]
    return [
        signal
        for signal in Signal
        if not signal.of_batch and signal.value.partition("_")[0] in taken
    ]


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
