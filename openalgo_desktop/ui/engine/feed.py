"""The window's view of the feed: what the hub knows of it. Nothing is judged here; the lane of the
data account is the only watchdog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from openalgo_desktop.core.clock import age_text
from openalgo_desktop.core.events import FeedChanged, FeedRefused
from openalgo_desktop.core.model import Key

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

#: Prices that a tip tells of one by one.
TOLD = 10
#: Ages are shown anew this often while somebody looks, milliseconds.
LOOK_MS = 1000


class FeedDoor(QObject):
    """Whether prices come, of everything and of one instrument."""

    changed = Signal(bool)  # whether prices are old
    refused = Signal(object)  # Key: it is not streamed, or it is again
    aged = Signal()  # time went by

    def __init__(self, terminal: Terminal, parent: QObject) -> None:
        super().__init__(parent)
        self._terminal = terminal
        self._told = self.stale
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.aged)
        self._unsubscribe = [
            terminal.bus.subscribe(FeedChanged, lambda _: self._look()),
            terminal.bus.subscribe(FeedRefused, lambda event: self.refused.emit(event.key)),
        ]

    def start(self) -> None:
        """Begin to tell that time goes by."""
        self._timer.start()

    def close(self) -> None:
        """Listen no more."""
        self._timer.stop()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()

    def _look(self) -> None:
        if self.stale != self._told:
            self._told = self.stale
            self.changed.emit(self._told)

    # -- everything -------------------------------------------------------------------------
    @property
    def stale(self) -> bool:
        """Whether no prices come: the feed is down or mute."""
        return not self._terminal.hub.sound

    @property
    def connected(self) -> bool:
        """Whether the feed is up."""
        return self._terminal.hub.connected

    @property
    def subscribed(self) -> int:
        """Instruments that are streamed."""
        return self._terminal.hub.subscribed

    def age(self) -> float | None:
        """Seconds since the last tick of anything."""
        return self._terminal.hub.age()

    # -- one instrument ---------------------------------------------------------------------
    def is_stale(self, key: Key) -> bool:
        """Whether there is no price of ``key`` that may be traded on."""
        return self._terminal.hub.is_stale(key)

    def refusal(self, key: Key) -> str:
        """Why ``key`` is not streamed; empty when it is, or nobody asked. It may quote a broker,
        and a screen is photographed: secrets are taken out."""
        text = self._terminal.hub.refusal(key)
        return self._terminal.logs.redactor.clean(text) if text else ""

    def note(self, key: Key) -> str:
        """What is wrong with the price of ``key`` in two words; empty when it is fresh, or there
        is none yet."""
        hub = self._terminal.hub
        if hub.refusal(key):
            return "no feed"
        age = hub.age(key)
        return f"{age_text(age)} old" if age is not None and hub.is_stale(key) else ""

    def tips(self, keys: Sequence[Key]) -> str:
        """What is wrong with several prices, a line each; of many with the first of them."""
        lines = [
            f"{self._terminal.names.full(key)}: {self.note(key) or 'no price yet'}"
            for key in keys[:TOLD]
        ]
        if len(keys) > TOLD:
            lines.append(f"and {len(keys) - TOLD} more")
        return "\n".join(lines)

    def tip(self, key: Key) -> str:
        """:meth:`note` in a sentence."""
        if refusal := self.refusal(key):
            return f"Not streamed: {refusal}"
        if not self.note(key):
            return ""
        return "The feed was lost since this price came; it is not used for orders."
