"""The market feed, the 50-level books and order updates: what the maker's clients do not show."""

from __future__ import annotations

import random
import struct
from datetime import datetime
from typing import Any

import pytest

from openalgo_desktop.brokers.fyers.feed import HsmCodec
from openalgo_desktop.brokers.fyers.sockets import OrderCodec, TbtCodec
from openalgo_desktop.brokers.kit.feed.codec import Confirmed, Failure, OrderRow, Ready, Reply
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import NotSupported, SessionExpired
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Part, Tick
from openalgo_desktop.market.record import Record
from tests.unit.brokers.fyers import frames

CLOCK = ManualClock(datetime(2026, 12, 1, 13, 30, tzinfo=IST))
KEY = ("NSE", "S0")
SF, DP = frames.topics(0)
QUOTE = [100 + n for n in range(21)]


def ticks(events: Any) -> list[Tick]:
    return [event for event in events if isinstance(event, Tick)]


def begun(mode: FeedMode = FeedMode.DEPTH) -> HsmCodec:
    """A codec of one share whose topics have begun."""
    codec = frames.codec(1, CLOCK, mode)
    book = frames.values("dp", random.Random(1), 0.0)
    codec.decode(frames.frame([frames.snapshot(SF, 1, QUOTE), frames.snapshot(DP, 2, book)]))
    return codec


def answer(kind: int, *values: bytes) -> bytes:
    body = bytes((kind, len(values)))
    for number, value in enumerate(values, 1):
        body += struct.pack(">BH", number, len(value)) + value
    return struct.pack(">H", len(body)) + body


# -- topics -----------------------------------------------------------------------------------
def test_a_book_that_is_no_longer_wanted_ends_and_is_silent() -> None:
    codec = begun()
    end, again = codec.subscribe({KEY: FeedMode.QUOTE})
    assert isinstance(end, bytes) and DP.encode() in end and SF.encode() not in end and end[2] == 5
    assert isinstance(again, bytes) and again[2] == 4
    assert ticks(codec.decode(frames.frame([frames.update(2, [5] * 30)]))) == []
    (tick,) = ticks(codec.decode(frames.frame([frames.update(1, [9] * 21)])))
    assert tick.mode is FeedMode.QUOTE and tick.depth is None and tick.ltp == 0.09


def test_what_was_unsubscribed_is_silent() -> None:
    codec = begun()
    (end,) = codec.unsubscribe([KEY, ("NSE", "NOBODY")])
    assert isinstance(end, bytes) and SF.encode() in end and DP.encode() in end
    items = [frames.update(1, [9] * 21), frames.update(2, [9] * 30), frames.snapshot(SF, 3, QUOTE)]
    assert ticks(codec.decode(frames.frame(items))) == []
    assert codec.unsubscribe([KEY]) == ()


def test_quote_and_book_are_one_tick_and_the_latest_offers_count() -> None:
    codec = begun()
    (tick,) = ticks(codec.decode(frames.frame([frames.update(1, [7] * 21)])))
    assert tick.depth is not None and (tick.ltp, tick.bid, tick.volume) == (0.07, 0.07, 7)
    assert not tick.unknown
    (tick,) = ticks(codec.decode(frames.frame([frames.update(2, [8] * 30)])))
    assert tick.depth is not None and (tick.bid, tick.volume) == (0.08, 7)
    assert codec.decode(frames.frame([frames.update(2, [8] * 30)])) == []
    # It says nothing of the last price, which must not look as young as the book.
    assert tick.unknown == Part.LTP and (tick.ltp, tick.ltt) == (0.0, 0)
    (tick,) = ticks(codec.decode(frames.frame([frames.update(1, [6] * 21)])))
    assert tick.ltp == 0.06 and not tick.unknown


def test_a_price_that_no_longer_comes_grows_old_beside_its_book() -> None:
    codec, record = begun(), None
    for second, item in enumerate([frames.update(1, [7] * 21), *(
        frames.update(2, [n] * 30) for n in range(1, 9)
    )]):  # fmt: skip
        (tick,) = ticks(codec.decode(frames.frame([item])))
        record = record or Record(tick, 0.0)
        record.take(tick, float(second))
    assert record is not None and record.view(8.0).ltp == 0.07
    assert record.age(Part.LTP, 8.0) == 8.0 and record.age(Part.BOOK, 8.0) == 0.0
    assert record.fresh(Part.LTP, 8.0, 5.0) is None


