"""What the account behind a gateway can do; callers ask these, never the implementation."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from openalgo_desktop.core.enums import Exchange, PriceType, Validity

#: Price type -> exchanges where it must go out as a protected limit.
ProtectRule = Mapping[PriceType, frozenset[Exchange]]


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """Every gateway has every call; one that a trait denies raises :class:`NotSupported`.

    ``gtt``: good-till-triggered orders. ``margin``: an estimate of what orders would block;
    ``frees``: it knows the positions and also tells what exits give back (``Margin.released``).
    ``recall``: orders of earlier sessions are found. ``ticks``: its master tells tick sizes; else
    those of the instruments are guesses. ``protect``: what the broker refuses as a
    market order, so that it has to leave as a limit a little through the price. ``passed_stops``:
    a stop that the market has passed already is taken and trades at once; no broker of ours
    documents that, so all are believed to refuse it. ``converts``: an open position can be moved
    to another product. ``validities``: how long an order may be meant to work. ``discloses``:
    orders may show a part of their quantity (where the exchange allows it).
    """

    gtt: bool = False
    margin: bool = False
    frees: bool = False
    recall: bool = False
    ticks: bool = True
    protect: ProtectRule = {}
    passed_stops: bool = False
    converts: bool = False
    validities: frozenset[Validity] = frozenset({Validity.DAY})
    discloses: bool = False
