"""The picture of a chart: a valid file, and candles where they belong."""

from __future__ import annotations

import struct
import zlib
from datetime import datetime

import numpy as np
import pytest

from openalgo_desktop.automation.telegram import picture
from openalgo_desktop.automation.telegram.glyphs import written
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.ticks import Bars


def bars(count: int, step: int = 300) -> Bars:
    start = int(datetime(2026, 12, 1, 9, 15, tzinfo=IST).timestamp())
    time = start + step * np.arange(count, dtype=np.int64)
    close = 800.0 + np.arange(count) % 7
    opened = close - np.where(np.arange(count) % 2, 2.0, -2.0)
    high, low = np.maximum(opened, close) + 1, np.minimum(opened, close) - 1
    volume = (1000 * (1 + np.arange(count) % 5)).astype(np.int64)
    return Bars(time, opened, high, low, close, volume, np.zeros(count, np.int64))


def decoded(png: bytes) -> np.ndarray:
    """The inks of a palette picture, read by the standard: every checksum is looked at."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, parts = 8, {}
    while at < len(png):
        (size,), kind = struct.unpack_from(">I", png, at), png[at + 4 : at + 8]
        data = png[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", png, at + 8 + size)[0] == zlib.crc32(kind + data)
        parts[kind] = data
        at += 12 + size
    wide, high, bits, colour, *rest = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    assert (bits, colour, rest) == (8, 3, [0, 0, 0]) and at == len(png) and parts[b"IEND"] == b""
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(high, wide + 1)
    assert not rows[:, 0].any() and rows.max() < len(parts[b"PLTE"]) // 3
    return rows[:, 1:]


def test_every_bar_is_a_candle_of_its_colour_with_its_volume():
    shown = decoded(picture.candles("SBIN NSE 5m", bars(40), intraday=True))
    assert shown.shape == (picture.HEIGHT, picture.WIDTH)
    rows = slice(picture._TOP, picture.HEIGHT - picture._BOTTOM)
    plot = shown[rows, picture._LEFT : picture.WIDTH - picture._RIGHT]
    for ink, volume in ((picture.UP, picture.UP_VOLUME), (picture.DOWN, picture.DOWN_VOLUME)):
        columns = (plot == ink).any(axis=0)
        groups = np.count_nonzero(np.diff(columns.astype(int)) == 1) + columns[0]
        assert groups == 20  # every other bar rises
        assert (plot == volume).sum() > 0
    top_of_up = np.argwhere(plot == picture.UP)[:, 0].min()
    assert top_of_up < np.argwhere(plot == picture.UP_VOLUME)[:, 0].min()
    assert (shown[:60] == picture.TEXT).sum() > 100  # the heading


@pytest.mark.parametrize("count", [1, 2, 300, 5000])
def test_any_number_of_bars_is_drawn(count: int):
    shown = decoded(picture.candles("X", bars(count, 86_400), intraday=False))
    assert np.isin(shown, (picture.UP, picture.DOWN)).any()


def test_flat_prices_without_volume_and_no_bars():
    flat = bars(5)
    flat.open = flat.high = flat.low = flat.close = np.full(5, 100.0)
    flat.volume = np.zeros(5, np.int64)
    assert (decoded(picture.candles("X", flat, intraday=True)) == picture.UP).any()
    with pytest.raises(ValueError):
        picture.candles("X", Bars.empty(), intraday=True)


def test_letters():
    assert written("I").tolist()[0] == [False, True, True, True, False]
    assert written("AB", 2).shape == (14, 22) and written("").shape == (7, 0)
    assert (written("a") == written("A")).all() and written("~").all(axis=1)[0]


def test_steps_of_the_scale_are_round():
    assert [picture.nice_step(x) for x in (0.3, 1.0, 3.3, 70.0)] == [0.5, 1.0, 5.0, 100.0]
