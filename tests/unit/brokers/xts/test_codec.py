"""XTS feeds: subscriptions as requests, events as ticks and order rows."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest

from openalgo_desktop.brokers.families.xts.codec import XtsCodec
from openalgo_desktop.brokers.families.xts.orders import XtsOrders
from openalgo_desktop.brokers.kit.feed.codec import (
    Confirmed,
    Failure,
    Message,
    OrderRow,
    Ready,
    Reply,
    Request,
)
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import DataError, SymbolUnknown
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.ticks import Part, Tick
from tests.emulators.xts_feed import DEPTH, INTEREST, LTP, TOUCHLINE, message, packet
from tests.unit.brokers.xts.test_packets import NOW, TICK

SHARE: Key = ("NSE", "RELIANCE")
FUTURE: Key = ("NFO", "NIFTY25NOV25FUT")
INDEX: Key = ("NSE_INDEX", "NIFTY")
TABLE = BrokerIndex(
    [
        Instrument("RELIANCE", "NSE", token="2885"),
        Instrument("NIFTY25NOV25FUT", "NFO", instrument_type="FUT", token="37054"),
        Instrument("NIFTY", "NSE_INDEX", instrument_type="INDEX", token="26000"),
        Instrument("BROKEN", "NSE", token="x"),
    ]
)
PLACES = {SHARE: (1, 2885), FUTURE: (2, 37054), INDEX: (1, 26000)}


def codec(**more: Any) -> XtsCodec:
    return XtsCodec(TABLE, ManualClock(datetime(2025, 11, 20, 10, 15, tzinfo=IST)), {}, **more)


def asked(frames: Any) -> list[tuple[str, int, list[int]]]:
    """Requests as (operation, code, instrument numbers)."""
    return [
        (
            frame.op,
            frame.values["code"],
            [row["exchangeInstrumentID"] for row in frame.values["instruments"]],
        )
        for frame in frames
    ]


def event(key: Key, code: int, tick: Tick = TICK, *, text: bool = True) -> Message:
    data = message(tick, code, *PLACES[key], NOW)
    return Message(f"{code}-json-full", json.dumps(data) if text else data)


def test_each_mode_is_a_code_and_derivatives_have_open_interest_beside_it() -> None:
    feed = codec()
    wanted = {SHARE: FeedMode.LTP, FUTURE: FeedMode.QUOTE, INDEX: FeedMode.DEPTH}
    requests = list(feed.subscribe(wanted))
    assert asked(requests) == [
        ("subscribe", 1512, [2885]),
        ("subscribe", 1501, [37054]),
        ("subscribe", 1510, [37054]),
        ("subscribe", 1502, [26000]),
    ]
    # A refusal of open interest must not take the prices with it.
    assert [getattr(r, "keys", None) for r in requests] == [(SHARE,), (FUTURE,), (), (INDEX,)]


def test_another_mode_gives_the_former_code_up() -> None:
    feed = codec()
    feed.subscribe({FUTURE: FeedMode.LTP, SHARE: FeedMode.DEPTH})
    assert asked(feed.subscribe({FUTURE: FeedMode.DEPTH})) == [
        ("subscribe", 1502, [37054]),
        ("subscribe", 1510, [37054]),
        ("unsubscribe", 1512, [37054]),
    ]
    assert asked(feed.unsubscribe([FUTURE, SHARE])) == [
        ("unsubscribe", 1502, [37054, 2885]),
        ("unsubscribe", 1510, [37054]),
    ]
    assert feed.unsubscribe([FUTURE, ("NSE", "GONE")]) == []


def test_servers_that_may_answer_in_binary_get_the_touchline_for_the_last_price() -> None:
    feed = codec(ltp_code=1501)
    assert asked(feed.subscribe({SHARE: FeedMode.LTP})) == [("subscribe", 1501, [2885])]


def test_a_token_that_is_no_number_is_no_instrument() -> None:
    with pytest.raises(SymbolUnknown):
        codec().subscribe({("NSE", "BROKEN"): FeedMode.LTP})


def test_the_answer_holds_snapshots() -> None:
    feed = codec()
    (request,) = feed.subscribe({SHARE: FeedMode.QUOTE})
    assert isinstance(request, Request)
    snapshot = json.dumps(message(TICK, TOUCHLINE, *PLACES[SHARE], NOW))
    tick, confirmed = feed.answered(request, [snapshot])
    assert isinstance(tick, Tick) and (tick.symbol, tick.ltp) == ("RELIANCE", 1495.6)
    assert confirmed == Confirmed((SHARE,))


def test_what_streams_already_is_confirmed_and_the_rest_of_the_list_asked_anew() -> None:
    feed = codec()
    (request,) = feed.subscribe({SHARE: FeedMode.QUOTE, INDEX: FeedMode.QUOTE})
    assert isinstance(request, Request)
    (reply,) = feed.answered(request, None)
    assert isinstance(reply, Reply)
    assert asked(reply.frames) == [
        ("unsubscribe", 1501, [2885, 26000]),
        ("subscribe", 1501, [2885, 26000]),
    ]
    again = reply.frames[1]
    assert isinstance(again, Request)
    assert list(feed.answered(again, None)) == [Confirmed((SHARE, INDEX))]
    (single,) = feed.subscribe({SHARE: FeedMode.DEPTH})[:1]
    assert isinstance(single, Request)
    assert list(feed.answered(single, None)) == [Confirmed((SHARE,))]


def test_a_refusal_is_the_instruments() -> None:
    feed = codec()
    (request,) = feed.subscribe({SHARE: FeedMode.QUOTE})
    assert isinstance(request, Request)
    with pytest.raises(DataError):
        list(feed.answered(request, DataError("Instrument not found")))


@pytest.mark.parametrize("text", [True, False])
def test_ticks_of_each_code(text: bool) -> None:
    feed = codec()
    feed.subscribe({SHARE: FeedMode.DEPTH})
    (ltp,) = feed.decode(event(SHARE, LTP, text=text))
    assert isinstance(ltp, Tick)
    assert (ltp.mode, ltp.ltp, ltp.last_quantity) == (FeedMode.LTP, 1495.6, 12)
    # Seconds since 1980 by the clock of India.
    assert ltp.ltt == 1_763_613_900_000
    (quote,) = feed.decode(event(SHARE, TOUCHLINE, text=text))
    assert isinstance(quote, Tick)
    assert (quote.mode, quote.close, quote.volume) == (FeedMode.QUOTE, 1487.9, 4_512_345)
    assert (quote.bid, quote.ask_quantity, quote.unknown) == (1495.5, 200, 0)
    (depth,) = feed.decode(event(SHARE, DEPTH, text=text))
    assert isinstance(depth, Tick) and depth.depth == TICK.depth
    assert (depth.mode, depth.bid, depth.ask) == (FeedMode.DEPTH, 1495.5, 1495.7)


def test_open_interest_is_unknown_until_it_is_told_and_goes_with_the_next_line() -> None:
    """Alone it is no tick: prices of half an hour ago would seem fresh, and a mute feed alive."""
    feed = codec()
    feed.subscribe({FUTURE: FeedMode.QUOTE})
    (before,) = feed.decode(event(FUTURE, TOUCHLINE))
    assert isinstance(before, Tick) and not before.knows(Part.OI)
    assert list(feed.decode(event(FUTURE, INTEREST))) == []
    (after,) = feed.decode(event(FUTURE, TOUCHLINE))
    assert isinstance(after, Tick) and (after.oi, after.knows(Part.OI)) == (987_654, True)


def test_the_answer_tells_open_interest_alone_and_nothing_else() -> None:
    """In a closed market no further line would bring it."""
    feed = codec()
    _, request = feed.subscribe({FUTURE: FeedMode.QUOTE})
    assert isinstance(request, Request)
    snapshot = json.dumps(message(TICK, INTEREST, *PLACES[FUTURE], NOW))
    (tick,) = feed.answered(request, [snapshot])
    assert isinstance(tick, Tick) and (tick.oi, tick.parts) == (987_654, Part.OI)
    assert list(codec().answered(request, None)) == []


def test_zeros_are_no_prices() -> None:
    feed = codec()
    feed.subscribe({SHARE: FeedMode.QUOTE})
    line = {"ExchangeSegment": 1, "ExchangeInstrumentID": 2885, "LastTradedPrice": 0, "Open": 0,
            "BidInfo": {"Price": 9.5, "Size": 3}, "Close": 0}  # fmt: skip
    (tick,) = feed.decode(Message("1501-json-full", json.dumps(line)))
    assert isinstance(tick, Tick) and (tick.bid, tick.parts) == (9.5, Part.TOUCH | Part.OI)
    (tick,) = feed.decode(Message("1501-json-full", json.dumps({**line, "Close": 9})))
    assert isinstance(tick, Tick) and tick.unknown == Part.LTP
    assert list(feed.decode(Message("1512-json-full", json.dumps(line)))) == []


def test_what_was_never_subscribed_or_is_no_market_data_says_nothing() -> None:
    feed = codec()
    assert list(feed.decode(event(SHARE, TOUCHLINE))) == []
    feed.subscribe({SHARE: FeedMode.QUOTE})
    for topic, data in (
        ("joined", "welcome"),
        ("message", "Market is open"),
        ("1505-json-full", json.dumps({"ExchangeSegment": 1, "ExchangeInstrumentID": 2885})),
        ("1105-json-partial", "t:1_2885,210:5"),
        ("1105-json-partial", "t:1_2885,110:nan"),
    ):
        assert list(feed.decode(Message(topic, data))) == []
    (tick,) = feed.decode(Message("message", event(SHARE, TOUCHLINE).data))
    assert isinstance(tick, Tick)
    (tick,) = feed.decode(Message("1105-json-partial", "t:1_2885,110:1495.7,111:5,112:9"))
    assert isinstance(tick, Tick)
    assert (tick.mode, tick.ltp, tick.last_quantity) == (FeedMode.LTP, 1495.7, 5)


@pytest.mark.parametrize("data", ['{"ExchangeSegment": 1', "[]", b"\xff", 7, None])
def test_what_cannot_be_read_is_told(data: Any) -> None:
    feed = codec()
    feed.subscribe({SHARE: FeedMode.QUOTE})
    (failure,) = feed.decode(Message("1501-json-full", data))
    assert isinstance(failure, Failure)


def test_an_error_of_the_session_is_doubtful_and_ends_nothing_else() -> None:
    feed = codec()
    (failure,) = feed.decode(Message("error", "Invalid Token"))
    assert isinstance(failure, Failure) and isinstance(failure.error, DoubtfulSession)
    (failure,) = feed.decode(Message("error", "Too many instruments"))
    assert isinstance(failure, Failure) and not isinstance(failure.error, DoubtfulSession)


def test_binary_and_json_say_the_same() -> None:
    texts, bytes_ = codec(), codec()
    for feed in (texts, bytes_):
        feed.subscribe({FUTURE: FeedMode.DEPTH})
    for code in (INTEREST, TOUCHLINE, DEPTH):
        data = message(TICK, code, *PLACES[FUTURE], NOW)
        said = list(texts.decode(Message(f"{code}-json-full", json.dumps(data))))
        for deflated in (True, False):
            packed = list(
                bytes_.decode(Message("xts-binary-packet", packet(data, deflated=deflated)))
            )
            assert packed == said
            bytes_.subscribe({FUTURE: FeedMode.DEPTH})


def test_binary_that_cannot_be_read_is_counted_and_told_once() -> None:
    feed = codec()
    feed.subscribe({SHARE: FeedMode.QUOTE})
    events = [e for _ in range(50) for e in feed.decode(Message("xts-binary-packet", b"\x05abc"))]
    assert feed.undecoded == 50
    assert len(events) == 1 and isinstance(events[0], Failure)
    (failure,) = feed.decode(Message("xts-binary-packet", "text"))
    assert isinstance(failure, Failure)


# -- orders ---------------------------------------------------------------------------------
def test_orders_and_trades_are_rows_of_the_order_book() -> None:
    feed = XtsOrders(TABLE, ManualClock(datetime(2025, 11, 20, 10, 15, tzinfo=IST)))
    row = {"AppOrderID": 1100021001, "OrderStatus": "New"}
    for topic in ("order", "trade"):
        assert list(feed.decode(Message(topic, json.dumps(row)))) == [OrderRow(row)]
        assert list(feed.decode(Message(topic, row))) == [OrderRow(row)]
        (failure,) = feed.decode(Message(topic, "{"))
        assert isinstance(failure, Failure)
    for topic in ("position", "tradeConversion"):
        assert list(feed.decode(Message(topic, "{}"))) == []


def test_orders_are_told_to_who_has_joined() -> None:
    feed = XtsOrders(TABLE, ManualClock(datetime(2025, 11, 20, 10, 15, tzinfo=IST)))
    assert feed.awaits_ready and list(feed.decode(Message("joined", "welcome"))) == [Ready()]


@pytest.mark.parametrize(("topic", "data"), [("logout", "bye"), ("error", "Invalid Token")])
def test_the_end_of_the_session_has_to_be_confirmed(topic: str, data: str) -> None:
    feed = XtsOrders(TABLE, ManualClock(datetime(2025, 11, 20, 10, 15, tzinfo=IST)))
    (failure,) = feed.decode(Message(topic, data))
    assert isinstance(failure, Failure) and isinstance(failure.error, DoubtfulSession)


def test_a_tick_is_a_tick_whatever_it_lacks() -> None:
    feed = codec()
    feed.subscribe({SHARE: FeedMode.QUOTE})
    data = {"ExchangeSegment": 1, "ExchangeInstrumentID": 2885, "LastTradedPrice": 5, "Open": None}
    (tick,) = feed.decode(Message("1501-json-full", msgspec.json.encode(data)))
    assert isinstance(tick, Tick) and (tick.ltp, tick.open, tick.ltt) == (5.0, 0.0, 0)
    assert tick.unknown == Part.DAY
    data.pop("LastTradedPrice")
    (failure,) = feed.decode(Message("1501-json-full", msgspec.json.encode(data)))
    assert isinstance(failure, Failure)
