"""Frames of Upstox' market feed with values by chance, made with the documentation's messages."""

from __future__ import annotations

import random
from typing import Any

from openalgo_desktop.brokers.upstox.feed import UpstoxCodec
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument
from tests.unit.brokers.kit.protobuf_tables import UPSTOX

#: Kinds of feeds: modes of the maker, and what an index has.
KINDS = ("ltpc", "full", "full_d30", "index", "option_greeks")
_Response = UPSTOX.message("FeedResponse")


def key(number: int) -> str:
    """The instrument key of the number-th instrument."""
    return f"NSE_FO|{number}"


def frame(kinds: list[str], rng: random.Random, *, first: int = 0, partial: bool = False) -> bytes:
    """A frame with an instrument of each of these kinds, numbered from ``first``; a ``partial``
    one may lack parts of them."""
    response = _Response(type=1, currentTs=1796112000123)
    for number, kind in enumerate(kinds, first):
        _fill(response.feeds[key(number)], kind, rng, 0.3 if partial else 0.0)
    return bytes(response.SerializeToString())


def codec(count: int, clock: Clock, mode: FeedMode = FeedMode.DEPTH) -> UpstoxCodec:
    """A codec that knows so many instruments."""
    table = InstrumentTable()
    table.load(Instrument(symbol=f"S{n}", exchange="NFO", token=key(n)) for n in range(count))
    made = UpstoxCodec(table, clock)
    made.subscribe({("NFO", f"S{n}"): mode for n in range(count)})
    return made


def _price(rng: random.Random) -> float:
    return rng.choice((0.0, round(rng.uniform(0.05, 90_000), 2), rng.random() * 1e-3))


def _count(rng: random.Random) -> int:
    return rng.choice((0, 1, rng.randrange(1, 10_000), rng.randrange(1 << 40)))


def _fill(feed: Any, kind: str, rng: random.Random, gaps: float) -> None:
    if kind == "ltpc":
        _last(feed.ltpc, rng)
        return
    if kind == "option_greeks":
        _last(feed.firstLevelWithGreeks.ltpc, rng)
        feed.firstLevelWithGreeks.oi, feed.requestMode = float(_count(rng)), 2
        return
    full = feed.fullFeed.indexFF if kind == "index" else feed.fullFeed.marketFF
    full.SetInParent()
    if rng.random() >= gaps:
        _last(full.ltpc, rng)
    if rng.random() >= gaps:
        for interval in ("I1", "1d"):
            full.marketOHLC.ohlc.add(
                interval=interval, open=_price(rng), high=_price(rng), low=_price(rng),
                close=_price(rng), vol=_count(rng), ts=1796112000000,
            )  # fmt: skip
    if kind == "index":
        return
    feed.requestMode = 3 if kind == "full_d30" else 1
    for _ in range(30 if kind == "full_d30" else 5) if rng.random() >= gaps else ():
        full.marketLevel.bidAskQuote.add(
            bidQ=_count(rng), bidP=_price(rng), askQ=_count(rng), askP=_price(rng)
        )
    full.atp, full.vtt, full.oi = _price(rng), _count(rng), float(_count(rng))
    full.tbq, full.tsq, full.iv = float(_count(rng)), float(_count(rng)), rng.random()
    full.optionGreeks.delta = rng.random()


def _last(ltpc: Any, rng: random.Random) -> None:
    ltpc.ltp = _price(rng) if rng.random() < 0.15 else round(rng.uniform(0.05, 90_000), 2)
    ltpc.cp = _price(rng)
    ltpc.ltt, ltpc.ltq = 1796112000000 - rng.randrange(10_000_000), _count(rng)
