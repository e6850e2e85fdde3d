"""The registry, parameters, sources, and the graph that runs a study."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import talib

from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.analytics.indicators.families.price.candles import PATTERNS
from openalgo_desktop.analytics.indicators.kit import rolling
from openalgo_desktop.analytics.indicators.kit.params import checked
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.studies import Output, Param, ParamKind, StudySpec
from openalgo_desktop.core.errors import DataError
from tests.unit.analytics.indicators import series

B = series.bars(300, 8)


def test_there_are_more_studies_than_asked_for() -> None:
    specs = registry.specs()
    assert len(specs) >= 150
    assert len({spec.study for spec in specs}) == len(specs)
    keys = [(spec.family, spec.title) for spec in specs]
    assert keys == sorted(keys)


def test_ids_that_are_saved_with_charts_stay() -> None:
    ids = {spec.study for spec in registry.specs()}
    assert ids >= {"sma", "ema", "rsi", "macd", "bollinger", "adx", "sar", "ichimoku", "volume"}


def test_words_find_studies_the_nearest_first() -> None:
    assert registry.find("rsi")[0].study == "rsi"
    assert registry.find("relative strength")[0].study == "rsi"
    assert registry.find("golden cross")[0].study == "ma-cross"
    assert {"stochastic", "stochastic-rsi"} <= {spec.study for spec in registry.find("stoch")}
    assert registry.find("no such study") == []


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"length": 0}, "Relative strength index: Length: give 1 to 2000, not 0."),
        ({"length": 2001}, "Length: give 1 to 2000"),
        ({"length": 2.5}, "Length: give a whole number, not 2.5."),
        ({"length": True}, "Length: give a whole number"),
        ({"length": float("nan")}, "Length: give a whole number"),
        ({"source": "closing"}, "Source: give one of open, high"),
        ({"lenght": 9}, "no parameter 'lenght'. Did you mean length?"),
    ],
)
def test_a_wrong_parameter_is_named(params: dict[str, float | str], said: str) -> None:
    with pytest.raises(DataError) as error:
        registry.make("rsi", params)
    assert said in error.value.message


def test_an_unknown_study_and_a_source_nobody_gives() -> None:
    with pytest.raises(DataError, match="Study: 'rsj' is none"):
        registry.spec("rsj")
    with pytest.raises(DataError, match=r"Source: there is no 'ema\.average' here"):
        registry.make("rsi", {"source": "ema.average"})


KINDS = StudySpec(
    "x", "X", "X", "F", (Output("y", "Y"),),
    (
        Param("span", "Interval", "", ParamKind.SPAN),
        Param("at", "Anchor", "", ParamKind.TIME),
        Param("clock", "From", "09:15", ParamKind.CLOCK),
        Param("yes", "Fill", True, ParamKind.BOOL),
        Param("kind", "Kind", "EMA", ParamKind.CHOICE, choices=("EMA", "SMA")),
        Param("factor", "Factor", 2.0, ParamKind.FLOAT, 0, 9),
    ),
)  # fmt: skip


def test_every_kind_of_parameter() -> None:
    good = {"span": "7m", "at": 1_700_000_000, "clock": "15:30", "yes": False, "factor": 3}
    assert checked(KINDS, good) == {**good, "kind": "EMA"}
    assert checked(KINDS, {"span": "60"})["span"] == "60m"
    assert checked(KINDS, {})["at"] == ""


@pytest.mark.parametrize(
    "wrong",
    [{"span": "7x"}, {"span": 5}, {"at": "noon"}, {"clock": "24:00"}, {"yes": 1}, {"kind": "WMA"},
     {"factor": "2"}, {"factor": float("inf")}],
)  # fmt: skip
def test_a_wrong_value_of_every_kind(wrong: dict[str, object]) -> None:
    (name,) = wrong
    label = next(param.label for param in KINDS.params if param.name == name)
    with pytest.raises(DataError, match=f"X: {label}: "):
        checked(KINDS, wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["hl2", "ohlc4", "hlcc4", "volume", "oi", "open"])
def test_a_study_of_another_column(name: str) -> None:
    study = registry.make("sma", {"length": 3, "source": name})
    study.load(B)
    means = {
        "hl2": (B.high + B.low) / 2,
        "ohlc4": (B.open + B.high + B.low + B.close) / 4,
        "hlcc4": (B.high + B.low + 2 * B.close) / 4,
    }
    x = means[name] if name in means else dict(zip(Columns._fields, B, strict=True))[name]
    assert study.values[0][-1] == pytest.approx(x[-3:].mean())


def test_a_study_of_a_study_follows_it_bar_by_bar() -> None:
    inner = registry.make("rsi", {"length": 5})
    outer = registry.make("ema", {"source": "rsi.rsi"}, {"source": lambda bars: inner.values[0]})
    for study in (inner, outer):
        study.load(B.cut(0, 250))
    for size in range(251, 301):
        for study in (inner, outer):
            study.append(B.cut(0, size))
            study.last(B.cut(0, size))
    wanted = talib.EMA(talib.RSI(B.close, 5), 20)
    assert np.allclose(outer.values[0], wanted, equal_nan=True)


def test_a_long_run_of_bars_keeps_the_tails_short() -> None:
    long = series.bars(1500, 3)
    study = registry.make("macd")
    study.load(long.cut(0, 1))
    for size in range(2, 1501):
        study.append(long.cut(0, size))
    whole = registry.make("macd")
    whole.load(long)
    assert np.allclose(study.values, whole.values, rtol=1e-10, equal_nan=True)


def test_bars_that_jump_are_loaded_anew() -> None:
    study, whole = registry.make("ema"), registry.make("ema")
    study.load(B.cut(0, 100))
    study.append(B.cut(0, 200))
    study.last(B.cut(0, 150))
    whole.load(B.cut(0, 150))
    assert np.array_equal(study.values[0], whole.values[0], equal_nan=True)


def test_candle_patterns_are_those_of_ta_lib() -> None:
    prices = [np.rint(x * 10_000) for x in (B.open, B.high, B.low, B.close)]
    assert {f"CDL{code}" for code in PATTERNS.values()} == set(
        talib.get_function_groups()["Pattern Recognition"]
    )
    for name in ("engulfing", "harami", "doji"):
        study = registry.make("candle-patterns", {"pattern": name})
        study.load(B)
        signs = np.sign(vars(talib)[f"CDL{PATTERNS[name]}"](*prices)).astype(float)
        assert np.array_equal(np.nan_to_num(study.values[0]), signs)
        assert (signs != 0).any()
    study = registry.make("candle-patterns", {"pattern": "all"})
    study.load(B)
    found = np.array([vars(talib)[f"CDL{code}"](*prices) for code in PATTERNS.values()])
    assert np.array_equal(study.values[1], (found > 0).sum(axis=0))
    assert np.array_equal(study.values[2], (found < 0).sum(axis=0))


def test_an_output_that_is_known_later_says_where_it_belongs() -> None:
    spec = registry.spec("ichimoku")
    offsets = {o.name: o.offset_in(spec.defaults()) for o in spec.outputs}
    assert offsets["span-a"] == 25 and offsets["lagging"] == -25 and offsets["base"] == 0
    pivots = registry.spec("pivot-points")
    assert pivots.outputs[0].offset_in({"right": 3}) == -3


def test_zigzag_says_that_it_repaints_and_nothing_else_does() -> None:
    assert [spec.study for spec in registry.specs() if spec.repaints] == ["zigzag"]


def test_rolling_forms_do_not_lose_a_window_to_a_gap() -> None:
    x = B.close.copy()
    x[100] = np.nan
    for form in (rolling.total, rolling.mean, rolling.highest, rolling.variance, rolling.rank):
        y = form(x, 7)
        gone = np.isnan(y[20:])
        assert gone.sum() in (7, 8) and gone[80:87].all(), form


def test_a_still_window_has_no_deviation_though_the_market_moved_before() -> None:
    x = np.concatenate([B.close, np.full(40, 20_123.45)])
    assert (rolling.variance(x, 20)[-20:] == 0).all()
    assert (rolling.mean(x, 20)[-20:] == 20_123.45).all()


def test_ta_lib_is_not_imported_at_the_start() -> None:
    code = (
        "import sys; from openalgo_desktop.analytics.indicators import registry as r; r.specs();"
        "assert 'talib' not in sys.modules and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
