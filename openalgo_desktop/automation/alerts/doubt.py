"""Whether what an alert sees may be old news: then it tells, and moves no money.

An alert is in doubt from a start, a change, a lost feed, a new day, a sleep of the computer or a
clock that was set, until it was seen once.
"""

from __future__ import annotations

from collections.abc import Iterator

from openalgo_desktop.core.alerts import AlertTrigger, PriceAlert
from openalgo_desktop.core.clock import Clock, JumpWatch

#: Why what moves money is not done.
FIRST_SEEN = (
    "It was already so when it was first seen (after a start, a change, a lost feed or a new day); "
    "only what is seen to become true moves money."
)
LATE_NEWS = "It happened a while before it was heard of; only what is news moves money."


class Doubt:
    """Only alerts that may move money are ever in doubt."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._day = clock.now().date()
        self._jumps = JumpWatch(clock)
        self._careful: set[str] = set()  # watched ones that may move money
        self._closers: set[str] = set()  # of these, those that look when a bar is closed
        self._doubtful: set[str] = set()
        self._unseen: set[str] = set()  # doubtful, but their rooms do not know it yet

    def __contains__(self, alert_id: str) -> bool:
        return alert_id in self._doubtful

    def __len__(self) -> int:
        return len(self._doubtful)

    @property
    def careful(self) -> tuple[str, ...]:
        """Those that are watched and may move money."""
        return tuple(self._careful)

    def begin(self, alert: PriceAlert) -> None:
        """It is watched anew."""
        if alert.wish.is_careful:
            self._doubtful.add(alert.alert_id)

    def watched(self, alert: PriceAlert, active: bool) -> None:
        """It is watched from now on, or not any more."""
        if active and alert.wish.is_careful:
            self._careful.add(alert.alert_id)
            if alert.wish.trigger is AlertTrigger.CLOSE:
                self._closers.add(alert.alert_id)
        else:
            self._careful.discard(alert.alert_id)
            self._closers.discard(alert.alert_id)

    def forget(self, alert_id: str) -> None:
        """It is gone."""
        self._doubtful.discard(alert_id)

    def everybody(self) -> None:
        """Nobody looked for a while. Until its room knows that it is in doubt an alert may be
        held back once too often, never once too few."""
        self._add(self._careful)

    def _add(self, names: set[str]) -> None:
        self._doubtful |= names
        self._unseen |= names

    def look(self) -> None:
        """See whether there was such a while. Between the last bar of a day and the first one of
        the next there is nothing to be seen, so who looks at closed bars missed nothing."""
        today = self._clock.now().date()
        if today != self._day:
            self._day = today
            self._add(self._careful - self._closers)
        if self._jumps.look():
            self.everybody()

    def seen(self, alert_id: str) -> str:
        """It is seen now: why it must not move money, empty when it may."""
        if alert_id in self._careful:
            self.look()
        if alert_id not in self._doubtful:
            return ""
        self._doubtful.discard(alert_id)
        return FIRST_SEEN

    def unseen(self) -> Iterator[str]:
        """Those whose rooms have to be told, each once."""
        for alert_id in tuple(self._unseen):
            self._unseen.discard(alert_id)
            if alert_id in self._doubtful:
                yield alert_id
