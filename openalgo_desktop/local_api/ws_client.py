"""One WebSocket client as the fan-out sees it: its rights, subscriptions and outgoing queue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.local_api.ws_turns import PIECE, Turns

if TYPE_CHECKING:
    from openalgo_desktop.local_api.doorkeeper import Doorkeeper
    from openalgo_desktop.local_api.ws_fanout import Stream

log = logging.getLogger(__name__)

#: Frames gathered before they are handed to the socket within one turn of the loop.
BATCH = 1024
#: Bytes in the socket's write buffer from which a client counts as slow.
WRITE_LIMIT = 64 * 1024
#: Bytes of answers and order updates kept for a slow client before it is given up.
MUST_LIMIT = 8 * 1024 * 1024

#: What a client subscribed: (exchange, symbol as written, mode).
SubscriptionKey = tuple[str, str, FeedMode]


class Connection(ServerConnection):
    """A connection that tells its client when the socket is full and when it takes data again,
    and the doorkeeper that it came and went. What comes is taken apart in turns: a read of more
    than a piece waits, and nothing is read or taken apart while messages wait for their answers."""

    client: Client | None = None
    doorkeeper: Doorkeeper
    turns: Turns

    #: For the doorkeeper: only its key says what a socket is worth.
    busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._held = bytearray()  # read, not yet taken apart
        self._taken = 0  # bytes at its beginning that were
        self._waits = False  # for a turn
        messages = self.recv_messages
        messages.pause, messages.resume = self._full, self._go_on
        peer = transport.get_extra_info("peername")
        self.doorkeeper.arrived(self, peer[0] if peer else "")

    def connection_lost(self, exc: Exception | None) -> None:
        self._held.clear()
        self.doorkeeper.left(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._held and len(data) <= PIECE and not self.recv_messages.paused:
            super().data_received(data)
            return
        self._held += data
        self.transport.pause_reading()
        self._go_on()

    def eof_received(self) -> None:
        # Nothing is read while something is held, so nothing comes after the end.
        if self._held:
            super().data_received(bytes(self._held[self._taken :]))
            self._held.clear()
        super().eof_received()

    def take(self) -> bool:
        """Take the next piece apart; whether another may be taken now."""
        held, began = self._held, self._taken
        if held and not self.recv_messages.paused:
            self._taken = began + PIECE
            super().data_received(bytes(held[began : self._taken]))
        if self.transport.get_write_buffer_size() > MUST_LIMIT:
            log.warning("WebSocket client %s does not read its answers: cut", self.remote_address)
            self.drop()
        if self.transport.is_closing():
            held.clear()
        if self._taken >= len(held):
            held.clear()
            self._taken = 0
        self._waits = bool(held) and not self.recv_messages.paused
        if not held and not self.recv_messages.paused:
            self.transport.resume_reading()
        return self._waits

    def _full(self) -> None:
        """So many messages wait that nothing more is read."""
        self.transport.pause_reading()

    def _go_on(self) -> None:
        """There is room for messages again."""
        if not self._held:
            self.transport.resume_reading()
        elif not self._waits and not self.recv_messages.paused:
            self._waits = True
            self.turns.wait(self)

    def drop(self) -> None:
        """Close the connection at once."""
        self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.client is not None:
            self.client.slow = True

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.client is not None:
            self.client.writable()


@dataclass(eq=False, slots=True)
class Client:
    """State of one socket.

    A client that keeps up gets every frame in order. One whose write buffer is full is *slow*:
    market data is then kept as the latest frame per stream, while answers and order updates wait
    in full; both go out when the socket takes data again. Only when the frames that must not be
    lost outgrow ``MUST_LIMIT`` the client is disconnected.
    """

    connection: Connection
    schedule: Callable[[Client], None]  # asks the server to flush this client in this loop turn
    remote: str = ""
    key: ApiKey | None = None
    orders: bool = False
    subscriptions: dict[SubscriptionKey, Stream] = field(default_factory=dict)
    slow: bool = False
    conflated: int = 0
    delivered: int = 0
    _out: list[bytes] = field(default_factory=list)
    _must: list[bytes] = field(default_factory=list)
    _must_bytes: int = 0
    _latest: dict[Stream, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection.client = self

    @property
    def waiting(self) -> int:
        """Frames kept for this client."""
        return len(self._out) + len(self._must) + len(self._latest)

    def push_market(self, stream: Stream, frame: bytes) -> None:
        """Queue a market data frame; a slow client keeps the latest per stream."""
        if self.slow:
            self.conflated += stream in self._latest
            self._latest[stream] = frame
            return
        out = self._out
        out.append(frame)
        if len(out) == 1:
            self.schedule(self)
        elif len(out) >= BATCH:
            self.flush()

    def push(self, frame: bytes) -> None:
        """Queue an answer or an order update; never merged, never dropped."""
        if not self.slow:
            self._out.append(frame)
            if len(self._out) == 1:
                self.schedule(self)
            return
        self._must.append(frame)
        self._must_bytes += len(frame)
        if self._must_bytes > MUST_LIMIT:
            log.warning("WebSocket client %s does not read its order updates: cut", self.remote)
            self.drop()

    def forget(self, stream: Stream) -> None:
        """Unsubscribed: nothing of it shall follow."""
        self._latest.pop(stream, None)

    def flush(self) -> None:
        """Hand everything that waits to the socket, unless it is full."""
        out = self._out
        if not out:
            return
        if self.connection.protocol.state is not State.OPEN:
            out.clear()
            return
        self.delivered += len(out)
        # Whole frames straight to the transport: the library's send() costs a coroutine and a
        # system call per frame. It writes its own control frames the same way, so they cannot
        # be torn apart.
        self.connection.transport.write(out[0] if len(out) == 1 else b"".join(out))
        out.clear()

    def writable(self) -> None:
        """The socket takes data again: first what must not be lost, then the latest prices."""
        self.slow = False
        self._out.extend(self._must)
        self._out.extend(self._latest.values())
        self._must.clear()
        self._must_bytes = 0
        self._latest.clear()
        self.flush()

    def drop(self) -> None:
        """Cut the connection at once."""
        self._out.clear()
        self._must.clear()
        self._must_bytes = 0
        self._latest.clear()
        self.connection.transport.abort()