def test_a_volume_may_pass_two_thousand_million() -> None:
    codec = begun()
    many = [*QUOTE]
    many[1], many[12] = -1_000_000_000, -5  # as i32
    (tick,) = ticks(codec.decode(frames.frame([frames.update(1, many)])))
    assert (tick.volume, tick.oi) == (3_294_967_296, 4_294_967_291)


@pytest.mark.parametrize(
    ("absent", "part"), [((0,), Part.LTP), ((6, 7), Part.TOUCH), ((1, 13, 14, 19, 20), Part.DAY)]
)
def test_what_a_snapshot_leaves_out_is_unknown(absent: tuple[int, ...], part: int) -> None:
    codec = frames.codec(1, CLOCK, FeedMode.QUOTE)
    made = [frames.ABSENT if at in absent else value for at, value in enumerate(QUOTE)]
    (tick,) = ticks(codec.decode(frames.frame([frames.snapshot(SF, 1, made)])))
    assert tick.unknown == part
    (tick,) = ticks(codec.decode(frames.frame([frames.update(1, QUOTE)])))
    assert tick.unknown == 0


@pytest.mark.parametrize(
    ("ticker", "fetched", "name"),
    [
        ("NSE:NIFTY50-INDEX", {}, "Nifty 50"),
        ("NSE:NIFTY50-INDEX", {"NSE:NIFTY50-INDEX": "New 50"}, "New 50"),
        ("NSE:NIFTY50-INDEX", "no table", "Nifty 50"),
        ("NSE:BRANDNEW-INDEX", {}, "BRANDNEW"),
    ],
)
def test_names_of_indices(ticker: str, fetched: Any, name: str) -> None:
    table = InstrumentTable()
    table.load([Instrument("X", "NSE_INDEX", token="101000000026000", brsymbol=ticker)])
    codec = HsmCodec(table, CLOCK, {"index_names": fetched})
    (frame,) = codec.subscribe({("NSE_INDEX", "X"): FeedMode.DEPTH})
    assert isinstance(frame, bytes) and f"if|nse_cm|{name}".encode() in frame and b"dp" not in frame


# -- answers ----------------------------------------------------------------------------------
def test_the_log_in_and_acknowledgements() -> None:
    codec = frames.codec(1, CLOCK)
    (refused,) = codec.decode(answer(1, b"N"))
    assert isinstance(refused, Failure) and isinstance(refused.error, SessionExpired)
    assert codec.decode(answer(1, b"K", struct.pack(">I", 3))) == (Ready(),)
    replies = [codec.decode(frames.frame([], number)) for number in range(1, 8)]
    sent = [event for events in replies for event in events if isinstance(event, Reply)]
    assert [reply.frames[0][-1] for reply in sent] == [3, 6]  # type: ignore[index]


def test_subscriptions_are_confirmed_in_their_order() -> None:
    codec = frames.codec(2, CLOCK)
    codec.subscribe({KEY: FeedMode.LTP})
    (first,) = codec.decode(answer(4, b"K"))
    assert isinstance(first, Confirmed) and len(first.keys) == 2
    (refused,) = codec.decode(answer(4, b"N"))
    assert isinstance(refused, Failure)
    (told,) = codec.decode(answer(51, struct.pack(">i", 51001), b"Symbol limit", b"\x04"))
    assert isinstance(told, Failure) and "Symbol limit" in told.error.message


def test_a_frame_cut_anywhere_raises_nothing() -> None:
    rng = random.Random(3)
    items = [frames.snapshot(SF, 1, QUOTE), frames.update(1, [5] * 21), frames.lite(1, 9)]
    whole = frames.frame(items)
    for size in range(len(whole)):
        codec = frames.codec(1, CLOCK)
        list(codec.decode(whole[:size]))
        list(codec.decode(rng.randbytes(size)))
        list(codec.decode(b"\x00\x10" + bytes((rng.choice((1, 4, 6, 51)),)) + rng.randbytes(size)))
    assert len(ticks(frames.codec(1, CLOCK).decode(whole))) == 3


# -- books of 50 levels -----------------------------------------------------------------------
def test_books_are_for_shares_and_derivatives_of_nse() -> None:
    table = InstrumentTable()
    table.load([Instrument("A", "MCX", brsymbol="MCX:A"), Instrument("B", "NFO", brsymbol="NSE:B")])
    codec = TbtCodec(table, CLOCK, {})
    with pytest.raises(NotSupported, match="50 levels"):
        codec.subscribe({("NFO", "B"): FeedMode.DEPTH, ("MCX", "A"): FeedMode.DEPTH})
    (wish,) = codec.subscribe({("NFO", "B"): FeedMode.DEPTH})
    assert isinstance(wish, str) and '"NSE:B"' in wish
    assert codec.unsubscribe([("MCX", "A")]) == () and len(codec.unsubscribe([("NFO", "B")])) == 1


