"""What a broker's feed codec looks like: pure translation between frames and events.

A codec does no I/O and keeps no time but its clock's. One codec serves one connection; the stream
client (:mod:`openalgo_desktop.brokers.kit.feed.stream`) makes a fresh one for each connection with
``StreamSpec.codec(instruments, clock, session)``, so partial state never survives a reconnect.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, ProtocolError, SymbolUnknown
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.ticks import Tick

_message = msgspec.json.Decoder(dict[str, Any]).decode


class Message(msgspec.Struct, frozen=True):
    """A frame with an address.

    Socket.IO: an event with its value (JSON, bytes, a list of several values). MQTT and NATS: a
    message of a topic, in bytes. What is sent there without ``data`` subscribes the topic, with
    None ends the subscription, with text or bytes is published; and a :class:`Topic` comes back
    for a subscription that was accepted (where ``StreamSpec.confirms``) or refused.
    """

    topic: str
    data: Any = ""


class Topic(msgspec.Struct, frozen=True):
    """What became of a subscription, as the data of the topic's :class:`Message`."""

    refusal: str = ""


#: What a link carries: text frames as str, binary frames as bytes, addressed ones as Message.
Frame: TypeAlias = str | bytes | Message


def text_of(frame: Frame) -> str:
    """A frame as text, of a feed that speaks text; '' for one with an address."""
    if isinstance(frame, Message):
        return ""
    return frame if isinstance(frame, str) else frame.decode(errors="replace")


class Request(msgspec.Struct, frozen=True):
    """An HTTP operation of the spec in place of a frame (feeds that subscribe over REST). Its
    payload goes to :meth:`StreamCodec.answered`; ``keys`` are what it is about. When it is
    refused, its keys are asked for in halves down to the ones that are at fault."""

    op: str
    values: Mapping[str, Any] = {}
    keys: tuple[Key, ...] = ()


#: What a codec gives to be sent.
Sending: TypeAlias = Frame | Request


class OrderRow(msgspec.Struct, frozen=True):
    """An order message in the broker's own fields; the adapter maps it as it maps its order
    book, so that push and poll cannot disagree."""

    row: Mapping[str, Any]


class Ready(msgspec.Struct, frozen=True):
    """The feed accepted the log-in: subscriptions may be sent."""


class Reply(msgspec.Struct, frozen=True):
    """What must go back now (acknowledgements, answers to application pings)."""

    frames: tuple[Sending, ...]


class Confirmed(msgspec.Struct, frozen=True):
    """The feed acknowledged these subscriptions."""

    keys: tuple[Key, ...]


class Refused(msgspec.Struct, frozen=True):
    """The feed will not stream this instrument."""

    key: Key
    error: AppError


class Failure(msgspec.Struct, frozen=True):
    """Something was wrong with a frame or the session.

    An :class:`~openalgo_desktop.core.errors.AuthError` ends the stream until the next log-in;
    anything else is logged and counted, and the stream goes on; unless the server ``ends`` the
    connection with it: then it is the reason that the user reads until the next one.
    """

    error: AppError
    ends: bool = False


#: Ticks are the common case and travel bare.
StreamEvent: TypeAlias = Tick | OrderRow | Ready | Reply | Confirmed | Refused | Failure


class StreamCodec(Protocol):
    """Speaks the feed of one broker on one connection."""

    @property
    def awaits_ready(self) -> bool:
        """Whether the feed is of no use before :class:`Ready`: subscriptions wait for it, and a
        connection on which it does not come in time is given up."""

    def opened(self) -> Sequence[Sending]:
        """What to send first (log-in, channel choice); often nothing."""

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Sending]:
        """What makes exactly these modes so, whatever streamed before.

        Also used to move an instrument to another mode and to repeat a subscription. The client
        gives at most ``StreamSpec.batch`` keys at a time. Raises :class:`AppError` when one of
        them cannot be streamed.
        """

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Sending]:
        """What ends these subscriptions."""

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        """The events of one frame. Never raises for what a server may send: a frame that cannot
        be read gives what could be read of it and a :class:`Failure`."""

    def answered(self, request: Request, answer: Any) -> Iterable[StreamEvent]:
        """The events of the answer to a :class:`Request`: its payload, or the error when it was
        about at most one instrument; raises that error (or one of its own) when the
        instrument cannot be streamed."""

    def deepen(self, levels: Mapping[Key, int]) -> None:
        """How many depth levels these have from their next subscription on; told before it, and
        only by streams that offer more than one count (``StreamSpec.levels``)."""


class FrameCodec:
    """Base of a codec: what most feeds do not need. ``session`` has the values of the log-in."""

    awaits_ready = False

    def __init__(
        self, instruments: InstrumentFinder, clock: Clock, session: Mapping[str, Any] | None = None
    ) -> None:
        self._instruments = instruments
        self._clock = clock
        self._session = session or {}

    def still_known(self, keys: Iterable[Key]) -> list[Instrument]:
        """The instruments of these; those that no master knows any more are left out: they ended
        with their contract."""
        found = []
        for exchange, symbol in keys:
            with contextlib.suppress(SymbolUnknown):
                found.append(self._instruments.require(symbol, exchange))
        return found

    def opened(self) -> Sequence[Sending]:
        """Nothing: the address or the transport carries the log-in."""
        return ()

    def answered(self, request: Request, answer: Any) -> Iterable[StreamEvent]:
        """Nothing to read in the payload; an error refuses the instrument."""
        if isinstance(answer, AppError):
            raise answer
        return ()

    def deepen(self, levels: Mapping[Key, int]) -> None:
        """One count of depth levels only."""


class OrderFeedCodec(FrameCodec):
    """Base of the codec of a feed that pushes order updates as JSON text, unasked."""

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Sending]:
        """Nothing to ask for."""
        return ()

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Sending]:
        """Nothing to end."""
        return ()

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        """The events of the message in a frame."""
        try:
            message = _message(text_of(frame))
        except msgspec.MsgspecError:
            return [Failure(ProtocolError("an order update that is no JSON object"))]
        return self.events(message)

    def events(self, message: Mapping[str, Any]) -> Iterable[StreamEvent]:
        """What a message tells."""
        raise NotImplementedError


class InstrumentFinder(Protocol):
    """How a codec finds tokens; raises :class:`SymbolUnknown`."""

    def require(self, symbol: str, exchange: str) -> Instrument: ...
