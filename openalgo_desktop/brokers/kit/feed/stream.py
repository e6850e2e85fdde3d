"""The stream client: keeps a broker's feed alive over one or several connections.

It owns what every feed needs and no codec should repeat: reconnecting with backoff and jitter,
asking for everything again afterwards, moving an instrument to another mode, spreading more
instruments than one socket takes, watching for a silent line and for a mute market, and keeping a
flood of frames from holding the loop. What a frame means is the codec's business
(:mod:`openalgo_desktop.brokers.kit.feed.codec`), how frames travel the link's
(:mod:`openalgo_desktop.brokers.kit.feed.links`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from openalgo_desktop.brokers.kit.feed.codec import StreamCodec
from openalgo_desktop.brokers.kit.feed.lane import Lane, LaneState
from openalgo_desktop.brokers.kit.feed.links import open_link as open_by_transport
from openalgo_desktop.brokers.kit.feed.links.base import Address, OpenLink
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, AuthError, DataError, NetError, NotSupported
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick

log = logging.getLogger(__name__)


class StreamState(StrEnum):
    """The feed as a whole."""

    CLOSED = "closed"
    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"  # connected, but no market data although the market is open
    DOWN = "down"  # lost; trying again
    LOGIN_NEEDED = "login needed"


def _ignore(*args: object) -> None:
    """Default of a listener that nobody set."""


async def _no_request(name: str, values: Mapping[str, Any]) -> Any:
    raise NotSupported(f"This feed has no way to ask for {name}.")


class StreamListener:
    """Who hears of the stream, all on the loop thread; assign what is of interest.

    ``resumed`` is called when a connection is back after a loss: orders may have changed while
    nobody listened, so books have to be read again.
    """

    def __init__(self) -> None:
        self.tick: Callable[[Tick], None] = _ignore
        self.order: Callable[[Mapping[str, Any]], None] = _ignore
        self.state: Callable[[StreamState, str], None] = _ignore
        self.resumed: Callable[[], None] = _ignore
        self.refused: Callable[[Key, AppError], None] = _ignore


class StreamClient:
    """One feed of an account.

    ``prepare`` is asked before each connection, so a renewed token is used: where to connect, and
    a fresh codec; it may raise :class:`AuthError`. ``request`` executes an operation of the spec
    for the codec. ``market_open`` says whether an exchange should tick now; ``verify`` what an
    :class:`AuthError` means for the session. ``sleep`` and ``chance`` (0 <= x < 1) are for tests.
    """

    def __init__(
        self,
        spec: StreamSpec,
        prepare: Callable[[], Awaitable[tuple[Address, StreamCodec]]],
        clock: Clock,
        listener: StreamListener,
        *,
        title: str = "feed",
        market_open: Callable[[str], bool] = lambda exchange: False,
        request: Callable[[str, Mapping[str, Any]], Awaitable[Any]] | None = None,
        verify: Callable[[AuthError], Awaitable[AppError]] | None = None,
        open_link: OpenLink | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.spec = spec
        self.title = title
        self.clock = clock
        self.listener = listener
        self.prepare = prepare
        self.request = request or _no_request
        self.market_open = market_open
        self.verify = verify
        self.open_link = open_link or open_by_transport
        self.sleep = sleep
        self.chance = chance
        self.state = StreamState.CLOSED
        self._lanes: list[Lane] = []
        self._lane_of: dict[Key, Lane] = {}
        self._depths: dict[Key, list[int]] = {}  # wishes for more levels than the usual
        #: Subscriptions that the feed never acknowledged, though it should.
        self.unconfirmed: set[Key] = set()
        self._running = False
        self._turn = asyncio.Lock()  # a stop under way must not end the next start

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Open the feed, or open it again after a new log-in; subscriptions are kept."""
        async with self._turn:
            self._running = True
            if not self._lanes:
                self._lanes.append(Lane(self, 0))
            for lane in self._lanes:
                lane.start()
            self.lane_changed("")

    async def stop(self) -> None:
        """Close all connections; subscriptions are kept for the next start."""
        async with self._turn:
            self._running = False
            await asyncio.gather(*(lane.stop() for lane in self._lanes))
            self._publish(StreamState.CLOSED, "")

    def reconnect(self, reason: str) -> None:
        """Open the connections anew with what :attr:`prepare` gives now."""
        for lane in self._lanes:
            lane.cut(reason)

    def clear(self) -> None:
        """Forget all subscriptions (another account's feed will not want them)."""
        self.unsubscribe(list(self._lane_of))

    # -- subscriptions ----------------------------------------------------------------------
    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> dict[Key, AppError]:
        """Stream these at these modes, now or as soon as the feed is up; returns the refused.

        What cannot be judged before the codec sees it comes through ``listener.refused``.
        """
        refused: dict[Key, AppError] = {}
        for key, mode in wanted.items():
            lane = self._lane_of.get(key) or self._roomy_lane()
            if lane is None:
                refused[key] = DataError(
                    f"{self.title}: all {self.capacity} places of the feed are taken; "
                    f"unsubscribe something before adding {key[0]}:{key[1]}."
                )
                continue
            self._lane_of[key] = lane
            self.unconfirmed.discard(key)
            lane.want(key, mode)
        return refused

    def unsubscribe(self, keys: Sequence[Key]) -> None:
        """Stop streaming these."""
        for key in keys:
            if (lane := self._lane_of.pop(key, None)) is not None:
                lane.drop(key)

    def mode(self, key: Key) -> FeedMode | None:
        """The mode asked for an instrument."""
        lane = self._lane_of.get(key)
        return lane.wanted.get(key) if lane is not None else None

    def deepen(self, key: Key, levels: int) -> Callable[[], None]:
        """Have at least so many depth levels of an instrument whenever its depth is streamed, as
        far as the feed offers them; the fullest wish holds. Gives the end of this wish."""
        self._depths.setdefault(key, []).append(levels)
        self._poke(key)

        def end() -> None:
            wishes = self._depths.get(key, [])
            if levels in wishes:
                wishes.remove(levels)
            if not wishes:
                self._depths.pop(key, None)
            self._poke(key)

        return end

    def levels(self, key: Key) -> int:
        """The depth levels that an instrument is asked for: of those that the feed offers."""
        usual = self.spec.levels[0]
        wishes = self._depths.get(key)
        if wishes is None or max(wishes) <= usual:
            return usual
        offered = sorted(self.spec.levels)
        return next((count for count in offered if count >= max(wishes)), offered[-1])

    def _poke(self, key: Key) -> None:
        if (lane := self._lane_of.get(key)) is not None:
            lane.poke()

    @property
    def room(self) -> int:
        """Instruments that may be added."""
        return self.capacity - len(self._lane_of)

    @property
    def capacity(self) -> int:
        """Instruments that fit on all sockets."""
        return self.spec.per_socket * self.spec.sockets

    def _roomy_lane(self) -> Lane | None:
        for lane in self._lanes:
            if len(lane.wanted) < self.spec.per_socket:
                return lane
        if len(self._lanes) >= self.spec.sockets:
            return None
        lane = Lane(self, len(self._lanes))
        self._lanes.append(lane)
        if self._running:
            lane.start()
        return lane

    # -- what the lanes report --------------------------------------------------------------
    def lane_changed(self, message: str) -> None:
        """A lane has a new state."""
        if self._running:
            self._publish(_worst([lane.state for lane in self._lanes]), message)

    async def judged(self, error: AuthError) -> AppError:
        """What the refusal that ended a connection means: another error when the session holds."""
        if self.verify is None:
            return error
        try:
            return await self.verify(error)
        except AppError as problem:
            return problem
        except Exception as bug:  # it must not end the feed for the day
            log.exception("%s: a refusal could not be judged", self.title)
            return NetError(f"{error.message} ({type(bug).__name__})")

    def lane_refused(self, key: Key, error: AppError) -> None:
        """The broker or the codec will not stream an instrument."""
        self.unsubscribe([key])
        self.listener.refused(key, error)

    def lane_unconfirmed(self, key: Key) -> None:
        """The feed never acknowledged a subscription, though it was asked twice."""
        self.unconfirmed.add(key)
        error = DataError(
            f"{self.title} did not confirm the feed of {key[0]}:{key[1]}, asked twice; "
            "its prices do not come."
        )
        self.lane_refused(key, error)

    def _publish(self, state: StreamState, message: str) -> None:
        if state is self.state:
            return
        self.state = state
        log.info("%s: feed %s%s", self.title, state.value, f" ({message})" if message else "")
        self.listener.state(state, message)

    # -- figures ----------------------------------------------------------------------------
    def age(self) -> float | None:
        """Seconds since the last frame of any connection; None before the first."""
        heard = max((lane.heard for lane in self._lanes if lane.frames), default=None)
        return None if heard is None else self.clock.monotonic() - heard

    def figures(self) -> dict[str, Any]:
        """Counters for the status display and reports."""
        return {
            "state": self.state.value,
            "age": self.age(),
            "sockets": [len(lane.wanted) for lane in self._lanes],
            "capacity": self.capacity,
            "unconfirmed": sorted(f"{exchange}:{symbol}" for exchange, symbol in self.unconfirmed),
            "frames": sum(lane.frames for lane in self._lanes),
            "lost": sum(lane.lost for lane in self._lanes),
            "bad_frames": sum(lane.bad_frames for lane in self._lanes),
            "reconnects": sum(lane.reconnects for lane in self._lanes),
        }


#: From the worst to the best: the feed is as good as its worst connection.
_RANKS = (
    (LaneState.REFUSED, StreamState.LOGIN_NEEDED),
    (LaneState.DOWN, StreamState.DOWN),
    (LaneState.CONNECTING, StreamState.CONNECTING),
    (LaneState.MUTE, StreamState.STALE),
    (LaneState.LIVE, StreamState.LIVE),
)


def _worst(states: Sequence[LaneState]) -> StreamState:
    for lane_state, state in _RANKS:
        if lane_state in states:
            return state
    return StreamState.CLOSED
