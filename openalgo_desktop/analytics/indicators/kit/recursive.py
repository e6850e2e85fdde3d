"""Recursions: the value of a bar depends on that of the bar before.

Each has a state after the last closed bar and one after the forming bar. Whole arrays are made by
TA-Lib's exponential average, by cumulative sums, or in blocks; a loop over bars is the last resort.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from openalgo_desktop.analytics.indicators.kit.node import Node, Several
from openalgo_desktop.core.charting.columns import Floats

_NAN = float("nan")


class _Seeded(NamedTuple):
    """An average that grows up: how many values it has, their sum until ``n``, its value then."""

    known: int = 0
    value: float = 0.0


class Ema(Node):
    """Exponential average with the factor ``2 / (span + 1)``: its first value is the mean of the
    first ``seed`` known values, at the last of them; so ``n, n`` is the EMA of n bars and
    ``2 n - 1, n`` is Wilder's average of n bars (factor 1/n)."""

    def __init__(self, source: Node, span: int, seed: int) -> None:
        super().__init__(source)
        self._span, self._seed, self._factor = span, seed, 2.0 / (span + 1)
        self._before = self._now = _Seeded()

    def full(self) -> Floats:
        x = self.inputs[0].v
        known = ~np.isnan(x)
        every = bool(known.all())
        y = self._of(x if every else x[known])
        if every:
            return y
        out = np.full(x.size, np.nan)
        out[known] = y
        return out

    def _of(self, x: Floats) -> Floats:
        seed, span, out = self._seed, self._span, np.full(x.size, np.nan)
        if x.size < seed:
            self._before = self._now = _Seeded(x.size, float(sum(x.tolist())))
            return out
        first = sum(x[:seed].tolist()) / seed
        if span == 1:
            out[seed - 1 :] = x[seed - 1 :]
        else:
            import talib

            # TA-Lib starts with the mean of ``span`` values: all of them ours
            whole = np.concatenate([np.full(span, first), x[seed:]])
            out[seed - 1 :] = talib.EMA(whole, span)[span - 1 :]
            out[seed - 1] = first
        self._before = self._now = _Seeded(x.size, float(out[-1]))
        return out

    def at(self, j: int) -> float:
        x, (count, value) = float(self.inputs[0].v[j]), self._before
        self._now = self._before
        if isnan(x):
            return _NAN
        if count >= self._seed:
            value = (x - value) * self._factor + value
        else:
            value += x
            if count + 1 == self._seed:
                value /= self._seed
        self._now = _Seeded(count + 1, value)
        return value if count + 1 >= self._seed else _NAN

    def close(self) -> None:
        self._before = self._now


