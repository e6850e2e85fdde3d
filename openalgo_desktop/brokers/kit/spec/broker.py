"""Everything about a broker that is data, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time
from typing import Any

import msgspec

from openalgo_desktop.brokers.kit.spec.logins import Call, Login
from openalgo_desktop.brokers.kit.spec.masters import MasterSpec
from openalgo_desktop.brokers.kit.spec.operations import (
    Envelope,
    ErrorRule,
    IntervalRule,
    Op,
    Rate,
)
from openalgo_desktop.brokers.kit.spec.streams import StreamSpec
from openalgo_desktop.brokers.kit.spec.vocabulary import TwoWay
from openalgo_desktop.core.enums import (
    Action,
    Exchange,
    Interval,
    OrderStatus,
    PriceType,
    Product,
    Validity,
)

#: Signs a request just before it leaves: (operation, method, path with query, body, values,
#: epoch seconds) -> headers to add.
Signer = Callable[[Op, str, str, bytes, Mapping[str, Any], float], Mapping[str, str]]


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What may be asked; the window hides or explains the rest."""

    exchanges: tuple[Exchange, ...]
    products: Mapping[Exchange, tuple[Product, ...]]
    price_types: tuple[PriceType, ...] = tuple(PriceType)
    intervals: Mapping[Interval, IntervalRule] = {}
    quote_batch: int = 1  # instruments of one request; 0: no market data, only orders and books
    depth_levels: int = 5
    margin: bool = False
    gtt: bool = False
    gtt_oco: bool = True  # a stop-loss and a target of which one ends the other
    converts: bool = False  # an open position can be moved to another product
    tags: bool = True  # orders keep our own tag; else they are found by attributes and time
    #: How long orders may work, by the broker's words (``wire_validity``).
    validities: Mapping[Validity, str] = msgspec.field(
        default_factory=lambda: {Validity.DAY: "DAY"}
    )
    discloses: bool = False  # a part of an order's quantity may be shown
    market_protection: bool = False  # the broker protects market orders itself
    static_ip: bool = False
    feed_quotes: bool = False  # quotes and depth come from the market feed: no REST for them


class Repeat(msgspec.Struct, frozen=True):
    """A value that changes and cancellations repeat of their order: where an order's row has it,
    and what it is of an order that is not known yet; without that the book is asked."""

    path: str
    otherwise: str = ""


class BrokerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a broker that is data. See the module docstring for the languages."""

    id: str
    title: str
    family: str = ""
    docs: str = ""
    hosts: Mapping[str, str]
    headers: Mapping[str, str] = {}
    logins: tuple[Login, ...]
    session_ends: time | None = time(3, 0)  # IST, daily
    session_hours: float = 0.0  # or after so many hours
    envelope: Envelope = Envelope()
    errors: tuple[ErrorRule, ...] = ()
    limits: Mapping[str, tuple[Rate, ...]] = {}
    exchanges: TwoWay[Exchange]
    products: TwoWay[Product]
    price_types: TwoWay[PriceType]
    actions: TwoWay[Action]
    statuses: TwoWay[OrderStatus]
    #: Where the broker counts contracts instead of units, see ``kit.master.contracts``.
    in_contracts: frozenset[Exchange] = frozenset()
    #: Where its documentation does not say which of the two it counts: nothing that opens leaves
    #: before the account's own master has told, see ``kit.master.sizes``.
    doubted: frozenset[Exchange] = frozenset()
    #: What changes and cancellations repeat of their order (its variety), by the name of the value;
    #: a new order has it in its context.
    repeats: Mapping[str, Repeat] = {}
    #: Status texts of an open order between two states, which cannot be cancelled yet.
    settling: frozenset[str] = frozenset()
    ops: Mapping[str, Op]
    rows: Mapping[str, Mapping[str, str]] = {}
    master: MasterSpec
    streams: tuple[StreamSpec, ...] = ()
    capabilities: Capabilities
    #: Price types that must go out as protected limits, by the exchanges where that is so.
    protect: Mapping[PriceType, frozenset[Exchange]] = {}
    sign: Signer | None = None
    #: Second sessions (market data beside trading) by the names that ``Op.renew`` uses: a read
    #: that is told that its session is over makes the call once, keeps its values, and asks once
    #: more. Neither ends the session of the account. An op ``logout_...`` ends one.
    renewals: Mapping[str, Call] = {}
    #: Where an answer or a token says when the session ends: name of a value of the login that is
    #: an epoch, an ISO time or a JWT (its ``exp``). It goes before ``session_hours``, and
    #: ``session_ends`` (if not None) before it where that is earlier.
    session_end_value: str = ""
    http2: bool = True
    #: What each contract group rests on: vectors, sdk, emulator, live.
    evidence: Mapping[str, tuple[str, ...]] = {}

    @property
    def stream(self) -> StreamSpec | None:
        """The market feed."""
        return next((stream for stream in self.streams if stream.market), None)

    @property
    def pushes_orders(self) -> bool:
        """Whether order updates come by a feed."""
        return any(stream.orders for stream in self.streams)
