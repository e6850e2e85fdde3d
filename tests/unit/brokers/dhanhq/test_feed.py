"""What Dhan's sockets say beside prices: the previous close, ends, odd frames, times."""

from __future__ import annotations

import json
import random
import struct
from datetime import datetime

import pytest

from openalgo_desktop.brokers.families.dhanhq.depth import DepthCodec, FullDepthCodec
from openalgo_desktop.brokers.families.dhanhq.feed import DhanCodec
from openalgo_desktop.brokers.families.dhanhq.pushes import OrderCodec
from openalgo_desktop.brokers.kit.feed.codec import Failure, OrderRow
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import AppError, DataError, NotSupported, SessionExpired
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.ticks import Part, Tick
from tests.unit.brokers.dhanhq.dhan_frames import book, head, index, packet, row

NOW = datetime(2026, 12, 1, 11, 0, tzinfo=IST)
ID, OTHER = (2, 53001), (1, 3045)
KEY = row(*ID).key


def codec(mode: FeedMode = FeedMode.QUOTE) -> DhanCodec:
    made = DhanCodec(index([ID, OTHER]), ManualClock(NOW))
    made.subscribe({KEY: mode, row(*OTHER).key: mode})
    return made


def quote(price: float, close: float = 0.0, traded: int = 0) -> bytes:
    day = struct.pack("<fHIfIII", price, 1, traded, price, 1, 1, 1)
    return head(4, 50, *ID) + day + struct.pack("<ffff", price, close, price, price)


def only(events: object) -> Tick:
    (tick,) = list(events)  # type: ignore[call-overload]
    assert isinstance(tick, Tick)
    return tick


def test_the_previous_close_stays() -> None:
    """The field of a quote is empty while the market is open."""
    made = codec()
    assert list(made.decode(head(6, 16, *ID) + struct.pack("<fI", 100.5, 7))) == []
    assert only(made.decode(quote(101.0))).close == 100.5
    assert only(made.decode(quote(102.0, close=102.0))).close == 100.5
    assert only(codec().decode(quote(102.0, close=99.5))).close == 99.5
    assert list(made.decode(head(6, 16, *ID) + struct.pack("<fI", float("nan"), 7))) == []
    assert only(made.decode(quote(101.0))).close == 100.5


def test_open_interest_comes_beside_a_quote_and_stays() -> None:
    made = codec()
    assert not only(made.decode(quote(101.0))).knows(Part.OI)
    interest = head(5, 12, *ID) + struct.pack("<I", 4200)
    joined = only(made.decode(quote(101.0) + interest))
    assert joined.oi == 4200 and joined.knows(Part.OI) and joined.ltp == 101.0
    alone = only(made.decode(interest))
    assert alone.oi == 4200 and not alone.knows(Part.LTP)
    assert only(made.decode(quote(103.0))).oi == 4200


def test_times_are_the_indian_wall_clock() -> None:
    """Written as an epoch they lie five and a half hours ahead; one in the past may be right."""
    made, now = codec(), int(NOW.timestamp())
    assert only(made.decode(quote(101.0, traded=now - 60))).ltt == (now - 60) * 1000
    assert only(made.decode(quote(101.0, traded=now + 19_800))).ltt == now * 1000
    assert only(made.decode(quote(101.0, traded=now + 19_740))).ltt == (now - 60) * 1000


@pytest.mark.parametrize("packets", [1, 20])
def test_high_prices_are_rounded_to_the_tick(packets: int) -> None:
    """A float32 has steps of 1.6 paise there: two decimals would show its noise."""
    rng = random.Random(3)
    made = codec(FeedMode.DEPTH)
    frame = bytearray(packet("full", *ID, rng))
    for at, price in ((8, 140_000.15), (62 + 12, 140_000.1), (62 + 16, 140_000.2)):
        frame[at : at + 4] = struct.pack("<f", price)
    for event in made.decode(bytes(frame) * packets):
        assert isinstance(event, Tick)
        assert (event.ltp, event.bid, event.ask) == (140_000.15, 140_000.1, 140_000.2)


