"""Conditions in words: ``LTP at or above 800.00``, ``RSI 14 crosses up 70 (5m, at the close)``."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from openalgo_desktop.core.alerts import (
    PRICE,
    AlertTrigger,
    AlertWhen,
    AlertWish,
    Source,
)

_DOES = {
    AlertWhen.ABOVE: "at or above",
    AlertWhen.BELOW: "at or below",
    AlertWhen.CROSSES: "crosses",
    AlertWhen.CROSSES_UP: "crosses up",
    AlertWhen.CROSSES_DOWN: "crosses down",
    AlertWhen.ENTERS: "enters",
    AlertWhen.LEAVES: "leaves",
    AlertWhen.RISES: "rises",
    AlertWhen.FALLS: "falls",
    AlertWhen.MOVES: "moves",
    AlertWhen.DAY_ABOVE: "at or above",
    AlertWhen.DAY_BELOW: "at or below",
}


def describe(
    wish: AlertWish, number: Callable[[Decimal], str], name: Callable[[Source], str]
) -> str:
    """The condition. ``number`` writes a level, ``name`` a study or a drawing."""
    closes = wish.trigger is AlertTrigger.CLOSE
    if wish.when.of_day:
        return f"Chg % {_DOES[wish.when]} {number(wish.level)}"

    def called(source: Source) -> str:
        return ("Close" if closes else "LTP") if source == PRICE else name(source)

    def line(source: Source | None, level: Decimal | None) -> str:
        return called(source) if source is not None else number(level or Decimal(0))

    text = f"{called(wish.subject)} {_DOES[wish.when]} "
    if wish.when.of_move:
        bars = "1 bar" if wish.bars == 1 else f"{wish.bars} bars"
        text += f"{number(wish.level)} within {bars}"
    elif wish.when.of_channel:
        text += f"{line(wish.against, wish.level)} to {line(wish.beside, wish.upper)}"
    else:
        text += line(wish.against, wish.level)
    if not wish.needs_bars:
        return text
    return f"{text} ({wish.span}, at the close)" if closes else f"{text} ({wish.span})"
