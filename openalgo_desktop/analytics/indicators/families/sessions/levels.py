"""Levels that come from days, weeks and months before, and from the start of the present one."""

from __future__ import annotations

from collections.abc import Mapping

from openalgo_desktop.analytics.indian.kept import Picked
from openalgo_desktop.analytics.indian.levels import DayRange, LevelStudy, cpr, earlier, ranges
from openalgo_desktop.analytics.indian.periods import PERIODS, Period
from openalgo_desktop.analytics.indian.pivots import LEVELS, SCHOOLS
from openalgo_desktop.analytics.indian.so_far import SoFarStudy, extremes, gap, opening_range
from openalgo_desktop.analytics.indicators.kit.params import choice, flag, length, number
from openalgo_desktop.analytics.indicators.kit.shelf import Givens, Shelf
from openalgo_desktop.core.charting.span import SpanUnit
from openalgo_desktop.core.charting.studies import Draw, Output, Param, StudySpec, Value
from openalgo_desktop.core.charting.surroundings import Surroundings

STUDIES = Shelf("Levels")
Params = Mapping[str, Value]
#: Pivots of the day on charts up to this interval, seconds; of the week beyond.
_DAY_UP_TO = 30 * 60


def _step(name: str, label: str, role: str, dash: bool = False) -> Output:
    return Output(name, label, Draw.STEP, role, dash=dash, period="period")


def _period(default: Period = Period.DAY) -> Param:
    return choice("period", "Period", default.value, PERIODS)


def _of(params: Params) -> Period:
    return Period(str(params["period"]))


def _cpr(params: Params, given: Givens, around: Surroundings) -> Picked:
    return Picked(LevelStudy(4, cpr, _of(params), around), (0, 1, 2, 2, 3))


STUDIES.place(
    StudySpec(
        "cpr",
        "Central pivot range",
        "CPR",
        STUDIES.family,
        (
            _step("pivot", "Pivot", "study-1"),
            _step("bc", "BC", "study-2"),
            _step("tc", "TC", "study-2"),
            Output("fill", "Range", Draw.BAND, "study-2", fill_to="bc", period="period"),
            Output("width", "Width %", Draw.NOTHING, "muted", places=2),
        ),
        (_period(),),
        over=True,
        source="P = (H + L + C) / 3 of the period before; (H + L) / 2 and its mirror image at P",
        words=("cpr", "bc tc", "pivot"),
    ),
    _cpr,
)


def _chosen(params: Params, around: Surroundings) -> Period:
    if params["period"] != "auto":
        return _of(params)
    span = around.span
    if span.is_intraday:
        return Period.DAY if span.seconds <= _DAY_UP_TO else Period.WEEK
    return Period.MONTH if span.unit is SpanUnit.DAY else Period.WEEK


def _pivots(params: Params, given: Givens, around: Surroundings) -> LevelStudy:
    return LevelStudy(11, SCHOOLS[str(params["kind"])], _chosen(params, around), around)


STUDIES.place(
    StudySpec(
        "pivots",
        "Pivot points",
        "Pivots",
        STUDIES.family,
        tuple(
            _step(name, name.upper() if name != "pivot" else "P", role)
            for name, role in (
                (name, {"p": "study-1", "r": "down", "s": "up"}[name[0]]) for name in LEVELS
            )
        ),
        (
            choice("kind", "Kind", "classic", SCHOOLS),
            choice("period", "Period", "auto", ("auto", *PERIODS)),
        ),
        over=True,
        source="floor traders, Fibonacci, Camarilla (Scott), Woodie, DeMark, of the period before; "
        "auto: day up to 30 minutes, week above, month on days",
        words=("support resistance", "camarilla", "fibonacci", "woodie", "demark", "floor"),
    ),
    _pivots,
)


def _earlier(params: Params, given: Givens, around: Surroundings) -> LevelStudy:
    return LevelStudy(5, earlier, _of(params), around)


STUDIES.place(
    StudySpec(
        "previous-levels",
        "High, low and close of the period before",
        "Previous",
        STUDIES.family,
        (
            _step("high", "High", "up"),
            _step("low", "Low", "down"),
            _step("close", "Close", "study-1"),
            _step("middle", "Middle", "muted", dash=True),
            Output("open", "Open", Draw.NOTHING, "muted"),
        ),
        (_period(),),
        over=True,
        source="of the last complete day, week or month",
        words=("pdh pdl pdc", "previous day", "previous week", "previous month", "yesterday"),
    ),
    _earlier,
)


