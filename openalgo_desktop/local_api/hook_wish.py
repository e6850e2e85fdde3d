"""What an alert to a made strategy asks: read, and refused with a word where it does not fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.numbers import MAX_TEXT, whole
from openalgo_desktop.core.strategies.rows import MadeStrategy
from openalgo_desktop.core.strategies.webhook import MAX_BODY, HookResult
from openalgo_desktop.core.strategies.words import Signal, StrategyKind
from openalgo_desktop.local_api.bodies import Body
from openalgo_desktop.local_api.table import ApiError


class Refused(Exception):
    """An alert that goes no further."""

    def __init__(self, status: int, result: HookResult, message: str) -> None:
        super().__init__(message)
        self.status, self.result, self.message = status, result, message


@dataclass(frozen=True, slots=True)
class Wish:
    """What an alert asks."""

    signal: Signal
    mode: Mode | None = None
    leg_id: int | None = None
    symbol: str = ""
    exchange: str = ""


def fields_of(body: Body) -> dict[str, Any]:
    """The fields of an alert; raises :class:`Refused`."""
    if len(body.raw) > MAX_BODY:
        raise Refused(400, HookResult.PAYLOAD, f"An alert may have {MAX_BODY:,} bytes")
    try:
        found = body.fields()
    except ApiError as error:
        raise Refused(400, HookResult.PAYLOAD, error.message) from None
    if not found:
        raise Refused(400, HookResult.PAYLOAD, 'The alert is empty. Write {"action": "..."}')
    return found


def wish_of(made: MadeStrategy, fields: dict[str, Any]) -> Wish:
    """What the fields ask of that strategy; raises :class:`Refused`."""
    batch = made.definition.kind is StrategyKind.BATCH
    allowed = [word for word in Signal if word.of_batch is batch]
    try:
        signal = Signal(_word(fields, "action"))
    except ValueError:
        signal = None
    if signal not in allowed:
        raise _invalid(f"action: a {made.definition.kind} strategy takes {', '.join(allowed)}")
    assert signal is not None
    if signal is Signal.START:
        try:
            return Wish(signal, Mode(_word(fields, "mode")))
        except ValueError:
            raise _invalid('mode: write "live" or "sandbox"; it is never guessed') from None
    return Wish(signal) if batch else _aimed(Wish(signal), fields)


def _aimed(wish: Wish, fields: dict[str, Any]) -> Wish:
    """With its leg: by its number, or by symbol and exchange."""
    if fields.get("leg_id") not in (None, ""):
        try:
            return replace(wish, leg_id=whole(fields["leg_id"]))
        except ValueError:
            raise _invalid("leg_id: write the number of a leg") from None
    symbol, exchange = fields.get("symbol"), fields.get("exchange")
    texts = isinstance(symbol, str) and isinstance(exchange, str)
    if not texts or not symbol or not exchange or max(len(symbol), len(exchange)) > MAX_TEXT:
        raise _invalid("leg_id: name the leg by its number, or by symbol and exchange")
    return replace(wish, symbol=symbol.strip(), exchange=exchange.strip().upper())


def _word(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value.strip().lower() if isinstance(value, str) else ""


def _invalid(text: str) -> Refused:
    return Refused(400, HookResult.INVALID_ACTION, text)
