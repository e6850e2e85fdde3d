"""Which prices the window needs: what its docks ask for, and what its books hold."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject

from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Holding, Key, Position
from openalgo_desktop.core.ticks import Tick
from openalgo_desktop.market.hub import MarketHub
from openalgo_desktop.ui.engine.books import Books

#: Of so many instruments with working orders the price is streamed for their sake.
MOST_WORKING = 200


class WantedPrices(QObject):
    """One reader of the hub for the whole window; each instrument at the best mode that an owner
    asks for. ``close`` with the bridge."""

    def __init__(self, hub: MarketHub, parent: QObject) -> None:
        super().__init__(parent)
        self._channel = hub.open_channel()
        self._wanted: dict[str, dict[Key, FeedMode]] = {}
        self._books: Books | None = None

    def close(self) -> None:
        """Nothing is needed any more."""
        self._channel.close()

    def drain(self) -> dict[Key, Tick]:
        """What ticked since the last frame."""
        return {tick.key: tick for tick in self._channel.drain()}

    def want(self, owner: str, keys: Mapping[Key, FeedMode]) -> None:
        """Say which instruments ``owner`` needs; replaces what it asked for before."""
        before = self._wanted.get(owner, {})
        self._wanted[owner] = dict(keys)
        for key in set(before) | set(keys):
            modes = [wanted[key] for wanted in self._wanted.values() if key in wanted]
            current = self._channel.mode(key)
            best = max(modes) if modes else None
            if best == current:
                continue
            if best is None or (current is not None and best < current):
                self._channel.remove(key)
            if best is not None:
                self._channel.add(key, best)

    def forget(self, owner: str) -> None:
        """``owner`` needs nothing any more."""
        if owner in self._wanted:
            self.want(owner, {})
            del self._wanted[owner]

    # -- books ------------------------------------------------------------------------------
    def follow(self, books: Books) -> None:
        """Price what is held and where orders work, whether their docks are open or not."""
        self._books = books
        books.positions_changed.connect(self._want_held)
        books.holdings_changed.connect(self._want_held)
        books.orders_changed.connect(self._want_working)
        books.orders_updated.connect(self._want_working)

    def _want_held(self) -> None:
        assert self._books is not None
        rows: list[Position | Holding] = [*self._books.positions, *self._books.holdings]
        self.want("books", {row.key: FeedMode.LTP for row in rows if row.quantity})

    def _want_working(self, _updated: object = None) -> None:
        """Where orders work, for a change is compared with the market."""
        assert self._books is not None
        keys = self._books.working_keys(MOST_WORKING)
        if self._wanted.get("orders", {}).keys() != set(keys):
            self.want("orders", dict.fromkeys(keys, FeedMode.LTP))
