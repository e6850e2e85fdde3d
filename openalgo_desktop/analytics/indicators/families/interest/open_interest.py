"""Open interest of the instrument itself, and figures of the options on it."""

from __future__ import annotations

from collections.abc import Mapping

from openalgo_desktop.analytics.indian.interest import BuildUp, ChainFigures, OpenInterest
from openalgo_desktop.analytics.indian.kept import Picked
from openalgo_desktop.analytics.indicators.kit.outputs import line
from openalgo_desktop.analytics.indicators.kit.params import choice
from openalgo_desktop.analytics.indicators.kit.shelf import Givens, PlacedMaker, Shelf
from openalgo_desktop.core.charting.studies import Draw, Level, Output, StudySpec, Value
from openalgo_desktop.core.charting.surroundings import Surroundings

STUDIES = Shelf("Open interest")

_SINCE = {"bar": 1, "open of the day": 2, "end of the day before": 3}
_DAY = 86_400
_KEPT = "recorded while a chart shows it, one sample a minute is kept: nobody gives its past"

STUDIES.add(
    StudySpec(
        "oi",
        "Open interest",
        "OI",
        STUDIES.family,
        (line("oi", "OI", places=0),),
        needs=("oi",),
        source="units of contracts that are open, at the end of each bar",
    ),
    lambda params, given: Picked(OpenInterest(), (0,)),
)
STUDIES.add(
    StudySpec(
        "oi-change",
        "Change of open interest",
        "OI change",
        STUDIES.family,
        (Output("change", "Change", Draw.HISTOGRAM, "up", falling="down", places=0),),
        (choice("since", "Since the", "bar", _SINCE),),
        levels=(Level(0),),
        needs=("oi",),
        source="against the bar before, the first of the day, or the last of the day before",
        words=("change in oi", "coi"),
    ),
    lambda params, given: Picked(OpenInterest(), (_SINCE[str(params["since"])],)),
)
STUDIES.add(
    StudySpec(
        "oi-build-up",
        "Build-up of open interest",
        "Build-up",
        STUDIES.family,
        (
            Output("long", "Long build-up", Draw.HISTOGRAM, "up", places=0),
            Output("covering", "Short covering", Draw.HISTOGRAM, "study-3", places=0),
            Output("short", "Short build-up", Draw.HISTOGRAM, "down", places=0),
            Output("unwinding", "Long unwinding", Draw.HISTOGRAM, "study-4", places=0),
            Output("kind", "1 to 4", Draw.NOTHING, "muted", places=0),
        ),
        levels=(Level(0),),
        needs=("oi",),
        source="change of open interest by the signs of price and open interest: both rise, price "
        "alone, open interest alone, both fall",
        words=("long build up", "short covering", "short build up", "long unwinding"),
    ),
    lambda params, given: Picked(BuildUp(), (0, 1, 2, 3, 4)),
)
STUDIES.add(
    StudySpec(
        "oi-price",
        "Price and open interest",
        "Price OI",
        STUDIES.family,
        (line("sum", "Sum", places=0),),
        needs=("oi",),
        source="change of open interest added where the price rose and taken off where it fell",
        words=("oi flow",),
    ),
    lambda params, given: Picked(BuildUp(), (5,)),
)


def _chain(*names: str) -> PlacedMaker:
    def make(params: Mapping[str, Value], given: Givens, around: Surroundings) -> ChainFigures:
        return ChainFigures(names, around, around.span.seconds or _DAY)

    return make


for _study, _title, _short, _outputs, _levels, _words in (
    (
        "pcr",
        "Put-call ratio of the underlying",
        "PCR",
        (
            line("pcr", "By open interest", places=2),
            line("pcr_volume", "By volume", "study-2", places=2),
        ),
        (Level(1.0),),
        ("pcr", "put call ratio", "volume pcr"),
    ),
    (
        "chain-oi",
        "Open interest of calls and puts",
        "Chain OI",
        (
            line("call_oi", "Calls", "down", places=0),
            line("put_oi", "Puts", "up", places=0),
        ),
        (),
        ("option chain", "call oi", "put oi"),
    ),
    (
        "chain-straddle",
        "Straddle at the money",
        "Straddle",
        (line("straddle", "Call + put"),),
        (),
        ("straddle premium", "atm straddle"),
    ),
    (
        "chain-iv",
        "Volatility at the money",
        "ATM IV",
        (line("atm_iv", "ATM IV %", places=2),),
        (),
        ("implied volatility", "iv"),
    ),
):
    STUDIES.place(
        StudySpec(
            _study,
            _title,
            _short,
            STUDIES.family,
            _outputs,
            levels=_levels,
            needs=("chain",),
            source=f"options of the nearest expiry; {_KEPT}",
            words=_words,
        ),
        _chain(*(output.name for output in _outputs)),
    )
STUDIES.place(
    StudySpec(
        "chain-max-pain",
        "Max pain",
        "Max pain",
        STUDIES.family,
        (Output("max_pain", "Max pain", Draw.STEP, "study-1"),),
        over=True,
        needs=("chain",),
        source=f"strike at which all options are worth least at expiry; {_KEPT}",
        words=("maximum pain",),
    ),
    _chain("max_pain"),
)
