"""What the codecs of Angel One do beyond the recordings: deeper books, refusals, odd frames."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.brokers.angel.feed import AngelCodec, OrderCodec
from openalgo_desktop.brokers.kit.feed.codec import Failure, OrderRow, Ready, Refused, Reply
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import NotSupported
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.ticks import Part
from tests.contract.rig import open_rig
from tests.unit.brokers.angel.smart_packets import packet
from tests.waiting import until

ROWS = [Instrument(f"S{n}", "NSE", token=str(n), brexchange="NSE") for n in range(60)]
FUTURE = Instrument("NIFTY30DEC25FUT", "NFO", token="7", brexchange="NFO")
GLOBAL = Instrument("GIFT", "GLOBAL_INDEX", token="9", brexchange="NSEIX")
KEY = ROWS[7].key


def codec() -> AngelCodec:
    clock = ManualClock(datetime(2025, 11, 20, 10, 15, tzinfo=IST))
    return AngelCodec(BrokerIndex([*ROWS, FUTURE, GLOBAL]), clock, {})


def asked(frames: Any) -> list[tuple[int, int, dict[int, list[str]]]]:
    """Action, mode and tokens by exchange of each frame."""
    found = []
    for frame in frames:
        body = json.loads(frame)
        assert len(body["correlationID"]) == 10
        groups = {g["exchangeType"]: g["tokens"] for g in body["params"]["tokenList"]}
        found.append((body["action"], body["params"]["mode"], groups))
    return found


def test_a_deeper_book_is_a_second_subscription_that_takes_over() -> None:
    feed, rng = codec(), random.Random(1)
    feed.deepen({KEY: 20})
    assert asked(feed.subscribe({KEY: FeedMode.DEPTH})) == [
        (1, 3, {1: ["7"]}),
        (1, 4, {1: ["7"]}),
    ]
    (five,) = feed.decode(packet(3, 1, "7", rng))
    assert len(five.depth.buy) == 5 and not five.unknown
    (deep,) = feed.decode(packet(4, 1, "7", rng))
    assert len(deep.depth.buy) == len(deep.depth.sell) == 20
    assert deep.parts == Part.TOUCH | Part.BOOK  # it has no price: that comes with the other
    (rest,) = feed.decode(packet(3, 1, "7", rng))
    assert rest.depth is None and rest.unknown == Part.BOOK and rest.knows(Part.QUOTE)
    feed.deepen({KEY: 5})
    assert asked(feed.subscribe({KEY: FeedMode.DEPTH})) == [
        (0, 4, {1: ["7"]}),
        (1, 3, {1: ["7"]}),
    ]
    (five,) = feed.decode(packet(3, 1, "7", rng))
    assert len(five.depth.buy) == 5
    assert asked(feed.unsubscribe([KEY, ("NSE", "GONE")])) == [(0, 3, {1: ["7"]})]
    assert list(feed.decode(packet(3, 1, "7", rng))) == []


def test_a_deeper_book_that_is_over_or_mute_hides_nothing() -> None:
    clock = ManualClock(datetime(2025, 11, 20, 10, 15, tzinfo=IST))
    feed, rng = AngelCodec(BrokerIndex(ROWS), clock, {}), random.Random(1)

    def five() -> bool:
        (tick,) = feed.decode(packet(3, 1, "7", rng))
        return tick.depth is not None

    feed.deepen({KEY: 20})
    feed.subscribe({KEY: FeedMode.DEPTH})
    assert len(list(feed.decode(packet(4, 1, "7", rng)))) == 1 and not five()
    clock.advance(11)
    assert five()  # its books stopped, the prices did not
    feed.decode(packet(4, 1, "7", rng))
    feed.deepen({KEY: 5})
    feed.subscribe({KEY: FeedMode.DEPTH})
    assert list(feed.decode(packet(4, 1, "7", rng))) == []  # one that was on its way
    assert five()


def test_what_follows_the_end_of_a_token_does_not_matter() -> None:
    feed = codec()
    feed.subscribe({KEY: FeedMode.LTP})
    frame = bytearray(packet(1, 1, "7", random.Random(1)))
    frame[5:9] = b"junk"
    (tick,) = feed.decode(bytes(frame))
    assert (tick.exchange, tick.symbol) == KEY
    frame[2:4] = b"77"
    assert list(feed.decode(bytes(frame))) == []


def test_deeper_books_are_of_fifty_shares_at_most() -> None:
    feed = codec()
    keys: list[Key] = [FUTURE.key, *(row.key for row in ROWS)]
    feed.deepen(dict.fromkeys(keys, 20))
    frames = asked(feed.subscribe(dict.fromkeys(keys, FeedMode.DEPTH)))
    (deep,) = (tokens for _, mode, tokens in frames if mode == 4)
    assert set(deep) == {1} and len(deep[1]) == 50
    feed.deepen({KEY: 20, ROWS[59].key: 20})  # one that has it and one too many
    assert {mode for _, mode, _ in asked(feed.subscribe({KEY: FeedMode.DEPTH}))} == {3, 4}
    assert {mode for _, mode, _ in asked(feed.subscribe({ROWS[59].key: FeedMode.DEPTH}))} == {3}


def refusal(frame: str) -> str:
    name = json.loads(frame)["correlationID"]
    return json.dumps({"correlationID": name, "errorCode": "E1002", "errorMessage": "Bad token"})


def test_a_refused_request_is_asked_in_halves_to_the_instrument_at_fault() -> None:
    feed = codec()
    (frame,) = feed.subscribe({row.key: FeedMode.LTP for row in ROWS[:3]})
    (reply,) = feed.decode(refusal(frame))
    assert isinstance(reply, Reply)
    assert asked(reply.frames) == [(1, 1, {1: ["0"]}), (1, 1, {1: ["1", "2"]})]
    (refused,) = feed.decode(refusal(reply.frames[0]))
    assert isinstance(refused, Refused) and refused.key == ROWS[0].key
    assert "Bad token" in refused.error.message
    feed.unsubscribe([ROWS[1].key])  # nobody wants it any more
    (last,) = feed.decode(refusal(reply.frames[1]))
    assert isinstance(last, Refused) and last.key == ROWS[2].key


def test_a_refused_deeper_book_leaves_the_five_levels() -> None:
    feed = codec()
    feed.deepen({KEY: 20})
    _, deep = feed.subscribe({KEY: FeedMode.DEPTH})
    (failure,) = feed.decode(refusal(deep))
    assert isinstance(failure, Failure)
    (tick,) = feed.decode(packet(3, 1, "7", random.Random(1)))
    assert len(tick.depth.sell) == 5


def test_odd_frames_are_failures_and_pongs_nothing() -> None:
    feed = codec()
    feed.subscribe({KEY: FeedMode.DEPTH})
    whole = packet(3, 1, "7", random.Random(1))
    for frame in (b"", b"\x09" + whole[1:], whole[:-1], whole[:60], "{", "[1]"):
        (failure,) = feed.decode(frame)
        assert isinstance(failure, Failure), frame
    assert list(feed.decode("pong")) == []
    with pytest.raises(NotSupported, match="NSEIX"):
        feed.subscribe({GLOBAL.key: FeedMode.LTP})


def update(code: str = "AB01", said: str = "200", **row: Any) -> str:
    body = {"user-id": "C", "status-code": said, "order-status": code, "error-message": "no"}
    return json.dumps({**body, "orderData": row})


def test_order_updates_begin_with_a_greeting() -> None:
    clock = ManualClock(datetime(2025, 11, 20, 10, 15, tzinfo=IST))
    feed = OrderCodec(BrokerIndex(ROWS), clock, {})
    assert feed.awaits_ready
    (ready,) = feed.decode(update("AB00", orderid=""))
    assert isinstance(ready, Ready)
    (row,) = feed.decode(update(orderid="1", status="open"))
    assert isinstance(row, OrderRow) and row.row["orderid"] == "1"
    (failure,) = feed.decode(update(said="401"))
    assert isinstance(failure, Failure) and isinstance(failure.error, DoubtfulSession)
    (failure,) = feed.decode("nothing")
    assert isinstance(failure, Failure)


async def test_twenty_levels_for_who_wants_them(tmp_path: Path) -> None:
    """Over the account's own market: the prices go on beside the deeper book, its end gives the
    five levels again."""
    async with open_rig("angel", tmp_path) as rig:
        await rig.login()
        row = rig.row("NSE")
        await rig.account.market.subscribe({row.key: FeedMode.DEPTH})

        def levels() -> int:
            books = [t.depth for t in rig.ticks if t.key == row.key and t.depth is not None]
            return len(books[-1].buy) if books else 0

        await until(lambda: levels() == 5, "the usual book")
        end = rig.account.market.deepen(row.key, 20)
        await until(lambda: levels() == 20, "the deep book")
        seen = len(rig.ticks)
        await until(
            lambda: any(t.knows(Part.QUOTE) for t in rig.ticks[seen:] if t.key == row.key),
            "a price beside it",
        )
        assert levels() == 20
        end()
        await until(lambda: levels() == 5, "the usual book again")
