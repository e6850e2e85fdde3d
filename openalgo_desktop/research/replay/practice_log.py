"""What was done with the practice account, so that a step back can undo it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from openalgo_desktop.core.errors import OrderError
from openalgo_desktop.core.model import Order
from openalgo_desktop.exchange.state import PaperState
from openalgo_desktop.research.replay.practice import Command, Practice
from openalgo_desktop.research.replay.reel import Reel

#: Prices that are met anew before others get the loop; some 2 ms.
_TURN = 500


class PracticeLog:
    """Commands with the moment of the replay at which they were given. Going back, the account
    becomes what it was: it begins anew and lives through the same commands and prices."""

    def __init__(self, practice: Practice, reel: Reel) -> None:
        self._practice = practice
        self._reel = reel
        self._done: list[tuple[float, Command]] = []
        self._base: tuple[float, PaperState] | None = None

    def do(self, command: Command) -> Order | None:
        """Carry a command out now; raises :class:`OrderError`. One that was refused is kept, too:
        it may have left a row."""
        self._done.append((self._reel.now, command))
        return self._practice.do(command, self._reel.now)

    def seal(self) -> None:
        """The tapes begin anew at a later day, with an idle account: what it has stays."""
        self._base, self._done = (self._reel.now, self._practice.snapshot()), []

    async def rewind(self, to: float) -> bool:
        """The account as it was at a moment; whether anything is undone."""
        practice, reel = self._practice, self._reel
        if not self._done and (self._base is None or self._base[0] <= to):
            return False
        kept = [row for row in self._done if row[0] <= to]
        undone = len(kept) < len(self._done)
        if self._base is not None and self._base[0] > to:
            self._base, undone = None, True
        if self._base is None:
            practice.clear()
        else:
            practice.restore(self._base[1])
        self._done = kept
        for index, (at, command) in enumerate(kept):
            with suppress(OrderError):  # it was refused then, too
                practice.do(command, at)
            until = kept[index + 1][0] if index + 1 < len(kept) else to
            prices = reel.between(at, until, practice.cares)
            for first in range(0, len(prices), _TURN):
                practice.hear(prices[first : first + _TURN])
                await asyncio.sleep(0)
        return undone