def _so_far(params: Params, given: Givens, around: Surroundings) -> SoFarStudy:
    return SoFarStudy(4, extremes, around, _of(params))


STUDIES.place(
    StudySpec(
        "session-levels",
        "High and low so far, open",
        "Session",
        STUDIES.family,
        (
            _step("high", "High", "up"),
            _step("low", "Low", "down"),
            _step("middle", "Middle", "muted", dash=True),
            _step("open", "Open", "accent"),
        ),
        (_period(),),
        over=True,
        source="extremes of the day, week or month up to each bar; its first open",
        words=("day open", "day high low", "session high", "intraday"),
    ),
    _so_far,
)


def _open(params: Params, given: Givens, around: Surroundings) -> Picked:
    return Picked(SoFarStudy(4, extremes, around, _of(params)), (3,))


STUDIES.place(
    StudySpec(
        "open-line",
        "Open of the day",
        "Open",
        STUDIES.family,
        (_step("open", "Open", "accent"),),
        (_period(),),
        over=True,
        source="first open of the day, week or month",
        words=("day open line", "week open", "month open"),
    ),
    _open,
)


def _gap(params: Params, given: Givens, around: Surroundings) -> Picked:
    return Picked(SoFarStudy(3, gap, around), (0, 1, 1, 2))


STUDIES.place(
    StudySpec(
        "gap",
        "Opening gap",
        "Gap",
        STUDIES.family,
        (
            _step("close", "Close before", "study-1"),
            _step("open", "Open", "accent"),
            Output("fill", "Gap", Draw.BAND, "accent", fill_to="close"),
            Output("size", "Gap %", Draw.NOTHING, "muted", places=2),
        ),
        over=True,
        source="open of the day against the last close before, until a price fills it",
        words=("gap up", "gap down", "unfilled"),
    ),
    _gap,
)


def _lines(pairs: int) -> tuple[Output, ...]:
    return (
        _step("high", "High", "up"),
        _step("low", "Low", "down"),
        _step("middle", "Middle", "muted", dash=True),
        *(
            _step(f"{side}{n}", f"{label} {n}", role, dash=True)
            for n in range(1, pairs + 1)
            for side, label, role in (("above", "Above", "up"), ("below", "Below", "down"))
        ),
    )


def _range(params: Params, minutes: int, around: Surroundings) -> SoFarStudy:
    multiples = [float(params[f"extension{n}"]) for n in (1, 2, 3)]
    return SoFarStudy(9, opening_range(multiples), around, minutes=minutes)


_EXTENSIONS = tuple(
    number(f"extension{n}", f"Extension {n}", default, 0.05, 10.0)
    for n, default in ((1, 0.5), (2, 1.0), (3, 2.0))
)
STUDIES.place(
    StudySpec(
        "opening-range",
        "Opening range",
        "ORB",
        STUDIES.family,
        _lines(3),
        (length(15, "minutes", "Minutes", 1, 240), *_EXTENSIONS),
        over=True,
        needs=("intraday",),
        source="high and low of the first minutes, once they are over; multiples of their height",
        words=("orb", "breakout", "first candle"),
    ),
    lambda params, given, around: _range(params, int(params["minutes"]), around),
)
STUDIES.place(
    StudySpec(
        "initial-balance",
        "Initial balance",
        "IB",
        STUDIES.family,
        _lines(3),
        _EXTENSIONS,
        over=True,
        needs=("intraday",),
        source="high and low of the first hour, once it is over (Steidlmayer)",
        words=("first hour", "market profile"),
    ),
    lambda params, given, around: _range(params, 60, around),
)


def _day_range(params: Params, given: Givens, around: Surroundings) -> DayRange:
    formula = ranges(int(params["length"]), bool(params["true"]))
    part = float(params["part"])
    return DayRange(formula, part, params["around"] == "open", around)


STUDIES.place(
    StudySpec(
        "day-range",
        "Average day range levels",
        "ADR",
        STUDIES.family,
        (
            _step("upper", "Upper", "up"),
            _step("lower", "Lower", "down"),
            Output("range", "Range", Draw.NOTHING, "muted"),
            Output("used", "Used %", Draw.NOTHING, "muted", places=0),
        ),
        (
            length(14, label="Days", high=250),
            choice("around", "Counted from", "extremes", ("extremes", "open")),
            number("part", "Part of the range", 1.0, 0.1, 5.0),
            flag("true", "True range (with gaps)", False),
        ),
        over=True,
        source="mean range of the days before; low of the day + range and high - range, or half of "
        "it to both sides of the open",
        words=("adr", "atr levels", "average daily range"),
    ),
    _day_range,
)
