"""How many may stand in the door: connections of both servers, counted together.

A connection without a key is a *stranger*. Strangers get at most half of the descriptors that the
servers may use, so that clients with a key always find room; when there are too many, the one
that has done nothing for longest goes. A flood of half-open connections so only pushes itself out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from openalgo_desktop.core.addresses import is_loopback

log = logging.getLogger(__name__)

#: Seconds for the head of a request, from the first byte (or the connection) on.
HEAD_SECONDS = 10.0
#: Seconds for its body.
BODY_SECONDS = 20.0
#: Descriptors left for files, databases, brokers, and what one turn of the loop accepts.
RESERVE = 320
#: Without a limit of the system.
MOST = 4096
#: Of one other machine: strangers, and all.
PEER_STRANGERS, PEER_ALL = 32, 256
#: Pushed-out connections are told in one log line per this many seconds.
TELL_SECONDS = 60.0


class Guest(Protocol):
    """A connection, as the doorkeeper sees it."""

    @property
    def busy(self) -> bool:
        """Whether a request of it is being answered."""

    def drop(self) -> None:
        """Close it at once."""


@dataclass(slots=True)
class _Visit:
    peer: str
    known: bool = False


def descriptor_limit() -> int:
    """Descriptors that this process may have open."""
    try:
        import resource
    except ImportError:  # Windows: sockets are no descriptors there
        return MOST + RESERVE
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST + RESERVE if soft == resource.RLIM_INFINITY else int(soft)


class Doorkeeper:
    """Bounds the connections; ``limit`` is the number of descriptors of the process."""

    def __init__(self, limit: int | None = None) -> None:
        limit = descriptor_limit() if limit is None else limit
        self.most = min(MOST, max(limit // 4, limit - RESERVE))
        self.most_strangers = self.most // 2
        self._visits: dict[Guest, _Visit] = {}  # the longest silent first
        self._strangers = 0
        self._pushed_out = 0
        self._told = -TELL_SECONDS

    def arrived(self, guest: Guest, peer: str) -> None:
        """A connection came; too many push out the longest silent, or it is not let in."""
        self._visits[guest] = _Visit(peer)
        self._strangers += 1
        if self._strangers > self.most_strangers:
            self._push_out(lambda visit: not visit.known)
        elif len(self._visits) > self.most:
            self._push_out(lambda visit: True)
        if not is_loopback(peer):
            theirs = [visit for visit in self._visits.values() if visit.peer == peer]
            if sum(not visit.known for visit in theirs) > PEER_STRANGERS:
                self._push_out(lambda visit: visit.peer == peer and not visit.known)
            elif len(theirs) > PEER_ALL:
                self._push_out(lambda visit: visit.peer == peer)

    def known(self, guest: Guest) -> None:
        """It showed a valid key."""
        visit = self._visits.pop(guest, None)
        if visit is None:
            return
        self._strangers -= not visit.known
        visit.known = True
        self._visits[guest] = visit  # now the most recent

    def left(self, guest: Guest) -> None:
        """It is closed."""
        visit = self._visits.pop(guest, None)
        if visit is not None:
            self._strangers -= not visit.known

    @property
    def strangers(self) -> int:
        """Connections without a key."""
        return self._strangers

    def __len__(self) -> int:
        return len(self._visits)

    def _push_out(self, which: Callable[[_Visit], bool]) -> None:
        """Close the longest silent of ``which``: strangers before those with a key, idle ones
        before those that are being answered."""
        candidates = [guest for guest, visit in self._visits.items() if which(visit)]
        victim = min(
            candidates, key=lambda guest: (self._visits[guest].known, guest.busy), default=None
        )
        if victim is None:
            return
        self.left(victim)
        victim.drop()
        self._pushed_out += 1
        now = time.monotonic()
        if now - self._told >= TELL_SECONDS:
            log.warning(
                "%d connection(s) closed: too many are open without a valid API key",
                self._pushed_out,
            )
            self._pushed_out, self._told = 0, now
