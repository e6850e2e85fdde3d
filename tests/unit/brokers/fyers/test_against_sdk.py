"""The codecs against Fyers' own clients, field by field, on generated frames."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.brokers.fyers.sockets import LEVELS
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.ticks import Part, Tick
from tests import side_env
from tests.side.requirements import FYERS
from tests.unit.brokers.fyers import frames

SCRIPT = Path("tests/side/fyers_sockets.py")
CLOCK = ManualClock(datetime(2026, 12, 1, 13, 30, tzinfo=IST))
INSTRUMENTS, FRAMES, BOOKS = 70, 220, 400
_QUOTE = {
    "ltp": "ltp", "vol_traded_today": "volume", "bid_size": "bid_quantity",
    "ask_size": "ask_quantity", "bid_price": "bid", "ask_price": "ask",
    "last_traded_qty": "last_quantity", "tot_buy_qty": "total_buy_quantity",
    "tot_sell_qty": "total_sell_quantity", "avg_trade_price": "average_price",
    "low_price": "low", "high_price": "high", "open_price": "open", "prev_close_price": "close",
}  # fmt: skip


def random_frames(rng: random.Random) -> tuple[list[bytes], int]:
    """Snapshots of all topics in a few frames, then updates of every kind; the items in them."""
    named = [name for number in range(INSTRUMENTS) for name in frames.topics(number)]
    numbers = {name: 1000 + 7 * place for place, name in enumerate(named)}

    def begun(name: str) -> bytes:
        scale = (rng.choice((1, 1, 100)), rng.choice((2, 2, 4, 0)))
        made = frames.values(name[:2], rng, rng.choice((0.0, 0.0, 0.2)))
        return frames.snapshot(name, numbers[name], made, scale)

    def changed(name: str) -> bytes:
        made = frames.values(name[:2], rng, rng.choice((0.0, 0.5, 0.9, 1.0)))
        if rng.random() < 0.1:
            made = made[: rng.randrange(1, len(made))]  # the others are as they were
        return frames.update(numbers[name], made)

    items = [begun(name) for name in named]
    for _ in range(FRAMES * 30):
        name = rng.choice(named)
        kind = rng.random()
        if kind < 0.02:
            items.append(begun(name))
        elif kind < 0.1 and not name.startswith("dp"):
            items.append(frames.lite(numbers[name], rng.randrange(5_000_000)))
        else:
            items.append(changed(name))
    made, at = [], 0
    while at < len(items):
        size = rng.choice((1, 5, 20, 40))
        made.append(frames.frame(items[at : at + size]))
        at += size
    return made, len(items)


def same(tick: Tick, message: dict[str, Any]) -> None:
    """A tick against the maker's message of the same change; what it has not is 0 here."""
    kind = message["type"]
    assert message["symbol"] in {f"{kind}|nse_cm|{tick.symbol.lstrip('S')}",
                                 f"{kind}|nse_fo|{tick.symbol.lstrip('S')}",
                                 f"{kind}|nse_cm|{tick.symbol}"}  # fmt: skip
    if kind == "dp":
        assert tick.depth is not None
        for side, levels in (("bid", tick.depth.buy), ("ask", tick.depth.sell)):
            for number, level in enumerate(levels, 1):
                names = (f"{side}_{what}{number}" for what in ("price", "size", "order"))
                wanted = tuple(message.get(name, 0) for name in names)
                assert (level.price, level.quantity, level.orders) == wanted
        assert (tick.bid, tick.ask) == (tick.depth.buy[0].price, tick.depth.sell[0].price)
        return
    if kind == "if":
        names = {theirs: ours for theirs, ours in _QUOTE.items() if theirs.endswith("price")}
        names = {k: v for k, v in names.items() if v not in ("bid", "ask", "average_price")}
        names["ltp"] = "ltp"
    else:
        names = _QUOTE
    for theirs, ours in names.items():
        assert getattr(tick, ours) == message.get(theirs, 0), (theirs, message)
    told = message.get("last_traded_time") or message.get("exch_feed_time") or 0
    assert tick.ltt == told * 1000
    assert ("ltp" in message) is not bool(tick.unknown & Part.LTP)
    if "ch" in message and kind == "sf":
        assert tick.change == pytest.approx(message["ch"], abs=1e-4)
        assert tick.change_percent == pytest.approx(message["chp"], abs=1e-2, rel=1e-2)


def test_every_field_of_thousands_of_items() -> None:
    made, items = random_frames(random.Random(20261130))
    codec = frames.codec(INSTRUMENTS, CLOCK)
    official = side_env.run(FYERS, SCRIPT, {"frames": [f.hex() for f in made]}, deps=False)
    compared = 0
    for data, theirs in zip(made, official["messages"], strict=True):
        ours = list(codec.decode(data))
        assert len(ours) == len(theirs)
        for tick, message in zip(ours, theirs, strict=True):
            assert isinstance(tick, Tick)
            same(tick, message)
            compared += 1
    assert 4500 < compared <= items


def test_every_level_of_thousands_of_books() -> None:
    rng = random.Random(20261130)
    names = [frames.ticker(number) for number in range(5)]
    made = [frames.book([name], rng, levels=0, whole=True) for name in names]
    made += [
        frames.book(rng.sample(names, rng.randrange(1, 6)), rng, levels=rng.randrange(1, 12))
        for _ in range(BOOKS)
    ]
    made.append(frames.book(names, rng, levels=0, whole=True))
    codec, _ = frames.book_codec(5, CLOCK)
    request = {"frames": [f.hex() for f in made], "kind": "book"}
    official = side_env.run(FYERS, SCRIPT, request, deps=False)
    compared = 0
    for data, theirs in zip(made, official["messages"], strict=True):
        ours = {f"NSE:{t.symbol}-EQ": t for t in codec.decode(data) if isinstance(t, Tick)}
        assert ours.keys() == {message["symbol"] for message in theirs}
        for message in theirs:
            tick = ours[message["symbol"]]
            assert tick.depth is not None and tick.ltt == message["timestamp"] * 1000
            assert tick.total_buy_quantity == message["tbq"]
            assert tick.total_sell_quantity == message["tsq"]
            for side, levels in (("bid", tick.depth.buy), ("ask", tick.depth.sell)):
                wanted = [message[f"{side}{what}"] for what in ("price", "qty", "ordn")]
                assert len(levels) == LEVELS
                assert [level.price for level in levels] == wanted[0]
                assert [level.quantity for level in levels] == wanted[1]
                assert [level.orders for level in levels] == wanted[2]
                compared += len(levels)
    assert compared > 50_000