@pytest.mark.parametrize("kind", ["ticker", "quote", "full"])
@pytest.mark.parametrize("packets", [1, 9])
@pytest.mark.parametrize("price", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_price_spoils_its_own_packet_only(kind: str, packets: int, price: float) -> None:
    good = packet(kind, *ID, random.Random(4))
    odd = good[:8] + struct.pack("<f", price) + good[12:]
    events = list(codec(FeedMode.DEPTH).decode(good * packets + odd + good))
    assert [type(event) for event in events] == [Tick] * packets + [Failure, Tick]


def test_frames_that_end_early_and_kinds_that_nobody_knows() -> None:
    made, rng = codec(), random.Random(5)
    good, other = packet("quote", *ID, rng), packet("ticker", *OTHER, rng)
    for cut in range(1, 66):
        events = list(made.decode((good + other)[:cut]))
        assert sum(isinstance(e, Tick) for e in events) == (cut >= 50)
        assert any(isinstance(e, Failure) for e in events) == (cut not in (50,))
    unknown = struct.pack("<BHBI", 1, 20, 2, 53001) + b"x" * 12
    status = head(7, 8, 0, 0)
    assert len(list(made.decode(unknown + good + status + other))) == 2
    made.unsubscribe([KEY])
    assert len(list(made.decode(good + other))) == 1
    assert list(made.decode("text")) == []


@pytest.mark.parametrize(
    ("reason", "kind"), [(805, AppError), (806, NotSupported), (807, SessionExpired)]
)
def test_why_the_server_leaves(reason: int, kind: type[AppError]) -> None:
    (event,) = codec().decode(head(50, 10, 0, 0) + struct.pack("<H", reason))
    assert isinstance(event, Failure) and isinstance(event.error, kind)
    deep = DepthCodec(index([OTHER]), ManualClock(NOW))
    for frame in (
        struct.pack("<HBBIIH", 14, 50, 0, 0, 0, reason),  # documented
        struct.pack("<HBBII", 12, 50, 0, 0, reason),  # as the SDK reads it
    ):
        (event,) = deep.decode(frame)
        assert isinstance(event, Failure) and isinstance(event.error, kind)


def test_a_move_ends_the_former_mode() -> None:
    made = codec(FeedMode.LTP)
    frames = [json.loads(frame) for frame in made.subscribe({KEY: FeedMode.DEPTH})]
    assert [frame["RequestCode"] for frame in frames] == [16, 21]
    assert [frame["RequestCode"] for frame in map(json.loads, made.unsubscribe([KEY]))] == [22]


def test_deeper_books_want_both_sides_and_their_exchanges() -> None:
    table = index([OTHER, (5, 9)])
    made = DepthCodec(table, ManualClock(NOW))
    with pytest.raises(DataError, match="NSE and NFO only"):
        made.subscribe({row(5, 9).key: FeedMode.DEPTH})
    (asked,) = made.subscribe({row(*OTHER).key: FeedMode.DEPTH})
    assert json.loads(asked)["InstrumentList"] == [
        {"ExchangeSegment": "NSE_EQ", "SecurityId": "3045"}
    ]
    frame = book(20, *OTHER, random.Random(6))
    bids, asks = frame[:332], frame[332:]
    assert list(made.decode(bids)) == []
    tick = only(made.decode(asks))
    assert tick.depth is not None and len(tick.depth.buy) == len(tick.depth.sell) == 20
    assert tick.knows(Part.TOUCH | Part.BOOK) and not tick.knows(Part.LTP)
    assert tick.bid == tick.depth.buy[0].price
    assert list(made.decode(asks)) == []  # the bids of another moment are not put to it
    (event,) = made.decode(bids[:-1])
    assert isinstance(event, Failure)


def test_200_levels_are_asked_flat_and_have_as_many_rows_as_they_say() -> None:
    made = FullDepthCodec(index([OTHER]), ManualClock(NOW))
    (asked,) = made.subscribe({row(*OTHER).key: FeedMode.DEPTH})
    assert json.loads(asked) == {
        "RequestCode": 23, "ExchangeSegment": "NSE_EQ", "SecurityId": "3045",
    }  # fmt: skip
    frame = bytearray(book(200, *OTHER, random.Random(6)))
    frame[8:12] = struct.pack("<I", 3)  # rows of the bids
    tick = only(made.decode(bytes(frame)))
    assert tick.depth is not None
    assert (len(tick.depth.buy), len(tick.depth.sell)) == (3, 200)


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_an_order_message_in_any_case(case: object) -> None:
    assert callable(case)
    data = {
        "orderNo": "7", "exchange": "NSE", "segment": "D", "securityId": "53001", "txnType": "S",
        "orderType": "SLM", "product": "M", "quantity": 75, "tradedQty": 25, "price": 0,
        "triggerPrice": 99.5, "avgTradedPrice": 99.0, "status": "Part_traded",
        "reasonDescription": "CONFIRMED", "correlationId": "O1",
    }  # fmt: skip
    message = {"Type": "order_alert", "Data": {case(name): value for name, value in data.items()}}
    (event,) = OrderCodec(InstrumentTable(), ManualClock(NOW)).decode(json.dumps(message))
    assert isinstance(event, OrderRow)
    assert event.row["orderStatus"] == "PART_TRADED" and event.row["filledQty"] == 25
    assert event.row["exchangeSegment"] == "NSE_FNO" and event.row["productType"] == "MARGIN"
    assert event.row["orderType"] == "STOP_LOSS_MARKET" and event.row["correlationId"] == "O1"
    assert "omsErrorDescription" not in event.row


def test_other_messages_of_the_order_socket() -> None:
    made = OrderCodec(InstrumentTable(), ManualClock(NOW))
    assert list(made.decode('{"Type": "hello"}')) == []
    (event,) = made.decode("no json")
    assert isinstance(event, Failure)