def test_a_book_that_cannot_be_read_harms_nothing() -> None:
    codec, _ = frames.book_codec(1, CLOCK)
    rng = random.Random(5)
    good = frames.book([frames.ticker(0)], rng, levels=0, whole=True)
    for size in range(0, len(good), 3):
        for event in codec.decode(good[:size]):
            assert isinstance(event, (Failure, Tick))
        list(codec.decode(rng.randbytes(size % 60)))
    (tick,) = ticks(codec.decode(good))
    assert tick.depth is not None and len(tick.depth.sell) == 50
    assert tick.unknown == Part.LTP | Part.DAY | Part.OI
    error = frames.SCHEMA.message("SocketMessage")(error=True, msg="too many symbols")
    (told,) = codec.decode(error.SerializeToString())
    assert isinstance(told, Failure) and "too many" in told.error.message
    assert codec.decode("pong") == ()


def test_a_snapshot_clears_what_was_there() -> None:
    codec, _ = frames.book_codec(1, CLOCK)
    rng = random.Random(7)
    codec.decode(frames.book([frames.ticker(0)], rng, levels=0, whole=True))
    message: Any = frames.SCHEMA.message("SocketMessage")(snapshot=True)
    feed = message.feeds["x"]
    feed.ticker = frames.ticker(0)
    level = feed.depth.bids.add()
    level.num.value, level.price.value, level.qty.value = 0, 100, 3
    (tick,) = ticks(codec.decode(message.SerializeToString()))
    assert tick.depth is not None and (tick.bid, tick.bid_quantity, tick.ask) == (1.0, 3, 0.0)
    assert tick.depth.buy[1].price == 0


def test_changes_before_the_snapshot_make_no_book() -> None:
    codec, _ = frames.book_codec(1, CLOCK)
    rng = random.Random(9)
    change = frames.book([frames.ticker(0)], rng, levels=3)
    assert codec.decode(change) == []
    assert len(ticks(codec.decode(frames.book([frames.ticker(0)], rng, levels=0, whole=True)))) == 1
    codec.subscribe({("NSE", "S0"): FeedMode.DEPTH})  # asked again: it goes on
    assert len(ticks(codec.decode(change))) == 1


def test_a_change_that_cannot_be_read_costs_that_book_alone_and_asks_it_anew() -> None:
    codec, _ = frames.book_codec(2, CLOCK)
    rng = random.Random(11)
    names = [frames.ticker(0), frames.ticker(1)]
    codec.decode(frames.book(names, rng, levels=0, whole=True))
    message: Any = frames.SCHEMA.message("SocketMessage")()
    for name, place in zip(names, (90, 0), strict=True):  # of 50 levels
        feed = message.feeds[name]
        feed.ticker = name
        level = feed.depth.bids.add()
        level.num.value, level.price.value = place, 100
    odd = message.SerializeToString()
    events = list(codec.decode(odd))  # a map has no order
    assert len(events) == 3 and [e for e in events if isinstance(e, Failure)]
    assert [(tick.symbol, tick.bid) for tick in ticks(events)] == [("S1", 1.0)]
    (ask,) = (event for event in events if isinstance(event, Reply))
    assert ['"subs":-1' in str(frame) for frame in ask.frames] == [True, False]
    assert all(names[0] in str(f) and names[1] not in str(f) for f in ask.frames)
    change = frames.book(names, rng, levels=2)  # of the first one nothing counts any more
    assert [tick.symbol for tick in ticks(codec.decode(change))] == ["S1"]
    again = ticks(codec.decode(frames.book(names, rng, levels=0, whole=True)))
    assert len(again) == 2 and len(ticks(codec.decode(change))) == 2


# -- orders -----------------------------------------------------------------------------------
def test_order_updates() -> None:
    codec = OrderCodec(InstrumentTable(), CLOCK, {})
    (frame,) = codec.opened()
    assert frame == '{"T":"SUB_ORD","SLIST":["orders"],"SUB_T":1}' and codec.awaits_ready
    assert list(codec.decode('{"code":1605,"message":"Successfully subscribed","s":"ok"}')) == [
        Ready()
    ]
    assert list(codec.decode('{"s":"ok","orders":{"id":"1"}}')) == [OrderRow({"id": "1"})]
    assert list(codec.decode("pong")) == list(codec.decode('{"s":"ok","positions":{}}')) == []
    for text in ('{"s":"error","message":"no"}', "not JSON"):
        (told,) = codec.decode(text)
        assert isinstance(told, Failure)
