"""Nodes: the arrays that a study is calculated from, and how each follows the last bar.

A study is a graph of nodes over the columns of the bars. Each node can do two things: give all of
its values at once (``full``), and give the value of one more bar from what its inputs have there
(``at``), at a cost that does not grow with the history. What a recursion has to remember is the
state after the last *closed* bar, so a forming bar may change as often as it likes.

NaN is *not known*: a window with one is NaN; a recursion gives NaN there and goes on afterwards
with what it had. Division by 0 gives NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from openalgo_desktop.core.charting.columns import Columns, Floats

#: A function that works on arrays and on single numbers alike.
Elementwise: TypeAlias = Callable[..., Any]
_NOTHING = np.empty(0)


class Node:
    """One array. ``v`` holds the values from the graph's base on; ``reach`` is how many bars of
    its inputs it reads, the current one included."""

    reach = 1

    def __init__(self, *inputs: Node) -> None:
        self.inputs = inputs
        self.v: Floats = _NOTHING

    def full(self) -> Floats:
        """All values, from the whole arrays of its inputs. Starts over."""
        raise NotImplementedError

    def at(self, j: int) -> float:
        """The value at index ``j`` of ``v``; may be asked again with other inputs."""
        raise NotImplementedError

    def close(self) -> None:
        """The bar that was asked last is final."""

    def refresh(self, bars: Columns, base: int) -> bool:
        """Whether it takes its values from outside; then it has done so."""
        return False

    def __add__(self, other: Node | float) -> Node:
        return _two(np.add, self, other)

    def __radd__(self, other: float) -> Node:
        return self + other

    def __sub__(self, other: Node | float) -> Node:
        return _two(np.subtract, self, other)

    def __rsub__(self, other: float) -> Node:
        return Map(lambda x: other - x, self)

    def __mul__(self, other: Node | float) -> Node:
        return _two(np.multiply, self, other)

    def __rmul__(self, other: float) -> Node:
        return self * other

    def __truediv__(self, other: Node | float) -> Node:
        return _two(divided, self, other)

    def __neg__(self) -> Node:
        return Map(np.negative, self)

    def __abs__(self) -> Node:
        return Map(np.abs, self)


def divided(a: Any, b: Any) -> Any:
    """``a / b``, NaN where ``b`` is 0."""
    return np.where(b == 0, np.nan, a / b)


def _two(f: Elementwise, a: Node, b: Node | float) -> Node:
    return Map(f, a, b) if isinstance(b, Node) else Map(lambda x: f(x, b), a)


class Leaf(Node):
    """Values from outside: a column of the bars, or an output of another study."""

    def __init__(self, take: Callable[[Columns], Floats]) -> None:
        super().__init__()
        self._take = take

    def refresh(self, bars: Columns, base: int) -> bool:
        self.v = self._take(bars)[base:]
        return True


class Map(Node):
    """``f`` of its inputs, bar by bar."""

    def __init__(self, f: Elementwise, *inputs: Node) -> None:
        super().__init__(*inputs)
        self._f = f

    def full(self) -> Floats:
        return np.asarray(self._f(*(node.v for node in self.inputs)), float)

    def at(self, j: int) -> float:
        return float(self._f(*(node.v[j] for node in self.inputs)))


class Window(Node):
    """``f`` of whole arrays whose value at a bar depends on the last ``reach`` bars alone.

    ``tail``, where given, is the same for the last bar of a full window, and quicker.
    """

    def __init__(
        self,
        f: Callable[..., Floats],
        reach: int,
        *inputs: Node,
        tail: Callable[..., float] | None = None,
    ) -> None:
        super().__init__(*inputs)
        self._f, self._tail, self.reach = f, tail, max(1, reach)

    def full(self) -> Floats:
        return self._f(*(node.v for node in self.inputs))

    def at(self, j: int) -> float:
        first = j + 1 - self.reach
        parts = [node.v[max(0, first) : j + 1] for node in self.inputs]
        if first >= 0 and self._tail is not None:
            return float(self._tail(*parts))
        return float(self._f(*parts)[-1])


class Shift(Node):
    """The value ``bars`` bars ago."""

    def __init__(self, source: Node, bars: int) -> None:
        super().__init__(source)
        self._bars, self.reach = bars, bars + 1

    def full(self) -> Floats:
        x = self.inputs[0].v
        return np.concatenate([np.full(min(self._bars, x.size), np.nan), x[: -self._bars or None]])

    def at(self, j: int) -> float:
        return float(self.inputs[0].v[j - self._bars]) if j >= self._bars else np.nan


class Several(Node):
    """A node with more than one array; ``part`` gives them as nodes. ``v`` is the first."""

    def __init__(self, *inputs: Node) -> None:
        super().__init__(*inputs)
        self.all: Sequence[Floats] = ()
        self.now: Sequence[float] = ()

    def part(self, index: int) -> Node:
        """One of its arrays."""
        return _Part(self, index)


class _Part(Node):
    def __init__(self, owner: Several, index: int) -> None:
        super().__init__(owner)
        self._owner, self._index = owner, index

    def full(self) -> Floats:
        return self._owner.all[self._index]

    def at(self, j: int) -> float:
        return self._owner.now[self._index]


class Windows(Several):
    """As :class:`Window`, with several arrays at once."""

    def __init__(self, f: Callable[..., Sequence[Floats]], reach: int, *inputs: Node) -> None:
        super().__init__(*inputs)
        self._f, self.reach = f, max(1, reach)

    def full(self) -> Floats:
        self.all = [np.asarray(x, float) for x in self._f(*(node.v for node in self.inputs))]
        return self.all[0]

    def at(self, j: int) -> float:
        first = max(0, j + 1 - self.reach)
        found = self._f(*(node.v[first : j + 1] for node in self.inputs))
        self.now = [float(x[-1]) for x in found]
        return self.now[0]
