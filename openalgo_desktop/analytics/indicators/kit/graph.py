"""Runs the nodes of one study over bars: all of them, then the last one again and again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openalgo_desktop.analytics.indicators.kit.node import Node
from openalgo_desktop.core.charting.columns import Columns, Floats
from openalgo_desktop.core.charting.studies import Profile

#: Room in the tails beyond what the nodes look back.
_ROOM = 64


class Graph:
    """A :class:`Study` made of nodes. Outputs are kept for all bars, what is between only for as
    many as some node looks back."""

    def __init__(self, outputs: Sequence[Node]) -> None:
        self._outputs = tuple(outputs)
        self._nodes = _in_order(self._outputs)
        self._back = max(node.reach for node in self._nodes)
        self._kept: list[Floats] = [np.empty(0) for _ in self._outputs]
        self._size = self._base = 0

    @property
    def values(self) -> Sequence[Floats]:
        return [array[: self._size] for array in self._kept]

    @property
    def profiles(self) -> Sequence[Profile]:
        return ()

    def load(self, bars: Columns) -> None:
        self._size, closed = bars.size, max(0, bars.size - 1)
        self._base = 0
        with np.errstate(all="ignore"):
            before = bars.cut(0, closed)
            for node in self._nodes:
                if node.refresh(before, 0):
                    node.v = node.v[:closed]  # an input from outside may be ahead
                else:
                    node.v = node.full()
            self._kept = [_grown(node.v, bars.size) for node in self._outputs]
            self._cut(closed)
            if self._size:
                self._renew(bars, closed)

    def last(self, bars: Columns) -> None:
        if bars.size != self._size or not self._size:
            self.load(bars)
            return
        with np.errstate(all="ignore"):
            self._renew(bars, self._size - 1)

    def append(self, bars: Columns) -> None:
        if bars.size != self._size + 1 or not self._size:
            self.load(bars)
            return
        with np.errstate(all="ignore"):
            self._renew(bars, self._size - 1)  # as it ended
            for node in self._nodes:
                node.close()
            self._size += 1
            if self._size > self._kept[0].size:
                self._kept = [_grown(array, self._size) for array in self._kept]
            self._renew(bars, self._size - 1)

    def _renew(self, bars: Columns, index: int) -> None:
        if index - self._base >= 2 * self._back + _ROOM:
            self._cut(index)
        j, base = index - self._base, self._base
        for node in self._nodes:
            if not node.refresh(bars, base):
                node.v[j] = node.at(j)
        for array, node in zip(self._kept, self._outputs, strict=True):
            array[index] = node.v[j]

    def _cut(self, size: int) -> None:
        """Keep of every node the end before bar ``size``."""
        base = max(0, size - self._back)
        for node in self._nodes:
            tail = node.v[base - self._base : size - self._base]
            node.v = np.concatenate([tail, np.full(self._back * 2 + _ROOM - tail.size + 1, np.nan)])
        self._base = base


def _grown(array: Floats, size: int) -> Floats:
    """A copy with room for ``size`` bars and as many again, at most a fourth more when long."""
    room = size + max(_ROOM, min(size, 4096), size // 4)
    return np.concatenate([array, np.full(max(0, room - array.size), np.nan)])


def _in_order(outputs: Sequence[Node]) -> list[Node]:
    """All nodes, each after its inputs and once."""
    found: dict[int, Node] = {}
    for node in outputs:
        _visit(node, found)
    return list(found.values())


def _visit(node: Node, found: dict[int, Node]) -> None:
    # No function in a function: one that calls itself is a circle that would keep the nodes.
    if id(node) not in found:
        for each in node.inputs:
            _visit(each, found)
        found[id(node)] = node
