"""What every transport gives the lane: an open connection that carries frames."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

import msgspec

from openalgo_desktop.brokers.kit.feed.codec import Frame
from openalgo_desktop.brokers.kit.rest.values import fill
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.errors import NetError

#: Frames that may wait unread; beyond that the socket is not read and TCP slows the sender.
MAX_QUEUE = 64
OPEN_TIMEOUT = 10.0
CLOSE_TIMEOUT = 1.0


class Address(msgspec.Struct, frozen=True):
    """Where to connect, with the transport's own options. May carry the session: never log it."""

    url: str
    headers: Mapping[str, str] = {}
    options: Mapping[str, str] = {}


class LinkClosed(NetError):
    """The connection is gone; the text has code and reason where the other side gave them."""


class Link(Protocol):
    """One open connection."""

    async def send(self, frame: Frame) -> None:
        """Send a frame; raises :class:`LinkClosed`."""

    async def receive(self) -> list[Frame]:
        """All frames that wait, at least one; raises :class:`LinkClosed` after the last."""

    async def close(self) -> None:
        """Say good-bye, within :data:`CLOSE_TIMEOUT`."""

    def abort(self) -> None:
        """Drop the line now: it is dead, nobody would answer a good-bye."""


#: Opens a link. Raises :class:`DoubtfulSession` when the log-in was refused, else NetError.
OpenLink: TypeAlias = Callable[[Address, StreamSpec], Awaitable[Link]]


def address_of(spec: StreamSpec, hosts: Mapping[str, str], values: Mapping[str, object]) -> Address:
    """The address of a spec's stream for these hosts and values (session and ``fetch``)."""
    return Address(
        fill(hosts[spec.host], values).rstrip("/") + fill(spec.url, values, quoted=True),
        {name: fill(text, values) for name, text in spec.headers.items()},
        {name: fill(text, values) for name, text in spec.options.items()},
    )
