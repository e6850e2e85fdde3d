"""Volume profiles and the market profile."""

from __future__ import annotations

from collections.abc import Mapping

from openalgo_desktop.analytics.indian.periods import PERIODS, Period
from openalgo_desktop.analytics.indian.tpo import Tpo, TpoWish
from openalgo_desktop.analytics.indian.volume_profile import (
    FixedProfile,
    ProfileWish,
    SessionProfile,
    ViewProfile,
)
from openalgo_desktop.analytics.indicators.kit.params import choice, flag, length, number
from openalgo_desktop.analytics.indicators.kit.shelf import Givens, Shelf
from openalgo_desktop.core.charting.studies import (
    Draw,
    Output,
    Param,
    ParamKind,
    StudySpec,
    Value,
)
from openalgo_desktop.core.charting.surroundings import Surroundings

STUDIES = Shelf("Profiles")
Params = Mapping[str, Value]

_AREA = "volume of each bar spread evenly over its range; value area: 70 % around the largest row, "
_AREA += "two rows at a time (CBOT)"
_ROWS = length(24, "rows", "Rows at most", 4, 400)
_SHARE = number("share", "Value area, per cent", 70.0, 10.0, 99.0)
_SHOWN = length(10, "shown", "Profiles shown", 1, 60)


def _three(prefix: str, label: str, dash: bool) -> tuple[Output, ...]:
    return (
        Output(f"{prefix}poc", f"{label}POC", Draw.STEP, "accent", dash=dash, period="period"),
        Output(f"{prefix}vah", f"{label}VAH", Draw.STEP, "study-2", dash=dash, period="period"),
        Output(f"{prefix}val", f"{label}VAL", Draw.STEP, "study-2", dash=dash, period="period"),
    )


def _wish(params: Params, shown: int) -> ProfileWish:
    share = float(params["share"]) / 100.0
    return ProfileWish(int(params["rows"]), share, shown, bool(params["developing"]))


def _session(params: Params, given: Givens, around: Surroundings) -> SessionProfile:
    wish = _wish(params, int(params["shown"]))
    return SessionProfile(wish, Period(str(params["period"])), around)


STUDIES.place(
    StudySpec(
        "session-profile",
        "Volume profile of sessions",
        "VP",
        STUDIES.family,
        (*_three("", "Previous ", True), *_three("d", "Developing ", False)),
        (
            choice("period", "Period", Period.DAY.value, PERIODS),
            _ROWS,
            _SHARE,
            _SHOWN,
            flag("developing", "Developing lines", False),
        ),
        over=True,
        needs=("volume",),
        source=_AREA,
        words=("volume profile", "svp", "poc", "value area", "vah val"),
    ),
    _session,
)


def _fixed(params: Params, given: Givens, around: Surroundings) -> FixedProfile:
    start, end = params["start"], params["end"]
    if start == "":  # nothing is chosen yet: a stretch without bars
        return FixedProfile(_wish(params, 1), 0, 0, around)
    return FixedProfile(_wish(params, 1), int(start), None if end == "" else int(end), around)


STUDIES.place(
    StudySpec(
        "fixed-profile",
        "Volume profile of a fixed range",
        "FRVP",
        STUDIES.family,
        _three("", "", False),
        (
            Param("start", "From", "", ParamKind.TIME),
            Param("end", "To", "", ParamKind.TIME, help="Empty: up to the last bar"),
            _ROWS,
            _SHARE,
            flag("developing", "Lines as they develop", False),
        ),
        over=True,
        needs=("volume",),
        source=_AREA,
        words=("fixed range volume profile", "frvp", "anchored volume profile"),
    ),
    _fixed,
)


def _in_view(params: Params, given: Givens, around: Surroundings) -> ViewProfile:
    return ViewProfile(ProfileWish(int(params["rows"]), float(params["share"]) / 100.0, 1), around)


STUDIES.place(
    StudySpec(
        "view-profile",
        "Volume profile of what is in view",
        "VPVR",
        STUDIES.family,
        (),
        (_ROWS, _SHARE),
        over=True,
        needs=("volume", "view"),
        source=_AREA,
        words=("visible range volume profile", "vpvr"),
    ),
    _in_view,
)


def _tpo(params: Params, given: Givens, around: Surroundings) -> Tpo:
    share = float(params["share"]) / 100.0
    sizes = (int(params["minutes"]), int(params["rows"]), float(params["height"]))
    return Tpo(TpoWish(*sizes, share, int(params["shown"])), around)


STUDIES.place(
    StudySpec(
        "tpo",
        "Market profile (TPO)",
        "TPO",
        STUDIES.family,
        (
            *_three("", "Previous ", True),
            Output("ib_high", "IB high", Draw.STEP, "up"),
            Output("ib_low", "IB low", Draw.STEP, "down"),
        ),
        (
            length(30, "minutes", "Minutes of a letter", 5, 240),
            length(40, "rows", "Rows at most", 8, 400),
            number("height", "Height of a row, rupees", 0.0, 0.0, 10_000.0, "0: by the range"),
            _SHARE,
            length(5, "shown", "Profiles shown", 1, 30),
        ),
        over=True,
        needs=("intraday",),
        source="letters of half hours by rows of price (Steidlmayer, CBOT); value area as there",
        words=("market profile", "time price opportunity", "single prints", "initial balance"),
    ),
    _tpo,
)
