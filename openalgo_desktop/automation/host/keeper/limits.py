"""Limits that are kept by watching: what a tree uses, and the sentence when it is too much."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from openalgo_desktop.automation.host.keeper.tree import Facts

_MB = 2**20


class Watch:
    """Looks at the readings of one tree. ``enforced`` are limits that the system itself keeps."""

    def __init__(
        self,
        limits: dict[str, float],
        enforced: Iterable[str],
        proportional: Callable[[Iterable[Facts]], int],
    ) -> None:
        kept = set(enforced)
        self._memory = 0 if "memory_mb" in kept else int(limits.get("memory_mb", 0))
        self._cpu = 0 if "cpu_percent" in kept else int(limits.get("cpu_percent", 0))
        self._count = 0 if "processes" in kept else int(limits.get("processes", 0))
        self._window = float(limits.get("cpu_seconds", 60))
        self._proportional = proportional
        self._samples: deque[tuple[float, float]] = deque()
        self.memory = 0  # bytes
        self.processes = 0
        self.cpu_percent = 0.0  # since the last second

    def look(self, rows: list[Facts], reaped_cpu: float, now: float) -> tuple[str, str]:
        """(why, reason) of the limit that is broken, or two empty texts. ``reaped_cpu`` is the
        processor time of children that have ended."""
        self.processes = len(rows)
        self.memory = sum(row.resident for row in rows)
        if self._count and self.processes > self._count:
            return "processes", (f"It had {self.processes} processes; its limit is {self._count}.")
        if self._memory and self.memory > self._memory * _MB:
            # Pages that a fork shares count once: that is dearer to ask for.
            self.memory = self._proportional(rows)
            if self.memory > self._memory * _MB:
                return "memory", (
                    f"It used {self.memory / _MB:,.0f} MB of memory; "
                    f"its limit is {self._memory:,} MB."
                )
        return self._processor(sum(row.cpu for row in rows) + reaped_cpu, now)

    def _processor(self, total: float, now: float) -> tuple[str, str]:
        samples = self._samples
        if samples and now - samples[-1][0] < 1.0:
            return "", ""
        if samples:
            then, before = samples[-1]
            self.cpu_percent = max(0.0, (total - before) / (now - then) * 100)
        samples.append((now, total))
        while len(samples) > 2 and now - samples[1][0] >= self._window:
            samples.popleft()
        then, before = samples[0]
        if self._cpu and now - then >= self._window:
            average = (total - before) / (now - then) * 100
            if average > self._cpu:
                return "cpu", (
                    f"It used {average:.0f} % of a processor core over {now - then:.0f} seconds; "
                    f"its limit is {self._cpu} %."
                )
        return "", ""
