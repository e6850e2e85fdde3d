"""Messages of feeds from tables: recorded packets, all kinds of fields, bytes of an enemy."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.internal import api_implementation
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from openalgo_desktop.brokers.kit.feed.protobuf import MAX_MESSAGE, SCALARS, Fields, Schema
from openalgo_desktop.core.errors import ProtocolError
from tests.unit.brokers.kit.protobuf_tables import FYERS, GROWW, HDFC, NUBRA, UPSTOX

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[3] / "data" / "vectors" / "protobuf.json").read_text(encoding="utf-8")
)
#: Upstox's enums, which are numbers for us and words in the recording.
TYPES = ("initial_feed", "live_feed", "market_info")
STATUS = ("PRE_OPEN_START", "PRE_OPEN_END", "NORMAL_OPEN")


def packets(broker: str, case: str) -> list[bytes]:
    found = next(row for row in VECTORS[broker] if row["id"] == case)
    return [bytes.fromhex(text) for text in found["packets"]]


def test_the_fast_runtime_is_the_one_in_use() -> None:
    assert api_implementation.Type() == "upb"


# -- recorded packets --------------------------------------------------------------------------
@pytest.mark.parametrize("case", VECTORS["upstox"], ids=lambda case: case["id"])
def test_recorded_upstox_packets(case: dict[str, Any]) -> None:
    (data,) = case["packets"]
    read = MessageToDict(UPSTOX.reader("FeedResponse")(bytes.fromhex(data)))
    if "type" in read:
        read["type"] = TYPES[read["type"]]
    for status in (read.get("marketInfo", {}).get("segmentStatus", {}),):
        status.update({name: STATUS[number] for name, number in status.items()})
    wanted = case["decoded"]
    for feed in wanted.get("feeds", {}).values():
        if mode := {"full_d5": 1, "option_greeks": 2, "full_d30": 3}.get(feed.get("requestMode")):
            feed["requestMode"] = mode
    assert read == wanted


def test_a_tick_of_upstox_as_a_codec_reads_it() -> None:
    response = UPSTOX.reader("FeedResponse")(packets("upstox", "full_depth")[0])
    ((key, feed),) = response.feeds.items()
    assert key == "NSE_EQ|INE062A01020" and response.currentTs == 1796112000123
    assert not feed.HasField("ltpc") and feed.fullFeed.HasField("marketFF")
    full = feed.fullFeed.marketFF
    assert (full.ltpc.ltp, full.ltpc.ltq, full.ltpc.cp) == (812.3, 7, 805.4)
    best = full.marketLevel.bidAskQuote[0]
    assert (best.bidP, best.bidQ, best.askP, best.askQ) == (812.3, 5, 812.35, 172)
    assert full.oi == 0.0  # absent on the wire


def test_recorded_groww_packets() -> None:
    read = GROWW.reader("Response")
    book, price = map(read, packets("groww", "depth_sbin"))
    buys = dict(book.stocksMarketDepth.buyBook)
    assert sorted(buys) == [1, 2, 3, 4, 5]
    assert (buys[1].price, buys[1].qty) == (812.3, 5.0)
    assert price.segment == 0 and price.exchange == 1
    assert price.stockLivePrice.ltp == 812.3 and price.stockLivePrice.volume == 1192471.0
    order = GROWW.reader("OrderDetails")(packets("groww", "order_open_cash")[0]).order
    assert (order.growwOrderId, order.contractId) == ("GMK261201000000", "INE062A01020")
    assert (order.qty, order.price) == (10, 81230)


def test_recorded_nubra_packets() -> None:
    def inner(data: bytes) -> bytes:
        unpack = NUBRA.reader("Any")
        value: bytes = unpack(unpack(data).value).value
        return value

    (row,) = NUBRA.reader("Indexes")(inner(packets("nubra", "ltp_index")[0])).indexes
    assert (row.indexname, row.index_value, row.exchange) == ("Nifty 50", 2611025, "NSE")
    assert row.changepercent == pytest.approx(0.17)
    (book,) = NUBRA.reader("Orderbooks")(inner(packets("nubra", "depth_stock")[0])).instruments
    assert [level.price for level in book.bids] == [81230, 81225, 81220, 81215, 81210]
    assert (book.asks[1].price, book.asks[1].quantity, book.asks[1].orders) == (81245, 201, 3)
    assert book.ltp == 81235


def test_recorded_hdfc_packets() -> None:
    future, index = HDFC.reader("GenericDTOList")(packets("hdfcsky", "two_packets")[0]).items
    assert (future.mbpData.lastTradedPrice, future.mbpData.oi) == (26111.0, 12500650)
    buys = [level for level in future.mbpData.depth.levels if level.buyFlag]
    assert [level.qty for level in buys] == [100, 101, 102, 103, 104]
    assert (index.packetType, index.HasField("mbpData")) == (2, False)


def test_recorded_fyers_packets() -> None:
    (feed,) = FYERS.reader("SocketMessage")(packets("fyers", "tbt_diff")[0]).feeds.values()
    assert feed.ticker == "NSE:SBIN-EQ" and not feed.snapshot
    assert [level.price.value for level in feed.depth.asks] == [81240]
    (bid,) = feed.depth.bids
    assert (bid.qty.value, bid.HasField("price"), bid.HasField("num")) == (150, False, True)


# -- every kind of field -----------------------------------------------------------------------
KINDS: Fields = {number: (f"f_{name}", name) for number, name in enumerate(SCALARS, 1)}
ALL = Schema(
    {
        "All": {
            **KINDS,
            20: ("many", "repeated int64"), 21: ("inner", "All"), 22: ("inners", "repeated All"),
            23: ("named", "map string All"), 24: ("numbered", "map int32 double"),
            25: ("perhaps", "optional int32"), 2_000_000: ("far", "string"),
        }
    }
)  # fmt: skip
read_all = ALL.reader("All")


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))


def wire(number: int, kind: str, value: Any) -> bytes:
    """A field written by hand, independently of the runtime."""
    if kind in ("string", "bytes"):
        data = value.encode() if isinstance(value, str) else value
        return varint(number << 3 | 2) + varint(len(data)) + data
    if fixed := {"double": "<d", "fixed64": "<Q", "sfixed64": "<q"}.get(kind):
        return varint(number << 3 | 1) + struct.pack(fixed, value)
    if fixed := {"float": "<f", "fixed32": "<I", "sfixed32": "<i"}.get(kind):
        return varint(number << 3 | 5) + struct.pack(fixed, value)
    if kind in ("sint32", "sint64"):
        value = value << 1 if value >= 0 else (-value << 1) - 1
    return varint(number << 3) + varint(int(value))


def signed(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)


VALUES = st.fixed_dictionaries(
    {},
    optional={
        **{f"{prefix}32": signed(32) for prefix in ("int", "sint", "sfixed")},
        **{f"{prefix}64": signed(64) for prefix in ("int", "sint", "sfixed")},
        **{f"{prefix}32": st.integers(0, (1 << 32) - 1) for prefix in ("uint", "fixed")},
        **{f"{prefix}64": st.integers(0, (1 << 64) - 1) for prefix in ("uint", "fixed")},
        "double": st.floats(allow_nan=False),
        "float": st.floats(allow_nan=False, width=32),
        "bool": st.booleans(),
        "string": st.text(max_size=20),
        "bytes": st.binary(max_size=20),
    },
)
UNKNOWN = st.sampled_from(
    [b"", wire(99, "int64", -1), wire(98, "string", "?"), wire(97, "double", 1.5),
     wire(96, "float", 1.5)]
)  # fmt: skip


@given(VALUES, UNKNOWN)
def test_every_scalar_is_read_as_it_was_written(values: dict[str, Any], unknown: bytes) -> None:
    numbers = {kind: number for number, (_, kind) in KINDS.items()}
    data = b"".join(wire(numbers[kind], kind, value) for kind, value in values.items())
    read = read_all(unknown + data + unknown)
    for kind in SCALARS:
        empty: Any = {"string": "", "bytes": b""}.get(kind, 0)
        assert getattr(read, f"f_{kind}") == values.get(kind, empty), kind


@given(st.lists(signed(64)), st.booleans())
def test_repeated_numbers_packed_and_not(values: list[int], packed: bool) -> None:
    if packed:
        data = wire(20, "bytes", b"".join(map(varint, values)))
    else:
        data = b"".join(wire(20, "int64", value) for value in values)
    assert list(read_all(data).many) == values


@given(st.dictionaries(signed(32), st.floats(allow_nan=False)))
def test_maps(values: dict[int, float]) -> None:
    data = b"".join(
        wire(24, "bytes", wire(1, "int32", key) + wire(2, "double", value))
        for key, value in values.items()
    )
    assert dict(read_all(data).numbered) == values


def test_messages_in_messages() -> None:
    inner = wire(3, "int32", 7)
    data = (
        wire(21, "bytes", inner) + wire(22, "bytes", inner) + wire(22, "bytes", b"")
        + wire(23, "bytes", wire(1, "string", "₹") + wire(2, "bytes", inner))
        + wire(2_000_000, "string", "far")
    )  # fmt: skip
    read = read_all(data)
    assert read.inner.f_int32 == 7 and [row.f_int32 for row in read.inners] == [7, 0]
    assert read.named["₹"].f_int32 == 7 and read.far == "far"


def test_what_is_absent_can_be_told_where_it_matters() -> None:
    assert not read_all(b"").HasField("perhaps") and not read_all(b"").HasField("inner")
    assert read_all(wire(25, "int32", 0)).HasField("perhaps")


def test_a_codec_can_write_what_it_reads() -> None:
    message = ALL.message("All")(f_string="x", many=[1, -1], inner={"f_double": 0.5})
    read = read_all(message.SerializeToString())
    assert (read.f_string, list(read.many), read.inner.f_double) == ("x", [1, -1], 0.5)


# -- bytes of an enemy -------------------------------------------------------------------------
def survives(data: bytes) -> None:
    for schema, name in ((ALL, "All"), (UPSTOX, "FeedResponse"), (GROWW, "Response")):
        try:
            schema.reader(name)(data)
        except ProtocolError as error:
            assert f"{len(data)} bytes" in error.message


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    survives(data)


RECORDED = [bytes.fromhex(text) for row in VECTORS["upstox"] for text in row["packets"]]


@given(st.sampled_from(RECORDED), st.data())
def test_spoilt_packets_are_read_or_refused(packet: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(packet) - 1))
    survives(packet[:at])
    survives(packet[:at] + bytes((data.draw(st.integers(0, 255)),)) + packet[at + 1 :])


@pytest.mark.parametrize(
    "data",
    [
        b"\x08",  # a key without its value
        b"\x08" + b"\xff" * 11,  # a number that does not end
        b"\x09\x00",  # half a double
        b"\xa2\x01\xff\xff\xff\xff\x0f",  # a length beyond the end
        b"\x00\x00",  # field number 0
        b"\x0f\x00",  # a wire type that does not exist
        b"\x0c",  # the end of a group that did not begin
        wire(14, "bytes", b"\xff\xfe"),  # a string that is not UTF-8
        MAX_MESSAGE * b"\x00" + b"\x00",
    ],
)
def test_what_cannot_be_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError, match=f"A All of {len(data)} bytes"):
        read_all(data)


def test_nesting_has_a_bound() -> None:
    data = b""
    for _ in range(5000):
        data = wire(21, "bytes", data)
    with pytest.raises(ProtocolError, match="cannot be read"):
        read_all(data)


def test_a_codec_may_set_its_own_bound() -> None:
    with pytest.raises(ProtocolError, match="too long"):
        ALL.reader("All", limit=3)(b"\x18\x01\x18\x01")


@pytest.mark.parametrize(
    "table",
    [
        {"A": {1: ("x", "int128")}},
        {"A": {1: ("x", "repeated B")}},
        {"A": {1: ("x", "map double int32")}},
        {"A": {1: ("x", "int32"), 2: ("x", "int32")}},
        {"A": {0: ("x", "int32")}},
    ],
)
def test_a_table_that_makes_no_sense(table: dict[str, Fields]) -> None:
    with pytest.raises(ValueError, match=r"not a schema|A\.x"):
        Schema(table)
