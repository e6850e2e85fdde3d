"""What studies cost: all values of 100,000 bars, and the last bar.

    python bench/studies.py            every study, the slowest first
    python bench/studies.py rsi macd   these

CPU milliseconds of ``load`` (the best of three) and microseconds of ``last`` and ``append``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.core.charting.columns import Columns
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.charting.surroundings import Surroundings

BARS = 100_000
TURNS = 100
AROUND = Surroundings(span=Span.parse("1m"))


def bars(size: int) -> Columns:
    """A random walk in ticks, 375 one-minute bars a day."""
    random = np.random.default_rng(1)
    close = np.round((20_000 + np.cumsum(random.normal(0, 4, size))) / 0.05) * 0.05
    open_ = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(open_, close) + np.round(random.exponential(40, size)) * 0.05
    low = np.minimum(open_, close) - np.round(random.exponential(40, size)) * 0.05
    day, minute = np.divmod(np.arange(size), 375)
    start = (18_000 + day) * 86_400 + 13_500 + minute * 60
    volume = np.round(random.exponential(5_000, size))
    return Columns(start.astype(np.int64), open_, high, low, close, volume, volume + 1e6)


def cpu(call: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time_ns()
    call()
    return (time.process_time_ns() - start) / 1e9


def main() -> None:
    whole, rows = bars(BARS), []
    before = whole.cut(0, BARS - TURNS)
    for spec in registry.specs():
        if len(sys.argv) > 1 and spec.study not in sys.argv[1:]:
            continue
        study = registry.make(spec.study, around=AROUND)
        study.load(before)
        load = min(cpu(lambda study=study: study.load(before)) for _ in range(3))
        last = cpu(lambda study=study: [study.last(before) for _ in range(TURNS)]) / TURNS
        parts = [whole.cut(0, BARS - TURNS + k + 1) for k in range(TURNS)]
        append = cpu(lambda s=study, p=parts: [s.append(part) for part in p]) / TURNS
        rows.append((load * 1e3, last * 1e6, append * 1e6, spec.study))
    print(f"{'study':24}{'load ms':>9}{'last us':>9}{'append us':>11}")
    for load, last, append, name in sorted(rows, reverse=True):
        print(f"{name:24}{load:9.1f}{last:9.0f}{append:11.0f}")
    loads, lasts, _, _ = zip(*rows, strict=True)
    print(f"{len(rows)} studies; load: median {np.median(loads):.1f} ms, most {max(loads):.1f};")
    print(f"last: median {np.median(lasts):.0f} us, most {max(lasts):.0f}")


if __name__ == "__main__":
    main()
