"""Tools that compute, over candles that are known."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from openalgo_desktop.automation.mcp.arguments import problems, with_defaults
from openalgo_desktop.automation.mcp.envelope import Outcome, Said
from openalgo_desktop.automation.mcp.own import OWN
from openalgo_desktop.automation.mcp.reference import first_day

TOOLS = {tool.row.name: tool for tool in OWN}
DAY = 86_400


def rows_of(closes: Any) -> list[dict[str, Any]]:
    return [
        {"timestamp": at * DAY, "open": c, "high": c + 2, "low": c - 2, "close": c, "volume": 10}
        for at, c in enumerate(map(float, closes))
    ]


class Asked:
    """Answers ``history`` out of ``closes`` by symbol, and keeps what was asked."""

    today = "2026-11-25"
    program = "OpenAlgo Desktop 1"

    def __init__(self, **closes: Any) -> None:
        self._rows = {symbol: rows_of(values) for symbol, values in closes.items()}
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, tool: str, **arguments: Any) -> Said:
        self.asked.append(arguments)
        rows = self._rows.get(arguments["symbol"])
        if rows is None:
            return Said(Outcome.REFUSED, "", {"status": "error", "message": "Symbol not found"})
        return Said(Outcome.OK, "", {"status": "success", "data": rows})


async def answer(ask: Asked, tool: str, **arguments: Any) -> Said:
    row = TOOLS[tool].row
    assert problems(row.schema, arguments) == []
    return await TOOLS[tool].make(ask, with_defaults(row, arguments))


RISING = np.arange(100.0, 400.0)


async def test_an_indicator_has_the_newest_values_of_all_its_lines() -> None:
    said = await answer(
        Asked(SBIN=RISING),
        "calculate_indicator",
        symbol="SBIN",
        indicator="sma",
        params={"length": 3},
        bars=2,
    )
    assert [(row["close"], row["average"]) for row in said.data["values"]] == [
        (398.0, 397.0),
        (399.0, 398.0),
    ]
    assert said.data["bars"] == 252


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"indicator": "rsii"}, "Did you mean rsi"),
        ({"indicator": "rsi", "params": {"lenght": 9}}, "lenght"),
        ({"indicator": "rsi", "params": {"length": 0}}, "Length"),
        ({"indicator": "pcr"}, "candles are not enough"),
    ],
)
async def test_a_wrong_indicator_is_named(wish: dict[str, Any], words: str) -> None:
    said = await answer(Asked(SBIN=RISING), "calculate_indicator", symbol="SBIN", **wish)
    assert (said.outcome, words in said.message) == (Outcome.NOT_SENT, True), said.message


async def test_signs_of_a_rise_and_of_a_fall() -> None:
    up = (await answer(Asked(SBIN=RISING), "get_technical_signals", symbol="SBIN")).data["signs"]
    fall = Asked(SBIN=RISING[::-1])
    down = (await answer(fall, "get_technical_signals", symbol="SBIN")).data["signs"]
    for name in (
        "close_against_sma_50",
        "close_against_sma_200",
        "supertrend",
        "ema_9_against_ema_21",
    ):
        assert (up[name], down[name]) == ("up", "down"), name
    assert (up["rsi"], down["rsi"]) == ("overbought", "oversold")
    few = (await answer(Asked(SBIN=RISING[:40]), "get_technical_signals", symbol="SBIN")).data
    assert few["signs"]["close_against_sma_200"] == "not known"


async def test_levels_are_the_pivots_of_the_day_before() -> None:
    said = await answer(Asked(SBIN=RISING), "get_support_resistance", symbol="SBIN")
    # The day before: high 400, low 396, close 398.
    assert said.data["pivots"]["pivot"] == 398.0
    assert (said.data["pivots"]["r1"], said.data["pivots"]["s1"]) == (400.0, 396.0)


async def test_beta_and_correlation_of_twice_the_benchmark() -> None:
    steps = np.tile([0.01, -0.005, 0.002], 40)
    index = 100 * np.cumprod(1 + steps)
    share = 50 * np.cumprod(1 + 2 * steps)
    ask = Asked(SBIN=share, NIFTY=index)
    said = await answer(ask, "get_correlation_beta", symbol="SBIN")
    assert (said.data["beta"], said.data["correlation"]) == (2.0, 1.0)
    assert [one["exchange"] for one in ask.asked] == ["NSE", "NSE_INDEX"]
    still = Asked(SBIN=share, NIFTY=np.full(120, 5.0))
    said = await answer(still, "get_correlation_beta", symbol="SBIN")
    assert (said.data["beta"], said.data["correlation"]) == (None, None)


async def test_a_screen_tells_who_matches_and_who_has_no_candles() -> None:
    places = [{"symbol": name, "exchange": "NSE"} for name in ("SBIN", "INFY", "NONE")]
    ask = Asked(SBIN=RISING, INFY=RISING[::-1])
    said = await answer(ask, "screen_symbols", symbols=places, indicator="rsi", above=70)
    assert [row["symbol"] for row in said.data["matching"]] == ["SBIN"]
    assert said.data["all"][2]["missing"] == "Symbol not found"
    wrong = await answer(ask, "screen_symbols", symbols=places, indicator="rsi", output="x")
    assert wrong.message == "output: must be one of: rsi."


async def test_a_refusal_of_history_is_told_as_it_is() -> None:
    said = await answer(Asked(), "get_trend_snapshot", symbol="SBIN")
    assert said.outcome is Outcome.REFUSED and said.data["message"] == "Symbol not found"
    said = await answer(Asked(SBIN=[]), "get_trend_snapshot", symbol="SBIN")
    assert "There are 0 candles" in said.message


async def test_history_asks_for_enough_days_and_gives_the_newest() -> None:
    ask = Asked(SBIN=RISING)
    said = await answer(ask, "get_historical_data", symbol="SBIN")
    assert (said.items, said.last) == (20, True)
    assert (ask.asked[0]["end_date"], ask.asked[0]["start_date"]) == ("2026-11-25", "2026-10-16")
    await answer(ask, "get_historical_data", symbol="SBIN", lookback_days=3, end_date="2026-11-20")
    assert ask.asked[1]["start_date"] == "2026-11-17"
    wrong = await answer(ask, "get_historical_data", symbol="SBIN", start_date="yesterday")
    assert (wrong.outcome, len(ask.asked)) == (Outcome.NOT_SENT, 2)


@pytest.mark.parametrize(
    ("interval", "bars", "least"),
    [
        ("D", 252, 365),
        ("W", 52, 364),
        ("M", 12, 365),
        ("5m", 75, 2),
        ("1h", 252, 50),
        ("Y", 20, 7300),
    ],
)
def test_so_many_bars_lie_in_the_range(interval: str, bars: int, least: int) -> None:
    last = date(2026, 11, 25)
    assert least <= (last - first_day(interval, bars, last)).days <= least * 2 + 16
