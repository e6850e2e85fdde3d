"""What every transport gives the lane: an open connection that carries frames."""

from __future__ import annotations

import functools
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

import msgspec

from openalgo_desktop.brokers.kit.feed.codec import Frame
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.brokers.kit.rest.values import fill
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.errors import AppError, NetError, NetTimeout, RateLimited

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
    """One open connection.

    ``watched``: the transport finds a dead line by itself, within the spec's silence where it can
    choose (its heartbeats are no frames). ``lost``: frames that were dropped because nobody read
    them in time; 0 where TCP slows the sender instead.
    """

    @property
    def watched(self) -> bool: ...
    @property
    def lost(self) -> int: ...

    async def send(self, frame: Frame) -> None:
        """Send a frame; raises :class:`LinkClosed`."""

    async def receive(self) -> list[Frame]:
        """All frames that wait, at least one; raises :class:`LinkClosed` after the last."""

    async def close(self) -> None:
        """Say good-bye, within :data:`CLOSE_TIMEOUT`."""

    def abort(self) -> None:
        """Drop the line now: it is dead, nobody would answer a good-bye."""


def silence(*loggers: str) -> None:
    """Keep libraries from logging: their lines carry addresses, log-ins and topics."""
    for name in loggers:
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL)
        logger.propagate = False


#: Opens a link. Raises :class:`DoubtfulSession` when the log-in was refused, else NetError.
OpenLink: TypeAlias = Callable[[Address, StreamSpec], Awaitable[Link]]


def refused(status: int, *, page: bool = False) -> AppError:
    """What the HTTP status of a refused connection means; ``page``: a web page came, of somebody
    on the way and not of the feed."""
    if status in (401, 403) and not page:
        refusal = DoubtfulSession(f"The feed refused the session (HTTP {status}).")
        refusal.sure = status == 401
        return refusal
    if status == 429:
        return RateLimited("The feed takes no more connections now (HTTP 429).", retry_after=10.0)
    return NetError(f"The feed refused the connection (HTTP {status}).")


def unreachable(error: BaseException, limit: float = OPEN_TIMEOUT) -> NetError:
    """The error of an attempt to connect that met nobody within ``limit`` seconds."""
    if isinstance(error, TimeoutError):
        return NetTimeout(f"The feed did not answer within {limit:g} s.")
    return NetError(f"The feed cannot be reached ({type(error).__name__}).")


@functools.cache
def tls() -> ssl.SSLContext:
    """The certificates of this machine. Reading them takes tens of milliseconds: call it in a
    thread."""
    return ssl.create_default_context()


def address_of(spec: StreamSpec, hosts: Mapping[str, str], values: Mapping[str, object]) -> Address:
    """The address of a spec's stream for these hosts and values (session and ``fetch``)."""
    return Address(
        fill(hosts[spec.host], values).rstrip("/") + fill(spec.url, values, quoted=True),
        {name: fill(text, values) for name, text in spec.headers.items()},
        {name: fill(text, values) for name, text in spec.options.items()},
    )