def affine(b: Floats, c: Floats, start: float) -> Floats:
    """``y[i] = b[i] * y[i - 1] + c[i]`` from ``start``, in blocks: every block from 0 and from 1
    at once, then from the end of the one before."""
    size = b.size
    if not size:
        return np.empty(0)
    length = int(np.sqrt(size)) + 1
    rows = -(-size // length)
    flat_b, flat_c = np.ones(rows * length), np.zeros(rows * length)
    flat_b[:size], flat_c[:size] = b, c
    factors, terms = (flat.reshape(rows, length).T.copy() for flat in (flat_b, flat_c))
    for t in range(1, length):
        terms[t] += factors[t] * terms[t - 1]
        factors[t] *= factors[t - 1]
    carried, value = [], start
    for factor, term in zip(factors[-1].tolist(), terms[-1].tolist(), strict=True):
        carried.append(value)
        value = factor * value + term
    out: Floats = (terms + factors * np.array(carried)).T.ravel()[:size]
    return out


class Blend(Node):
    """``y += share * (x - y)`` with a share of its own for each bar, from ``start``; the first is
    ``x`` where none is given."""

    def __init__(self, source: Node, share: Node, start: float = _NAN) -> None:
        super().__init__(source, share)
        self._before = self._now = self._start = start

    def full(self) -> Floats:
        x, share = self.inputs[0].v, self.inputs[1].v
        known = ~(np.isnan(x) | np.isnan(share))
        out = np.full(x.size, np.nan)
        self._before = self._now = self._start
        if known.any():
            part, a = x[known], share[known]
            # about it a constant stays exactly that
            level = part[0] if isnan(self._start) else self._start
            y = affine(1.0 - a, a * (part - level), 0.0) + level
            out[known] = y
            self._before = self._now = float(y[-1])
        return out

    def at(self, j: int) -> float:
        x, share, y = float(self.inputs[0].v[j]), float(self.inputs[1].v[j]), self._before
        self._now = y
        if isnan(x) or isnan(share):
            return _NAN
        self._now = x if isnan(y) else y + share * (x - y)
        return self._now

    def close(self) -> None:
        self._before = self._now


class Cumulated(Node):
    """Running sum from the first bar, or from each bar where ``reset`` is not 0 (it counts)."""

    def __init__(self, source: Node, reset: Node | None = None) -> None:
        super().__init__(*([source] if reset is None else [source, reset]))
        self._before = self._now = 0.0

    def full(self) -> Floats:
        x = self.inputs[0].v
        known = ~np.isnan(x)
        terms = np.where(known, x, 0.0)
        if len(self.inputs) > 1:
            y = affine((self.inputs[1].v == 0).astype(float), terms, 0.0)
        else:
            y = np.cumsum(terms)
        self._before = self._now = float(y[-1]) if y.size else 0.0
        return np.where(known, y, np.nan)

    def at(self, j: int) -> float:
        x = float(self.inputs[0].v[j])
        again = len(self.inputs) > 1 and self.inputs[1].v[j] != 0
        start = 0.0 if again else self._before
        self._now = start if isnan(x) else start + x
        return _NAN if isnan(x) else self._now

    def close(self) -> None:
        self._before = self._now


class Held(Node):
    """The last known value."""

    def __init__(self, source: Node) -> None:
        super().__init__(source)
        self._before = self._now = _NAN

    def full(self) -> Floats:
        x = self.inputs[0].v
        places = np.maximum.accumulate(np.where(np.isnan(x), -1, np.arange(x.size)))
        y = np.where(places < 0, np.nan, x[places]) if x.size else np.empty(0)
        self._before = self._now = float(y[-1]) if y.size else _NAN
        return y

    def at(self, j: int) -> float:
        x = float(self.inputs[0].v[j])
        self._now = self._before if isnan(x) else x
        return self._now

    def close(self) -> None:
        self._before = self._now


#: ``(state, values of each input) -> (state, values of each output)`` over any number of bars. It
#: is called with all of them and with one; a state is never changed.
Runs: TypeAlias = Callable[..., tuple[Any, Sequence[Sequence[float]]]]


class Loop(Several):
    """A recursion that no vector form has: a loop over lists of numbers from the state ``start``.

    ``quick``, where given, has all values in another way: it returns them and a state, or nothing
    when it cannot."""

    def __init__(
        self,
        run: Runs,
        start: Any,
        *inputs: Node,
        quick: Callable[..., tuple[Any, Sequence[Floats]] | None] | None = None,
    ) -> None:
        super().__init__(*inputs)
        self._run, self._start, self._quick = run, start, quick
        self._before = self._now = start

    def full(self) -> Floats:
        arrays = [node.v for node in self.inputs]
        found = self._quick(*arrays) if self._quick is not None else None
        state, columns = found or self._run(self._start, *(x.tolist() for x in arrays))
        self._before = self._now = state
        self.all = [np.asarray(column, float) for column in columns]
        return self.all[0]

    def at(self, j: int) -> float:
        self._now, columns = self._run(self._before, *([float(x.v[j])] for x in self.inputs))
        self.now = [column[0] for column in columns]
        return self.now[0]

    def close(self) -> None:
        self._before = self._now
