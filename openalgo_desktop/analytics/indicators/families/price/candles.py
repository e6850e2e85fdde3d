"""Candle patterns, as TA-Lib finds them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openalgo_desktop.analytics.indicators.kit.node import Node, Windows
from openalgo_desktop.analytics.indicators.kit.outputs import marks
from openalgo_desktop.analytics.indicators.kit.params import choice
from openalgo_desktop.analytics.indicators.kit.rolling import runs
from openalgo_desktop.analytics.indicators.kit.shelf import Inputs, Shelf
from openalgo_desktop.core.charting.columns import Floats
from openalgo_desktop.core.charting.studies import Draw, Output

STUDIES = Shelf("Price")
_ALL = "all"
#: Names of patterns, and of TA-Lib's functions without CDL.
PATTERNS = {
    "abandoned baby": "ABANDONEDBABY",
    "advance block": "ADVANCEBLOCK",
    "belt hold": "BELTHOLD",
    "breakaway": "BREAKAWAY",
    "closing marubozu": "CLOSINGMARUBOZU",
    "concealing baby swallow": "CONCEALBABYSWALL",
    "counterattack": "COUNTERATTACK",
    "dark cloud cover": "DARKCLOUDCOVER",
    "doji": "DOJI",
    "doji star": "DOJISTAR",
    "dragonfly doji": "DRAGONFLYDOJI",
    "engulfing": "ENGULFING",
    "evening doji star": "EVENINGDOJISTAR",
    "evening star": "EVENINGSTAR",
    "gap side by side white lines": "GAPSIDESIDEWHITE",
    "gravestone doji": "GRAVESTONEDOJI",
    "hammer": "HAMMER",
    "hanging man": "HANGINGMAN",
    "harami": "HARAMI",
    "harami cross": "HARAMICROSS",
    "high wave": "HIGHWAVE",
    "hikkake": "HIKKAKE",
    "hikkake, modified": "HIKKAKEMOD",
    "homing pigeon": "HOMINGPIGEON",
    "identical three crows": "IDENTICAL3CROWS",
    "in neck": "INNECK",
    "inverted hammer": "INVERTEDHAMMER",
    "kicking": "KICKING",
    "kicking by length": "KICKINGBYLENGTH",
    "ladder bottom": "LADDERBOTTOM",
    "long legged doji": "LONGLEGGEDDOJI",
    "long line": "LONGLINE",
    "marubozu": "MARUBOZU",
    "mat hold": "MATHOLD",
    "matching low": "MATCHINGLOW",
    "morning doji star": "MORNINGDOJISTAR",
    "morning star": "MORNINGSTAR",
    "on neck": "ONNECK",
    "piercing": "PIERCING",
    "rickshaw man": "RICKSHAWMAN",
    "rising or falling three methods": "RISEFALL3METHODS",
    "separating lines": "SEPARATINGLINES",
    "shooting star": "SHOOTINGSTAR",
    "short line": "SHORTLINE",
    "spinning top": "SPINNINGTOP",
    "stalled pattern": "STALLEDPATTERN",
    "stick sandwich": "STICKSANDWICH",
    "takuri": "TAKURI",
    "tasuki gap": "TASUKIGAP",
    "three black crows": "3BLACKCROWS",
    "three inside": "3INSIDE",
    "three line strike": "3LINESTRIKE",
    "three outside": "3OUTSIDE",
    "three stars in the south": "3STARSINSOUTH",
    "three white soldiers": "3WHITESOLDIERS",
    "thrusting": "THRUSTING",
    "tristar": "TRISTAR",
    "two crows": "2CROWS",
    "unique three river": "UNIQUE3RIVER",
    "upside gap two crows": "UPSIDEGAP2CROWS",
    "upside or downside gap three methods": "XSIDEGAP3METHODS",
}
#: Bars that TA-Lib looks back for a pattern and the usual size of a body, and more.
_REACH = 40
#: Prices are whole numbers of these to TA-Lib, so that its running sums are exact.
_UNIT = 10_000


@STUDIES.study(
    "candle-patterns",
    "Candle patterns",
    "Candles",
    (
        marks("pattern", "Pattern"),
        Output("bullish", "Bullish found", Draw.NOTHING, places=0),
        Output("bearish", "Bearish found", Draw.NOTHING, places=0),
    ),
    (choice("pattern", "Pattern", "engulfing", (_ALL, *PATTERNS)),),
    over=True,
    source="TA-Lib pattern recognition with its own settings; a mark below for more bullish than "
    "bearish patterns, above for more bearish ones",
    words=("candlestick", *PATTERNS),
)
def _candles(i: Inputs) -> Sequence[Node]:
    name = i.text("pattern")
    codes = list(PATTERNS.values()) if name == _ALL else [PATTERNS[name]]

    def found(*prices: Floats) -> Sequence[Floats]:
        bullish, bearish = np.zeros(prices[0].size), np.zeros(prices[0].size)
        unknown = np.isnan(prices[0])
        for part in runs(unknown):
            _count([np.rint(x[part] * _UNIT) for x in prices], codes, bullish[part], bearish[part])
        for count in (bullish, bearish):
            count[unknown] = np.nan
        sign = np.sign(bullish - bearish)
        return np.where(sign == 0, np.nan, sign), bullish, bearish

    node = Windows(found, _REACH, i.open, i.high, i.low, i.close)
    return node, node.part(1), node.part(2)


def _count(prices: list[Floats], codes: list[str], bullish: Floats, bearish: Floats) -> None:
    import talib

    functions = vars(talib)
    for code in codes:
        signs = functions[f"CDL{code}"](*prices)
        bullish += signs > 0
        bearish += signs < 0
