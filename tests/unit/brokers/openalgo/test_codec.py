"""The OpenAlgo WebSocket codec: frames out, frames in, and what servers get wrong."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from openalgo_desktop.brokers.kit.feed.codec import Failure, OrderRow, Ready, Refused, Reply
from openalgo_desktop.brokers.openalgo.codec import OpenAlgoCodec
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import ProtocolError, SessionExpired, SymbolUnknown
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Level, Part, Tick

SBIN, NIFTY = ("NSE", "SBIN"), ("NSE_INDEX", "NIFTY")
LTP, QUOTE, DEPTH = FeedMode.LTP, FeedMode.QUOTE, FeedMode.DEPTH


@pytest.fixture
def codec() -> OpenAlgoCodec:
    table = InstrumentTable()
    table.load(Instrument(symbol=s, exchange=e) for e, s in (SBIN, NIFTY))
    clock = ManualClock(datetime(2026, 12, 1, 13, 30, tzinfo=IST))
    return OpenAlgoCodec(table, clock, {"api_key": "k" * 64})


def sent(frames: Any) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in frames]


def market(mode: int, data: dict[str, Any], key: tuple[str, str] = SBIN) -> str:
    return json.dumps(
        {"type": "market_data", "symbol": key[1], "exchange": key[0], "mode": mode,
         "broker": "x", "data": data}
    )  # fmt: skip


def test_log_in_then_order_stream(codec: OpenAlgoCodec) -> None:
    assert codec.awaits_ready
    assert sent(codec.opened()) == [{"action": "authenticate", "api_key": "k" * 64}]
    ready, reply = codec.decode('{"type":"auth","status":"success","broker":"x","user_id":"u"}')
    assert isinstance(ready, Ready) and isinstance(reply, Reply)
    assert sent(reply.frames) == [{"action": "subscribe_orders"}]


def test_subscriptions_and_a_change_of_mode(codec: OpenAlgoCodec) -> None:
    assert sent(codec.subscribe({SBIN: LTP, NIFTY: QUOTE})) == [
        {"action": "subscribe", "symbols": [{"symbol": "SBIN", "exchange": "NSE"}],
         "mode": 1, "depth": 5},
        {"action": "subscribe", "symbols": [{"symbol": "NIFTY", "exchange": "NSE_INDEX"}],
         "mode": 2, "depth": 5},
    ]  # fmt: skip
    assert sent(codec.subscribe({SBIN: DEPTH})) == [
        {"action": "subscribe", "symbols": [{"symbol": "SBIN", "exchange": "NSE"}],
         "mode": 3, "depth": 5},
        {"action": "unsubscribe", "symbols": [{"symbol": "SBIN", "exchange": "NSE", "mode": 1}]},
    ]  # fmt: skip
    # asking again for the same changes nothing at the server
    assert [f["action"] for f in sent(codec.subscribe({SBIN: DEPTH}))] == ["subscribe"]
    assert sent(codec.unsubscribe([SBIN, ("NSE", "NEVER")])) == [
        {"action": "unsubscribe", "symbols": [{"symbol": "SBIN", "exchange": "NSE", "mode": 3}]}
    ]
    assert list(codec.unsubscribe([SBIN])) == []


def test_unknown_symbol_is_refused_before_the_wire(codec: OpenAlgoCodec) -> None:
    with pytest.raises(SymbolUnknown):
        codec.subscribe({SBIN: LTP, ("NSE", "NOPE"): LTP})


def test_full_tick(codec: OpenAlgoCodec) -> None:
    codec.subscribe({SBIN: DEPTH})
    (tick,) = codec.decode(
        market(3, {
            "symbol": "SBIN", "exchange": "NSE", "mode": "full",
            "ltp": 812.5, "ltt": 1795146312000, "timestamp": 1795146312417, "open": 805.0,
            "high": 815.9, "low": 803.1, "close": 804.2, "volume": 7345210, "last_quantity": 25,
            "average_price": 810.37, "change": 8.3, "oi": 3, "total_buy_quantity": 512300,
            "total_sell_quantity": 498120, "upper_circuit": 884.6, "lower_circuit": 723.8,
            "depth": {"buy": [{"price": 812.45, "quantity": 340, "orders": 4}],
                      "sell": [{"price": 812.55, "quantity": 120, "orders": 2}]},
        })
    )  # fmt: skip
    assert isinstance(tick, Tick)
    assert tick.key == SBIN and tick.mode is DEPTH
    assert (tick.ltp, tick.open, tick.high, tick.low, tick.close) == (
        812.5, 805.0, 815.9, 803.1, 804.2,
    )  # fmt: skip
    assert (tick.ltt, tick.timestamp) == (1795146312000, 1796112000000)
    assert (tick.volume, tick.last_quantity, tick.average_price, tick.oi) == (
        7345210, 25, 810.37, 3,
    )  # fmt: skip
    assert (tick.total_buy_quantity, tick.total_sell_quantity) == (512300, 498120)
    assert (tick.upper_circuit, tick.lower_circuit) == (884.6, 723.8)
    assert tick.depth is not None
    assert tick.depth.buy == (Level(812.45, 340, 4),) and tick.depth.sell == (
        Level(812.55, 120, 2),
    )
    assert (tick.bid, tick.bid_quantity, tick.ask, tick.ask_quantity) == (812.45, 340, 812.55, 120)


def test_other_spellings_nulls_and_numbers_as_texts(codec: OpenAlgoCodec) -> None:
    codec.subscribe({SBIN: QUOTE})
    (tick,) = codec.decode(
        market(2, {"ltp": "812.5", "ltt": 1795146312, "open": None, "volume": 12.0, "oi": "7",
                   "last_trade_quantity": 25, "avg_trade_price": 810.37,
                   "bid_price": 812.4, "ask_price": 812.6, "bid_size": 3, "ask_size": 4})
    )  # fmt: skip
    assert isinstance(tick, Tick)
    assert (tick.ltp, tick.open, tick.volume, tick.oi) == (812.5, 0.0, 12, 7)
    assert tick.ltt == 1795146312000  # given in seconds
    assert (tick.last_quantity, tick.average_price) == (25, 810.37)
    assert (tick.bid, tick.ask, tick.bid_quantity, tick.ask_quantity) == (812.4, 812.6, 3, 4)


EMPTY_BOOK = {"buy": [{"price": 0, "quantity": 0}] * 5, "sell": []}


@pytest.mark.parametrize(
    ("mode", "data", "unknown"),
    [
        (QUOTE, {"oi": 0}, Part.TOUCH),
        (QUOTE, {"oi": 0, "bid_price": 0, "ask_price": 0}, Part.TOUCH),
        (QUOTE, {"oi": 0, "bid_price": 0, "ask_price": 812.6}, 0),
        (QUOTE, {"bid_price": 812.4}, Part.OI),
        (DEPTH, {"oi": 0}, Part.TOUCH | Part.BOOK),
        (DEPTH, {"oi": 0, "depth": EMPTY_BOOK}, Part.TOUCH),
        (DEPTH, {"oi": 0, "depth": {"buy": [], "sell": []}}, Part.TOUCH),
        (LTP, {}, 0),
    ],
)
def test_what_a_frame_lacks_is_unknown_and_not_0(
    codec: OpenAlgoCodec, mode: FeedMode, data: dict[str, Any], unknown: int
) -> None:
    codec.subscribe({SBIN: mode})
    (tick,) = codec.decode(market(int(mode), {"ltp": 812.5, "open": 805.0, **data}))
    assert isinstance(tick, Tick) and tick.unknown == unknown


def test_an_index_has_no_bid_and_ask_and_that_is_known(codec: OpenAlgoCodec) -> None:
    codec.subscribe({NIFTY: QUOTE})
    (tick,) = codec.decode(market(2, {"ltp": 26000.0, "open": 25900.0}, NIFTY))
    assert isinstance(tick, Tick) and tick.unknown == 0


@pytest.mark.parametrize(
    "frame",
    [
        market(1, {"open": 5}),  # no price
        market(2, {"ltp": 5}),  # the tail of a mode that was left
        market(1, {"ltp": 5}, NIFTY),  # never asked
        market(7, {"ltp": 5}),
        '{"type":"market_data","symbol":"SBIN","exchange":"NSE","mode":1}',
        '{"type":"pong","status":"success","server_timestamp":1}',
        '{"type":"unsubscribe","status":"success","successful":[]}',
        '{"type":"something new","list":[1,2]}',
    ],
)
def test_frames_that_say_nothing_to_us(codec: OpenAlgoCodec, frame: str) -> None:
    codec.subscribe({SBIN: LTP})
    assert list(codec.decode(frame)) == []


def test_order_updates_keep_the_servers_fields(codec: OpenAlgoCodec) -> None:
    row = {"type": "order_update", "orderid": "1", "order_status": "open", "quantity": 5}
    assert list(codec.decode(json.dumps(row))) == [OrderRow(row)]


def test_refused_items_of_a_subscription(codec: OpenAlgoCodec) -> None:
    codec.subscribe({SBIN: LTP, NIFTY: LTP})
    (refused,) = codec.decode(
        json.dumps({
            "type": "subscribe", "status": "partial", "message": "done", "broker": "x",
            "subscriptions": [
                {"symbol": "SBIN", "exchange": "NSE", "status": "success", "mode": "LTP"},
                {"symbol": "NIFTY", "exchange": "NSE_INDEX", "status": "error",
                 "message": "Symbol NIFTY not found for exchange NSE_INDEX"},
            ],
        })
    )  # fmt: skip
    assert isinstance(refused, Refused)
    assert refused.key == NIFTY and "not found" in refused.error.message


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ('{"status":"error","code":"AUTHENTICATION_ERROR","message":"Invalid API key"}',
         SessionExpired),
        ('{"status":"error","code":"NOT_AUTHENTICATED","message":"first"}', SessionExpired),
        ('{"status":"error","code":"INVALID_MODE","message":"Invalid mode 7"}', ProtocolError),
        ("[]", ProtocolError),
        ("{", ProtocolError),
        ('{"type":5}', ProtocolError),
    ],
)  # fmt: skip
def test_errors(codec: OpenAlgoCodec, frame: str, kind: type[Exception]) -> None:
    (failure,) = codec.decode(frame)
    assert isinstance(failure, Failure)
    assert type(failure.error) is kind
    assert "k" * 64 not in str(failure.error)


@pytest.mark.parametrize("value", ["NaN", "inf", "-Infinity", 1e308])
@pytest.mark.parametrize("field", ["ltp", "timestamp", "volume", "oi"])
def test_numbers_beyond_sense_make_the_frame_unreadable(
    codec: OpenAlgoCodec, field: str, value: object
) -> None:
    codec.subscribe({SBIN: QUOTE})
    (event,) = codec.decode(market(2, {"ltp": 800.0, field: value}))
    assert isinstance(event, Failure) and isinstance(event.error, ProtocolError)
