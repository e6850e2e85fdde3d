"""Binary packets of XTS: what the published layout says is read, everything else is told."""

from __future__ import annotations

import random
import struct

import pytest

from openalgo_desktop.brokers.families.xts.packets import Packet, packets
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import ProtocolError
from openalgo_desktop.core.ticks import Depth, Level, Tick
from tests.emulators.xts_feed import DEPTH, INTEREST, LTP, TOUCHLINE, message, packet

NOW = 1_763_613_900.0
BUY = tuple(Level(1495.5 - i / 10, 100 + i, 3 + i) for i in range(5))
SELL = tuple(Level(1495.7 + i / 10, 200 + i, 5 + i) for i in range(5))
TICK = Tick(
    "RELIANCE", "NSE", 1495.6, FeedMode.DEPTH, open=1487.6, high=1501.6, low=1484.6, close=1487.9,
    volume=4_512_345, last_quantity=12, average_price=1494.35, oi=987_654, bid=1495.5, ask=1495.7,
    bid_quantity=100, ask_quantity=200, total_buy_quantity=251_000, total_sell_quantity=310_500,
    depth=Depth(BUY, SELL),
)  # fmt: skip


def made(code: int, *, deflated: bool = True) -> bytes:
    return packet(message(TICK, code, 2, 37054, NOW), deflated=deflated)


def one(data: bytes) -> Packet:
    (found,) = packets(data)
    assert isinstance(found, Packet)
    return found


@pytest.mark.parametrize("deflated", [True, False])
def test_a_touchline(deflated: bool) -> None:
    found = one(made(TOUCHLINE, deflated=deflated))
    line = found.line
    assert (found.code, found.segment, found.instrument) == (TOUCHLINE, 2, 37054)
    assert line is not None
    assert (line.ltp, line.last_quantity, line.volume) == (1495.6, 12, 4_512_345)
    assert (line.open, line.high, line.low, line.close) == (1487.6, 1501.6, 1484.6, 1487.9)
    assert (line.buying, line.selling, line.average) == (251_000, 310_500, 1494.35)
    assert (found.bids, found.asks) == ([(100, 1495.5, 1)], [(200, 1495.7, 1)])


@pytest.mark.parametrize("deflated", [True, False])
def test_a_depth(deflated: bool) -> None:
    found = one(made(DEPTH, deflated=deflated))
    assert found.line is not None and found.line.ltp == 1495.6
    assert found.bids == [(level.quantity, level.price, level.orders) for level in BUY]
    assert found.asks == [(level.quantity, level.price, level.orders) for level in SELL]


def test_open_interest() -> None:
    found = one(made(INTEREST))
    assert (found.line, found.oi) == (None, 987_654)


def test_several_in_one_event() -> None:
    data = made(TOUCHLINE) + made(INTEREST, deflated=False) + made(DEPTH)
    assert [p.code for p in packets(data) if isinstance(p, Packet)] == [TOUCHLINE, INTEREST, DEPTH]


def test_a_code_without_a_published_layout_is_told() -> None:
    body = struct.pack("<HHHQQiHiQ", LTP, 4, 0, 0, 1, 0, 2, 37054, 0) + bytes(40)
    data = b"\x00" + struct.pack("<HhihhH", LTP, 2, 37054, 1, 1, len(body)) + body
    (found,) = packets(data)
    assert isinstance(found, ProtocolError) and "1512" in found.message
    # What follows can still be delimited.
    good = [p for p in packets(data + made(TOUCHLINE)) if isinstance(p, Packet)]
    assert [p.code for p in good] == [TOUCHLINE]


@pytest.mark.parametrize("change", ["code", "segment", "instrument", "version"])
def test_a_message_that_contradicts_its_packet_is_not_read(change: str) -> None:
    data = message(TICK, TOUCHLINE, 2, 37054, NOW)
    plain = bytearray(packet(data, deflated=False))
    at = {"code": 1, "segment": 3, "instrument": 5, "version": 17}[change]
    plain[at] ^= 4
    found = list(packets(bytes(plain)))
    assert found and all(isinstance(p, ProtocolError) for p in found)


@pytest.mark.parametrize("price", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_price_that_cannot_be_is_not_told_as_one(price: float) -> None:
    data = message(TICK, TOUCHLINE, 2, 37054, NOW)
    data["LastTradedPrice"] = price
    (found,) = packets(packet(data, deflated=True))
    assert isinstance(found, ProtocolError)


def test_cut_anywhere_nothing_is_made_up() -> None:
    for code in (TOUCHLINE, DEPTH, INTEREST):
        for deflated in (True, False):
            whole = made(code, deflated=deflated)
            for end in range(1, len(whole)):
                found = list(packets(whole[:end]))
                assert found and isinstance(found[-1], ProtocolError)


def test_any_bytes_are_survived() -> None:
    chance = random.Random(7)
    whole = [made(code, deflated=d) for code in (TOUCHLINE, DEPTH, INTEREST) for d in (True, False)]
    for _ in range(3000):
        data = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        for found in packets(bytes(data)):
            if isinstance(found, Packet) and found.line is not None:
                assert 0 <= found.line.ltp < 1e9
    assert list(packets(b"")) == []
