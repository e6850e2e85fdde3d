"""Volume weighted averages."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from openalgo_desktop.analytics.indian.kept import Picked
from openalgo_desktop.analytics.indian.periods import PERIODS, Period, check_fits
from openalgo_desktop.analytics.indian.vwap import Price, Vwap, of_period, since
from openalgo_desktop.analytics.indicators.kit.outputs import line
from openalgo_desktop.analytics.indicators.kit.params import choice, number, source
from openalgo_desktop.analytics.indicators.kit.shelf import Givens, Shelf
from openalgo_desktop.core.charting.columns import Columns, Floats, Ints
from openalgo_desktop.core.charting.studies import (
    Draw,
    Level,
    Output,
    Param,
    ParamKind,
    StudySpec,
    Value,
)
from openalgo_desktop.core.charting.surroundings import Surroundings

STUDIES = Shelf("Volume weighted")

_FORMULA = "sum(price x volume) / sum(volume) from the start; bands at multiples of the volume "
_FORMULA += "weighted standard deviation"
_PRICES: Mapping[str, Callable[[Columns], Floats]] = {
    "open": lambda bars: bars.open,
    "high": lambda bars: bars.high,
    "low": lambda bars: bars.low,
    "close": lambda bars: bars.close,
    "hl2": lambda bars: (bars.high + bars.low) / 2.0,
    "hlc3": lambda bars: (bars.high + bars.low + bars.close) / 3.0,
    "ohlc4": lambda bars: (bars.open + bars.high + bars.low + bars.close) / 4.0,
    "hlcc4": lambda bars: (bars.high + bars.low + 2.0 * bars.close) / 4.0,
    "volume": lambda bars: bars.volume,
    "oi": lambda bars: bars.oi,
}
_LINES = (
    line("vwap", "VWAP", "study-1", width=1.5, period="period"),
    *(
        line(f"{side}{n}", f"{side.title()} {n}", f"study-{n + 1}", period="period")
        for n in (1, 2, 3)
        for side in ("upper", "lower")
    ),
    Output("fill", "Band", Draw.BAND, "study-2", fill_to="lower1", period="period"),
)
_PLACES = (0, 1, 2, 3, 4, 5, 6, 1)
_PARAMS = (
    source("hlc3"),
    *(number(f"band{n}", f"Band {n}", float(n), 0.1, 10.0) for n in (1, 2, 3)),
)


def _price(params: Mapping[str, Value], given: Givens) -> Price:
    if "source" in given:
        return Price.given(given["source"])
    return Price.of(_PRICES[str(params["source"])])


def _vwap(params: Mapping[str, Value], given: Givens, numbers: Callable[[Ints], Ints]) -> Vwap:
    multiples = [float(params[f"band{n}"]) for n in (1, 2, 3)]
    return Vwap(_price(params, given), numbers, multiples)


def _of_period(params: Mapping[str, Value], given: Givens, around: Surroundings) -> Picked:
    period = Period(str(params["period"]))
    check_fits(period, around.span)
    return Picked(_vwap(params, given, of_period(period)), _PLACES)


def _anchored(params: Mapping[str, Value], given: Givens, around: Surroundings) -> Picked:
    anchor = params["anchor"]
    numbers = (lambda time: time * 0 - 1) if anchor == "" else since(int(anchor))
    return Picked(_vwap(params, given, numbers), _PLACES)


def _distance(params: Mapping[str, Value], given: Givens, around: Surroundings) -> Picked:
    period = Period(str(params["period"]))
    check_fits(period, around.span)
    return Picked(Vwap(_price(params, given), of_period(period)), (7,))


for _study, _title, _short, _default in (
    ("vwap", "VWAP of the session", "VWAP", Period.DAY),
    ("vwap-week", "VWAP of the week", "VWAP W", Period.WEEK),
    ("vwap-month", "VWAP of the month", "VWAP M", Period.MONTH),
):
    STUDIES.place(
        StudySpec(
            _study,
            _title,
            _short,
            STUDIES.family,
            _LINES,
            (choice("period", "Starts with the", _default.value, PERIODS), *_PARAMS),
            over=True,
            needs=("volume",),
            source=_FORMULA,
            words=("volume weighted average price", "weekly vwap", "monthly vwap", "bands"),
        ),
        _of_period,
    )
STUDIES.place(
    StudySpec(
        "vwap-anchored",
        "Anchored VWAP",
        "AVWAP",
        STUDIES.family,
        _LINES,
        (Param("anchor", "Anchor", "", ParamKind.TIME, help="The bar it starts with"), *_PARAMS),
        over=True,
        needs=("volume",),
        source=_FORMULA,
        words=("volume weighted average price", "avwap"),
    ),
    _anchored,
)
STUDIES.place(
    StudySpec(
        "vwap-distance",
        "Distance from VWAP, per cent",
        "VWAP %",
        STUDIES.family,
        (Output("distance", "Distance", Draw.HISTOGRAM, "up", falling="down", places=2),),
        (choice("period", "Starts with the", Period.DAY.value, PERIODS), source("hlc3")),
        levels=(Level(0),),
        needs=("volume",),
        source="100 x (close / VWAP - 1)",
        words=("vwap deviation",),
    ),
    _distance,
)
