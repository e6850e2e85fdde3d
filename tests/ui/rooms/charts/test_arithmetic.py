"""Which instruments arithmetic means, whatever the chart shows when it is read again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from openalgo_desktop.core.charting.legs.expression import Expression
from openalgo_desktop.core.enums import Exchange
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.rooms.charts.arithmetic import (
    EXCHANGES,
    Arithmetic,
    find,
    places_of,
    read,
)
from openalgo_desktop.ui.rooms.charts.cell import ChartCell

NAMES = ("SBIN", "TCS", "M&M", "BAJAJ-AUTO", "BAJAJ", "AUTO")
KNOWN: set[Key] = {
    *((exchange, name) for exchange in ("NSE", "BSE") for name in NAMES),
    *(("BCD", f"USDINR24DEC2684{side}") for side in ("CE", "PE")),
    ("CRYPTO", "BTC"),
}


def has(key: Key) -> bool:
    return key in KNOWN


class Signal:
    """As much of one as is needed."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def connect(self, call: Any) -> None:
        self.heard.append(call)

    def emit(self, *values: object) -> None:
        for call in self.heard:
            call(*values)


class Cell:
    """A chart without a window."""

    def __init__(self, known: set[Key], key: Key | None = None) -> None:
        self.key, self.expression = key, cast("Expression | None", None)
        self.subject_changed, loaded, notice = Signal(), Signal(), Signal()
        self.said: list[str] = []
        notice.connect(lambda _level, text: self.said.append(text))
        self.known = known
        self.bridge = SimpleNamespace(
            instrument=lambda key: key if key in self.known else None,
            instruments_loaded=loaded,
            notice=notice,
        )
        self.empty = SimpleNamespace(show=lambda _empty, text: self.said.append(f"empty: {text}"))
        self.arithmetic = Arithmetic(cast("ChartCell", self))

    def listen(self, signal: Signal, call: Any) -> None:
        signal.connect(call)

    def show_arithmetic(self, expression: Expression) -> None:
        self.key, self.expression = None, expression
        self.subject_changed.emit()


def test_every_exchange_is_looked_through() -> None:
    assert set(EXCHANGES) == set(Exchange) and len(EXCHANGES) == len(Exchange)
    assert find("btc", has) == ("CRYPTO", "BTC") and find("bse:sbin", has) == ("BSE", "SBIN")
    assert find("SBIN", has) == ("NSE", "SBIN") and find("SBIN", has, "BSE") == ("BSE", "SBIN")
    assert find("NFO:SBIN", has) is None


def test_arithmetic_of_one_exchange_does_not_come_back_as_that_of_another() -> None:
    cell = Cell(KNOWN, ("BSE", "SBIN"))
    cell.show_arithmetic(cell.arithmetic.read("SBIN - TCS"))
    kept = cell.arithmetic.save()
    for key in (("NSE", "SBIN"), ("BSE", "TCS"), None):
        other = Cell(KNOWN, key)
        other.arithmetic.restore(kept)
        assert other.expression is not None and not other.said
        assert other.expression.keys == (("BSE", "SBIN"), ("BSE", "TCS"))
        assert other.expression.text == "BSE:SBIN-BSE:TCS"
        assert other.arithmetic.key == cell.arithmetic.key


def test_equal_titles_and_keys_are_equal_arithmetic() -> None:
    here, there = read("SBIN-TCS", has, "NSE"), read("SBIN-TCS", has, "BSE")
    assert here.text == "SBIN-TCS" and there.text == "BSE:SBIN-BSE:TCS"
    assert here.identity != there.identity
    assert read("BSE:SBIN - (TCS)", has).identity == read('"BSE:SBIN"-TCS', has).identity
    assert read("bajaj-auto/'m&m'", has).text == "BAJAJ-AUTO/M&M"
    assert read("'BAJAJ'-AUTO", has).text == '"BAJAJ"-"AUTO"'


def test_what_earlier_versions_kept_is_read() -> None:
    cell = Cell(KNOWN, ("BSE", "SBIN"))
    cell.arithmetic.restore("2*SBIN-TCS")
    assert cell.expression is not None
    assert cell.expression.keys == (("NSE", "SBIN"), ("NSE", "TCS"))


def test_a_straddle_of_any_exchange_comes_back() -> None:
    cell = Cell(KNOWN, ("BCD", "USDINR24DEC2684CE"))
    legs = [
        SimpleNamespace(exchange="BCD", symbol=f"USDINR24DEC2684{side}") for side in ("CE", "PE")
    ]
    pair = SimpleNamespace(call=legs[0], put=legs[1])
    cell.bridge.chains = SimpleNamespace(pair=lambda key: pair)
    straddle = cell.arithmetic.straddle()
    assert straddle is not None and straddle[0] == "USDINR24DEC2684CE+USDINR24DEC2684PE"
    cell.show_arithmetic(cell.arithmetic.read(straddle[1]))
    other = Cell(KNOWN, ("NSE", "SBIN"))
    other.arithmetic.restore(cell.arithmetic.save())
    assert other.expression is not None and other.expression.text == straddle[0]


@pytest.mark.parametrize(
    ("value", "places"),
    [(0.00114910, 7), (0.67, 5), (1.5, 4), (640_000.0, 2), (1e-12, 10), (-0.02, 6)],
)
def test_a_quotient_shows_five_digits(value: float, places: int) -> None:
    assert places_of(np.array([np.nan, value, value * 1.01, 0.0])) == places


def test_of_no_known_quotient_there_are_a_few_decimals() -> None:
    assert places_of(np.array([np.nan])) == places_of(np.array([])) == 5


def test_what_cannot_be_read_is_said_kept_and_tried_again() -> None:
    cell = Cell(set())
    cell.arithmetic.restore('"NSE:SBIN"-"NSE:TCS"')
    assert cell.expression is None and len(cell.said) == 2
    assert all("NSE:SBIN-NSE:TCS cannot be shown" in said for said in cell.said)
    assert cell.arithmetic.save() == '"NSE:SBIN"-"NSE:TCS"'
    cell.known = KNOWN
    cell.bridge.instruments_loaded.emit(len(KNOWN))
    assert cell.expression is not None and cell.expression.text == "SBIN-TCS"
    cell.expression = None  # and the chart showed a symbol
    cell.subject_changed.emit()
    assert cell.arithmetic.save() == ""
