"""All tapes of a replay on one clock: what has come by a moment, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from openalgo_desktop.core.charting.ports import LiveBar
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.model import Key
from openalgo_desktop.research.replay.tape import Price, Tape
from openalgo_desktop.research.replay.track import Track

TrackKey = tuple[Key, Span]
Listener = Callable[[LiveBar], None]
#: Hears the prices of what it cares for; ``moment`` order, over all instruments.
Ear = Callable[[Iterable[Price]], None]


class Reel:
    """``now`` is the replay's moment (epoch seconds); of everything that comes later nobody
    outside is told."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.tapes: dict[Key, Tape] = {}
        self.tracks: dict[TrackKey, Track] = {}
        self._listeners: dict[TrackKey, list[Listener]] = {}
        #: Instruments whose prices are listened to one by one, and who listens.
        self.cares: Callable[[Key], bool] = lambda key: False
        self.ear: Ear = lambda prices: None

    def put(self, tape: Tape, tracks: Iterable[Track]) -> None:
        """A tape with its tracks, played to the moment; replaces one of the same instrument."""
        tape.place = tape.at(self.now)
        self.tapes[tape.key] = tape
        for track in tracks:
            track.listeners = self.listeners_of(tape.key, track.span)
            track.reset()
            self.tracks[tape.key, track.span] = track

    def forward(self, to: float) -> None:
        """Play on to a moment; an earlier one changes nothing."""
        if to <= self.now:
            return
        heard: list[Price] = []
        moved: set[Key] = set()
        for tape in self.tapes.values():
            place = tape.at(to)
            if place != tape.place:
                moved.add(tape.key)
                if self.cares(tape.key):
                    heard += tape.prices(tape.place, place)
                tape.place = place
        self.now = to
        if heard:
            self.ear(in_order(heard))
        for track in tuple(self.tracks.values()):
            if track.tape.key in moved:
                track.play()

    def put_at(self, to: float) -> None:
        """Go to any moment without telling the listeners: who shows bars gets them anew."""
        self.now = to
        for tape in self.tapes.values():
            tape.place = tape.at(to)
        for track in self.tracks.values():
            track.reset()

    def between(self, since: float, until: float, keys: Callable[[Key], bool]) -> list[Price]:
        """The prices that came after one moment up to another, in order."""
        found: list[Price] = []
        for tape in self.tapes.values():
            if keys(tape.key):
                found += tape.prices(tape.at(since), tape.at(until))
        return in_order(found)

    def last(self, key: Key) -> float | None:
        """The last price that has come."""
        tape = self.tapes.get(key)
        return None if tape is None else tape.last(tape.place)

    def price_at(self, key: Key, moment: float) -> float | None:
        """The last price that had come at a moment."""
        tape = self.tapes.get(key)
        return None if tape is None else tape.last(tape.at(moment))

    def listeners_of(self, key: Key, span: Span) -> list[Listener]:
        """Who hears of the bars of a track, also of one that is not here yet."""
        return self._listeners.setdefault((key, span), [])

    def silence(self) -> None:
        """Tell nobody any more."""
        for listeners in self._listeners.values():
            listeners.clear()

    def after_gap(self) -> float | None:
        """The moment itself while any instrument trades then, else when the first trades again;
        None at the end of all tapes."""
        nexts = (tape.next_begin(self.now) for tape in self.tapes.values())
        begins = [begin for begin in nexts if begin is not None]
        return max(self.now, min(begins)) if begins else None


def in_order(prices: list[Price]) -> list[Price]:
    """By time; a close comes before the open of the bar that follows."""
    return sorted(prices, key=lambda price: (price.moment, price.gap))
