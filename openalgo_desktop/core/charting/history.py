"""Undo and redo of a chart, in small parts: each step says what it put in whose place.

A part is anything with a name: a drawing of a symbol, the studies of a chart, its scale. Its value
is frozen, None is *not there*. So a step can be taken back without touching what somebody else
changed meanwhile (the same symbol in another window). Orders, alerts and the ticket are no parts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, MutableSequence, Sequence
from typing import NamedTuple

#: Steps that are kept.
DEPTH = 200


class Change(NamedTuple):
    """One part before and after."""

    part: Hashable
    before: object
    after: object


class Step(NamedTuple):
    """What one gesture changed. ``scope`` is the instrument whose chart it belongs to, None: all;
    steps in a row with
    the same ``joins`` on the same parts (arrow keys, a slider) become one."""

    text: str
    changes: tuple[Change, ...]
    scope: Hashable = None
    joins: str = ""


class History:
    """The steps of one chart. ``apply`` puts values in the place of parts, all of a step at once;
    it must not note them again."""

    def __init__(self, apply: Callable[[Sequence[Change]], None], depth: int = DEPTH) -> None:
        self._apply = apply
        self._done: deque[Step] = deque(maxlen=depth)
        self._undone: list[Step] = []

    def note(self, step: Step) -> None:
        """Something was done; what had been undone of the same scope cannot be done again."""
        changes = tuple(change for change in step.changes if change.before != change.after)
        if not changes:
            return
        self._undone = [old for old in self._undone if not _meets(old, step.scope)]
        last = self._done[-1] if self._done else None
        if last is not None and step.joins and _continues(last, step):
            self._done.pop()
            changes = _joined((*last.changes, *changes))
        if changes:
            self._done.append(step._replace(changes=changes))

    def undo(self, scope: Hashable = None) -> Step | None:
        """Take back the last step of ``scope`` (and of all); None when there is none."""
        step = self._taken(self._done, scope)
        if step is None:
            return None
        self._undone.append(step)
        self._apply([Change(c.part, c.after, c.before) for c in reversed(step.changes)])
        return step

    def redo(self, scope: Hashable = None) -> Step | None:
        """Do again what was taken back last."""
        step = self._taken(self._undone, scope)
        if step is None:
            return None
        self._done.append(step._replace(joins=""))
        self._apply(step.changes)
        return step

    def forget(self, parts: Iterable[Hashable]) -> None:
        """No step is about these parts alone any more."""
        gone = set(parts)

        def stays(step: Step) -> bool:
            return not {change.part for change in step.changes} <= gone

        self._done = deque(filter(stays, self._done), maxlen=self._done.maxlen)
        self._undone = list(filter(stays, self._undone))

    def next_undo(self, scope: Hashable = None) -> str:
        """What :meth:`undo` would take back; empty when nothing."""
        step = self._last(self._done, scope)
        return step.text if step is not None else ""

    def clear(self) -> None:
        """Forget all steps."""
        self._done.clear()
        self._undone.clear()

    @staticmethod
    def _taken(steps: MutableSequence[Step], scope: Hashable) -> Step | None:
        """The last one, which is in ``steps`` no more; equal ones before it stay."""
        for place in range(len(steps) - 1, -1, -1):
            if _meets(steps[place], scope):
                step = steps[place]
                del steps[place]
                return step
        return None

    @staticmethod
    def _last(steps: Sequence[Step], scope: Hashable) -> Step | None:
        return next((step for step in reversed(steps) if _meets(step, scope)), None)


def _meets(step: Step, scope: Hashable) -> bool:
    return step.scope is None or step.scope == scope


def _continues(last: Step, step: Step) -> bool:
    """Whether both are one gesture: of the same kind, on the same parts."""
    same = (last.joins, last.scope) == (step.joins, step.scope)
    return same and {c.part for c in last.changes} == {c.part for c in step.changes}


def _joined(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The same in as few changes as there are parts."""
    found: dict[Hashable, Change] = {}
    for change in changes:
        old = found.get(change.part)
        found[change.part] = change if old is None else change._replace(before=old.before)
    return tuple(change for change in found.values() if change.before != change.after)
