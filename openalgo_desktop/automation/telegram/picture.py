"""Candles and volume as a PNG, without Qt: arrays of numpy, deflated by zlib. Pure; some ten
milliseconds, so it is called in a thread. Format: ISO/IEC 15948 (PNG), palette of eight bits."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from openalgo_desktop.automation.telegram.glyphs import HIGH, WIDE, written
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.money import decimals
from openalgo_desktop.core.ticks import Bars

Canvas = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 1600, 900
#: Bars that a picture shows at most, the newest; below three dots a bar is no bar.
MOST = 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 16, 160, 64, 48
_VOLUME = 0.2  # of the height
_SCALE = 3
#: Ink by number.
GROUND, GRID, TEXT, UP, DOWN, UP_VOLUME, DOWN_VOLUME = range(7)
_PALETTE = bytes.fromhex("ffffff e6e8eb 3b424c 12906a d2403f bfe3d6 f4cbca".replace(" ", ""))


def candles(heading: str, bars: Bars, *, intraday: bool, tick: float = 0.05) -> bytes:
    """A picture of the newest bars. ``heading`` is printed above. Raises :class:`ValueError`
    without a bar."""
    if not len(bars):
        raise ValueError("no bars")
    first = max(0, len(bars) - MOST)
    canvas: Canvas = np.full((HEIGHT, WIDTH), GROUND, np.uint8)
    low, high = _range(bars.low[first:], bars.high[first:], tick)
    floor = HEIGHT - _BOTTOM
    split = int(floor - (floor - _TOP) * _VOLUME)

    def level(price: npt.NDArray[np.float64] | float) -> npt.NDArray[np.int64]:
        part = (np.asarray(price, np.float64) - low) / (high - low)
        return np.rint((split - 8) - part * (split - 8 - _TOP)).astype(np.int64)

    _grid(canvas, low, high, tick, level)
    _draw(canvas, bars, first, level, split, floor)
    _times(canvas, bars.time[first:], intraday, floor)
    _print(canvas, heading, _LEFT, 20)
    return png(canvas)


def _range(
    lows: npt.NDArray[np.float64], highs: npt.NDArray[np.float64], tick: float
) -> tuple[float, float]:
    low, high = float(np.min(lows)), float(np.max(highs))
    room = max((high - low) * 0.04, tick or 0.05)
    return low - room, high + room


def _slots(count: int) -> tuple[npt.NDArray[np.int64], int]:
    """The middle of each bar, and how wide its body is; an odd number of dots."""
    room = WIDTH - _LEFT - _RIGHT
    step = room / max(count, 20)
    middles = np.rint(WIDTH - _RIGHT - step * (count - np.arange(count) - 0.5)).astype(np.int64)
    return middles, max(1, (int(step * 0.8) - 1) | 1)


def _draw(
    canvas: Canvas,
    bars: Bars,
    first: int,
    level: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.int64]],
    split: int,
    floor: int,
) -> None:
    opened, closed = level(bars.open[first:]), level(bars.close[first:])
    tops, bottoms = level(bars.high[first:]), level(bars.low[first:])
    volume = bars.volume[first:].astype(np.float64)
    most = float(volume.max())
    heights = np.rint(volume / most * (floor - split - 4)).astype(np.int64) if most > 0 else None
    middles, wide = _slots(len(opened))
    half = wide // 2
    for at, middle in enumerate(middles.tolist()):
        rose = closed[at] <= opened[at]
        ink = UP if rose else DOWN
        left, right = middle - half, middle + half + 1
        if heights is not None:
            canvas[floor - heights[at] : floor, left:right] = UP_VOLUME if rose else DOWN_VOLUME
        canvas[tops[at] : bottoms[at] + 1, middle] = ink
        upper, lower = sorted((int(opened[at]), int(closed[at])))
        canvas[upper : lower + 1, left:right] = ink
    last = f"{float(bars.close[-1]):.2f}"
    _print(canvas, last, WIDTH - _RIGHT + 8, int(closed[-1]) - HIGH, ink, behind=GROUND)


def _grid(
    canvas: Canvas,
    low: float,
    high: float,
    tick: float,
    level: Callable[[float], npt.NDArray[np.int64]],
) -> None:
    step = nice_step((high - low) / 7)
    places = max(decimals(tick), 0 if step >= 1 else 2)
    value = np.ceil(low / step) * step
    while value <= high:
        y = int(level(value))
        canvas[y, _LEFT : WIDTH - _RIGHT] = GRID
        _print(canvas, f"{value:.{places}f}", WIDTH - _RIGHT + 8, y - HIGH)
        value += step


def nice_step(rough: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(rough))
    return float(next(power * part for part in (1, 2, 5, 10) if power * part >= rough * 0.999))


def _times(canvas: Canvas, times: npt.NDArray[np.int64], intraday: bool, floor: int) -> None:
    """A label at the first bar of a day (intraday) or of a month, where there is room."""
    canvas[floor, _LEFT : WIDTH - _RIGHT] = GRID
    middles, _ = _slots(len(times))
    before, free = "", 0
    for middle, epoch in zip(middles.tolist(), times.tolist(), strict=True):
        at = datetime.fromtimestamp(epoch, IST if intraday else UTC)
        label = f"{at:%d %b}" if intraday else f"{at:%b %y}"
        if label != before and middle >= free:
            canvas[_TOP:floor, middle] = np.where(
                canvas[_TOP:floor, middle] == GROUND, GRID, canvas[_TOP:floor, middle]
            )
            _print(canvas, label, middle, floor + 14)
            free = middle + (len(label) + 2) * (WIDE + 1) * _SCALE
        before = label


def _print(
    canvas: Canvas, text: str, left: int, top: int, ink: int = TEXT, behind: int | None = None
) -> None:
    dots = written(text, _SCALE)
    top = min(max(top, 0), HEIGHT - dots.shape[0])
    place = canvas[top : top + dots.shape[0], left : left + dots.shape[1]]
    dots = dots[: place.shape[0], : place.shape[1]]
    if behind is not None:
        place[:] = behind
    place[dots] = ink


# -- the file -------------------------------------------------------------------------------
def png(canvas: Canvas) -> bytes:
    """A canvas of ink numbers as a file."""
    high, wide = canvas.shape
    raw = np.zeros((high, wide + 1), np.uint8)  # each line begins with its filter: none
    raw[:, 1:] = canvas
    head = struct.pack(">IIBBBBB", wide, high, 8, 3, 0, 0, 0)
    body = zlib.compress(raw.tobytes(), 6)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", head),
            _chunk(b"PLTE", _PALETTE),
            _chunk(b"IDAT", body),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
