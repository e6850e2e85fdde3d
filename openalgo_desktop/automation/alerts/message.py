"""The message of an alert: its template filled with the facts of the moment. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite, nan
from typing import NamedTuple

from openalgo_desktop.core.alerts import AlertWish
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.money import group_indian

#: What stands for a fact that nobody knows.
UNKNOWN = "–"
_NAME = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class Scene(NamedTuple):
    """What is known when an alert tells: the last price, and the bar that it looked at (without
    bars, the figures of the day). ``time`` is when the bar began, epoch seconds; rupees and units,
    NaN where not known."""

    price: float
    open: float = nan
    high: float = nan
    low: float = nan
    close: float = nan
    volume: float = nan
    time: float = nan


def facts(
    wish: AlertWish,
    scene: Scene,
    now: datetime,
    value: Decimal,
    line: Decimal | None,
    places: int,
) -> dict[str, str]:
    """Every placeholder with its text. Prices have the decimals of the tick; times are ISO 8601
    in IST, of a bar of a day and longer its date."""
    return {
        "ticker": wish.symbol,
        "exchange": wish.exchange,
        "interval": wish.span,
        "price": _price(scene.price, places),
        "open": _price(scene.open, places),
        "high": _price(scene.high, places),
        "low": _price(scene.low, places),
        "close": _price(scene.close, places),
        "volume": f"{scene.volume:.0f}" if isfinite(scene.volume) else UNKNOWN,
        "time": _time(scene.time, wish.span),
        "timenow": now.astimezone(IST).isoformat(timespec="seconds"),
        "value": plain(value),
        "level": plain(wish.level if line is None else line),
        "note": wish.note,
    }


def fill(template: str, known: Mapping[str, str]) -> str:
    """The template with its placeholders; an unknown one stays as it was typed. What is filled in
    is not filled again."""
    return _NAME.sub(lambda found: known.get(found[1].lower(), found[0]), template)


def plain(value: Decimal) -> str:
    """A number as it is, without trailing zeros: ``803``, ``70.25``."""
    return f"{value.normalize():f}"


def grouped(value: Decimal, places: int = 0) -> str:
    """The same for people, with at least so many decimals: ``24,169``, ``1,24,169.50``."""
    text = plain(value)
    short = len(text.partition(".")[2]) < places
    return group_indian(f"{value:.{places}f}" if short else text)


def _price(value: float, places: int) -> str:
    return f"{value:.{places}f}" if isfinite(value) else UNKNOWN


def _time(epoch: float, span: str) -> str:
    if not isfinite(epoch):
        return UNKNOWN
    if span and not Span.parse(span).is_intraday:  # midnight UTC of the date
        return datetime.fromtimestamp(epoch, UTC).date().isoformat()
    return datetime.fromtimestamp(epoch, IST).isoformat(timespec="seconds")
