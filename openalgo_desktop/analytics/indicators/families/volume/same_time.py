"""Volume against the same time of earlier days."""

from __future__ import annotations

from openalgo_desktop.analytics.indian.kept import Picked
from openalgo_desktop.analytics.indian.same_time import SameTime
from openalgo_desktop.analytics.indicators.kit.outputs import line
from openalgo_desktop.analytics.indicators.kit.params import flag, length
from openalgo_desktop.analytics.indicators.kit.shelf import Shelf
from openalgo_desktop.core.charting.studies import Draw, Level, Output, StudySpec

STUDIES = Shelf("Volume")
_DAYS = length(10, "days", "Days", 1, 100)
_TOTAL = flag("total", "Of the day so far", False)

STUDIES.place(
    StudySpec(
        "rvol",
        "Relative volume at the time of day",
        "RVOL",
        STUDIES.family,
        (Output("rvol", "RVOL", Draw.COLUMNS, "study-1", places=2),),
        (_DAYS, _TOTAL),
        levels=(Level(1.0),),
        needs=("volume",),
        source="volume / mean volume at the same time after the opening on the days before",
        words=("relative volume", "rvol", "volume ratio"),
    ),
    lambda params, given, around: Picked(
        SameTime(int(params["days"]), bool(params["total"]), around), (2,)
    ),
)
STUDIES.place(
    StudySpec(
        "volume-at-time",
        "Volume and its mean at the time of day",
        "Vol at time",
        STUDIES.family,
        (
            Output("volume", "Volume", Draw.COLUMNS, "muted", places=0),
            line("mean", "Mean", "study-2", places=0),
        ),
        (_DAYS, _TOTAL),
        needs=("volume",),
        source="mean volume at the same time after the opening on the days before",
        words=("volume at time average", "time of day volume"),
    ),
    lambda params, given, around: Picked(
        SameTime(int(params["days"]), bool(params["total"]), around), (0, 1)
    ),
)
