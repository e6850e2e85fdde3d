"""Order updates of XTS over Socket.IO (events of Symphony's InteractiveSocketClient)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from openalgo_desktop.brokers.kit.feed.codec import (
    Failure,
    Frame,
    FrameCodec,
    InstrumentFinder,
    Message,
    OrderRow,
    Ready,
    StreamEvent,
)
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, ProtocolError
from openalgo_desktop.core.model import Key

#: Both hold the order as its book does; of positions the book itself tells.
_ORDERS = frozenset({"order", "trade"})


class XtsOrders(FrameCodec):
    """The private socket: orders and trades as rows of the order book.

    The server lets everybody connect and says ``joined`` to whom it will tell orders (SDK,
    InteractiveSocketClient). A server that never says it is not relied on: the book is asked.
    """

    awaits_ready = True

    def __init__(
        self, instruments: InstrumentFinder, clock: Clock, values: Mapping[str, Any] | None = None
    ) -> None:
        """Nothing of these is needed: the address carries the log-in, the adapter reads rows."""

    def subscribe(self, wanted: Mapping[Key, FeedMode]) -> Sequence[Frame]:
        return ()

    def unsubscribe(self, keys: Sequence[Key]) -> Sequence[Frame]:
        return ()

    def decode(self, frame: Frame) -> Iterable[StreamEvent]:
        if not isinstance(frame, Message):
            return ()
        if frame.topic in _ORDERS:
            return (_row(frame.data),)
        if frame.topic in ("logout", "error"):
            return (Failure(_ended(frame.topic, frame.data)),)
        if frame.topic == "joined":
            return (Ready(),)
        return ()  # position, tradeConversion


def _row(data: Any) -> StreamEvent:
    try:
        row = msgspec.json.decode(data) if isinstance(data, (str, bytes)) else data
    except (msgspec.MsgspecError, UnicodeDecodeError):
        row = None
    if not isinstance(row, dict):
        return Failure(ProtocolError("XTS sent an order message that cannot be read"))
    return OrderRow(row)


def _ended(topic: str, data: Any) -> AppError:
    """The server says good-bye: a login elsewhere took the session, or something went wrong. A
    read has to confirm that the session is over."""
    text = str(data)[:200]
    if topic == "logout" or "token" in text.lower() or "session" in text.lower():
        return DoubtfulSession(f"XTS ended the session of order updates: {text}")
    return ProtocolError(f"The XTS order updates report: {text}")
