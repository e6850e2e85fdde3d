"""Wishes of readers for more depth levels than the usual ones, kept over changes of the data
account."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import MarketSource

log = logging.getLogger(__name__)


def _nothing() -> None:
    pass


@dataclass(slots=True, eq=False)
class _Wish:
    key: Key
    levels: int
    end: Callable[[], None] = _nothing  # takes the wish back at the source

    def ask(self, source: MarketSource | None) -> None:
        self.end()
        self.end = _nothing
        if source is None:
            return
        try:
            self.end = source.deepen(self.key, self.levels)
        except AppError as error:
            log.warning("no deeper book of %s:%s: %s", *self.key, error)


class DeepBooks:
    """The open wishes, and the source that they were told to."""

    def __init__(self) -> None:
        self._source: MarketSource | None = None
        self._wishes: list[_Wish] = []

    def ask(self, source: MarketSource | None) -> None:
        """Another source: the former one is told that nobody wishes any more."""
        self._source = source
        for wish in self._wishes:
            wish.ask(source)

    def add(self, key: Key, levels: int) -> Callable[[], None]:
        """Have at least so many levels; gives the end of the wish. Ending twice does no harm."""
        wish = _Wish(key, levels)
        self._wishes.append(wish)
        wish.ask(self._source)

        def end() -> None:
            if wish in self._wishes:
                self._wishes.remove(wish)
                wish.end()

        return end
