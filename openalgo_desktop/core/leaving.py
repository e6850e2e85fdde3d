"""Whether what is being sent takes a position down: such a write goes before others where a broker
lets only so many through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_leaving: ContextVar[bool] = ContextVar("leaving", default=False)


@contextmanager
def leaving(closes: bool) -> Iterator[None]:
    """Tasks that are made inside send what ``closes`` a position, or something else."""
    token = _leaving.set(closes)
    try:
        yield
    finally:
        _leaving.reset(token)


def is_leaving() -> bool:
    """Whether the running task closes a position."""
    return _leaving.get()
