"""How a module offers studies: a :class:`Shelf` named ``STUDIES``, filled by its decorator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from openalgo_desktop.analytics.indicators.kit.graph import Graph
from openalgo_desktop.analytics.indicators.kit.node import Leaf, Node, Window
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.studies import Output, Param, Study, StudySpec, Value
from openalgo_desktop.core.charting.surroundings import Surroundings

#: Gives an array of the length of the bars: a source that is no column of them.
Given: TypeAlias = Callable[[Columns], Floats]
Givens: TypeAlias = Mapping[str, Given]
#: Makes a running study from checked parameters and sources by the name of their parameter.
Maker: TypeAlias = Callable[[Mapping[str, Value], Givens], Study]
#: The same of a study that asks where it stands: sessions, tick, option chain.
PlacedMaker: TypeAlias = Callable[[Mapping[str, Value], Givens, Surroundings], Study]

_IST = 19_800  # seconds
_DAY = 86_400


class Definition(NamedTuple):
    """A study of the registry. ``placed`` says that it asks where it stands."""

    spec: StudySpec
    make: PlacedMaker
    placed: bool = False


class Inputs:
    """What a definition is written over: the columns as nodes, sources and parameters."""

    def __init__(self, params: Mapping[str, Value], given: Givens) -> None:
        self._params, self._given = params, given
        self._nodes: dict[str, Node] = {}

    def column(self, name: str) -> Node:
        """A column of the bars, or a mean of some (``hl2`` ...)."""
        if name not in self._nodes:
            parts = _MEANS.get(name)
            if parts is None:
                take = _COLUMNS[name]
                self._nodes[name] = Leaf(take)
            else:
                first, *rest = (self.column(part) for part in parts)
                self._nodes[name] = sum(rest, first) / float(len(parts))
        return self._nodes[name]

    @property
    def open(self) -> Node:
        return self.column("open")

    @property
    def high(self) -> Node:
        return self.column("high")

    @property
    def low(self) -> Node:
        return self.column("low")

    @property
    def close(self) -> Node:
        return self.column("close")

    @property
    def volume(self) -> Node:
        return self.column("volume")

    @property
    def oi(self) -> Node:
        return self.column("oi")

    @property
    def time(self) -> Node:
        """Epoch seconds of the start of the bar."""
        return self.column("time")

    @property
    def new_day(self) -> Node:
        """1 at the first bar of each day in IST, else 0."""
        if "new day" not in self._nodes:
            self._nodes["new day"] = Window(_new_day, 2, self.time)
        return self._nodes["new day"]

    def source(self, name: str = "source") -> Node:
        """What the user chose as source ``name``: a column, or what the runner gives for it."""
        if name in self._given:
            return Leaf(self._given[name])
        return self.column(self.text(name))

    def whole(self, name: str = "length") -> int:
        """A whole number."""
        return int(self._params[name])

    def number(self, name: str) -> float:
        """A number."""
        return float(self._params[name])

    def text(self, name: str) -> str:
        """A word."""
        return str(self._params[name])

    def flag(self, name: str) -> bool:
        """Yes or no."""
        return bool(self._params[name])


def _new_day(time: Floats) -> Floats:
    day = (time + _IST) // _DAY
    return np.concatenate([np.ones(min(1, day.size)), (day[1:] != day[:-1]).astype(float)])


def _time(bars: Columns) -> Any:
    return bars.time  # whole seconds; nodes keep them as floats


_COLUMNS: dict[str, Given] = {
    "open": lambda bars: bars.open,
    "high": lambda bars: bars.high,
    "low": lambda bars: bars.low,
    "close": lambda bars: bars.close,
    "volume": lambda bars: bars.volume,
    "oi": lambda bars: bars.oi,
    "time": _time,
}
_MEANS = {
    "hl2": ("high", "low"),
    "hlc3": ("high", "low", "close"),
    "ohlc4": ("open", "high", "low", "close"),
    "hlcc4": ("high", "low", "close", "close"),
}
#: Writes a study over its inputs: one node for each output.
Build: TypeAlias = Callable[[Inputs], Sequence[Node] | Node]


class Shelf:
    """The studies of one module, all of one family."""

    def __init__(self, family: str) -> None:
        self.family = family
        self.definitions: list[Definition] = []

    def study(
        self,
        study: str,
        title: str,
        short: str,
        outputs: Sequence[Output],
        params: Sequence[Param] = (),
        **more: Any,
    ) -> Callable[[Build], Build]:
        """The decorated function writes the study ``study`` as nodes. ``more`` as in
        :class:`StudySpec`."""
        spec = StudySpec(study, title, short, self.family, tuple(outputs), tuple(params), **more)

        def add(build: Build) -> Build:
            self.add(spec, lambda params, given: _graph(build, params, given))
            return build

        return add

    def add(self, spec: StudySpec, make: Maker) -> None:
        """A study that is not written as nodes."""
        self.definitions.append(Definition(spec, lambda params, given, _: make(params, given)))

    def place(self, spec: StudySpec, make: PlacedMaker) -> None:
        """A study that asks where it stands."""
        self.definitions.append(Definition(spec, make, placed=True))


def _graph(build: Build, params: Mapping[str, Value], given: Givens) -> Graph:
    made = build(Inputs(params, given))
    return Graph([made] if isinstance(made, Node) else made)
