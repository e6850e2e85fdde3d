"""Conditions in words: ``LTP at or above 800.00``, ``RSI 14 crosses up 70 (5m, at the close)``;
and what an alert tells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from math import nan

import msgspec

from openalgo_desktop.automation.alerts import message
from openalgo_desktop.automation.alerts.scout import Scout
from openalgo_desktop.core.alert_subjects import (
    FIGURE_WORDS,
    OfCombination,
    OfGreek,
    OfOrders,
    OfResult,
    OfTime,
    orders_words,
    result_words,
    time_words,
)
from openalgo_desktop.core.alerts import (
    PRICE,
    AlertTrigger,
    AlertWhen,
    AlertWish,
    PriceAlert,
    Source,
)
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.ports import InstrumentLookup, TickSource
from openalgo_desktop.core.ticks import Part

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
    AlertWhen.HAPPENS: "happens",
}


def describe(
    wish: AlertWish, number: Callable[[Decimal], str], name: Callable[[Source], str]
) -> str:
    """The condition. ``number`` writes a level, ``name`` a study or a drawing."""
    closes = wish.trigger is AlertTrigger.CLOSE
    if wish.when is AlertWhen.HAPPENS:
        return name(wish.subject)
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
        return f"{text} (once in each {wish.span})" if wish.again and wish.per_bar else text
    return f"{text} ({wish.span}, at the close)" if closes else f"{text} ({wish.span})"


class Words:
    """What is said of alerts without a window."""

    def __init__(self, instruments: InstrumentLookup, ticks: TickSource, scout: Scout) -> None:
        self._instruments, self._ticks, self._scout = instruments, ticks, scout

    def describe(self, wish: AlertWish, number: Callable[[Decimal], str] = message.plain) -> str:
        """The condition; ``number`` writes its levels."""
        return describe(wish, number, partial(self.name, wish.key))

    def name(self, key: Key, subject: Source) -> str:
        """What its subject or line is called."""
        if isinstance(subject, OfCombination):
            return subject.formula
        if isinstance(subject, OfGreek):
            return FIGURE_WORDS[subject.figure]
        if isinstance(subject, OfResult):
            return result_words(subject, key[1])
        if isinstance(subject, OfTime):
            return time_words(subject)
        if isinstance(subject, OfOrders):
            return orders_words(subject, key[1])
        return self._scout.name(key, subject)

    def text(self, alert: PriceAlert, now: datetime) -> str:
        """What is told of one that just fired: its message, or the usual words."""
        wish, value = alert.wish, alert.fired_value or Decimal(0)
        row = self._instruments.get(wish.key)
        places = decimals(0.0 if row is None else row.tick_size)
        if not wish.message:
            of_price = wish.subject == PRICE and not (wish.when.of_day or wish.when.of_move)
            number = partial(message.grouped, places=places if of_price else 0)
            seen = number(value)
            at = f"Chg {seen} %" if wish.when.of_day else f"at {seen}"
            note = f". {wish.note}" if wish.note else ""
            text = f"{wish.symbol} {at} ({self.describe(wish, number)}){note}"
            return text.strip() if wish.symbol else text.strip()[:1].upper() + text.strip()[1:]
        return message.fill(wish.message, self._facts(alert, now))

    def news(self, alert: PriceAlert, text: str, now: datetime) -> str:
        """What is told of a moment or of an order: its message, or the news in words."""
        if alert.wish.message:
            return message.fill(alert.wish.message, {**self._facts(alert, now), "news": text})
        return f"{text}. {alert.wish.note}" if alert.wish.note else text

    def _facts(self, alert: PriceAlert, now: datetime) -> dict[str, str]:
        wish, row = alert.wish, self._instruments.get(alert.key)
        places = decimals(0.0 if row is None else row.tick_size)
        scene = self._scout.scene(alert) or self._of_day(wish.key)
        value = alert.fired_value or Decimal(0)
        return message.facts(wish, scene, now, value, alert.fired_line, places)

    def body(self, alert: PriceAlert, text: str, now: datetime) -> Callable[[str], bytes]:
        """Fills the JSON of a post: a placeholder stands for text inside quotes."""
        if not alert.wish.acts:
            return str.encode
        known = {**self._facts(alert, now), "message": text, "alert": alert.alert_id}

        def fill(template: str) -> bytes:
            if not template:
                return msgspec.json.encode(known)
            inside = {key: msgspec.json.encode(fact).decode()[1:-1] for key, fact in known.items()}
            return message.fill(template, inside).encode()

        return fill

    def _of_day(self, key: Key) -> message.Scene:
        """The price and the figures of the day as they are known now."""
        tick = self._ticks.latest(key)
        if tick is None:
            return message.Scene(nan)
        at = (tick.ltt or tick.timestamp) / 1000 or nan
        if not tick.knows(Part.DAY):
            return message.Scene(tick.ltp, close=tick.ltp, time=at)
        volume = float(tick.volume)
        return message.Scene(tick.ltp, tick.open, tick.high, tick.low, tick.ltp, volume, at)
