"""A study as the chart draws it. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from openalgo_desktop.core.charting.studies import Draw, Level, Output, Profile, Style
from openalgo_desktop.ui.chart.series import Floats

#: Outputs that say nothing of how far their pane reaches.
_BOUNDLESS = {Draw.NOTHING, Draw.BARS, Draw.MARKS}
#: These begin at 0.
_FROM_ZERO = {Draw.HISTOGRAM, Draw.COLUMNS}

Range = tuple[float, float]

#: Values of a block, and how many at least are found by blocks.
BLOCK, MANY = 256, 4096


class Blocks:
    """Lowest and highest finite values of each :data:`BLOCK` closed ones: a range of many is found
    by few. The last ones, which a study may still be at work on, are looked at each time."""

    def __init__(self) -> None:
        self._low: Floats = np.empty(0)
        self._high: Floats = np.empty(0)

    def ends(self, values: Floats, begin: int, end: int) -> Range:
        """Of the closed values ``begin <= index < end``."""
        whole = max(0, end // BLOCK - 1)
        if whole > len(self._low):
            old = len(self._low)
            part = values[old * BLOCK : whole * BLOCK]
            rows = np.where(np.isfinite(part), part, np.nan).reshape(-1, BLOCK)
            self._low = np.concatenate((self._low, np.fmin.reduce(rows, axis=1)))
            self._high = np.concatenate((self._high, np.fmax.reduce(rows, axis=1)))
        first = -(-begin // BLOCK)
        if first >= whole:
            return _ends(values[begin:end])
        edges = _ends(values[begin : first * BLOCK]), _ends(values[whole * BLOCK : end])
        low = float(np.fmin.reduce(self._low[first:whole]))
        high = float(np.fmax.reduce(self._high[first:whole]))
        # NaN of blocks without a value loses against any number.
        lows = [one for one in (low, edges[0][0], edges[1][0]) if not math.isnan(one)]
        highs = [one for one in (high, edges[0][1], edges[1][1]) if not math.isnan(one)]
        return min(lows), max(highs)


@dataclass(eq=False)
class StudyView:
    """One study on a chart. ``values`` has an array for each output, by the bars' indexes; they may
    be changed in place by their owner, who tells the chart then. ``offsets`` are those of the
    outputs (none: as the outputs say). ``pane`` 0 is that of the prices. ``note`` is said in the
    legend instead of values."""

    ident: str
    title: str
    outputs: Sequence[Output]
    values: Sequence[Floats]
    pane: int = 0
    styles: Mapping[str, Style] = field(default_factory=dict)
    offsets: Sequence[int] = ()
    levels: Sequence[Level] = ()
    low: float | None = None  # fixed edges of its pane
    high: float | None = None
    profiles: Sequence[Profile] = ()
    hidden: bool = False
    note: str = ""
    places: int = 2  # decimals where an output says none
    periods: Sequence[str] = ()  # of which period each output is, as the parameter has it
    _kept: dict[int, tuple[tuple[int, int, int], Range]] = field(default_factory=dict)
    _blocks: dict[int, Blocks] = field(default_factory=dict)

    def style(self, output: Output) -> Style:
        """What the user chose for an output."""
        return self.styles.get(output.name, _PLAIN)

    def draw(self, output: Output) -> Draw:
        """How an output is drawn."""
        style = self.style(output)
        if style.hidden:
            return Draw.NOTHING
        return Draw(style.draw) if style.draw in _DRAWS else output.draw

    def dashed(self, output: Output) -> bool:
        """Whether an output is drawn with dashes."""
        chosen = self.style(output).dash
        return output.dash if chosen is None else chosen

    def offset(self, number: int) -> int:
        """Bars by which an output is drawn to the right."""
        return self.offsets[number] if self.offsets else self.outputs[number].offset

    def period(self, number: int) -> str:
        """``day``, ``week`` or ``month`` whose end an output is not joined over, ``auto`` for the
        one that fits to the bars; empty: it goes on."""
        return self.periods[number] if self.periods else ""

    def number_of(self, name: str) -> int | None:
        """Number of an output by its name."""
        names = [output.name for output in self.outputs]
        return names.index(name) if name in names else None

    def value(self, number: int, index: int) -> float:
        """What an output shows at a bar; NaN where nothing."""
        values, place = self.values[number], index - self.offset(number)
        return float(values[place]) if 0 <= place < len(values) else math.nan

    def forget(self) -> None:
        """Closed values are others now."""
        self._kept.clear()
        self._blocks.clear()

    def extremes(self, first: int, last: int) -> Range | None:
        """Lowest and highest value that is drawn at ``first <= index < last``; those of closed bars
        are kept."""
        low, high = math.inf, -math.inf
        for number, output in enumerate(self.outputs):
            draw = self.draw(output)
            if self.hidden or draw in _BOUNDLESS or number >= len(self.values):
                continue
            found = self._extremes(number, first, last)
            low, high = min(low, found[0]), max(high, found[1])
            if draw in _FROM_ZERO and found[0] <= found[1]:
                low, high = min(low, 0.0), max(high, 0.0)
        return (low, high) if low <= high else None

    def _extremes(self, number: int, first: int, last: int) -> Range:
        values, offset = self.values[number], self.offset(number)
        begin, end = max(0, first - offset), min(len(values), last - offset)
        if begin >= end:
            return math.inf, -math.inf
        closed = min(end, len(values) - 1)
        key = (len(values), begin, closed)
        kept = self._kept.get(number)
        if kept is None or kept[0] != key:
            if closed - begin < MANY:
                found = _ends(values[begin:closed])
            else:
                found = self._blocks.setdefault(number, Blocks()).ends(values, begin, closed)
            kept = self._kept[number] = (key, found)
        low, high = kept[1]
        if end > closed and math.isfinite(last_value := float(values[closed])):
            low, high = min(low, last_value), max(high, last_value)
        return low, high


def _ends(part: Floats) -> Range:
    """Lowest and highest of the finite values; the wrong way round where there is none."""
    if len(part):
        low, high = float(np.fmin.reduce(part)), float(np.fmax.reduce(part))
        if math.isfinite(low) and math.isfinite(high):
            return low, high
    part = part[np.isfinite(part)]
    return (float(part.min()), float(part.max())) if len(part) else (math.inf, -math.inf)


_PLAIN = Style()
_DRAWS = {draw.value for draw in Draw}


@dataclass(eq=False)
class Compared:
    """A series beside the main one: ``closes`` by the bars' indexes, NaN where it has no bar.
    ``own`` gives it a scale of its own over the whole pane; else it begins, at the first bar in
    view, where the main series does, and both are compared in per cent."""

    ident: str
    title: str
    closes: Floats
    colour: str = "study-1"  # a role or #rrggbb
    own: bool = False
    places: int = 2
    _kept: tuple[tuple[int, int, int], Range] | None = None

    def forget(self) -> None:
        """Closed values are others now."""
        self._kept = None

    def extremes(self, first: int, last: int) -> Range | None:
        """Lowest and highest close of ``first <= index < last``; those of closed bars are kept."""
        first, last = max(0, first), min(len(self.closes), last)
        if first >= last:
            return None
        closed = last - 1
        key = (len(self.closes), first, closed)
        if self._kept is None or self._kept[0] != key:
            found = _ends(self.closes[first:closed])
            self._kept = (key, found)
        low, high = self._kept[1]
        newest = float(self.closes[closed])
        if math.isfinite(newest):
            low, high = min(low, newest), max(high, newest)
        return (low, high) if low <= high else None

    def change(self, index: int, first: int) -> float:
        """Per cent since the first bar in view; NaN where it cannot be said."""
        start = self.start(first)
        if not 0 <= index < len(self.closes) or not start:
            return math.nan
        return 100.0 * (float(self.closes[index]) / start - 1.0)

    def start(self, first: int) -> float:
        """Its first close from the bar ``first`` on; NaN for none."""
        part = self.closes[max(0, first) :]
        known = part[:512]  # a view that begins in a longer gap compares nothing
        places = np.flatnonzero(np.isfinite(known))
        return float(known[places[0]]) if len(places) else math.nan
