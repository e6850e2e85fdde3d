"""One connection slot of a stream: connect, serve until it breaks, wait, again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from openalgo_desktop.brokers.kit.feed.asking import Asker
from openalgo_desktop.brokers.kit.feed.codec import (
    Confirmed,
    Failure,
    Frame,
    OrderRow,
    Ready,
    Refused,
    Reply,
    StreamCodec,
    StreamEvent,
)
from openalgo_desktop.brokers.kit.feed.links.base import Link, LinkClosed
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, AuthError, NetError, ProtocolError
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick

if TYPE_CHECKING:
    from openalgo_desktop.brokers.kit.feed.stream import StreamClient

log = logging.getLogger(__name__)

#: Frames are decoded for this long before the loop gets its turn; seconds.
_SLICE = 0.003
#: A connection that was of use for so long resets the backoff; seconds.
_STABLE = 10.0
#: A feed that has not accepted the log-in after so many seconds never will; heartbeats or not.
_READY_WITHIN = 10.0
#: So many unreadable frames in a row: the connection is out of step, begin anew.
_MAX_BAD_RUN = 20
#: A busy line that brings no market data for so long while its market is open is mute; seconds.
#: A slow one (few, illiquid instruments) may be quiet for some of its usual gaps; none may for
#: longer than the spec's mute interval.
_MUTE_AFTER = 4.0
_MUTE_GAPS = 8.0
_FIRST_GAP = 1.25  # until the line has shown what is usual
_LONGEST_GAP = 60.0
#: A mute line is dropped after so many mute intervals more, doubled each time in vain: perhaps
#: nothing that is streamed trades at all.
_MOST_PATIENT = 16
#: No price is larger; NaN and infinity, which binary numbers can be, are not smaller.
_LARGEST = 1e15
#: The watchdog looks so many times per silence or mute interval.
_LOOKS = 4


class LaneState(StrEnum):
    """State of one connection slot."""

    IDLE = "idle"
    CONNECTING = "connecting"
    LIVE = "live"  # the log-in was accepted
    MUTE = "mute"  # as LIVE, but market data that should come does not
    DOWN = "down"
    REFUSED = "refused"


class Lane:
    """A connection with its share of the subscriptions. Its task belongs to the client, which
    starts and stops it."""

    def __init__(self, client: StreamClient, number: int) -> None:
        self._client = client
        self._spec = client.spec
        self._number = number
        self._task: asyncio.Task[None] | None = None
        self._asker: Asker | None = None  # of the open connection
        self._cut: asyncio.Future[None] | None = None
        self._bad_run = 0
        self._was_up = False
        self._since: float | None = None  # when the feed accepted this connection
        self._patience = 1
        self._gap = _FIRST_GAP  # usual seconds between frames with market data, smoothed
        self.wanted: dict[Key, FeedMode] = {}
        self.state = LaneState.IDLE
        self.heard = 0.0  # last frame
        self.ticked = 0.0  # last market data
        self.frames = 0
        self.bad_frames = 0
        self.lost = 0
        self.reconnects = 0

    # -- from the client --------------------------------------------------------------------
    def start(self) -> None:
        """Begin; nothing when it runs already."""
        if self._task is None or self._task.done():
            name = f"{self._client.title} feed {self._number}"
            self.state = LaneState.CONNECTING
            self._task = asyncio.create_task(self._run(), name=name)

    async def stop(self) -> None:
        """End the connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self.state = LaneState.IDLE

    def want(self, key: Key, mode: FeedMode) -> None:
        """Have this instrument at this mode."""
        self.wanted[key] = mode
        self.poke()

    def drop(self, key: Key) -> None:
        """No longer have it."""
        self.wanted.pop(key, None)
        self.poke()

    def poke(self) -> None:
        """What is wanted may have changed."""
        if self._asker is not None:
            self._asker.poke()

    def cut(self, reason: str) -> None:
        """End the open connection, if there is one: another follows."""
        if self._cut is not None and not self._cut.done():
            self._cut.set_exception(LinkClosed(reason))

    # -- connection after connection --------------------------------------------------------
    async def _run(self) -> None:
        attempt = 0
        while True:
            self._since = None
            try:
                await self._connection()
            except AuthError as error:
                if self.state in (LaneState.LIVE, LaneState.MUTE):
                    self._set(LaneState.CONNECTING, error.message)  # nothing comes meanwhile
                found = await self._client.judged(error)
                if isinstance(found, AuthError):
                    self._set(LaneState.REFUSED, found.message)
                    return  # until the next log-in starts it again
                problem, wait = found.message, getattr(found, "retry_after", 0.0)
            except AppError as error:
                problem, wait = error.message, getattr(error, "retry_after", 0.0)
            except Exception as error:  # a bug must not end the feed for the day
                log.exception("%s: feed connection failed", self._client.title)
                problem, wait = type(error).__name__, 0.0
            if self._since is not None and self._client.clock.monotonic() - self._since >= _STABLE:
                attempt = 0
            wait = max(wait, self._backoff(attempt))
            attempt += 1
            self._set(LaneState.DOWN, f"{problem} Next try in {wait:.0f} s.")
            await self._client.sleep(wait)
            self.reconnects += 1

    def _backoff(self, attempt: int) -> float:
        """Doubling from the first to the longest wait, half of it by chance, so that the clients
        of a broker that restarts do not all come back in the same moment."""
        first, longest = self._spec.backoff
        return min(longest, first * 2.0 ** min(attempt, 16)) * (0.5 + self._client.chance() / 2)

    async def _connection(self) -> None:
        """Serve one connection until it fails; always leaves by an exception."""
        address, codec = await self._client.prepare()
        link = await self._client.open_link(address, self._spec)
        asker = self._asker = Asker(self._client, link, codec, self.wanted, self._take)
        self._bad_run = 0
        self.heard = self.ticked = self._client.clock.monotonic()
        cut = self._cut = asyncio.get_running_loop().create_future()
        parts: list[asyncio.Future[None]] = [cut]
        try:
            await asker.send(codec.opened())
            if not codec.awaits_ready:
                self._opened(asker)
            parts += [
                asyncio.create_task(part, name=f"{self._client.title} feed {name}")
                for name, part in (
                    ("reader", self._read(link, codec)),
                    ("sender", asker.run()),
                    ("watchdog", self._watch(link, asker)),
                    ("heartbeat", self._beat(link)),
                )
            ]
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_EXCEPTION)
            for part in done:
                part.result()
            raise LinkClosed("The feed ended.")
        except _Silent:
            link.abort()
            raise
        finally:
            self._asker = self._cut = None
            for part in parts:
                part.cancel()
            try:
                await asyncio.gather(*parts, return_exceptions=True)
            finally:  # a stop may come while this connection ends by itself
                await _closed(link)

    def _opened(self, asker: Asker) -> None:
        asker.open()
        self._since = self._client.clock.monotonic()
        self._set(LaneState.LIVE, "")
        if self._was_up:
            self._client.listener.resumed()
        self._was_up = True

    def _set(self, state: LaneState, message: str) -> None:
        if self.state is not state:
            self.state = state
            self._client.lane_changed(message)

    # -- out --------------------------------------------------------------------------------
    async def _beat(self, link: Link) -> None:
        """Application heartbeats, where the spec has a frame for them."""
        frame, interval = self._spec.ping_frame, self._spec.ping
        if not frame or interval <= 0:
            await asyncio.Event().wait()
        while True:
            await self._client.sleep(interval)
            await link.send(frame)

    # -- in ---------------------------------------------------------------------------------
    async def _read(self, link: Link, codec: StreamCodec) -> None:
        clock = self._client.clock
        turn = time.perf_counter()
        while True:
            frames = await link.receive()
            self.heard = clock.monotonic()
            for frame in frames:
                self.frames += 1
                bad = await self._take(self._decoded(codec, frame))
                self._bad_run = self._bad_run + 1 if bad else 0
                if self._bad_run >= _MAX_BAD_RUN:
                    raise ProtocolError(f"{self._bad_run} unreadable frames in a row.")
                if time.perf_counter() - turn > _SLICE:
                    # Queued frames come without a pause: others on this loop must have theirs.
                    await asyncio.sleep(0)
                    turn = time.perf_counter()
                    self.heard = clock.monotonic()  # a long batch is not a silent line

    def _decoded(self, codec: StreamCodec, frame: Frame) -> Iterable[StreamEvent]:
        try:
            return codec.decode(frame)
        except Exception as error:
            if self.bad_frames == 0:
                log.exception("%s: the codec failed on a frame", self._client.title)
            return (Failure(ProtocolError(f"{type(error).__name__} in the codec")),)

    async def _take(self, events: Iterable[StreamEvent]) -> bool:
        """Pass events on; whether one of them was a failure."""
        listener = self._client.listener
        awaits = self._asker if self._asker is not None and self._asker.awaits else None
        bad = ticked = False
        for event in events:
            if isinstance(event, Tick):
                if not -_LARGEST < event.ltp + event.bid + event.ask < _LARGEST:
                    self._failed(ProtocolError(f"a price of {event.symbol} is no number"))
                    continue
                listener.tick(event)
                ticked = True
                if awaits is not None:
                    awaits.came(event)
            elif isinstance(event, Failure):
                bad = True
                if event.ends:
                    raise event.error
                self._failed(event.error)
            else:
                await self._handle(event)
        if ticked:
            now = self._client.clock.monotonic()
            self._gap += 0.05 * (min(now - self.ticked, _LONGEST_GAP) - self._gap)
            self._ticked(now)
        return bad

    def _ticked(self, now: float) -> None:
        self.ticked = now
        self._patience = 1
        if self.state is LaneState.MUTE:
            self._set(LaneState.LIVE, "")

    async def _handle(self, event: StreamEvent) -> None:
        if isinstance(event, OrderRow):
            self._client.listener.order(event.row)
            return
        asker = self._asker
        if asker is None:
            return  # the connection is ending
        if isinstance(event, Reply):
            await asker.send(event.frames)
        elif isinstance(event, Confirmed):
            for key in event.keys:
                asker.confirmed(key)
        elif isinstance(event, Refused):
            asker.refused(event.key)
            self._client.lane_refused(event.key, event.error)
        elif isinstance(event, Ready) and not asker.ready:
            self._opened(asker)

    def _failed(self, error: AppError) -> None:
        if isinstance(error, AuthError):
            raise error
        self.bad_frames += 1
        if self.bad_frames in (1, 10, 100) or self.bad_frames % 1000 == 0:
            log.warning("%s: bad frame no. %d: %s", self._client.title, self.bad_frames, error)

    # -- watch ------------------------------------------------------------------------------
    async def _watch(self, link: Link, asker: Asker) -> None:
        """Drop a silent line; report and repair a mute market. The only watchdog of a feed: what
        users and orders see of it comes from here."""
        silence = 0.0 if link.watched else self._spec.silence
        mute = self._spec.mute
        intervals = [s for s in (silence, mute, self._spec.confirms) if s > 0]
        began = self._client.clock.monotonic()
        asked_again, lost = False, 0
        while True:
            await self._client.sleep(min([*intervals, _MUTE_AFTER]) / _LOOKS)
            now = self._client.clock.monotonic()
            if link.lost > lost:
                self._spilt(link.lost - lost)
                lost = link.lost
            for key in asker.overdue(now) if asker.awaits else ():
                self._client.lane_unconfirmed(key)
            if silence > 0 and now - self.heard > silence:
                raise _Silent(f"Nothing heard for {now - self.heard:.0f} s.")
            if not asker.ready:  # no order and no price can come: that is no mute market
                if now - began > _READY_WITHIN:
                    raise _Silent(f"The feed did not answer the log-in for {now - began:.0f} s.")
                self._ticked(now)
                continue
            if not (mute > 0 and self._expects_ticks()):
                self._ticked(now)  # silence is in order: the count begins when it is not
            quiet = now - self.ticked
            if quiet <= min(mute, max(_MUTE_AFTER, _MUTE_GAPS * self._gap)):
                asked_again = False
            elif not asked_again:
                self._set(
                    LaneState.MUTE, f"The feed has been silent for {quiet:.0f} s; asking again."
                )
                asked_again = True
                asker.again()  # before giving the line up
            elif quiet > (1 + self._patience) * mute:
                self._patience = min(self._patience * 2, _MOST_PATIENT)
                raise _Silent(f"No market data for {quiet:.0f} s although asked again.")

    def _spilt(self, count: int) -> None:
        """Frames were dropped because they came faster than they were read: prices that others
        follow, but perhaps also orders, which the book has."""
        self.lost += count
        log.warning("%s: %d frames were lost, the loop was too slow", self._client.title, count)
        self._client.listener.resumed()

    def _expects_ticks(self) -> bool:
        """Whether the market of anything on this line is open."""
        return any(self._client.market_open(name) for name in {key[0] for key in self.wanted})


async def _closed(link: Link) -> None:
    """Close a link to the end, also when the lane is stopped meanwhile. Raises nothing of the
    link: the stop must not be lost over it."""
    closing = asyncio.ensure_future(link.close())
    try:
        await asyncio.wait((closing,))
    except asyncio.CancelledError:
        link.abort()
        await asyncio.wait((closing,))
        raise
    finally:
        if closing.done() and not closing.cancelled() and (error := closing.exception()):
            log.warning("a feed's connection was not closed well: %s", type(error).__name__)


class _Silent(NetError):
    """The line is dead although nobody closed it."""
